"""The numbers of the thinned networks: one small network, all networks that dropout makes of it, and a sample of them.

Inverted dropout: a unit that is kept is divided by the probability of being kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

# Weights and input by hand, so that some hidden units are near their kink: there the mean of outputs and the output of
# means differ most.
WEIGHT1 = np.array(
    [
        [1.2, -0.8, 0.5, 0.3],
        [-0.6, 1.1, 0.7, -0.9],
        [0.7, 0.9, -1.3, 0.2],
        [-0.4, 0.7, 0.9, 1.0],
        [0.5, -0.9, 0.3, -1.2],
    ]
)
WEIGHT2 = np.array([0.9, -0.8, 1.3, 1.1, 0.6])
INPUT = np.array([1.0, 0.5, 0.8, -0.6])
WHERE = {"hidden units": len(WEIGHT2), "inputs": len(INPUT)}  # what is dropped, and how many there are
SAMPLES, DRAWS = 5000, 10
MOST = 0.9


@dataclass(frozen=True)
class Thinned:
    """Everything about one setting. m is 2 to the number of units that may be dropped."""

    outputs: np.ndarray  # (m,): of every thinned network
    probabilities: np.ndarray  # (m,)
    masks: np.ndarray  # (SAMPLES, units) bool: which units the sampled networks keep
    sampled: np.ndarray  # (SAMPLES,): their outputs
    scaled: float  # the output of the whole network, nothing dropped

    @property
    def mean(self) -> float:
        """The exact mean of the thinned networks' outputs."""
        return float(self.probabilities @ self.outputs)

    @property
    def std(self) -> float:
        """The exact standard deviation of one thinned network's output."""
        return float(np.sqrt(self.probabilities @ (self.outputs - self.mean) ** 2))

    @property
    def averages(self) -> np.ndarray:
        """The mean of the first T sampled outputs, for T = 1 … SAMPLES."""
        return np.cumsum(self.sampled) / np.arange(1, len(self.sampled) + 1)


def output(where: str, masks: np.ndarray, p: float) -> np.ndarray:
    """The outputs (n,) of the networks that keep `masks` (n, units), divided by the probability 1 − p."""
    scale = masks / (1 - p)
    x = INPUT * scale if where == "inputs" else np.broadcast_to(INPUT, (len(masks), len(INPUT)))
    hidden = np.maximum(x @ WEIGHT1.T, 0)
    return (hidden * scale if where == "hidden units" else hidden) @ WEIGHT2


@lru_cache(maxsize=64)
def thinned(where: str, p: float, draw: int) -> Thinned:
    """All thinned networks, and SAMPLES of them, for a drop probability p below 1."""
    units = WHERE[where]
    everyone = np.array(list(product([True, False], repeat=units)))
    kept = everyone.sum(axis=1)
    masks = np.random.default_rng(draw).random((SAMPLES, units)) >= p
    return Thinned(
        output(where, everyone, p),
        (1 - p) ** kept * p ** (units - kept),
        masks,
        output(where, masks, p),
        float(output(where, np.ones((1, units), bool), 0.0)[0]),
    )
