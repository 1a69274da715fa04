"""Tries the wall itself: starts a kernel behind it and lets it attempt what the wall should stop."""

from __future__ import annotations

import ast
import json
import socket

from nbclient.util import run_sync

from autograder import CourseError
from autograder.kernel_session import KernelSession
from autograder.sandbox.launch import Order
from autograder.sandbox.servers import ServerFailed
from autograder.sandbox.wall import raised

# Each attempt answers whether it got through. The one other process that a kernel may see is bubblewrap itself.
ATTEMPTS = {
    "files of the grader": "os.path.exists({here!r})",
    "the rest of the file system": "writes('/usr/autograder-was-here') or writes('/autograder-was-here')",
    "the network": "connects()",
    "further namespaces": "ctypes.CDLL(None).unshare(0x10000000) == 0",
    "other processes": "sum(name.isdigit() for name in os.listdir('/proc')) > 2",
    "files without bounds": "writes('big', 2**40)",
}
CODE = """
import ctypes, json, os, resource, socket

def writes(path, size=1):
    try:
        with open(path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        os.unlink(path)
        return True
    except OSError:
        return False

def connects():
    try:
        with socket.create_connection(("127.0.0.1", {port}), 1):
            return True
    except OSError:
        return False

told = {{{attempts}}}
with open("/proc/self/status") as status:
    told["capabilities"] = any(line.startswith("CapEff") and int(line.split()[1], 16) for line in status)
"""


def rehearse(kind: str) -> tuple[bool, str]:
    """Whether this kind of wall works here, and a sentence on what it keeps out, or why it does not work."""
    try:
        with raised(only=kind) as wall:
            if kind == "process":
                return True, "limits on memory, processes, files and time; nothing is hidden from student code"
            through = run_sync(_try_all)()
            forked = "kernels are forked" if wall.server else "each kernel is started afresh"
    except (CourseError, ServerFailed) as why:
        return False, str(why)
    if through:
        return False, f"lets through: {', '.join(through)}"
    return True, f"{forked}; files, network, processes and namespaces are closed off"


async def _try_all() -> list[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        attempts = ", ".join(f"{name!r}: {code.format(here=__file__)}" for name, code in ATTEMPTS.items())
        code = CODE.format(attempts=attempts, port=listener.getsockname()[1])
        session = KernelSession(Order())
        await session.open()
        try:
            wished = {"told": "json.dumps(told)"}
            asked = session.client.execute(code, user_expressions=wished, store_history=False)
            reply = await session.reply_to(asked, 30)
        finally:
            await session.close()
    try:
        shown = reply["content"]["user_expressions"]["told"]["data"]["text/plain"]
        found = json.loads(ast.literal_eval(shown))
    except (TypeError, KeyError, ValueError):
        return ["nothing that could be told, since the kernel did not answer"]
    return [name for name, got_through in found.items() if got_through]
