"""Pictures in a submission: what they claim to be is checked, and they are written anew."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

from PIL import Image

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF"}
MAX_BYTES = 3 * 2**20
MAX_PIXELS = 40_000_000  # a few kilobytes can claim more than a browser's memory holds
MAX_SIDE = 20_000


def checked_picture(kind: Any, text: Any) -> bytes | None:
    """The bytes of a picture that is given in base64, if it is what `kind` says and of a bearable size; else None."""
    text = "".join(text) if isinstance(text, list) and all(isinstance(t, str) for t in text) else text
    if kind not in FORMATS or not isinstance(text, str) or not 0 < len(text) <= MAX_BYTES:
        return None
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
        with Image.open(io.BytesIO(data), formats=[FORMATS[kind]]) as picture:  # reads the header, no pixels
            width, height = picture.size
    except (binascii.Error, ValueError, OSError, SyntaxError, Image.DecompressionBombError):
        return None
    return data if max(width, height) <= MAX_SIDE and width * height <= MAX_PIXELS else None


def as_base64(picture: bytes) -> str:
    """The picture for a notebook's output."""
    return base64.b64encode(picture).decode("ascii")


def as_data_url(kind: str, picture: bytes) -> str:
    """The picture for a page."""
    return f"data:{kind};base64,{as_base64(picture)}"
