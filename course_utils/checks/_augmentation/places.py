"""Judging random crops: are their places a sample of independent draws from a given law?

A place is the row and the column of the crop's first pixel. A law is the probability of each place, an array of the
image's size; rows and columns beyond the last full crop are places too, and give crops that are cut short.
Neither the seed nor the order of the draws plays a part. Every count below follows a binomial law if the crops are
right, so the bounds of `masks` are exact, and a correct program leaves each with a probability of at most 1e-10.

| count | law for n crops at P equally likely places | what it notices |
|---|---|---|
| crops that begin in a row, in a column | Binomial(n, 1 / rows), Binomial(n, 1 / columns) | wrong ranges, rare ends |
| crops that begin at a place | Binomial(n, 1 / P) | row and column that depend on each other |
| calls 0 and 1, 2 and 3, … that begin at one place | Binomial(n / 2, 1 / P) | places that depend on the call before |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_utils.checks.exercise import Case
from course_utils.checks.masks import binomial_bounds

BEYOND = (-1, -1)  # the place of an empty crop, beyond the image

Law = Callable[[int, int, int], np.ndarray | None]


def call_random_crop(student, image, size, seed, calls):
    import numpy as np

    def crops(calls):
        rng = np.random.default_rng(seed)
        made = [student(image, size, rng) for _ in range(calls)]
        if any(not isinstance(crop, np.ndarray) or crop.ndim != 3 for crop in made):
            raise TypeError("the result is not an array of shape (C, size, size): is a return missing?")
        return made

    try:
        if calls == 1:
            return student(image, size, np.random.default_rng(seed))
        made, again = crops(calls), crops(20)
    except ValueError as error:
        return {"error": str(error)}
    # Crops of unequal shapes are filled up with NaN.
    shapes = np.array([crop.shape for crop in made])
    filled = np.full((calls, *shapes.max(axis=0)), np.nan)
    for place, crop in zip(filled, made, strict=True):
        place[: crop.shape[0], : crop.shape[1], : crop.shape[2]] = crop
    repeats = all(np.array_equal(first, second) for first, second in zip(made, again, strict=False))
    return {"crops": filled, "shapes": shapes, "repeats": repeats}


# --- reading --------------------------------------------------------------------------------------------------------


def failed(outputs) -> bool:
    """Whether the student's function raised a ValueError."""
    return isinstance(outputs, dict) and "error" in outputs


def read(case: Case, outputs) -> np.ndarray | None:
    """The places of all crops, (n, 2) integers; None where something else than slices of the image came back."""
    image, size = np.asarray(case.inputs["image"]), case.inputs["size"]
    if isinstance(outputs, np.ndarray):
        outputs = {"crops": outputs[None], "shapes": np.array([outputs.shape])}
    crops, shapes = outputs["crops"], outputs["shapes"]
    if crops.ndim != 4 or (shapes[:, 0] != len(image)).any() or (shapes[:, 1:] > size).any():
        return None
    places = np.full((len(crops), 2), BEYOND)
    some = shapes.min(axis=1) > 0
    if not some.any():
        return places
    # Beyond the borders and beyond a crop that is cut short, NaN.
    whole = np.full((len(crops), len(image), size, size), np.nan)
    whole[:, :, : crops.shape[2], : crops.shape[3]] = crops
    wide = np.pad(image.astype(float), ((0, 0), (0, size), (0, size)), constant_values=np.nan)
    pieces = np.lib.stride_tricks.sliding_window_view(wide, (size, size), axis=(1, 2))  # (C, rows, columns, size, size)
    # No two pixels are alike: the one that is nearest to the crop's first is the place.
    nearest = np.abs(image[0].reshape(1, -1) - whole[some, 0, 0, 0][:, None]).argmin(axis=1)
    places[some] = np.stack(np.unravel_index(nearest, image[0].shape), axis=1)
    expected = pieces[:, places[some, 0], places[some, 1]].swapaxes(0, 1)
    return places if np.allclose(expected, whole[some], rtol=1e-4, atol=0, equal_nan=True) else None


# --- laws -----------------------------------------------------------------------------------------------------------


