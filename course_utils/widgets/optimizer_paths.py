"""The numbers of the optimizer race: four surfaces over the plane, and where PyTorch's optimizers walk on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

STEPS, FAR = 300, 1e6  # a racer that gets farther than FAR has left


@dataclass(frozen=True)
class Surface:
    """A function of (x, y) with its gradient, the window that is drawn, a start, and a minimum."""

    formula: str
    height: Callable[[np.ndarray, np.ndarray], np.ndarray]
    slope: Callable[[float, float], tuple[float, float]]
    window: tuple[float, float, float, float]  # left, right, bottom, top
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...]
    lowest: float
    levels: tuple[float, ...]  # of the contours, above `lowest`


def _beale_slope(x: float, y: float) -> tuple[float, float]:
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
    return (
        2 * (a * (y - 1) + b * (y**2 - 1) + c * (y**3 - 1)),
        2 * (a * x + b * 2 * x * y + c * 3 * x * y**2),
    )


# Beale, 1958; Rosenbrock, 1960. The ravines have curvatures 1 and 50, along the axes or along the diagonals; the
# saddle's two minima lie on either side of it.
SURFACES = {
    "Beale": Surface(
        "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
        lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
        _beale_slope, (-1.0, 4.5, -2.0, 2.0), (1.0, 1.5), ((3.0, 0.5),), 0.0,
        (0.05, 0.3, 1.0, 3.0, 8.0, 20.0, 50.0, 120.0),
    ),
    "Rosenbrock": Surface(
        "(1 − x)² + 100(y − x²)²",
        lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        lambda x, y: (-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)),
        (-2.0, 2.0, -1.0, 3.0), (-1.2, 1.0), ((1.0, 1.0),), 0.0, (0.3, 1.5, 5.0, 20.0, 70.0, 200.0, 500.0, 1000.0),
    ),
    "ravine": Surface(
        "½x² + 25y²",
        lambda x, y: 0.5 * x**2 + 25 * y**2,
        lambda x, y: (x, 50 * y),
        (-4.5, 1.5, -2.25, 2.25), (-4.0, 1.2), ((0.0, 0.0),), 0.0, (0.1, 0.5, 2.0, 6.0, 15.0, 30.0, 60.0, 100.0),
    ),
    "turned ravine": Surface(
        "½u² + 25v², u = (x + y)/√2, v = (y − x)/√2",
        lambda x, y: 0.25 * (x + y) ** 2 + 12.5 * (y - x) ** 2,
        lambda x, y: (0.5 * (x + y) - 25 * (y - x), 0.5 * (x + y) + 25 * (y - x)),
        (-4.5, 1.5, -3.8, 1.0), (-3.677, -1.980), ((0.0, 0.0),), 0.0, (0.1, 0.5, 2.0, 6.0, 15.0, 30.0, 60.0, 100.0),
    ),
    "saddle": Surface(
        "½x² − ½y² + ¼y⁴",
        lambda x, y: 0.5 * x**2 - 0.5 * y**2 + 0.25 * y**4,
        lambda x, y: (x, -y + y**3),
        (-2.0, 2.0, -1.6, 1.6), (-1.6, 0.001), ((0.0, 1.0), (0.0, -1.0)), -0.25,
        (0.02, 0.1, 0.2, 0.25, 0.35, 0.6, 1.0, 1.6),
    ),
}  # fmt: skip

RACERS = ("SGD", "momentum", "Nesterov", "AdaGrad", "RMSProp", "Adam")
# Each racer's own learning rate: the one with the lowest mean of log(height) over the steps, among 1, 2 and 5 times
# powers of ten that never take it above its start (`tests/test_optimizers_widgets.py` looks for them again).
RATES = {
    "Beale": (0.02, 0.005, 0.005, 2.0, 0.1, 0.5),
    "Rosenbrock": (0.001, 0.001, 0.0005, 0.2, 0.02, 0.2),
    "ravine": (0.02, 0.01, 0.02, 2.0, 0.1, 0.5),
    "turned ravine": (0.02, 0.01, 0.02, 1.0, 0.1, 1.0),
    "saddle": (0.5, 0.5, 0.5, 1.0, 0.1, 0.5),
}
FACTORS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
SMALLEST = 1e-6  # heights below it count as arrived


@dataclass(frozen=True)
class Path:
    """A racer's walk: points (n+1, 2) and heights above the lowest point (n+1,); n < STEPS where it left."""

    points: np.ndarray
    heights: np.ndarray


def optimizer(name: str, parameters, learning_rate: float):
    """PyTorch's optimizer of this name with its default settings; the momentum is 0.9."""
    import torch

    makers = {
        "SGD": lambda: torch.optim.SGD(parameters, lr=learning_rate),
        "momentum": lambda: torch.optim.SGD(parameters, lr=learning_rate, momentum=0.9),
        "Nesterov": lambda: torch.optim.SGD(parameters, lr=learning_rate, momentum=0.9, nesterov=True),
        "AdaGrad": lambda: torch.optim.Adagrad(parameters, lr=learning_rate),
        "RMSProp": lambda: torch.optim.RMSprop(parameters, lr=learning_rate),
        "Adam": lambda: torch.optim.Adam(parameters, lr=learning_rate),
    }
    return makers[name]()


def walk(surface: str, name: str, learning_rate: float, steps: int = STEPS) -> Path:
    """`steps` steps of an optimizer from the surface's start."""
    import torch

    ground = SURFACES[surface]
    at = torch.tensor(ground.start, dtype=torch.float64)
    at.grad = torch.zeros(2, dtype=torch.float64)
    racer, points = optimizer(name, [at], learning_rate), [ground.start]
    for _ in range(steps):
        at.grad[0], at.grad[1] = ground.slope(*points[-1])
        racer.step()
        x, y = at.tolist()
        points.append((x, y))
        if not abs(x) + abs(y) < FAR:
            points[-1] = tuple(np.clip(np.nan_to_num(points[-1], nan=FAR), -FAR, FAR))
            break
    path = np.array(points)
    return Path(path, ground.height(*path.T) - ground.lowest)


def loss_of_a_race(path: Path) -> float:
    """The mean of log₁₀(height) over a walk, by which `RATES` were chosen; infinite where it climbs above its start."""
    if len(path.heights) < STEPS + 1 or path.heights.max() > 1.0001 * path.heights[0]:
        return np.inf
    return float(np.mean(np.log10(np.maximum(path.heights, SMALLEST))))


@lru_cache(maxsize=len(SURFACES) * len(FACTORS))
def race(surface: str, factor: float) -> tuple[Path, ...]:
    """Every racer's walk, in the order of `RACERS`, at `factor` times its own learning rate."""
    return tuple(walk(surface, name, factor * rate) for name, rate in zip(RACERS, RATES[surface], strict=True))
