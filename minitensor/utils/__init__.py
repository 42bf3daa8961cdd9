"""Tools around training: ``data`` reads and batches examples."""

from . import data as data
