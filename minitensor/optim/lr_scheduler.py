"""Learning-rate schedules: each says what the rate is after so many calls of its ``step()``.

Most schedules multiply the rate that stands in the optimiser (``times``), so that several can be
chained.
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..core import Tensor
from ..tensor import fill_
from .optimizer import Optimizer

TOO_EARLY = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. You should call them in the "
    "opposite order: `optimizer.step()` before `lr_scheduler.step()`. Failure to do this will "
    "result in skipping the first value of the learning rate schedule."
)
DEPRECATED = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler."
)


def rates(optimizer: Optimizer, name: str = "lr") -> list[Any]:
    """One setting of every group, as numbers. Raises TypeError for what is no Optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    values = [group[name] for group in optimizer.param_groups]
    return [v.array.item() if isinstance(v, Tensor) else v for v in values]


def for_each_group(name: str, optimizer: Optimizer, given: Any) -> list[Any]:
    """One value for each group: ``given`` itself if it is a list, else repeated.

    Raises ValueError for a list of another length.
    """
    count = len(rates(optimizer))
    if not isinstance(given, list | tuple):
        return [given] * count
    if len(given) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has "
            f"{len(given)} values, param_groups has {count}."
        )
    return list(given)


class LRScheduler:
    """What schedules share. A schedule of your own defines ``get_lr``.

    Args:
        last_epoch: -1 to start; to go on, how many steps were made before.

    Raises TypeError for what is no Optimizer, KeyError where a schedule cannot go on.
    """

    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        self.optimizer = optimizer
        for i, lr in enumerate(rates(optimizer)):
            group = optimizer.param_groups[i]
            if last_epoch == -1:
                group.setdefault("initial_lr", lr)
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                    "scheduler with last_epoch >= 0"
                )
        self.base_lrs = rates(optimizer, "initial_lr")
        self.last_epoch: Any = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count, self._is_initial = 0, True
        try:
            self.step()
        finally:
            self._is_initial = False

    def step(self, epoch: Any = None) -> None:
        """Go on to the next rate (or, deprecated, to that of ``epoch``)."""
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(TOO_EARLY, UserWarning, stacklevel=2)
        if epoch is not None:
            warnings.warn(DEPRECATED, UserWarning, stacklevel=2)
        self._step_count += 1
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        if epoch is None:
            self.last_epoch += 1
            self._set(self.get_lr())
            return
        self._set(self.base_lrs)  # to jump, go through all rates from the first on
        for self.last_epoch in range(epoch + 1):
            self._is_initial = self.last_epoch == 0
            self._set(self.get_lr())
        self._is_initial = False

    def _set(self, values: list[Any]) -> None:
        for group, lr in zip(self.optimizer.param_groups, values, strict=True):
            if isinstance(group["lr"], Tensor):
                fill_(group["lr"], lr)
            else:
                group["lr"] = lr
        self._last_lr = rates(self.optimizer)

    def times(self, epoch: int) -> float:
        """By what the rate is multiplied on reaching ``epoch``."""
        raise NotImplementedError

    def get_lr(self) -> list[Any]:
        """The next rate of each group; users want ``get_last_lr``."""
        by = self.times(self.last_epoch)
        return [lr * by for lr in rates(self.optimizer)]

    def get_last_lr(self) -> list[Any]:
        """The rate of each group now."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """All but the optimiser and functions that were given."""
        left_out = ("optimizer", "lr_lambdas")
        return {k: v for k, v in self.__dict__.items() if k not in left_out}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from where ``state_dict`` was taken."""
        self.__dict__.update({k: v for k, v in state_dict.items() if k != "lr_lambdas"})


class LambdaLR(LRScheduler):
    """The first rate times ``lr_lambda(epoch)``; one function, or one for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1):
        self.lr_lambdas = for_each_group("lr_lambda", optimizer, lr_lambda)
        for f in self.lr_lambdas:
            if not callable(f):
                raise TypeError(f"lr_lambda should be a function, but got {type(f).__name__}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """See the class."""
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [lr * f(self.last_epoch) for lr, f in pairs]


class MultiplicativeLR(LambdaLR):
    """The rate before times ``lr_lambda(epoch)``."""

    def get_lr(self) -> list[Any]:
        """See the class."""
        before = rates(self.optimizer)
        if self._is_initial:
            return before
        return [lr * f(self.last_epoch) for lr, f in zip(before, self.lr_lambdas, strict=True)]


class StepLR(LRScheduler):
    """Times ``gamma`` every ``step_size`` epochs."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def times(self, epoch: int) -> float:
        """See the class."""
        return self.gamma if epoch and epoch % self.step_size == 0 else 1


