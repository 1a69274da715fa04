"""The ten outlines, each as a signed distance: how far a point lies from the edge, negative inside.

An outline takes the points `(u, v)`, each (images, size, size), and three numbers `knobs` (images, 3) between 0 and 1
that vary its proportions. Its centre is the origin, and it reaches about 1 away from it.
"""

from __future__ import annotations

import numpy as np

from course_utils.data._shapes.draws import direction

Points = tuple[np.ndarray, np.ndarray]


def _between(low: float, high: float, knob: np.ndarray) -> np.ndarray:
    """`low` to `high` as the knob (images,) goes from 0 to 1, ready to be combined with points: (images, 1, 1)."""
    return (np.float32(low) + np.float32(high - low) * knob)[:, None, None]


def _length(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sqrt(x * x + y * y)


def _polygon(points: Points, corners: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Distance from a polygon whose corners' coordinates are single numbers or (images, 1, 1)."""
    u, v = points
    nearest = None
    inside = np.zeros(u.shape, dtype=bool)
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        along_x, along_y = bx - ax, by - ay
        from_x, from_y = u - ax, v - ay
        part = ((from_x * along_x + from_y * along_y) / (along_x * along_x + along_y * along_y)).clip(0, 1)
        away_x, away_y = from_x - along_x * part, from_y - along_y * part
        square = away_x * away_x + away_y * away_y
        nearest = square if nearest is None else np.minimum(nearest, square, out=nearest)
        # A ray to the right of the point crosses this side: an odd number of crossings means inside.
        left = along_x * from_y > along_y * from_x
        inside ^= ((ay <= v) & (v < by) & left) | ((by <= v) & (v < ay) & ~left)
    distance = np.sqrt(nearest)
    return np.where(inside, -distance, distance)


def _regular(corners: int, radii: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Corners evenly spaced around the origin, at the radii taken in turn."""
    around = [direction((k + 0.25 * corners) / corners) for k in range(corners)]
    return [(radii[k % len(radii)] * x, radii[k % len(radii)] * y) for k, (x, y) in enumerate(around)]


def circle(points: Points, knobs: np.ndarray) -> np.ndarray:
    """A filled disk."""
    return _length(*points) - np.float32(0.9)


def ring(points: Points, knobs: np.ndarray) -> np.ndarray:
    """A disk with a round hole of 0.4 to 0.65 of its radius."""
    hole = _between(0.4, 0.65, knobs[:, 0])
    middle, half_width = (1 + hole) / 2, (1 - hole) / 2
    return np.abs(_length(*points) - middle * np.float32(0.95)) - half_width * np.float32(0.95)


def crescent(points: Points, knobs: np.ndarray) -> np.ndarray:
    """A disk without the part under a second disk."""
    u, v = points
    shift = _between(0.5, 0.75, knobs[:, 0])
    bite = _length(u - shift, v) - _between(0.8, 0.95, knobs[:, 1])
    return np.maximum(_length(u, v) - 1, -bite)


def triangle(points: Points, knobs: np.ndarray) -> np.ndarray:
    """A triangle with two equal sides."""
    half = _between(0.75, 0.98, knobs[:, 0])
    base = np.float32(-0.6)
    return _polygon(points, [(-half, base), (half, base), (np.float32(0), np.float32(1))])


def square(points: Points, knobs: np.ndarray) -> np.ndarray:
    """A square."""
    return _polygon(points, _regular(4, [np.float32(1.05)]))


def pentagon(points: Points, knobs: np.ndarray) -> np.ndarray:
    """A regular pentagon."""
    return _polygon(points, _regular(5, [np.float32(1)]))


def star(points: Points, knobs: np.ndarray) -> np.ndarray:
    """A star of five points."""
    return _polygon(points, _regular(10, [np.float32(1.1), _between(0.42, 0.55, knobs[:, 0])]))


def cross(points: Points, knobs: np.ndarray) -> np.ndarray:
    """A cross of two equal bars."""
    long, half = np.float32(1), _between(0.22, 0.36, knobs[:, 0])
    corner = [(long, half), (half, half), (half, long)]
    corners = corner + [(-y, x) for x, y in corner] + [(-x, -y) for x, y in corner] + [(y, -x) for x, y in corner]
    return _polygon(points, corners)


def heart(points: Points, knobs: np.ndarray) -> np.ndarray:
    """A square on its tip, with half a disk on each of its two upper sides."""
    u, v = points
    side = _between(0.52, 0.6, knobs[:, 0])  # half of the square's diagonal; the disks' radius is half a side
    v = v + np.float32(0.15)
    tip = _polygon((u, v), [(side, side * 0), (side * 0, side), (-side, side * 0), (side * 0, -side)])
    disks = _length(np.abs(u) - side / 2, v - side / 2) - side * np.float32(0.70710678)
    return np.minimum(tip, disks)


def arrow(points: Points, knobs: np.ndarray) -> np.ndarray:
    """A shaft with a head."""
    neck, half = _between(0.0, 0.3, knobs[:, 0]), _between(0.16, 0.3, knobs[:, 1])
    wing, end = _between(0.65, 0.85, knobs[:, 2]), np.float32(-1)
    head = [(np.float32(1.05), np.float32(0)), (neck, wing), (neck, half), (end, half)]
    return _polygon(points, [*head, *((x, -y) for x, y in head[:0:-1])])


# The place in this list is the label.
OUTLINES = (circle, ring, crescent, triangle, square, pentagon, star, cross, heart, arrow)
