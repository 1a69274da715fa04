"""The numbers of the augmentation knobs: one picture turned, shifted, mirrored and lit, and how far its label holds.

How far a change may go is not a law of nature: it is where people begin to read something else. The limits below are
the course's own choice for its shapes and for the letter b. A turned arrow stays an arrow, but a network need not learn
what never comes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from course_utils.data import load_shapes

SIZE = 32
SUBJECTS = ("the letter b", "arrow", "cross")
MIRRORED = ("no", "left–right")
TURN, SHIFT, BRIGHTNESS, CONTRAST = (-180, 180), (-24, 24), (-1.0, 1.0), (0.0, 2.0)
SHAPE_TURN = 36  # degrees: the shapes are drawn turned by a tenth of a turn at most
LETTER_TURN = 45  # half of the quarter turn after which a letter lies on its side
LEAST_INSIDE, LEAST_RANGE = 0.5, 0.1  # of the subject's pixels; of the grey values between black and white


@lru_cache(maxsize=len(SUBJECTS))
def original(subject: str) -> np.ndarray:
    """A (3, SIZE, SIZE) picture in [0, 1]: the letter b, or the first of the shapes with that name."""
    if subject == SUBJECTS[0]:
        picture = np.full((3, SIZE, SIZE), 0.92)
        picture[:, subject_mask(subject)] = np.array([0.10, 0.22, 0.45])[:, None]
        return picture
    shapes = load_shapes(SIZE, train=20, validation=0, test=0)
    first = int(np.flatnonzero(shapes.train.labels == shapes.classes.index(subject))[0])
    return np.asarray(shapes.train.images[first], dtype=np.float64)


@lru_cache(maxsize=len(SUBJECTS))
def subject_mask(subject: str) -> np.ndarray:
    """Where the subject is, (SIZE, SIZE) booleans: the strokes of the letter, or the middle of a shape's picture."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    if subject != SUBJECTS[0]:
        return (x - SIZE / 2 + 0.5) ** 2 + (y - SIZE / 2 + 0.5) ** 2 < (SIZE / 4) ** 2
    bowl = np.hypot(x - 16, y - 20)
    return ((x >= 9) & (x < 13) & (y >= 4) & (y < 27)) | ((bowl < 7) & (bowl >= 3.5) & (x >= 11))


def read(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The (C, …) values of a (C, H, W) image at points in pixels: bilinear, 0 outside."""
    _, height, width = image.shape
    out = np.zeros((len(image), *rows.shape))
    for i in (np.floor(rows), np.floor(rows) + 1):
        for j in (np.floor(columns), np.floor(columns) + 1):
            weight = (1 - np.abs(rows - i)) * (1 - np.abs(columns - j))
            inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
            y, x = (np.where(inside, index, 0).astype(int) for index in (i, j))
            out += np.where(inside, weight, 0) * image[:, y, x]
    return out


def moved(image: np.ndarray, degrees: float, shift: float, mirrored: bool) -> np.ndarray:
    """The image mirrored, then turned clockwise about its centre, then shifted to the right by `shift` pixels."""
    _, height, width = image.shape
    y, x = np.mgrid[0:height, 0:width].astype(float)
    y, x = y - (height - 1) / 2, x - (width - 1) / 2 - shift
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    across, down = c * x + s * y, c * y - s * x  # where a pixel of the result comes from
    across = -across if mirrored else across
    return read(image, down + (height - 1) / 2, across + (width - 1) / 2)


def lit(image: np.ndarray, brightness: float, contrast: float) -> np.ndarray:
    """contrast · (image − its mean) + its mean + brightness, cut to [0, 1]."""
    mean = image.mean()
    return np.clip(contrast * (image - mean) + mean + brightness, 0, 1)


def augmented(subject: str, degrees: float, shift: float, mirrored: bool, brightness: float, contrast: float):
    """The (3, SIZE, SIZE) picture that a network would see."""
    return lit(moved(original(subject), degrees, shift, mirrored), brightness, contrast)


def share_inside(subject: str, degrees: float, shift: float, mirrored: bool) -> float:
    """How much of the subject is still in the picture, 0 to 1."""
    mask = subject_mask(subject)[None].astype(float)
    return float(min(1.0, moved(mask, degrees, shift, mirrored).sum() / mask.sum()))


def broken(subject: str, degrees: float, shift: float, mirrored: bool, brightness: float, contrast: float) -> list[str]:
    """Why the label no longer holds, one clause for each reason; an empty list where it does."""
    reasons, letter = [], subject == SUBJECTS[0]
    upside_down = abs(degrees) >= 180 - LETTER_TURN
    if letter and mirrored:
        reasons.append("mirrored and upside down, a b is a p" if upside_down else "a mirrored b is a d")
    elif letter and upside_down:
        reasons.append("a b upside down is a q")
    if letter and LETTER_TURN < abs(degrees) < 180 - LETTER_TURN:
        reasons.append(f"the letter is turned by more than {LETTER_TURN}°")
    if share_inside(subject, degrees, shift, mirrored) < LEAST_INSIDE:
        reasons.append("less than half of the subject is left in the picture")
    seen = augmented(subject, degrees, shift, mirrored, brightness, contrast)
    low, high = np.quantile(seen, [0.02, 0.98])
    if high - low < LEAST_RANGE:
        reasons.append("hardly any difference between light and dark is left")
    return reasons


def beyond_the_set(subject: str, degrees: float) -> bool:
    """Whether a shape is turned further than the shapes of the set are; there are no other letters to compare with."""
    return subject != SUBJECTS[0] and abs(degrees) > SHAPE_TURN
