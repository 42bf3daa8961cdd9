"""All partial derivatives at once: ``minitensor.autograd.functional``.

``jacobian`` and ``hessian`` give whole matrices; ``vjp``, ``jvp``, ``vhp`` and ``hvp`` give their
products with a vector, without the matrix. ``func`` takes Tensors and returns one or a tuple;
``inputs`` is a Tensor or a tuple of them, and results come in the same form. ``create_graph=True``
lets the result be differentiated again. ``strict=True`` raises RuntimeError where a derivative
is zero because nothing depends on the input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import autograd, core, creation, functions
from .core import Tensor
from .functions_shape import unbind
from .ops import shape as sh

Tensors = tuple[Tensor, ...]


def _tuple(given: Any, argument: str, name: str) -> Tensors:
    several = given if isinstance(given, tuple) else (given,)
    for i, x in enumerate(several):
        if not isinstance(x, Tensor):
            where = f"value at index {i}" if isinstance(given, tuple) else f"given {argument}"
            raise TypeError(
                f"The {argument} given to {name} must be either a Tensor or a tuple of Tensors "
                f"but the {where} has type {type(x)}."
            )
    return several


def _call(name: str, func: Any, inputs: Tensors, strict: bool, graph: bool) -> tuple[Tensors, Any]:
    """Call ``func`` on fresh inputs, as part of the graph or as leaves: both sides of the result.

    The third, whether ``func`` returned a tuple, tells how results are to be packed.
    """
    with autograd.enable_grad():
        fresh = tuple(_fresh(x, graph) for x in inputs)
        answer = func(*fresh)
    outputs = _tuple(answer, "outputs of the user-provided function", name)
    for i, y in enumerate(outputs):
        if strict and not y.needs_grad:
            raise RuntimeError(
                f"Output {i} of the user-provided function does not require gradients. The outputs "
                "must be computed in a differentiable manner from the input when running in strict "
                "mode."
            )
    return fresh, (outputs, isinstance(answer, tuple))


def _fresh(x: Tensor, graph: bool) -> Tensor:
    if graph and x.needs_grad:
        return sh.clone(x)
    leaf = core.wrap(x.array)
    leaf.needs_grad = x.array.dtype.kind == "f"
    return leaf


def _pull(
    outputs: Sequence[Tensor], inputs: Tensors, seeds: Sequence[Any], strict: bool, graph: bool
) -> Tensors:
    """Gradients of ``outputs`` by ``inputs``; zeros (or RuntimeError) where nothing depends."""
    pairs = [(y, s) for y, s in zip(outputs, seeds, strict=True) if y.needs_grad]
    found: Sequence[Any] = [None] * len(inputs)
    if pairs:
        options: Any = {"retain_graph": True, "create_graph": graph, "allow_unused": True}
        ys, given = zip(*pairs, strict=True)
        found = autograd.grad(ys, inputs, given, **options)
    for i, g in enumerate(found):
        if strict and (g is None or (graph and not g.needs_grad)):
            raise RuntimeError(
                f"The output of the user-provided function is independent of input {i}. This is "
                "not allowed in strict mode."
            )
    pairs_in = zip(found, inputs, strict=True)
    return tuple(creation.zeros_like(x) if g is None else g for g, x in pairs_in)


def _vector(v: Any, like: Tensors, what: str, name: str) -> Tensors:
    """``v``, checked against what it is multiplied with; of a single number it may be left out."""
    if v is None:
        if len(like) != 1 or like[0].array.size != 1:
            raise RuntimeError(f"The vector v can only be None if {what} with a single element.")
        return (creation.ones_like(like[0]),)
    several = _tuple(v, "v", name)
    if len(several) != len(like):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(several)}."
        )
    for i, (x, y) in enumerate(zip(several, like, strict=True)):
        if x.array.shape != y.array.shape:
            raise RuntimeError(
                f"Entry {i} in v has invalid size: should be {list(y.array.shape)} but got "
                f"{list(x.array.shape)}."
            )
    return several


def _packed(results: Sequence[Any], several: bool, graph: bool) -> Any:
    parts = tuple(x if graph else core.wrap(x.array) for x in results)
    return parts if several else parts[0]


# -- products with a vector ------------------------------------------------------------------------


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """``func(inputs)`` and the product of ``v`` (shaped like it) with its Jacobian.

    Raises RuntimeError where ``v`` has another shape, or is missing for more than one number.
    """
    given = _tuple(inputs, "inputs", "vjp")
    fresh, (outputs, several) = _call("vjp", func, given, strict, create_graph)
    seeds = _vector(v, outputs, "the user-provided function returns a single Tensor", "vjp")
    found = _pull(outputs, fresh, seeds, strict, create_graph)
    packed = _packed(found, isinstance(inputs, tuple), create_graph)
    return _packed(outputs, several, create_graph), packed


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """``func(inputs)`` and the product of its Jacobian with ``v``, which is shaped like ``inputs``.

    A product from the left is linear in its vector u; the gradient of that by u is the product from
    the right. Raises what ``vjp`` raises.
    """
    given = _tuple(inputs, "inputs", "jvp")
    right = _vector(v, given, "the input to the user-provided function is a single Tensor", "jvp")
    fresh, (outputs, several) = _call("jvp", func, given, strict, create_graph)
    with autograd.enable_grad():
        left = tuple(creation.zeros_like(y, requires_grad=True) for y in outputs)
        across = _pull(outputs, fresh, left, strict, graph=True)
    found = _pull(across, left, right, strict, create_graph)
    return _packed(outputs, several, create_graph), _packed(found, several, create_graph)


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """``func(inputs)``, one number, and the product of its Hessian with ``v``.

    Raises RuntimeError where ``func`` gives more than one number, and what ``vjp`` raises.
    """
    given = _tuple(inputs, "inputs", "vhp")
    right = _vector(v, given, "the input to the user-provided function is a single Tensor", "vhp")
    fresh, (outputs, _) = _call("vhp", func, given, strict, create_graph)
    _one_number(outputs, "vhp")
    slopes = _pull(outputs, fresh, [None], strict, graph=True)
    found = _pull(slopes, fresh, right, strict, create_graph)
    packed = _packed(found, isinstance(inputs, tuple), create_graph)
    return _packed(outputs, False, create_graph), packed


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """``vhp``: the Hessian is symmetric, so that it makes no difference from which side."""
    return vhp(func, inputs, v, create_graph, strict)


def _one_number(outputs: Tensors, name: str) -> None:
    if len(outputs) != 1 or outputs[0].array.size != 1:
        raise RuntimeError(
            f"The function given to {name} should return a single Tensor with a single element"
        )


# -- whole matrices --------------------------------------------------------------------------------


def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """All derivatives of ``func`` at ``inputs``: a Tensor of shape output's + input's.

    Nested in tuples (outputs outside, inputs inside) where there are several. Each output element
    costs one backward; ``vectorize`` and ``strategy`` are taken as in PyTorch, and change nothing.
    Raises RuntimeError for an output without elements.
    """
    given = _tuple(inputs, "inputs", "jacobian")
    fresh, (outputs, several) = _call("jacobian", func, given, strict, create_graph)
    rows = tuple(_rows(y, fresh, strict, create_graph) for y in outputs)
    packed = [_packed(row, isinstance(inputs, tuple), create_graph) for row in rows]
    return tuple(packed) if several else packed[0]


def _rows(y: Tensor, inputs: Tensors, strict: bool, graph: bool) -> list[Any]:
    """The derivatives of every element of ``y``, by each input."""
    flat, size = functions.reshape(y, -1), y.array.size
    seeds = creation.eye(size, dtype=y.array.dtype, device=core.place_of(y.array)[1])
    each = [_pull([flat], inputs, [seed], strict, graph) for seed in unbind(seeds)]
    shapes = [(*y.array.shape, *x.array.shape) for x in inputs]
    columns = [functions.stack([row[i] for row in each]) for i in range(len(inputs))]
    pairs = zip(columns, shapes, strict=True)
    return [functions.reshape(column, shape) for column, shape in pairs]


def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """All second derivatives of ``func``, which gives one number: shape input's + input's.

    Nested in tuples where there are several inputs. Raises RuntimeError for more than one number.
    """

    def slopes(*fresh: Tensor) -> Any:
        def number(*xs: Tensor) -> Any:
            out = func(*xs)
            _one_number(_tuple(out, "outputs of the user-provided function", "hessian"), "hessian")
            one = out[0] if isinstance(out, tuple) else out
            return functions.reshape(one, ())

        return jacobian(number, fresh if isinstance(inputs, tuple) else fresh[0], True, strict)

    _tuple(inputs, "inputs", "hessian")
    return jacobian(slopes, inputs, create_graph, strict)
