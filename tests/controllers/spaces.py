"""Search spaces of every kind, for hypothesis."""

from hypothesis import strategies as st

from nasdqn_fast.space import ACTIVATIONS, Architecture, SearchSpace

ACTIVATION = st.sampled_from(ACTIVATIONS)
UNIFORM = st.builds(Architecture.uniform, st.integers(1, 4), st.sampled_from([4, 8, 16]), ACTIVATION)
BY_LAYER = st.builds(Architecture, st.lists(st.sampled_from([4, 8, 16]), min_size=1, max_size=3), ACTIVATION)


def spaces_of(architectures):
    return st.lists(architectures, min_size=1, max_size=20).map(SearchSpace)


GRIDS = st.builds(
    SearchSpace.grid,
    st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True),
    st.lists(st.integers(1, 64), min_size=1, max_size=3, unique=True),
    st.lists(ACTIVATION, min_size=1, unique=True),
)
SPACES = GRIDS | spaces_of(UNIFORM) | spaces_of(BY_LAYER)
