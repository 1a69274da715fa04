"""Resource limits of a student kernel, and the memory that all its processes use together."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from pathlib import Path

MEBI = 2**20
DEFAULTS = {
    "memory": 4096 * MEBI,  # bytes: address space beyond what the kernel starts with, and resident in all processes
    "disk": 128 * MEBI,  # bytes in each folder of its own
    "file_size": 128 * MEBI,
    "processes": 128,
    "open_files": 256,
    "cpu": 300,  # seconds of each process
}


def apply(limits: dict[str, int]) -> None:
    """Put the limits on the calling process and all it starts."""
    for kind in (signal.SIGALRM, signal.SIGXCPU):
        signal.signal(kind, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write that is too large fails with a sentence instead
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, limits["cpu"])
    _lower(resource.RLIMIT_FSIZE, limits["file_size"])
    _lower(resource.RLIMIT_NOFILE, limits["open_files"])
    for name in ("RLIMIT_NPROC", "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE"):
        if hasattr(resource, name):
            _lower(getattr(resource, name), limits["processes"] if name == "RLIMIT_NPROC" else 0)
    in_use = address_space()
    if in_use:  # Linux; elsewhere the address space cannot be limited this way
        _lower(resource.RLIMIT_AS, in_use + limits["memory"])


def _lower(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (most, most))


def address_space() -> int:
    """Bytes of address space in use by this process; 0 where that is not known."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def families(processes: dict[int, int]) -> dict[int, list[int]]:
    """For every process of the machine's view: its children; from `parents`."""
    children: dict[int, list[int]] = {}
    for pid, parent in processes.items():
        children.setdefault(parent, []).append(pid)
    return children


def parents() -> dict[int, int]:
    """pid → parent's pid, of all processes that this process sees."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                stat = Path(f"/proc/{entry.name}/stat").read_text()
                found[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    return found


def descendants(pid: int, children: dict[int, list[int]]) -> list[int]:
    """`pid` and all processes below it."""
    family, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        family.append(one)
        waiting += children.get(one, [])
    return family


def resident(pids: list[int]) -> int:
    """Bytes of memory that these processes hold; pages that they share are counted once where the system tells."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    return total


def proportional(pids: list[int]) -> int:
    """As `resident`, each shared page divided among those who share it; slow, so for a second look only."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration, ValueError):
            total += resident([pid])
    return total
