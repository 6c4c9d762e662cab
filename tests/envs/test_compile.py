"""Compilation and its disk cache, observed from processes of their own as a user has them."""

import math
import os
import subprocess
import sys
from types import FunctionType, ModuleType

import numpy as np
import pytest

from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.envs import EnvKernel
from nasdqn_fast.envs._compiler.compile import Sizes
from nasdqn_fast.envs._compiler.lockstep import compile_lockstep
from nasdqn_fast.errors import InputError, StepError

HELPERS = """
def doubled(x):  # plain: no marker
    return x + x
"""
MODULE = """
import their_helpers
from their_helpers import doubled
from nasdqn_fast.envs.kernel import EnvKernel

GAIN = 3.0

def reset(params, uniforms, state, obs):
    obs[0] = 0.0

def step(params, uniforms, state, action, obs, reward):
    obs[0] = 0.0
    reward[0] = GAIN * doubled(params[0]) + their_helpers.doubled(params[0] + 2.0)
    return 0

plugin = EnvKernel(reset, step, {"x": 1.0}, state_size=1, observation_size=1, n_actions=1,
                   observation_low=(0.0,), observation_high=(0.0,), max_episode_steps=1)
"""
# Prints where the two functions came from, and the reward.
PLAY = """
import sys
import numpy as np
from their_module import plugin
from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.errors import StepError
core = EnvironmentCore(plugin.bind())
owner = plugin.bind().compiled().owner
if "numba" not in sys.modules:
    origin = "object"
else:
    origin = "compiled" if not sum(callback.cache_hits for callback in owner.values()) else "Numba's"
try:
    print(origin, core.step(np.empty(0), np.empty(1), 0, np.empty(1, np.float32))[0])
except StepError:
    print(origin, "StepError")
"""


