"""A Jupyter kernel for grading: its sockets are handed to it, and it keeps nothing.

The fork server starts it, or it starts by itself where forking is not possible:
`python -m kernel_side.kernel SPECIFICATION DESCRIPTOR…` (JSON; the channels' sockets and the judge's line), with a tar
archive as input.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import io
import json
import os
import random
import socket
import sys
import tarfile
from importlib.abc import MetaPathFinder
from typing import Any

import zmq
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session
from traitlets import default

from kernel_side import judged, limits, seccomp
from kernel_side.exchange import CHANNELS

PORTS = {name: number for number, name in enumerate((*CHANNELS, "hb"), 1)}
PRELOADED = (
    "numpy", "matplotlib.pyplot", "matplotlib_inline.backend_inline", "course_utils", "ipykernel.zmqshell",
    "ipykernel.debugger", "IPython.core.completerlib", "IPython.core.oinspect", "IPython.core.debugger", "pdb", "http",
    "pkgutil", "mimetypes", "faulthandler",
)  # fmt: skip
OUTPUTS = ("stream", "display_data", "execute_result", "update_display_data", "error")
MAX_OUTPUT = 2**20  # characters
CUT = "\n[the rest of this output was cut]"
SWITCH_SECONDS = 0.0005  # a thread that a cell leaves behind must not slow down the cells after it
LINE = 3 + len(CHANNELS)  # the descriptor of the judge's line; the channels' sockets come before it


class BriefSession(Session):
    """Cuts a cell's output to a size that the grader takes: more of it would cost the cell, and is read by nobody."""

    written = 0
    printed = 0  # of it, what `BriefStream` has taken and perhaps not sent yet

    def send(self, stream, msg_or_type, content=None, *arguments, **more):
        """As jupyter_client does it, up to `MAX_OUTPUT` characters of a cell."""
        message = msg_or_type if isinstance(msg_or_type, dict) else None
        kind, said = (message["msg_type"], message["content"]) if message else (msg_or_type, content)
        if kind == "status" and said.get("execution_state") == "busy":
            self.written = self.printed = 0
        if kind == "execute_reply" and len(str(said)) > MAX_OUTPUT:
            said = {"status": said.get("status", "ok"), "execution_count": 0, "payload": [], "user_expressions": {}}
            message = {**message, "content": said} if message else None
        if kind in OUTPUTS:
            left = MAX_OUTPUT - self.written
            self.written += len(str(said))
            if left <= 0:
                return None
            if self.written > MAX_OUTPUT:
                kind, said = brief(kind, said, left)
                header = {**message["header"], "msg_type": kind} if message else None
                message = {**message, "header": header, "msg_type": kind, "content": said} if message else None
        return super().send(stream, message or kind, None if message else said, *arguments, **more)


class BriefStream(OutStream):
    """stdout or stderr of a kernel: what nobody will read is not even kept, so that a flood of it costs little."""

    def write(self, string: str) -> int | None:
        """As ipykernel does it, up to a little more than `MAX_OUTPUT` characters of a cell."""
        if not isinstance(string, str):
            return super().write(string)  # it raises
        left = MAX_OUTPUT + 1 - self.session.printed
        self.session.printed += len(string)
        if left > 0:
            super().write(string[:left])
        return len(string)


def brief(kind: str, said: dict[str, Any], left: int) -> tuple[str, dict[str, Any]]:
    """A kind of message and its content instead of one that is too long."""
    if kind == "stream":
        return kind, {**said, "text": str(said.get("text", ""))[:left] + CUT}
    return "display_data", {"data": {"text/plain": CUT}, "metadata": {}}


class GradingKernel(IPythonKernel):
    """IPython's kernel with one more request, sent at a check: to keep its state for the judge."""

    msg_types = [*IPythonKernel.msg_types, "hold_request"]

    async def hold_request(self, *_):
        """The kept process answers by itself, on a socket that comes over the judge's line."""
        judged.hold(self.shell.user_ns)


