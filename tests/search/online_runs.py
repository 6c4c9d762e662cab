"""Online searches on a tiny CartPole, which several test modules share."""

import numpy as np

from nasdqn_fast import envs
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.engine import backends
from nasdqn_fast.estimators import base as estimators
from nasdqn_fast.events import Played
from nasdqn_fast.search.online import Trainer
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import SearchSpace, parse_setup
from nasdqn_fast.transfers import base as transfers
from nasdqn_fast.transfers.matching import matching
from nasdqn_fast.types import Proposal

SPACE = SearchSpace(["1x4-relu", "2x3-tanh", "1x5-leaky_relu"])
CARTPOLE = envs.make("cartpole", max_episode_steps=20)
SMALL = {"batch_size": 4, "warm_up": 10, "replay_capacity": 500}


class Scripted(Controller):
    """Proposes what it was given, one after the other, and keeps what it is told."""

    def __init__(self, proposals):
        super().__init__(SPACE, np.random.default_rng(0))
        self.proposals = iter(proposals)
        self.told = []

    def propose(self):
        return next(self.proposals)

    def learn(self, result):
        self.told.append(result)


def relayed(make):
    """The events of a run that another trainer takes up after every event at which there is a state, with the trainer.

    Args:
        make: makes a trainer whose controller is `Scripted`.
    """
    trainer, played = make(), []
    events = trainer.run()
    while (event := next(events, None)) is not None:
        yield event, trainer
        if isinstance(event, Played):
            played.append(event.episodes)
        if trainer.resumable and played:
            successor = make()
            for _ in range(trainer.segment - 1):
                next(successor.controller.proposals)
            joined = (np.concatenate([getattr(one, name) for one in played]) for name in vars(played[0]))
            successor.set_state(trainer.get_state(), type(played[0])(*joined))
            trainer, events = successor, successor.run()


def scripted(*texts, budget=None):
    return Scripted([Proposal(parse_setup(text), "scripted", budget) for text in texts])


def trainer_of(
    controller,
    streams=None,
    transfer=matching,
    estimator="mean-return",
    backend="native",
    agent=None,
    transfer_options=None,
    **options,
):
    streams, agent = streams or Streams(0), SMALL | (agent or {})
    settings = {"episodes": 6, "switch_every": 2, "replay_keep": 0.25, "replay_keep_which": "newest"} | options
    return Trainer(
        lambda first: backends.find(backend).DQNAgent(CARTPOLE, first, rng=streams, **agent),
        controller,
        transfers.make(transfer, transfer_options),
        estimators.make(estimator),
        streams.transfer,
        **settings,
    )
