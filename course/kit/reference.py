"""The course's reference, written from the package: `python -m kit.reference`."""

from pathlib import Path

DIFFERENCES = Path(__file__).resolve().parents[1] / "reference" / "differences.md"
