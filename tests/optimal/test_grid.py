"""The pendulum's grid against functions that bilinear interpolation reproduces exactly."""

import numpy as np
import pytest

from nasdqn_fast.optimal.grid import Grid


def table(grid, function):
    """Values of the function at the nodes, flat, the first row repeated after the last."""
    values = function(*grid.states().T).reshape(grid.shape)
    return np.concatenate([values, values[:1]]).ravel()


def test_nodes_are_reproduced():
    grid = Grid(12, 7, 8.0)
    values = table(grid, lambda theta, omega: np.sin(3 * theta) + omega**3)
    np.testing.assert_allclose(grid.interpolate(values, grid.states()), values[: 12 * 7], atol=1e-12)


def test_a_cell_is_bilinear():
    """theta * omega is bilinear within every cell but those on the seam, where theta jumps."""
    grid = Grid(10, 5, 2.0)
    states = np.random.default_rng(0).uniform([-np.pi, -2], [grid.thetas[-1], 2], size=(200, 2))
    values = table(grid, lambda theta, omega: (theta + 1) * (omega - 3))
    np.testing.assert_allclose(grid.interpolate(values, states), (states[:, 0] + 1) * (states[:, 1] - 3), atol=1e-12)


def test_theta_is_a_circle():
    grid = Grid(8, 3, 1.0)
    values = table(grid, lambda theta, omega: np.cos(theta))
    seam = np.array([[np.pi, 0.0], [-np.pi, 0.0], [np.pi - np.pi / 8, 0.0], [np.pi + np.pi / 8, 0.0]])
    middle = (np.cos(np.pi) + np.cos(3 * np.pi / 4)) / 2
    np.testing.assert_allclose(grid.interpolate(values, seam), [-1, -1, middle, middle], atol=1e-12)


def test_omega_beyond_the_grid_counts_as_its_edge():
    grid = Grid(4, 3, 2.0)
    values = table(grid, lambda theta, omega: omega)
    np.testing.assert_allclose(grid.interpolate(values, np.array([[0.1, 99.0], [0.1, -99.0]])), [2.0, -2.0])


@pytest.mark.parametrize("sizes", [(1, 5), (5, 1), (0, 0)])
def test_a_grid_needs_two_nodes_each_way(sizes):
    with pytest.raises(ValueError, match=r"_points must be an integer >= 2"):
        Grid(*sizes, 8.0)
