"""Honest timings on CPU and GPU, and files of them that can be trusted.

>>> from minitensor.timing import bench
>>> print(bench(lambda: x @ x))  # doctest: +SKIP
87.6 µs (quartiles 86.9 µs to 89.4 µs), 12 samples of 4 calls, work on cpu, precision 1.6%: ...

``bench`` waits for the device, warms up, repeats until the median is known to the precision that
was asked for, and says if it was not reached. ``work`` counts an op's bytes and operations,
``limits`` measures what the machine can do at best, ``transfer`` what moving data costs.
``FakeDevice`` is a GPU on a virtual clock, for lessons. ``load`` and ``recorded`` read files that
``python -m minitensor.timing record`` wrote.
"""

from .fake import FakeDevice as FakeDevice
from .limits import Limits as Limits
from .limits import limits as limits
from .limits import transfer as transfer
from .measure import Timing as Timing
from .measure import TimingError as TimingError
from .measure import bench as bench
from .measure import first_calls as first_calls
from .measure import seconds as seconds
from .record import Recording as Recording
from .record import load as load
from .record import record as record
from .record import recorded as recorded
from .record import save as save
from .schema import RecordError as RecordError
from .work import Work as Work
from .work import work as work
