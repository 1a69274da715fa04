"""Deep networks as lists of layers, many of them trained side by side: arrays of activations are (N, R, units).

R counts the runs, each a seed and its settings. A layer has `forward(h, training)` and `backward(grad)`, which takes
∂L/∂(its output), moves its own parameters by its `rates` (R, 1) and returns ∂L/∂(its input). Everything is float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from threadpoolctl import ThreadpoolController

# The products are small: on a busy machine BLAS's threads would wait for each other, not compute.
_BLAS = ThreadpoolController()


def he_weights(sizes: Sequence[int], seeds: int, copies: int = 1, factor: float = 1.0) -> list[np.ndarray]:
    """He's normal weights (2015, eq. 10) for layers of `sizes` units, each (R, out, in), with R = copies · seeds.

    Run r has seed r % seeds. All layers but the last are multiplied by `factor`.
    """
    drawn = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        shapes = zip(sizes[1:], sizes[:-1], strict=True)
        drawn.append([rng.normal(scale=np.sqrt(2 / shape[1]), size=shape) for shape in shapes])
    stacked = [np.stack(layer * copies) for layer in map(list, zip(*drawn, strict=True))]
    return [factor * weight for weight in stacked[:-1]] + stacked[-1:]


class Affine:
    """z = h Wᵀ + b, with W (R, out, in); the biases start at 0."""

    def __init__(self, weight: np.ndarray) -> None:
        self.weight = weight.astype(np.float32)
        self.bias = np.zeros(weight.shape[:2], np.float32)

    def forward(self, h: np.ndarray, training: bool) -> np.ndarray:
        self.h = h.swapaxes(0, 1)  # (R, N, in): matmul multiplies run by run
        return (self.h @ self.weight.swapaxes(1, 2)).swapaxes(0, 1) + self.bias

    def backward(self, grad: np.ndarray) -> np.ndarray:
        by_run = grad.swapaxes(0, 1)  # (R, N, out)
        grad_h = (by_run @ self.weight).swapaxes(0, 1)
        self.weight -= self.rates[:, :, None] * (by_run.swapaxes(1, 2) @ self.h)
        self.bias -= self.rates * grad.sum(axis=0)
        return grad_h


class Relu:
    """max(h, 0)."""

    def forward(self, h: np.ndarray, training: bool) -> np.ndarray:
        self.on = h > 0
        return h * self.on

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return grad * self.on


class Norm:
    """A normalization layer with γ and β for each unit of each run.

    layer: called on (N, R·units); it has `weight` and `bias`, which are replaced here, and `training`.
    gradients: `gradients(grad_out, x, weight)` returns `(grad_x, grad_weight, grad_bias)`.
    Batch norm treats each column by itself, so that the runs side by side are only more columns for it.
    """

    def __init__(self, layer, gradients: Callable) -> None:
        self.layer, self.gradients = layer, gradients

    def forward(self, h: np.ndarray, training: bool) -> np.ndarray:
        self.z, self.layer.training = h.reshape(len(h), -1), training
        return np.asarray(self.layer(self.z), np.float32).reshape(h.shape)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        found = self.gradients(grad.reshape(len(grad), -1), self.z, np.asarray(self.layer.weight, np.float32))
        grad_z, grad_weight, grad_bias = (np.asarray(each, np.float32) for each in found)
        rates = np.repeat(self.rates[:, 0], grad.shape[2])
        self.layer.weight = self.layer.weight - rates * grad_weight
        self.layer.bias = self.layer.bias - rates * grad_bias
        return grad_z.reshape(grad.shape)


class Dropout:
    """Inverted dropout; drop_probability (R,), one for each run."""

    def __init__(self, drop_probability: np.ndarray, rng: np.random.Generator) -> None:
        self.p, self.rng = np.asarray(drop_probability, np.float32)[:, None], rng

    def forward(self, h: np.ndarray, training: bool) -> np.ndarray:
        self.scale = 1 if not training else (self.rng.random(h.shape, np.float32) >= self.p) / (1 - self.p)
        return h * self.scale

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return grad * self.scale


class Networks:
    """R networks of one shape: an affine layer, the layers of `block`, an affine layer, …, and an affine layer last.

    weights: list of (R, out, in) arrays, e.g. `he_weights(…)`.
    block: `block(runs, units)` returns the layers that follow an affine layer of so many units.
    rates: (R,), every run's learning rate for plain SGD; a layer's `rates` (R, 1) may be changed afterwards.
    """

    def __init__(self, weights: list[np.ndarray], block: Callable[[int, int], list], rates: np.ndarray) -> None:
        self.runs = len(weights[0])
        self.layers = []
        for weight in weights[:-1]:
            self.layers += [Affine(weight), *block(*weight.shape[:2])]
        self.layers.append(Affine(weights[-1]))
        for layer in self.layers:
            layer.rates = np.asarray(rates, np.float32).reshape(-1, 1)

    @_BLAS.wrap(limits=1)
    def logits(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """The outputs for x (N, inputs), the same examples for all runs: (N, R, classes)."""
        h = np.broadcast_to(x.astype(np.float32)[:, None], (len(x), self.runs, x.shape[1]))
        for layer in self.layers:
            h = layer.forward(h, training)
        return h

    @_BLAS.wrap(limits=1)
    def step(self, x: np.ndarray, labels: np.ndarray) -> None:
        """One step of SGD on the mean cross-entropy of the batch x (N, inputs), labels (N,)."""
        logits, rows = self.logits(x, training=True), np.arange(len(x))
        grad = np.exp(logits - logits.max(axis=2, keepdims=True))
        grad /= grad.sum(axis=2, keepdims=True)
        grad[rows, :, labels] -= 1
        grad /= np.float32(len(x))
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

    def train(self, x: np.ndarray, labels: np.ndarray, epochs: int, batch_size: int) -> None:
        """SGD on shuffled batches, the same for all runs; a last batch of one example is left out."""
        rng = np.random.default_rng(0)
        with np.errstate(all="ignore"):  # a network that diverges may overflow
            for _ in range(epochs):
                for rows in np.split(rng.permutation(len(x)), range(batch_size, len(x), batch_size)):
                    if len(rows) > 1:
                        self.step(x[rows], labels[rows])

    def accuracy(self, x: np.ndarray, labels: np.ndarray, training: bool = False) -> np.ndarray:
        """Every run's share of right answers, (R,), in evaluation or with all layers as in training."""
        with np.errstate(all="ignore"):
            return np.mean(self.logits(x, training).argmax(axis=2) == labels[:, None], axis=0)
