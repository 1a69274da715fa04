"""The exercises of 02_convolution, in the notebook's order."""

from __future__ import annotations

from course_utils.checks._convolution.convolving import conv2d_forward
from course_utils.checks._convolution.convolving_backward import conv2d_backward
from course_utils.checks._convolution.counting import conv_macs, conv_parameters
from course_utils.checks._convolution.fitting import fits_exactly, same_padding
from course_utils.checks._convolution.lenet5 import lenet5_accounting
from course_utils.checks._convolution.memory import training_memory
from course_utils.checks._convolution.normalizing import local_response_norm
from course_utils.checks._convolution.output_size import conv_output_size
from course_utils.checks._convolution.pooling import avg_pool2d_forward, max_pool2d_forward
from course_utils.checks._convolution.pooling_backward import max_pool2d_backward
from course_utils.checks._convolution.receptive_field import receptive_field
from course_utils.checks._convolution.repaired import repaired_conv2d_backward
from course_utils.checks._convolution.tables import layer_table
from course_utils.checks._convolution.unfolding import im2col

# NumPy alone: these packages cannot be imported while the notebook is graded.
MASKED = ("torch", "scipy", "sklearn")

EXERCISES = (
    conv_output_size,
    fits_exactly,
    same_padding,
    conv_parameters,
    conv_macs,
    receptive_field,
    layer_table,
    lenet5_accounting,
    training_memory,
    conv2d_forward,
    im2col,
    conv2d_backward,
    max_pool2d_forward,
    avg_pool2d_forward,
    max_pool2d_backward,
    local_response_norm,
    repaired_conv2d_backward,
)
