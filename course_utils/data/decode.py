"""One image file, as the numbers of a square colour image. Needs Pillow, imported when the first file is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from course_utils.data.splits import DataError


def decode(path: Path, size: int) -> np.ndarray:
    """Return the image as (3, size, size) uint8: its shorter side made `size` long, and the middle square of that.

    Grey becomes three equal channels, 16 bits become 8, CMYK and palettes become RGB, what is transparent is laid over
    white, a photograph that the camera marked as turned is turned, and of a moving image the first picture counts.
    Raises `DataError`, naming the file, where it is missing, damaged or no image.
    """
    try:
        from PIL import Image
    except ImportError:
        raise DataError("Reading image files needs Pillow: pip install pillow installs it.") from None
    try:
        with Image.open(path) as image:
            # A JPEG can be read at a half, a quarter or an eighth of its size, several times as fast.
            image.draft(None, (2 * size, 2 * size))
            return np.ascontiguousarray(np.moveaxis(np.asarray(_square(image, size)), 2, 0))
    except FileNotFoundError:
        raise DataError(f"The image {path} is missing.") from None
    except PermissionError:
        raise DataError(f"The image {path} cannot be read: this user may not open it.") from None
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        # Pillow raises any of these, depending on the format and the damage.
        raise DataError(f"The file {path} cannot be read as an image: {error}. Replace or delete it.") from None


def _square(image: Any, size: int) -> Any:
    from PIL import Image, ImageOps

    image = _rgb(ImageOps.exif_transpose(image))
    width, height = image.size
    shorter = min(width, height)
    width, height = max(size, width * size // shorter), max(size, height * size // shorter)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - size) // 2, (height - size) // 2
    return image.crop((left, top, left + size, top + size))


def _rgb(image: Any) -> Any:
    from PIL import Image

    if image.mode.startswith("I;16") or image.mode == "I":
        # Pillow's own conversion would cut everything above 255 off instead of dividing.
        levels = np.asarray(image).astype(np.int64).clip(0, 65535)
        image = Image.fromarray((levels // 257).astype(np.uint8))
    elif image.mode == "F":
        raise ValueError("its pixels are floating-point numbers of unknown range")
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
