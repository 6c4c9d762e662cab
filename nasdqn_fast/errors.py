"""The package's own errors, and how a message about a bad argument is put together.

An error about an argument or a setting keeps its parts (`BadArgument`), so that each reader is told in words of their
own: Python callers read keywords and a hint in Python, the command line shows its options.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterable, Mapping


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The most similar of the valid names, if one is close; case does not count."""
    import difflib  # here, because only an error needs it

    folded = {valid_name.casefold(): valid_name for valid_name in valid}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)  # so that pendlum finds its pendulum
    return folded[close[0]] if close else None


def suggest(name: str, valid: Iterable[str]) -> str:
    """The end of an error message: the most similar valid name, if one is close, and all valid names."""
    valid = sorted(valid)
    close = nearest(name, valid)
    hint = f"did you mean {close!r}? " if close else ""
    return f"{hint}valid: {', '.join(valid)}"


class InputError(ValueError):
    """Something a user gave is wrong; the message says what, what was expected and how to correct it.

    The command line prints it as one line and exits with 2.
    """


class UnpicklableError(InputError, pickle.PicklingError):
    """An object holds something that cannot be pickled; the message says what, and how to define it so that it can."""


def _as_it_is(name: str) -> str:
    return name


class BadArgument(Exception):
    """A value that an argument or a setting cannot have; raised as one of its subclasses.

    Args:
        name: the argument or setting.
        expected: what it must be, as ``a number in [0, 1]``.
        got: the value given, as text.
        hint: how to correct it, for every reader.
        python: how to correct it in Python, as ``pass float({})``, the braces for its name; for Python callers only.
        item: which part of the value, as ``[0]``; empty for all of it.

    `expected` and `hint` write names of other settings in braces, so that these are shown as `name` is.
    """

    def __init__(self, name: str, expected: str, got: str, hint: str = "", *, python: str = "", item: str = "") -> None:
        super().__init__(name, expected, got, hint)
        self.name, self.expected, self.got, self.hint, self.python, self.item = name, expected, got, hint, python, item

    def text(self, call: Callable[[str], str] = _as_it_is, *, python: bool = True) -> str:
        """The message.

        Args:
            call: what the reader calls a setting of this name.
            python: whether the reader writes Python.
        """

        def named(text: str) -> str:
            return re.sub(r"\{(\w+)\}", lambda match: call(match[1]), text)

        name = call(self.name) + self.item
        hints = [named(self.hint), self.python.replace("{}", name) if python else ""]
        return "; ".join([self._refusal(name, named(self.expected)), *filter(None, hints)])

    def _refusal(self, name: str, expected: str) -> str:
        return f"{name} must be {expected}; got {self.got}"

    def __str__(self) -> str:
        return self.text()


class WrongType(BadArgument, TypeError):
    """A value of the wrong type or dtype."""


class OutOfRange(BadArgument, ValueError):
    """A value of the right type that is not allowed."""


class UnknownName(BadArgument, InputError):
    """A name that is not valid.

    Args:
        name: what is named: an argument, or a kind of thing, as ``environment``.
        got: the name given.
        valid: the valid names.
        item: as in `BadArgument`.
        more: what else is valid, as ``, or module:attribute of your own``.
    """

    def __init__(self, name: str, got: object, valid: Iterable[str], item: str = "", more: str = "") -> None:
        valid = sorted(valid)
        close = nearest(str(got), valid)
        super().__init__(
            name, f"one of {', '.join(valid)}{more}", repr(got), f"did you mean {close!r}?" if close else "", item=item
        )
        self.args = (name, got, valid, item, more)
        self._ending = suggest(str(got), valid) + more

    def text(self, call: Callable[[str], str] = _as_it_is, *, python: bool = True) -> str:
        """The message; see `BadArgument.text`."""
        return f"unknown {call(self.name)}{self.item} {self.got}: {self._ending}"


def message(error: BaseException, call: Callable[[str], str] = _as_it_is, *, python: bool = True) -> str:
    """An error's message for this reader; see `BadArgument.text`. Other errors have one message for all."""
    return error.text(call, python=python) if isinstance(error, (BadArgument, SettingError)) else str(error)


class SettingError(InputError):
    """A setting is wrong.

    Args:
        problem: what a check raised; its parts are this error's, too.
        names: key within the section -> keyword, where the problem's names are keys.
        file: the file that holds the setting, as ``[agent] in 'given.toml'``; empty for a keyword or an option.
        owner: whose option it is, as ``controller 'nas-dqn'``; empty for a setting of the package.
    """

    def __init__(
        self, problem: Exception, names: Mapping[str, str] | None = None, file: str = "", owner: str = ""
    ) -> None:
        super().__init__(problem, names, file, owner)
        self.problem, self.names, self.file, self.owner = problem, names or {}, file, owner

    @property
    def name(self) -> str | None:
        """The keyword; None if it is about no single one."""
        name = getattr(self.problem, "name", None)
        return None if name is None else self._keyword(name)

    @property
    def expected(self) -> str | None:
        """What it must be, where the check says so."""
        return getattr(self.problem, "expected", None)

    @property
    def got(self) -> str | None:
        """The value given, as text."""
        return getattr(self.problem, "got", None)

    @property
    def hint(self) -> str | None:
        """How to correct it."""
        return getattr(self.problem, "hint", None)

    def text(self, call: Callable[[str], str] = _as_it_is, *, python: bool = True) -> str:
        """The message; in a file a setting is called by its key, and there is no Python."""
        if self.file:
            return f"{self.file}: {message(self.problem, python=False)}"
        if self.owner:
            return f"{self.owner}: {message(self.problem, python=python)}"
        return message(self.problem, lambda key: call(self._keyword(key)), python=python)

    def _keyword(self, key: str) -> str:
        return self.names.get(key, key)

    def __str__(self) -> str:
        return self.text()


def out_of_memory(n_bytes: int) -> InputError:
    """The error for more memory than there is."""
    needed = f"{n_bytes / 2**30:.3g} GiB of memory are needed"
    return InputError(f"{needed}, which this machine does not have; ask for less")


class DamageError(ValueError):
    """A file is not as it was written: truncated, altered, gone, or never one of ours."""


class WriteError(OSError):
    """A run's directory can no longer be written; what was saved is unchanged, and the message says how to continue."""


class NonFiniteError(FloatingPointError):
    """Training met a NaN or an infinity; the message says where and in which episode."""


class TrialFailed(RuntimeError):
    """A trial of several has failed; the message says which, and why."""


class StepError(RuntimeError):
    """An environment's step returned its error flag; the message says which environment, and when."""


def step_failed(environment: str, where: str = "") -> StepError:
    """The error for a compiled step that returned the flag of one.

    Args:
        environment: its name.
        where: a phrase that says which step.
    """
    return StepError(
        f"environment {environment} reported an error in step{where and ', ' + where}: it raised an exception, or "
        "returned neither 0 nor TERMINATED"
    )


class Stopped(Exception):
    """A stop token was set; the agent is in a consistent state, and can be saved or continued to the same bits."""
