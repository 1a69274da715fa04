"""The exercises of 03_initialization, in the notebook's order."""

from __future__ import annotations

from course_utils.checks._initialization.activations import activation, activation_gradient
from course_utils.checks._initialization.dead import dead_relu_fraction
from course_utils.checks._initialization.fans import fans
from course_utils.checks._initialization.gains import empirical_gain
from course_utils.checks._initialization.gradients import gradient_statistics
from course_utils.checks._initialization.initializers import he_normal, he_uniform, xavier_normal, xavier_uniform
from course_utils.checks._initialization.lsuv import lsuv
from course_utils.checks._initialization.preprocessing import standardize
from course_utils.checks._initialization.repaired import repaired_he_normal
from course_utils.checks._initialization.statistics import forward_statistics
from course_utils.checks._initialization.symmetry import symmetry_classes
from course_utils.checks._initialization.units import maxout, prelu_backward
from course_utils.checks._initialization.whitening import pca_whiten

# NumPy alone: these packages cannot be imported while the notebook is graded.
MASKED = ("torch", "scipy", "sklearn")

EXERCISES = (
    activation,
    activation_gradient,
    maxout,
    prelu_backward,
    fans,
    xavier_normal,
    xavier_uniform,
    he_normal,
    he_uniform,
    forward_statistics,
    gradient_statistics,
    empirical_gain,
    dead_relu_fraction,
    lsuv,
    standardize,
    pca_whiten,
    symmetry_classes,
    repaired_he_normal,
)
