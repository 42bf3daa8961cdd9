"""More of PyTorch's products: sums of products over any dimensions, as matrix products.

Each is also a method of Tensor, unless it takes several tensors; ``tensor.py`` attaches them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .core import Tensor
from .functions import bmm, expand, matmul, mm, of_dims, one_dim, permute, reshape, sum
from .functions_forms import Number, listed, same_dtype
from .functions_shape import broadcast_shapes, diagonal, shaped
from .ops import elementwise as ew
from .ops import linalg

Labels = list[Any]  # a name for each dimension of a tensor; equal names are the same dimension


# -- contraction of two ----------------------------------------------------------------------------


def _sizes(x: Tensor, labels: Labels) -> dict[Any, int]:
    return dict(zip(labels, x.array.shape, strict=True))


def _ordered(x: Tensor, labels: Labels, order: Labels) -> Tensor:
    return x if labels == order else permute(x, [labels.index(label) for label in order])


def _arranged(x: Tensor, labels: Labels, groups: Sequence[Labels]) -> Tensor:
    """``x`` with its dimensions in groups, the first as they are, each other folded into one."""
    sizes, order = _sizes(x, labels), [label for group in groups for label in group]
    x = _ordered(x, labels, order)
    folded = [math.prod(sizes[label] for label in group) for group in groups[1:]]
    return shaped(x, [sizes[label] for label in groups[0]] + folded)


def contract(a: Tensor, a_labels: Labels, b: Tensor, b_labels: Labels, keep: Labels) -> Any:
    """Multiply along equal labels and sum over those that are not kept: result and its labels."""
    shared = [label for label in a_labels if label in b_labels]
    batch = [label for label in shared if label in keep]
    summed = [label for label in shared if label not in keep]
    rows = [label for label in a_labels if label not in shared]
    columns = [label for label in b_labels if label not in shared]
    left = _arranged(a, a_labels, [batch, rows, summed])
    right = _arranged(b, b_labels, [batch, summed, columns])
    out = linalg.matmul(left, right) if summed else ew.mul(left, right)
    sizes, labels = _sizes(a, a_labels) | _sizes(b, b_labels), batch + rows + columns
    return shaped(out, [sizes[label] for label in labels]), labels


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sum of products over pairs of dimensions: the last of ``a`` with the first of ``b``.

    ``dims`` says how many, or lists those of ``a`` and those of ``b``. Raises RuntimeError where
    their sizes differ.
    """
    n, m = a.array.ndim, b.array.ndim
    if isinstance(dims, int):
        if not 0 <= dims <= min(n, m):
            raise RuntimeError(f"tensordot expects dims between 0 and {min(n, m)}, but got {dims}")
        dims = (range(n - dims, n), range(dims))
    first = [one_dim(d, n) for d in dims[0]]
    second = [one_dim(d, m) for d in dims[1]]
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    pairs = dict(zip(second, first, strict=True))
    for d, c in pairs.items():
        if b.array.shape[d] != a.array.shape[c] and 1 not in (b.array.shape[d], a.array.shape[c]):
            raise RuntimeError(f"contracted dimensions need to match: {c} and {d} do not")
    b_labels = [pairs.get(d, n + d) for d in range(m)]
    (a, a_labels), (b, b_labels) = _broadcast([(a, list(range(n))), (b, b_labels)])
    return contract(a, a_labels, b, b_labels, [d for d in range(n) if d not in first])[0]


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Sum of products over the last dimension of both; with a scalar, the product."""
    if not input.array.ndim or not other.array.ndim:
        return ew.mul(input, other)
    if input.array.shape[-1] != other.array.shape[-1]:
        raise RuntimeError("inner() the last dimension must match on both input tensors")
    return tensordot(input, other, ([-1], [-1]))


# -- einsum ----------------------------------------------------------------------------------------


def einsum(equation: Any, *operands: Any) -> Tensor:
    """Sums of products in Einstein's notation: ``einsum("ij,jk->ik", a, b)`` is ``a @ b``.

    Letters name dimensions. Those that the right side leaves out are summed over; without a right
    side, the letters that occur once remain, in alphabetical order. ``...`` stands for dimensions
    that broadcast. Raises RuntimeError for an equation that does not fit the operands.
    """
    if not isinstance(equation, str):
        raise ValueError(f"einsum(): equation must be a string, not {type(equation).__name__}")
    tensors = listed("einsum", operands)
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not tensors or len(terms) != len(tensors):
        raise RuntimeError(f"einsum(): {len(terms)} operands in the equation, {len(tensors)} given")
    named = [_labels(t, x.array.ndim) for t, x in zip(terms, tensors, strict=True)]
    output = _output(named, right if arrow else None)
    parts = [_one_each(x, labels) for x, labels in zip(tensors, named, strict=True)]
    parts = _broadcast(parts)
    out, labels = _without(*parts[0], output + [n for _, names in parts[1:] for n in names])
    for i, (x, names) in enumerate(parts[1:], 2):
        keep = output + [n for _, later in parts[i:] for n in later]
        out, labels = contract(out, labels, *_without(x, names, keep + labels), keep)
    return _ordered(out, labels, output)


def _labels(term: str, ndim: int) -> Labels:
    """The names of an operand's dimensions; those of an ellipsis count 0, 1, ... from its end."""
    before, dots, after = term.partition("...")
    if not (before + after).isalpha() and before + after:
        raise RuntimeError(f"einsum(): invalid subscript given in {term!r}: letters and '...' only")
    hidden = ndim - len(before) - len(after)
    if hidden < 0 or (hidden and not dots):
        raise RuntimeError(f"einsum(): {term!r} does not match an operand of {ndim} dimensions")
    return [*before, *reversed(range(hidden)), *after]


