"""What `import nasdqn_fast` loads: NumPy, Gymnasium and the core, nothing that is heavy and not always needed."""

import json
import subprocess
import sys

import pytest

HEAVY = {"numba", "llvmlite", "torch", "jax", "matplotlib", "pandas", "scipy", "pygame", "pydantic", "rich", "click"}


def loaded_by(statement):
    """Top-level modules that a fresh interpreter has loaded after `statement`."""
    probe = f"{statement}; import json, sys; print(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    # -P: the working directory stays out, so that the installed package is found.
    finished = subprocess.run([sys.executable, "-P", "-c", probe], capture_output=True, text=True, check=True)
    return set(json.loads(finished.stdout))


def test_importing_the_package_loads_nothing_heavy():
    loaded = loaded_by("import nasdqn_fast")
    assert {"nasdqn_fast", "numpy", "gymnasium"} <= loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("module", ["click", "rich"])
def test_the_probe_sees_what_is_loaded(module):
    assert module in loaded_by(f"import {module}")
