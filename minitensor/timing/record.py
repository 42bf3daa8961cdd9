"""Recording timings to a file, and reading them back: measured, labelled, and never edited.

``record`` runs the course's measurement set on the devices that there are and writes one JSON file;
``load`` reads one and refuses what is not as it was written. ``schema.json`` describes every field.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import backend, cuda
from .limits import limits, transfer
from .measure import Timing, bench, first_calls
from .schema import RecordError, validate
from .tasks import first, minitensor, small, tasks

SHIPPED = Path(__file__).parent / "recorded"
LIMITS = ("device", "dtype", "bandwidth", "rate", "launch")
PRECISION = 0.02
BYTES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)  # of a transfer


@dataclass(frozen=True)
class Measurement:
    """One row of a file: a Timing, what it is of, and the work in it."""

    group: str
    name: str
    size: int
    device: str
    flops: int | None
    bytes: int | None
    timing: Timing


@dataclass(frozen=True)
class Recording:
    """A file of timings: ``about`` holds its fields but for the measurements."""

    about: dict[str, Any]
    measurements: tuple[Measurement, ...]

    def label(self, device: str = "cpu") -> str:
        """The device's name and the day, for the legend of a plot."""
        hardware = self.about["hardware"]
        name = hardware["gpu"] if device.startswith("cuda") else hardware["cpu"]
        return f"{name}, recorded {self.about['date'][:10]}"

    def select(self, **wanted: Any) -> list[Measurement]:
        """The measurements with these fields (group, name, size, device), by rising size."""
        found = [
            m for m in self.measurements
            if all(getattr(m, field) == value for field, value in wanted.items())
        ]  # fmt: skip
        return sorted(found, key=lambda m: m.size)


# -- writing ---------------------------------------------------------------------------------------


def record(
    devices: list[str] | None = None,
    note: str = "",
    limit: float = 0.5,
    say: Callable[[str], None] = print,
    chosen: Callable[[Any], bool] = lambda task: True,
) -> dict[str, Any]:
    """Run the measurement set; return what ``save`` writes.

    Args:
        devices: such as ["cpu", "cuda"]; those that there are without it.
        note: goes into the file.
        limit: seconds for each measurement, at most (6 samples are taken in any case).
        say: is told each result.
        chosen: which tasks of the set to run.

    Raises RuntimeError for a device that is not there.
    """
    found = devices or (["cpu", "cuda"] if cuda.is_available() else ["cpu"])
    data: dict[str, Any] = {
        "format": "minitensor timings", "version": 1, "note": note,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "hardware": hardware(), "software": software(), "limits": [], "measurements": [],
    }  # fmt: skip
    for device in found:
        for row in _measurements(device, limit, chosen):
            data["measurements"].append(row)
            say(str(timing_of(row)))
        top = limits(device, limit=limit)
        data["limits"].append({f: getattr(top, f) for f in LIMITS})
    data["checksum"] = checksum(data)
    return data


def _measurements(device: str, limit: float, chosen: Callable[[Any], bool]) -> Any:
    """The rows of one device; the first calls come first, before anything is warm."""
    lib = minitensor()
    rows = [
        ("first calls", "matmul, tanh, sum", 256, first_calls(lambda: first(lib, device), device))
    ]
    for wait, name in ((False, "add returned"), (True, "add finished")):
        timing = bench(small(lib, device), device, precision=PRECISION, limit=limit, wait=wait)
        rows.append(("overhead", name, 1, timing))
    if device.startswith("cuda"):
        for n in BYTES:
            found = transfer(n, device, limit=limit)
            rows += [("transfer", name, n, timing) for name, timing in found.items()]
    for group, name, size, timing in rows:
        yield _row(group, name, size, device, timing)
    for task in filter(chosen, tasks(device)):
        timing = bench(task.make(lib, device), device, precision=PRECISION, limit=limit)
        yield _row(task.group, task.name, task.size, device, timing, task.work)


def _row(group: str, name: str, size: int, device: str, timing: Timing, work: Any = None) -> Any:
    row = {"group": group, "name": name, "size": size, "device": device}
    row |= {k: getattr(work, k, None) for k in ("flops", "bytes")}
    row |= {"calls": timing.calls, "what": timing.what, "wanted": timing.wanted}
    return row | {"samples": [float(f"{t:.5g}") for t in timing.samples]}


def hardware() -> dict[str, Any]:
    """This machine, as the schema's ``hardware`` describes it."""
    cpu, memory = platform.processor() or platform.machine(), 0
    if Path("/proc/cpuinfo").exists():  # Linux, where platform.processor() is often empty
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next((s.partition(": ")[2] for s in lines if s.startswith("model name")), cpu)
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": cpu, "cores": cores or 1, "memory": memory,
        "gpu": cuda.get_device_name() if cuda.is_available() else None,
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }  # fmt: skip


def software() -> dict[str, Any]:
    """The versions that decide a timing."""
    cupy = backend.load_cupy() if cuda.is_available() else None
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "minitensor": minitensor().__version__, "numpy": np.__version__,
        "cupy": getattr(cupy, "__version__", None),
        "cuda": str(cupy.cuda.runtime.runtimeGetVersion()) if cupy else None,
    }  # fmt: skip


def checksum(data: dict[str, Any]) -> str:
    """SHA-256 of every field but ``checksum``, whatever their order and spacing in the file."""
    rest = {k: v for k, v in data.items() if k != "checksum"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def save(data: dict[str, Any], path: Any) -> None:
    """Write what ``record`` returned; a file that is there is not overwritten (FileExistsError)."""
    validate(data)
    _check(data)
    with open(path, "x", encoding="utf-8") as file:
        json.dump(data, file, separators=(",", ":"), allow_nan=False)
        file.write("\n")


# -- reading ---------------------------------------------------------------------------------------


def load(path: Any) -> Recording:
    """Read a file that ``save`` wrote.

    Raises RecordError, with what is wrong, if it is no such file, is of another version, lacks a
    field, holds an impossible value, or was changed after it was written; OSError without a file.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_no_number)
    except ValueError as error:
        raise RecordError(f"{path} is not JSON: {error}") from None
    try:
        validate(data)
        _check(data)
    except RecordError as error:
        raise RecordError(f"{path} is refused: {error}") from None
    rows = data.pop("measurements")
    fields = ("group", "name", "size", "device", "flops", "bytes")
    made = [Measurement(**{f: row[f] for f in fields}, timing=timing_of(row)) for row in rows]
    return Recording(data, tuple(made))


def _check(data: dict[str, Any]) -> None:
    if data["checksum"] != checksum(data):
        raise RecordError("its checksum does not fit: it was changed after it was recorded")


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def recorded(folder: Any = SHIPPED) -> list[Recording]:
    """All files of timings in a folder, oldest first; without one, those that ship with the course.

    Raises RecordError if one of them cannot be trusted.
    """
    found = [load(path) for path in sorted(Path(folder).glob("*.json"))]
    return sorted(found, key=lambda r: str(r.about["date"]))


def timing_of(row: dict[str, Any]) -> Timing:
    """The Timing in a row of the file."""
    label = f"{row['group']}, {row['name']}, {row['size']}"
    return Timing(
        tuple(row["samples"]), row["calls"], row["wanted"], row["device"], row["what"], label
    )
