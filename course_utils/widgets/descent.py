"""The numbers of the loss-surface walk: a network with two weights, its loss, and where gradient descent leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Six points of y = 2·tanh(x), moved a little by hand so that no weights fit them exactly.
INPUTS = np.array([-3.0, -1.0, -0.5, 0.5, 1.0, 3.0])
TARGETS = np.array([-1.9, -1.6, -1.0, 0.8, 1.6, 1.9])
MINIMUM = (1.09391, 1.92582)  # the lowest point; (−w, −v) computes the same, so there is a second one
SADDLE = 1.165  # the loss at the origin
FAR = 1e6  # a walk is stopped once a weight is larger than this
SMALL_SLOPE = 0.005  # |gradient| below which the walk counts as arrived


@dataclass(frozen=True)
class Walk:
    """Gradient descent from one starting point.

    points: (n+1, 2), the weights (w, v) before the first step and after each. losses: (n+1,). gradients: (n+1, 2).
    n is smaller than the steps asked for when the walk left for infinity.
    """

    points: np.ndarray
    losses: np.ndarray
    gradients: np.ndarray


def loss(w: np.ndarray, v: np.ndarray) -> np.ndarray:
    """½·mean((v·tanh(w·x) − y)²) over the six points, for weights of any one shape; the result has that shape."""
    w, v = np.asarray(w, float), np.asarray(v, float)
    errors = v[..., None] * np.tanh(w[..., None] * INPUTS) - TARGETS
    return 0.5 * np.mean(errors**2, axis=-1)


def gradient(w: float, v: float) -> np.ndarray:
    """(∂loss/∂w, ∂loss/∂v) at one point, (2,), by the chain rule."""
    hidden = np.tanh(w * INPUTS)
    errors = v * hidden - TARGETS
    return np.array([np.mean(errors * v * (1.0 - hidden**2) * INPUTS), np.mean(errors * hidden)])


def walk(start: tuple[float, float], learning_rate: float, steps: int) -> Walk:
    """Take `steps` steps of gradient descent, (w, v) ← (w, v) − learning_rate · gradient, from `start`."""
    points = [np.array(start, float)]
    for _ in range(steps):
        points.append(points[-1] - learning_rate * gradient(*points[-1]))
        if not np.all(np.abs(points[-1]) < FAR):
            break
    path = np.array(points)
    return Walk(path, loss(path[:, 0], path[:, 1]), np.array([gradient(*point) for point in path]))


def curvature(w: float, v: float, step: float = 1e-4) -> np.ndarray:
    """The loss's two principal curvatures (eigenvalues of the Hessian, rising) at one point, by central differences."""
    point, moves = np.array([w, v]), step * np.eye(2)
    hessian = [(gradient(*(point + move)) - gradient(*(point - move))) / (2 * step) for move in moves]
    return np.linalg.eigvalsh(np.array(hessian))


def behaviour(path: Walk) -> tuple[str, str]:
    """One word for the walk and the reason for it. The rules, of which the first that applies decides:

    "diverges": a weight passed a million, or the largest loss is above the first and among the last three.
    "stalls": the last gradient is shorter than `SMALL_SLOPE`, but the surface curves down in some direction (a saddle).
    "converges": the last gradient is shorter than `SMALL_SLOPE`, and the surface curves down nowhere.
    "oscillates": in at least half of the last ten steps (of all, if fewer) the gradient turned by more than 90°.
    "is on its way": anything else.
    """
    if not np.all(np.abs(path.points) < FAR):
        return "diverges", "a weight grew past a million"
    if path.losses.max() > path.losses[0] and path.losses.argmax() >= len(path.losses) - 3:
        return "diverges", "the loss climbs above where it began"
    if np.linalg.norm(path.gradients[-1]) < SMALL_SLOPE:
        if curvature(*path.points[-1])[0] < 0:
            return "stalls", "the gradient is tiny, but the surface still curves down"
        return "converges", f"the last gradient is shorter than {SMALL_SLOPE}"
    last = path.gradients[-11:]
    turns = np.sum(last[1:] * last[:-1], axis=1) < 0
    if np.mean(turns) >= 0.5:
        return "oscillates", f"in {turns.sum()} of the last {len(turns)} steps the gradient turned round"
    return "is on its way", "the gradient is not small yet and seldom turns round"
