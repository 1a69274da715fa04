"""What students write in 02_convolution: correct in other styles, and wrong in the ways the bank knows."""

from tests.bank.convolution import (
    averaging,
    convolving,
    convolving_backward,
    counting,
    fields,
    fitting,
    lenet5,
    memory,
    normalizing,
    pooling,
    pooling_backward,
    repaired,
    sizes,
    tables,
    unfolding,
)

_MODULES = (
    sizes,
    fitting,
    counting,
    fields,
    tables,
    lenet5,
    memory,
    convolving,
    unfolding,
    convolving_backward,
    pooling,
    pooling_backward,
    averaging,
    repaired,
    normalizing,
)

ALTERNATIVES = [row for module in _MODULES for row in module.ALTERNATIVES]
MISTAKEN = [row for module in _MODULES for row in module.MISTAKEN]
