"""What students write for conv2d_backward."""

import numpy as np

from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("conv2d_backward", "loops over the output")
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kh, kw = weight.shape[2:]
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    grad_bias = np.zeros(len(weight))
    for n, o, r, s in np.ndindex(grad_out.shape):
        window = np.s_[n, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
        grad_weight[o] += grad_out[n, o, r, s] * padded[window]
        grad_padded[window] += grad_out[n, o, r, s] * weight[o]
        grad_bias[o] += grad_out[n, o, r, s]
    return grad_padded[:, :, ph : ph + x.shape[2], pw : pw + x.shape[3]], grad_weight, grad_bias


@alternative("conv2d_backward", "a full convolution with the flipped kernel")
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    view = np.lib.stride_tricks.sliding_window_view
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (N, C, H, W), (out_channels, _, kh, kw), (OH, OW) = x.shape, weight.shape, grad_out.shape[2:]
    # Zeros between the gradients undo the stride, zeros around them let the kernel hang over.
    spread = np.zeros((N, out_channels, H + 2 * ph + kh - 1, W + 2 * pw + kw - 1))
    spread[:, :, kh - 1 : kh - 1 + sh * OH : sh, kw - 1 : kw - 1 + sw * OW : sw] = grad_out
    windows = view(spread, (kh, kw), axis=(2, 3))
    grad_padded = np.einsum("nohwij,ocij->nchw", windows, weight[:, :, ::-1, ::-1])
    seen = view(np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw))), (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    grad_weight = np.einsum("nohw,nchwij->ocij", grad_out, seen)
    return grad_padded[:, :, ph : ph + H, pw : pw + W], grad_weight, np.einsum("nohw->o", grad_out)


@alternative("conv2d_backward", "im2col and back, float32")
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    grad_out, x, weight = (a.astype(np.float32) for a in (grad_out, x, weight))
    (N, C, H, W), (out_channels, _, kh, kw), (OH, OW) = x.shape, weight.shape, grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    columns = windows.transpose(1, 4, 5, 0, 2, 3).reshape(C * kh * kw, N * OH * OW)
    rows = grad_out.transpose(1, 0, 2, 3).reshape(out_channels, N * OH * OW)
    grad_columns = (weight.reshape(out_channels, -1).T @ rows).reshape(C, kh, kw, N, OH, OW)
    grad_padded = np.zeros_like(padded)
    for r in range(OH):
        for s in range(OW):
            share = grad_columns[..., r, s].transpose(3, 0, 1, 2)
            grad_padded[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw] += share
    grad_x = grad_padded[:, :, ph : ph + H, pw : pw + W]
    return grad_x, (rows @ columns.T).reshape(weight.shape), rows.sum(axis=1)


@alternative("conv2d_backward", "np.add.at with an array of indices")
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (kh, kw), (OH, OW) = weight.shape[2:], grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    i = np.arange(kh)[:, None, None, None] + sh * np.arange(OH)[:, None]
    j = np.arange(kw)[:, None, None] + sw * np.arange(OW)
    grad_weight = np.einsum("nohw,ncijhw->ocij", grad_out, padded[:, :, i, j])
    grad_padded = np.zeros_like(padded)
    np.add.at(grad_padded, np.s_[:, :, i, j], np.einsum("nohw,ocij->ncijhw", grad_out, weight))
    height, width = x.shape[2:]
    return grad_padded[:, :, ph : ph + height, pw : pw + width], grad_weight, grad_out.sum((0, 2, 3))


@mistaken("conv2d_backward", "overlaps overwritten")
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    (kh, kw), (OH, OW) = weight.shape[2:], grad_out.shape[2:]
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    for r in range(OH):
        for s in range(OW):
            window = np.s_[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            grad_weight += np.einsum("no,ncij->ocij", grad_out[:, :, r, s], padded[window])
            grad_padded[window] = np.einsum("no,ocij->ncij", grad_out[:, :, r, s], weight)
    grad_x = grad_padded[:, :, ph : ph + x.shape[2], pw : pw + x.shape[3]]
    return grad_x, grad_weight, grad_out.sum(axis=(0, 2, 3))


@mistaken("conv2d_backward", "overlaps overwritten")
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kh, kw = weight.shape[2:]
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    for n, o, r, s in np.ndindex(grad_out.shape):
        window = np.s_[n, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
        grad_weight[o] += grad_out[n, o, r, s] * padded[window]
        grad_padded[window] = grad_out[n, o, r, s] * weight[o]
    grad_x = grad_padded[:, :, ph : ph + x.shape[2], pw : pw + x.shape[3]]
    return grad_x, grad_weight, grad_out.sum(axis=(0, 2, 3))


@mistaken("conv2d_backward", "kernel flipped")
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    view = np.lib.stride_tricks.sliding_window_view
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (N, C, H, W), (out_channels, _, kh, kw), (OH, OW) = x.shape, weight.shape, grad_out.shape[2:]
    spread = np.zeros((N, out_channels, H + 2 * ph + kh - 1, W + 2 * pw + kw - 1))
    spread[:, :, kh - 1 : kh - 1 + sh * OH : sh, kw - 1 : kw - 1 + sw * OW : sw] = grad_out
    grad_padded = np.einsum("nohwij,ocij->nchw", view(spread, (kh, kw), axis=(2, 3)), weight)
    seen = view(np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw))), (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    grad_weight = np.einsum("nohw,nchwij->ocij", grad_out, seen)
    return grad_padded[:, :, ph : ph + H, pw : pw + W], grad_weight, grad_out.sum(axis=(0, 2, 3))


# The others differ from a right one in a line.
RIGHT = """def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (H, W), (kh, kw), (OH, OW) = x.shape[2:], weight.shape[2:], grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    for i in range(kh):
        for j in range(kw):
            touched = np.s_[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]
            grad_weight[:, :, i, j] = np.einsum("nohw,nchw->oc", grad_out, padded[touched])
            grad_padded[touched] += np.einsum("nohw,oc->nchw", grad_out, weight[:, :, i, j])
    grad_x = grad_padded[:, :, ph : ph + H, pw : pw + W]
    grad_bias = grad_out.sum(axis=(0, 2, 3))
    return grad_x, grad_weight, grad_bias
"""

LINES = [
    ("overlaps overwritten", "[touched] +=", "[touched] ="),
    ("kernel flipped", "weight[:, :, i, j])", "weight[:, :, -1 - i, -1 - j])"),
    ("kernel flipped", "grad_weight[:, :, i, j] =", "grad_weight[:, :, kh - 1 - i, kw - 1 - j] ="),
    ("stride ignored in the values", "i : i + sh * OH : sh, j : j + sw * OW : sw", "i : i + OH, j : j + OW"),
    (
        "images and channels mixed up",
        'np.einsum("nohw,nchw->oc", grad_out, padded[touched])',
        "grad_out.reshape(len(weight), -1) @ padded[touched].transpose(0, 2, 3, 1).reshape(-1, x.shape[1])",
    ),
    ("padding left on", "[:, :, ph : ph + H, pw : pw + W]", ""),
    ("padding cut off at one end", "[:, :, ph : ph + H, pw : pw + W]", "[:, :, :H, :W]"),
    ("cut with −0", "[:, :, ph : ph + H, pw : pw + W]", "[:, :, ph:-ph, pw:-pw]"),
    (
        "averaged over the batch",
        "return grad_x, grad_weight, grad_bias",
        "return grad_x, grad_weight / len(x), grad_bias",
    ),
    (
        "averaged over the batch",
        "return grad_x, grad_weight, grad_bias",
        "return grad_x, grad_weight / len(x), grad_bias / len(x)",
    ),
    ("bias gradient summed to one number", "grad_out.sum(axis=(0, 2, 3))", "grad_out.sum()"),
    ("bias gradient only over the batch", "grad_out.sum(axis=(0, 2, 3))", "grad_out.sum(axis=0)"),
    ("bias gradient for each image", "grad_out.sum(axis=(0, 2, 3))", "grad_out.sum(axis=(2, 3))"),
    ("bias gradient averaged over places", "grad_out.sum(axis=(0, 2, 3))", "grad_out.mean(axis=(0, 2, 3))"),
    ("bias gradient averaged over places", "grad_out.sum(axis=(0, 2, 3))", "grad_out.mean(axis=(2, 3)).sum(axis=0)"),
    ("right values, other order", "return grad_x, grad_weight, grad_bias", "return grad_weight, grad_bias, grad_x"),
    ("right values, other order", "return grad_x, grad_weight, grad_bias", "return grad_weight, grad_x, grad_bias"),
]

mistaken_sources(__name__, "conv2d_backward", [(label, RIGHT.replace(line, instead)) for label, line, instead in LINES])


@mistaken("conv2d_backward", "pair taken for a number")
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    (N, C, H, W), (kh, kw), (OH, OW) = x.shape, weight.shape[2:], grad_out.shape[2:]
    padded = np.zeros((N, C, 2 * padding + H, 2 * padding + W))
    padded[:, :, padding : padding + H, padding : padding + W] = x
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    for r in range(OH):
        for s in range(OW):
            window = np.s_[:, :, r * stride : r * stride + kh, s * stride : s * stride + kw]
            grad_weight += np.einsum("no,ncij->ocij", grad_out[:, :, r, s], padded[window])
            grad_padded[window] += np.einsum("no,ocij->ncij", grad_out[:, :, r, s], weight)
    grad_x = grad_padded[:, :, padding : padding + H, padding : padding + W]
    return grad_x, grad_weight, grad_out.sum(axis=(0, 2, 3))


@mistaken("conv2d_backward", "pixels in no window left out")
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    view = np.lib.stride_tricks.sliding_window_view
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (N, C, H, W), (out_channels, _, kh, kw), (OH, OW) = x.shape, weight.shape, grad_out.shape[2:]
    spread = np.zeros((N, out_channels, (OH - 1) * sh + 1, (OW - 1) * sw + 1))
    spread[:, :, ::sh, ::sw] = grad_out
    around = np.pad(spread, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    full = np.einsum("nohwij,ocij->nchw", view(around, (kh, kw), axis=(2, 3)), weight[:, :, ::-1, ::-1])
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    grad_weight = np.einsum("nohw,nchwij->ocij", grad_out, windows)
    return full[:, :, ph : ph + H, pw : pw + W], grad_weight, grad_out.sum(axis=(0, 2, 3))


@mistaken("conv2d_backward", "pixels in no window left out")
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    view = np.lib.stride_tricks.sliding_window_view
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (N, C, H, W), (out_channels, _, kh, kw), (OH, OW) = x.shape, weight.shape, grad_out.shape[2:]
    spread = np.zeros((N, out_channels, (OH - 1) * sh + 1, (OW - 1) * sw + 1))
    spread[:, :, ::sh, ::sw] = grad_out
    around = np.pad(spread, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    full = np.einsum("nohwij,ocij->nchw", view(around, (kh, kw), axis=(2, 3)), weight[:, :, ::-1, ::-1])
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    grad_weight = np.einsum("nohw,nchwij->ocij", grad_out, windows)
    return full[:, :, ph : full.shape[2] - ph, pw : full.shape[3] - pw], grad_weight, grad_out.sum(axis=(0, 2, 3))
