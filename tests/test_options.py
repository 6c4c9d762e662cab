"""Options: what a declaration accepts, from Python and from a command line, and what it says of the rest."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from nasdqn_fast.errors import BadArgument, InputError, OutOfRange, SettingError, UnknownName, WrongType
from nasdqn_fast.options import REQUIRED, Checked, make_options, option, options_of, parse_options, same_option


def check_even(name, value):
    if value % 2:
        raise OutOfRange(name, "even", str(value))
    return value


class Plugin:
    @dataclass(frozen=True)
    class Options:
        share: float = option(0.5, "a share", "here", minimum=0, maximum=1)
        count: int | None = option(None, "a count", "here", minimum=1)
        loud: bool = option(False, "loudness", "here")
        mode: str = option("fast", "a mode", "here", choices=("fast", "slow"))
        sizes: tuple[int, ...] = option((1, 2), "sizes", "here", minimum=1)
        weights: dict[str, float] = option({}, "weights", "here")
        even: int = option(2, "an even number", "here", check=check_even)


Options = Plugin.Options


def test_what_is_not_given_has_its_default():
    assert make_options(Plugin, {}) == Options()
    assert make_options(object(), {}) == make_options(Checked, {})  # both have none


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"share": 1}, 1.0),
        ({"share": np.float32(0.25)}, 0.25),
        ({"count": np.int64(3)}, 3),
        ({"count": None}, None),
        ({"loud": np.True_}, True),
        ({"sizes": [4, 5]}, (4, 5)),
        ({"sizes": np.array([4, 5])}, (4, 5)),
        ({"weights": {"a": 1}}, {"a": 1.0}),
        ({"even": 4}, 4),
    ],
)
def test_a_value_is_stored_in_the_type_that_is_declared(given, stored):
    (name,) = given
    value = getattr(make_options(Plugin, given), name)
    assert value == stored
    assert type(value) is type(stored)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"shar": 1},
            "unknown option 'shar': did you mean 'share'? valid: count, even, loud, mode, share, sizes, weights",
        ),
        ({"share": 2}, "share must be a number in [0, 1]; got 2.0"),
        ({"share": "1"}, "share must be a number in [0, 1]; got str '1'; pass float(share)"),
        ({"share": None}, "share must be a number in [0, 1]; got NoneType None; pass float(share)"),
        ({"count": 0}, "count must be an integer >= 1; got 0"),
        ({"loud": 1}, "loud must be a bool; got int 1; pass bool(loud)"),
        ({"mode": "fest"}, "unknown mode 'fest': did you mean 'fast'? valid: fast, slow"),
        ({"sizes": 3}, "sizes must be a list; got int 3"),
        ({"sizes": [1, 0]}, "sizes[1] must be an integer >= 1; got 0"),
        ({"weights": {"a": "b"}}, "weights['a'] must be a finite number; got str 'b'; pass float(weights['a'])"),
        ({"even": 3}, "even must be even; got 3"),
    ],
)
def test_a_wrong_value_is_named(given, message):
    with pytest.raises(InputError) as caught:
        make_options(Plugin, given, "plug-in 'p'")
    assert str(caught.value) == f"plug-in 'p': {message}"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("share", "1", 1.0),
        ("count", "7", 7),
        ("count", "none", None),
        ("loud", "yes", True),
        ("loud", "FALSE", False),
        ("mode", "slow", "slow"),
        ("sizes", "3, 4", (3, 4)),
        ("sizes", "", ()),
    ],
)
def test_a_text_is_read_by_its_type(name, text, value):
    parsed = parse_options(Plugin, {name: text})
    assert parsed == {name: value}
    assert type(parsed[name]) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("share", "x", r"share must be a number in \[0, 1\]; got 'x'"),
        ("loud", "2", "loud must be true or false; got '2'"),
        ("sizes", "3,x", "sizes must be a list, each an integer >= 1; got '3,x'"),
        ("cout", "3", r"unknown option 'cout': did you mean 'count'\?"),
    ],
)
def test_a_text_that_is_no_value_is_named(name, text, message):
    with pytest.raises(InputError, match=message):
        parse_options(Plugin, {name: text})


def test_a_required_option_is_asked_for():
    class Needy:
        @dataclass(frozen=True)
        class Options:
            size: int = option(REQUIRED, "a size", "here", minimum=1)

    assert make_options(Needy, {"size": 3}).size == 3
    with pytest.raises(InputError, match=r"^size must be an integer >= 1; got none; give one$"):
        make_options(Needy, {})


def test_what_is_declared_is_what_is_told():
    told = {about.name: (about.values, about.shown) for about in options_of(Options)}
    assert told["share"] == ("a number in [0, 1]", "0.5")
    assert told["count"] == ("an integer >= 1", "none")
    assert told["loud"] == ("true or false", "false")
    assert told["mode"] == ("one of fast, slow", "fast")
    assert told["sizes"] == ("a list, each an integer >= 1", "1,2")


def test_an_option_declared_as_another_has_all_of_it():
    @dataclass(frozen=True)
    class Other(Checked):
        part: float = same_option(Options, "share", default=0.75)

    (about,) = options_of(Other)
    assert (about.name, about.help, about.shown, about.maximum) == ("part", "a share", "0.75", 1)
    with pytest.raises(ValueError, match=r"part must be a number in \[0, 1\]; got 3.0"):
        Other(part=3)


def test_declarations_that_cannot_be_read_are_refused_by_name():
    @dataclass(frozen=True)
    class Bare:
        c: float = 1.0

    @dataclass(frozen=True)
    class Odd:
        c: set = option(None, "a set", "here")

    for kind, message in ((Bare, "c of .*Bare must be declared as option"), (Odd, "c of .*Odd must be int, float")):
        with pytest.raises(InputError, match=message):
            options_of(kind)
    with pytest.raises(InputError, match=r"int must be a frozen dataclass"):
        options_of(int)


# Errors keep their parts


def test_an_error_has_parts_and_a_form_for_each_reader():
    error = WrongType("rate", "at most {limit}", "str 'x'", "raise {limit}", python="pass float({})")
    assert isinstance(error, TypeError)
    assert (error.name, error.expected, error.got, error.hint) == (
        "rate",
        "at most {limit}",
        "str 'x'",
        "raise {limit}",
    )
    assert str(error) == "rate must be at most limit; got str 'x'; raise limit; pass float(rate)"
    assert error.text("--{}".format, python=False) == "--rate must be at most --limit; got str 'x'; raise --limit"


def test_a_setting_is_called_by_its_keyword_and_in_a_file_by_its_key():
    problem = OutOfRange("params", "few", "many", python="pass less")
    error = SettingError(problem, {"params": "env_param"})
    assert isinstance(error, InputError)
    assert (error.name, error.expected, error.got, error.hint) == ("env_param", "few", "many", "")
    assert str(error) == "env_param must be few; got many; pass less"
    assert str(SettingError(problem, file="[env] in 'x.toml'")) == "[env] in 'x.toml': params must be few; got many"


@pytest.mark.parametrize(
    "error",
    [
        WrongType("a", "b", "c", "d", python="e", item="[0]"),
        UnknownName("colour", "rde", ["red"]),
        SettingError(OutOfRange("a", "b", "c"), {"a": "x"}),
    ],
)
def test_errors_can_be_pickled(error):
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert type(copy) is type(error)
    assert isinstance(copy, (BadArgument, SettingError))
