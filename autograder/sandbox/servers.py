"""Starts the fork server, in bubblewrap or without, and ends it with its owner."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PLAIN, TORCH = "plain.sock", "torch.sock"
START_SECONDS = 120  # importing everything once, on a slow disk
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "TZ")


class ServerFailed(Exception):
    """Why student code cannot be run in one way; the message has no full stop."""


def environment(packages: str, home: str) -> dict[str, str]:
    """What a process of the student's side gets of the instructor's environment, and where it finds its packages."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    folders = dict.fromkeys(("HOME", "IPYTHONDIR", "MPLCONFIGDIR", "JUPYTER_RUNTIME_DIR", "TMPDIR"), home)
    fixed = {"PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "MPLBACKEND": ""}
    return {**kept, **ONE_THREAD, **folders, **fixed, "NBGRADER_EXECUTION": "autograde"}


@contextlib.contextmanager
def start_server(isolate: bool) -> Iterator[str]:
    """A fork server, with namespaces for each kernel where `isolate` is set; yields the folder of its sockets.

    Raises `ServerFailed` where it does not start, or where its kernels cannot have namespaces.
    """
    from autograder.sandbox import bubblewrap
    from autograder.standin import kernel_packages

    folder = Path(tempfile.mkdtemp(prefix="ag-"))  # a short name: the path of a socket may have 107 bytes
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        listeners = [stack.enter_context(_listener(folder / name)) for name in (PLAIN, TORCH)]
        ours, theirs = socket.socketpair()
        stack.enter_context(ours)
        packages = bubblewrap.PACKAGES if isolate else str(kernel_packages())
        home = bubblewrap.SCRATCH if isolate else str(folder / "home")
        passed = [*(listener.fileno() for listener in listeners), theirs.fileno()]
        arguments = [sys.executable, "-P", "-m", "kernel_side.server", *map(str, passed), str(int(isolate))]
        if isolate:
            arguments = bubblewrap.command(arguments, server=True)
        log = stack.enter_context(tempfile.TemporaryFile())
        process = subprocess.Popen(
            arguments,
            env=environment(packages, home),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=passed,
            start_new_session=True,  # Ctrl-C is for the grader, which ends the server in order
        )
        theirs.close()
        stack.callback(_end, process, ours)
        _wait_until_ready(ours, log)
        for listener in listeners:
            listener.close()
        yield str(folder)


def _listener(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(128)
    return listener


def _wait_until_ready(lifeline: socket.socket, log) -> None:
    lifeline.settimeout(START_SECONDS)
    try:
        said = lifeline.makefile("rb").readline()
        trouble = json.loads(said)["trouble"]
    except (OSError, ValueError):
        log.seek(0)
        lines = log.read().decode("utf-8", "replace").strip().splitlines()
        why = lines[-1][:300] if lines else "it says nothing"
        raise ServerFailed(f"the fork server does not start ({why})") from None
    if trouble:
        raise ServerFailed(f"kernels cannot have namespaces of their own ({trouble})")


def _end(process: subprocess.Popen, lifeline: socket.socket) -> None:
    lifeline.close()  # which the server takes as its end
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
