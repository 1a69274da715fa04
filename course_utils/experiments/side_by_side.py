"""Networks with one hidden layer, trained side by side: the first axis of every array numbers the runs.

A run is one seed. Where an update treats every number by itself, as all optimizers of the course do, one optimizer
with stacked parameters does the same as one optimizer for each run, in much less time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from course_utils.data.splits import Split

Parameters = list[np.ndarray]  # weight1 (R, H, D), bias1 (R, 1, H), weight2 (R, K, H), bias2 (R, 1, K)
SHUFFLES = 1000  # the seed that shuffles run 0: other numbers than those that drew its weights


def start(seeds: Sequence[int], sizes: tuple[int, int, int] = (64, 32, 10)) -> Parameters:
    """One network for each seed, float64: D inputs, H hidden ReLUs, K classes; `sizes` is (D, H, K).

    The weights are He's normal ones, the biases 0. Source: K. He et al., Delving deep into rectifiers, 2015, eq. 10.
    """
    inputs, hidden, classes = sizes
    first, second = [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        first.append(rng.normal(scale=np.sqrt(2 / inputs), size=(hidden, inputs)))
        second.append(rng.normal(scale=np.sqrt(2 / hidden), size=(classes, hidden)))
    runs = len(seeds)
    return [np.stack(first), np.zeros((runs, 1, hidden)), np.stack(second), np.zeros((runs, 1, classes))]


def outputs(parameters: Parameters, x: np.ndarray) -> np.ndarray:
    """The logits (R, N, K) of every run. x: (R, N, D), or (N, D) for all runs alike."""
    return _forward(parameters, x)[1]


def loss_and_gradients(parameters: Parameters, x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, Parameters]:
    """Each run's mean cross-entropy (R,), and its gradients in the shapes of the parameters.

    x: (R, N, D) and labels: (R, N); or (N, D) and (N,) for all runs alike.
    """
    hidden, logits = _forward(parameters, x)
    losses, error = _cross_entropy(logits, labels)
    error -= _one_hot(labels, logits)  # (R, N, K); p − y, the gradient of each example's loss for its logits
    error /= logits.shape[1]
    below = (error @ parameters[2]) * (hidden > 0)  # (R, N, H)
    return losses, [
        below.swapaxes(1, 2) @ x,
        below.sum(axis=1, keepdims=True),
        error.swapaxes(1, 2) @ hidden,
        error.sum(axis=1, keepdims=True),
    ]


def evaluate(parameters: Parameters, data: Split) -> tuple[np.ndarray, np.ndarray]:
    """Each run's mean cross-entropy and accuracy on `data`: two arrays (R,). A run that diverged may have loss NaN."""
    with np.errstate(all="ignore"):
        logits = outputs(parameters, data.features)
        losses, _ = _cross_entropy(logits, data.labels)
    return losses, np.mean(logits.argmax(axis=2) == data.labels, axis=1)


def fixed_batches(
    x: np.ndarray, y: np.ndarray, batch_size: int, rng: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray]]:
    """One epoch's pairs for `train`, in one and the same order for everyone: for texts that name a run's numbers."""
    parts = np.split(rng.permutation(len(x)), range(batch_size, len(x), batch_size))
    return [(x[rows], y[rows]) for rows in parts]


def train(
    parameters: Parameters,
    optimizer: object,
    data: Split,
    minibatches: Callable[..., Iterable],
    epochs: int,
    batch_size: int = 64,
    after_step: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Train all runs; the optimizer changes `parameters` in place. Returns every step's batch losses, (steps, R).

    optimizer: holds `parameters` and has `step(gradients)`.
    minibatches: a function (x, y, batch_size, rng) that gives one epoch's pairs. Each run is shuffled by itself.
    after_step: called after every step with the number of steps so far.
    """
    losses = []
    rngs = [np.random.default_rng(SHUFFLES + run) for run in range(len(parameters[0]))]
    with np.errstate(all="ignore"):  # a run that diverges may overflow
        for _ in range(epochs):
            epoch = [minibatches(data.features, data.labels, batch_size, rng) for rng in rngs]
            for batch in zip(*epoch, strict=True):
                x, labels = (np.stack(part) for part in zip(*batch, strict=True))
                loss, gradients = loss_and_gradients(parameters, x, labels)
                optimizer.step(gradients)
                losses.append(loss)
                if after_step:
                    after_step(len(losses))
    return np.array(losses)


class WithPenalty:
    """An optimizer for the loss plus ½·strength·‖w‖²: it adds strength·w to the gradients, and hands them on."""

    def __init__(self, optimizer: object, parameters: Parameters, strength: float):
        self.optimizer, self.parameters, self.strength = optimizer, parameters, strength

    def step(self, gradients: Sequence[np.ndarray]) -> None:
        """One step of the optimizer. The given gradients stay as they are."""
        pairs = zip(gradients, self.parameters, strict=True)
        self.optimizer.step([g + self.strength * w for g, w in pairs])


def _forward(parameters: Parameters, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The hidden activations (R, N, H) and the logits (R, N, K)."""
    weight1, bias1, weight2, bias2 = parameters
    hidden = np.maximum(x @ weight1.swapaxes(1, 2) + bias1, 0)
    return hidden, hidden @ weight2.swapaxes(1, 2) + bias2


def _cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each run's mean loss (R,) and the probabilities (R, N, K)."""
    shifted = logits - logits.max(axis=2, keepdims=True)
    powers = np.exp(shifted)
    total = powers.sum(axis=2, keepdims=True)
    right = np.where(_one_hot(labels, logits), shifted, 0).sum(axis=2, keepdims=True)
    return (np.log(total) - right).mean(axis=(1, 2)), powers / total


def _one_hot(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """True where a logit belongs to the example's label, (R, N, K) or (N, K); much faster than indexing by label."""
    return labels[..., None] == np.arange(logits.shape[2])
