"""stability_limit: correct in other styles, and wrong."""

import numpy as np

from tests.bank.registry import alternative, mistaken_sources

# --- alternatives -----------------------------------------------------------------------------------------------


@alternative("stability_limit", "from the factor −1 of the characteristic polynomial")
def stability_limit(curvature, momentum=0.0):
    if not curvature > 0:
        raise ValueError("curvature " + str(curvature))
    if momentum < 0 or momentum >= 1:
        raise ValueError("momentum " + str(momentum))
    # z² − (1 + μ − αλ) z + μ = 0 at z = −1 is linear in α
    at_zero = 1 + (1 + momentum) + momentum
    return at_zero / curvature


@alternative("stability_limit", "bisection on the roots")
def stability_limit(curvature, momentum=0.0):
    if curvature <= 0 or not 0 <= momentum < 1:
        raise ValueError(f"impossible: curvature {curvature}, momentum {momentum}")
    low, high = 0.5, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        grows = max(abs(np.roots([1, -(1 + momentum - middle), momentum]))) > 1
        low, high = (low, middle) if grows else (middle, high)
    return low / curvature


@alternative("stability_limit", "float32, errors last")
def stability_limit(curvature, momentum=0.0):
    if curvature > 0 and 0 <= momentum < 1:
        return np.float32(2) * np.float32(1 + momentum) / np.float32(curvature)
    raise ValueError(f"{curvature=} must be larger than 0 and {momentum=} between 0 and 1")


# --- mistakes ---------------------------------------------------------------------------------------------------

CURVATURE = """    if curvature <= 0:
        raise ValueError(f"curvature {curvature} is not larger than 0")
"""
MOMENTUM = """    if not 0 <= momentum < 1:
        raise ValueError(f"momentum {momentum} is not between 0 and 1")
"""
SILENT = """    if curvature <= 0 or not 0 <= momentum < 1:
        raise ValueError("impossible")
"""


def written(result="2 * (1 + momentum) / curvature", refusals=CURVATURE + MOMENTUM):
    return f"def stability_limit(curvature, momentum=0.0):\n{refusals}    return {result}\n"


WRONG = [
    ("momentum ignored", written("2 / curvature")),
    ("momentum lowers the limit", written("2 * (1 - momentum) / curvature")),
    ("the 2 forgotten", written("(1 + momentum) / curvature")),
    ("the best rate for the largest", written("1 / curvature")),
    ("the best rate for the largest", written("(1 - np.sqrt(momentum)) ** 2 / curvature")),
    ("the best rate for the largest", written("(1 + np.sqrt(momentum)) ** 2 / curvature")),
    ("divided by 1 − μ", written("2 / (curvature * (1 - momentum))")),
    ("multiplied by the curvature", written("2 * (1 + momentum) * curvature")),
    ("root of the curvature", written("2 * (1 + momentum) / np.sqrt(curvature)")),
    ("nothing is refused", written(refusals="")),
    ("momentum not refused", written(refusals=CURVATURE)),
    ("curvature not refused", written(refusals=MOMENTUM)),
    ("momentum 1 let through", written(refusals=CURVATURE + MOMENTUM.replace("< 1", "<= 1"))),
    ("momentum 0 refused", written(refusals=CURVATURE + MOMENTUM.replace("0 <= momentum", "0 < momentum"))),
    ("a message without the number", written(refusals=SILENT)),
]
mistaken_sources(__name__, "stability_limit", WRONG)
