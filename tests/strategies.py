"""Hypothesis strategies: shapes that broadcast, arrays of any stride, indices of all kinds."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

sizes = st.integers(0, 4)


@st.composite
def arrays(draw, shape=None, dtype=np.float64, min_dims=0, max_dims=4, min_side=0):
    """An array, often not contiguous: cut, stepped or transposed from a larger one."""
    if shape is None:
        shape = draw(
            hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=4)
        )
    steps = [draw(st.integers(1, 2)) for _ in shape]
    order = draw(st.permutations(range(len(shape))))
    wide = [shape[d] * steps[d] + 1 for d in order]
    seed = draw(st.integers(0, 2**16))
    values = np.random.default_rng(seed).uniform(-2, 2, wide).astype(dtype)
    back = np.argsort(order)
    parts = tuple(slice(0, n * s, s) for n, s in zip(shape, steps, strict=True))
    cut = values.transpose(back)[(*parts, ...)]  # the dots keep a 0-d result an array
    assert cut.shape == tuple(shape)
    return cut


@st.composite
def broadcasting(draw, count=2):
    """Arrays whose shapes broadcast against each other."""
    made = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, max_side=4))
    return [draw(arrays(shape=shape)) for shape in made.input_shapes]


@st.composite
def indexed(draw):
    """An array and an index into it: ints, slices, None, Ellipsis, arrays, masks."""
    x = draw(arrays(min_dims=1, max_dims=3, min_side=1))
    if draw(st.booleans()):
        index = draw(hnp.basic_indices(x.shape, allow_newaxis=True, allow_ellipsis=True))
        parts = index if isinstance(index, tuple) else (index,)
        keep = [p for p in parts if not (isinstance(p, slice) and (p.step or 1) < 0)]
        return x, tuple(keep) if len(keep) == len(parts) else (0,)
    if draw(st.booleans()):
        return x, (x > 0,)
    places = draw(st.lists(st.integers(-x.shape[0], x.shape[0] - 1), min_size=1, max_size=4))
    return x, (np.array(places),)
