"""One picture: a background, clutter, the shape, something in front of it, uneven light and noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from course_utils.data._shapes.draws import LABELS, Draws, direction, noise, words
from course_utils.data._shapes.outlines import OUTLINES
from course_utils.data._shapes.surfaces import PATTERNS, clouds, patterned

CLASSES = len(OUTLINES)
CHUNK = 2**17  # pixel positions drawn at once: some tens of megabytes, and the processor's caches are still of use
# What makes the set as hard as docs/data.md says; `python -m benchmarks.shapes` measures it.
BEHIND, IN_FRONT = 3, 1  # pieces of clutter
TURN = 0.1  # at most this part of a whole turn, either way
LIGHTER = np.float32(0.9)  # this part of the shapes is lighter than what is around them


def draw_labels(seed: int, split: int, start: int, stop: int) -> np.ndarray:
    """The labels of images `start` to `stop`, int64: every ten in a row are the ten classes, shuffled."""
    first, last = start // CLASSES, -(-stop // CLASSES)
    keys = words(seed, split, LABELS, first * CLASSES, (last - first) * CLASSES).reshape(-1, CLASSES)
    shuffled = np.argsort(keys, axis=1, kind="stable").ravel()
    return shuffled[start - first * CLASSES : stop - first * CLASSES]


def draw_images(size: int, seed: int, split: int, start: int, stop: int) -> Iterator[np.ndarray]:
    """The images `start` to `stop` in chunks (n, 3, size, size) uint8; image i does not depend on either."""
    step = max(1, CHUNK // size**2)
    for first in range(start, stop, step):
        last = min(first + step, stop)
        yield _draw(draw_labels(seed, split, first, last), size, seed, split, first)


def _draw(labels: np.ndarray, size: int, seed: int, split: int, start: int) -> np.ndarray:
    count = len(labels)
    draws = Draws(seed, split, start, count)
    middle = ((np.arange(size) + 0.5) / size).astype(np.float32)  # of the pixels, as parts of the side
    x = np.broadcast_to(middle, (count, size, size))
    y = np.broadcast_to(middle[:, None], (count, size, size))

    ground = draws.uniform(0.2, 0.6, 3)
    image = _background(draws, ground, x, y)
    for _ in range(BEHIND):
        _paint(image, _capsule(draws, x, y, size, present=0.6, widest=0.06), _flat(draws.uniform(0.1, 0.9, 3)))
    _paint(image, *_shape(draws, labels, ground, x, y))
    for _ in range(IN_FRONT):
        _paint(image, _capsule(draws, x, y, size, present=0.5, widest=0.035), _flat(draws.uniform(0.1, 0.9, 3)))
    light_x, light_y = draws.direction()
    slope = draws.uniform(0, 0.4)
    light = 1 + _wide(slope * light_x) * (x - np.float32(0.5)) + _wide(slope * light_y) * (y - np.float32(0.5))
    image *= light[:, None]
    strength = draws.uniform(0.01, 0.07)[:, None, None, None]
    image += strength * noise(seed, split, start, count, 3 * size**2).reshape(image.shape)
    return np.floor(image.clip(0, 1) * 255 + np.float32(0.5)).astype(np.uint8)


def _wide(numbers: np.ndarray) -> np.ndarray:
    """One number per image, ready to be combined with points."""
    return numbers[:, None, None]


def _flat(colours: np.ndarray) -> np.ndarray:
    """One colour per image, (images, 3, 1, 1)."""
    return colours[:, :, None, None]


def _paint(image: np.ndarray, cover: np.ndarray, colours: np.ndarray) -> None:
    """Put `colours` over the image where `cover` (images, size, size) is 1, partly where it is less."""
    image += cover[:, None] * (colours - image)


def _covered(distance: np.ndarray, softness: np.ndarray) -> np.ndarray:
    """1 inside, 0 outside, with an edge `softness` wide; both in the same unit."""
    return (np.float32(0.5) - distance / softness).clip(0, 1)


def _background(draws: Draws, ground: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    size = x.shape[-1]
    image = _flat(ground) + np.float32(0.15) * clouds(draws.uniform(-1, 1, 3, 4, 4), size)
    image += np.float32(0.08) * clouds(draws.uniform(-1, 1, 3, 9, 9), size)
    pattern = _pattern(draws, x, y, finest=0.08, coarsest=0.5)
    return image + pattern[:, None] * _flat(draws.uniform(-0.1, 0.1, 3))


def _pattern(draws: Draws, x: np.ndarray, y: np.ndarray, finest: float, coarsest: float) -> np.ndarray:
    """A pattern turned and shifted at random, whose period is `finest` to `coarsest` of the units of x and y."""
    cosine, sine = (_wide(each) for each in draws.direction())
    pace = 1 / _wide(draws.uniform(finest, coarsest))
    shift_x, shift_y = _wide(draws.uniform(0, 1)), _wide(draws.uniform(0, 1))
    kinds = draws.choice(len(PATTERNS))
    return patterned(kinds, (cosine * x + sine * y) * pace + shift_x, (cosine * y - sine * x) * pace + shift_y)


def _capsule(draws: Draws, x: np.ndarray, y: np.ndarray, size: int, present: float, widest: float) -> np.ndarray:
    """The cover of one piece of clutter: a thick line from a dot to half the picture long; absent from some images."""
    from_x, from_y = x - _wide(draws.uniform(0, 1)), y - _wide(draws.uniform(0, 1))
    cosine, sine = (_wide(each) for each in draws.direction())
    long, thick = _wide(draws.uniform(0, 0.5)), _wide(draws.uniform(0.012, widest))
    along = np.minimum((from_x * cosine + from_y * sine).clip(min=0), long)
    away_x, away_y = from_x - along * cosine, from_y - along * sine
    cover = _covered(np.sqrt(away_x * away_x + away_y * away_y) - thick, np.float32(1.2 / size))
    return cover * _wide((draws.uniform(0, 1) < present).astype(np.float32))


def _shape(
    draws: Draws, labels: np.ndarray, ground: np.ndarray, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The shape's cover (images, size, size) and its colours (images, 3, size, size)."""
    radius = draws.uniform(0.24, 0.42)
    centre = np.float32(0.5) + (np.float32(0.55) - radius)[:, None] * draws.uniform(-1, 1, 2)
    u, v = _turned(draws, x - _wide(centre[:, 0]), _wide(centre[:, 1]) - y, radius)
    knobs = draws.uniform(0, 1, 3)
    distance = np.empty_like(u)
    for label, outline in enumerate(OUTLINES):
        chosen = labels == label
        if chosen.any():
            distance[chosen] = outline((u[chosen], v[chosen]), knobs[chosen])
    blur = np.float32(1.2 / x.shape[-1]) + draws.uniform(0, 0.04)
    cover = _covered(distance, _wide(blur / radius))

    pattern = _pattern(draws, u, v, finest=0.35, coarsest=1.2)
    colours = _contrasting(draws, ground)
    return cover, _flat(colours) + pattern[:, None] * _flat(draws.uniform(-0.1, 0.1, 3))


def _turned(draws: Draws, x: np.ndarray, y: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points in the shape's own coordinates: mirrored or not, turned a little, stretched somehow, and scaled."""
    x = np.where(_wide(draws.uniform(0, 1) < np.float32(0.5)), x, -x)
    turn, along = draws.uniform(-TURN, TURN), draws.uniform(0, 1)
    first, second = _rotated(x, y, along)
    stretch = draws.uniform(0.82, 1.0)
    return _rotated(first / _wide(radius), second / _wide(radius * stretch), turn - along)


def _rotated(x: np.ndarray, y: np.ndarray, turns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The coordinates of the same points along axes that are turned by `turns` (images,) of a whole turn."""
    cosine, sine = (_wide(each) for each in direction(turns))
    return x * cosine + y * sine, y * cosine - x * sine


def _contrasting(draws: Draws, ground: np.ndarray) -> np.ndarray:
    """Colours (images, 3) lighter than the ground in most images, darker in the others."""
    lighter = draws.uniform(0, 1) < LIGHTER
    change = draws.uniform(0.2, 0.45)[:, None] + draws.uniform(-0.15, 0.15, 3)
    return ground + np.where(lighter[:, None], change, -change)
