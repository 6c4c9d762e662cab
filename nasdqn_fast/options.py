"""Options: fields of a frozen dataclass that know their help, the source of their default, and what they may be.

The sections of a run's settings are such dataclasses, and the ``Options`` of a plug-in. What is declared here is all
that is declared: the command line, the TOML file, the keywords of `nasdqn_fast.train`, the lists that are printed and
the tables in the docs follow from it.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union, get_args, get_origin

from nasdqn_fast.errors import BadArgument, InputError, OutOfRange, SettingError, UnknownName
from nasdqn_fast.validation import (
    check_bool,
    check_choice,
    check_each,
    check_int,
    check_real,
    check_table,
    check_text,
)

UNSAID = "not given in the paper"  # Rahmani et al. 2025, arXiv:2510.19872
HERE = "this package"
REQUIRED: Any = dataclasses.MISSING  # the default of an option that must be given

Check = Callable[[str, Any], Any]


def option(
    default: Any,
    help: str,
    source: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[str] | None = None,
    check: Check | None = None,
    keyword: str | None = None,
    shown: str | None = None,
) -> Any:
    """A dataclass field that is an option.

    Its annotation is int, float, bool, str, one of these or None, a tuple or a dict of them; with `check`, anything.

    Args:
        default: the default value; `REQUIRED` if it must be given.
        help: what the option is, in half a line.
        source: where the default comes from, e.g. ``paper 2.3.2`` or ``not given in the paper``.
        minimum, maximum: bounds of a number, or of each number in a tuple, both allowed themselves.
        choices: the valid names.
        check: takes the option's name and a value that is not None and returns the value to store, or raises
            TypeError or ValueError; in place of the check that follows from the annotation.
        keyword: name as keyword and command-line option, where it is not the field's own.
        shown: the default as text, where its own text says too little.
    """
    about = {
        "help": help,
        "source": source,
        "minimum": minimum,
        "maximum": maximum,
        "choices": None if choices is None else tuple(choices),
        "check": check,
        "keyword": keyword,
        "shown": shown,
    }
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata={"option": about})
    return field(default=default, metadata={"option": about})


def same_option(kind: type, name: str, **changes: Any) -> Any:
    """A dataclass field that is declared as that of another class.

    Args:
        kind: the other class.
        name: its field.
        **changes: arguments of `option` that differ.
    """
    (found,) = (field for field in dataclasses.fields(kind) if field.name == name)
    return option(changes.pop("default", found.default), **found.metadata["option"] | changes)


@dataclass(frozen=True)
class Option:
    """One option, as its field declares it; see `option`.

    Args:
        name: the field's.
        annotation: its type, without None.
        optional: whether None is a value.
        default: `REQUIRED` if it must be given.
        help, source, minimum, maximum, choices, own_check, keyword, shown: as declared.
    """

    name: str
    annotation: Any
    optional: bool
    default: Any
    help: str
    source: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...] | None
    own_check: Check | None
    keyword: str
    shown: str

    def check(self, value: Any) -> Any:
        """The value in the form in which it is stored.

        Raises:
            TypeError, ValueError: it is none that the option can have.
        """
        if value is None and self.optional:
            return None
        if self.own_check is not None:
            return self.own_check(self.name, value)
        return self._check_as(self.annotation, self.name, value)

    def parse(self, text: str) -> Any:
        """The value of a text on the command line.

        Raises:
            OutOfRange: the text is no value of this type.
        """
        if self.optional and text.lower() == "none":
            return None
        try:
            return _parsed(self.annotation, text)
        except (KeyError, ValueError):
            raise OutOfRange(self.name, self.values, repr(text)) from None

    @property
    def values(self) -> str:
        """A description of the allowed values, for messages."""
        if self.annotation is bool:
            return "true or false"
        is_list = get_origin(self.annotation) is tuple and self.own_check is None
        annotation = get_args(self.annotation)[0] if is_list else self.annotation
        try:
            if self.own_check is not None:
                self.own_check(self.name, _NoValue())
            else:
                self._check_as(annotation, self.name, _NoValue())
        except BadArgument as error:
            return f"a list, each {error.expected}" if is_list else error.expected
        except (TypeError, ValueError):
            pass
        return str(getattr(annotation, "__name__", annotation))

    def _check_as(self, annotation: Any, name: str, value: Any) -> Any:
        origin, args = get_origin(annotation), get_args(annotation)
        if origin is tuple:
            return check_each(name, value, functools.partial(self._check_as, args[0]))
        if origin is dict:
            return check_table(name, value, functools.partial(self._check_as, args[1]))
        if annotation is int:
            minimum = None if self.minimum is None else int(self.minimum)
            return check_int(name, value, minimum, *(() if self.maximum is None else (self.maximum,)))
        if annotation is float:
            return check_real(name, value, self.minimum, self.maximum)
        if annotation is bool:
            return check_bool(name, value)
        return check_text(name, value) if self.choices is None else check_choice(name, value, self.choices)


class _NoValue:
    """A value of a type that no option has."""


class Checked:
    """Base of a dataclass of options that checks itself when it is made.

    Raises:
        TypeError, ValueError: an option of the wrong type or out of range.
    """

    def __post_init__(self) -> None:
        for about in options_of(type(self)):
            object.__setattr__(self, about.name, about.check(getattr(self, about.name)))


@dataclass(frozen=True)
class NoOptions:
    """The options of a plug-in that has none."""


def options_of(kind: type) -> tuple[Option, ...]:
    """The options of a dataclass, in order of declaration.

    Raises:
        InputError: it is no dataclass of options.
    """
    return _options_of(kind)  # type: ignore[arg-type]  # a class can be hashed, whatever its objects


@functools.cache
def _options_of(kind: type) -> tuple[Option, ...]:
    if not dataclasses.is_dataclass(kind):
        raise InputError(f"{kind.__module__}.{kind.__qualname__} must be a frozen dataclass, its fields option(...)s")
    try:
        hints = typing.get_type_hints(kind)
    except NameError as error:  # a name imported for type checking only
        raise InputError(f"the types of {kind.__module__}.{kind.__qualname__} cannot be read: {error}") from None
    return tuple(_option(kind, field, hints[field.name]) for field in dataclasses.fields(kind))


def options_class(plugin: Any) -> type:
    """The class ``Options`` of a plug-in, or `NoOptions`."""
    kind: type = getattr(plugin, "Options", NoOptions)
    return kind


def make_options(plugin: Any, given: Mapping[str, Any], owner: str = "") -> Any:
    """The options of a plug-in: those given, and defaults.

    Args:
        plugin: a class or function; its attribute ``Options``, if there is one, is the class of its options.
        given: name -> value.
        owner: whose they are, for messages, as ``controller 'ucb'``.

    Raises:
        InputError: an option is unknown, missing, of the wrong type or out of range.
    """
    known = _known(plugin)
    try:
        values = {name: _known_option(known, name).check(value) for name, value in given.items()}
        for about in known.values():
            if about.default is REQUIRED and about.name not in given:
                raise OutOfRange(about.name, about.values, "none", "give one")
        return options_class(plugin)(**values)
    except (TypeError, ValueError) as error:
        raise SettingError(error, owner=owner) from None


def parse_options(plugin: Any, texts: Mapping[str, str], owner: str = "") -> dict[str, Any]:
    """Options of a plug-in from the command line.

    Args:
        plugin, owner: as for `make_options`.
        texts: name -> text.

    Raises:
        InputError: an option is unknown, or a text is no value of its type.
    """
    known = _known(plugin)
    try:
        return {name: _known_option(known, name).parse(text) for name, text in texts.items()}
    except ValueError as error:
        raise SettingError(error, owner=owner) from None


def _known(plugin: Any) -> dict[str, Option]:
    return {about.name: about for about in options_of(options_class(plugin))}


def _known_option(known: Mapping[str, Option], name: str) -> Option:
    if name in known:
        return known[name]
    if not known:
        raise InputError(f"unknown option {name!r}: there are none")
    raise UnknownName("option", name, known)


def default_text(value: Any) -> str:
    """The text of a default in the help, the lists and the docs."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _option(kind: type, field: dataclasses.Field[Any], annotation: Any) -> Option:
    where = f"{kind.__module__}.{kind.__qualname__}"
    if "option" not in field.metadata:
        raise InputError(f"{field.name} of {where} must be declared as option(default, help, source)")
    about = dict(field.metadata["option"])
    own_check, optional = about.pop("check"), False
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        optional = len(members) < len(get_args(annotation))
        annotation = members[0] if len(members) == 1 else Union[tuple(members)]  # noqa: UP007 (made at run time)
    if own_check is None and not _is_supported(annotation):
        raise InputError(
            f"{field.name} of {where} must be int, float, bool, str, tuple[..., ...] or dict[str, ...] of these, or "
            f"have a check of its own; got {annotation}"
        )
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    shown = about.pop("shown") or ("none: it must be given" if default is REQUIRED else default_text(default))
    keyword = about.pop("keyword") or field.name
    return Option(field.name, annotation, optional, default, own_check=own_check, keyword=keyword, shown=shown, **about)


def _is_supported(annotation: Any) -> bool:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return len(args) == 2 and args[1] is Ellipsis and args[0] in (int, float, str)
    if origin is dict:
        return args[0] is str and args[1] in (int, float)
    return annotation in (int, float, bool, str)


def _parsed(annotation: Any, text: str) -> Any:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return tuple(_parsed(args[0], item) for item in split_list(text, args[0]))
    if annotation is bool:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
    if annotation in (int, float):
        return annotation(text)
    return text


def split_list(text: str, item: type) -> list[str]:
    """The items of a list with commas between.

    A comma after a digit may belong to the item itself, as in the architecture ``64,32-tanh``: in lists of names it
    does not separate.
    """
    if not text.strip():
        return []
    separator = r"," if item in (int, float) else r"(?<=\D),"
    return [part.strip() for part in re.split(separator, text)]
