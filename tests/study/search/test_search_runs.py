"""Searches by real trials. Oracles: `train`, a loop of ask and tell written here, and an undisturbed search."""

import dataclasses
import hashlib
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

import nasdqn_fast
from nasdqn_fast.config import complete, resolve
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.controllers.evolution import Evolution
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Played
from nasdqn_fast.plugins import option
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.study import trial as trials
from nasdqn_fast.study.plan import Trial
from nasdqn_fast.study.search.api import search_runs
from nasdqn_fast.study.search.plan import Searches, run_seed
from nasdqn_fast.study.search.search import run_search
from nasdqn_fast.types import Cost, Proposal, Result

AGENT = {"max_episode_steps": 20, "warm_up": 10, "batch_size": 4, "checkpoint_every": "1"}
SPACE = ("1x4-relu", "5,3-tanh", "2x4-relu")
EPISODES = 12


def search(out, methods=("evolution",), **changed):
    about = {"episodes": EPISODES, "final_seeds": 2, "architectures": SPACE, "threads": 1} | AGENT
    return search_runs(methods, "cartpole", out=out, **{"trials": 4} | about | changed)


def run_of(architecture, seed, episodes, **changed):
    """The run that a trial is."""
    return nasdqn_fast.train("fixed", "cartpole", seed, architecture=architecture, episodes=episodes, **AGENT | changed)


def content(folder):
    """Relative path -> digest, of what is to be the same however often the search was interrupted."""
    folder = Path(folder)
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
        and path.name not in ("summary.json", "study.json", "search.json", "config.toml")
        and "checkpoints" not in path.parts
    } | {"summary": (folder / "summary.json").read_text()}


class Going(Controller):
    """Begins the first architecture with four episodes, and continues that trial twice, each time for three."""

    continues_trials = True

    def __init__(self, space, rng):
        super().__init__(space, rng)
        self.told = []

    def propose(self):
        return Proposal(self.space[0], "on", 3, source=1) if self.told else Proposal(self.space[0], "begin", 4)

    def learn(self, result):
        self.told.append(result)


class Weighted:
    """A trial estimator with an option that is a tuple."""

    @dataclasses.dataclass(frozen=True)
    class Options:
        weights: tuple[int, ...] = option((1, 2), "of what", "this test")

    def __call__(self, trial):
        return float(sum(trial.options.weights))


class Moving(Going):
    """Begins the first architecture with four episodes, and goes on from there with the second for three."""

    def propose(self):
        return Proposal(self.space[1], "on", 3, source=1) if self.told else Proposal(self.space[0], "begin", 4)


