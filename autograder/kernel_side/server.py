"""The fork server: imports once what notebooks use, then forks a kernel for each connection.

`python -m kernel_side.server PLAIN TORCH LIFELINE ISOLATE` gets three descriptors: two listening unix sockets (for
kernels without and with PyTorch) and one end of a socket pair whose other end closes when the grader is gone; ISOLATE
is 1 where each kernel gets namespaces of its own. On each connection one message comes in, the specification as a line
of JSON with descriptors beside it; later single bytes, each a signal to send. JSON lines go out: {"started": pid} or
{"failed": sentence}, and at the end {"ended": status, "memory": whether it was ended for using too much}.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any

from kernel_side import limits, namespaces
from kernel_side.kernel import LINE, preload, put_in_place, run, unpack

MAX_MESSAGE = 2**16
LOOK_SECONDS = 0.05


@dataclass
class Kernel:
    """A running kernel and the connection that asked for it."""

    pid: int
    connection: socket.socket
    most_memory: int
    memory: bool = False  # whether it was ended for using too much


class Server:
    """Forks kernels for the connections of one listening socket."""

    def __init__(self, listener: socket.socket, lifeline: socket.socket, isolate: bool):
        self.listener, self.lifeline, self.isolate = listener, lifeline, isolate
        self.kernels: dict[int, Kernel] = {}
        self.others: set[int] = set()  # children that are no kernels
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, self._accept)
        self.selector.register(lifeline, selectors.EVENT_READ, self._grader_gone)

    def serve(self) -> None:
        """Serve until the grader is gone."""
        namespaces.adopt_orphans()
        gc.collect()
        gc.freeze()
        looked = 0.0
        while True:
            for key, _ in self.selector.select(LOOK_SECONDS if self.kernels else None):
                key.data(key.fileobj)
            self._reap()
            if self.kernels and time.monotonic() - looked > LOOK_SECONDS:
                self._watch_memory()
                looked = time.monotonic()

    def _grader_gone(self, _: Any) -> None:
        for pid in self._family(os.getpid())[1:]:
            _kill(pid, signal.SIGKILL)
        os._exit(0)

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.settimeout(5)
        descriptors: list[int] = []
        try:
            message, descriptors, _, _ = socket.recv_fds(connection, MAX_MESSAGE, 8)
            specification = json.loads(message)
            pid = self._fork(specification, descriptors)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            _tell(connection, {"failed": str(error)})
            connection.close()
            return
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        _tell(connection, {"started": pid})
        self.kernels[pid] = Kernel(pid, connection, specification["limits"]["memory"])
        self.selector.register(connection, selectors.EVENT_READ, lambda _: self._hear(pid))

    def _hear(self, pid: int) -> None:
        """A signal is wished for, or the connection ends, and with it the kernel."""
        connection = self.kernels[pid].connection
        try:
            wish = connection.recv(1)
        except OSError:
            wish = b""
        if wish and wish[0] != signal.SIGKILL:
            _kill(pid, wish[0])
            return
        if not wish:
            self.selector.unregister(connection)
        for one in [pid] if self.isolate else self._family(pid):  # the first of a pid namespace takes all with it
            _kill(one, signal.SIGKILL)

    def _reap(self) -> None:
        """Take notice of children that have ended, and end what they have left behind."""
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                kernel = self.kernels.pop(found[0], None)
                if kernel is None:
                    continue
                with contextlib.suppress(KeyError, ValueError):
                    self.selector.unregister(kernel.connection)
                ended = {"ended": os.waitstatus_to_exitcode(found[1]), "memory": kernel.memory}
                _tell(kernel.connection, ended)
                kernel.connection.close()
                if not self.isolate:
                    for orphan in limits.families(limits.parents()).get(os.getpid(), []):
                        if orphan not in self.kernels and orphan not in self.others:
                            _kill(orphan, signal.SIGKILL)

    def _watch_memory(self) -> None:
        """End a kernel whose processes hold more memory than they may."""
        children = limits.families(limits.parents())
        for kernel in self.kernels.values():
            family = limits.descendants(kernel.pid, children)
            if limits.resident(family) > kernel.most_memory and limits.proportional(family) > kernel.most_memory:
                kernel.memory = True
                for pid in family:
                    _kill(pid, signal.SIGKILL)

    def _family(self, pid: int) -> list[int]:
        return limits.descendants(pid, limits.families(limits.parents()))

    def _fork(self, specification: dict[str, Any], descriptors: list[int]) -> int:
        """The pid of a new kernel. Raises `RuntimeError` when it could not be set up."""
        reading, writing = os.pipe()
        if os.fork() == 0:
            try:
                self._become(specification, descriptors, writing)
            finally:
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            pid, _, trouble = pipe.read().decode("utf-8", "replace").partition("!")
        if trouble or not pid:
            raise RuntimeError(trouble or "the kernel's process ended before it was set up")
        return int(pid)

    def _become(self, specification: dict[str, Any], descriptors: list[int], report: int) -> None:
        """In the fork: leave the server behind and be the kernel. The first thing reported is its pid."""
        try:
            if self.isolate:
                namespaces.enter()
                pid = os.fork()
                if pid:
                    os.write(report, str(pid).encode())
                    os._exit(0)
            else:
                os.write(report, str(os.getpid()).encode())
            os.setsid()
            signal.set_wakeup_fd(-1)
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            put_in_place([*descriptors, report])
            report = 3 + len(descriptors)
            if self.isolate:
                disk = specification["limits"]["disk"]
                namespaces.make_private_view(specification["empty"], disk, specification["hidden"])
                namespaces.drop_everything()
            os.chdir(specification["folder"])
            if len(descriptors) > LINE - 2:
                with os.fdopen(LINE + 1, "rb") as file:
                    unpack(file.read())
        except BaseException as error:
            os.write(report, f"!{type(error).__name__}: {error}"[:500].encode())
            os._exit(1)
        os.close(report)
        run(specification)


def probe() -> str:
    """Why no kernel can have namespaces of its own here; empty when it can."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            namespaces.enter()
            if os.fork() == 0:
                namespaces.make_private_view(["/dev/shm"], 2**20, [])
                namespaces.drop_everything()
                os.write(writing, b"+")
            else:
                os.wait()
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}"[:300].encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.wait()
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode("utf-8", "replace")
    return "" if said == "+" else said or "a kernel's process ended while it was set up"


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)


def _tell(connection: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(message).encode() + b"\n")


def main() -> None:
    """Serve kernels without PyTorch; on the first wish for one with it, fork a second server that has imported it."""
    plain, torch, lifeline = (socket.socket(fileno=int(number)) for number in sys.argv[1:4])
    isolate = sys.argv[4] == "1"
    preload(with_torch=False)
    _tell(lifeline, {"trouble": probe() if isolate else ""})
    server = Server(plain, lifeline, isolate)

    def first_wish_for_torch(_: Any) -> None:
        server.selector.unregister(torch)
        pid = os.fork()
        if pid:
            server.others.add(pid)
            return
        for kernel in server.kernels.values():
            kernel.connection.close()
        plain.close()
        preload(with_torch=True)
        Server(torch, lifeline, isolate).serve()

    server.selector.register(torch, selectors.EVENT_READ, first_wish_for_torch)
    server.serve()


if __name__ == "__main__":
    main()
