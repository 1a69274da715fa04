"""What students write in 05_dropout: correct in other styles, and wrong in the ways the bank knows."""

from tests.bank.dropout import (
    backward,
    blocks,
    channels,
    classic,
    curriculum,
    dropconnect,
    expectation,
    inverted,
    monte_carlo,
    penalties,
    repaired,
    stopping,
    training,
)

MODULES = (
    inverted,
    backward,
    classic,
    expectation,
    monte_carlo,
    dropconnect,
    channels,
    blocks,
    curriculum,
    penalties,
    stopping,
    training,
    repaired,
)

ALTERNATIVES = [row for module in MODULES for row in module.ALTERNATIVES]
MISTAKEN = [row for module in MODULES for row in module.MISTAKEN]
