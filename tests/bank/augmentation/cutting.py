"""What students write for center_crop, mean_image and horizontal_flip."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative, mistaken


@alternative("center_crop", "take along the axes")
def center_crop(image, size):
    channels, height, width = image.shape
    if size < 1 or size > height or size > width:
        raise ValueError("size %d does not fit into %d x %d" % (size, height, width))
    rows, columns = np.arange(size) + (height - size) // 2, np.arange(size) + (width - size) // 2
    return image.take(rows, axis=1).take(columns, axis=2)


@alternative("center_crop", "pixel by pixel, int of a half")
def center_crop(image, size):
    channels, height, width = image.shape
    if not (0 < size <= height and size <= width):
        raise ValueError(f"{size}: {image.shape}")
    crop = np.empty((channels, size, size), dtype=np.float32)
    for c, i, j in np.ndindex(crop.shape):
        crop[c, i, j] = image[c, i + int((height - size) / 2), j + int((width - size) / 2)]
    return crop


@alternative("center_crop", "borders cut off")
def center_crop(image, size):
    if size < 1 or size > min(image.shape[1:]):
        raise ValueError(f"size {size}, image {image.shape}")
    for axis in (1, 2):
        extra = image.shape[axis] - size
        image = np.delete(image, list(range(extra // 2)) + list(range(extra // 2 + size, extra + size)), axis=axis)
    return image


CENTRE = """def center_crop(image, size):
    height, width = image.shape[1:]
    if not 1 <= size <= min(height, width):
        raise ValueError(f"{size} {height} {width}")
    top, left = (height - size) // 2, (width - size) // 2
    return image[:, top : top + size, left : left + size].copy()
"""
OFFSETS = "(height - size) // 2, (width - size) // 2"
REFUSAL = """    if not 1 <= size <= min(height, width):
        raise ValueError(f"{size} {height} {width}")
"""

mistaken_changes(
    __name__,
    "center_crop",
    CENTRE,
    (
        ("offsets rounded, not floored", (OFFSETS, "round((height - size) / 2), round((width - size) / 2)")),
        ("offsets rounded, not floored", (OFFSETS, "(height - size + 1) // 2, (width - size + 1) // 2")),
        ("halves floored one by one", (OFFSETS, "height // 2 - size // 2, width // 2 - size // 2")),
        ("one place too early", (OFFSETS, "max((height - size - 1) // 2, 0), max((width - size - 1) // 2, 0)")),
        ("one place too early", (OFFSETS, "max((height - size) // 2 - 1, 0), max((width - size) // 2 - 1, 0)")),
        ("begins at the middle", (OFFSETS, "height // 2, width // 2")),
        ("corner instead of centre", (OFFSETS, "0, 0")),
        ("margins not halved", (OFFSETS, "height - size, width - size")),
        ("height and width swapped", (OFFSETS, "(width - size) // 2, (height - size) // 2")),
        ("one row and column too many", ("top + size,", "top + size + 1,"), ("left + size]", "left + size + 1]")),
        ("nothing is refused", (REFUSAL, "")),
        ("cut short where it does not fit", (REFUSAL, "    size = min(size, height, width)\n")),
        ("result shares memory with an input", (".copy()", "")),
    ),
)


@alternative("mean_image", "a loop")
def mean_image(images):
    if not len(images):
        raise ValueError("no images")
    total = np.zeros(images.shape[1:])
    for image in images:
        total += image / len(images)
    return total


@alternative("mean_image", "einsum, float32")
def mean_image(images):
    if images.shape[0] < 1:
        raise ValueError("an empty set has no mean")
    images = images.astype(np.float32)
    return np.einsum("nchw->chw", images) / np.float32(images.shape[0])


@alternative("mean_image", "a matrix product")
def mean_image(images):
    count = len(images)
    if count == 0:
        raise ValueError(images.shape)
    return (np.full(count, 1 / count) @ images.reshape(count, -1)).reshape(images.shape[1:])


MEAN = """def mean_image(images):
    if len(images) == 0:
        raise ValueError("0 images")
    return images.mean(axis=0)
"""

mistaken_changes(
    __name__,
    "mean_image",
    MEAN,
    (
        ("one number for everything", ("axis=0", "")),
        ("one number per channel", ("axis=0", "axis=(0, 2, 3)")),
        ("one number per channel", ("axis=0)", "axis=(0, 2, 3))[:, None, None]")),
        ("one number per channel", ("axis=0)", "axis=(0, 2, 3))[:, None, None] * np.ones(images.shape[1:])")),
        ("mean of each image", ("axis=0", "axis=(1, 2, 3)")),
        ("mean over the channels", ("axis=0", "axis=1")),
        ("axis of the images kept", ("axis=0", "axis=0, keepdims=True")),
        ("mean already subtracted", ("return ", "return images - ")),
        ("sum instead of mean", (".mean(", ".sum(")),
        ("divided by n − 1", (".mean(axis=0)", ".sum(axis=0) / np.float64(len(images) - 1)")),
        ("median instead of mean", ("images.mean(", "np.median(images, ")),
        ("nothing is refused", ('raise ValueError("0 images")', "pass")),
        ("nothing is refused", ('raise ValueError("0 images")', "return np.zeros(images.shape[1:])")),
    ),
)


@alternative("horizontal_flip", "np.flip, made an array of its own")
def horizontal_flip(image):
    return np.ascontiguousarray(np.flip(image, axis=2)) + 0.0


@alternative("horizontal_flip", "an index for each column")
def horizontal_flip(image):
    return image[..., np.arange(image.shape[2] - 1, -1, -1)]


@alternative("horizontal_flip", "column by column, float32")
def horizontal_flip(image):
    mirrored = np.zeros(image.shape, dtype=np.float32)
    for column in range(image.shape[-1]):
        mirrored[:, :, -1 - column] = image[:, :, column]
    return mirrored


@mistaken("horizontal_flip", "vertical flip")
def horizontal_flip(image):
    return image[:, ::-1].copy()


@mistaken("horizontal_flip", "turned by 180 degrees")
def horizontal_flip(image):
    return np.rot90(image, 2, axes=(1, 2)).copy()


@mistaken("horizontal_flip", "channels reversed")
def horizontal_flip(image):
    return image[::-1].copy()


@mistaken("horizontal_flip", "channels reversed")
def horizontal_flip(image):
    return np.flip(image).copy()


@mistaken("horizontal_flip", "rows and columns exchanged")
def horizontal_flip(image):
    return image.transpose(0, 2, 1).copy()


@mistaken("horizontal_flip", "nothing flipped")
def horizontal_flip(image):
    mirrored = image.copy()
    for i in range(image.shape[2]):
        j = image.shape[2] - 1 - i
        mirrored[:, :, [i, j]] = mirrored[:, :, [j, i]]
    return mirrored


@mistaken("horizontal_flip", "result shares memory with an input")
def horizontal_flip(image):
    return image[:, :, ::-1]


@mistaken("horizontal_flip", "input changed in place")
def horizontal_flip(image):
    image[:] = image[:, :, ::-1].copy()
    return image.copy()
