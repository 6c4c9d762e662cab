"""The best possible mean return of a pendulum, kept on disk: what a run's regret is measured from."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nasdqn_fast.envs.kernel import Environment
from nasdqn_fast.optimal.optimum import solve
from nasdqn_fast.storage import cache
from nasdqn_fast.storage.atomic import replacing
from nasdqn_fast.validation import check_finite

# Raised when the same physics would give other numbers: a changed grid, quadrature or field.
FORMAT = 1
POINTS, COARSE_POINTS = (720, 401), (360, 201)
ROLLOUTS = 10_000


@dataclass(frozen=True)
class OptimalReturn:
    """The best possible mean return over an environment's initial states.

    Args:
        mean: by dynamic programming on a grid.
        quadrature_error: of that mean over the initial states.
        grid_error: its distance to the mean on a grid half as fine; it may be off to either side.
        rollout_mean: what the policy of that grid earns in the exact environment: no optimum is lower.
        rollout_error: its standard error.
    """

    mean: float
    quadrature_error: float
    grid_error: float
    rollout_mean: float
    rollout_error: float


def optimal_mean_return(environment: Environment) -> OptimalReturn:
    """The optimum of this pendulum; some seconds the first time, then read from the cache directory.

    Raises:
        InputError: the environment is not the pendulum.
    """
    key = _key(environment)
    found = _read(key)
    if found is None:
        found = _compute(environment)
        _write(key, found)
    return found


def _compute(environment: Environment) -> OptimalReturn:
    optimum = solve(environment, *POINTS)
    mean, quadrature_error = optimum.mean_return()
    played = optimum.rollouts(ROLLOUTS, rng=0)
    surplus = played.returns - played.values
    return OptimalReturn(
        mean=mean,
        quadrature_error=quadrature_error,
        grid_error=abs(mean - solve(environment, *COARSE_POINTS).mean_return().mean),
        # The mean of V_0 is known without sampling: only the surplus over it needs to be sampled.
        rollout_mean=mean + float(surplus.mean()),
        rollout_error=float(surplus.std(ddof=1) / len(surplus) ** 0.5),
    )


def _key(environment: Environment) -> dict[str, Any]:
    """Everything that the numbers depend on."""
    return {
        "format": FORMAT,
        "code": environment.kernel.fingerprint(),
        "params": environment.values,
        "horizon": environment.max_episode_steps,
    }


def _path(key: dict[str, Any]) -> Path:
    return cache.directory() / f"optimal_{_digest(key)[:32]}.json"


def _read(key: dict[str, Any]) -> OptimalReturn | None:
    """None if there is nothing, or nothing sound."""
    try:
        content = json.loads(_path(key).read_bytes())
        if content["key"] != key or content["sha256"] != _digest(content["optimum"]):
            return None
        return OptimalReturn(**{name: check_finite(name, value) for name, value in content["optimum"].items()})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _write(key: dict[str, Any], optimum: OptimalReturn) -> None:
    """Keeps the numbers if there is a place to; if not, the next run spends the seconds again."""
    with contextlib.suppress(OSError):
        path = _path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            found = asdict(optimum)
            file.write(json.dumps({"key": key, "optimum": found, "sha256": _digest(found)}, indent=1).encode())


def _digest(value: Any) -> str:
    """Digest of the numbers: a digit that changed on the disk would shift every regret without a sign."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