def _output(listed: list[Labels], right: str | None) -> Labels:
    everything = [name for labels in listed for name in labels]
    hidden = sorted({n for n in everything if isinstance(n, int)}, reverse=True)
    if right is None:
        letters = sorted(n for n in everything if isinstance(n, str) and everything.count(n) == 1)
        return [*hidden, *letters]
    before, dots, after = right.partition("...")
    output = [*before, *(hidden if dots else []), *after]
    for name in output:
        if name not in everything or output.count(name) > 1:
            raise RuntimeError(f"einsum(): output {name} must occur in the input, and once")
    return output


def _one_each(x: Tensor, labels: Labels) -> tuple[Tensor, Labels]:
    """Where a label occurs twice, take the diagonal."""
    for name in set(labels):
        while labels.count(name) > 1:
            first = labels.index(name)
            second = labels.index(name, first + 1)
            if x.array.shape[first] != x.array.shape[second]:
                raise RuntimeError(f"einsum(): subscript {name} is repeated with other sizes")
            x = diagonal(x, 0, first, second)
            labels = [n for n in labels if n != name] + [name] * (labels.count(name) - 1)
    return x, labels


def _broadcast(parts: list[Any]) -> list[Any]:
    """Every label with one size: dimensions of size 1 expand to what the others have."""
    names = list(dict.fromkeys(n for _, labels in parts for n in labels))
    shapes = [[_sizes(x, labels).get(n, 1) for n in names] for x, labels in parts]
    full = dict(zip(names, broadcast_shapes(*shapes), strict=True))
    grown = [[full[n] for n in labels] for _, labels in parts]
    return [
        (x if x.array.shape == tuple(shape) else expand(x, shape), labels)
        for (x, labels), shape in zip(parts, grown, strict=True)
    ]


def _without(x: Tensor, labels: Labels, keep: Labels) -> tuple[Tensor, Labels]:
    """Sum over the labels that are not kept."""
    gone = tuple(d for d, name in enumerate(labels) if name not in keep)
    return (sum(x, gone) if gone else x), [name for name in labels if name in keep]


# -- products by name ------------------------------------------------------------------------------


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of two vectors: a matrix."""
    for which, x in (("self", input), ("vec2", vec2)):
        if x.array.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {which}, but got {x.array.ndim}-D")
    return ew.mul(reshape(input, (-1, 1)), vec2)


def _plus(input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    same_dtype("addmm", input, product)
    product = product if alpha == 1 else ew.mul(product, alpha)
    grown = expand(input, product.array.shape)
    if beta == 0:  # then not even a NaN of input matters
        return product
    return ew.add(grown if beta == 1 else ew.mul(grown, beta), product)


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)`` for matrices."""
    return _plus(input, mm(mat1, mat2), beta, alpha)


def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """``beta * input + alpha * (batch1 @ batch2)`` for stacks of matrices."""
    one_dim(2, batch1.array.ndim)  # a stack has a third dimension
    return _plus(input, bmm(batch1, batch2), beta, alpha)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector."""
    of_dims("mv", (input, 2), (vec, 1))
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The dot product of two vectors."""
    of_dims("dot", (input, 1), (tensor, 1))
    if input.array.shape != tensor.array.shape:
        raise RuntimeError(
            "inconsistent tensor size, expected tensor [{}] and src [{}] to have the same number "
            "of elements".format(*input.array.shape, *tensor.array.shape)
        )
    return matmul(input, tensor)


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    if input.array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.array.ndim}")
    return sum(diagonal(input))


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: every value of ``input`` times the whole of ``other``."""
    ndim = max(input.array.ndim, other.array.ndim)
    a, b = ((1,) * (ndim - x.array.ndim) + x.array.shape for x in (input, other))
    left = reshape(input, [n for size in a for n in (size, 1)])
    right = reshape(other, [n for size in b for n in (1, size)])
    return reshape(ew.mul(left, right), [n * m for n, m in zip(a, b, strict=True)])


METHODS = "mv dot inner outer addmm baddbmm trace kron".split()
ONLY_FUNCTIONS = "tensordot einsum".split()
