"""The four initializers: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources

KERNEL = """    k = 1
    for side in shape[2:]:
        k *= side
"""
NORMAL = "rng.normal(0, std, size=shape)"
UNIFORM = "rng.uniform(-a, a, size=shape)"
XAVIER = "2 / (fan_in + fan_out)"
HE = "2 / ((1 + negative_slope**2) * fan_in)"


def written(name: str, option: str, variance: str, drawn: str) -> str:
    """An initializer as a student writes it."""
    bound = "    a = np.sqrt(3) * std\n" if drawn == UNIFORM else ""
    gain = "gain * " if option == "gain=1.0" else ""
    return (
        f"def {name}(shape, rng, {option}):\n{KERNEL}    fan_in, fan_out = shape[1] * k, shape[0] * k\n"
        f"    std = {gain}np.sqrt({variance})\n{bound}    return {drawn}\n"
    )


SOURCES = {
    "xavier_normal": written("xavier_normal", "gain=1.0", XAVIER, NORMAL),
    "xavier_uniform": written("xavier_uniform", "gain=1.0", XAVIER, UNIFORM),
    "he_normal": written("he_normal", "negative_slope=0.0", HE, NORMAL),
    "he_uniform": written("he_uniform", "negative_slope=0.0", HE, UNIFORM),
}


# --- alternatives -----------------------------------------------------------------------------------------------


@alternative("xavier_normal", "one number after the other, back to front")
def xavier_normal(shape, rng, gain=1.0):
    w = np.empty(shape)
    std = gain / np.sqrt(0.5 * (w[0].size + w[:, 0].size))
    flat = w.reshape(-1)
    for i in reversed(range(flat.size)):
        flat[i] = rng.normal(0.0, std)
    return w


@alternative("xavier_normal", "Box and Muller, two uniform numbers for each normal one")
def xavier_normal(shape, rng, gain=1.0):
    k = int(np.prod(shape[2:]))
    std = gain * (2 / (shape[0] * k + shape[1] * k)) ** 0.5
    radius = np.sqrt(-2 * np.log(1 - rng.random(shape)))
    return std * radius * np.cos(2 * np.pi * rng.random(shape))


@alternative("xavier_normal", "a generator seeded from rng, float32")
def xavier_normal(shape, rng, gain=1.0):
    own = np.random.default_rng(rng.integers(2**63))
    fan_in, fan_out = np.prod(shape[1:]), shape[0] * np.prod(shape[2:])
    return (gain * np.sqrt(2 / (fan_in + fan_out)) * own.standard_normal(shape)).astype(np.float32)


@alternative("xavier_uniform", "random numbers stretched")
def xavier_uniform(shape, rng, gain=1.0):
    k = np.prod(shape[2:])
    a = gain * np.sqrt(6.0 / (shape[0] * k + shape[1] * k))
    return (2 * rng.random(shape) - 1) * a


@alternative("xavier_uniform", "a magnitude and a sign, one output unit at a time")
def xavier_uniform(shape, rng, gain=1.0):
    k = np.prod(shape[2:])
    a = gain * np.sqrt(3) * np.sqrt(2.0 / (shape[0] * k + shape[1] * k))
    rows = [rng.choice([-1, 1], size=shape[1:]) * rng.random(shape[1:]) * a for _ in range(shape[0])]
    return np.stack(rows)


@alternative("xavier_uniform", "float32")
def xavier_uniform(shape, rng, gain=1.0):
    k = np.prod(shape[2:])
    a = np.float32(gain * np.sqrt(6.0 / ((shape[0] + shape[1]) * k)))
    return a * (2 * rng.random(shape, dtype=np.float32) - 1)


@alternative("he_normal", "more numbers than needed, the last ones taken")
def he_normal(shape, rng, negative_slope=0.0):
    fan_in = np.prod(shape[1:])
    gain = np.sqrt(2 / (1 + negative_slope**2))
    numbers = rng.standard_normal(2 * np.prod(shape))
    return (gain / np.sqrt(fan_in)) * numbers[np.prod(shape) :].reshape(shape)


@alternative("he_normal", "one input after the other, then transposed")
def he_normal(shape, rng, negative_slope=0.0):
    fan_in = shape[1]
    for side in shape[2:]:
        fan_in = fan_in * side
    std = (2 / (1 + negative_slope * negative_slope) / fan_in) ** 0.5
    columns = [rng.normal(scale=std, size=(shape[0], *shape[2:])) for _ in range(shape[1])]
    return np.moveaxis(np.array(columns), 0, 1)


@alternative("he_uniform", "the gain times √3 / √fan_in")
def he_uniform(shape, rng, negative_slope=0.0):
    fan_in = np.prod(shape[1:])
    gain = np.sqrt(2 / (1 + negative_slope**2))
    bound = np.sqrt(3) * gain / np.sqrt(fan_in)
    return rng.uniform(-bound, bound, shape)


@alternative("he_uniform", "0.5 subtracted, then the width 2a")
def he_uniform(shape, rng, negative_slope=0.0):
    total = 1
    for size in shape:
        total *= size
    a = (6 * shape[0] / total / (1 + negative_slope**2)) ** 0.5
    return ((rng.random(total) - 0.5) * (2 * a)).reshape(shape)


# --- mistakes ---------------------------------------------------------------------------------------------------

# Each is (misconception, what stands in the source, what a student writes instead).
XAVIER_MISTAKES = (
    ("only fan_in", XAVIER, "1 / fan_in"),
    ("only fan_out", XAVIER, "1 / fan_out"),
    ("the 2 forgotten", XAVIER, "1 / (fan_in + fan_out)"),
    ("He's variance", XAVIER, "2 / fan_in"),
    ("kernel elements forgotten", XAVIER, "2 / (shape[0] + shape[1])"),
    ("variance used as standard deviation", f"gain * np.sqrt({XAVIER})", f"gain**2 * {XAVIER}"),
    ("variance used as standard deviation", f"np.sqrt({XAVIER})", XAVIER),
    ("root of the 2 alone", f"np.sqrt({XAVIER})", "np.sqrt(2) / (fan_in + fan_out)"),
    ("divided by the gain", "gain * np", "1 / gain * np"),
    ("gain ignored", "gain * np", "np"),
    ("gain squared twice", "gain * np", "gain**2 * np"),
    ("gain under the root", "gain * np.sqrt(2", "np.sqrt(gain * 2"),
)
HE_MISTAKES = (
    ("fan_out for fan_in", "* fan_in)", "* fan_out)"),
    ("fan_out for fan_in", "fan_in, fan_out =", "fan_out, fan_in ="),
    ("Xavier's variance", HE, "2 / (fan_in + fan_out)"),
    ("Xavier's variance", HE, "4 / ((1 + negative_slope**2) * (fan_in + fan_out))"),
    ("gain 1 under ReLU", HE, "1 / fan_in"),
    ("gain 1 under ReLU", HE, "1 / ((1 + negative_slope**2) * fan_in)"),
    ("kernel elements forgotten", "* fan_in)", "* shape[1])"),
    ("variance used as standard deviation", f"np.sqrt({HE})", HE),
    ("root of the 2 alone", f"np.sqrt({HE})", "np.sqrt(2 / (1 + negative_slope**2)) / fan_in"),
    ("multiplied by 1 + slope²", HE, "2 * (1 + negative_slope**2) / fan_in"),
    ("negative slope ignored", "(1 + negative_slope**2) * ", ""),
    ("slope not squared", "negative_slope**2", "negative_slope"),
)
CUT = """w = rng.normal(0, std, size=shape)
    while np.any(np.abs(w) > 2 * std):
        w = np.where(np.abs(w) > 2 * std, rng.normal(0, std, size=shape), w)
    return w"""
NORMAL_MISTAKES = (
    ("uniform instead of normal", NORMAL, "std * rng.random(shape)"),
    ("uniform instead of normal", NORMAL, "rng.uniform(-std, std, size=shape)"),
    ("uniform instead of normal", NORMAL, "rng.uniform(-np.sqrt(3) * std, np.sqrt(3) * std, size=shape)"),
    ("scale passed as the first argument", NORMAL, "rng.normal(std, size=shape)"),
    ("bound used as the standard deviation", NORMAL, "rng.normal(0, np.sqrt(3) * std, size=shape)"),
    ("truncated normal", f"return {NORMAL}", CUT),
    ("truncated normal", f"return {NORMAL}", "std /= 0.87962566\n    " + CUT),
)
UNIFORM_MISTAKES = (
    ("standard deviation used as the bound", UNIFORM, "rng.uniform(-std, std, size=shape)"),
    ("bound used as the width", UNIFORM, "a * (rng.random(shape) - 0.5)"),
    ("only positive numbers", UNIFORM, "a * rng.random(shape)"),
    ("only positive numbers", UNIFORM, "rng.uniform(0, 2 * a, size=shape)"),
    ("only positive numbers", UNIFORM, "std * rng.random(shape)"),
    ("normal instead of uniform", UNIFORM, "rng.normal(0, std, size=shape)"),
    ("normal instead of uniform", UNIFORM, "rng.normal(0, a, size=shape)"),
    ("variance used as standard deviation", "np.sqrt(3) * std", "std**2"),
    ("variance used as standard deviation", "np.sqrt(3) * std", "3 * std**2"),
    ("scale passed as the first argument", UNIFORM, "rng.uniform(-a, size=shape)"),
    ("scale passed as the first argument", UNIFORM, "rng.uniform(a, size=shape)"),
)
# These stand for any law: what is drawn from `rng` in the source is replaced.
COMMON_MISTAKES = (
    ("all weights zero", "np.zeros(shape)"),
    ("all weights equal", "np.full(shape, std)"),
    ("all weights equal", "np.full(shape, {one})"),
    ("one draw copied", "np.broadcast_to({row}, shape).copy()"),
    ("same numbers at every call", "np.random.default_rng(0).{drawn}"),
    ("rng not used", "np.random.{drawn}"),
    ("rng not used", "np.random.default_rng().{drawn}"),
)

for exercise, text in SOURCES.items():
    draw = UNIFORM if exercise.endswith("uniform") else NORMAL
    mistakes = XAVIER_MISTAKES if exercise.startswith("xavier") else HE_MISTAKES
    mistakes += UNIFORM_MISTAKES if draw == UNIFORM else NORMAL_MISTAKES
    parts = {
        "drawn": draw.removeprefix("rng."),
        "one": draw.replace(", size=shape", ""),
        "row": draw.replace("size=shape", "size=shape[1:]"),
    }
    mistakes += tuple((name, draw, new.format(**parts)) for name, new in COMMON_MISTAKES)
    mistaken_sources(__name__, exercise, [(name, changed(text, (old, new))) for name, old, new in mistakes])


@mistaken("he_normal", "one draw copied")
def he_normal(shape, rng, negative_slope=0.0):
    std = np.sqrt(2 / ((1 + negative_slope**2) * np.prod(shape[1:])))
    few = rng.normal(0, std, size=(shape[0] // 2, *shape[1:]))  # each row for two units
    return np.concatenate([few, few, few])[: shape[0]]
