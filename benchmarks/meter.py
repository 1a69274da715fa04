"""Measures a command: its time, and the most memory that it and all it starts hold at once."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

EVERY_SECONDS = 4.0  # a look costs a tenth of a second of one core


@dataclass(frozen=True)
class Measured:
    """Seconds, and megabytes at the peak (shared pages counted once)."""

    seconds: float
    megabytes: float


def measure(command: Sequence[str], cwd: Path, environment: dict[str, str] | None = None) -> Measured:
    """Run `command` and measure it. Raises `SystemExit` with its last lines where it fails."""
    log = cwd / "benchmark.log"
    peak = [0.0]
    done = threading.Event()
    started = time.perf_counter()
    with open(log, "wb") as output:
        process = subprocess.Popen(
            list(command), cwd=cwd, env={**os.environ, **(environment or {})}, stdout=output, stderr=output
        )
        watcher = threading.Thread(target=_watch, args=(process.pid, peak, done), daemon=True)
        watcher.start()
        status = process.wait()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    if status != 0:
        sys.exit(f"{' '.join(command)} failed:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:]))
    return Measured(seconds, peak[0])


def _watch(pid: int, peak: list[float], done: threading.Event) -> None:
    while not done.wait(EVERY_SECONDS):
        total = 0
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(pid)
            for process in [root, *root.children(recursive=True)]:
                with contextlib.suppress(psutil.Error, OSError):
                    total += process.memory_full_info().pss
        peak[0] = max(peak[0], total / 2**20)
