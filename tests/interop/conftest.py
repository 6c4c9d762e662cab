"""What listeners of runs are tested with."""

import numpy as np
import pytest

from nasdqn_fast.events import Played
from nasdqn_fast.types import Episodes


@pytest.fixture
def interrupt():
    """A listener that interrupts the run after its seventh episode."""
    played = 0

    def listener(event):
        nonlocal played
        played += len(event.episodes) if isinstance(event, Played) else 0
        if played >= 7:
            raise KeyboardInterrupt

    return listener


@pytest.fixture
def episodes():
    """Function: lengths -> `Episodes` with these, and returns of the same size."""

    def make(*lengths):
        array = np.array(lengths)
        return Episodes(array * 1.0, array, np.zeros(len(array)), np.zeros(len(array)))

    return make
