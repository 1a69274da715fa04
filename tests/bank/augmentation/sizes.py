"""What students write for resize_shorter_side and view_count."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("resize_shorter_side", "the two cases, divmod")
def resize_shorter_side(height, width, size):
    for number in (height, width, size):
        if number <= 0:
            raise ValueError("too small: %d" % number)
    if height <= width:
        return size, divmod(width * size, height)[0]
    return divmod(height * size, width)[0], size


@alternative("resize_shorter_side", "one true division, np.floor")
def resize_shorter_side(height, width, size):
    if min(height, width, size) < 1:
        raise ValueError(f"height {height}, width {width}, size {size}")
    sides = np.array([height, width])
    return tuple(int(side) for side in np.floor(sides * size / sides.min()))


@alternative("resize_shorter_side", "fractions, a list")
def resize_shorter_side(height, width, size):
    from fractions import Fraction
    from math import floor

    if height < 1 or width < 1 or size < 1:
        raise ValueError(str((height, width, size)))
    scale = Fraction(size, min(height, width))
    return [floor(height * scale), floor(width * scale)]


@alternative("view_count", "a sum of two products")
def view_count(full, crop):
    if crop > full or crop <= 0:
        raise ValueError(f"{crop} of {full}")
    margin = full - crop
    return 2 * margin * margin + 4 * margin + 2


@alternative("view_count", "by listing the places")
def view_count(full, crop):
    assert isinstance(full, int)
    if crop not in range(1, full + 1):
        raise ValueError(f"crop {crop}, full {full}")
    starts = range(0, full - crop + 1)
    return len([(top, left, mirror) for top in starts for left in starts for mirror in "ab"])


@alternative("view_count", "NumPy integers")
def view_count(full, crop):
    if not 0 < crop <= full:
        raise ValueError("crop = %d does not fit into full = %d" % (crop, full))
    return np.int64(np.prod([full - crop + 1] * 2) * 2)


RESIZE = """def resize_shorter_side(height, width, size):
    if min(height, width, size) < 1:
        raise ValueError(f"height {height}, width {width}, size {size}")
    short = min(height, width)
    return height * size // short, width * size // short
"""
REFUSAL = """    if min(height, width, size) < 1:
        raise ValueError(f"height {height}, width {width}, size {size}")
"""
RESULT = "height * size // short, width * size // short"
LONGER = """longer = {}
    return (size, longer) if height < width else (longer, size)"""

mistaken_changes(
    __name__,
    "resize_shorter_side",
    RESIZE,
    (
        ("longer side resized", ("short = min(", "short = max(")),
        ("always the height", ("short = min(height, width)", "short = height")),
        ("always the width", ("short = min(height, width)", "short = width")),
        ("rounded, not floored", (RESULT, "round(height * size / short), round(width * size / short)")),
        ("rounded up", (RESULT, "int(np.ceil(height * size / short)), int(np.ceil(width * size / short))")),
        ("rounded up", (RESULT, "-(-height * size // short), -(-width * size // short)")),
        ("not floored", (f"return {RESULT}", LONGER.format("max(height, width) * size / short"))),
        ("scale rounded before the floor", (RESULT, "int(height * (size / short)), int(width * (size / short))")),
        (
            "scale rounded before the floor",
            (f"return {RESULT}", LONGER.format("int(max(height, width) * (size / short))")),
        ),
        (
            "scale rounded before the floor",
            (f"return {RESULT}", LONGER.format("int(size * (max(height, width) / short))")),
        ),
        ("factor floored", (RESULT, "height * (size // short), width * (size // short)")),
        ("factor floored", (f"return {RESULT}", LONGER.format("max(height, width) // short * size"))),
        ("both sides become size", (RESULT, "size, size")),
        ("(width, height)", (RESULT, "width * size // short, height * size // short")),
        ("small images left small", (f"    return {RESULT}", f"    size = min(size, short)\n    return {RESULT}")),
        ("nothing is refused", (REFUSAL, "    if height == 0:\n        raise ValueError(height)\n")),
    ),
)

COUNT = """def view_count(full, crop):
    if not 1 <= crop <= full:
        raise ValueError(f"{crop} and {full}")
    return 2 * (full - crop + 1) ** 2
"""
VIEWS = "2 * (full - crop + 1) ** 2"
CROP_REFUSAL = """    if not 1 <= crop <= full:
        raise ValueError(f"{crop} and {full}")
"""

mistaken_changes(
    __name__,
    "view_count",
    COUNT,
    (
        ("one place too few", (VIEWS, "2 * (full - crop) ** 2")),
        ("mirror images forgotten", (VIEWS, "(full - crop + 1) ** 2")),
        ("mirror images forgotten", (VIEWS, "(full - crop) ** 2")),
        ("mirrored in both directions", (VIEWS, "(2 * (full - crop + 1)) ** 2")),
        ("one direction alone", (VIEWS, "2 * (full - crop + 1)")),
        ("one place too many", (VIEWS, "2 * (full - crop + 2) ** 2")),
        ("crops side by side", (VIEWS, "2 * (full // crop) ** 2")),
        ("nothing is refused", (CROP_REFUSAL, "")),
        ("0 where it is impossible", ('raise ValueError(f"{crop} and {full}")', "return 0")),
        ("crop as large as the image refused", ("crop <= full", "crop < full")),
    ),
)
