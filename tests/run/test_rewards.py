"""Runs whose controller is told a reward with a cost in it. Oracles: the formulas, spelled out here, and whole runs."""

import json

import pytest
from left_runs import lines

from nasdqn_fast.cli import main
from nasdqn_fast.config import resolve
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Asked, Played, PopulationDrawn, Replaced, Told
from nasdqn_fast.run import rewards
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import Proposal

SMALL = {
    "method": "nas-dqn",
    "env": "cartpole",
    "episodes": 12,
    "switch_every": 2,
    "depths": (1, 2),
    "widths": (4, 8),
    "activations": ("relu",),
    "warm_up": 10,
    "batch_size": 4,
    "max_episode_steps": 30,
    "seed": 2,
}
SIZES = (4, 2)
LARGEST = Architecture.parse("2x8-relu").parameter_count(*SIZES)
SAME_FILES = ("config.toml", "episodes.csv", "architectures.jsonl", "network.safetensors")


def told_by(**settings):
    events = []
    train(**SMALL | settings, progress=events.append)
    return [event.result for event in events if isinstance(event, Told)]


def test_by_default_the_score_is_the_estimate():
    assert all(result.estimate is None for result in told_by())


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_the_controller_is_told_the_score_less_the_cost(backend):
    results = told_by(reward_cost="parameters", reward_weight=7.0, backend=backend)
    for result in results:
        assert result.score == result.estimate - 7 * result.cost.parameters / LARGEST
    free = told_by(backend=backend)
    assert results[0].estimate == free[0].score, "the first segment is the same, whatever it is told to be worth"


def test_each_form_is_told_in_units_of_return():
    """The first segment, whose architecture and estimate are those of every run of the seed."""
    (first, *_) = told_by()
    parameters, score = first.cost.parameters, first.score
    about = {"reward_cost": "parameters", "reward_range": (50.0, 100.0)}  # its quality is negative
    quality, cost = (score - 50) / 50, parameters / 20
    assert quality < 0
    product = told_by(**about, reward_form="multiplicative", reward_target=20)[0].score
    assert product == pytest.approx(50 + 50 * quality * cost**0.07)
    aimed = told_by(**about, reward_form="absolute", reward_target=20, reward_weight=0.5)[0].score
    assert aimed == pytest.approx(50 + 50 * (quality - 0.5 * abs(cost - 1)))


def test_a_heavy_weight_leads_to_the_smallest_architecture():
    """With 1,000 returns for the largest network, all that the best buffer prefers is size."""
    settings = {"controller_epsilon_start": 0.3, "controller_temperature": 0.05, "controller_buffer": 4}
    results = told_by(**settings, reward_cost="flop", reward_weight=1000.0, episodes=80)
    assert [str(result.architecture) for result in results[-10:]].count("1x4-relu") >= 5


def test_the_log_has_both_numbers(tmp_path):
    train(**SMALL, reward_cost="flop", reward_weight=3.0, out=tmp_path / "run")
    told = lines(tmp_path / "run", "tell")
    assert told
    assert all(line["score"] < line["estimate"] for line in told)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert [part["score"] for part in summary["segments"]] == [line["score"] for line in told]


