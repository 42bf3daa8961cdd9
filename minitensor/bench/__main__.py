"""The command line of the benchmark: one thread, one table, one run."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys

from . import MINE, WORK, Work, __doc__, measure, peak_memory, peers

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def on_threads(count: int) -> None:
    """See that NumPy's BLAS uses ``count`` threads: if it was not told so, start again."""
    if all(os.environ.get(name) == str(count) for name in THREADS):
        return
    settings = {**os.environ, **dict.fromkeys(THREADS, str(count))}
    again = [sys.executable, "-m", "minitensor.bench", *sys.argv[1:]]
    sys.exit(subprocess.run(again, env=settings, check=False).returncode)


def import_seconds(module: str, times: int = 9) -> float:
    """Median seconds of ``import module`` in a fresh interpreter, as it measures itself."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    settings = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code]
    runs = [subprocess.run(command, env=settings, capture_output=True) for _ in range(times + 1)]
    return statistics.median(float(run.stdout) for run in runs[1:])  # the first one may compile


def row(work: Work, result: dict[str, float]) -> str:
    """One line of the table, in Markdown."""
    cells = [f"{result[peer] * 1e3:.2f}" if peer in result else "-" for peer in peers()]
    others = [peer for peer in peers() if peer != MINE]
    against = [f"{result[MINE] / result[p]:.2f}" if p in result else "-" for p in others]
    return f"| {work.label} | {' | '.join([*cells, *against])} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m minitensor.bench", description=__doc__)
    parser.add_argument("work", nargs="*", help=f"of {', '.join(WORK)}; default: all")
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds (default 15)")
    parser.add_argument("--threads", type=int, default=1, help="of NumPy's BLAS (default 1)")
    options = parser.parse_args()
    on_threads(options.threads)
    import numpy

    names = peers()
    others = [name for name in names if name != MINE]
    versions = f"Python {platform.python_version()}, NumPy {numpy.__version__}"
    print(
        f"{datetime.date.today()}, {platform.machine()} {platform.system()}, {versions}, ", end=""
    )
    print(f"threads: {options.threads}, medians of {options.rounds} interleaved rounds\n")
    heads = [f"{n}, ms" for n in names] + [f"times {n}" for n in others]
    print(f"| work | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for name in options.work or WORK:
        print(row(WORK[name], measure(WORK[name], options.rounds)), flush=True)
    if not options.work:
        for name in ("elementwise", "deep"):
            print(
                f"\nextra peak memory, {WORK[name].label}: {peak_memory(WORK[name]) / 1e6:.0f} MB"
            )
        mine, theirs = import_seconds(MINE), import_seconds("numpy")
        print(f"\nimport: {mine * 1e3:.0f} ms, {mine / theirs:.2f} times NumPy's own")


if __name__ == "__main__":
    main()
