"""What students write for random_crop and repaired_random_crop."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("random_crop", "column first, from a generator seeded by rng")
def random_crop(image, size, rng):
    channels, height, width = image.shape
    if size < 1 or size > min(height, width):
        raise ValueError(f"size {size} is impossible in {height} x {width}")
    own = np.random.default_rng(rng.integers(2**63))
    left, top = own.integers(width - size, endpoint=True), own.integers(height - size, endpoint=True)
    return np.array(image[:, top:, left:][:, :size, :size])


@alternative("random_crop", "one draw for the number of the place")
def random_crop(image, size, rng):
    rows, columns = image.shape[1] - size + 1, image.shape[2] - size + 1
    if size <= 0 or rows <= 0 or columns <= 0:
        raise ValueError(f"size {size}, image {image.shape}")
    top, left = divmod(rng.integers(rows * columns), columns)
    return image.take(range(top, top + size), axis=1).take(range(left, left + size), axis=2)


@alternative("random_crop", "floor of a uniform number, float32")
def random_crop(image, size, rng):
    sides = image.shape[1:]
    if not 0 < size <= min(sides):
        raise ValueError(f"{size} does not fit into {sides}")
    top, left = (int(rng.random() * (side - size + 1)) for side in sides)
    return image[:, top : top + size, left : left + size].astype(np.float32)


@alternative("random_crop", "a permutation of the places")
def random_crop(image, size, rng):
    channels, height, width = image.shape
    if size < 1 or size > height or size > width:
        raise ValueError("cannot cut %d from %d, %d" % (size, height, width))
    left = rng.permutation(width - size + 1)[0]
    top = rng.choice(np.arange(height - size + 1))
    return np.stack([channel[top : top + size, left : left + size] for channel in image])


CROP = """def random_crop(image, size, rng):
    height, width = image.shape[1:]
    if not 1 <= size <= min(height, width):
        raise ValueError(f"{size} {height} {width}")
    top, left = rng.integers(0, height - size + 1), rng.integers(0, width - size + 1)
    return image[:, top : top + size, left : left + size].copy()
"""
TOP, LEFT = "rng.integers(0, height - size + 1)", "rng.integers(0, width - size + 1)"
DRAWS = f"{TOP}, {LEFT}"
REFUSAL = """    if not 1 <= size <= min(height, width):
        raise ValueError(f"{size} {height} {width}")
"""

mistaken_changes(
    __name__,
    "random_crop",
    CROP,
    (
        ("last place missing", (DRAWS, "rng.integers(0, height - size), rng.integers(0, width - size)")),
        ("last place missing", (TOP, "rng.integers(0, height - size)")),
        ("last place missing", (LEFT, "rng.integers(0, width - size)")),
        ("last place missing", (DRAWS, "rng.integers(max(height - size, 1)), rng.integers(max(width - size, 1))")),
        ("first place missing", (DRAWS, "rng.integers(1, height - size + 1), rng.integers(1, width - size + 1)")),
        ("height and width swapped", (DRAWS, f"{LEFT}, {TOP}")),
        ("height and width swapped", (DRAWS, "rng.integers(0, width - size), rng.integers(0, height - size)")),
        ("one side for both", (DRAWS, f"{TOP}, {TOP}")),
        ("one side for both", (DRAWS, f"{LEFT}, {LEFT}")),
        ("one place too many", (DRAWS, "rng.integers(0, height - size + 2), rng.integers(0, width - size + 2)")),
        ("anywhere in the image", (DRAWS, "rng.integers(0, height), rng.integers(0, width)")),
        ("anywhere in the image", (DRAWS, "rng.integers(0, height - 1), rng.integers(0, width - 1)")),
        (
            "places pushed back inside",
            (DRAWS, "min(rng.integers(0, height), height - size), min(rng.integers(0, width), width - size)"),
        ),
        ("one draw for both", (DRAWS, "(rng.integers(0, min(height, width) - size + 1),) * 2")),
        (
            "one draw for both",
            ("    top,", "    u = rng.random()\n    top,"),
            (DRAWS, "int(u * (height - size + 1)), int(u * (width - size + 1))"),
        ),
        ("ends half as often", (DRAWS, "round(rng.random() * (height - size)), round(rng.random() * (width - size))")),
        ("one place at every call", ("    top,", "    rng = np.random.default_rng(0)\n    top,")),
        ("one place at every call", (DRAWS, "(height - size) // 2, (width - size) // 2")),
        ("rng not used", ("rng.integers", "np.random.randint")),
        ("rng not used", ("    top,", "    rng = np.random.default_rng()\n    top,")),
        ("nothing is refused", (REFUSAL, "")),
        (
            "nothing is refused",
            (DRAWS, "rng.integers(0, abs(height - size) + 1), rng.integers(0, abs(width - size) + 1)"),
            (REFUSAL, ""),
        ),
        ("result shares memory with an input", (".copy()", "")),
    ),
)


@alternative("repaired_random_crop", "a view, with endpoint")
def repaired_random_crop(image, size, rng):
    _, height, width = image.shape
    left = rng.integers(0, width - size, endpoint=True)
    top = rng.integers(0, height - size, endpoint=True)
    return image[:, top : top + size, left : left + size]


@alternative("repaired_random_crop", "both at once")
def repaired_random_crop(image, size, rng):
    top, left = rng.integers(0, np.array(image.shape[1:]) - size + 1)
    return image[:, top : top + size, left : left + size].copy()


BROKEN = """def repaired_random_crop(image, size, rng):
    _, height, width = image.shape
    top = rng.integers(0, width - size)
    left = rng.integers(0, height - size)
    return image[:, top : top + size, left : left + size].copy()
"""
TOP, LEFT = "rng.integers(0, width - size)", "rng.integers(0, height - size)"
MENDED = (f"top = {TOP}", "top = rng.integers(0, HEIGHT)"), (f"left = {LEFT}", "left = rng.integers(0, WIDTH)")


def _with(height, width):
    return (*MENDED, ("HEIGHT", height), ("WIDTH", width))


mistaken_changes(
    __name__,
    "repaired_random_crop",
    BROKEN,
    (
        ("both bugs still there",),
        ("last place still missing", *_with("height - size", "width - size")),
        ("last place still missing", *_with("max(height - size, 1)", "max(width - size, 1)")),
        ("height and width still swapped", *_with("width - size + 1", "height - size + 1")),
        ("one side for both", *_with("height - size + 1", "height - size + 1")),
        ("one side for both", *_with("width - size", "width - size")),
        ("one place too many", *_with("height - size + 2", "width - size + 2")),
        ("anywhere in the image", *_with("height", "width")),
        (
            "places pushed back inside",
            *_with("height", "width"),
            ("    return", "    top, left = min(top, height - size), min(left, width - size)\n    return"),
        ),
        (
            "one draw for both",
            *_with("min(height, width) - size + 1", "1"),
            ("    return", "    left = top\n    return"),
        ),
    ),
)
