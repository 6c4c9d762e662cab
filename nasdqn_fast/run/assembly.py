"""The parts of a run, made from its config."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nasdqn_fast import envs
from nasdqn_fast.config import TABLES, Config, find_method, given_options
from nasdqn_fast.controllers import base as controllers
from nasdqn_fast.engine import backends
from nasdqn_fast.engine.protocol import Agent
from nasdqn_fast.engine.supernet_plan import SupernetPlan
from nasdqn_fast.errors import OutOfRange, SettingError
from nasdqn_fast.estimators import base as estimators
from nasdqn_fast.run.rewards import limit_of, reward_of, sizes_of, space_of
from nasdqn_fast.run.warm_start import start_from
from nasdqn_fast.search.generation import CandidateSpace
from nasdqn_fast.search.gradient import GradientTrainer
from nasdqn_fast.search.online import Trainer
from nasdqn_fast.search.parallel import ParallelTrainer
from nasdqn_fast.search.path_policy import PathPolicy
from nasdqn_fast.search.race import RaceTrainer
from nasdqn_fast.search.supernet import SupernetTrainer
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers import base as transfers
from nasdqn_fast.types import WHOLE_RUN


def make_environment(config: Config) -> envs.AnyEnvironment:
    """The environment of a config, with its parameters fixed."""
    env = config.env
    return envs.make(env.name, start=env.start, params=env.params, max_episode_steps=env.max_episode_steps)


def with_rows(config: Config, environment: envs.AnyEnvironment) -> Config:
    """The config, with the number of rows of a vector environment as ``num_envs``.

    Raises:
        InputError: it has another number.
    """
    try:
        return replace(config, agent=config.agent.with_rows(envs.rows_of(environment)))
    except OutOfRange as error:
        raise SettingError(error) from None


def make_trainer(
    config: Config, environment: envs.AnyEnvironment, *, warm_start: bool = True
) -> Trainer | ParallelTrainer | RaceTrainer | SupernetTrainer:
    """The trainer of a config; all random streams come from its seed.

    Args:
        config: every setting.
        environment: as `make_environment` makes it.
        warm_start: False if the trainer's state will be restored, for which the earlier run need not be there any more.
    """
    loop = find_method(config.search.method).loop
    if loop == "parallel":
        return _parallel_trainer(config, environment)
    if loop == "race":
        return _race_trainer(config, environment)
    if loop == "supernet":
        return _supernet_trainer(config, environment)
    streams, search, sizes = Streams(config.run.seed), config.search, sizes_of(environment)
    engine = backends.find(config.run.backend)
    controller_options, transfer_options, estimator_options = (given_options(config, table) for table in TABLES)
    transfer = transfers.make(search.transfer, transfer_options)

    def make_agent(first: Architecture) -> Agent:
        agent = engine.DQNAgent(environment, first, rng=streams, **vars(config.agent))
        if warm_start and config.run.warm_start is not None:
            start_from(Path(config.run.warm_start), agent, engine, transfer)
        return agent

    return Trainer(
        make_agent,
        controllers.make(
            find_method(search.method).controller, space_of(config, sizes), streams.controller, controller_options
        ),
        transfer,
        estimators.make(search.estimator, estimator_options),
        streams.transfer,
        episodes=_episodes(config),
        switch_every=search.switch_every,
        replay_keep=search.replay_keep,
        replay_keep_which=search.replay_keep_which,
        go_back=search.go_back,
        reward=reward_of(config, sizes),
        check=limit_of(config, sizes).check,
    )


def _parallel_trainer(config: Config, environment: envs.AnyEnvironment) -> ParallelTrainer:
    streams, search, agent = Streams(config.run.seed), config.search, config.agent
    engine = backends.find(config.run.backend)
    return ParallelTrainer(
        lambda candidates: engine.DQNPopulation(environment, list(candidates), rng=streams, **vars(agent)),
        CandidateSpace(space_of(config, sizes_of(environment)), search.adadqn_optimizers, search.adadqn_learning_rates),
        search.adadqn_networks,
        streams.controller,
        streams.transfer,
        episodes=_episodes(config),
        replace_every=search.adadqn_replace_every // agent.target_every,
    )


def _race_trainer(config: Config, environment: envs.AnyEnvironment) -> RaceTrainer:
    streams, search = Streams(config.run.seed), config.search
    engine = backends.find(config.run.backend)
    return RaceTrainer(
        lambda candidates: engine.DQNEnsemble(environment, list(candidates), rng=streams, **vars(config.agent)),
        space_of(config, sizes_of(environment)),
        search.race_networks,
        streams.controller,
        episodes=_episodes(config),
        keep=search.race_keep,
        halve_every=search.race_halve_every,
        window=search.race_window,
        temperature=search.race_temperature,
    )


def _supernet_trainer(config: Config, environment: envs.AnyEnvironment) -> SupernetTrainer:
    streams, search = Streams(config.run.seed), config.search
    space = space_of(config, sizes_of(environment))
    try:
        plan = SupernetPlan(space, search.supernet_paths, search.supernet_sampling, search.supernet_distill)
    except OutOfRange as error:  # which depends on the space
        raise SettingError(error, {"paths": "supernet_paths", "sampling": "supernet_sampling"}) from None
    agent = backends.find(config.run.backend).DQNSupernet(environment, plan, rng=streams, **vars(config.agent))
    episodes, score_episodes = _episodes(config), search.supernet_score_episodes
    if search.method == "supernet":
        return SupernetTrainer(agent, episodes=episodes, score_episodes=score_episodes)
    policy = PathPolicy(plan.space, rate=search.gradient_rate, entropy=search.gradient_entropy)
    return GradientTrainer(
        agent,
        policy,
        episodes=episodes,
        score_episodes=score_episodes,
        every=search.gradient_every,
        samples=search.gradient_samples,
        step_episodes=search.gradient_episodes,
    )


def _episodes(config: Config) -> int:
    return config.run.episodes if config.agent.steps is None else WHOLE_RUN


def optimum(environment: envs.AnyEnvironment) -> float | None:
    """Best possible mean return of the environment; None where the package cannot compute it."""
    from nasdqn_fast import optimal

    # What its policy really earns: the value on the grid is 0.3 too low upright, and too high where the saddle
    # between two actions is smoothed over. No optimum is lower than this, so no regret is too large.
    if not isinstance(environment, envs.Environment) or not optimal.covers(environment):
        return None
    return optimal.optimal_mean_return(environment).rollout_mean
