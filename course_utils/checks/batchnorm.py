"""The exercises of 06_batchnorm, in the notebook's order."""

from __future__ import annotations

from course_utils.checks._batchnorm.backward import batchnorm2d_backward, batchnorm_backward
from course_utils.checks._batchnorm.evaluation import batchnorm_eval_backward
from course_utils.checks._batchnorm.folding import fold_batchnorm
from course_utils.checks._batchnorm.forward import batchnorm2d_forward, batchnorm_forward
from course_utils.checks._batchnorm.identity import identity_parameters
from course_utils.checks._batchnorm.layer import BatchNorm
from course_utils.checks._batchnorm.pooling import global_average_pool
from course_utils.checks._batchnorm.relatives import groupnorm_forward, layernorm_forward
from course_utils.checks._batchnorm.repaired import repaired_batchnorm2d_backward
from course_utils.checks._batchnorm.training import train_deep_network

# NumPy alone: these packages cannot be imported while the notebook is graded.
MASKED = ("torch", "scipy", "sklearn")

EXERCISES = (
    batchnorm_forward,
    batchnorm_backward,
    batchnorm2d_forward,
    batchnorm2d_backward,
    BatchNorm,
    batchnorm_eval_backward,
    identity_parameters,
    fold_batchnorm,
    layernorm_forward,
    groupnorm_forward,
    global_average_pool,
    repaired_batchnorm2d_backward,
    train_deep_network,
)