def independent(rows: Callable, columns: Callable) -> Law:
    """A row and a column drawn apart. `rows(height, width, size)` gives weights of row 0, 1, …, none if it cannot.

    What the law puts beyond the image is missing from the sum.
    """

    def law(height, width, size):
        down, across = (np.asarray(weights(height, width, size), float) for weights in (rows, columns))
        if not down.size or not across.size:
            return None
        chances = np.zeros((height, width))
        inside = np.outer(down / down.sum(), across / across.sum())[:height, :width]
        chances[: inside.shape[0], : inside.shape[1]] = inside
        return chances

    return law


def sides(weights: Callable[[int, int], np.ndarray]) -> Law:
    """One rule for both: `weights(side, size)`."""
    return independent(lambda height, _, size: weights(height, size), lambda _, width, size: weights(width, size))


def uniform(count: int) -> np.ndarray:
    """Equal weights of so many places; none for a range that is empty."""
    return np.ones(max(count, 0))


right = sides(lambda side, size: uniform(side - size + 1))


def _interval(n: int, chance: float) -> tuple[int, int]:
    return binomial_bounds(n, round(min(max(float(chance), 0.0), 1.0), 12))  # rounded, so that 1 − 1 is 0


def follows(law: Law) -> Callable[[Case, object], bool]:
    """A `matches`: places, rows and columns come as often as the law says; where it has none, a ValueError came."""

    def matches(case, outputs):
        _, height, width = case.inputs["image"].shape
        size, calls = case.inputs["size"], case.inputs["calls"]
        if not 1 <= size <= min(height, width):
            return False
        chances = law(height, width, size)
        if chances is None or failed(outputs):  # an empty range raises an error
            return chances is None and failed(outputs)
        places = read(case, outputs)
        if places is None or (calls > 1 and not outputs["repeats"]):  # another source than rng has a name of its own
            return False
        inside = np.zeros_like(chances)
        np.add.at(inside, tuple(places[places[:, 0] >= 0].T), 1)
        pairs = [(calls - inside.sum(), 1 - chances.sum())]
        for axes in ((), (0,), (1,)):
            pairs += zip(inside.sum(axis=axes).flat, chances.sum(axis=axes).flat, strict=True)
        return all(low <= found <= high for found, q in pairs for low, high in [_interval(calls, q)])

    return matches


# --- judging --------------------------------------------------------------------------------------------------------


def fault(case: Case, outputs) -> str | None:
    """The first thing wrong with one crop or with many, as a sentence."""
    image, size = case.inputs["image"], case.inputs["size"]
    channels, height, width = image.shape
    if failed(outputs):
        return f"raises ValueError ({outputs['error']}), but a square of side {size} fits into {height}×{width} pixels"
    if (places := read(case, outputs)) is None:
        return "the result is not a square of the image: its values stand nowhere in the image in this order"
    shapes = outputs["shapes"] if isinstance(outputs, dict) else np.array([outputs.shape])
    wrong = [tuple(int(n) for n in shape) for shape in shapes if tuple(shape) != (channels, size, size)]
    if wrong:
        calls = f" in {len(wrong)} of {len(shapes)} calls" if len(shapes) > 1 else ""
        return f"the result has shape {wrong[0]}{calls}, should have shape {(channels, size, size)}"
    return _law_fault(places, height - size + 1, width - size + 1) if len(places) > 1 else None


def _law_fault(places, rows, columns):
    n = len(places)
    for what, found, count in (("row", places[:, 0], rows), ("column", places[:, 1], columns)):
        low, high = _interval(n, 1 / count)
        for place, times in enumerate(np.bincount(found, minlength=count)):
            if not low <= times <= high:
                return f"{times} of {n} crops begin in {what} {place}, should be {low} to {high}"
    low, high = _interval(n, 1 / (rows * columns))
    for index, times in enumerate(np.bincount(places @ [columns, 1], minlength=rows * columns)):
        if not low <= times <= high:
            row, column = divmod(index, columns)
            return f"{times} of {n} crops begin in row {row} and column {column}, should be {low} to {high}"
    half = n // 2
    low, high = _interval(half, 1 / (rows * columns))
    equal = int((places[0 : 2 * half : 2] == places[1 : 2 * half : 2]).all(axis=1).sum())
    if not low <= equal <= high:
        return f"in {equal} of {half} pairs of calls, both crops begin at one place, should be {low} to {high}"
    return None
