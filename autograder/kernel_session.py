"""One kernel behind the wall, and the client that talks to it: start, wait until it is ready, ask, end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from queue import Empty
from typing import Any

import zmq
import zmq.asyncio

from autograder.kernel_side.exchange import STATUS, receive_from
from autograder.sandbox.launch import Order
from autograder.sandbox.provisioner import WalledKernelManager
from autograder.sandbox.servers import ServerFailed

START_SECONDS = 60
HOLD_SECONDS = 10
SEND_MILLISECONDS = 3000  # a kernel that has closed its sockets must not hold up the grader
# What may wait here of a kernel's messages: their number on each channel, and the size of one.
MAX_WAITING, MAX_MESSAGE = 100, 8 * 2**20


class KernelSession:
    """A running kernel. `manager` and `client` are jupyter_client's, for nbclient to execute cells with."""

    def __init__(self, order: Order):
        self._context = zmq.asyncio.Context()
        self._context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
        self._context.setsockopt(zmq.RCVHWM, MAX_WAITING)
        self._context.setsockopt(zmq.LINGER, 0)
        self._context.setsockopt(zmq.SNDTIMEO, SEND_MILLISECONDS)
        self.manager = WalledKernelManager(context=self._context)
        self.client: Any = None
        self._order = order

    async def open(self) -> None:
        """Start the kernel and wait for it. Raises `ServerFailed`."""
        await self.manager.start_kernel(order=self._order)
        self.client = self.manager.client(context=self._context)
        self.client.allow_stdin = False
        self.client.start_channels(hb=False)
        if not await self._ready():
            await self.close()
            raise ServerFailed("a kernel was started and does not answer")

    @property
    def wall(self) -> Any:
        """The wall that the kernel runs behind."""
        return self.manager.provisioner.wall

    @property
    def ended_for_memory(self) -> bool:
        """Whether the kernel was ended because its processes held more memory than they may."""
        running = self.manager.provisioner.running
        return bool(running and running.poll() is not None and running.memory)

    async def _ready(self) -> bool:
        """Whether the kernel answers, and its outputs are heard here from now on."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and await self.alive():
            asked = self._ask_for_info()
            if await self.reply_to(asked, 1.0) is None:
                continue
            with contextlib.suppress(Empty):
                while True:
                    message = await self.client.iopub_channel.get_msg(timeout=0.1)
                    if message["parent_header"].get("msg_id") == asked and _idle(message):
                        return True
        return False

    async def alive(self) -> bool:
        """Whether the kernel's process runs."""
        return await self.manager.is_alive()

    def _ask_for_info(self) -> str:
        """Send the request that any kernel answers; its id, empty where the kernel does not take it."""
        try:
            return self.client.kernel_info()
        except zmq.ZMQError:
            return ""

    async def reply_to(self, asked: str, seconds: float) -> dict | None:
        """The reply to a request of ours; None if it was not sent, does not come in time, or the kernel is dead."""
        if not asked:
            return None
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                reply = await self.client.shell_channel.get_msg(timeout=min(0.5, seconds))
            except Empty:
                if not await self.alive():
                    return None
                continue
            except Exception:  # a message with a wrong signature, or none at all
                continue
            if reply["parent_header"].get("msg_id") == asked:
                return reply
        return None

    async def settles(self, seconds: float) -> bool:
        """Whether an interrupted kernel answers again within `seconds`."""
        return await self.reply_to(self._ask_for_info(), seconds) is not None

    async def hold(self) -> socket.socket | None:
        """A socket to a process that keeps the kernel's state as it is now; None where the kernel does not do that."""
        ours, theirs = socket.socketpair()
        with theirs:
            line = self.manager.provisioner.running.line
            try:
                line.setblocking(False)
                socket.send_fds(line, [b"+"], [theirs.fileno()])
            except OSError:
                ours.close()
                return None
        ours.setblocking(False)
        try:
            self.client.shell_channel.send(self.client.session.msg("hold_request"))
            if await asyncio.wait_for(receive_from(ours), HOLD_SECONDS) == (STATUS, b"ready"):
                return ours
        except (OSError, zmq.ZMQError, TimeoutError):
            pass
        ours.close()
        return None

    def pause(self) -> None:
        """Stop the kernel itself: of the notebook, only the processes that keep its states go on."""
        self.manager.provisioner.running.signal(signal.SIGSTOP)

    def kill(self) -> None:
        """End the kernel at once; who waits for it finds it dead."""
        self.manager.provisioner.running.signal(signal.SIGKILL)

    async def close(self) -> None:
        """End the kernel and all that it has started."""
        if self.client is not None:
            self.client.stop_channels()
        provisioner = self.manager.provisioner
        if provisioner is not None and provisioner.has_process:
            await provisioner.send_signal(signal.SIGKILL)
            await provisioner.cleanup()
        self._context.destroy(linger=0)


def _idle(message: dict) -> bool:
    return message["msg_type"] == "status" and message["content"].get("execution_state") == "idle"
