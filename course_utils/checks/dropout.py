"""The exercises of 05_dropout, in the notebook's order."""

from __future__ import annotations

from course_utils.checks._dropout.backward import dropout_backward
from course_utils.checks._dropout.blocks import dropblock_mask
from course_utils.checks._dropout.channels import channel_dropout
from course_utils.checks._dropout.classic import classic_dropout
from course_utils.checks._dropout.curriculum import curriculum_keep_probability
from course_utils.checks._dropout.dropconnect import dropconnect_forward
from course_utils.checks._dropout.expectation import expected_output
from course_utils.checks._dropout.inverted import dropout_forward
from course_utils.checks._dropout.monte_carlo import monte_carlo_predict
from course_utils.checks._dropout.penalties import l1_penalty, l2_penalty
from course_utils.checks._dropout.repaired import repaired_dropout_backward
from course_utils.checks._dropout.stopping import EarlyStopping
from course_utils.checks._dropout.training import regularized_training

# NumPy alone: these packages cannot be imported while the notebook is graded.
MASKED = ("torch", "scipy", "sklearn")

EXERCISES = (
    dropout_forward,
    dropout_backward,
    classic_dropout,
    expected_output,
    monte_carlo_predict,
    dropconnect_forward,
    channel_dropout,
    dropblock_mask,
    curriculum_keep_probability,
    l2_penalty,
    l1_penalty,
    EarlyStopping,
    regularized_training,
    repaired_dropout_backward,
)
