"""Any space as a graph to grow in."""

from hypothesis import given
from spaces import GRIDS, SPACES

from nasdqn_fast.controllers._growth import STOP, Growth
from nasdqn_fast.space import Architecture, SearchSpace


def reached(growth):
    found, waiting = {growth.start}, [growth.start]
    while waiting:
        for target in growth.moves[waiting.pop()].values():
            if target is not None and target not in found:
                found.add(target)
                waiting.append(target)
    return found


@given(SPACES)
def test_every_architecture_can_be_reached_from_the_smallest(space):
    growth = Growth(space)
    assert reached(growth) == set(space)
    assert growth.start.parameter_count(1, 1) == min(a.parameter_count(1, 1) for a in space)


@given(SPACES)
def test_a_move_leads_elsewhere_in_the_space_or_stops(space):
    growth = Growth(space)
    for architecture, moves in growth.moves.items():
        assert moves[STOP] is None
        for move, target in moves.items():
            assert move in growth.names
            assert move == STOP or (target in space and target != architecture)


@given(GRIDS)
def test_in_a_grid_a_move_changes_one_field(space):
    growth = Growth(space)
    for architecture, moves in growth.moves.items():
        width = architecture.widths[0]
        for move, target in moves.items():
            if move == "deepen":
                assert target.depth > architecture.depth
                assert (target.widths[0], target.activation) == (width, architecture.activation)
            elif move == "widen":
                assert target.widths[0] > width
                assert (target.depth, target.activation) == (architecture.depth, architecture.activation)
            elif move != STOP:
                assert (target.widths, target.activation) == (architecture.widths, move)


def test_the_moves_of_the_papers_space():
    growth = Growth(SearchSpace.paper())
    moves = growth.moves[Architecture.parse("2x32-relu")]
    expected = {"deepen": "3x32-relu", "widen": "2x64-relu", "tanh": "2x32-tanh", "leaky_relu": "2x32-leaky_relu"}
    assert {move: str(target) for move, target in moves.items() if target} == expected
    assert str(growth.start) == "2x32-relu"
    assert growth.names == ["deepen", "widen", "relu", "tanh", "leaky_relu", STOP]
    assert set(growth.moves[Architecture.parse("4x128-tanh")]) == {"relu", "leaky_relu", STOP}


def test_with_widths_by_layer_each_layer_is_widened_by_itself():
    space = SearchSpace([f"{one},{two}-relu" for one in (8, 16) for two in (8, 16)])
    moves = Growth(space).moves[Architecture.parse("8,8-relu")]
    assert {str(moves["widen"]), str(moves["widen-2"])} == {"8,16-relu", "16,8-relu"}


def test_what_no_move_leads_to_has_one_of_its_own():
    growth = Growth(SearchSpace(["8,16-relu", "16,8-relu", "2x4-tanh"]))
    moves = [move for moves in growth.moves.values() for move in moves if move.startswith("to:")]
    assert sorted(moves) == ["to:16,8-relu", "to:8,16-relu"]
