"""momentum_convention: correct in other styles, and wrong."""

import numpy as np

from tests.bank.registry import alternative, mistaken_sources

# --- alternatives -----------------------------------------------------------------------------------------------


@alternative("momentum_convention", "by way of the outside convention")
def momentum_convention(velocity, learning_rate, momentum, source, target):
    if source not in ("inside", "outside", "averaged"):
        raise ValueError("unknown source " + source)
    if source == "inside":
        plain = -velocity / learning_rate
    elif source == "averaged":
        plain = velocity / (1 - momentum)
    else:
        plain = velocity.copy()
    if target == "inside":
        return -learning_rate * plain
    if target == "averaged":
        return (1 - momentum) * plain
    if target == "outside":
        return plain
    raise ValueError(f"unknown target {target}")


@alternative("momentum_convention", "a table of all pairs, element by element")
def momentum_convention(velocity, learning_rate, momentum, source, target):
    lr, rest = learning_rate, 1.0 - momentum
    table = {
        ("inside", "outside"): -1 / lr,
        ("inside", "averaged"): -rest / lr,
        ("outside", "inside"): -lr,
        ("outside", "averaged"): rest,
        ("averaged", "inside"): -lr / rest,
        ("averaged", "outside"): 1 / rest,
    }
    for name in (source, target):
        if all(name not in pair for pair in table):
            raise ValueError(f"{source!r} or {target!r} is not known")
    new = np.array(velocity, dtype=float)
    for index in np.ndindex(new.shape):
        new[index] *= table.get((source, target), 1.0)
    return new


@alternative("momentum_convention", "float32")
def momentum_convention(velocity, learning_rate, momentum, source, target):
    size = {"inside": 1, "outside": -1 / learning_rate, "averaged": (momentum - 1) / learning_rate}
    try:
        factor = size[target] / size[source]
    except KeyError as error:
        raise ValueError(f"no convention is called {error}") from None
    return np.asarray(velocity, dtype=np.float32) * np.float32(factor)


# --- mistakes ---------------------------------------------------------------------------------------------------

REFUSAL = """    for name in (source, target):
        if name not in moves:
            raise ValueError(f"there is no convention called {name}")
"""


def written(inside="1.0", outside="-lr", averaged="-lr / (1 - mu)", refusal=REFUSAL, result="{first} / {second}"):
    """A conversion as a student writes it: by what the velocity is multiplied when w moves."""
    result = result.format(first="velocity * moves[source]", second="moves[target]")
    return (
        "def momentum_convention(velocity, learning_rate, momentum, source, target):\n"
        "    lr, mu = learning_rate, momentum\n"
        f'    moves = {{"inside": {inside}, "outside": {outside}, "averaged": {averaged}}}\n'
        f"{refusal}    return {result}\n"
    )


TWICE = "(1 if source == target else mu) * {first} / {second}"
UNKNOWN = """    if source not in moves or target not in moves:
        return velocity.copy()
"""
SILENT = """    if source not in moves or target not in moves:
        raise ValueError("no such convention")
"""
WRONG = [
    ("sign of the velocity", written(outside="lr", averaged="lr / (1 - mu)")),
    ("learning rate left out", written(outside="-1.0", averaged="-1 / (1 - mu)")),
    ("multiplied where the learning rate divides", written(outside="-1 / lr", averaged="-1 / lr / (1 - mu)")),
    ("source and target swapped", written(result="velocity * moves[target] / moves[source]")),
    ("factor 1 − μ forgotten", written(averaged="-lr")),
    ("multiplied where 1 − μ divides", written(averaged="-lr * (1 - mu)")),
    ("μ for 1 − μ", written(averaged="-lr / mu")),
    ("velocity updated once more", written(result=TWICE)),
    ("nothing is refused", written(refusal=UNKNOWN)),
    ("a message without the name", written(refusal=SILENT)),
]
mistaken_sources(__name__, "momentum_convention", WRONG)
