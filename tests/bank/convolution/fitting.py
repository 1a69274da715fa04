"""fits_exactly and same_padding, as students write them."""

import numpy as np

from tests.bank.registry import alternative, mistaken

# --- fits_exactly -----------------------------------------------------------------------------------------------


@alternative("fits_exactly", "the formula as a fraction")
def fits_exactly(size, kernel, stride, padding):
    from fractions import Fraction

    places = Fraction(size - kernel + 2 * padding, stride) + 1
    return places.denominator == 1 and places >= 1


@alternative("fits_exactly", "is_integer of a float")
def fits_exactly(size, kernel, stride, padding):
    places = (size - kernel + 2 * padding) / stride + 1
    if kernel > size + 2 * padding:
        return False
    return float(places).is_integer()


@alternative("fits_exactly", "steps through the padded input")
def fits_exactly(size, kernel, stride, padding):
    end = kernel
    while end < size + 2 * padding:
        end += stride
    return np.equal(end, size + 2 * padding)


@mistaken("fits_exactly", "padding counted once")
def fits_exactly(size, kernel, stride, padding):
    free = size - kernel + padding
    return free >= 0 and free % stride == 0


@mistaken("fits_exactly", "padding ignored")
def fits_exactly(size, kernel, stride, padding):
    return size >= kernel and (size - kernel) % stride == 0


@mistaken("fits_exactly", "kernel not subtracted")
def fits_exactly(size, kernel, stride, padding):
    return (size + 2 * padding) % stride == 0


@mistaken("fits_exactly", "kernel not subtracted")
def fits_exactly(size, kernel, stride, padding):
    return bool((2 * padding + size) / stride == (size + 2 * padding) // stride)


@mistaken("fits_exactly", "the size alone divided")
def fits_exactly(size, kernel, stride, padding):
    return size % stride == 0


@mistaken("fits_exactly", "one added before the division")
def fits_exactly(size, kernel, stride, padding):
    room = size - kernel + 2 * padding + 1
    return room >= 0 and room % stride == 0


@mistaken("fits_exactly", "a kernel that is too long fits")
def fits_exactly(size, kernel, stride, padding):
    return (size - kernel + 2 * padding) % stride == 0


@mistaken("fits_exactly", "a kernel as long as the input does not fit")
def fits_exactly(size, kernel, stride, padding):
    return size + 2 * padding > kernel and (size + 2 * padding - kernel) % stride == 0


@mistaken("fits_exactly", "answer reversed")
def fits_exactly(size, kernel, stride, padding):
    free = size - kernel + 2 * padding
    return free < 0 or free % stride != 0


@mistaken("fits_exactly", "the size instead of the answer")
def fits_exactly(size, kernel, stride, padding):
    return (size - kernel + 2 * padding) / stride + 1


@mistaken("fits_exactly", "the size instead of the answer")
def fits_exactly(size, kernel, stride, padding):
    return (size - kernel + 2 * padding) // stride + 1


# --- same_padding -----------------------------------------------------------------------------------------------


@alternative("same_padding", "divmod")
def same_padding(kernel, dilation=1):
    half, rest = divmod(dilation * (kernel - 1), 2)
    if rest:
        raise ValueError(f"no symmetric padding for kernel={kernel}, dilation={dilation}")
    return half


@alternative("same_padding", "tries one padding after the other")
def same_padding(kernel, dilation=1):
    size = 1000
    for padding in range(size):
        if size + 2 * padding - (dilation * (kernel - 1) + 1) + 1 == size:
            return padding
    raise ValueError(f"kernel {kernel} and dilation {dilation} have none")


@alternative("same_padding", "half of a float, by the extent")
def same_padding(kernel, dilation=1):
    extent = kernel + (kernel - 1) * (dilation - 1)
    padding = (extent - 1) / 2
    if padding != round(padding):
        raise ValueError("the extent of kernel %d with dilation %d is even" % (kernel, dilation))
    return int(padding)


@mistaken("same_padding", "dilation ignored")
def same_padding(kernel, dilation=1):
    if kernel % 2 == 0:
        raise ValueError(f"{kernel} {dilation}")
    return (kernel - 1) // 2


@mistaken("same_padding", "dilated extent k times d")
def same_padding(kernel, dilation=1):
    extent = kernel * dilation
    if extent % 2 == 0:
        raise ValueError(f"kernel {kernel}, dilation {dilation}")
    return (extent - 1) // 2


@mistaken("same_padding", "padding of both ends together")
def same_padding(kernel, dilation=1):
    lost = dilation * (kernel - 1)
    if lost % 2:
        raise ValueError(f"kernel {kernel}, dilation {dilation}")
    return lost


@mistaken("same_padding", "padding of both ends together")
def same_padding(kernel, dilation=1):
    return dilation * (kernel - 1)


@mistaken("same_padding", "an odd loss rounded down")
def same_padding(kernel, dilation=1):
    return dilation * (kernel - 1) // 2


@mistaken("same_padding", "an odd loss rounded up")
def same_padding(kernel, dilation=1):
    extent = dilation * (kernel - 1) + 1
    return extent // 2


@mistaken("same_padding", "every even kernel refused")
def same_padding(kernel, dilation=1):
    if kernel % 2 == 0:
        raise ValueError(f"kernel {kernel} is even, dilation {dilation}")
    return dilation * (kernel // 2)


@mistaken("same_padding", "true division")
def same_padding(kernel, dilation=1):
    return dilation * (kernel - 1) / 2


@mistaken("same_padding", "a message without the numbers")
def same_padding(kernel, dilation=1):
    lost = dilation * (kernel - 1)
    if lost % 2:
        raise ValueError("no symmetric padding exists")
    return lost // 2
