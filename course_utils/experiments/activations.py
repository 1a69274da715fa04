"""ReLU against tanh, as in the paper's figure 1: epochs until a four-layer network errs on a quarter of its images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from course_utils.data.splits import Split
from course_utils.experiments.augmented import four_shapes
from course_utils.experiments.reproduction import Progress, in_parallel, start, tensors

MAPS, BATCH, MOMENTUM = 16, 50, 0.9
ACTIVATIONS = ("relu", "tanh")
# Steps of a factor of two around the best of each, as in the paper, where each had the rate that made it fastest.
RATES = {"relu": (0.0025, 0.005, 0.01, 0.02), "tanh": (0.01, 0.02, 0.04, 0.08)}
PAPER_FACTOR = 6.0  # Krizhevsky et al. 2012, §3.1 and figure 1: on CIFAR-10, to 25 % training error


@dataclass(frozen=True)
class Race:
    """Each activation with K learning rates of its own, R runs of each.

    rates: for each activation K numbers, ascending. goal: the training error to be reached.
    curves: for each activation the training error of each epoch, (K, R, epochs), NaN after the goal.
    reached: for each activation the epochs to the goal, (K, R), with a fraction from the line between two epochs;
        infinite where it was not reached.
    """

    rates: dict[str, tuple[float, ...]]
    goal: float
    curves: dict[str, np.ndarray]
    reached: dict[str, np.ndarray]

    def best(self, activation: str) -> int:
        """The place of the learning rate with the fewest epochs, the median of its runs."""
        return int(np.median(self.reached[activation], axis=1).argmin())

    def epochs(self, activation: str) -> np.ndarray:
        """The epochs that each run took with the best learning rate, (R,)."""
        return self.reached[activation][self.best(activation)]

    def factors(self) -> np.ndarray:
        """How many times as long tanh took as ReLU, (R,), each with its best rate; the paper's is `PAPER_FACTOR`."""
        return self.epochs("tanh") / self.epochs("relu")

    def at_the_edge(self, activation: str) -> bool:
        """Whether the best rate is the first or the last of the grid: a still better one may lie outside."""
        return self.best(activation) in (0, len(self.rates[activation]) - 1)


def relu_against_tanh(
    seeds: Sequence[int] = (0, 1, 2),
    rates: Mapping[str, Sequence[float]] = RATES,
    goal: float = 0.25,
    train: int = 300,
    most_epochs: int = 10,
    workers: int = 2,
    progress: Progress = lambda done, total: None,
) -> Race:
    """Train with each activation, learning rate and seed until `goal` is reached, for `most_epochs` at most.

    The network has three convolutions, each followed by the activation and a 3×3 pool with stride 2, and one affine
    layer. It learns by plain SGD with momentum 0.9, without regularization, as in the paper's figure. The training
    error of an epoch is counted on its batches, before each update. Both activations start from weights that keep the
    scale of the signal: He's for ReLU, variance 1/fan-in for tanh.

    rates: for each activation the learning rates that are tried.
    train: images of each of the four classes. workers and progress: as in `reproduction.ablation`.
    """
    learned, _ = four_shapes(32, train, 1)
    jobs = [(name, rate, seed) for name in ACTIVATIONS for rate in rates[name] for seed in seeds]
    runs = in_parallel([lambda job=job: _curve(*job, learned, goal, most_epochs) for job in jobs], workers, progress)
    curves, reached, done = {}, {}, 0
    for name in ACTIVATIONS:
        grid = len(rates[name]), len(seeds)
        own, done = np.array(runs[done : done + grid[0] * grid[1]]), done + grid[0] * grid[1]
        curves[name] = own.reshape(*grid, most_epochs)
        reached[name] = np.array([_epochs(curve, goal) for curve in own]).reshape(grid)
    return Race({name: tuple(rates[name]) for name in ACTIVATIONS}, goal, curves, reached)


def _curve(activation: str, rate: float, seed: int, learned: Split, goal: float, most_epochs: int) -> np.ndarray:
    """The training error of each epoch, (most_epochs,), NaN after the goal."""
    import torch
    from torch.nn.functional import cross_entropy

    gain = "relu" if activation == "relu" else "linear"
    model = start(lambda: _four_layers(activation), torch.Generator().manual_seed(seed), gain)
    orders = np.random.default_rng(seed)
    images, labels = tensors(learned)
    optimizer = torch.optim.SGD(model.parameters(), rate, MOMENTUM)
    curve = np.full(most_epochs, np.nan)
    for epoch in range(most_epochs):
        wrong = 0
        for rows in torch.from_numpy(orders.permutation(len(images))).split(BATCH):
            logits = model(images[rows])
            wrong += (logits.argmax(1) != labels[rows]).sum().item()
            optimizer.zero_grad()
            cross_entropy(logits, labels[rows]).backward()
            optimizer.step()
        curve[epoch] = wrong / len(images)
        if curve[epoch] <= goal:
            break
    return curve


def _four_layers(activation: str):
    """Three convolutions of 16, 16 and 32 maps and an affine layer, for images (N, 3, 32, 32) of four classes."""
    from torch import nn

    layers, channels = [], 3
    for maps in (MAPS, MAPS, 2 * MAPS):
        layers += [nn.Conv2d(channels, maps, 5, padding=2), nn.ReLU() if activation == "relu" else nn.Tanh()]
        layers.append(nn.MaxPool2d(3, 2))
        channels = maps
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * 3 * 3, 4))


def _epochs(curve: np.ndarray, goal: float) -> float:
    """Epochs until the curve is at the goal, on a straight line between the middles of two epochs; or infinity.

    An epoch's error is a mean over the epoch, and so stands for its middle: 0.5, 1.5, …
    """
    there = np.flatnonzero(curve <= goal)
    if not len(there):
        return np.inf
    last = there[0]
    if last == 0:
        return 0.5
    return float(last + 0.5 - (goal - curve[last]) / (curve[last - 1] - curve[last]))
