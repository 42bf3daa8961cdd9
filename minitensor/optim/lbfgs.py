"""L-BFGS: Newton's method with a Hessian guessed from the last steps, and its line search.

Nocedal and Wright, Numerical Optimization: algorithm 7.4 is the two-loop recursion, 3.5 and 3.6
the search for a step that meets the strong Wolfe conditions, (3.59) the cubic interpolation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .. import backend, versions
from ..backend import Array
from ..core import wrap
from .optimizer import Optimizer, evaluate

DECREASE, CURVATURE = 1e-4, 0.9  # the constants of the two Wolfe conditions


class Point(NamedTuple):
    """What is known at one step size along a direction."""

    t: float  # the step size
    f: float  # the loss there
    g: Array  # the gradient there, flat
    slope: float  # the loss's derivative along the direction


def cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """Where the cubic through two points with slopes is least, from ``low`` to ``high``."""
    left, right = (a, b) if a.t <= b.t else (b, a)
    d1 = left.slope + right.slope - 3 * (left.f - right.f) / (left.t - right.t)
    square = d1 * d1 - left.slope * right.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = square**0.5
    share = (right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2)
    return min(max(right.t - (right.t - left.t) * share, low), high)


def strong_wolfe(
    at: Callable[[float], Point], start: Point, t: float, most: int, least: float
) -> Any:
    """Search along a direction from ``start``. Returns the point found and the evaluations made.

    ``t`` is tried first; ``most`` bounds the evaluations after it; a bracket shorter than ``least``
    is not divided further.
    """
    before, new = start, at(t)
    for count in range(most):
        if too_high(new, start) or (count > 1 and new.f >= before.f):
            break
        if abs(new.slope) <= -CURVATURE * start.slope:
            return new, count + 1
        if new.slope >= 0:
            break
        t = cubic_minimum(before, new, new.t + 0.01 * (new.t - before.t), new.t * 10)
        before, new = new, at(t)
    else:
        return (start if start.f <= new.f else new), most + 1
    return zoom(at, start, [before, new], count, most, least)


def too_high(point: Point, start: Point) -> bool:
    """Whether the loss has not fallen enough for so long a step."""
    return point.f > start.f + DECREASE * point.t * start.slope


def zoom(
    at: Callable[[float], Point], start: Point, bracket: list[Point], count: int, most: int,
    least: float,
) -> tuple[Point, int]:  # fmt: skip
    """Narrow a bracket that holds a good step. Returns the point and all evaluations made."""
    low = 0 if bracket[0].f <= bracket[1].f else 1
    stuck = False
    while count < most and abs(bracket[1].t - bracket[0].t) >= least:
        left, right = sorted(p.t for p in bracket)
        t = cubic_minimum(bracket[0], bracket[1], left, right)
        margin = 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        if near and (stuck or t >= right or t <= left):
            t = right - margin if right - t < t - left else left + margin
            near = False
        stuck = near
        new = at(t)
        count += 1
        if too_high(new, start) or new.f >= bracket[low].f:
            bracket[1 - low] = new
            low = 0 if bracket[0].f <= bracket[1].f else 1
            continue
        if abs(new.slope) <= -CURVATURE * start.slope:
            return new, count + 1
        if new.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = new
    return bracket[low], count + 1


class LBFGS(Optimizer):
    """L-BFGS; ``step(closure)`` makes up to ``max_iter`` steps, calling ``closure`` for each.

    Args:
        max_eval: the most calls of ``closure`` in one ``step`` (5/4 of ``max_iter`` if None).
        tolerance_grad: stop where no gradient is larger.
        tolerance_change: stop where loss or parameters change less.
        history_size: how many steps the guess of the Hessian looks back on.
        line_search_fn: "strong_wolfe", or None for steps of length ``lr``.

    Raises ValueError for more than one group, RuntimeError for another line search.
    """

    def __init__(
        self, params: Any, lr: Any = 1, max_iter: int = 20, max_eval: int | None = None,
        tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
        line_search_fn: str | None = None,
    ):  # fmt: skip
        self._begin(
            params, {}, lr=lr, max_iter=max_iter,
            max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
            tolerance_grad=tolerance_grad, tolerance_change=tolerance_change,
            history_size=history_size, line_search_fn=line_search_fn,
        )  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]

    def step(self, closure: Any) -> Any:
        """Minimise what ``closure()`` returns; it must clear, then compute the gradients.

        Returns the first loss.
        """
        group, state = self.param_groups[0], self.state[self._params[0]]
        for name in ("func_evals", "n_iter"):
            state.setdefault(name, 0)
        first = evaluate(closure)
        here = Point(0.0, float(first), self._gradient(), 0.0)
        evals = 1
        for i in range(1, group["max_iter"] + 1):
            if self._flat(here, group):
                break
            state["n_iter"] += 1
            d = self._direction(state, here.g, group["history_size"])
            lr = float(group["lr"])
            t = lr if state["n_iter"] > 1 else min(1.0, 1.0 / float(abs(here.g).sum())) * lr
            state.update(d=wrap(d), t=t, prev_flat_grad=wrap(here.g), prev_loss=here.f)
            here = here._replace(t=0.0, slope=float(here.g @ d))
            if here.slope > -group["tolerance_change"]:
                break
            last = i == group["max_iter"]
            before, (here, used) = here, self._walk(closure, group, here, d, t, evals, last)
            state["t"] = here.t
            evals += used
            if evals >= group["max_eval"] or self._stuck(before, here, d, group):
                break
        state["func_evals"] += evals
        return first

    def _flat(self, here: Point, group: dict[str, Any]) -> bool:
        return float(abs(here.g).max()) <= group["tolerance_grad"]

    def _stuck(self, before: Point, here: Point, d: Array, group: dict[str, Any]) -> bool:
        least = group["tolerance_change"]
        return here.t * float(abs(d).max()) <= least or abs(here.f - before.f) < least

    def _direction(self, state: dict[str, Any], g: Array, size: int) -> Array:
        """Where to go: the guess of the inverse Hessian, times minus the gradient."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -g
        changes, steps, ro = (state[name] for name in ("old_dirs", "old_stps", "ro"))
        y, s = g - state["prev_flat_grad"].array, state["d"].array * float(state["t"])
        curvature = float(y @ s)
        if curvature > 1e-10:
            for memory, new in ((changes, wrap(y)), (steps, wrap(s)), (ro, 1 / curvature)):
                memory.append(new)
                del memory[:-size]
            state["H_diag"] = curvature / float(y @ y)
        d, shares = -g, []
        for y, s, r in zip(reversed(changes), reversed(steps), reversed(ro), strict=True):
            shares.append(float(s.array @ d) * float(r))
            d -= shares[-1] * y.array
        d *= float(state["H_diag"])
        for y, s, r in zip(changes, steps, ro, strict=True):
            d += (shares.pop() - float(y.array @ d) * float(r)) * s.array
        return d

    def _walk(
        self, closure: Any, group: dict[str, Any], here: Point, d: Array, t: float, evals: int,
        last: bool,
    ) -> tuple[Point, int]:  # fmt: skip
        """Move the parameters along ``d``: the point reached, and how often ``closure`` ran."""
        if group["line_search_fn"] is None:
            self._move(t, d)
            if last:  # nobody will look at the gradient there
                return here._replace(t=t), 0
            return Point(t, float(evaluate(closure)), self._gradient(), 0.0), 1
        if group["line_search_fn"] != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        saved = [p.array.copy() for p in self._params]

        def at(t: float) -> Point:
            self._move(t, d)
            f, g = float(evaluate(closure)), self._gradient()
            for p, values in zip(self._params, saved, strict=True):
                p.array[...] = values
            return Point(t, f, g, float(g @ d))

        least = group["tolerance_change"] / float(abs(d).max())
        found, used = strong_wolfe(at, here, t, group["max_eval"] - evals, least)
        self._move(found.t, d)
        return found, used

    def _move(self, t: float, d: Array) -> None:
        start = 0
        for p in self._params:
            part = d[start : start + p.array.size]
            p.array += t * part.reshape(p.array.shape)
            versions.written(p.array, "LBFGS.step")
            start += p.array.size

    def _gradient(self) -> Array:
        """The gradients of all parameters in one vector."""
        xp = backend.MODULES[type(self._params[0].array)]
        grads = [p._grad.array if p._grad is not None else p.array * 0 for p in self._params]
        return xp.concatenate([g.reshape(-1) for g in grads])
