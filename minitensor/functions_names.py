"""PyTorch's names for recorded steps, where they are more than an op's own name.

Some depend on the call: ``x.sum()`` is SumBackward0 and ``x.sum(0)`` SumBackward1. Others are of
functions that are one step there and several here: the last of ours then bears that name. Names
are looked at rarely, so nothing of this is done while ops run, but for such a function one look
at a table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import inplace  # noqa: F401 - registers an op that OF_OPS names
from .core import OPS, Node, Tensor
from .ops import fused, linalg, reduce  # noqa: F401 - as above
from .ops import index as _index  # noqa: F401
from .ops import shape as _shape  # noqa: F401


class Every(tuple[int, ...]):
    """All dimensions of a tensor, taken because the call named none."""

    __slots__ = ()


EVERY = tuple(Every(range(ndim)) for ndim in range(65))  # NumPy's limit is 64

# Functions of several steps: what the last of a Tensor and | of each of several results is called.
ONE_STEP: dict[str, str] = dict(
    entry.split(":")
    for entry in """
    addcdiv:Addcdiv0 addcmul:Addcmul0 addmm:Addmm0 aminmax:|Aminmax0 baddbmm:Baddbmm0 bmm:Bmm0
    chunk:|Split0 clamp_max:ClampMax0 clamp_min:ClampMin0 cumprod:Cumprod0 dot:Dot0
    index_add:IndexAdd0 index_select:IndexSelect0 lerp:Lerp0 masked_fill:MaskedFill0
    masked_select:MaskedSelect0 max:|Max0 median:Median0|Median1 min:|Min0 mv:Mv0
    norm:LinalgVectorNorm0 scatter:Scatter0 scatter_add:ScatterAdd0 sort:|Sort0 split:|Split0
    split_with_sizes:|SplitWithSizes0 std:Std0 topk:|Topk0 trace:Trace0 unbind:|Unbind0 var:Var0
    adaptive_max_pool2d:AdaptiveMaxPool2D0 avg_pool2d:AvgPool2D0 batch_norm:NativeBatchNorm0
    binary_cross_entropy:BinaryCrossEntropy0 celu:Celu0 conv1d:Convolution0 conv2d:Convolution0
    binary_cross_entropy_with_logits:BinaryCrossEntropyWithLogits0 conv_transpose2d:Convolution0
    elu:Elu0 embedding:Embedding0 fold:Col2Im0 glu:Glu0 group_norm:NativeGroupNorm0
    hardshrink:Hardshrink0 hardsigmoid:Hardsigmoid0 hardswish:Hardswish0 hardtanh:Hardtanh0
    huber_loss:HuberLoss0 leaky_relu:LeakyRelu0 logsigmoid:LogSigmoid0 mish:Mish0
    max_pool2d:MaxPool2DWithIndices0 mse_loss:MseLoss0 pixel_shuffle:PixelShuffle0
    prelu:PreluKernel0 relu6:Hardtanh0 selu:Elu0 silu:Silu0 smooth_l1_loss:SmoothL1Loss0
    softplus:Softplus0 softshrink:Softshrink0 threshold:Threshold0 unfold:Im2Col0
    """.split()
)


def full(stem: str) -> str:
    """ "Sum1" as "SumBackward1"."""
    return f"{stem[:-1]}Backward{stem[-1]}"


def called(t: Any, stem: str) -> Any:
    """``t``, the step that made it now known by PyTorch's name for the whole computation."""
    if t.node is not None:
        t.node.info = {**(t.node.info or {}), "called": full(stem)}
    return t


def call_results(spec: str, result: Any, inputs: tuple[Any, ...]) -> None:
    """Name the steps that made a function's results, unless they are its inputs' own."""
    single, _, several = spec.partition("|")
    node = result.node if isinstance(result, Tensor) else None
    if single and node is not None and node.info is None and node.op.grad_name == full(single):
        return
    before = [x.node for x in inputs if isinstance(x, Tensor)]
    results, stem = (result, several) if isinstance(result, tuple) else ((result,), single)
    for t in results:
        if stem and t.node not in before:
            called(t, stem)


# -- ops whose name depends on the call ------------------------------------------------------------


def _dims(one: str, other: str) -> Callable[[Node], str]:
    return lambda node: full(one if isinstance(node.attrs["dim"], Every) else other)


def _ndim(usual: int, one: str, other: str) -> Callable[[Node], str]:
    """Of a result with the usual number of dimensions, and of another."""
    return lambda node: full(one if len(node.shape) == usual else other)


def _of_index(node: Node) -> str:
    """The last of PyTorch's steps: a select, a slice or a new dimension each; arrays come last."""
    parts, (shape, *_) = node.attrs["index"], node.saved or ()
    stem, sizes = "Alias0", list(shape)
    for i, part in enumerate(parts):
        if part is None:
            stem = "Unsqueeze0"
        elif part is Ellipsis:
            later = sum(p is not None for p in parts[i + 1 :])
            del sizes[: len(sizes) - later]
        elif isinstance(part, slice):
            size = sizes.pop(0)
            # A full slice is no step, but where it is all there is, beside the ellipsis.
            stem = stem if part.indices(size) == (0, size, 1) and len(parts) > 2 else "Slice0"
        elif hasattr(part, "dtype"):
            return full("Index0")
        else:
            sizes.pop(0)
            stem = "Select0"
    return full(stem)


OF_OPS: dict[str, Any] = {
    "sum": _dims("Sum0", "Sum1"), "mean": _dims("Mean0", "Mean1"), "amax": _dims("Max1", "Amax0"),
    "amin": _dims("Min1", "Amin0"), "squeeze": _dims("Squeeze0", "Squeeze1"),
    "nll": lambda node: full("NllLoss2D0" if len(node.edges[0].shape) > 2 else "NllLoss0"),
    "matmul": _ndim(2, "Mm0", "UnsafeView0"), "linear": _ndim(2, "Addmm0", "View0"),
    "linear_no_bias": _ndim(2, "Mm0", "UnsafeView0"), "getitem": _of_index,
    "transpose": lambda node: full("T0" if node.attrs["dim0"] == -1 else "Transpose0"),
    "remainder": lambda node: full("Remainder0" if node.edges[1] is None else "Remainder1"),
    "pow_tensor": full("Pow1"), "clamp_number": full("Clamp1"), "replace": "CopySlices",
}  # fmt: skip
for _name, _title in OF_OPS.items():
    OPS[_name].grad_name = _title
