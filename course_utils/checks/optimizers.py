"""The exercises of 04_optimizers, in the notebook's order."""

from __future__ import annotations

from course_utils.checks._optimizers.adam import Adam
from course_utils.checks._optimizers.adamw import AdamW
from course_utils.checks._optimizers.adaptive import AdaGrad, RMSProp
from course_utils.checks._optimizers.alexnet import AlexNetSGD
from course_utils.checks._optimizers.averaging import WeightAverage
from course_utils.checks._optimizers.batches import minibatches
from course_utils.checks._optimizers.cosine import cosine_with_warmup
from course_utils.checks._optimizers.decays import exponential_decay, inverse_time_decay, step_decay
from course_utils.checks._optimizers.diagnosis import diagnose
from course_utils.checks._optimizers.momentum import momentum_convention
from course_utils.checks._optimizers.nadam import NAdam
from course_utils.checks._optimizers.plateau import PlateauSchedule
from course_utils.checks._optimizers.repaired import repaired_adam
from course_utils.checks._optimizers.sgd import SGD
from course_utils.checks._optimizers.stability import stability_limit

# NumPy alone: these packages cannot be imported while the notebook is graded.
MASKED = ("torch", "scipy", "sklearn")

EXERCISES = (
    minibatches,
    SGD,
    AlexNetSGD,
    momentum_convention,
    AdaGrad,
    RMSProp,
    Adam,
    AdamW,
    NAdam,
    step_decay,
    exponential_decay,
    inverse_time_decay,
    cosine_with_warmup,
    PlateauSchedule,
    stability_limit,
    WeightAverage,
    diagnose,
    repaired_adam,
)
