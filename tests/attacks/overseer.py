"""`python -m tests.attacks.overseer REPORT SECONDS COMMAND…`: runs a command, then lists and ends what it has left.

Processes that lose their parent become children of this one, wherever they hide, unless they are in a pid namespace:
and that ends with its first process.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def main(report: str, seconds: str, *command: str) -> int:
    """Exit status of the command, 124 when it took too long; the report is a JSON list of [pid, name, command line]."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    inherited = [int(fd) for fd in os.environ.get("ATTACKS_PASS_FDS", "").split()]
    running = subprocess.Popen(command, pass_fds=inherited)
    try:
        status = running.wait(float(seconds))
    except subprocess.TimeoutExpired:
        status = 124
    left = descendants()
    until = time.monotonic() + 10  # what is being ended by the system may take a moment
    while left and time.monotonic() < until and status != 124:
        time.sleep(0.1)
        left = descendants()
    Path(report).write_text(json.dumps(left))
    while alive := descendants():
        for pid, _, _ in alive:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    return status


def descendants() -> list[tuple[int, str, str]]:
    """All living processes below this one."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    found, waiting = [], [os.getpid()]
    while waiting:
        for pid in _children(waiting.pop()):
            waiting.append(pid)
            with contextlib.suppress(OSError):
                state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("latin-1")
                if state != "Z":
                    found.append((pid, name, line[:200]))
    return found


def _children(pid: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
