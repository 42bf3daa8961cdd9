"""Products of matrices. The adjoint of a product with a matrix is a product with its transpose."""

from __future__ import annotations

from ..core import op
from .reduce import sum_to
from .sample import normal
from .shape import mT

# Batch dimensions broadcast, so each rule sums over what was repeated.
matmul = op("matmul", "matmul",
            x=lambda g, y, x_shape: sum_to(g @ mT(y), x_shape),
            y=lambda g, x, y_shape: sum_to(mT(x) @ g, y_shape),
            dtypes="same", prefix="Mm", tex=r"{0} \, {1}",
            sample=normal((2, 3), (3, 4)))  # fmt: skip