@pytest.fixture
def play(tmp_path):
    """Runs PLAY on the sources given, in a new process; returns what it printed."""

    def run(module=MODULE, helpers=HELPERS, cache=tmp_path / "cache", code=PLAY):
        (tmp_path / "their_module.py").write_text(module)
        (tmp_path / "their_helpers.py").write_text(helpers)
        # No bytecode files: an edit within the clock's resolution has to count.
        environment = os.environ | {
            "NASDQN_FAST_CACHE_DIR": str(cache),
            "PYTHONPATH": str(tmp_path),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run([sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip(), done.stderr

    return run


@pytest.mark.slow
def test_second_process_loads_and_a_change_compiles_anew(play):
    assert play() == ("compiled 12.0", "")
    assert play() == ("object 12.0", "")
    comment = MODULE.replace("GAIN = 3.0", "# a comment\nGAIN = 3.0")
    assert play(module=comment) == ("object 12.0", "")
    constant = MODULE.replace("GAIN = 3.0", "GAIN = 4.0")
    assert play(module=constant) == ("compiled 14.0", "")
    helper = HELPERS.replace("x + x", "x * 10")
    assert play(module=constant, helpers=helper) == ("compiled 70.0", "")
    assert play() == ("object 12.0", "")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inverted-pendulum", "cartpole"])
def test_loaded_code_gives_the_bits_of_the_compiled(play, name):
    """Oracle: the functions as Numba compiled them, in the process before."""
    code = f"""
import hashlib, sys
from nasdqn_fast import DQNAgent
agent = DQNAgent({name!r}, "2x8-tanh", rng=0, warm_up=100)
episodes = agent.run_episodes(20)
print("numba" in sys.modules, hashlib.sha256(episodes.returns.tobytes() + episodes.losses.tobytes()).hexdigest())
"""
    (compiled, first), (loaded, second) = (play(code=code)[0].split() for _ in range(2))
    assert (compiled, loaded) == ("True", "False")
    assert first == second


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "reward", "origin"),
    [
        ("reward[0] = np.zeros(action + 2).size", "2.0", "Numba's"),  # of an array that Numba's runtime owns
        ("reward[0] = np.random.randint(5, 6)", "5.0", "Numba's"),
        ("reward[0] = 1.0; print('played')", "1.0", "Numba's"),
        ("reward[0] = their_helpers.checked(params[0])", "StepError", "object"),  # it raises
    ],
)
def test_what_needs_numba_at_run_time_is_loaded_by_numba(play, statement, reward, origin):
    """The oracle is the process that compiled it."""
    module = "import numpy as np\n" + MODULE.replace("reward[0] = GAIN", f"{statement}  # GAIN")
    helpers = HELPERS + "\ndef checked(x):\n    if x > 0:\n        raise ValueError('too large')\n    return x\n"
    first, second = (play(module=module, helpers=helpers) for _ in range(2))
    assert f"compiled {reward}" in first[0]
    assert second == (first[0].replace("compiled", origin), first[1])


@pytest.mark.slow
def test_unwritable_cache_warns_once_and_compiles_in_memory(play, tmp_path):
    (tmp_path / "file").touch()  # a file in a folder's place refuses even the superuser
    both = PLAY + "\nfrom nasdqn_fast import envs\nenvs.make('cartpole').compiled()\n"
    printed, warned = play(cache=tmp_path / "file" / "cache", code=both)
    assert printed == "compiled 12.0"
    assert warned.count("RuntimeWarning") == 1
    assert "cannot be kept on disk (Not a directory)" in warned
    assert "Set NASDQN_FAST_CACHE_DIR" in warned


@pytest.mark.slow
def test_damaged_cache_is_worked_round(play, tmp_path):
    play()
    (code,) = (tmp_path / "cache").glob("*.o")
    whole = code.read_bytes()
    for damaged in (b"", whole[:-1], whole[:100] + b"?" + whole[101:]):
        code.write_bytes(damaged)
        assert play()[0] == "compiled 12.0"
        assert play()[0] == "object 12.0"
    code.write_bytes(b"damaged")
    for path in (tmp_path / "cache" / "__pycache__").iterdir():
        path.write_bytes(b"not what Numba wrote")
    assert play()[0] == "compiled 12.0"


@pytest.mark.slow
def test_damaged_machine_code_of_numbas_is_not_looked_at(play, tmp_path):
    """It would end the process by SIGILL or SIGSEGV: Numba notices nothing, for the archive around it is sound."""
    play()
    for path in (tmp_path / "cache" / "__pycache__").glob("*.step*.nbc"):
        content = bytearray(path.read_bytes())
        code = content.index(b"\x7fELF") + 64
        content[code : code + 400] = bytes(byte ^ 0xFF for byte in content[code : code + 400])
        path.write_bytes(content)
    assert play() == ("object 12.0", "")
    (image,) = (tmp_path / "cache").glob("*.o")
    image.write_bytes(b"damaged")
    assert play() == ("compiled 12.0", "")
    assert play() == ("object 12.0", "")


def small_kernel(step):
    def reset(params, uniforms, state, obs):
        obs[0] = 0.0

    return EnvKernel(
        reset,
        step,
        {"x": 1.0},
        state_size=1,
        observation_size=1,
        n_actions=2,
        observation_low=(0.0,),
        observation_high=(0.0,),
        max_episode_steps=1,
    )


def reward_of(step):
    core = EnvironmentCore(small_kernel(step).bind())
    return core.step(np.empty(0), np.empty(1), 1, np.empty(1, np.float32))[0]


def undefined_name(params, uniforms, state, action, obs, reward):
    return not_there(action)  # noqa: F821


def makes_a_list_of_texts(params, uniforms, state, action, obs, reward):
    obs[:] = "a text"
    return 0


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (undefined_name, "name 'not_there' is not defined"),
        (makes_a_list_of_texts, r"setitem.* \(.*test_compile.py, line \d+\)$"),
    ],
)
def test_what_numba_refuses_is_one_line_naming_the_function(step, reason):
    with pytest.raises(InputError, match=f"environment tests.*: Numba cannot compile step: .*{reason}") as raised:
        small_kernel(step).bind().compiled()
    assert "\n" not in str(raised.value)


def fills(params, uniforms, state, action, obs, reward):
    return obs.fill(0.0)


def fills_or_counts(params, uniforms, state, action, obs, reward):
    nothing = None if action else 1
    return nothing


def test_step_that_returns_nothing_now_and_then_is_an_error_when_it_does():
    core = EnvironmentCore(small_kernel(fills_or_counts).bind())
    arguments = np.empty(0), np.empty(1)
    assert core.step(*arguments, 0, np.empty(1, np.float32))[1] is True
    with pytest.raises(StepError, match="neither 0 nor TERMINATED"):
        core.step(*arguments, 1, np.empty(1, np.float32))


def makes_a_tuple(params, uniforms, state, action, obs, reward):
    both = (0, 1.0)
    return both


def makes_a_text(params, uniforms, state, action, obs, reward):
    text = "done"
    return text


@pytest.mark.quick_only(step=fills)
@pytest.mark.parametrize(
    ("step", "returned"),
    [
        (fills, r"nothing \(None\)"),
        (makes_a_tuple, "a tuple"),
        (makes_a_text, "a value of Numba's type .*"),
    ],
)
def test_step_that_returns_no_flags_is_one_line_without_jargon(step, returned):
    wanted = f"step returns {returned}: it must return 0, TERMINATED or ERROR"
    with pytest.raises(InputError, match=f"environment tests.*: {wanted}") as raised:
        small_kernel(step).bind().compiled()
    assert "\n" not in str(raised.value)


