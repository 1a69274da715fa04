"""Frames over the socket between the judge and a fork of a student's kernel: a kind, a length, and bytes."""

from __future__ import annotations

import asyncio
import socket
import struct

CHANNELS = ("shell", "iopub", "stdin", "control")  # of a kernel, in the order of its sockets
HEADER = struct.Struct("!cI")
REQUEST, STATUS, REPLY, ASK, ANSWER = b"Q", b"S", b"R", b"A", b"L"
MAX_FRAME = 64 * 2**20
PART = 2**20


class Broken(ConnectionError):
    """The other side has gone, or sends what is no frame."""


def frame(kind: bytes, data: bytes) -> bytes:
    """The bytes of one frame."""
    return HEADER.pack(kind, len(data)) + data


def receive(wire: socket.socket) -> tuple[bytes, bytes]:
    """The next frame, waited for: its kind and data. Raises `Broken`."""
    kind, length = _opened(_exactly(wire, HEADER.size))
    return kind, _exactly(wire, length)


async def receive_from(wire: socket.socket) -> tuple[bytes, bytes]:
    """As `receive`, for a socket that does not block."""
    kind, length = _opened(await _exactly_from(wire, HEADER.size))
    return kind, await _exactly_from(wire, length)


def _opened(header: bytes) -> tuple[bytes, int]:
    kind, length = HEADER.unpack(header)
    if length > MAX_FRAME:
        raise Broken("a frame larger than allowed")
    return kind, length


def _exactly(wire: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        data += _some(wire.recv(min(count - len(data), PART)))
    return bytes(data)


async def _exactly_from(wire: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        data += _some(await asyncio.get_running_loop().sock_recv(wire, min(count - len(data), PART)))
    return bytes(data)


def _some(part: bytes) -> bytes:
    if not part:
        raise Broken("the other side has gone")
    return part
