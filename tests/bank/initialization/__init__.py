"""What students write in 03_initialization: correct in other styles, and wrong in the ways the bank knows."""

from tests.bank.initialization import (
    activations,
    dead,
    fans,
    forward,
    gains,
    gradients,
    initializers,
    lsuv,
    preprocessing,
    repaired,
    symmetry,
    units,
    whitening,
)

MODULES = (
    activations,
    units,
    fans,
    initializers,
    forward,
    gradients,
    gains,
    dead,
    lsuv,
    preprocessing,
    whitening,
    symmetry,
    repaired,
)

ALTERNATIVES = [row for module in MODULES for row in module.ALTERNATIVES]
MISTAKEN = [row for module in MODULES for row in module.MISTAKEN]
