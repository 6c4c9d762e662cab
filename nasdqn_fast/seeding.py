"""Random streams: one seed, one named stream for each purpose.

A stream of its own for each purpose keeps methods comparable: two runs of one seed meet the
same initial states whatever their controllers draw.
"""

from __future__ import annotations

import numpy as np

from nasdqn_fast.copying import Independent

# A stream's seed is its place in this tuple: append, never reorder or remove.
STREAMS = ("env", "policy", "replay", "init", "controller", "transfer", "evaluation", "guard", "estimator", "learning")

BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


class Streams(Independent):
    """The generators of one run, as attributes: ``streams.env``, ``streams.policy``, ...

    Args:
        seed: int >= 0, or a Generator, from which 128 bits are drawn.

    Raises:
        TypeError, ValueError: anything else.
    """

    env: np.random.Generator
    policy: np.random.Generator
    replay: np.random.Generator
    init: np.random.Generator
    controller: np.random.Generator
    transfer: np.random.Generator
    evaluation: np.random.Generator
    guard: np.random.Generator
    estimator: np.random.Generator
    learning: np.random.Generator

    def __init__(self, seed: int | np.random.Generator) -> None:
        if isinstance(seed, np.random.Generator):
            entropy = int.from_bytes(seed.bytes(16), "little")
        elif isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
            if seed < 0:
                raise ValueError(f"seed must be >= 0, got {seed}")
            entropy = int(seed)
        else:
            raise TypeError(f"seed must be an int or a numpy.random.Generator, got {type(seed).__name__}")
        for index, name in enumerate(STREAMS):
            sequence = np.random.SeedSequence(entropy, spawn_key=(index,))
            setattr(self, name, np.random.Generator(np.random.PCG64(sequence)))

    def child(self, name: str, *key: int) -> np.random.Generator:
        """A generator made from a stream's seed and a key, the same whenever it is asked for.

        Greedy episodes start with one each, so that episode i has the same start whatever was played before it.

        Args:
            name: of the stream, which does not move.
            key: numbers >= 0.
        """
        sequence = getattr(self, name).bit_generator.seed_seq
        child = np.random.SeedSequence(sequence.entropy, spawn_key=(*sequence.spawn_key, *key))
        return np.random.Generator(np.random.PCG64(child))

    def get_state(self) -> dict:
        """Every bit generator's state, plain JSON."""
        return {name: getattr(self, name).bit_generator.state for name in STREAMS}

    def set_state(self, state: dict) -> None:
        """Restores a state returned by `get_state`; a stream that the state does not hold stays as it is."""
        for name in STREAMS:
            if name in state:
                set_generator_state(getattr(self, name), state[name])


def set_generator_state(generator: np.random.Generator, state: dict) -> None:
    """Restores the state of a generator's bit generator.

    Raises:
        KeyError, OverflowError, TypeError, ValueError: it is not a valid state, or one that no seed leads to.
    """
    if isinstance(generator.bit_generator, np.random.PCG64) and state["state"]["inc"] % 2 == 0:
        # NumPy takes it; the period then is short, or 1, and a draw that is repeated until it fits never ends.
        raise ValueError("the increment of a PCG64 must be odd")
    generator.bit_generator.state = state


def restored_generator(state: dict) -> np.random.Generator:
    """A generator whose bit generator is in this state, of the class that the state names.

    Raises:
        KeyError, OverflowError, TypeError, ValueError: it is not a valid state.
    """
    if state["bit_generator"] not in BIT_GENERATORS:
        raise ValueError(f"bit_generator must be one of {', '.join(BIT_GENERATORS)}; got {state['bit_generator']!r}")
    generator = np.random.Generator(getattr(np.random, state["bit_generator"])())
    set_generator_state(generator, state)
    return generator
