"""The package's own errors, and the end of a message about an unknown name."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(name: str, valid: Iterable[str]) -> str:
    """The end of an error message: the most similar valid name, if one is close, and all valid names."""
    import difflib  # here, because only an error needs it

    valid = sorted(valid)
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)  # so that pendlum finds inverted-pendulum
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}valid: {', '.join(valid)}"


class InputError(ValueError):
    """Something a user gave is wrong; the message says what, what was expected and the mend.

    The command line prints it as one line and exits with 2.
    """


def lacking_memory(n_bytes: int) -> InputError:
    """The error for more memory than there is."""
    needed = f"{n_bytes / 2**30:.3g} GiB of memory are needed"
    return InputError(f"{needed}, which this machine does not have; ask for less")


class WriteError(OSError):
    """A run's directory can no longer be written; what was saved is as it was, and the message says how to go on."""


class NonFiniteError(FloatingPointError):
    """Training met a NaN or an infinity; the message says where and in which episode."""


class StepError(RuntimeError):
    """An environment's step returned its error flag; the message says which environment, and when."""


class Stopped(Exception):
    """A stop token was set; the agent is whole, and can be saved or run on to the bits of a run left alone."""
