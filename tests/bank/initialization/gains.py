"""empirical_gain: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import PHI, SLOPE, changed
from tests.bank.registry import alternative, mistaken, mistaken_sources

GAIN = f"""def empirical_gain(name, samples):{PHI}
    y = phi(samples)
    return 1 / np.sqrt((y**2).mean())
"""


@alternative("empirical_gain", "math, one sample at a time")
def empirical_gain(name, samples):
    import math

    total, count = 0.0, 0
    for z in np.ravel(samples):
        if name == "sigmoid":
            y = 1 / (1 + math.exp(-z))
        elif name == "tanh":
            y = math.tanh(z)
        elif name == "relu":
            y = max(z, 0)
        elif name == "leaky_relu":
            y = z if z > 0 else 0.01 * z
        else:
            y = z if z > 0 else math.expm1(z)
        total, count = total + y * y, count + 1
    return math.sqrt(count / total)


@alternative("empirical_gain", "a norm, float32")
def empirical_gain(name, samples):
    z = samples.astype(np.float32)
    y = {
        "sigmoid": lambda: 1 / (1 + np.exp(-z)),
        "tanh": lambda: np.tanh(z),
        "relu": lambda: z.clip(0),
        "leaky_relu": lambda: np.maximum(z, np.float32(0.01) * z),
        "elu": lambda: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    }[name]()
    return np.float32(np.sqrt(y.size)) / np.linalg.norm(y.ravel())


@alternative("empirical_gain", "variance plus the mean squared")
def empirical_gain(name, samples):
    z = np.asarray(samples, dtype=float)
    if name == "sigmoid":
        y = 0.5 + 0.5 * np.tanh(z / 2)
    elif name == "tanh":
        y = np.tanh(z)
    else:
        y = np.where(z > 0, z, {"relu": 0.0 * z, "leaky_relu": 0.01 * z, "elu": np.exp(z) - 1}[name])
    return (y.var() + y.mean() ** 2) ** -0.5


RETURN = "return 1 / np.sqrt((y**2).mean())"

mistaken_sources(
    __name__,
    "empirical_gain",
    [
        (name, changed(GAIN, (RETURN, returned)))
        for name, returned in (
            ("not inverted", "return np.sqrt((y**2).mean())"),
            ("gain squared", "return 1 / np.mean(y**2)"),
            ("variance instead of mean square", "return 1 / y.std()"),
            ("mean magnitude instead of mean square", "return 1 / np.abs(y).mean()"),
            ("mean squared instead of mean of squares", "return 1 / np.sqrt(y.mean() ** 2)"),
            ("sum instead of mean", "return 1 / np.linalg.norm(y)"),
            ("relative to the samples' own size", "return np.sqrt((samples**2).mean() / (y**2).mean())"),
            ("relative to the samples' own size", "return samples.std() / np.sqrt((y**2).mean())"),
            ("relative to the samples' own size", "return samples.std() / y.std()"),
            (
                "samples of your own",
                "y = phi(np.random.default_rng(0).normal(size=100_000))\n    return 1 / np.sqrt((y**2).mean())",
            ),
            ("divided by the number of rows", "return 1 / np.sqrt((y**2).sum() / len(samples))"),
            ("one gain for every column", "return 1 / np.sqrt((y**2).mean(axis=0))"),
        )
    ],
)

mistaken_sources(
    __name__,
    "empirical_gain",
    [
        (
            "gain of the backward pass",
            changed(GAIN, ("    y = phi(samples)", f"{SLOPE[1:]}\n    y = slope(samples)")),
        )
    ],
)


@mistaken("empirical_gain", "tabulated gain")
def empirical_gain(name, samples):
    if name == "tanh":
        return 5 / 3
    if name == "relu":
        return 2**0.5
    if name == "leaky_relu":
        return (2 / (1 + 0.01**2)) ** 0.5
    return 1.0
