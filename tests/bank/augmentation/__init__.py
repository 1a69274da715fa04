"""What students write in 07_augmentation: correct in other styles, and wrong in the ways the bank knows."""

from tests.bank.augmentation import (
    colors,
    cutting,
    elastic,
    grids,
    prefetching,
    random_crops,
    sampling,
    sizes,
    ten_crops,
    warping,
)

MODULES = (sizes, cutting, random_crops, colors, elastic, warping, grids, sampling, ten_crops, prefetching)

ALTERNATIVES = [row for module in MODULES for row in module.ALTERNATIVES]
MISTAKEN = [row for module in MODULES for row in module.MISTAKEN]
