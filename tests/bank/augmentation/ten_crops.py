"""What students write for ten_crop and ten_crop_predict."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("ten_crop", "a list, negative offsets")
def ten_crop(image, size):
    channels, height, width = image.shape
    if size < 1 or size > height or size > width:
        raise ValueError("size %d, image %d x %d" % (size, height, width))
    top, left = (height - size) // 2, (width - size) // 2
    views = [
        image[:, :size, :size],
        image[:, :size, -size:],
        image[:, -size:, :size],
        image[:, -size:, -size:],
        image[:, top : top + size, left : left + size],
    ]
    views += [np.flip(view, axis=2) for view in views]
    return np.array(views)


@alternative("ten_crop", "corners of the mirrored image, put in order; float32")
def ten_crop(image, size):
    _, height, width = image.shape
    if not 0 < size <= min(height, width):
        raise ValueError(f"{size} does not fit: {image.shape}")
    views = np.empty((10, len(image), size, size), dtype=np.float32)
    other = image[:, :, ::-1]
    views[0], views[1] = image[:, :size, :size], image[:, :size, width - size :]
    views[2], views[3] = image[:, height - size :, :size], image[:, height - size :, width - size :]
    views[6], views[5] = other[:, :size, :size], other[:, :size, width - size :]
    views[8], views[7] = other[:, height - size :, :size], other[:, height - size :, width - size :]
    row, column = int((height - size) / 2), int((width - size) / 2)
    views[4] = image[:, row : row + size, column : column + size]
    views[9] = views[4][:, :, ::-1]
    return views


TEN = """def ten_crop(image, size):
    height, width = image.shape[1:]
    if not 1 <= size <= min(height, width):
        raise ValueError(f"{size} {height} {width}")
    down, right = height - size, width - size
    centre = (down // 2, right // 2)
    places = [(0, 0), (0, right), (down, 0), (down, right), centre]
    crops = np.stack([image[:, i : i + size, j : j + size] for i, j in places])
    return np.concatenate([crops, crops[..., ::-1]])
"""
REFUSAL = """    if not 1 <= size <= min(height, width):
        raise ValueError(f"{size} {height} {width}")
"""
PLACES, CENTRE = "[(0, 0), (0, right), (down, 0), (down, right), centre]", "(down // 2, right // 2)"
RETURN, SIDES = "return np.concatenate([crops, crops[..., ::-1]])", "height - size, width - size"
STACK = "np.stack([image[:, i : i + size, j : j + size] for i, j in places])"

mistaken_changes(
    __name__,
    "ten_crop",
    TEN,
    (
        (
            "crops of the mirrored image",
            (RETURN, f"image = image[..., ::-1]\n    return np.concatenate([crops, {STACK}])"),
        ),
        (
            "mirror images in between",
            (RETURN, "return np.array([v for crop in crops for v in (crop, crop[..., ::-1])])"),
        ),
        ("mirror images first", (RETURN, "return np.concatenate([crops[..., ::-1], crops])")),
        ("upside down", ("crops[..., ::-1]", "crops[..., ::-1, :]")),
        ("channels reversed", ("crops[..., ::-1]", "crops[:, ::-1]")),
        ("not mirrored", ("crops[..., ::-1]", "crops")),
        ("five views", (RETURN, "return crops")),
        ("two groups of five", ("np.concatenate", "np.stack")),
        ("another order of the crops", (PLACES, "[(0, 0), (down, 0), (0, right), (down, right), centre]")),
        ("another order of the crops", (PLACES, "[(0, 0), (0, right), (down, right), (down, 0), centre]")),
        ("another order of the crops", (PLACES, "[centre, (0, 0), (0, right), (down, 0), (down, right)]")),
        (
            "last place missing",
            (PLACES, "[(0, 0), (0, j), (i, 0), (i, j), centre]"),
            ("    places", "    i, j = max(down - 1, 0), max(right - 1, 0)\n    places"),
        ),
        ("centre rounded, not floored", (CENTRE, "(round(down / 2), round(right / 2))")),
        ("centre rounded, not floored", (CENTRE, "((down + 1) // 2, (right + 1) // 2)")),
        (
            "same margin at both ends",
            (STACK, f"np.stack({STACK[9:-2]}[:4]] + [image[:, centre[0] : -centre[0], centre[1] : -centre[1]]])"),
        ),
        ("height and width swapped", (SIDES, "width - size, height - size")),
        ("nothing is refused", (REFUSAL, "")),
    ),
)


@alternative("ten_crop_predict", "view by view")
def ten_crop_predict(predict, image, size):
    _, height, width = image.shape
    total = 0
    tops, lefts = (
        [0, 0, height - size, height - size, (height - size) // 2],
        [0, width - size] * 2 + [(width - size) // 2],
    )
    for top, left in zip(tops, lefts):
        crop = image[:, top : top + size, left : left + size]
        for view in (crop, crop[:, :, ::-1]):
            z = predict(view[np.newaxis])[0]
            total = total + np.exp(z - np.logaddexp.reduce(z))
    return total / 10


@alternative("ten_crop_predict", "two batches, float32")
def ten_crop_predict(predict, image, size):
    def softmax(z):
        e = np.exp((z - z.max(1)[:, None]).astype(np.float32))
        return e / e.sum(1)[:, None]

    height, width = image.shape[1:]
    i, j = (height - size) // 2, (width - size) // 2
    crops = [image[:, :size, :size], image[:, :size, -size:], image[:, -size:, :size], image[:, -size:, -size:]]
    crops = np.stack([*crops, image[:, i : i + size, j : j + size]])
    return (softmax(predict(crops)).mean(0) + softmax(predict(np.flip(crops, -1))).mean(0)) / np.float32(2)


PREDICT = """def ten_crop_predict(predict, image, size):
    down, right = image.shape[1] - size, image.shape[2] - size
    places = [(0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2)]
    crops = np.stack([image[:, i : i + size, j : j + size] for i, j in places])
    views = np.concatenate([crops, crops[..., ::-1]])
    logits = predict(views)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    return probabilities.mean(axis=0)
"""
VIEWS = "np.concatenate([crops, crops[..., ::-1]])"
LOGITS, MEAN = "predict(views)", "probabilities.mean(axis=0)"

mistaken_changes(
    __name__,
    "ten_crop_predict",
    PREDICT,
    (
        ("logits averaged", (LOGITS, "predict(views).mean(axis=0, keepdims=True)")),
        ("softmax forgotten", (MEAN, "logits.mean(axis=0)")),
        ("softmax over the views", ("axis=1", "axis=0")),
        ("softmax over the views", ("axis=1", "axis=0"), (MEAN, "probabilities.mean(axis=1)")),
        ("one softmax for everything", (", keepdims=True", ""), ("axis=1", ""), (MEAN, "probabilities.sum(axis=0)")),
        ("votes counted", (MEAN, "np.bincount(logits.argmax(1), minlength=logits.shape[1]) / 10")),
        ("largest instead of mean", (MEAN, "probabilities.max(axis=0)")),
        ("sum instead of mean", (MEAN, "probabilities.sum(axis=0)")),
        ("one row for each view", (MEAN, "probabilities")),
        ("mean over the classes", (MEAN, "probabilities.mean(axis=1)")),
        ("the class alone", (MEAN, "int(probabilities.mean(axis=0).argmax())")),
        ("the class alone", (MEAN, "probabilities.sum(axis=0).argmax()")),
        ("one softmax for everything", ("powers.sum(axis=1, keepdims=True)", "powers.sum()")),
        ("one largest logit for all views", ("logits.max(axis=1, keepdims=True)", "logits.max()")),
        ("exp overflow", (" - logits.max(axis=1, keepdims=True)", "")),
        ("mirror images forgotten", (VIEWS, "crops")),
        ("centre alone", (VIEWS, "crops[4:]")),
        ("average of the views", (VIEWS, f"{VIEWS}.mean(axis=0, keepdims=True)")),
        (
            "crops of the mirrored image",
            ("    views", "    image = image[..., ::-1]\n    views"),
            ("crops[..., ::-1]", "[image[:, i : i + size, j : j + size] for i, j in places]"),
        ),
    ),
)
