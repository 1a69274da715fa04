"""minibatches: judged by what every correct shuffle has, never by a seed or an order of draws."""

from __future__ import annotations

import numpy as np

from course_utils.checks._optimizers import shuffling
from course_utils.checks._optimizers.epochs import (
    DRAWN,
    FEW,
    LAST,
    ONCE,
    PAIRS,
    SHUFFLED,
    asked_sizes,
    malformed,
    numbered,
    sizes,
    verify,
)
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def call_minibatches(student, x, y, batch_size, seed, epochs):
    import numpy as np

    def epoch(x, y, rng):
        made = student(x, y, batch_size, rng)
        if made is None:
            raise TypeError("the result is None: is a return or a yield missing?")
        batches = []
        for pair in made:
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError("the result must consist of pairs: (rows of x, rows of y)")
            batches.append((np.array(pair[0]), np.array(pair[1])))
        return batches

    # Only the first epoch gets the arrays themselves: what it does to them must not look like something else later.
    copies, mirrored = [(x.copy(), y.copy()) for _ in range(epochs - 1)], (-x, -y)
    rng = np.random.default_rng(seed)
    first = epoch(x, y, rng)
    later = [epoch(*arrays, rng) for arrays in copies]
    # The same rng with other data of the same size must give the same order.
    again = epoch(*mirrored, np.random.default_rng(seed))
    repeats = len(again) == len(first) and all(
        np.array_equal(a[0], -b[0]) and np.array_equal(a[1], -b[1]) for a, b in zip(first, again, strict=True)
    )
    return {"epochs": [first, *later], "repeats": repeats}


def torch_minibatches(x, y, batch_size, rng):
    """By PyTorch, with a generator seeded from rng."""
    import torch

    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    for rows in torch.randperm(len(x), generator=generator).split(int(batch_size)):
        yield x[rows.numpy()], y[rows.numpy()]


# --- misconceptions -------------------------------------------------------------------------------------------------


def _every_epoch(holds):
    """A `matches`: `holds(case, batches)` for well-formed batches of all epochs."""

    def matches(case, outputs):
        if not isinstance(outputs, dict):
            return False
        return all(malformed(case, batches) is None and holds(case, batches) for batches in outputs["epochs"])

    return matches


