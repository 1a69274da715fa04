"""What students write for curriculum_keep_probability."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("curriculum_keep_probability", "a power of the factor of one step")
def curriculum_keep_probability(step, final_keep, gamma):
    import math

    factor = math.exp(-gamma)
    return final_keep + (1 - final_keep) * factor**step


@alternative("curriculum_keep_probability", "step by step")
def curriculum_keep_probability(step, final_keep, gamma):
    keep = 1.0
    for _ in range(step):
        keep = final_keep + (keep - final_keep) / np.e**gamma
    return keep


PLAIN = """def curriculum_keep_probability(step, final_keep, gamma):
    return (1 - final_keep) * np.exp(-gamma * step) + final_keep
"""
ALL = "(1 - final_keep) * np.exp(-gamma * step) + final_keep"

mistaken_changes(
    __name__,
    "curriculum_keep_probability",
    PLAIN,
    (
        ("drop probability returned", (ALL, f"1 - ({ALL})")),
        ("no limit", (ALL, "np.exp(-gamma * step)")),
        ("1 − θ forgotten", ("(1 - final_keep) * ", "")),
        ("θ and 1 − θ swapped", (ALL, "final_keep * np.exp(-gamma * step) + (1 - final_keep)")),
        ("rising instead of falling", (ALL, "1 - (1 - final_keep) * np.exp(-gamma * step)")),
        ("sign of the exponent", ("-gamma", "gamma")),
        ("steps counted from 1", ("* step", "* (step + 1)")),
        ("divided by γ", ("-gamma * step", "-step / gamma")),
        ("cut off at θ", (ALL, "max(final_keep, np.exp(-gamma * step))")),
        ("straight line", (ALL, "max(final_keep, 1 - gamma * step)")),
        ("1 − γ for e^(−γ)", ("np.exp(-gamma * step)", "(1 - gamma) ** step")),
    ),
)
