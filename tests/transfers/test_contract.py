"""The contract, over every transfer in the folder, with each backend and each optimizer."""

import itertools

import numpy as np
import pytest

from nasdqn_fast import plugins
from nasdqn_fast.testing.transfers import TransferContract
from nasdqn_fast.transfers.base import Carried
from nasdqn_fast.transfers.matching import matching

# Enough for every line to be run; the defaults take seconds in NumPy.
FIT = {"steps": 8, "td_updates": 2, "guard": 3, "tries": 2}
OPTIONS = {"distill": FIT | {"exact": False}, "inject": FIT}


class TestEveryTransfer(TransferContract):
    @pytest.fixture(
        autouse=True,
        params=itertools.product(plugins.names("transfers"), (("native", "adam"), ("numpy", "sgd"))),
        ids=lambda chosen: f"{chosen[0]}-{'-'.join(chosen[1])}",
    )
    def _choose(self, request):
        self.transfer, (self.backend, self.optimizer) = request.param
        self.options = OPTIONS.get(self.transfer, {})


def writing(switch):
    switch.old.weights[0][...] = 1.0
    return matching(switch)


def pruning(switch):
    switch.replay.prune(0.5, "newest", switch.rng)
    return matching(switch)


def sharing_moments(switch):
    switch.optimizer["m"][:] = 0.0
    return matching(switch)


def drawing(switch):
    new = matching(switch).network
    new.weights[0][...] += np.random.random()  # noqa: NPY002
    return Carried(new)


def short_of_moments(switch):
    moment = switch.optimizer["m"][:-1]
    return Carried(matching(switch).network, {**switch.optimizer, "m": moment, "v": moment})


def stubborn(switch):
    return Carried(switch.old.like("1x7-relu", switch.rng))


def never_folding(switch):
    return Carried(switch.old.like(switch.architecture, switch.rng).plus([(switch.old, 1)]))


PAIR = ["2x32-relu", "2x128-relu"]
BROKEN = [
    (writing, "test_what_it_is_given_is_left_alone", PAIR),
    (pruning, "test_what_it_is_given_is_left_alone", PAIR),
    (sharing_moments, "test_what_it_is_given_is_left_alone", PAIR),
    (drawing, "test_same_generator_same_result", PAIR),
    (drawing, "test_nothing_is_drawn_from_global_generators", []),
    (short_of_moments, "test_the_optimizer_can_continue_from_the_state_it_carries", PAIR),
    (never_folding, "test_a_sum_is_folded_when_the_transfer_is_called_once_more", PAIR),
    (stubborn, "test_the_new_network_is_the_one_that_was_asked_for", PAIR),
]


@pytest.mark.parametrize(("plugin", "test", "arguments"), BROKEN)
def test_the_contract_finds_what_breaks_it(plugin, test, arguments):
    contract = TransferContract()
    contract.transfer = plugin
    with pytest.raises(AssertionError):
        getattr(contract, test)(*arguments)
