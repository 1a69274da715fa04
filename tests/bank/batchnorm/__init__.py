"""What students write in 06_batchnorm: correct in other styles, and wrong in the ways the bank knows."""

from tests.bank.batchnorm import backward, evaluation, folding, forward, layer, pooling, relatives, repaired, training

MODULES = (forward, backward, layer, evaluation, folding, relatives, pooling, repaired, training)

ALTERNATIVES = [row for module in MODULES for row in module.ALTERNATIVES]
MISTAKEN = [row for module in MODULES for row in module.MISTAKEN]
