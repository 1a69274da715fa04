"""The numbers of the dropout gap: networks trained on few digits, at every drop probability at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from course_utils.data import load_digits
from course_utils.experiments.regularized import evaluate, few_examples, learn, standardized

PROBABILITIES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
RUNS, EPOCHS, EVERY = 4, 50, 2
EXAMPLES = {"100": 100, "200": 200, "500": 500}
WRONG = {"none": 0.0, "20 %": 0.2}


@dataclass(frozen=True)
class Training:
    """Shares of wrong answers after every `EVERY` epochs, (EPOCHS / EVERY, PROBABILITIES, RUNS) each."""

    train: np.ndarray  # on the training images and the labels they were given
    unseen: np.ndarray  # on the validation images, whose labels are right


@lru_cache(maxsize=len(EXAMPLES) * len(WRONG))
def train(examples: int, wrong: float) -> Training:
    """Train RUNS networks at each drop probability; run k has the same images and start at each."""
    data, seeds, many = load_digits(), range(RUNS), len(PROBABILITIES)
    x, labels = (np.concatenate([each] * many) for each in few_examples(data, seeds, examples, wrong))
    p = np.repeat(np.array(PROBABILITIES, np.float32), RUNS)[:, None, None]
    unseen, truth = standardized(data, data.validation), data.validation.labels
    epochs, seen = iter(range(1, EPOCHS + 1)), []

    def note(parameters) -> None:
        if next(epochs) % EVERY == 0:
            errors = [evaluate(parameters, *pair)[0] for pair in ((x, labels), (unseen, truth))]
            seen.append([error.reshape(many, RUNS) for error in errors])

    dropout = (_drop, lambda gradient, scaled_mask, _: gradient * scaled_mask)
    learn(x, labels, [*seeds] * many, EPOCHS, dropout=dropout, drop_probability=p, after_epoch=note)
    return Training(*np.array(seen).swapaxes(0, 1))


def _drop(hidden: np.ndarray, p: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inverted dropout with a drop probability for each network, (R, 1, 1); the same draws for every run number."""
    runs, *shape = hidden.shape
    draws = np.concatenate([rng.random((RUNS, *shape), dtype=np.float32)] * (runs // RUNS))
    scaled_mask = (draws >= p) / (1 - p)
    return hidden * scaled_mask, scaled_mask
