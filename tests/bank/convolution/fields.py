"""receptive_field, as students write it."""

import numpy as np

from tests.bank.registry import alternative, mistaken


@alternative("receptive_field", "from the output back to the input")
def receptive_field(layers):
    field = 1
    for kernel, stride, dilation in reversed(layers):
        field = (field - 1) * stride + dilation * (kernel - 1) + 1
    return field


@alternative("receptive_field", "products of the strides before")
def receptive_field(layers):
    if not layers:
        return 1
    kernels, strides, dilations = np.array(layers).T
    steps = np.cumprod(np.concatenate([[1], strides[:-1]]))
    return 1 + np.sum(dilations * (kernels - 1) * steps)


@alternative("receptive_field", "first and last input, followed down")
def receptive_field(layers):
    first = last = 0
    for kernel, stride, dilation in layers[::-1]:
        first, last = first * stride, last * stride + (kernel - 1) * dilation
    return last - first + 1


@mistaken("receptive_field", "grows by k")
def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride, dilation in layers:
        field += dilation * kernel * step
        step *= stride
    return field


@mistaken("receptive_field", "grows by k")
def receptive_field(layers):
    field, jump = 0, 1
    for kernel, stride, dilation in layers:
        extent = dilation * (kernel - 1) + 1
        field = field + extent * jump
        jump = jump * stride
    return field


@mistaken("receptive_field", "its own stride applied too early")
def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride, dilation in layers:
        step *= stride
        field += dilation * (kernel - 1) * step
    return field


@mistaken("receptive_field", "strides ignored")
def receptive_field(layers):
    return 1 + sum(dilation * (kernel - 1) for kernel, stride, dilation in layers)


@mistaken("receptive_field", "only the last stride")
def receptive_field(layers):
    field, before = 1, 1
    for kernel, stride, dilation in layers:
        field += dilation * (kernel - 1) * before
        before = stride
    return field


@mistaken("receptive_field", "strides added up")
def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride, dilation in layers:
        field += dilation * (kernel - 1) * step
        step += stride - 1
    return field


@mistaken("receptive_field", "dilation ignored")
def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride, _ in layers:
        field += (kernel - 1) * step
        step *= stride
    return field


@mistaken("receptive_field", "dilated extent k times d")
def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride, dilation in layers:
        extent = kernel * dilation
        field += (extent - 1) * step
        step *= stride
    return field


@mistaken("receptive_field", "dilation carried to later layers")
def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride, dilation in layers:
        field += dilation * (kernel - 1) * step
        step *= stride * dilation
    return field


@mistaken("receptive_field", "the first input forgotten")
def receptive_field(layers):
    field, step = 0, 1
    for kernel, stride, dilation in layers:
        field += dilation * (kernel - 1) * step
        step *= stride
    return field


@mistaken("receptive_field", "layers read from the other end")
def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride, dilation in reversed(layers):
        field += dilation * (kernel - 1) * step
        step *= stride
    return field


@mistaken("receptive_field", "layers read from the other end")
def receptive_field(layers):
    field = 1
    for kernel, stride, dilation in layers:
        field = (field - 1) * stride + dilation * (kernel - 1) + 1
    return field


@mistaken("receptive_field", "stride and dilation swapped")
def receptive_field(layers):
    field, step = 1, 1
    for kernel, dilation, stride in layers:
        field += dilation * (kernel - 1) * step
        step *= stride
    return field
