"""The exercises of 01_backprop, in the notebook's order."""

from __future__ import annotations

from course_utils.checks._backprop.activations import relu_backward, tanh_backward
from course_utils.checks._backprop.affine import affine_backward, affine_forward
from course_utils.checks._backprop.broadcasting import unbroadcast
from course_utils.checks._backprop.interpolation import relu_interpolation
from course_utils.checks._backprop.losses import softmax_cross_entropy
from course_utils.checks._backprop.networks import mlp_gradients
from course_utils.checks._backprop.numerical import numerical_gradient
from course_utils.checks._backprop.perceptron import perceptron_step
from course_utils.checks._backprop.repaired import repaired_linear_backward
from course_utils.checks._backprop.squared_error import squared_error_backward
from course_utils.checks._backprop.training import train_classifier
from course_utils.checks._backprop.value import Value

# NumPy alone: these packages cannot be imported while the notebook is graded.
MASKED = ("torch", "scipy", "sklearn")

EXERCISES = (
    perceptron_step,
    relu_interpolation,
    numerical_gradient,
    affine_forward,
    affine_backward,
    relu_backward,
    tanh_backward,
    squared_error_backward,
    softmax_cross_entropy,
    unbroadcast,
    Value,
    mlp_gradients,
    train_classifier,
    repaired_linear_backward,
)
