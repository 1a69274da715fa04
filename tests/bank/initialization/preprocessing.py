"""standardize: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources

STANDARDIZE = """def standardize(train, test):
    constant = np.ptp(train, axis=0) == 0
    mean = train.mean(axis=0)
    std = train.std(axis=0)
    std[constant] = 1
    a, b = (train - mean) / std, (test - mean) / std
    a[:, constant] = 0
    b[:, constant] = 0
    return a, b
"""


@alternative("standardize", "column by column")
def standardize(train, test):
    new_train, new_test = np.zeros(train.shape), np.zeros(test.shape)
    for j in range(train.shape[1]):
        column = train[:, j]
        if len(set(column.tolist())) > 1:
            mean = sum(column) / len(column)
            std = np.sqrt(sum((column - mean) ** 2) / len(column))
            new_train[:, j] = (column - mean) / std
            new_test[:, j] = (test[:, j] - mean) / std
    return new_train, new_test


@alternative("standardize", "division where it is allowed")
def standardize(train, test):
    mean, std = np.mean(train, axis=0), np.std(train, axis=0)
    allowed = std > 1e-12 * np.abs(mean)  # above what rounding leaves

    def apply(rows):
        return np.divide(rows - mean, std, out=np.zeros(rows.shape), where=allowed)

    return [apply(train), apply(test)]


@alternative("standardize", "everything measured from the first row")
def standardize(train, test):
    origin = train[0]
    a, b = (train - origin).astype(float), (test - origin).astype(float)
    mean = np.einsum("nd->d", a) / len(a)
    variance = np.einsum("nd,nd->d", a - mean, a - mean) / len(a)
    factor = np.zeros(len(mean))
    factor[variance > 0] = variance[variance > 0] ** -0.5  # differences of equal numbers are exactly 0
    return (a - mean) * factor, (b - mean) * factor


MEAN, STD = "mean = train.mean(axis=0)", "std = train.std(axis=0)"
ZEROS = "    a[:, constant] = 0\n    b[:, constant] = 0\n"

mistaken_sources(
    __name__,
    "standardize",
    [
        (name, changed(STANDARDIZE, *changes))
        for name, *changes in (
            (
                "one mean and one std for everything",
                (MEAN, "mean = train.mean()"),
                (STD, "std = np.full(train.shape[1], train.std())"),
            ),
            ("divided by n − 1", (STD, "std = train.std(axis=0, ddof=1)")),
            ("divided by the variance", (STD, "std = train.var(axis=0)")),
            ("mean not subtracted", ("(train - mean)", "train"), ("(test - mean)", "test")),
            ("not scaled", (STD, "std = np.ones(train.shape[1])")),
            ("0 / 0 for constant features", ("    std[constant] = 1\n", ""), (ZEROS, "")),
        )
    ],
)


# One line each, with no thought of constant features, or with the usual ways to get rid of the division by zero.
NAIVE = """def standardize(train, test):
    m, s = train.mean(axis=0), train.std(axis=0)
    return (train - m) / s, (test - m) / s
"""
STATISTICS, TRAIN, TEST = "m, s = train.mean(axis=0), train.std(axis=0)", "(train - m) / s", "(test - m) / s"
OWN = """def standardize(train, test):
    def fit(x):
        s = x.std(axis=0)
        return (x - x.mean(axis=0)) / s
    return fit(train), fit(test)
