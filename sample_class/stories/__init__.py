"""Who hands in what: one file for each assignment, with `ASSIGNMENT` and `students()`."""

from sample_class.stories import (
    alexnet,
    augmentation,
    backprop,
    batchnorm,
    convolution,
    dropout,
    initialization,
    optimizers,
)

STORIES = (backprop, convolution, initialization, optimizers, dropout, batchnorm, augmentation, alexnet)
