"""CleanRL's ``dqn.py``, run as it is: nothing in the script is changed."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import sys
import tempfile
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

_EPISODE = re.compile(r"global_step=(\d+), episodic_return=\[?([-+.\deE]+)\]?")


def prepare(checkout: Path) -> None:
    """Import what the script imports, so that it is not timed.

    Raises:
        SystemExit: another version of Gymnasium is installed than the script reads the infos of.
    """
    if int(version("gymnasium").split(".")[0]) > 0:
        raise SystemExit(
            f"gymnasium {version('gymnasium')} is installed, and CleanRL's dqn.py reads the infos of gymnasium 0.29: "
            "pip install gymnasium==0.29.1"
        )
    root = str(checkout.resolve())
    if root not in sys.path:
        sys.path.insert(0, root)  # for cleanrl_utils
    for module in ("torch.utils.tensorboard", "tyro", "cleanrl_utils.buffers"):
        import_module(module)


def run(checkout: Path, task: str, seed: int, steps: int) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Run the script, in a folder of its own for what it writes, and read the lines that it prints.

    Args:
        checkout: one of CleanRL.
        task: Gymnasium's id.
        seed: of the script.
        steps: of the environment, `total_timesteps`.

    Returns:
        the script's globals at its end; [episodes] steps done when each ended; [episodes] returns.
    """
    script = str(checkout.resolve() / "cleanrl" / "dqn.py")
    options = {"env-id": task, "seed": seed, "total-timesteps": steps}
    before, printed = sys.argv, io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        sys.argv = [
            script,
            "--no-cuda",
            *(word for name, value in options.items() for word in (f"--{name}", str(value))),
        ]
        try:
            left = runpy.run_path(script, run_name="__main__")
        finally:
            sys.argv = before
    ends = [(int(step) + 1, float(value)) for step, value in _EPISODE.findall(printed.getvalue())]
    done, returns = np.array(ends).reshape(-1, 2).T
    return left, done.astype(np.int64), returns