class MultiStepLR(LRScheduler):
    """Times ``gamma`` at each of ``milestones``."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1,
        last_epoch: int = -1,
    ):  # fmt: skip
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def times(self, epoch: int) -> float:
        """See the class."""
        return self.gamma ** self.milestones.get(epoch, 0)


class ConstantLR(LRScheduler):
    """``factor`` times the rate, until ``total_iters``. Raises ValueError outside [0, 1]."""

    def __init__(
        self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5,
        last_epoch: int = -1,
    ):  # fmt: skip
        if not 0 <= factor <= 1:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def times(self, epoch: int) -> float:
        """See the class."""
        if epoch == 0:
            return self.factor
        return 1 / self.factor if epoch == self.total_iters else 1


class LinearLR(LRScheduler):
    """From ``start_factor`` to ``end_factor`` in ``total_iters`` equal steps.

    Raises ValueError for factors outside (0, 1] and [0, 1].
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0,
        total_iters: int = 5, last_epoch: int = -1,
    ):  # fmt: skip
        if not 0 < start_factor <= 1:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal "
                "to 1."
            )
        if not 0 <= end_factor <= 1:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def times(self, epoch: int) -> float:
        """See the class."""
        if epoch == 0:
            return self.start_factor
        if self._is_initial or epoch > self.total_iters:
            return 1
        rise = (self.end_factor - self.start_factor) / self.total_iters
        return 1 + rise / (self.start_factor + (epoch - 1) * rise)


class ExponentialLR(LRScheduler):
    """Times ``gamma`` every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def times(self, epoch: int) -> float:
        """See the class."""
        return 1 if self._is_initial else self.gamma


class PolynomialLR(LRScheduler):
    """The rate times (1 - epoch / ``total_iters``) to ``power``."""

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ):
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def times(self, epoch: int) -> float:
        """See the class."""
        if self._is_initial or epoch > self.total_iters:
            return 1
        left = self.total_iters - epoch
        return (left / (left + 1)) ** self.power


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the rate down to ``eta_min`` in ``T_max`` epochs, then up again."""

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ):
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """See the class: written so that it can be chained, as in PyTorch."""
        now, epoch = rates(self.optimizer), self.last_epoch
        if self._is_initial:
            return now
        if (epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # from the bottom: nothing to scale
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            pairs = zip(now, self.base_lrs, strict=True)
            return [lr + (base - self.eta_min) * rise for lr, base in pairs]
        by = self._height(epoch) / self._height(epoch - 1)
        return [by * (lr - self.eta_min) + self.eta_min for lr in now]

    def _height(self, epoch: int) -> float:
        return (1 + math.cos(math.pi * epoch / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine down in ``T_0`` epochs, then again in ``T_mult`` times as many, and so on.

    ``step(epoch)`` takes fractions of epochs too. Raises ValueError for settings out of range.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0,
        last_epoch: int = -1,
    ):  # fmt: skip
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        self.T_0, self.T_i, self.T_mult, self.eta_min = T_0, T_0, T_mult, eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """See the class."""
        by = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * by for base in self.base_lrs]

    def step(self, epoch: Any = None) -> None:
        """Go on to the next rate, or to that of ``epoch``, which may be a fraction.

        Raises ValueError for a negative epoch.
        """
        self._step_count += 1
        self._update_lr(epoch)

    def _update_lr(self, epoch: Any = None) -> None:
        if epoch is None and self.last_epoch >= 0:
            epoch, self.T_cur = self.last_epoch + 1, self.T_cur + 1
        else:
            epoch = epoch or 0
            if epoch < 0:
                raise ValueError(f"Expected non-negative epoch, but got {epoch}")
            self.T_cur, self.T_i = epoch, self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr())


def has_momentum(optimizer: Optimizer) -> None:
    """Raise ValueError where there is no momentum to change."""
    if not {"momentum", "betas"} & set(optimizer.defaults):
        raise ValueError(
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
        )


def set_momentum(group: dict[str, Any], value: float) -> None:
    """Set a group's momentum, or the first of Adam's betas."""
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