class GradingKernelApp(IPKernelApp):
    """ipykernel's application on sockets that are bound already; without connection file, heartbeat or history."""

    kernel_class = GradingKernel
    outstream_class = f"{__name__}.BriefStream"

    @default("session")
    def _session_default(self):
        return BriefSession(parent=self)

    def parse_command_line(self, argv=None):
        """There is none, and reading it takes a fifth of a kernel's start."""

    def init_connection_file(self):
        """There is none: `run` has set everything."""

    def write_connection_file(self, **_):
        """There is none."""

    def init_heartbeat(self):
        """The server tells when a kernel ends."""

    def init_control(self, context):
        """Without the debugger's second connection."""
        super().init_control(context)
        self.debug_shell_socket.close()

    def init_iopub(self, context):
        """As ipykernel does it, but without the port on which it hears what subprocesses print."""
        self.iopub_socket = context.socket(zmq.XPUB)
        self.iopub_socket.linger = 1000
        self.iopub_port = self._bind_socket(self.iopub_socket, self.iopub_port)
        self.configure_tornado_logger()
        self.iopub_thread = IOPubThread(self.iopub_socket, pipe=False, session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket

    def init_path(self):
        """A submission may bring modules of its own, but none in the place of an installed one."""
        sys.path[:] = [path for path in sys.path if path] + [""]

    def _bind_socket(self, s, port):
        s.setsockopt(zmq.USE_FD, 2 + port)
        s.bind(f"ipc://{self.ip}-{port}")
        return port


class Masked(MetaPathFinder):
    """Says why a module cannot be imported; that it cannot is what the wall sees to, by hiding its folder."""

    def __init__(self, names: list[str]):
        self.names = frozenset(names)

    def find_spec(self, fullname, path=None, target=None):
        """Raises `ModuleNotFoundError` for a masked module; leaves every other to the next finder."""
        name = fullname.partition(".")[0]
        if name in self.names:
            raise ModuleNotFoundError(f"{name} is not available when this assignment is graded", name=name)


def same_start() -> None:
    """The state of the random generators from which every kernel starts."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def preload(with_torch: bool) -> None:
    """Import what kernels and notebooks use; on one thread, as a fork after others have started can hang."""
    for name in PRELOADED:
        importlib.import_module(name)
    if with_torch:
        importlib.import_module("torch").set_num_threads(1)
        importlib.import_module("torch._dynamo")  # every optimizer needs it, and it looks for packages masked later
    same_start()


def unpack(archive: bytes) -> None:
    """The submission's other files, which the grader has named, into the current folder."""
    if archive:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall()


def run(specification: dict[str, Any]) -> None:
    """Be the kernel that `specification` describes, in the current folder, until the process ends."""
    os.environ.clear()
    os.environ.update(specification["environment"])
    os.makedirs(os.environ["HOME"], exist_ok=True)
    limits.apply(specification["limits"])
    if sys.platform == "linux":
        seccomp.apply()
    sys.meta_path.insert(0, Masked(specification["masked"]))
    sys.setswitchinterval(SWITCH_SECONDS)
    judged.line = socket.socket(fileno=LINE)
    app = GradingKernelApp.instance(transport="ipc", ip="channel")
    app.shell_port, app.iopub_port, app.stdin_port, app.control_port = (PORTS[name] for name in CHANNELS)
    app.config.Session.key = specification["key"].encode()
    app.config.HistoryManager.enabled = False
    app.initialize([])

    app.shell._tee = lambda channel: contextlib.nullcontext()  # IPython keeps all that is printed for its history
    app.shell.keepkernel_on_exit = True  # exit() in a cell ends nothing, as in a script that goes on below it

    def before_the_first_cell() -> None:
        app.shell.events.unregister("pre_execute", before_the_first_cell)
        same_start()  # Python's own generator takes a new seed after a fork, and starting a kernel draws from it

    app.shell.events.register("pre_execute", before_the_first_cell)
    app.start()


def put_in_place(descriptors: list[int]) -> None:
    """Make `descriptors` 3, 4, … and close all others but the standard streams."""
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 500) for descriptor in descriptors]
    for place, descriptor in enumerate(high, 3):
        os.dup2(descriptor, place)
    os.closerange(3 + len(high), 65536)


def main() -> None:
    """A kernel that is not forked."""
    specification = json.loads(sys.argv[1])
    put_in_place([int(number) for number in sys.argv[2:]])
    unpack(sys.stdin.buffer.read())
    preload(specification["torch"])
    run(specification)


if __name__ == "__main__":
    main()
