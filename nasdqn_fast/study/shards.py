"""``K/N``: which share of the work one of several processes does."""

from __future__ import annotations

from nasdqn_fast.errors import InputError


def parse_shard(text: str | None) -> tuple[int, int]:
    """(K from 0, N) of ``"K/N"``; all of the work, (0, 1), of None.

    Raises:
        InputError: it is no such text, or K is not from 1 to N.
    """
    if text is None:
        return 0, 1
    number, slash, shards = str(text).partition("/")
    if not (slash and number.isdecimal() and shards.isdecimal() and 1 <= int(number) <= int(shards)):
        raise InputError(f"shard must be K/N with K from 1 to N, as 3/40; got {text!r}")
    return int(number) - 1, int(shards)
