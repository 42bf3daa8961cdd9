"""DataLoader: batches of a data set, in PyTorch's order, prepared ahead by threads if wished."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from .collate import default_collate as default_collate
from .collate import default_convert as default_convert
from .dataset import IterableDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler, draw_seed

T = TypeVar("T", covariant=True)
END: Any = object()  # what is fetched where nothing is left
_here = threading.local()


def get_worker_info() -> Any:
    """In a worker: its ``id``, ``num_workers``, ``seed`` and ``dataset``. Elsewhere None."""
    return getattr(_here, "info", None)


class DataLoader(Generic[T]):
    """The batches of a data set: each ``for`` loop goes once over it.

    Args:
        dataset: examples found by index, or an IterableDataset.
        batch_size: examples in a batch; None takes each example as it is.
        shuffle: read in a random order, drawn from ``generator`` or from the global stream.
        sampler: the order, instead of ``shuffle``.
        batch_sampler: the order and the batches, instead of all that.
        num_workers: threads that prepare batches ahead, in order; where PyTorch has processes,
            these share the data set, the global random stream and grad mode. An error in one is
            raised where its batch would come.
        collate_fn: makes a batch of a list of examples (``default_collate``).
        drop_last: leave out a last batch that is shorter.
        timeout: seconds to wait for a worker before TimeoutError; 0 waits for ever.
        worker_init_fn: called with its number in each worker, at its start.
        prefetch_factor: batches that each worker prepares ahead (2).
        persistent_workers: keep the threads from one loop to the next.

    ``pin_memory`` and the rest are taken and change nothing. Raises ValueError for options that
    contradict each other.
    """

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None,
        sampler: Any = None, batch_sampler: Any = None, num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None, pin_memory: bool = False,
        drop_last: bool = False, timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None, multiprocessing_context: Any = None,
        generator: Any = None, *, prefetch_factor: int | None = None,
        persistent_workers: bool = False, pin_memory_device: str = "", in_order: bool = True,
    ):  # fmt: skip
        self._iterable = isinstance(dataset, IterableDataset)
        custom = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
        check_order(self._iterable, custom, batch_size, drop_last)
        check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset, self.num_workers, self.timeout = dataset, num_workers, timeout
        self.worker_init_fn, self.generator = worker_init_fn, generator
        self.pin_memory, self.persistent_workers = pin_memory, persistent_workers
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        if sampler is None and self._iterable:
            sampler = itertools.repeat(None)  # there is nothing to choose
        elif sampler is None:
            sampler = (
                RandomSampler(dataset, generator=generator) if shuffle
                else SequentialSampler(dataset)
            )  # fmt: skip
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size, self.drop_last, self.sampler = batch_size, drop_last, sampler
        self.batch_sampler = batch_sampler
        made = default_convert if batch_sampler is None else default_collate
        self.collate_fn = made if collate_fn is None else collate_fn
        self._pools: list[ThreadPoolExecutor] = []

    @property
    def _order(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __len__(self) -> int:
        if not self._iterable:
            return len(self._order)
        rest = 0 if self.drop_last else (self.batch_size or 1) - 1
        return (len(self.dataset) + rest) // (self.batch_size or 1)

    def __iter__(self) -> Iterator[Any]:
        seed = draw_seed(self.generator)  # drawn first, as PyTorch does for its workers
        return self._with_workers(seed) if self.num_workers else self._alone()

    def _alone(self) -> Iterator[Any]:
        fetch = self._fetcher()
        for index in self._order:
            batch = fetch(index)
            if batch is END:
                return
            yield batch

    def _fetcher(self) -> Callable[[Any], Any]:
        """The function from an index, or a list of them, to what the user gets, or END."""
        if not self._iterable:
            return self._fetch
        examples = iter(self.dataset)

        def read(index: Any) -> Any:
            if self.batch_sampler is None:
                example = next(examples, END)
                return END if example is END else self.collate_fn(example)
            batch = list(itertools.islice(examples, len(index)))
            short = not batch or (self.drop_last and len(batch) < len(index))
            return END if short else self.collate_fn(batch)

        return read

    def _fetch(self, index: Any) -> Any:
        if self.batch_sampler is None:
            return self.collate_fn(self.dataset[index])
        if hasattr(self.dataset, "__getitems__"):
            return self.collate_fn(self.dataset.__getitems__(index))
        return self.collate_fn([self.dataset[i] for i in index])

    def _with_workers(self, seed: int) -> Iterator[Any]:
        pools = self._pools or self._start(seed)
        try:
            jobs = [(pool, pool.submit(self._fetcher).result()) for pool in pools]
            yield from self._in_turn(deque(jobs))
        finally:
            for pool in [] if self.persistent_workers else pools:
                pool.shutdown(wait=False, cancel_futures=True)

    def _in_turn(self, workers: deque[Any]) -> Iterator[Any]:
        """Give the indices out in turn, some ahead; give the batches back in that order."""
        order, waiting = iter(self._order), deque[Any]()
        ahead = max(1, len(workers) * (self.prefetch_factor or 1))
        while True:
            while workers and len(waiting) < ahead and (index := next(order, END)) is not END:
                pool, fetch = worker = workers[0]
                workers.rotate(-1)
                waiting.append((worker, pool.submit(fetch, index)))
            if not waiting:
                return
            worker, future = waiting.popleft()
            batch = future.result(self.timeout or None)
            if batch is not END:
                yield batch
            elif worker in workers:
                workers.remove(worker)

    def _start(self, seed: int) -> list[ThreadPoolExecutor]:
        """One thread for each worker, each told who it is."""

        def begin(i: int) -> None:
            count = self.num_workers
            _here.info = SimpleNamespace(
                id=i, num_workers=count, seed=seed + i, dataset=self.dataset
            )
            if self.worker_init_fn is not None:
                self.worker_init_fn(i)

        pools = [ThreadPoolExecutor(1, "loader") for _ in range(self.num_workers)]
        for i, pool in enumerate(pools):
            pool.submit(begin, i).result()
        if self.persistent_workers:
            self._pools = pools
        return pools


def check_order(iterable: bool, custom: dict[str, Any], batch_size: Any, drop_last: bool) -> None:
    """Raise ValueError where two options both say which examples come when."""
    given = [name for name, value in custom.items() if value is not None]
    if iterable and given:
        raise ValueError(
            f"DataLoader with IterableDataset: expected unspecified {given[0]} option, but got "
            f"{given[0]}={custom[given[0]]}"
        )
    if given[:2] == ["shuffle", "sampler"]:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if "batch_sampler" in given and (len(given) > 1 or batch_size != 1 or drop_last):
        raise ValueError(
            "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
            "drop_last"
        )
    if batch_size is None and drop_last:
        raise ValueError(
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
        )


def check_workers(count: int, timeout: float, ahead: int | None, persistent: bool) -> None:
    """Raise ValueError for numbers below 0, and options that need workers where there are none."""
    if count < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable workers."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if ahead is not None and (count == 0 or ahead < 0):
        raise ValueError("prefetch_factor option should be non-negative and needs num_workers > 0")
    if persistent and count == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")
