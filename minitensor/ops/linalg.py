"""Products of matrices. The adjoint of a product with a matrix is a product with its transpose."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import op
from ..pool import SMALLEST, empty
from .reduce import sum_to
from .sample import normal
from .shape import mT


def product(xp: Any, x: Any, y: Any) -> Any:
    """``x @ y``; a large one of matrices, or of as many of them, in memory that was used before."""
    if xp is not np:
        return xp.matmul(x, y)
    if x.size * y.shape[-1] < SMALLEST // 8 * x.shape[-1]:
        return x.dot(y) if x.ndim == 2 == y.ndim else np.matmul(x, y)  # dot: with less ado
    if x.ndim == y.ndim >= 2 and x.shape[:-2] == y.shape[:-2]:
        return np.matmul(x, y, out=empty(np, (*x.shape[:-1], y.shape[-1]), x.dtype))
    return np.matmul(x, y)


# Batch dimensions broadcast, so each rule sums over what was repeated.
matmul = op("matmul", product,
            x=lambda g, y, x_shape: sum_to(matmul(g, mT(y)), x_shape),
            y=lambda g, x, y_shape: sum_to(matmul(mT(x), g), y_shape),
            dtypes="same", prefix="Mm", tex=r"{0} \, {1}",
            sample=normal((2, 3), (3, 4)))  # fmt: skip
