"""What an epoch of mini-batches holds, and what every correct one has: nothing here knows a seed."""

from __future__ import annotations

import numpy as np

from course_utils.checks._optimizers import shuffling
from course_utils.checks.compare import describe_kind

FEW = 4  # so many examples that every order of them comes up in a few dozen epochs
ONCE, PAIRS, LAST, SHUFFLED, DRAWN = "every example once", "pairs", "last batch", "a random order", "rng decides"


def numbered(array, batches, side):
    """Which rows of `array` the batches hold, one after the other; −1 for what is no row of it."""
    known = {row.tobytes(): i for i, row in enumerate(np.asarray(array, dtype=float))}
    return np.array([known.get(row.tobytes(), -1) for pair in batches for row in np.asarray(pair[side], dtype=float)])


def sizes(batches):
    return [len(pair[0]) for pair in batches]


def asked_sizes(case):
    n, size = len(case.inputs["x"]), case.inputs["batch_size"]
    return [min(size, n - start) for start in range(0, n, size)]


def malformed(case, batches):
    """Why the batches are not pairs of arrays with as many rows of x as of y, each of the right shape."""
    for i, (rows, others) in enumerate(batches):
        for name, part in (("x", rows), ("y", others)):
            inner = case.inputs[name].shape[1:]
            if part.ndim < 1 or part.shape[1:] != inner:
                wanted = "(rows" + "".join(f", {side}" for side in inner) + ("" if inner else ",") + ")"
                return f"the part of {name} in batch {i} has shape {part.shape}, should have shape {wanted}"
        if len(rows) != len(others):
            return f"batch {i} holds {len(rows)} rows of x and {len(others)} rows of y"
    return None


def each_once(case, batches):
    n = len(case.inputs["x"])
    for name, side in (("x", 0), ("y", 1)):
        if name == "y" and len(np.unique(case.inputs["y"], axis=0)) < n:
            continue  # labels repeat: their rows cannot be told apart
        rows = numbered(case.inputs[name], batches, side)
        if (rows < 0).any():
            return f"a row in the batches is no row of {name}"
        counts = np.bincount(rows, minlength=n)
        if counts.max(initial=0) > 1:
            return f"row {counts.argmax()} of {name} comes {counts.max()} times in one epoch, should come once"
        if counts.min() < 1:
            return f"{int(np.sum(counts < 1))} of {n} rows of {name} are in no batch, row {counts.argmin()} for one"
    return None


def aligned(case, batches):
    x, y = case.inputs["x"], case.inputs["y"]
    rows = numbered(x, batches, 0)
    for row, other in zip(rows, np.concatenate([others for _, others in batches]), strict=True):
        if row >= 0 and not np.array_equal(y[row], other):
            return f"row {row} of x comes with a row of y that is not its own"
    return None


def _sized(case, batches):
    found, wanted = sizes(batches), asked_sizes(case)
    n, size = len(case.inputs["x"]), case.inputs["batch_size"]
    if found == wanted:
        return each_once(case, batches)
    return f"the batches of {n} examples hold {_listed(found)}, should hold {_listed(wanted)} (batch_size {size})"


def _listed(numbers):
    texts = [str(number) for number in numbers]
    if len(texts) > 8:
        texts = [*texts[:3], "…", *texts[-2:]]
    return ", ".join(texts) if texts else "nothing"


def _random(case, epochs):
    orders = [numbered(case.inputs["x"], batches, 0) for batches in epochs]
    if any(sorted(order) != list(range(len(case.inputs["x"]))) for order in orders):
        return "an epoch does not hold every example once, so its order cannot be judged"
    if len(orders[0]) == FEW:
        found = shuffling.fault_of_few(orders)
        return found and f"the order of the examples {found}"
    for order in orders:
        if (found := shuffling.fault(order)) is not None:
            return f"the order of the examples {found}"
    if np.array_equal(*orders):
        return "two calls with the same rng give the same order, should give a new one"
    if (found := shuffling.fault(shuffling.ranks(orders[1], orders[0]))) is not None:
        return f"the order of the second epoch depends on the first: counted from there, it {found}"
    return None


def verify(case, outputs):
    if not isinstance(outputs, dict):
        return f"the result is {describe_kind(outputs)}, should be pairs of batches"
    epochs = outputs["epochs"]
    found = next((text for batches in epochs if (text := malformed(case, batches))), None)
    if found is None and case.aspect == SHUFFLED:
        return _random(case, epochs)
    if found is None and case.aspect == DRAWN and not outputs["repeats"]:
        return "with rng in the same state the order is another one: something else decides too"
    look = {ONCE: each_once, PAIRS: aligned, LAST: _sized, DRAWN: each_once}
    return found or next((text for batches in epochs if (text := look[case.aspect](case, batches))), None)
