"""Architectures, their text form, and search spaces."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast.errors import suggest
from nasdqn_fast.space import ACTIVATIONS, MAX_DEPTH, MAX_WIDTH, Architecture, SearchSpace, Setup, parse_setup

ARCHITECTURES = st.builds(
    Architecture,
    st.lists(st.integers(1, MAX_WIDTH), min_size=1, max_size=8).map(tuple),
    st.sampled_from(ACTIVATIONS),
)

# Text form


@given(ARCHITECTURES)
def test_the_text_form_reads_back(architecture):
    assert Architecture.parse(str(architecture)) == architecture


@pytest.mark.parametrize(
    ("text", "widths", "activation"),
    [
        ("3x64-relu", (64, 64, 64), "relu"),
        ("4x128-leaky_relu", (128,) * 4, "leaky_relu"),
        ("64,32-tanh", (64, 32), "tanh"),
        ("17-tanh", (17,), "tanh"),
        (" 1x1-relu\n", (1,), "relu"),
    ],
)
def test_text_forms(text, widths, activation):
    assert Architecture.parse(text) == Architecture(widths, activation)


@pytest.mark.parametrize(
    ("architecture", "text"),
    [
        (Architecture((64, 64), "relu"), "2x64-relu"),
        (Architecture((64,), "tanh"), "1x64-tanh"),
        (Architecture((64, 32, 64), "leaky_relu"), "64,32,64-leaky_relu"),
    ],
)
def test_equal_widths_are_written_short(architecture, text):
    assert str(architecture) == text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "malformed architecture ''"),
        ("3x64", "malformed architecture '3x64': write it as 3x64-relu or 64,32-tanh"),
        ("3x-relu", "malformed"),
        ("x64-relu", "malformed"),
        ("64,-relu", "malformed"),
        ("-3x64-relu", "malformed"),
        ("3x6.5-relu", "malformed"),
        ("3x64-relu-tanh", "malformed"),
        ("3x64-rleu", "unknown activation 'rleu': did you mean 'relu'"),
        ("0x64-relu", "1 to 1024 hidden layers, got 0"),
        ("999999999999x64-relu", "1 to 1024 hidden layers, got 999999999999"),
        ("3x0-relu", "1 to 1048576 units, got 0"),
        ("3x99999999-relu", "1 to 1048576 units, got 99999999"),
    ],
)
def test_malformed_text_is_refused(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        Architecture.parse(text)


def test_what_is_no_text_is_refused():
    with pytest.raises(TypeError, match="must be a string or an Architecture; got int"):
        Architecture.parse(64)


# Architectures


@pytest.mark.parametrize("widths", [(64.0,), (64, 32.5), "64", (None,)])
def test_a_width_that_is_no_whole_number_is_refused(widths):
    with pytest.raises(TypeError, match="width must be a whole number"):
        Architecture(widths, "relu")


def test_numpy_integers_become_plain_ones():
    widths = Architecture(np.array([64, 32]), "relu").widths
    assert widths == (64, 32)
    assert {type(width) for width in widths} == {int}


@pytest.mark.parametrize("depth", [0, -1, MAX_DEPTH + 1, 10**15])
def test_a_depth_out_of_range_is_refused_before_any_memory_is_taken(depth):
    with pytest.raises(ValueError, match=f"1 to 1024 hidden layers, got {depth}"):
        Architecture.uniform(depth, 64, "relu")


def test_a_depth_that_is_no_whole_number_is_refused():
    with pytest.raises(TypeError, match=r"depth must be a whole number, got 2\.5"):
        Architecture.uniform(2.5, 64, "relu")


@pytest.mark.parametrize(("text", "count"), [("2x32-relu", 1_283), ("3x64-relu", 8_771), ("4x128-relu", 50_435)])
def test_parameters_of_the_papers_fixed_agents(text, count):
    """Oracle: counted by hand for 3 observations and 3 actions."""
    assert Architecture.parse(text).parameter_count(3, 3) == count


@given(ARCHITECTURES, st.integers(1, 50), st.integers(1, 50))
def test_parameters_are_weights_and_biases_of_all_layers(architecture, observation_size, n_actions):
    sizes = architecture.layer_sizes(observation_size, n_actions)
    assert len(sizes) == architecture.depth + 2
    weights = sum(n_in * n_out for n_in, n_out in itertools.pairwise(sizes))
    assert architecture.parameter_count(observation_size, n_actions) == weights + sum(sizes[1:])


# Spaces


def test_the_papers_space_is_all_27_combinations():
    expected = {
        f"{depth}x{width}-{activation}" for depth in (2, 3, 4) for width in (32, 64, 128) for activation in ACTIVATIONS
    }
    assert {str(architecture) for architecture in SearchSpace.paper()} == expected
    assert len(SearchSpace.paper()) == 27


@given(st.lists(ARCHITECTURES, min_size=1, max_size=10))
def test_a_space_has_each_architecture_once_and_in_order(architectures):
    space = SearchSpace([str(architecture) for architecture in architectures])
    assert list(space) == list(dict.fromkeys(architectures))
    assert [space[i] for i in range(len(space))] == list(space)
    assert all(architecture in space for architecture in architectures)


@pytest.mark.parametrize("space", [lambda: SearchSpace([]), lambda: SearchSpace.grid([], [64], ["relu"])])
def test_an_empty_space_is_refused(space):
    with pytest.raises(ValueError, match="the search space is empty"):
        space()


def test_one_text_is_no_space():
    with pytest.raises(TypeError, match=r"got the text '3x64-relu'; write \['3x64-relu'\]"):
        SearchSpace("3x64-relu")


@pytest.mark.parametrize(
    ("depths", "widths", "activations", "complaint"),
    [
        ([2, -3], [64], ["relu"], "got -3"),
        ([2], [0], ["relu"], "got 0"),
        ([2], [64], ["gelu"], "unknown activation 'gelu'"),
    ],
)
def test_a_grid_names_the_value_that_is_wrong(depths, widths, activations, complaint):
    with pytest.raises(ValueError, match=complaint):
        SearchSpace.grid(depths, widths, activations)


@given(st.integers(0, 2**32), st.integers(1, 27))
def test_a_sample_is_one_bounded_integer_of_the_generator(seed, n):
    """Oracle: the generator itself. The order of draws is part of what makes a seed mean the same everywhere."""
    space = SearchSpace(SearchSpace.paper()[:n])
    assert space.sample(np.random.default_rng(seed)) == space[np.random.default_rng(seed).integers(n)]


# Messages


@pytest.mark.parametrize(
    ("name", "message"),
    [("fixd", "did you mean 'fixed'? valid: fixed, random"), ("xyz", "valid: fixed, random")],
)
def test_nearest_suggests_only_what_is_near(name, message):
    assert suggest(name, ["random", "fixed"]) == message


def test_axes_are_those_of_a_grid():
    """Oracle: the grid that is made of them."""
    axes = SearchSpace.paper().axes()
    assert axes == {"depth": (2, 3, 4), "width": (32, 64, 128), "activation": ("relu", "tanh", "leaky_relu")}
    assert list(SearchSpace.grid(*axes.values())) == list(SearchSpace.paper())


@pytest.mark.parametrize(
    "architectures", [["1x4-relu", "2x8-relu"], ["5,3-tanh"], ["1x4-relu", "1x4-tanh", "2x4-relu"]]
)
def test_other_spaces_have_no_axes(architectures):
    assert SearchSpace(architectures).axes() is None


SETUPS = st.builds(
    Setup,
    st.lists(st.integers(1, 300), min_size=1, max_size=4).map(tuple),
    st.sampled_from(ACTIVATIONS),
    st.sampled_from([None, "sgd", "adam"]),
    st.none() | st.floats(1e-8, 10),
)


@given(setup=SETUPS)
def test_a_setup_is_read_back_from_its_text(setup):
    read = parse_setup(str(setup))
    assert read.training == setup.training
    assert Architecture.parse(setup) == Architecture(setup.widths, setup.activation) == Architecture.parse(read)
    if setup.training:
        assert read == setup != Architecture.parse(setup)
    assert setup.parameter_count(3, 2) == Architecture.parse(setup).parameter_count(3, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3x64-relu+adam+sgd", "malformed setup '3x64-relu.adam.sgd': write it as 3x64-relu.adam.lr=0.001"),
        ("3x64-relu+lr=1+lr=2", "malformed setup"),
        ("3x64-relu+lr=1+adam", "malformed setup"),
        ("3x64-relu+", "malformed setup"),
        ("3x64+adam", "malformed architecture '3x64'"),
        ("3x64-relu+lr=fast", "could not convert string to float"),
    ],
)
def test_what_is_no_setup_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_setup(text)
    with pytest.raises(ValueError, match="malformed architecture"):
        Architecture.parse(text)


def test_training_multiplies_the_space_and_varies_fastest():
    layers = SearchSpace.grid((1, 2), (4,), ("relu",))
    assert layers.trained() is layers
    space = layers.trained(("sgd", "adam"), (0.1,))
    assert list(map(str, space))[:3] == ["1x4-relu+sgd+lr=0.1", "1x4-relu+adam+lr=0.1", "2x4-relu+sgd+lr=0.1"]
    assert len(space) == 4
    assert space.axes() is None
    assert [setup.training for setup in layers.trained((), (0.1,))] == [(("learning_rate", 0.1),)] * 2
