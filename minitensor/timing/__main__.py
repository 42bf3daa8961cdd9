"""``python -m minitensor.timing``: record this machine, compare with peers, check files."""

from __future__ import annotations

import argparse
import datetime
import sys
from pathlib import Path
from typing import Any

from . import limits, load, record, save
from .peers import table
from .record import SHIPPED, hardware, software


def _record(options: Any) -> None:
    out = Path(options.out or f"timings-{datetime.date.today()}.json")
    if out.exists():
        sys.exit(f"{out} is there already: name another with --out")
    save(record(options.device, options.note, options.limit), out)
    load(out)
    print(f"wrote {out}, {out.stat().st_size / 1000:.0f} kB. To ship it with the course: {SHIPPED}")


def _compare(options: Any) -> None:
    print(hardware(), software(), "", sep="\n")
    for device in options.device or ["cpu"]:
        print(f"On {device}, medians of {options.rounds} samples in turns:\n")
        for line in table(device, options.rounds):
            print(line, flush=True)
        top = limits(device)
        print(f"\nbandwidth {top.bandwidth / 1e9:.1f} GB/s, {top.rate / 1e9:.1f} GFLOP/s\n")


def _check(options: Any) -> None:
    for path in options.files:
        print(path, "is as it was recorded:", load(path).label())


def main() -> None:
    """Run the command that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m minitensor.timing", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="record, compare or check")
    recorder = commands.add_parser("record", help="time the course's measurement set into a file")
    recorder.add_argument("--out", help="the file (default: timings-DATE.json)")
    recorder.add_argument("--note", default="", help="what to say of this machine")
    recorder.add_argument("--limit", type=float, default=0.5, help="seconds a measurement")
    comparer = commands.add_parser("compare", help="by hand, minitensor and PyTorch, in turns")
    comparer.add_argument("--rounds", type=int, default=31, help="samples of each (default 31)")
    for command in (recorder, comparer):
        command.add_argument("--device", action="append", help="cpu or cuda; may be given twice")
    checker = commands.add_parser("check", help="see that files are as they were recorded")
    checker.add_argument("files", nargs="+")
    does = {recorder: _record, comparer: _compare, checker: _check}
    for command, run in does.items():
        command.set_defaults(run=run)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
