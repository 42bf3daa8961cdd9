"""How much memory is left, and a cap so that an answer cannot take all of it.

Without the cap the system may end the kernel, and with it all that the learner has defined. On
Linux only: other systems have no such limit that can be set and lifted again.
"""

import sys
from contextlib import contextmanager
from pathlib import Path

KEPT_FREE = 0.2  # of what is left when a check begins
LEAST = 2**30  # bytes that an answer may always ask for: a count that is off must not stop it
CGROUP = Path("/sys/fs/cgroup")  # version 2, which every container host has had for years


@contextmanager
def memory_capped():
    """In this with-block a call that asks for more memory than is left gets a MemoryError."""
    cap = address_space()
    if cap is None:
        yield
        return
    import resource  # not there on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limits = [cap, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def address_space():
    """Return the address space in bytes that this process may have, or None for no cap."""
    # A GPU's driver maps far more addresses than it uses memory, so there a cap says nothing.
    if not sys.platform.startswith("linux") or "cupy" in sys.modules:
        return None
    try:
        mapped = kilobytes("/proc/self/status", "VmSize")
        free = min(kilobytes("/proc/meminfo", "MemAvailable"), container_room())
    except (OSError, ValueError):
        return None
    return mapped + max(LEAST, int(free * (1 - KEPT_FREE)))


def kilobytes(path, name):
    """Return the bytes that a line such as "VmSize: 12 kB" of a file in /proc states."""
    for line in Path(path).read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"{path} has no {name}")


def container_room():
    """Return the bytes that are left to this container; infinity where it has no limit."""
    try:
        limit = int((CGROUP / "memory.max").read_text())  # "max" is no number: no limit
        used = int((CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return float("inf")
    return max(0, limit - used)