def test_failure_that_is_not_the_caches_is_the_functions(monkeypatch):
    """Such as Numba's linear algebra without SciPy: an ImportError, none of Numba's own errors."""
    monkeypatch.setattr("numba.np.linalg.ensure_lapack", lambda: exec("raise ImportError('no SciPy here')"))

    def step(params, uniforms, state, action, obs, reward):
        reward[0] = np.linalg.det(np.eye(3))
        return 0

    with pytest.raises(InputError, match="Numba cannot compile step: no SciPy here"):
        small_kernel(step).bind().compiled()


def test_author_functions_stay_as_they_are():
    def step(params, uniforms, state, action, obs, reward):
        reward[0] = 5.0
        return 0

    assert reward_of(step) == 5.0
    assert type(step) is FunctionType


def test_closures_and_defaults_are_compiled_along():
    def plus(x, n=5.0):
        return x + n

    factors = (10.0, 100.0)

    def step(params, uniforms, state, action, obs, reward):
        reward[0] = plus(params[0]) * factors[action]
        return 0

    assert reward_of(step) == 600.0


def floor(x):
    return math.floor(x)  # a name that is its own, but not the global of that name


def test_attribute_of_a_functions_own_name_is_no_recursion():
    def step(params, uniforms, state, action, obs, reward):
        reward[0] = floor(params[0] + 1.5)
        return 0

    assert reward_of(step) == 2.0


def test_recursion_is_refused():
    def count(n):
        return 0 if n == 0 else 1 + count(n - 1)

    def step(params, uniforms, state, action, obs, reward):
        return count(action)

    with pytest.raises(InputError, match=r"count calls itself, directly or through others; write a loop"):
        small_kernel(step).bind().compiled()


def test_same_kernel_is_compiled_once_a_process():
    kernel = small_kernel(lambda params, uniforms, state, action, obs, reward: 0)
    assert kernel.bind().compiled() is kernel.bind(params={"x": 2.0}).compiled()


def step_of(source, **names):
    """A step function made from source text, with globals of its own."""
    module = ModuleType("their_own")
    vars(module).update(names)
    text = f"def step(params, uniforms, state, action, obs, reward):\n    {source}\n    return 0\n"
    exec(text, vars(module))
    return module.step


def fingerprint_of(source, **names):
    return small_kernel(step_of(source, **names)).fingerprint()


@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        ("reward[0] = K", 1.0, 2.0),
        ("reward[0] = K", 1, 1.0),
        ("reward[0] = K[0]", (1.0, 2.0), (1.0, 3.0)),
        ("reward[0] = K[0]", np.array([1.0, 2.0]), np.array([1.0, 3.0])),
        ("reward[0] = K[0]", np.array([1, 2], np.int32), np.array([1, 2], np.int64)),
        ("reward[0] = K(1.0)", step_of("reward[0] = 1.0"), step_of("reward[0] = 2.0")),
        ("reward[0] = K.x", type("K", (), {"x": 1.0}), type("K", (), {"x": 2.0})),
    ],
)
def test_fingerprint_sees_the_value_of_a_global(source, before, after):
    assert fingerprint_of(source, K=before) == fingerprint_of(source, K=before)
    assert fingerprint_of(source, K=before) != fingerprint_of(source, K=after)


def test_fingerprint_does_not_see_what_is_not_used():
    assert fingerprint_of("reward[0] = K", K=1.0, L=1.0) == fingerprint_of("reward[0] = K", K=1.0, L=2.0)


def test_fingerprint_sees_closures_and_defaults():
    def make(constant, default):
        def helper(x=default):
            return x + constant

        return fingerprint_of("reward[0] = helper()", helper=helper)

    assert len({make(1.0, 1.0), make(2.0, 1.0), make(1.0, 2.0)}) == 3
    assert make(1.0, 1.0) == make(1.0, 1.0)


def test_fingerprint_is_the_same_in_every_process():
    code = "from nasdqn_fast.envs.cartpole import plugin; print(plugin.fingerprint())"
    prints = {
        subprocess.run(
            [sys.executable, "-P", "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1


def test_a_state_too_long_for_the_stack_is_not_stepped_in_lockstep():
    """In panels it would take more than a thread's stack, and end the process."""
    sizes = Sizes(params=0, reset_uniforms=0, step_uniforms=0, state=20_000, observation=1)
    assert compile_lockstep("long", lambda *arguments: 0, sizes) is None
