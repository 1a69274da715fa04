"""conv_parameters and conv_macs, as students write them."""

import numpy as np

from tests.bank.registry import alternative, mistaken

# --- conv_parameters --------------------------------------------------------------------------------------------


@alternative("conv_parameters", "the sizes of real arrays")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups != 0 or out_channels % groups != 0:
        raise ValueError(f"{in_channels} and {out_channels} channels in {groups} groups")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    weight = np.zeros((out_channels, in_channels // groups, kh, kw))
    return weight.size + (np.zeros(out_channels).size if bias else 0)


@alternative("conv_parameters", "group after group")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    for channels in (in_channels, out_channels):
        if channels % groups:
            raise ValueError(f"groups={groups}, in_channels={in_channels}, out_channels={out_channels}")
    taps = np.prod(np.broadcast_to(kernel, 2))
    total = 0
    for _ in range(groups):
        total += (in_channels // groups * taps + int(bias)) * (out_channels // groups)
    return total


@mistaken("conv_parameters", "input channels forgotten")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * out_channels + (out_channels if bias else 0)


@mistaken("conv_parameters", "biases forgotten")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * in_channels // groups * out_channels


@mistaken("conv_parameters", "biases always counted")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return (kh * kw * in_channels // groups + 1) * out_channels


@mistaken("conv_parameters", "one bias for the layer")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * in_channels // groups * out_channels + bias


@mistaken("conv_parameters", "a bias for each input channel")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * in_channels // groups * out_channels + (in_channels if bias else 0)


@mistaken("conv_parameters", "a bias for each slice of a filter")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return (kh * kw + bool(bias)) * (in_channels // groups) * out_channels


@mistaken("conv_parameters", "groups ignored")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return (kh * kw * in_channels + bool(bias)) * out_channels


@mistaken("conv_parameters", "one group counted")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return (kh * kw * (in_channels // groups) + bool(bias)) * (out_channels // groups)


@mistaken("conv_parameters", "channels divided twice")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    weights = kh * kw * (in_channels // groups) * (out_channels // groups)
    return weights + out_channels if bias else weights


@mistaken("conv_parameters", "a side for the area")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    taps = np.prod(kernel)  # of a pair it is the area, of a number the number
    return (taps * (in_channels // groups) + bool(bias)) * out_channels


@mistaken("conv_parameters", "every kernel square")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    side = kernel if isinstance(kernel, int) else kernel[0]
    return (side**2 * (in_channels // groups) + bool(bias)) * out_channels


@mistaken("conv_parameters", "uneven groups accepted")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return (kh * kw * (in_channels // groups) + bool(bias)) * out_channels


@mistaken("conv_parameters", "a message without the numbers")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError("groups must divide the channels")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return (kh * kw * (in_channels // groups) + bool(bias)) * out_channels


@mistaken("conv_parameters", "true division")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * out_channels * in_channels / groups + (out_channels if bias else 0)


@mistaken("conv_parameters", "true division")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return (kh * kw * (in_channels / groups) + bool(bias)) * out_channels


@mistaken("conv_parameters", "uneven groups accepted")
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * out_channels * in_channels // groups + (out_channels if bias else 0)


# --- conv_macs --------------------------------------------------------------------------------------------------


@alternative("conv_macs", "the size of an array of products")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{groups} groups of {in_channels} to {out_channels} channels")
    kh, kw = (kernel, kernel) if np.ndim(kernel) == 0 else kernel
    products = np.broadcast_to(0.0, (out_channels, out_height, out_width, in_channels // groups, kh, kw))
    return products.size


@alternative("conv_macs", "rows of the output, group after group")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    seen, rest = divmod(in_channels, groups)
    if rest or out_channels % groups:
        raise ValueError(f"in_channels={in_channels}, out_channels={out_channels}, groups={groups}")
    try:
        height, width = kernel
    except TypeError:
        height = width = kernel
    return sum(seen * height * width * (out_channels // groups) * out_width for _ in range(groups * out_height))


@mistaken("conv_macs", "FLOPs instead of multiply–accumulates")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return 2 * kh * kw * (in_channels // groups) * out_channels * out_height * out_width


@mistaken("conv_macs", "a multiplication for every bias")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return (kh * kw * (in_channels // groups) + 1) * out_channels * out_height * out_width


@mistaken("conv_macs", "input channels forgotten")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * out_channels * out_height * out_width


@mistaken("conv_macs", "output channels forgotten")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * (in_channels // groups) * out_height * out_width


@mistaken("conv_macs", "weights, not their uses")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * (in_channels // groups) * out_channels


@mistaken("conv_macs", "every output square")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * (in_channels // groups) * out_channels * out_height**2


@mistaken("conv_macs", "groups ignored")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * in_channels * out_channels * out_height * out_width


@mistaken("conv_macs", "one group counted")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * (in_channels // groups) * (out_channels // groups) * out_height * out_width


@mistaken("conv_macs", "a side for the area")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    taps = np.prod(kernel)
    return taps * (in_channels // groups) * out_channels * out_height * out_width


@mistaken("conv_macs", "every kernel square")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    side = kernel if isinstance(kernel, int) else kernel[0]
    return side**2 * (in_channels // groups) * out_channels * out_height * out_width


@mistaken("conv_macs", "uneven groups accepted")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * (in_channels // groups) * out_channels * out_height * out_width


@mistaken("conv_macs", "a message without the numbers")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"groups = {groups} is impossible")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * (in_channels // groups) * out_channels * out_height * out_width


@mistaken("conv_macs", "true division")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{in_channels} {out_channels} {groups}")
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * in_channels / groups * out_channels * out_height * out_width


@mistaken("conv_macs", "true division")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return out_channels * out_height * out_width * kh * kw * (in_channels / groups)


@mistaken("conv_macs", "uneven groups accepted")
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return kh * kw * in_channels * out_channels * out_height * out_width // groups
