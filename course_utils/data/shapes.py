"""Shapes: ten classes of geometric figures, drawn here from a seed, in any number and at any size from 32 to 256."""

from __future__ import annotations

from operator import index

import numpy as np
from numpy.typing import DTypeLike

from course_utils.data._shapes.outlines import OUTLINES
from course_utils.data._shapes.pictures import draw_images, draw_labels
from course_utils.data.cache import keep_array, read_array
from course_utils.data.pixels import as_type, image_type
from course_utils.data.progress import Progress
from course_utils.data.splits import Dataset, Split

CLASSES = tuple(outline.__name__ for outline in OUTLINES)
SMALLEST, LARGEST = 32, 256
VERSION = 1  # raise it whenever the same seed gives other pictures: what is in caches is then made again
_SPLITS = {"train": 0, "validation": 1, "test": 2}
_WORTH_KEEPING = 2**21  # pixel positions; fewer are drawn in half a second


def load_shapes(
    size: int = 64,
    train: int = 8000,
    validation: int = 1000,
    test: int = 1000,
    seed: int = 0,
    dtype: DTypeLike = np.float32,
) -> Dataset:
    """Return pictures of shapes: circle, ring, crescent, triangle, square, pentagon, star, cross, heart and arrow.

    Position, scale, rotation, colour, texture, clutter, light and noise vary. A shape is turned by at most a tenth of a
    whole turn, and mirrored or not, so that a mirrored picture could be one of the set and one turned by a quarter not.

    size: height and width in pixels, 32 to 256. The same seed shows the same scenes at every size.
    train, validation, test: how many images; 0 is allowed. Image i is the same however many there are, and every ten
        images in a row are one of each class.
    seed: 0 or larger. Another seed gives other images. The numbers are the same on every machine.
    dtype: float32 gives images (N, 3, size, size) in [0, 1]; uint8 gives 0 to 255 in a quarter of the memory.

    The default 10,000 images are drawn in about ten seconds and then kept in the folder that `cache_folder()` names.
    Raises `ValueError` where a number is out of range.
    """
    kind = image_type(dtype)
    size, seed = index(size), index(seed)
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"The size of shapes is {SMALLEST} to {LARGEST} pixels, not {size}.")
    if seed < 0:
        raise ValueError(f"A seed is 0 or larger, not {seed}.")
    counts = {"train": index(train), "validation": index(validation), "test": index(test)}
    for name, count in counts.items():
        if count < 0:
            raise ValueError(f"There cannot be {count} images in {name}.")

    def split(name: str) -> Split:
        images = as_type(_pixels(name, counts[name], size, seed), kind)
        return Split(images, draw_labels(seed, _SPLITS[name], 0, counts[name]))

    return Dataset("shapes", split("train"), split("validation"), split("test"), CLASSES)


def _pixels(split: str, count: int, size: int, seed: int) -> np.ndarray:
    """The images of one split, (count, 3, size, size) uint8, from the cache or drawn."""
    shape = (count, 3, size, size)
    name = f"shapes-{size}-{seed}-{split}-{count}.npz"
    recipe = f"shapes, version {VERSION}: size {size}, seed {seed}, {split}, {count} images"
    worth_keeping = count * size**2 >= _WORTH_KEEPING
    if worth_keeping:
        kept = read_array(name, recipe)
        if kept is not None and kept.shape == shape and kept.dtype == np.uint8:
            return kept
    images = np.empty(shape, dtype=np.uint8)
    done = 0
    with Progress(f"Drawing {count} shapes to {split}", count) as progress:
        for chunk in draw_images(size, seed, _SPLITS[split], 0, count):
            images[done : done + len(chunk)] = chunk
            done += len(chunk)
            progress.advance(len(chunk))
    if worth_keeping:
        keep_array(name, recipe, images, "The shapes")
    return images
