"""fans: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources

FANS = """def fans(shape):
    k = 1
    for side in shape[2:]:
        k *= side
    return shape[1] * k, shape[0] * k
"""
RETURNED = "return shape[1] * k, shape[0] * k"


@alternative("fans", "np.prod, floats for linear layers")
def fans(shape):
    k = np.prod(shape[2:])
    return shape[1] * k, shape[0] * k


@alternative("fans", "the number of weights divided by one side")
def fans(shape):
    total = int(np.prod(shape))
    return total // shape[0], total // shape[1]


@alternative("fans", "one branch for each kind of layer")
def fans(shape):
    if len(shape) == 2:
        fan_out, fan_in = shape
        return fan_in, fan_out
    out_channels, in_channels, *sides = shape
    size = 1
    for side in sides:
        size = size * side
    return in_channels * size, out_channels * size


mistaken_sources(
    __name__,
    "fans",
    [
        (name, changed(FANS, (RETURNED, line)))
        for name, line in (
            ("(in, out) taken for (out, in)", "return shape[0] * k, shape[1] * k"),
            ("kernel elements forgotten", "return shape[1], shape[0]"),
            ("kernel elements forgotten", "return (*shape[1:2], *shape[:1])"),
            ("kernel taken to be square", "k = shape[-1] ** 2 if len(shape) > 2 else 1\n    " + RETURNED),
            ("kernel taken to be square", "k = shape[2] ** 2 if len(shape) > 2 else 1\n    " + RETURNED),
            ("kernel taken to be square", "k = shape[2] if len(shape) > 2 else 1\n    " + RETURNED),
            (
                "kernel taken to be square",
                "k = shape[-1] ** len(shape[2:])\n    " + RETURNED,
            ),
            ("sides of the kernel added", "k = sum(shape[2:])\n    " + RETURNED),
            ("sides of the kernel added", "k = sum(shape[2:]) or 1\n    " + RETURNED),
            ("kernel counted for fan_in only", "return shape[1] * k, shape[0]"),
            ("kernel first, as in Keras", "k = int(np.prod(shape[:-2]))\n    return shape[-2] * k, shape[-1] * k"),
        )
    ],
)
