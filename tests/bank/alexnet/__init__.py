"""What students write in 08_alexnet: correct in other styles, and wrong in the ways the bank knows."""

from tests.bank.alexnet import (
    checkpoints,
    errors,
    evaluate,
    fitting,
    initial,
    network,
    stepping,
    ten_crops,
    towers,
    weights,
)

MODULES = (network, initial, towers, errors, stepping, fitting, checkpoints, ten_crops, evaluate, weights)

ALTERNATIVES = [row for module in MODULES for row in module.ALTERNATIVES]
MISTAKEN = [row for module in MODULES for row in module.MISTAKEN]
