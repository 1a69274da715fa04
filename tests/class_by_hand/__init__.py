"""What the students of the sample class get, written by hand: one file for each assignment.

FULL and NOTHING: exercise → points. POINTS: student → those. MISCONCEPTIONS: (student, exercise) → the one that is
named. MISSED: the aspects that it costs, and no others. LENT: the exercise that a correct one was lent for.
REASONS: a part of the message. PROBLEMS: student → how the problem that is reported begins. WRITTEN: student → the
questions whose answers wait for a human.
"""

from tests.class_by_hand import (
    alexnet,
    augmentation,
    backprop,
    batchnorm,
    convolution,
    dropout,
    initialization,
    optimizers,
)

BY_HAND = {
    "01_backprop": backprop,
    "02_convolution": convolution,
    "03_initialization": initialization,
    "04_optimizers": optimizers,
    "05_dropout": dropout,
    "06_batchnorm": batchnorm,
    "07_augmentation": augmentation,
    "08_alexnet": alexnet,
}
