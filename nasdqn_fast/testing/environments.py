"""What every environment has to keep to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.envs.kernel import TERMINATED, Environment, EnvKernel


@dataclass
class Moment:
    """All that an environment's functions have written by some step."""

    state: np.ndarray
    observation: np.ndarray
    reward: float = 0.0
    terminated: bool = False

    @classmethod
    def blank(cls, kernel: EnvKernel) -> Moment:
        """NaN throughout, so that what is never written shows."""
        return cls(np.full(kernel.state_size, np.nan), np.full(kernel.observation_size, np.nan, np.float32), np.nan)

    def copy(self) -> Moment:
        return Moment(self.state.copy(), self.observation.copy(), self.reward, self.terminated)


class EnvironmentContract:
    """Inherit, set `kernel`, and pytest runs these on it, once for each of its starts.

    Attributes:
        kernel: the plug-in under test.
        tolerance: largest absolute difference allowed between the compiled and the plain functions;
            0 demands the same bits, which NumPy's own sine, say, does not give.
        steps: steps played for each start; episodes that end are followed by others.
    """

    kernel: EnvKernel
    tolerance: float = 0.0
    steps: int = 500

    def test_compiled_functions_agree_with_the_plain_ones(self) -> None:
        for environment in self._environments():
            core = EnvironmentCore(environment)
            for before, uniforms, action, after in self._play(environment):
                compiled = before.copy()
                if action is None:
                    core.reset(uniforms, compiled.state, compiled.observation)
                else:
                    compiled.reward, compiled.terminated = core.step(
                        uniforms, compiled.state, action, compiled.observation
                    )
                self._assert_close(compiled, after, f"the compiled functions, action {action}")

    def test_outcome_depends_on_state_action_and_uniforms_only(self) -> None:
        for environment in self._environments():
            for before, uniforms, action, after in self._play(environment):
                again = before.copy()
                again.observation[:] = np.nan  # written, never read
                self._call(environment, again, uniforms, action)
                assert np.array_equal(again.state, after.state, equal_nan=True), (
                    f"from one state, action {action} led to {after.state} and then to {again.state}: "
                    "a generator, a clock or a global is in use"
                )
                assert np.array_equal(again.observation, after.observation), (
                    f"from one state, action {action} showed {after.observation} and then {again.observation}: "
                    "the observation has to be a function of the state, and written whole"
                )

    def test_observations_and_rewards_are_finite_and_within_bounds(self) -> None:
        for environment in self._environments():
            low, high = environment.observation_low, environment.observation_high
            for _, _, action, after in self._play(environment):
                assert np.all(np.isfinite(after.observation)), f"observation {after.observation} after action {action}"
                assert np.all((low <= after.observation) & (after.observation <= high)), (
                    f"observation {after.observation} after action {action} is outside {low} to {high}"
                )
                assert action is None or np.isfinite(after.reward), f"reward {after.reward} after action {action}"

    def test_extreme_uniforms_give_finite_starts(self) -> None:
        for environment in self._environments():
            for extreme in (0.0, np.nextafter(1.0, 0.0)):
                moment = Moment.blank(environment.kernel)
                self._call(environment, moment, np.full(environment.kernel.reset_uniforms, extreme), None)
                assert np.all(np.isfinite(moment.observation)), f"uniforms of {extreme} start at {moment.observation}"

    def _environments(self) -> Iterator[Environment]:
        for start in self.kernel.starts or (None,):
            yield self.kernel.bind(start=start)

    def _play(self, environment: Environment) -> Iterator[tuple[Moment, np.ndarray, int | None, Moment]]:
        """Random episodes by the plain functions: before, uniforms, action (None is a reset), after."""
        kernel = environment.kernel
        rng = np.random.default_rng(0)
        moment, age = Moment.blank(kernel), environment.max_episode_steps
        for _ in range(self.steps):
            starts = moment.terminated or age == environment.max_episode_steps
            before = Moment.blank(kernel) if starts else moment.copy()
            moment = before.copy()
            action = None if starts else int(rng.integers(kernel.n_actions))
            uniforms = rng.random(kernel.reset_uniforms if starts else kernel.step_uniforms)
            age = 0 if starts else age + 1
            self._call(environment, moment, uniforms, action)
            yield before, uniforms, action, moment.copy()

    def _call(self, environment: Environment, moment: Moment, uniforms: np.ndarray, action: int | None) -> None:
        kernel, reward = environment.kernel, np.full(1, np.nan)
        uniforms.flags.writeable = False
        with np.errstate(all="ignore"):  # as compiled code does
            if action is None:
                kernel.reset(environment.params, uniforms, moment.state, moment.observation)
                return
            flags = kernel.step(environment.params, uniforms, moment.state, action, moment.observation, reward)
        assert flags in (0, TERMINATED), f"step returned {flags!r} after action {action}; 0 and 1 are expected"
        moment.reward, moment.terminated = float(reward[0]), flags == TERMINATED

    def _assert_close(self, compiled: Moment, plain: Moment, what: str) -> None:
        for name in ("state", "observation", "reward", "terminated"):
            got, want = np.asarray(getattr(compiled, name)), np.asarray(getattr(plain, name))
            close = np.array_equal(got, want, equal_nan=name != "terminated") or (
                self.tolerance > 0 and np.allclose(got, want, rtol=0, atol=self.tolerance)
            )
            assert close, f"{name}: {what} gave {got}, the plain functions {want}"
