"""What students write for expected_output."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative, mistaken


@alternative("expected_output", "all masks, one after the other")
def expected_output(weights, x, keep_probability):
    import itertools

    mean = square = 0.0
    for mask in itertools.product((0, 1), repeat=len(x)):
        chance, y = 1.0, 0.0
        for w, value, m in zip(weights, x, mask):
            chance *= keep_probability if m else 1 - keep_probability
            y += w * value * m
        mean, square = mean + chance * y, square + chance * y * y
    return mean, square - mean**2


@alternative("expected_output", "dot products")
def expected_output(weights, x, keep_probability):
    mean = keep_probability * np.dot(weights, x)
    return mean, keep_probability * np.dot(weights**2, x**2) - keep_probability**2 * np.dot(weights**2, x**2)


@alternative("expected_output", "one input after the other, the masks so far split in two, float32")
def expected_output(weights, x, keep_probability):
    chances, outputs = np.ones(1, np.float32), np.zeros(1, np.float32)
    for w, value in zip(weights, x):
        chances = np.concatenate([chances * (1 - keep_probability), chances * keep_probability]).astype(np.float32)
        outputs = np.concatenate([outputs, outputs + np.float32(w * value)])
    mean = np.sum(chances * outputs)
    return mean, np.sum(chances * (outputs - mean) ** 2)


PLAIN = """def expected_output(weights, x, keep_probability):
    q, t = keep_probability, weights * x
    mean = q * t.sum()
    variance = q * (1 - q) * (t**2).sum()
    return mean, variance
"""
MEAN, VARIANCE = "q * t.sum()", "q * (1 - q) * (t**2).sum()"

mistaken_changes(
    __name__,
    "expected_output",
    PLAIN,
    (
        ("mask left out", (MEAN, "t.sum()")),
        ("keep and drop swapped", (MEAN, "(1 - q) * t.sum()")),
        ("inverted dropout", (MEAN, "t.sum()"), (VARIANCE, "(1 - q) / q * (t**2).sum()")),
        ("mean of the square", (VARIANCE, "q * (1 - q) * (t**2).sum() + mean**2")),
        ("q for q(1 − q)", (VARIANCE, "q * (t**2).sum()")),
        ("q² for q(1 − q)", (VARIANCE, "q**2 * (t**2).sum()")),
        ("terms not squared", (VARIANCE, "q * (1 - q) * t.sum()")),
        ("square of the sum", (VARIANCE, "q * (1 - q) * t.sum() ** 2")),
        ("(variance, mean)", ("return mean, variance", "return variance, mean")),
        ("standard deviation for variance", (VARIANCE, "np.sqrt(q * (1 - q) * (t**2).sum())")),
    ),
)


@mistaken("expected_output", "all masks equally likely")
def expected_output(weights, x, keep_probability):
    n = len(x)
    masks = np.array([[(k >> i) & 1 for i in range(n)] for k in range(2**n)])
    y = masks @ (weights * x)
    return y.mean(), y.var()


@mistaken("expected_output", "estimated by sampling")
def expected_output(weights, x, keep_probability):
    masks = np.random.rand(10_000, len(x)) < keep_probability
    y = masks @ (weights * x)
    return y.mean(), y.var()
