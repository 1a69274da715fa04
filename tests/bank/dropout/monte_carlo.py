"""What students write for monte_carlo_predict."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("monte_carlo_predict", "running sums")
def monte_carlo_predict(forward, x, samples, rng):
    total = squares = 0.0
    for _ in range(samples):
        p = forward(x, rng)
        total, squares = total + p, squares + p * p
    mean = total / samples
    return mean, np.sqrt(np.maximum(squares / samples - mean**2, 0.0))


@alternative("monte_carlo_predict", "a generator for each sample, last sample first, float32")
def monte_carlo_predict(forward, x, samples, rng):
    p = np.empty((samples, *[1, 1]), dtype=np.float32)
    made = [forward(x, child).astype(np.float32) for child in rng.spawn(samples)]
    p = np.array(made[::-1])
    mean = p.sum(axis=0) / np.float32(samples)
    return mean, (((p - mean) ** 2).sum(axis=0) / samples) ** 0.5


@alternative("monte_carlo_predict", "Welford's recursion")
def monte_carlo_predict(forward, x, samples, rng):
    mean = forward(x, rng)
    spread = np.zeros_like(mean)
    for k in range(2, samples + 1):
        p = forward(x, rng)
        step = p - mean
        mean = mean + step / k
        spread += step * (p - mean)
    return mean, np.sqrt(spread / samples)


PLAIN = """def monte_carlo_predict(forward, x, samples, rng):
    p = np.array([forward(x, rng) for _ in range(samples)])
    mean, std = p.mean(axis=0), p.std(axis=0)
    return mean, std
"""
ALL, MEAN, STD = "np.array([forward(x, rng) for _ in range(samples)])", "p.mean(axis=0)", "p.std(axis=0)"
SOFTMAX = "q = np.exp({0}) / np.exp({0}).sum(axis=-1, keepdims=True)"
AGAIN = SOFTMAX.format("p") + "\n    mean, std ="
VOTES = "p = np.eye(p.shape[-1])[p.argmax(axis=-1)]\n    mean, std ="

mistaken_changes(
    __name__,
    "monte_carlo_predict",
    PLAIN,
    (
        ("one mask for all samples", (ALL, "np.array([forward(x, rng)] * samples)")),
        ("one mask for all samples", ("forward(x, rng)", "forward(x, np.random.default_rng(0))")),
        (
            "one mask for all samples",
            ("forward(x, rng)", "forward(x, np.random.default_rng(seed))"),
            ("    p =", "    seed = rng.integers(1000)\n    p ="),
        ),
        (
            "one call for a long batch",
            (ALL, "forward(np.tile(x, (samples + 1, 1)), rng).reshape(samples + 1, len(x), -1)[1:]"),
        ),
        (
            "one sample too few or too many",
            (ALL, "[forward(x, rng) for _ in range(1, samples)]"),
            (MEAN, "sum(p) / samples"),
            (STD, "(sum((q - sum(p) / samples) ** 2 for q in p) / samples) ** 0.5"),
        ),
        ("one sample too few or too many", ("range(samples)", "range(samples + 1)")),
        ("rng not used", ("forward(x, rng)", "forward(x, np.random.default_rng())")),
        ("rng not used", ("forward(x, rng)", "forward(x, np.random)")),
        (
            "rng not used",
            ("forward(x, rng)", "forward(x, own)"),
            ("    p =", "    own = np.random.default_rng(0)\n    p ="),
        ),
        ("rng not used", ("forward(x, rng) for _", "forward(x, np.random.default_rng(i)) for i")),
        ("divided by samples − 1", (STD, "p.std(axis=0, ddof=1)")),
        ("variance for standard deviation", (STD, "p.var(axis=0)")),
        ("error of the mean", (STD, "p.std(axis=0) / np.sqrt(samples)")),
        ("statistics over the examples", (MEAN, "p.mean(axis=1)"), (STD, "p.std(axis=1)")),
        (
            "logarithms averaged",
            ("    return mean", "    " + SOFTMAX.format("np.log(p).mean(axis=0)") + "\n    mean = q\n    return mean"),
        ),
        ("softmax applied a second time", ("mean, std =", AGAIN.replace("mean,", "p = q\n    mean,"))),
        ("softmax applied a second time", ("mean, std =", AGAIN), (MEAN, "q.mean(axis=0)")),
        ("votes counted", ("mean, std =", VOTES)),
        ("sum for mean", (MEAN, "p.sum(axis=0)")),
    ),
)