"""
BOTH = "both = np.concatenate([train, test])\n    "

mistaken_sources(
    __name__,
    "standardize",
    [
        (name, changed(text, *changes))
        for name, text, *changes in (
            ("test set standardized by itself", OWN),
            ("test set standardized by itself", OWN, ("s = x.std(axis=0)", "s = x.std(axis=0) + 1e-8")),
            ("test set standardized by itself", OWN, ("s = x.std(axis=0)", "s = np.sqrt(x.var(axis=0) + 1e-5)")),
            ("test set standardized by itself", OWN, ("x.std(axis=0)\n", "x.std(axis=0)\n        s[s == 0] = 1\n")),
            (
                "test set standardized by itself",
                STANDARDIZE,
                ("(test - mean) / std", "(test - test.mean(axis=0)) / np.where(constant, 1, test.std(axis=0))"),
            ),
            (
                "statistics of train and test together",
                NAIVE,
                (STATISTICS, BOTH + "m, s = both.mean(axis=0), both.std(axis=0)"),
            ),
            (
                "statistics of train and test together",
                NAIVE,
                (STATISTICS, BOTH + "m, s = both.mean(axis=0), both.std(axis=0) + 1e-8"),
            ),
            (
                "statistics of train and test together",
                NAIVE,
                (STATISTICS, BOTH + "m, s = both.mean(axis=0), both.std(axis=0)\n    s[s == 0] = 1"),
            ),
            (
                "statistics of train and test together",
                STANDARDIZE,
                ("mean = train.mean", BOTH + "mean = both.mean"),
                ("std = train.std", "std = both.std"),
            ),
            ("divided by the variance", NAIVE, ("train.std", "train.var")),
            ("divided by the variance", NAIVE, ("train.std(axis=0)", "train.var(axis=0) + 1e-8")),
            ("divided by n − 1", NAIVE, ("train.std(axis=0)", "train.std(axis=0, ddof=1)")),
            ("mean not subtracted", NAIVE, (TRAIN, "train / s"), (TEST, "test / s")),
            ("not scaled", NAIVE, (TRAIN, "train - m"), (TEST, "test - m")),
            (
                "0 / 0 for constant features",
                NAIVE,
                (TRAIN, f"np.nan_to_num({TRAIN})"),
                (TEST, f"np.nan_to_num({TEST})"),
            ),
        )
    ],
)


@mistaken("standardize", "scaled to the range from 0 to 1")
def standardize(train, test):
    low, high = train.min(axis=0), train.max(axis=0)
    return (train - low) / (high - low), (test - low) / (high - low)


@mistaken("standardize", "test set standardized by itself")
def standardize(train, test):
    def fit(x):
        mean, std = x.mean(0), x.std(0)
        out = np.zeros(x.shape)
        keep = x.max(0) > x.min(0)
        out[:, keep] = (x[:, keep] - mean[keep]) / std[keep]
        return out

    return fit(train), fit(test)


@mistaken("standardize", "statistics of train and test together")
def standardize(train, test):
    both = np.vstack([train, test])
    constant = both.max(axis=0) == both.min(axis=0)
    std = np.where(constant, 1, both.std(axis=0))
    out = (both - both.mean(axis=0)) / std
    out[:, constant] = 0
    return out[: len(train)], out[len(train) :]


@mistaken("standardize", "statistics of every example")
def standardize(train, test):
    def fit(x):
        return (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)

    return fit(train), fit(test)


@mistaken("standardize", "one mean and one std for everything")
def standardize(train, test):
    mean, std = train.mean(), train.std()
    return (train - mean) / std, (test - mean) / std


@mistaken("standardize", "divided by the variance")
def standardize(train, test):
    mean, var = train.mean(axis=0), train.var(axis=0)
    var[var == 0] = 1
    return (train - mean) / var, (test - mean) / var


@mistaken("standardize", "scaled to the range from 0 to 1")
def standardize(train, test):
    low, high = train.min(axis=0), train.max(axis=0)
    span = np.where(high == low, 1, high - low)
    return (train - low) / span, (test - low) / span


@mistaken("standardize", "0 / 0 for constant features")
def standardize(train, test):
    mu = np.mean(train, axis=0)
    sigma = np.sqrt(np.mean((train - mu) ** 2, axis=0))
    return (train - mu) / sigma, (test - mu) / sigma


@mistaken("standardize", "constant feature only centred")
def standardize(train, test):
    mean = train.mean(axis=0)
    std = train.std(axis=0)
    std[std == 0] = 1.0
    return (train - mean) / std, (test - mean) / std


@mistaken("standardize", "constant feature only centred")
def standardize(train, test):
    mean = train.mean(axis=0)
    std = np.where(train.max(axis=0) == train.min(axis=0), 1.0, train.std(axis=0))
    return (train - mean) / std, (test - mean) / std


@mistaken("standardize", "a small number added to the std")
def standardize(train, test):
    mean, std = train.mean(axis=0), train.std(axis=0) + 1e-8
    return (train - mean) / std, (test - mean) / std


@mistaken("standardize", "a small number added to the std")
def standardize(train, test):
    mean = train.mean(axis=0)
    std = np.sqrt(train.var(axis=0) + 1e-5)
    return (train - mean) / std, (test - mean) / std


@mistaken("standardize", "rounding taken for spread")
def standardize(train, test):
    mean, std = train.mean(axis=0), train.std(axis=0)
    a, b = np.zeros(train.shape), np.zeros(test.shape)
    keep = std != 0
    a[:, keep] = (train - mean)[:, keep] / std[keep]
    b[:, keep] = (test - mean)[:, keep] / std[keep]
    return a, b