def _dropped(case, batches):
    n, size = len(case.inputs["x"]), case.inputs["batch_size"]
    return sizes(batches) == [size] * (n // size) and n % size > 0


def _filled_up(case, batches):
    wanted = asked_sizes(case)
    return sizes(batches) == [case.inputs["batch_size"]] * len(wanted) and min(wanted) < case.inputs["batch_size"]


def _empty_batch(case, batches):
    return sizes(batches) == [*asked_sizes(case), 0]


def _evened_out(case, batches):
    found, wanted = sizes(batches), asked_sizes(case)
    merged = found == [*wanted[:-2], sum(wanted[-2:])]  # the rest joined to the batch before
    even = sum(found) == sum(wanted) and bool(found) and max(found) - min(found) <= 1
    return found != wanted and abs(len(found) - len(wanted)) <= 1 and (even or merged)


def _count_for_size(case, batches):
    found = sizes(batches)
    pieces = np.array_split(np.arange(len(case.inputs["x"])), case.inputs["batch_size"])
    return found == [len(piece) for piece in pieces] and found != asked_sizes(case)


def _rows(holds):
    """A `matches`: `holds(rows_of_x, rows_of_y)` for the numbers of the rows, an array (epochs, N) each.

    By chance, a few examples come as they would without the mistake, so an epoch alone does not decide.
    """

    def matches(case, outputs):
        if not isinstance(outputs, dict) or any(malformed(case, batches) for batches in outputs["epochs"]):
            return False
        orders = [[numbered(case.inputs["xy"[side]], b, side) for b in outputs["epochs"]] for side in (0, 1)]
        if any(len(order) != len(case.inputs["x"]) for side in orders for order in side):
            return False
        return bool(holds(*np.array(orders)))

    return matches


def _with_replacement(x, y):
    return (x >= 0).all() and 0.4 < np.mean([len(set(rows)) / len(rows) for rows in x]) < 0.9


def _unshuffled(orders):
    return (orders == np.arange(orders.shape[1])).all()


def _shuffled_apart(x, y):
    each_once = all((np.sort(orders) == np.arange(orders.shape[1])).all() for orders in (x, y))
    return each_once and not _unshuffled(x) and not _unshuffled(y) and (x != y).any()


def _orders(case, outputs):
    """The orders of all epochs, where each of them holds every example once."""
    if case.aspect != SHUFFLED or not isinstance(outputs, dict):
        return None
    if any(malformed(case, batches) for batches in outputs["epochs"]):
        return None
    found = [numbered(case.inputs["x"], batches, 0) for batches in outputs["epochs"]]
    return found if all(sorted(o) == list(range(len(case.inputs["x"]))) for o in found) else None


def _order(holds):
    """A `matches` for the cases in which the order is judged: `holds(orders, batch_size)`."""

    def matches(case, outputs):
        orders = _orders(case, outputs)
        return orders is not None and bool(holds(orders, case.inputs["batch_size"]))

    return matches


def _identity(order):
    return np.array_equal(order, np.arange(len(order)))


def _blocks_kept(case, outputs):
    """The batches come in another order, and each holds neighbours."""
    if not isinstance(outputs, dict) or any(malformed(case, batches) for batches in outputs["epochs"]):
        return False
    orders = [numbered(case.inputs["x"], batches, 0) for batches in outputs["epochs"]]
    ends = [np.cumsum(sizes(batches))[:-1] for batches in outputs["epochs"]]
    pieces = [piece for order, end in zip(orders, ends, strict=True) for piece in np.split(order, end)]
    return all((np.diff(piece) == 1).all() for piece in pieces) and not all(map(_identity, orders))


def _rotated(order):
    return np.array_equal((order - order[0]) % len(order), np.arange(len(order)))


def _within(order, size):
    """Every batch holds the examples it would hold without a shuffle, in another order."""
    return np.array_equal(np.arange(len(order)) // size, order // size)


def _repeated(orders):
    """One random order again and again; of a few examples, any order may be a random one."""
    same = all(np.array_equal(orders[0], order) for order in orders)
    return same and (len(orders[0]) == FEW or shuffling.fault(orders[0]) is None)


def _other_source(case, outputs):
    if case.aspect != DRAWN or not isinstance(outputs, dict) or outputs["repeats"]:
        return False
    return verify(Case(ONCE, case.inputs), outputs) is None and verify(Case(PAIRS, case.inputs), outputs) is None


# --- the exercise ---------------------------------------------------------------------------------------------------


def _cases(rng):
    def case(aspect, n, batch_size, inner=(3,), make=lambda array: array, outer=(), epochs=2):
        x = rng.normal(size=(n, *inner))
        y = rng.permutation(n) if not outer else rng.normal(size=(n, *outer))
        inputs = {"x": make(x), "y": make(y), "batch_size": batch_size, "seed": int(rng.integers(2**31))}
        return Case(aspect, inputs | {"epochs": epochs})

    few = int(rng.integers(3, 6))
    return [
        case(ONCE, 24, 6),
        case(ONCE, 5 * few, few, (3, 4, 2)),
        case(ONCE, 16, 16, (), make=strided),
        case(PAIRS, 28, 7),
        case(PAIRS, 6 * few, few, (2, 3, 5), outer=(4,)),
        case(PAIRS, 18, 1, make=strided),
        case(LAST, 23, 4),
        case(LAST, 6 * few, few),
        case(LAST, 9 * few - 2, few, (2, 2)),
        case(LAST, 13, 40),
        case(LAST, 19, 6, outer=(2,)),
        case(SHUFFLED, 600, 20, (2,)),
        case(SHUFFLED, 480, 32, (2,)),
        case(SHUFFLED, FEW, 2, (2,), epochs=25),
        case(DRAWN, 60, 12),
        case(DRAWN, 36, 9, (2, 2)),
    ]


minibatches = Exercise(
    name="minibatches",
    cases=_cases,
    call=call_minibatches,
    for_call=("seed", "epochs"),
    verify=verify,
    stand_in=lambda: torch_minibatches,
    difficulty=1,
    importance=5,
    minutes=10,
    hints=(
        "Shuffle the numbers of the rows, not the rows. Then cut that one list of numbers into pieces.",
        "order = rng.permutation(len(x)) holds 0 … N − 1 in random order. A piece of it, used as an index, takes the "
        "same rows from x and from y. The pieces start at 0, batch_size, 2 · batch_size, and so on below N.",
        "for start in range(0, len(x), batch_size): rows = order[start : start + batch_size], then "
        "yield x[rows], y[rows]. A slice that goes past the end is just shorter.",
    ),
    misconceptions=(
        Misconception(
            "last batch dropped",
            "It looks as if the examples that do not fill a batch are left out.",
            "Ask yourself: how many batches do 23 examples make when a batch holds 4, and how many does 23 // 4 give?",
            matches=_every_epoch(_dropped),
        ),
        Misconception(
            "last batch filled up",
            "It looks as if the last batch is filled up with examples that were already in another one.",
            "Ask yourself: how often does each example count in one epoch when some come twice?",
            matches=_every_epoch(_filled_up),
        ),
        Misconception(
            "an empty batch at the end",
            "It looks as if there is one batch more, with nothing in it.",
            "Ask yourself: what is the mean loss of no examples, and at which starts does your loop stop?",
            matches=_every_epoch(_empty_batch),
        ),
        Misconception(
            "batches evened out",
            "It looks as if the examples that are left over are spread over the other batches. "
            "All batches but the last should hold batch_size.",
            "Ask yourself: 23 examples in batches of 4: how many are in each batch, and how many in the last?",
            matches=_every_epoch(_evened_out),
        ),
        Misconception(
            "batch_size used as the number of batches",
            "It looks as if you make batch_size batches. It is the number of examples in one.",
            "Ask yourself: what do you pass to np.array_split, a size or a count?",
            matches=_every_epoch(_count_for_size),
        ),
        Misconception(
            "drawn with replacement",
            "It looks as if every example is drawn anew from all of them: some come twice, others never.",
            "Ask yourself: which method of rng gives each of the numbers 0 … N − 1 exactly once?",
            matches=_rows(_with_replacement),
        ),
        Misconception(
            "labels not shuffled",
            "It looks as if x is shuffled and y keeps its order.",
            "Ask yourself: to which array do you apply the random order, and which still lies as it came?",
            matches=_rows(lambda x, y: _unshuffled(y) and (x != y).any()),
        ),
        Misconception(
            "inputs not shuffled",
            "It looks as if y is shuffled and x keeps its order.",
            "Ask yourself: to which array do you apply the random order, and which still lies as it came?",
            matches=_rows(lambda x, y: _unshuffled(x) and (x != y).any()),
        ),
        Misconception(
            "x and y shuffled apart",
            "It looks as if x and y are shuffled one after the other, each in its own order.",
            "Ask yourself: after your shuffle, is row i of y still the label of row i of x?",
            matches=_rows(_shuffled_apart),
        ),
        Misconception(
            "not shuffled",
            "It looks as if the examples come in the order in which they lie in x.",
            "Ask yourself: if the data set is sorted by class, what does a batch look like?",
            matches=_order(lambda orders, size: all(map(_identity, orders))),
        ),
        Misconception(
            "same order in every epoch",
            "It looks as if the order is random but fixed: your function makes a generator of its own, with a seed.",
            "Ask yourself: which numbers does default_rng(0) give when you make it a second time?",
            matches=_order(lambda orders, size: _repeated(orders)),
        ),
        Misconception(
            "only the batches shuffled",
            "It looks as if the batches come in random order, and each still holds neighbours.",
            "Ask yourself: can two examples that lie next to each other in x ever be in different batches?",
            matches=_blocks_kept,
        ),
        Misconception(
            "shuffled within each batch",
            "It looks as if every batch holds the same examples in every epoch, only their order inside it changes.",
            "Ask yourself: do you shuffle before you cut the examples into batches, or afterwards?",
            matches=_order(
                lambda orders, size: all(_within(o, size) for o in orders) and not all(map(_identity, orders))
            ),
        ),
        Misconception(
            "only the start is random",
            "It looks as if the epoch starts at a random example and then goes on in order.",
            "Ask yourself: which example follows example 7, in the first epoch and in the second?",
            matches=_order(lambda orders, size: all(map(_rotated, orders)) and not all(map(_identity, orders))),
        ),
        Misconception(
            "no example stays where it was",
            "It looks as if every example must leave its place. In a random order, one of them stays on average.",
            "Ask yourself: of the 6 orders of three examples, which can your shuffle never give?",
            matches=_order(lambda orders, size: len(orders[0]) == FEW and not any(map(shuffling.fixed, orders))),
        ),
        Misconception(
            "rng not used",
            "It looks as if the order comes from somewhere else than the rng that was passed in.",
            "Ask yourself: can somebody who passes the same generator repeat your training run?",
            matches=_other_source,
        ),
    ),
)
