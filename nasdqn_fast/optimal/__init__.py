"""The pendulum's optimum by dynamic programming: the ceiling, the regret, a policy to plot."""

from nasdqn_fast.optimal.ceiling import OptimalReturn, optimal_mean_return
from nasdqn_fast.optimal.optimum import MeanReturn, Optimum, Rollouts, covers, solve

__all__ = ["MeanReturn", "OptimalReturn", "Optimum", "Rollouts", "covers", "optimal_mean_return", "solve"]