def test_latencies_are_measured_once_and_the_run_repeats_and_resumes_to_the_bit(tmp_path, monkeypatch):
    about = SMALL | {"reward_cost": "latency", "reward_weight": 5.0, "checkpoint_every": "2"}
    whole = train(**about, out=tmp_path / "whole")
    latencies = whole.config.reward.latencies
    assert set(latencies) == set(map(str, SearchSpace.grid((1, 2), (4, 8), ("relu",))))
    assert all(0 < seconds < 0.1 for seconds in latencies.values())
    monkeypatch.setattr(rewards, "measure", lambda *_: pytest.fail("measured again"))

    def leave(event):
        if isinstance(event, Played) and (tmp_path / "left" / "checkpoints").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config=tmp_path / "whole" / "config.toml", out=tmp_path / "left", progress=leave)
    resume(tmp_path / "left")
    for name in SAME_FILES:
        assert (tmp_path / "left" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_larger_networks_take_longer():
    """A hundred times the operations: by the lowest of nine rounds this is no matter of chance."""
    small, large = rewards.measure("native", (4, 2), map(Architecture.parse, ("1x4-relu", "4x512-relu"))).values()
    assert large > 3 * small


def test_a_limit_is_kept_by_every_method():
    for method in ("random-nas", "bandit", "evolution", "q-learning"):
        events = []
        train(**SMALL | {"method": method, "episodes": 30}, max_parameters=60, progress=events.append)
        asked = {event.proposal.architecture for event in events if isinstance(event, Asked)}
        assert {a.parameter_count(*SIZES) <= 60 for a in asked} == {True}, method


def test_a_population_has_none_above_the_limit_at_first_or_later():
    about = SMALL | {"method": "adadqn", "switch_every": None, "target_every": 10, "adadqn_replace_every": 10}
    events, limit = [], 60
    train(**about, max_parameters=limit, progress=events.append)
    candidates = [one for event in events if isinstance(event, PopulationDrawn) for one in event.candidates]
    candidates += [event.new for event in events if isinstance(event, Replaced)]
    assert len(candidates) > 5, "some were replaced"
    assert {one.parameter_count(*SIZES) <= limit for one in candidates} == {True}


class Outside(Controller):
    """Asks for what is in no space."""

    def propose(self):
        return Proposal("3x100-relu", "outside")


def large(switch):
    """A transfer that makes a network larger than what was asked for."""
    from nasdqn_fast.transfers.base import Carried

    return Carried(switch.old.like("1x99-relu", switch.rng))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_parameters": 10}, "max_parameters must be at least 30, those of 1x4-relu, the smallest"),
        ({"method": Outside, "max_parameters": 60}, "Outside asks for 3x100-relu, which has 20,902 parameters"),
        ({"transfer": large, "max_parameters": 60}, "transfer .* asks for 1x99-relu, which has 695 parameters"),
        ({"method": "fixed", "architecture": "1x99-relu", "max_parameters": 60}, "asks for 1x99-relu"),
    ],
    ids=["smallest", "controller", "transfer", "fixed"],  # the text of a function has its address
)
def test_what_is_above_the_limit_is_never_trained(settings, message):
    events = []
    with pytest.raises(InputError, match=message):
        train(**SMALL | settings, progress=events.append)
    assert not [event for event in events if isinstance(event, Played) and str(event.architecture) == "1x99-relu"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reward_weight": 1.0}, "reward_weight must be left out without reward_cost; got 1.0; drop it, or give"),
        ({"reward_cost": "flop"}, "reward_weight must be given with reward_form additive"),
        ({"reward_cost": "flops"}, "unknown reward_cost 'flops': did you mean 'flop'"),
        ({"reward_cost": "flop", "reward_form": "absolute", "reward_weight": 1.0}, "reward_target must be given"),
        ({"reward_cost": "flop", "reward_range": (1, 0)}, "reward_range must be two numbers, the lower first; got 1,0"),
        ({"reward_cost": "flop", "reward_weight": -1}, "reward_weight must be a finite number >= 0"),
        (
            {"reward_cost": "flop", "reward_weight": 1.0, "reward_target": 0},
            "reward_target must be a finite number > 0",
        ),
        (
            {"reward_cost": "flop", "reward_weight": 1.0, "reward_latencies": {"1x4-relu": 1.0}},
            "reward_latencies must be left out unless reward_cost is latency",
        ),
        (
            {"method": "adadqn", "switch_every": None, "reward_cost": "flop", "reward_weight": 1.0},
            "reward_cost must be left out with method 'adadqn', which tells no controller a score",
        ),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_one_line(settings, message):
    with pytest.raises(InputError, match=message) as caught:
        resolve(None, {k: v for k, v in (SMALL | settings).items() if v is not None})
    assert "\n" not in str(caught.value)


def test_a_table_that_lacks_an_architecture_is_refused_before_anything_is_written(tmp_path, capsys):
    (tmp_path / "latencies.json").write_text('{"2x32-relu": 1e-6}')
    words = ["--reward-cost", "latency", "--reward-weight", "1", "--reward-latencies", str(tmp_path / "latencies.json")]
    assert main(["train", "--out", str(tmp_path / "run"), *words]) == 2
    error = capsys.readouterr().err
    assert "reward_latencies has no 2x32-tanh; it has 2x32-relu" in error
    assert "Traceback" not in error
    assert not (tmp_path / "run").exists()