class OneCycleLR(LRScheduler):
    """Once up to ``max_lr`` and far down again; the momentum goes the other way (Smith, 2017).

    Args:
        max_lr: the highest rate, one or one for each group.
        total_steps: of the whole cycle; or give ``epochs`` and ``steps_per_epoch``.
        pct_start: the share of it that goes up.
        anneal_strategy: "cos" or "linear".
        div_factor: the first rate is ``max_lr / div_factor``, the last that /
            ``final_div_factor``.
        three_phase: come down to the first rate before going down to the last.

    Raises ValueError for settings out of range, and when stepped too often.
    """

    def __init__(
        self, optimizer: Optimizer, max_lr: Any, total_steps: int | None = None,
        epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
        anneal_strategy: str = "cos", cycle_momentum: bool = True, base_momentum: Any = 0.85,
        max_momentum: Any = 0.95, div_factor: float = 25.0, final_div_factor: float = 1e4,
        three_phase: bool = False, last_epoch: int = -1,
    ):  # fmt: skip
        self.total_steps = self._count(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_func_type, self.cycle_momentum = anneal_strategy, cycle_momentum
        up = pct_start * self.total_steps - 1
        self._turns = [up, *([2 * up] if three_phase else []), self.total_steps - 1]
        lows = for_each_group("base_momentum", optimizer, base_momentum)
        highs = for_each_group("max_momentum", optimizer, max_momentum)
        tops = for_each_group("max_lr", optimizer, max_lr)
        if cycle_momentum:
            has_momentum(optimizer)
        for group, top, low, high in zip(optimizer.param_groups, tops, lows, highs, strict=True):
            if last_epoch != -1:
                break
            first = top / div_factor
            group.update(initial_lr=first, max_lr=top, min_lr=first / final_div_factor)
            if cycle_momentum:
                set_momentum(group, high)
                group.update(max_momentum=high, base_momentum=low)
        super().__init__(optimizer, last_epoch)

    @staticmethod
    def _count(total: Any, epochs: Any, steps: Any) -> int:
        given = {"total_steps": total}
        if total is None:
            given = {"epochs": epochs, "steps_per_epoch": steps}
            if None in given.values():
                raise ValueError(
                    "You must define either total_steps OR (epochs AND steps_per_epoch)"
                )
        for name, value in given.items():
            if not isinstance(value, int) or value <= 0:
                raise ValueError(f"Expected positive integer {name}, but got {value}")
        return math.prod(given.values())

    def get_lr(self) -> list[Any]:
        """See the class."""
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"Tried to step {step} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        phase = min(sum(step > turn for turn in self._turns), len(self._turns) - 1)
        begin = self._turns[phase - 1] if phase else 0.0
        done = (step - begin) / (self._turns[phase] - begin)
        lrs = ["initial_lr", "max_lr", *["initial_lr"] * (len(self._turns) - 2), "min_lr"]
        momenta = ["max_momentum", "base_momentum", "max_momentum", "max_momentum"]
        values = []
        for group in self.optimizer.param_groups:
            values.append(self._between(group[lrs[phase]], group[lrs[phase + 1]], done))
            if self.cycle_momentum:
                ends = group[momenta[phase]], group[momenta[phase + 1]]
                set_momentum(group, self._between(*ends, done))
        return values

    def _between(self, start: float, end: float, done: float) -> float:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2 * (math.cos(math.pi * done) + 1)
        return start + (end - start) * done


class SequentialLR(LRScheduler):
    """One schedule after another; the next begins at each of ``milestones``.

    Raises ValueError for schedules of another optimiser, or not one more than milestones.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int],
        last_epoch: int = -1,
    ):  # fmt: skip
        if not schedulers:
            raise ValueError("SequentialLR expects at least one scheduler, but got no scheduler.")
        for i, s in enumerate(schedulers):
            if isinstance(s, ReduceLROnPlateau) or s.optimizer is not optimizer:
                raise ValueError(
                    "SequentialLR expects all schedulers to belong to the same optimizer and to "
                    f"need no metrics, but got scheduler {type(s).__name__} at index {i}"
                )
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than "
                f"the number of milestone points, but got number of schedulers {len(schedulers)} "
                f"and the number of milestones to be equal to {len(milestones)}"
            )
        self._schedulers, self._milestones = schedulers, milestones
        self.optimizer, self.last_epoch = optimizer, last_epoch + 1
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        self._undo()
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def _undo(self) -> None:
        """Take back the first step that each schedule made when it was built."""
        for s in self._schedulers:
            if isinstance(s, SequentialLR):
                s._undo()
            else:
                s.last_epoch -= 1

    def step(self, epoch: Any = None) -> None:
        """Step the schedule whose turn it is."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """The states of all schedules, and which is running."""
        state = super().state_dict()
        return {**state, "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from where ``state_dict`` was taken."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_schedulers"})
        for s, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            s.load_state_dict(saved)


class ReduceLROnPlateau(LRScheduler):
    """Times ``factor`` once a metric has not improved for more than ``patience`` steps.

    Args:
        mode: "min" where less is better, "max" where more is.
        threshold: how much better counts, as a share ("rel") or a difference ("abs").
        cooldown: steps to wait after a reduction.
        min_lr: not below this, one or one for each group.
        eps: no smaller changes.

    Raises ValueError for a factor of 1 or more and for an unknown mode.
    """

    def __init__(
        self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10,
        threshold: float = 1e-4, threshold_mode: str = "rel", cooldown: int = 0,
        min_lr: Any = 0, eps: float = 1e-8,
    ):  # fmt: skip
        if factor >= 1:
            raise ValueError("Factor should be < 1.0.")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown = threshold, threshold_mode, cooldown
        self.min_lrs, self.eps = for_each_group("min_lr", optimizer, min_lr), eps
        self.best = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = self.num_bad_epochs = self.last_epoch = 0
        self._last_lr = rates(optimizer)

    def step(self, metrics: Any, epoch: Any = None) -> None:  # type: ignore[override]
        """Hear of the metric after one more epoch."""
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self.num_bad_epochs += 1
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        values = rates(self.optimizer)
        if self.num_bad_epochs > self.patience:
            lower = [max(v * self.factor, m) for v, m in zip(values, self.min_lrs, strict=True)]
            pairs = zip(values, lower, strict=True)
            values = [new if old - new > self.eps else old for old, new in pairs]
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._set(values)

    def _is_better(self, value: float) -> bool:
        margin = self.threshold if self.mode == "max" else -self.threshold
        relative = self.threshold_mode == "rel"
        target = self.best * (1 + margin) if relative else self.best + margin
        return value > target if self.mode == "max" else value < target
