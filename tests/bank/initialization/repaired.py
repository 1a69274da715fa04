"""repaired_he_normal: mended in other styles, and not quite."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources

BROKEN = """def repaired_he_normal(shape, rng):
    fan_in = shape[0] * np.prod(shape[2:])
    return rng.normal(0.0, 2.0 / fan_in, size=shape)
"""
FAN, SPREAD = "shape[0] * np.prod(shape[2:])", "2.0 / fan_in"
MENDED_FAN, MENDED_SPREAD = (FAN, "shape[1] * np.prod(shape[2:])"), (SPREAD, "np.sqrt(2.0 / fan_in)")


@alternative("repaired_he_normal", "everything but the first side")
def repaired_he_normal(shape, rng):
    fan_in = np.prod(shape[1:])
    return np.sqrt(2.0 / fan_in) * rng.standard_normal(shape)


@alternative("repaired_he_normal", "one output unit at a time")
def repaired_he_normal(shape, rng):
    units = []
    for _ in range(shape[0]):
        unit = rng.normal(size=shape[1:])
        units.append(unit * (2 / unit.size) ** 0.5)
    return np.array(units)


mistaken_sources(
    __name__,
    "repaired_he_normal",
    [
        (name, changed(BROKEN, *changes))
        for name, *changes in (
            ("both bugs still there",),
            ("fan mended, spread not", MENDED_FAN),
            ("spread mended, fan not", MENDED_SPREAD),
            ("kernel lost in mending", (FAN, "shape[1]"), MENDED_SPREAD),
            ("root of the fan alone", MENDED_FAN, (SPREAD, "2.0 / np.sqrt(fan_in)")),
            ("Xavier's variance", ("shape[0] *", "(shape[0] + shape[1]) *"), MENDED_SPREAD),
            ("gain 1 under ReLU", MENDED_FAN, (SPREAD, "np.sqrt(1.0 / fan_in)")),
            (
                "uniform instead of normal",
                MENDED_FAN,
                ("return rng.normal(0.0, 2.0 / fan_in,", "a = np.sqrt(6.0 / fan_in)\n    return rng.uniform(-a, a,"),
            ),
            ("all weights zero", ("rng.normal(0.0, 2.0 / fan_in, size=shape)", "np.zeros(shape)")),
            ("all weights equal", ("rng.normal(0.0, 2.0 / fan_in, size=shape)", "np.full(shape, 2.0 / fan_in)")),
            ("one draw copied", MENDED_FAN, MENDED_SPREAD, ("size=shape)", "size=shape[1:]) * np.ones(shape)")),
            ("same numbers at every call", MENDED_FAN, MENDED_SPREAD, ("rng.n", "np.random.default_rng(1).n")),
            ("rng not used", MENDED_FAN, MENDED_SPREAD, ("rng.n", "np.random.n")),
        )
    ],
)
