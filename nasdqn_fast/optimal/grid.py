"""A grid over the pendulum's states, theta periodic, and bilinear interpolation on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nasdqn_fast.validation import check_int


class Location(NamedTuple):
    """Where states lie on a grid; arrays of one shape.

    Args:
        corner: int32, flat index of the node below in theta and omega.
        u, w: float64 in [0, 1], the way from there to the next node in theta and in omega.
    """

    corner: np.ndarray
    u: np.ndarray
    w: np.ndarray


class Grid:
    """Nodes (theta_i, omega_j), j varying fastest.

    Args:
        theta_points: nodes on the circle, from -pi on, >= 2.
        omega_points: nodes from -max_omega to max_omega, >= 2.
        max_omega: rad/s.

    Attributes:
        thetas: float64 (theta_points,), rad.
        omegas: float64 (omega_points,), rad/s.
    """

    def __init__(self, theta_points: int, omega_points: int, max_omega: float) -> None:
        theta_points = check_int("theta_points", theta_points, 2)
        omega_points = check_int("omega_points", omega_points, 2)
        self.thetas = -np.pi + 2 * np.pi / theta_points * np.arange(theta_points)
        self.omegas = np.linspace(-max_omega, max_omega, omega_points)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.thetas), len(self.omegas)

    def states(self) -> np.ndarray:
        """Every node: (theta_points * omega_points, 2)."""
        theta, omega = np.meshgrid(self.thetas, self.omegas, indexing="ij")
        return np.stack([theta.ravel(), omega.ravel()], axis=1)

    def locate(self, states: np.ndarray) -> Location:
        """Where states (..., 2) lie; omega beyond the grid counts as its edge."""
        rows, row = self.shape
        x = (states[..., 0] + np.pi) % (2 * np.pi) / (2 * np.pi) * rows
        y = (
            (np.clip(states[..., 1], self.omegas[0], self.omegas[-1]) - self.omegas[0])
            / np.ptp(self.omegas)
            * (row - 1)
        )
        i = np.minimum(x.astype(np.int32), rows - 1)
        j = np.minimum(y.astype(np.int32), row - 2)
        return Location(i * np.int32(row) + j, x - i, y - j)

    def interpolate(self, values: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Values at states (..., 2), bilinear.

        Args:
            values: flat, with the first row repeated after the last: a cell on the seam of the
                circle then needs no exception.
            states: (theta, omega) each.
        """
        row = self.shape[1]
        c, u, w = self.locate(states)
        low = values[c] + w * (values[c + 1] - values[c])
        high = values[c + row] + w * (values[c + row + 1] - values[c + row])
        return low + u * (high - low)
