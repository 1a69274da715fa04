"""Frames over the socket between the judge and a fork of a student's kernel: a kind, a length, and bytes."""

from __future__ import annotations

import socket
import struct

CHANNELS = ("shell", "iopub", "stdin", "control")  # of a kernel, in the order of its sockets
HEADER = struct.Struct("!cI")
REQUEST, STATUS, REPLY, ASK, ANSWER = b"Q", b"S", b"R", b"A", b"L"
MAX_FRAME = 64 * 2**20


class Broken(ConnectionError):
    """The other side has gone, or sends what is no frame."""


def frame(kind: bytes, data: bytes) -> bytes:
    """The bytes of one frame."""
    return HEADER.pack(kind, len(data)) + data


def receive(wire: socket.socket) -> tuple[bytes, bytes]:
    """The next frame, waited for: its kind and data. Raises `Broken`."""
    kind, length = HEADER.unpack(_exactly(wire, HEADER.size))
    if length > MAX_FRAME:
        raise Broken("a frame larger than allowed")
    return kind, _exactly(wire, length)


def _exactly(wire: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = wire.recv(min(count - len(data), 2**20))
        if not part:
            raise Broken("the other side has gone")
        data += part
    return bytes(data)
