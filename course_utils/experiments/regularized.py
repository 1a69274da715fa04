"""Learning from few digits, side by side: dropout and penalties on networks with one hidden layer.

As in `side_by_side`, the first axis of every array numbers the runs, and a run is one seed. Everything is float32,
which halves the time of the matrix products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from threadpoolctl import ThreadpoolController

from course_utils.data.splits import Dataset, Split
from course_utils.experiments.side_by_side import Parameters, outputs, start

HIDDEN, RATE, MOMENTUM, BATCH = 256, 0.05, 0.9, 50


def standardized(data: Dataset, split: Split) -> np.ndarray:
    """The features of a split, shifted and scaled by one mean and one std, those of all training pixels: (N, D)."""
    pixels = data.train.features
    return ((split.features - pixels.mean()) / pixels.std()).astype(np.float32)


def few_examples(
    data: Dataset, seeds: Sequence[int], examples: int = 200, wrong: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """A small training set for each seed: inputs (R, examples, D), standardized, and labels (R, examples).

    Each seed draws its own examples of the training split. The share `wrong` of them, the first ones, gets the label of
    another class.
    """
    x, classes = standardized(data, data.train), data.train.labels.max() + 1
    inputs, labels = [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        rows = rng.permutation(len(x))[:examples]
        given = data.train.labels[rows]
        spoilt = round(wrong * examples)
        given[:spoilt] = (given[:spoilt] + rng.integers(1, classes, spoilt)) % classes
        inputs.append(x[rows])
        labels.append(given)
    return np.stack(inputs), np.stack(labels)


@ThreadpoolController().wrap(limits=1)  # the products are small: on a busy machine BLAS's threads only wait
def learn(
    x: np.ndarray,
    labels: np.ndarray,
    seeds: Sequence[int],
    epochs: int = 50,
    *,
    dropout: tuple[Callable, Callable] | None = None,
    drop_probability: float | Callable[[int], float] = 0.0,
    penalty: Callable[[list[np.ndarray]], tuple[object, list[np.ndarray]]] | None = None,
    after_epoch: Callable[[Parameters], None] = lambda parameters: None,
) -> Parameters:
    """Train one network for each seed by SGD with momentum, and return the parameters.

    x: (R, N, D), labels: (R, N), R being the number of seeds, e.g. from `few_examples`.
    dropout: `(dropout_forward, dropout_backward)` for the hidden units; without it, nothing is dropped.
    drop_probability: a number, or a function of the number of steps taken so far.
    penalty: takes the list of the two weight matrices and returns `(penalty, gradients)`; biases are left alone.
    after_epoch: called with the parameters after every epoch.
    """
    parameters = [each.astype(np.float32) for each in start(seeds, (x.shape[2], HIDDEN, int(labels.max()) + 1))]
    velocities = [np.zeros_like(each) for each in parameters]
    targets = np.eye(parameters[3].shape[2], dtype=np.float32)[labels]
    rng, step = np.random.default_rng(99), 0
    for _ in range(epochs):
        order = rng.permutation(x.shape[1])
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            p = drop_probability(step) if callable(drop_probability) else drop_probability
            gradients = _gradients(parameters, x[:, rows], targets[:, rows], dropout, p, rng)
            if penalty:
                for k, extra in zip((0, 2), penalty([parameters[0], parameters[2]])[1], strict=True):
                    gradients[k] = gradients[k] + np.asarray(extra, np.float32)
            for k, gradient in enumerate(gradients):
                velocities[k] = MOMENTUM * velocities[k] - RATE * gradient
                parameters[k] = parameters[k] + velocities[k]
            step += 1
        after_epoch(parameters)
    return parameters


def _gradients(parameters, x, targets, dropout, p, rng) -> Parameters:
    """The gradients of the mean cross-entropy with these hidden units dropped, in the shapes of the parameters."""
    weight1, bias1, weight2, bias2 = parameters
    hidden = np.maximum(x @ weight1.swapaxes(1, 2) + bias1, 0)
    out, mask = dropout[0](hidden, p, rng) if dropout else (hidden, None)
    out = np.asarray(out, np.float32)
    logits = out @ weight2.swapaxes(1, 2) + bias2
    powers = np.exp(logits - logits.max(axis=2, keepdims=True))
    error = (powers / powers.sum(axis=2, keepdims=True) - targets) / np.float32(x.shape[1])
    below = error @ weight2
    if dropout:
        below = np.asarray(dropout[1](below, mask, p), np.float32)
    below = below * (hidden > 0)
    return [
        below.swapaxes(1, 2) @ x,
        below.sum(axis=1, keepdims=True),
        error.swapaxes(1, 2) @ out,
        error.sum(axis=1, keepdims=True),
    ]


def evaluate(parameters: Parameters, x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each run's share of wrong answers and mean cross-entropy, (R,) both, with nothing dropped.

    x: (R, N, D), labels: (R, N); or (N, D) and (N,) for all runs alike.
    """
    logits = outputs(parameters, x)
    right = np.broadcast_to(labels, logits.shape[:2])
    shifted = logits - logits.max(axis=2, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=2)) - np.take_along_axis(shifted, right[:, :, None], axis=2)[:, :, 0]
    return np.mean(logits.argmax(axis=2) != right, axis=1), losses.mean(axis=1)
