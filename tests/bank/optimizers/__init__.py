"""What students write in 04_optimizers: correct in other styles, and wrong in the ways the bank knows."""

from tests.bank.optimizers import (
    adam,
    adamw,
    adaptive,
    alexnet,
    averaging,
    batches,
    cosine,
    decays,
    diagnosis,
    momentum,
    nadam,
    plateau,
    repaired,
    sgd,
    stability,
)

MODULES = (
    batches,
    sgd,
    alexnet,
    momentum,
    adaptive,
    adam,
    adamw,
    nadam,
    decays,
    cosine,
    plateau,
    stability,
    averaging,
    diagnosis,
    repaired,
)

ALTERNATIVES = [row for module in MODULES for row in module.ALTERNATIVES]
MISTAKEN = [row for module in MODULES for row in module.MISTAKEN]
