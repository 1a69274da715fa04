"""The wall as a Jupyter kernel provisioner, so that what runs behind it is a kernel like any other.

jupyter_client finds it by its entry point, `autograder-wall`; `WalledKernelManager` asks for it by that name.
"""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerBase

from autograder.kernel_side.exchange import CHANNELS
from autograder.sandbox.launch import Order, Running, start
from autograder.sandbox.servers import ServerFailed
from autograder.sandbox.wall import Wall, current

NAME = "autograder-wall"


class WallProvisioner(KernelProvisionerBase):
    """Starts kernels behind this process's wall."""

    running: Running | None = None
    wall: Wall | None = None  # behind which the kernel runs: another than the process's where that one failed

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel."""
        return self.running is not None

    async def poll(self) -> int | None:
        """The kernel's exit status; None while it runs."""
        return self.running.poll() if self.running else 0

    async def wait(self) -> int | None:
        """Wait until the kernel has ended."""
        while (status := await self.poll()) is None:
            await asyncio.sleep(0.002)
        return status

    async def send_signal(self, signum: int) -> None:
        """Send the kernel a signal."""
        if self.running:
            self.running.signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """End the kernel and all that it has started."""
        await self.send_signal(signal.SIGKILL)

    terminate = kill

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """There is no command: the wall knows how to start a kernel."""
        return {"cmd": [], "order": kwargs.get("order", Order())}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Start the kernel. Where the fork server fails, one that is not forked takes its place."""
        manager = self.parent
        self.wall = current()
        key = manager.session.key.decode()
        try:
            self.running = start(self.wall, kwargs["order"], key)
        except ServerFailed as error:
            if not self.wall.server:
                raise
            kind = "bwrap" if self.wall.kind == "nested" else "process"
            self.wall = Wall(kind, f"A kernel could not be forked: {error}.")
            self.running = start(self.wall, kwargs["order"], key)
        manager.transport, manager.ip = "ipc", self.running.endpoint
        for number, channel in enumerate(CHANNELS, 1):
            setattr(manager, f"{channel}_port", number)
        manager.hb_port = len(CHANNELS) + 1
        self.connection_info = manager.get_connection_info()
        return self.connection_info

    async def cleanup(self, restart: bool = False) -> None:
        """End what may still run, and remove the kernel's folder."""
        if self.running:
            running, self.running = self.running, None
            running.close()


class WalledKernelManager(AsyncKernelManager):
    """A kernel manager whose kernels run behind the wall, whatever kernel the notebook names."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """A specification that asks for our provisioner."""
        provisioner = {"kernel_provisioner": {"provisioner_name": NAME}}
        return KernelSpec(display_name="Python behind the wall", language="python", metadata=provisioner)
