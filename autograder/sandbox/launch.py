"""Starts a kernel behind the wall: from the fork server, in a bubblewrap of its own, or as an ordinary process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autograder.kernel_side import limits
from autograder.kernel_side.exchange import CHANNELS
from autograder.sandbox import bubblewrap
from autograder.sandbox.servers import PLAIN, TORCH, ServerFailed, environment
from autograder.sandbox.wall import Wall
from autograder.standin import kernel_packages

START_SECONDS = 60


@dataclass(frozen=True)
class Order:
    """What kernel is wanted.

    `files` are the submission's other files by relative path; `masked` packages cannot be imported; `torch` says that
    PyTorch will be; `limits` replace some of `kernel_side.limits.DEFAULTS`.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    masked: tuple[str, ...] = ()
    torch: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)


class Running:
    """A kernel behind the wall: its line to the judge, its state, its end. `endpoint` is the prefix of its sockets."""

    def __init__(self, endpoint: str, line: socket.socket, folder: Path):
        self.endpoint, self.line, self._folder = endpoint, line, folder
        self.status: int | None = None
        self.memory = False  # whether it was ended for using too much

    def poll(self) -> int | None:
        """The exit status; None while it runs."""
        raise NotImplementedError

    def signal(self, number: int) -> None:
        """Send it a signal."""
        raise NotImplementedError

    def close(self) -> None:
        """End it, with all it has started, and remove its folder."""
        self.signal(signal.SIGKILL)
        self.line.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class Forked(Running):
    """A fork of the server; the connection to it is its life."""

    def __init__(self, connection: socket.socket, *arguments):
        super().__init__(*arguments)
        self._connection, self._heard = connection, b""

    def poll(self) -> int | None:
        if self.status is None and select.select([self._connection], [], [], 0)[0]:
            with contextlib.suppress(OSError):
                part = self._connection.recv(4096)
                self._heard += part
                if not part or b"\n" in self._heard:
                    said = json.loads(self._heard or b"{}")
                    self.status, self.memory = said.get("ended", -1), said.get("memory", False)
        return self.status

    def signal(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self._connection.send(bytes([number]))

    def close(self) -> None:
        super().close()
        self._connection.close()


class Fresh(Running):
    """A process of its own."""

    def __init__(self, process: subprocess.Popen, *arguments):
        super().__init__(*arguments)
        self._process = process

    def poll(self) -> int | None:
        self.status = self._process.poll()
        return self.status

    def signal(self, number: int) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, number)

    def close(self) -> None:
        super().close()
        self._process.wait()


def start(wall: Wall, order: Order, key: str) -> Running:
    """Start a kernel that signs its messages with `key`. Raises `ServerFailed`."""
    folder = Path(tempfile.mkdtemp(prefix="ag-"))
    endpoint = str(folder / "c")
    line, theirs = socket.socketpair()
    with contextlib.ExitStack() as ours:
        on_failure = contextlib.ExitStack()
        on_failure.callback(shutil.rmtree, folder, ignore_errors=True)
        on_failure.callback(line.close)
        with on_failure:
            ours.enter_context(theirs)
            sockets = [ours.enter_context(_listener(f"{endpoint}-{i}")) for i in range(1, len(CHANNELS) + 1)]
            archive = ours.enter_context(_archive(order.files))
            descriptors = [*(s.fileno() for s in sockets), theirs.fileno()]
            specification = _specification(wall, order, key, folder)
            begin = _forked if wall.server else _fresh
            running = begin(wall, order, specification, descriptors, archive, (endpoint, line, folder))
            on_failure.pop_all()
    return running


def _specification(wall: Wall, order: Order, key: str, folder: Path) -> dict:
    behind = wall.kind != "process"
    work = bubblewrap.WORK if behind else str(folder / "work")
    home = bubblewrap.SCRATCH if behind else str(folder / "home")
    if not behind:
        os.mkdir(work)
    packages = bubblewrap.PACKAGES if behind else str(kernel_packages())
    return {
        "key": key,
        "environment": environment(packages, home),
        "folder": work,
        "empty": bubblewrap.folders_in_memory(),
        "hidden": [path for name in order.masked if (path := bubblewrap.package_folder(name))],
        "masked": list(order.masked),
        "torch": order.torch,
        "limits": {**limits.DEFAULTS, **order.limits},
    }


def _forked(wall: Wall, order: Order, specification: dict, descriptors: list[int], archive, rest: tuple) -> Forked:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(START_SECONDS)
        connection.connect(str(Path(wall.server) / (TORCH if order.torch else PLAIN)))
        sent = descriptors if archive is None else [*descriptors, archive.fileno()]
        socket.send_fds(connection, [json.dumps(specification).encode() + b"\n"], sent)
        said = json.loads(connection.makefile("rb", buffering=0).readline() or b"{}")
    except (OSError, ValueError) as error:
        connection.close()
        raise ServerFailed(f"the fork server does not answer ({type(error).__name__})") from None
    if "started" not in said:
        connection.close()
        raise ServerFailed(f"the fork server could not start a kernel ({said.get('failed', 'it is gone')})")
    connection.settimeout(None)
    return Forked(connection, *rest)


def _fresh(wall: Wall, order: Order, specification: dict, descriptors: list[int], archive, rest: tuple) -> Fresh:
    arguments = [sys.executable, "-P", "-m", "kernel_side.kernel", json.dumps(specification), *map(str, descriptors)]
    cwd = specification["folder"]
    if wall.kind == "bwrap":
        most = specification["limits"]["disk"]
        arguments = bubblewrap.command(arguments, server=False, hidden=specification["hidden"], disk=most)
        cwd = "/"
    process = subprocess.Popen(
        arguments,
        env=specification["environment"],
        cwd=cwd,
        stdin=archive or subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=descriptors,
        start_new_session=True,
    )
    return Fresh(process, *rest)


def _listener(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    return listener


@contextlib.contextmanager
def _archive(files: Mapping[str, bytes]):
    """An open file with a tar archive of `files`; None when there are none."""
    if not files:
        yield None
        return
    with tempfile.TemporaryFile() as archive:
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, data in sorted(files.items()):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        archive.seek(0)
        yield archive