def test_it_is_ask_and_tell_with_short_runs_and_then_full_ones(tmp_path):
    (found,) = search(tmp_path / "s", seed=3)["evolution"]
    controller = Evolution(SearchSpace(SPACE), Streams(3).controller, Evolution.Options())
    for number, record in enumerate(found.trials, start=1):
        proposal = controller.ask()
        result = run_of(proposal.architecture, run_seed(3, number), EPISODES // 4)
        (segment,) = result.segments
        assert (record["architecture"], record["score"]) == (str(proposal.architecture), segment.score)
        assert record["cost"] == dataclasses.asdict(segment.cost)
        controller.tell(Result(proposal, proposal.architecture, segment.score, result.episodes.returns, segment.cost))
    finals = [run_of(found.best, seed, EPISODES).metrics.final_mean for seed in (1000, 1001)]
    np.testing.assert_array_equal(found.finals, finals)
    assert found.cost["steps"] == sum(record["cost"]["steps"] for record in found.trials)


def test_the_return_is_reported_with_students_interval(tmp_path):
    stats = pytest.importorskip("scipy.stats")
    (found,) = search(tmp_path / "s", final_seeds=3)["evolution"]
    expected = stats.t.interval(0.95, 2, found.finals.mean(), stats.sem(found.finals))
    assert found.final_interval == pytest.approx(expected)
    (each,) = json.loads((tmp_path / "s" / "summary.json").read_text())["methods"]["evolution"]["each"]
    assert each["final_interval"] == pytest.approx(list(expected))
    assert each["best"] == str(found.best)


@pytest.mark.slow
def test_more_searches_may_find_what_the_first_have_not(tmp_path):
    """And train it, in the folder in which the first searches have been reported."""
    more = {"methods": ("random-nas",), "trials": 1, "final_seeds": 1, "episodes": 4}
    (first,) = search(tmp_path / "s", **more)["random-nas"]
    found = search(tmp_path / "s", **more, seeds=4)["random-nas"]
    assert len({each.best for each in found}) > 1
    assert found[0].trials == first.trials
    whole = search(tmp_path / "whole", **more, seeds=4)["random-nas"]
    assert [(each.best, each.final_score) for each in found] == [(each.best, each.final_score) for each in whole]


def test_options_that_json_writes_as_lists_are_the_same_when_they_are_read(tmp_path):
    more = {"estimator": f"{__name__}:Weighted", "final_seeds": 0, "trials": 1}
    first = search(tmp_path / "s", **more)["evolution"]
    assert [each.trials for each in search(tmp_path / "s", **more)["evolution"]] == [each.trials for each in first]


def test_seeds_of_trials_and_of_final_runs_differ(tmp_path):
    found = search(tmp_path / "s", seeds=2, trials=1, episodes=4)
    seeds = [record["seed"] for each in found["evolution"] for record in each.trials]
    assert len(set(seeds)) == 2
    assert min(seeds) >= 1_000_000
    folders = {path.name for path in (tmp_path / "s" / "final" / "trials" / "cartpole").glob("*/*")}
    assert folders == {"1000", "1001"}


@pytest.mark.quick_only(estimator="inherit")
@pytest.mark.parametrize("estimator", ["low-fidelity", "inherit"])
def test_a_search_that_is_interrupted_again_and_again_ends_with_the_same_bits(tmp_path, monkeypatch, estimator):
    alone = search(tmp_path / "alone", estimator=estimator, transfer="net2net")["evolution"][0]
    listeners = trials.outcome_of

    def interrupting(work, halt, count=None):
        """Presses Ctrl-C after the second episode that is played."""

        def with_interrupts(listener):
            played = 0

            def heard(event):
                nonlocal played
                listener(event)
                played += isinstance(event, Played)
                if played == 2:
                    raise KeyboardInterrupt

            return work(heard)

        return listeners(with_interrupts, halt, count)

    monkeypatch.setattr("nasdqn_fast.study.search.search.outcome_of", interrupting)
    out, interrupts = tmp_path / "again", 0
    while not (out / "final").exists():
        try:
            search(out, estimator=estimator, transfer="net2net")
        except KeyboardInterrupt:
            interrupts += 1
            assert interrupts < 20
    assert interrupts >= 4
    (found,) = search(out, estimator=estimator, transfer="net2net")["evolution"]
    assert found.trials == alone.trials
    assert content(out) == content(tmp_path / "alone")


def test_a_search_that_has_ended_is_read_and_nothing_is_trained(tmp_path, monkeypatch):
    first = search(tmp_path / "s")["evolution"][0]
    monkeypatch.setattr("nasdqn_fast.study.search.attempt.run_to_end", None)
    again = search(tmp_path / "s")["evolution"][0]
    assert again.trials == first.trials
    np.testing.assert_array_equal(again.finals, first.finals)


def test_threads_change_nothing(tmp_path):
    one = search(tmp_path / "one", ("evolution", "random-nas"), trials=2)
    two = search(tmp_path / "two", ("evolution", "random-nas"), trials=2, threads=3)
    for method, searched in one.items():
        assert [each.trials for each in searched] == [each.trials for each in two[method]]
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_shards_share_the_searches(tmp_path):
    whole = search(tmp_path / "whole", ("evolution", "random-nas"), trials=1, final_seeds=1)
    search(tmp_path / "parts", ("evolution", "random-nas"), trials=1, final_seeds=1, shard="1/2")
    found = search(tmp_path / "parts", ("evolution", "random-nas"), trials=1, final_seeds=1, shard="2/2")
    for method, searched in whole.items():
        assert [each.trials for each in searched] == [each.trials for each in found[method]]


def test_a_trial_that_is_continued_is_a_copy_of_its_source_trained_for_longer(tmp_path):
    """Both continue the first trial, to seven episodes: the run of seven episodes, twice."""
    module = f"{__name__}:Going"
    (found,) = search(tmp_path / "s", (module,), trials=3, estimator="full-training", episodes=7)[module]
    whole = run_of(SPACE[0], run_seed(0, 1), 7)
    begun = run_of(SPACE[0], run_seed(0, 1), 4)
    first, *others = found.trials
    assert (first["episodes"], first["score"]) == ([1, 4], begun.segments[0].score)
    cost, before = whole.segments[0].cost, begun.segments[0].cost
    for record in others:
        assert (record["seed"], record["episodes"], record["score"]) == (
            first["seed"],
            [5, 7],
            whole.segments[0].score,
        )
        assert record["cost"] == dataclasses.asdict(
            Cost(cost.steps - before.steps, cost.updates - before.updates, cost.parameters, cost.flop - before.flop)
        )
    folder = found.path
    assert (folder / "0002" / "episodes.csv").read_bytes() == (folder / "0003" / "episodes.csv").read_bytes()


def test_a_trial_that_goes_on_with_another_architecture_has_its_own_budget(tmp_path):
    """Oracle: a run of three episodes that starts from the source's directory."""
    module = f"{__name__}:Moving"
    (found,) = search(tmp_path / "s", (module,), trials=2, estimator="full-training", transfer="net2net")[module]
    record = found.trials[1]
    assert (record["episodes"], record["parent"]) == ([1, 3], 1)
    run = run_of(SPACE[1], record["seed"], 3, from_=str(found.path / "0001"), transfer="net2net")
    assert record["score"] == run.segments[0].score


def test_without_final_seeds_nothing_is_trained_in_full(tmp_path):
    (found,) = search(tmp_path / "s", trials=1, final_seeds=0)["evolution"]
    assert len(found.finals) == 0
    assert found.final_interval is None
    assert not (tmp_path / "s" / "final").exists()


def test_halving_searches(tmp_path):
    options = {"controller_options": {"budget": 3, "configurations": 3}}
    (found,) = search(tmp_path / "s", ("halving",), estimator="full-training", **options)["halving"]
    assert [record["episodes"] for record in found.trials] == [[1, 3]] * 3 + [[4, 9]]
    assert not list(found.path.rglob("*.npz")), "no trial can be continued any more"


def test_an_interrupted_search_says_how_it_stands(tmp_path):
    """And a file that a killed process has left half written is removed."""

    def interrupt(progress):
        if progress.played >= 1 and not progress.closed:
            raise KeyboardInterrupt

    with pytest.raises(
        KeyboardInterrupt, match=r"interrupted after \d of 1 searches; all others that had begun are saved"
    ):
        search(tmp_path / "s", progress=interrupt, trials=8)
    (folder,) = (tmp_path / "s").glob("searches/*/*/*")
    (folder / ".trials.jsonl.0123456789abcdef").touch()
    (found,) = search(tmp_path / "s", trials=8, final_seeds=0)["evolution"]
    assert len(found.trials) == 8
    assert not list(folder.glob(".*"))


def test_weights_are_inherited_from_the_best_trial(tmp_path):
    """Oracle: a run that starts from the parent's directory."""
    (found,) = search(tmp_path / "s", estimator="inherit", transfer="net2net", trials=3)["evolution"]
    assert found.trials[0]["parent"] is None
    record = found.trials[2]
    best = max(found.trials[:2], key=lambda earlier: earlier["score"])
    assert record["parent"] == best["trial"]
    parent = found.path / best["run"]
    run = run_of(record["architecture"], record["seed"], EPISODES // 4, from_=str(parent), transfer="net2net")
    assert record["score"] == run.segments[0].score


def test_what_is_not_trained_leaves_no_run_and_costs_the_steps_it_played(tmp_path):
    (found,) = search(tmp_path / "s", estimator="naswot", trial_estimator_options={"batch": 30, "draws": 2}, trials=2)[
        "evolution"
    ]
    for record in found.trials:
        assert record["run"] is None
        assert record["cost"]["updates"] == 0
        assert 30 <= record["cost"]["steps"] < 60
    assert [path.name for path in found.path.iterdir()] == ["trials.jsonl"]


def test_the_networks_of_a_start_are_those_of_runs(tmp_path):
    """Draw 0 is what the trial's own run begins with."""
    from nasdqn_fast.engine.agent import DQNAgent
    from nasdqn_fast.run.assembly import make_environment
    from nasdqn_fast.space import Architecture
    from nasdqn_fast.study.starts import Start

    config = resolve(None, {"env": "cartpole", "init": "torch", "head_scale": 0.5})
    environment = make_environment(config)
    start = Start(config, lambda: environment, (4, 2), Architecture.parse("5,3-tanh"), 7, 0)
    agent = DQNAgent(environment, "5,3-tanh", rng=7, init="torch", head_scale=0.5)
    np.testing.assert_allclose(start.network(0).parameters, agent.network.parameters, rtol=1e-6)
    assert not np.allclose(start.network(1).parameters, agent.network.parameters)
    batch = start.transitions(40)
    assert len(batch) == 40
    assert start.steps >= 40
    assert 0 < batch.actions.mean() < 1


def test_the_score_is_the_runs_estimators(tmp_path):
    options = {"score": "greedy", "score_options": {"episodes": 2}, "trials": 1}
    (found,) = search(tmp_path / "s", **options)["evolution"]
    (record,) = found.trials
    run = run_of(
        record["architecture"],
        record["seed"],
        EPISODES // 4,
        estimator="greedy",
        estimator_options={"episodes": 2},
    )
    assert record["score"] == run.segments[0].score


def test_a_search_that_trains_nothing_is_left_between_two_trials(tmp_path):
    search(tmp_path / "s", estimator="parameters", trials=1, final_seeds=0)
    plan = Searches.open(tmp_path / "s").plan
    config = complete(resolve(None, {"env": "cartpole", "method": "evolution", "architectures": SPACE}))
    halt = threading.Event()

    def count(trials):
        told.append(trials)
        if len(told) == 3:
            halt.set()

    told = []
    outcome = run_search(
        Trial("cartpole", "evolution", "evolution", 5, str(tmp_path / "left")),
        config,
        halt,
        count,
        plan=dataclasses.replace(plan, trials=100),
    )
    assert outcome.status == "interrupted"
    assert len((tmp_path / "left" / "trials.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"methods": ("nas-dqm",)}, "unknown method 'nas-dqm': did you mean 'nas-dqn'"),
        ({"methods": ("adadqn",)}, "method 'adadqn' has no controller to search with"),
        ({"methods": ("gradient",)}, "method 'gradient' has no controller to search with"),
        ({"methods": ("halving",)}, "method 'halving' says itself for how long a trial is trained"),
        ({"estimator": "synflo"}, "unknown trial estimator 'synflo': did you mean 'synflow'"),
        ({"trial_estimator_options": {"episode": 3}}, "unknown option 'episode': did you mean 'episodes'"),
        ({"estimator": "inherit", "transfer": "fresh"}, "'inherit' needs a transfer that carries weights over"),
        ({"trials": 0}, "trials must be an integer >= 1; got 0"),
        ({"final_seeds": -1}, "final_seeds must be an integer from 0"),
        ({"steps": 100}, "steps is no setting of a search"),
        ({"learning_rat": 0.1}, "unknown option 'learning_rat': did you mean 'learning_rate'"),
        ({"score": "nothing"}, "unknown estimator 'nothing'"),
    ],
    ids=str,
)
def test_bad_input_is_one_line_before_anything_is_written(tmp_path, changed, message):
    with pytest.raises(ValueError, match=message) as raised:
        search(tmp_path / "s", **changed)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "s" / "searches").exists()


def test_another_search_in_the_folder_is_told_what_differs(tmp_path):
    search(tmp_path / "s", trials=1)
    with pytest.raises(InputError, match=r"holds another study: trials: 1 there, 2 here"):
        search(tmp_path / "s", trials=2)
    with pytest.raises(InputError, match=r"estimator_options.episodes: None there, 2 here"):
        search(tmp_path / "s", trials=1, trial_estimator_options={"episodes": 2})


def test_records_that_do_not_fit_the_search_are_refused(tmp_path):
    search(tmp_path / "s", trials=2)
    shutil.rmtree(tmp_path / "s" / "final")
    (path,) = (tmp_path / "s").glob("searches/*/*/*/trials.jsonl")
    lines = path.read_text().splitlines()
    other = {SPACE[0]: SPACE[1]}.get(json.loads(lines[0])["architecture"], SPACE[0])
    record = json.loads(lines[0])
    record["proposal"]["architecture"] = other
    path.write_text(f"{json.dumps(record)}\n")
    with pytest.raises(RuntimeError, match=r"trial 1 was .*, where the search now proposes"):
        search(tmp_path / "s", trials=2)


def test_the_controller_is_told_of_the_cost_and_the_estimators_are_not(tmp_path):
    """Oracle: the loop of ask and tell, with the cost taken off."""
    options = {"reward_cost": "parameters", "reward_weight": 50.0, "max_parameters": 50}
    (found,) = search(tmp_path / "s", seed=3, **options)["evolution"]
    counts = {name: nasdqn_fast.Architecture.parse(name).parameter_count(4, 2) for name in SPACE}
    allowed = [name for name, count in counts.items() if count <= 50]
    largest = max(counts[name] for name in allowed)
    controller = Evolution(SearchSpace(allowed), Streams(3).controller, Evolution.Options())
    told = {}
    for number, record in enumerate(found.trials, start=1):
        proposal = controller.ask()
        result = run_of(proposal.architecture, run_seed(3, number), EPISODES // 4)
        name, score = str(proposal.architecture), result.segments[0].score
        reward = score - 50.0 * counts[name] / largest
        assert (record["architecture"], record["score"]) == (name, score)
        assert record["reward"] == pytest.approx(reward)
        told.setdefault(name, []).append(reward)
        cost = result.segments[0].cost
        controller.tell(Result(proposal, proposal.architecture, record["reward"], result.episodes.returns, cost))
    assert str(found.best) == max(told, key=lambda name: np.mean(told[name]))


def test_optimizer_and_learning_rate_are_trained_as_they_are_chosen(tmp_path):
    options = {"learning_rates": (0.001, 0.1), "optimizers": ("adam",), "architectures": ("1x4-relu",)}
    (found,) = search(tmp_path / "s", ("random-nas",), seed=1, **options)["random-nas"]
    rates = set()
    for number, record in enumerate(found.trials, start=1):
        name, optimizer, rate = record["architecture"].split("+")
        about = {"optimizer": optimizer, "learning_rate": float(rate.removeprefix("lr="))}
        run = run_of(name, run_seed(1, number), EPISODES // 4, **about)
        assert record["score"] == run.segments[0].score
        rates.add(rate)
    assert len(rates) == 2
    finals = [run_of("1x4-relu", seed, EPISODES, **dict(found.best.training)) for seed in (1000, 1001)]
    np.testing.assert_array_equal(found.finals, [run.metrics.final_mean for run in finals])


@pytest.mark.slow
def test_dask_workers_find_what_threads_find(tmp_path):
    distributed = pytest.importorskip("distributed")
    methods = ("evolution", "random-nas")
    here = search(tmp_path / "here", methods, trials=2)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", local_directory=tmp_path / "dask"
    ) as cluster:
        there = search(tmp_path / "there", methods, trials=2, threads=None, scheduler=cluster.scheduler_address)
    for method in methods:
        assert [each.trials for each in here[method]] == [each.trials for each in there[method]]
    assert content(tmp_path / "here") == content(tmp_path / "there")
