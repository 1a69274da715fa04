"""The numbers of the survived rates: a ten-layer network on the digits, trained at every learning rate at once.

Arrays have the learning rate as first axis and the run as second. Run k has the same start and the same mini-batches at
every rate, with and without batch norm.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from course_utils.data import load_digits

LAYERS, WIDTH, CLASSES = 10, 32, 10  # nine hidden layers of ReLUs and the output layer
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
RUNS, STEPS, BATCH, EVERY = 3, 150, 64, 3
STARTS = {"He": None, "std 0.01": 0.01}  # the std of the weights; He's is √(2/fan_in)
EPSILON = 1e-5
DIVERGED = np.inf  # the loss from the step on at which numbers stop being finite


@dataclass(frozen=True)
class Training:
    """What became of the networks, at each of `RATES` and in each of the RUNS."""

    loss: np.ndarray  # (RATES, RUNS, STEPS / EVERY): mean cross-entropy of the mini-batches between two points
    accuracy: np.ndarray  # (RATES, RUNS): share of the validation images that are right at the end


def start(run: int, scheme: str) -> tuple[list[np.ndarray], np.ndarray]:
    """The weights with which a run starts, each (out, in), and its mini-batches' rows, (STEPS, BATCH)."""
    rng = np.random.default_rng(run)
    sizes = (64, *[WIDTH] * (LAYERS - 1), CLASSES)
    shapes = [(out, fan_in) for fan_in, out in zip(sizes, sizes[1:], strict=False)]
    weights = [rng.normal(0, STARTS[scheme] or (2 / shape[1]) ** 0.5, shape) for shape in shapes]
    return weights, rng.integers(len(load_digits().train), size=(STEPS, BATCH))


@lru_cache(maxsize=4)
def train(scheme: str, normalized: bool) -> Training:
    """Train all networks by plain SGD for STEPS steps, with batch norm before every ReLU or without."""
    import torch

    data = load_digits()
    x, labels = torch.tensor(data.train.features, dtype=torch.float32), torch.tensor(data.train.labels)
    starts = [start(run, scheme) for run in range(RUNS)]
    stacked = [np.stack(layer) for layer in zip(*(made for made, _ in starts), strict=True)]
    # Network rate · RUNS + run is that run at that rate.
    networks = Networks([np.concatenate([w] * len(RATES)) for w in stacked], normalized)
    rows = torch.tensor(np.concatenate([np.stack([order for _, order in starts], axis=1)] * len(RATES), axis=1))
    rates = torch.tensor(RATES).repeat_interleave(RUNS)
    with _one_thread():
        losses = np.array([networks.step(x[rows[step]], labels[rows[step]], rates) for step in range(STEPS)])
        seen = networks.predict(torch.tensor(data.validation.features, dtype=torch.float32))
    loss = losses.T.reshape(len(RATES), RUNS, -1, EVERY).mean(-1)
    loss = np.where(np.logical_or.accumulate(~np.isfinite(loss), axis=-1), DIVERGED, loss)
    return Training(loss, np.mean(seen == data.validation.labels, axis=-1).reshape(len(RATES), RUNS))


@contextmanager
def _one_thread():
    """For arrays as small as these, several of PyTorch's threads only wait for each other on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Networks:
    """Many ten-layer networks side by side in PyTorch, from their layers' weights (networks, out, in) in NumPy."""

    def __init__(self, weights: list[np.ndarray], normalized: bool) -> None:
        import torch

        self.normalized = normalized
        self.weights = [torch.tensor(w, dtype=torch.float32, requires_grad=True) for w in weights]
        rows = [(w.shape[0], w.shape[1]) for w in weights]
        self.shifts = [torch.zeros(shape, requires_grad=True) for shape in rows]  # the biases; β before batch norm
        self.scales = [torch.ones(shape, requires_grad=True) for shape in rows[:-1]] if normalized else []
        self.running = [(torch.zeros(shape), torch.ones(shape)) for shape in rows[:-1]]

    def step(self, x, labels, rates) -> np.ndarray:
        """One step of SGD on x (networks, BATCH, 64), each at its own of `rates`; returns the losses before it."""
        import torch

        scores = self._forward(x, training=True)
        each = torch.nn.functional.cross_entropy(scores.flatten(0, 1), labels.flatten(), reduction="none")
        losses = each.view(labels.shape).mean(dim=1)
        parameters = [*self.weights, *self.shifts, *self.scales]
        gradients = torch.autograd.grad(losses.sum(), parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= rates.view(-1, *[1] * (parameter.ndim - 1)) * gradient
        return losses.detach().numpy()

    def predict(self, x) -> np.ndarray:
        """Every network's labels for x (N, 64), by its running statistics: (networks, N); −1 where it exploded."""
        import torch

        with torch.no_grad():
            scores = self._forward(x.expand(len(self.weights[0]), *x.shape), training=False)
        return torch.where(scores.isfinite().all(dim=-1), scores.argmax(dim=-1), -1).numpy()

    def _forward(self, h, training: bool):
        """The scores (networks, N, CLASSES) for h (networks, N, 64)."""
        for k, (weight, shift) in enumerate(zip(self.weights, self.shifts, strict=True)):
            h = h @ weight.mT
            if self.normalized and k < len(self.scales):
                h = self._normalize(k, h, training)
            h = h + shift[:, None]
            if k < len(self.weights) - 1:
                h = h.relu()
        return h

    def _normalize(self, k: int, h, training: bool):
        """γ times h normalized within every network and unit, by PyTorch, for which they are all channels."""
        import torch

        columns = h.movedim(1, 0).flatten(1)  # (N, networks · units)
        mean, variance = (kept.view(-1) for kept in self.running[k])
        scale = self.scales[k].flatten()
        out = torch.nn.functional.batch_norm(columns, mean, variance, scale, training=training, eps=EPSILON)
        return out.view(-1, *self.scales[k].shape).movedim(0, 1)
