"""The numbers of the dead units: a small ReLU network on the digits, trained by SGD at any learning rate.

A unit is dead when it is zero on every training image. All runs of one learning rate are trained side by side: arrays
have the run as first axis. Run k has the same start and the same minibatches at every learning rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from course_utils.data import load_digits
from course_utils.data.digits import TRAIN

SIZES = (64, 50, 50, 10)  # two hidden layers of 50 ReLUs
RUNS, STEPS, EVERY, BATCH = 5, 60, 3, 64  # the units are counted before the first step and after every third
CENSUS = tuple(range(0, STEPS + 1, EVERY))
RATES = (0.01, 0.018, 0.032, 0.056, 0.1, 0.18, 0.32, 0.56, 1.0, 1.8, 3.2, 5.6)  # four to a factor of ten
INPUTS = {"pixels 0 to 1": False, "minus their mean": True}  # whether the mean image is subtracted


@dataclass(frozen=True)
class Training:
    """What was counted on all training images at the steps asked for."""

    steps: tuple[int, ...]
    loss: np.ndarray  # (counts, RUNS): mean cross-entropy
    fires: np.ndarray  # (counts, RUNS, 2, 50): share of the images on which a unit is above zero

    @property
    def dead(self) -> np.ndarray:
        """The number of dead units, (counts, RUNS, 2): a hidden layer each."""
        return (self.fires == 0).sum(-1)


@lru_cache(maxsize=2)
def images(inputs: str) -> tuple[np.ndarray, np.ndarray]:
    """The training images as rows (N, 64), as `inputs` says, and their labels (N,)."""
    train = load_digits().train
    return train.features - INPUTS[inputs] * train.features.mean(axis=0), train.labels


def start(run: int) -> tuple[list[np.ndarray], np.ndarray]:
    """The He-normal weights with which a run starts, each (out, in), and its minibatches' rows, (STEPS, BATCH)."""
    rng = np.random.default_rng(run)
    weights = [rng.normal(0, (2 / fan_in) ** 0.5, (out, fan_in)) for fan_in, out in zip(SIZES, SIZES[1:], strict=False)]
    epochs = -(-STEPS * BATCH // TRAIN)
    order = np.concatenate([rng.permutation(TRAIN) for _ in range(epochs)])
    return weights, order[: STEPS * BATCH].reshape(STEPS, BATCH)


@lru_cache(maxsize=64)
def train(rate: float, inputs: str, counted: tuple[int, ...] = CENSUS) -> Training:
    """Train the RUNS networks at learning rate `rate` up to the last of the steps `counted`, counting at each."""
    x, labels = images(inputs)
    starts = [start(run) for run in range(RUNS)]
    weights = [np.stack(layer) for layer in zip(*(made for made, _ in starts), strict=True)]  # (RUNS, out, in)
    biases = [np.zeros((RUNS, 1, out)) for out in SIZES[1:]]
    rows = np.stack([order for _, order in starts], axis=1)  # (STEPS, RUNS, BATCH)
    losses, fires = [], []
    for step in range(counted[-1] + 1):
        if step in counted:
            hidden, scores = _forward(weights, biases, x)
            losses.append(_cross_entropy(scores, np.broadcast_to(labels, (RUNS, len(labels))))[0])
            fires.append(np.stack([np.mean(h > 0, axis=1) for h in hidden], axis=1))
        if step < counted[-1]:
            _step(weights, biases, x[rows[step]], labels[rows[step]], rate)
    return Training(counted, np.array(losses), np.array(fires))


@lru_cache(maxsize=2)
def dead_at_the_end(inputs: str) -> np.ndarray:
    """The share of dead hidden units after the last step, (len(RATES), RUNS)."""
    return np.array([train(rate, inputs, (STEPS,)).dead[-1].sum(-1) for rate in RATES]) / sum(SIZES[1:-1])


def _forward(weights, biases, x) -> tuple[list[np.ndarray], np.ndarray]:
    """The hidden layers' activations and the scores, each (RUNS, N, units)."""
    *hidden, last = zip(weights, biases, strict=True)
    activations, h = [], x
    for weight, bias in hidden:
        h = np.maximum(h @ weight.swapaxes(1, 2) + bias, 0)
        activations.append(h)
    return activations, h @ last[0].swapaxes(1, 2) + last[1]


def _cross_entropy(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean loss of every run (RUNS,) and its gradient for the scores (RUNS, N, 10)."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=-1, keepdims=True)
    right = np.arange(scores.shape[-1]) == labels[..., None]
    loss = np.log(total[..., 0]) - shifted[right].reshape(labels.shape)
    return loss.mean(axis=1), (exponentials / total - right) / labels.shape[1]


def _step(weights, biases, x, labels, rate: float) -> None:
    """One step of SGD on a minibatch of every run, (RUNS, BATCH, 64), in place."""
    hidden, scores = _forward(weights, biases, x)
    error = _cross_entropy(scores, labels)[1]
    inputs = [x, *hidden]
    for k in reversed(range(len(weights))):
        below = error @ weights[k] * (inputs[k] > 0) if k else None
        weights[k] -= rate * (error.swapaxes(1, 2) @ inputs[k])
        biases[k] -= rate * error.sum(axis=1, keepdims=True)
        error = below
