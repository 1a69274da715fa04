"""minibatches: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources

# --- alternatives -----------------------------------------------------------------------------------------------


@alternative("minibatches", "a list, the numbers shuffled in place")
def minibatches(x, y, batch_size, rng):
    rows = np.arange(len(x))
    rng.shuffle(rows)
    return [(x[rows[i : i + batch_size]], y[rows[i : i + batch_size]]) for i in range(0, len(rows), batch_size)]


@alternative("minibatches", "views of one shuffled copy")
def minibatches(x, y, batch_size, rng):
    order = np.argsort(rng.random(len(x)))
    x, y = x[order], y[order]
    starts = range(0, len(x), batch_size)
    return [(x[start : start + batch_size], y[start : start + batch_size]) for start in starts]


@alternative("minibatches", "np.split, tuples zipped")
def minibatches(x, y, batch_size, rng):
    order = rng.permutation(x.shape[0])
    cuts = np.arange(batch_size, len(order), batch_size)
    return zip(np.split(x[order], cuts), np.split(y[order], cuts))


@alternative("minibatches", "Fisher and Yates, one example after the other")
def minibatches(x, y, batch_size, rng):
    left = list(range(len(x)))
    batch_x, batch_y = [], []
    while left:
        k = int(rng.integers(len(left)))
        left[k], left[-1] = left[-1], left[k]
        row = left.pop()
        batch_x.append(x[row])
        batch_y.append(y[row])
        if len(batch_x) == batch_size or not left:
            yield np.stack(batch_x), np.stack(batch_y)
            batch_x, batch_y = [], []


@alternative("minibatches", "pairs of rows drawn without replacement, as lists")
def minibatches(x, y, batch_size, rng):
    order = rng.choice(len(x), size=len(x), replace=False)
    pairs = [(x[i], y[i]) for i in order]
    batches = []
    while pairs:
        now, pairs = pairs[:batch_size], pairs[batch_size:]
        batches.append([np.array([a for a, _ in now]), np.array([b for _, b in now])])
    return batches


# --- mistakes ---------------------------------------------------------------------------------------------------

RIGHT = """def minibatches(x, y, batch_size, rng):
    n = len(x)
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        rows = order[start : start + batch_size]
        yield x[rows], y[rows]
"""
DRAW, CUT, ROWS, PAIR = (
    "order = rng.permutation(n)",
    "range(0, n, batch_size)",
    "rows = order[start : start + batch_size]",
    "yield x[rows], y[rows]",
)
LATER = "yield x[rows], y[other[start : start + batch_size]]"
SPLIT = """for rows in np.array_split(order, {count}):
        yield x[rows], y[rows]
"""


def split(count):
    return changed(RIGHT, (RIGHT[RIGHT.index("for start") :], SPLIT.format(count=count)))


APART = "x, y, order = rng.permutation(x), rng.permutation(y), np.arange(n)"
SATTOLO = """order = np.arange(n)
    for i in range(n - 1, 0, -1):
        j = rng.integers(i)
        order[[i, j]] = order[[j, i]]"""
SHUFFLED_IN_PLACE = """state, order = rng.bit_generator.state, np.arange(n)
    rng.shuffle(x)
    rng.bit_generator.state = state
    rng.shuffle(y)"""
INSIDE = "rng.shuffle(rows); " + PAIR
WRONG = [
    ("last batch dropped", changed(RIGHT, (CUT, "range(0, n - batch_size + 1, batch_size)"))),
    ("last batch dropped", changed(RIGHT, (CUT, "range(0, n // batch_size * batch_size, batch_size)"))),
    (
        "last batch filled up",
        changed(RIGHT, (ROWS, "rows = order[np.arange(start, start + batch_size) % n]")),
    ),
    ("last batch filled up", changed(RIGHT, (ROWS, "rows = np.resize(order[start : start + batch_size], batch_size)"))),
    ("an empty batch at the end", changed(RIGHT, (CUT, "range(0, (n // batch_size + 1) * batch_size, batch_size)"))),
    ("an empty batch at the end", changed(RIGHT, (CUT, "range(0, n + 1, batch_size)"))),
    ("batches evened out", split("max(n // batch_size, 1)")),
    ("batches evened out", split("-(-n // batch_size)")),
    ("batch_size used as the number of batches", split("batch_size")),
    ("drawn with replacement", changed(RIGHT, (DRAW, "order = rng.integers(0, n, size=n)"))),
    ("drawn with replacement", changed(RIGHT, (DRAW, "order = rng.choice(n, size=n)"))),
    ("labels not shuffled", changed(RIGHT, (PAIR, "yield x[rows], y[start : start + batch_size]"))),
    ("inputs not shuffled", changed(RIGHT, (PAIR, "yield x[start : start + batch_size], y[rows]"))),
    ("x and y shuffled apart", changed(RIGHT, (DRAW, DRAW + "\n    other = rng.permutation(n)"), (PAIR, LATER))),
    (
        "x and y shuffled apart",
        changed(RIGHT, (DRAW, APART)),
    ),
    ("not shuffled", changed(RIGHT, (DRAW, "order = np.arange(n)"))),
    ("same order in every epoch", changed(RIGHT, (DRAW, "order = np.random.default_rng(0).permutation(n)"))),
    ("same order in every epoch", changed(RIGHT, (DRAW, "np.random.seed(1); order = np.random.permutation(n)"))),
    (
        "only the batches shuffled",
        changed(RIGHT, (DRAW, "order = np.arange(n)"), (CUT, "rng.permutation(np.arange(0, n, batch_size))")),
    ),
    (
        "shuffled within each batch",
        changed(RIGHT, (DRAW, "order = np.arange(n)"), (PAIR, INSIDE)),
    ),
    ("only the start is random", changed(RIGHT, (DRAW, "order = np.roll(np.arange(n), rng.integers(n))"))),
    ("no example stays where it was", changed(RIGHT, (DRAW, SATTOLO))),
    ("rng not used", changed(RIGHT, (DRAW, "order = np.random.permutation(n)"))),
    ("rng not used", changed(RIGHT, (DRAW, "order = np.random.default_rng().permutation(n)"))),
    (
        "input changed in place",
        changed(RIGHT, (DRAW, f"{DRAW}; x[:], y[:], order = x[order], y[order], np.arange(n)")),
    ),
    ("input changed in place", changed(RIGHT, (DRAW, SHUFFLED_IN_PLACE))),
]
mistaken_sources(__name__, "minibatches", WRONG)
