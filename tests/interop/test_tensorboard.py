"""Event files: what TensorBoard's own reader makes of them, also where a run was resumed."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import nasdqn_fast
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Played, Resumed
from nasdqn_fast.interop.tensorboard import TensorBoard
from nasdqn_fast.space import Architecture

SMALL = {"episodes": 12, "switch_every": 4, "max_episode_steps": 20, "warm_up": 30, "batch_size": 4}
ARCHITECTURE = Architecture.parse("1x4-relu")


def scalars(folder):
    """Tag -> (steps, values)."""
    reader = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    reader.Reload()
    found = {tag: reader.Scalars(tag) for tag in reader.Tags()["scalars"]}
    return {tag: ([e.step for e in events], [e.value for e in events]) for tag, events in found.items()}


def test_scalars_have_the_tags_of_cleanrl_by_global_step(tmp_path):
    """Oracle: the run's result."""
    result = nasdqn_fast.train(
        "random-nas", "cartpole", **SMALL, evaluate_every=6, evaluate_episodes=2, progress=TensorBoard(tmp_path / "a")
    )
    found, episodes = scalars(tmp_path / "a"), result.episodes
    steps = np.cumsum(episodes.lengths).tolist()
    for tag, values in (
        ("charts/episodic_return", episodes.returns),
        ("charts/episodic_length", episodes.lengths),
        ("charts/epsilon", episodes.epsilons),
    ):
        assert found[tag][0] == steps
        np.testing.assert_allclose(found[tag][1], values, rtol=1e-6)
    learned = ~np.isnan(episodes.losses)
    assert 0 < learned.sum() < len(learned), "the first episodes are without an update"
    assert found["losses/td_loss"][0] == np.array(steps)[learned].tolist()
    np.testing.assert_allclose(found["losses/td_loss"][1], episodes.losses[learned], rtol=1e-6)
    assert found["charts/SPS"][0] == steps
    assert all(value > 0 for value in found["charts/SPS"][1])
    assert found["eval/episodic_return"] == (
        [steps[5], steps[11]], pytest.approx([evaluation.mean for evaluation in result.evaluations])
    )  # fmt: skip
    assert len(found) == 6


@pytest.mark.parametrize("killed", [False, True])
def test_a_resumed_run_has_each_episode_once(killed, interrupt, tmp_path):
    run, logs = tmp_path / "run", tmp_path / "logs"
    with pytest.raises(KeyboardInterrupt):
        nasdqn_fast.train(
            "random-nas", "cartpole", **SMALL, checkpoint_every="5", out=run, progress=[TensorBoard(logs), interrupt]
        )
    if killed:
        max((run / "checkpoints").iterdir()).unlink()  # as after a kill, two episodes after the checkpoint
    result = nasdqn_fast.resume(run, progress=TensorBoard(logs, resume=True))
    steps, returns = scalars(logs)["charts/episodic_return"]
    assert steps == np.cumsum(result.episodes.lengths).tolist()
    np.testing.assert_allclose(returns, result.episodes.returns, rtol=1e-6)
    assert len(list(logs.iterdir())) == 2


def test_a_listener_that_comes_late_writes_the_episodes_before_it(episodes, tmp_path):
    listener = TensorBoard(tmp_path / "logs", resume=True)
    listener(Resumed(1, ARCHITECTURE, episodes(3, 4)))
    listener(Played(ARCHITECTURE, episodes(5)))
    assert scalars(tmp_path / "logs")["charts/episodic_return"] == ([3, 7, 12], [3, 4, 5])


def test_a_run_that_starts_over_hides_what_there_was(episodes, tmp_path):
    TensorBoard(tmp_path)(Played(ARCHITECTURE, episodes(3, 4)))
    TensorBoard(tmp_path, resume=True)(Played(ARCHITECTURE, episodes(5)))
    assert scalars(tmp_path)["charts/episodic_return"] == ([5], [5])


def test_event_files_that_are_there_are_not_mixed_with_those_of_another_run(episodes, tmp_path):
    TensorBoard(tmp_path / "logs")(Played(ARCHITECTURE, episodes(3)))
    with pytest.raises(InputError, match="holds event files already; choose another folder"):
        TensorBoard(tmp_path / "logs")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file; choose a folder"):
        TensorBoard(tmp_path / "file")


def test_neither_torch_nor_tensorflow_is_needed(tmp_path):
    code = (
        "import sys; from nasdqn_fast.interop.tensorboard import TensorBoard; TensorBoard('logs')\n"
        "print({name.partition('.')[0] for name in sys.modules} & {'torch', 'tensorflow'})"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert finished.stdout == "set()\n"
