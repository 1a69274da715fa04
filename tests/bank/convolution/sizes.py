"""conv_output_size, as students write it."""

import numpy as np

from tests.bank.registry import alternative, mistaken


@alternative("conv_output_size", "counts the places one by one")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    numbers = (size, kernel, stride, padding, dilation)
    if any(n < 1 for n in (size, kernel, stride, dilation)) or padding < 0:
        raise ValueError(f"cannot convolve with {numbers}")
    places, start = 0, -padding
    while start + dilation * (kernel - 1) < size + padding:
        places += 1
        start += stride
    if places == 0:
        raise ValueError(f"nothing fits with {numbers}")
    return places


@alternative("conv_output_size", "math.floor, as PyTorch documents it")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    import math

    text = f"size={size} kernel={kernel} stride={stride} padding={padding} dilation={dilation}"
    if size <= 0 or kernel <= 0 or stride <= 0 or dilation <= 0 or padding < 0:
        raise ValueError(text)
    result = math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1)
    if size + 2 * padding < dilation * (kernel - 1) + 1:
        raise ValueError(text)
    return result


@alternative("conv_output_size", "np.arange of the starts")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    if min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    reach = kernel + (kernel - 1) * (dilation - 1)
    starts = np.arange(0, size + 2 * padding - reach + 1, stride)
    if len(starts) == 0:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return np.int64(len(starts))


@mistaken("conv_output_size", "rounded up instead of down")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    import math

    if min(size, kernel, stride, dilation) < 1 or padding < 0 or size + 2 * padding <= dilation * (kernel - 1):
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return math.ceil((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1


@mistaken("conv_output_size", "padding counted once")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    free = size + padding - dilation * (kernel - 1) - 1
    if free < 0 or min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return free // stride + 1


@mistaken("conv_output_size", "padding ignored")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    free = size - dilation * (kernel - 1) - 1
    if free < 0 or min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return free // stride + 1


@mistaken("conv_output_size", "the first place forgotten")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    free = size + 2 * padding - dilation * (kernel - 1) - 1
    if free < 0 or min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return free // stride


@mistaken("conv_output_size", "one added before the division")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding or min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return (size - extent + 2 * padding + 1) // stride


@mistaken("conv_output_size", "stride ignored")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding or min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return size - extent + 2 * padding + 1


@mistaken("conv_output_size", "dilated extent k times d")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    free = size + 2 * padding - kernel * dilation
    if free < 0 or min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return free // stride + 1


@mistaken("conv_output_size", "dilation ignored")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    free = size + 2 * padding - kernel
    if free < 0 or min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return free // stride + 1


@mistaken("conv_output_size", "true division")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    free = size + 2 * padding - dilation * (kernel - 1) - 1
    if min(size, kernel, stride, dilation) < 1 or padding < 0 or free < 0:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return free / stride + 1


@mistaken("conv_output_size", "a kernel that just fits is refused")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    if min(size, kernel, stride, dilation) < 1 or padding < 0 or dilation * (kernel - 1) + 1 >= size + 2 * padding:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


@mistaken("conv_output_size", "nothing is refused")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


@mistaken("conv_output_size", "nothing is refused")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    if dilation * (kernel - 1) + 1 > size + 2 * padding:
        raise ValueError(f"size {size}, kernel {kernel}, stride {stride}, padding {padding}, dilation {dilation}")
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


@mistaken("conv_output_size", "padding forgotten in the test of fit")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    extent = dilation * (kernel - 1) + 1
    if extent > size or min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return (size + 2 * padding - extent) // stride + 1


@mistaken("conv_output_size", "dilation forgotten in the test of fit")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    if kernel > size + 2 * padding or min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(f"{size} {kernel} {stride} {padding} {dilation}")
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


@mistaken("conv_output_size", "a message without the numbers")
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    free = size + 2 * padding - dilation * (kernel - 1) - 1
    if free < 0 or min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError("the kernel does not fit")
    return free // stride + 1
