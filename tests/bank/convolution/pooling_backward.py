"""What students write for max_pool2d_backward."""

import numpy as np

from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("max_pool2d_backward", "loops, the first maximum wins")
def max_pool2d_backward(grad_out, x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    grad_padded = np.zeros(padded.shape)
    for n, c, r, s in np.ndindex(grad_out.shape):
        window = padded[n, c, r * sh : r * sh + kh, s * sw : s * sw + kw]
        i, j = np.unravel_index(window.argmax(), window.shape)
        grad_padded[n, c, r * sh + i, s * sw + j] += grad_out[n, c, r, s]
    return grad_padded[:, :, ph : ph + x.shape[2], pw : pw + x.shape[3]]


@alternative("max_pool2d_backward", "loops, the last maximum wins")
def max_pool2d_backward(grad_out, x, kernel, stride, padding=0):
    def pair(value):
        return (value, value) if isinstance(value, int) else value

    (kh, kw), (sh, sw), (ph, pw) = pair(kernel), pair(stride), pair(padding)
    grad_x = np.zeros(x.shape)
    N, C, H, W = x.shape
    for n, c, r, s in np.ndindex(grad_out.shape):
        best, where = -np.inf, None
        for row in range(max(0, r * sh - ph), min(H, r * sh - ph + kh)):
            for column in range(max(0, s * sw - pw), min(W, s * sw - pw + kw)):
                if x[n, c, row, column] >= best:
                    best, where = x[n, c, row, column], (row, column)
        grad_x[(n, c, *where)] += grad_out[n, c, r, s]
    return grad_x


@alternative("max_pool2d_backward", "equal shares")
def max_pool2d_backward(grad_out, x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    grad_padded = np.zeros_like(padded)
    for r in range(grad_out.shape[2]):
        for s in range(grad_out.shape[3]):
            place = np.s_[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            mask = padded[place] == padded[place].max(axis=(2, 3), keepdims=True)
            share = mask / mask.sum(axis=(2, 3), keepdims=True)
            grad_padded[place] += share * grad_out[:, :, r, s][:, :, None, None]
    return grad_padded[:, :, ph : ph + x.shape[2], pw : pw + x.shape[3]]


@alternative("max_pool2d_backward", "np.add.at, first in column order, float32")
def max_pool2d_backward(grad_out, x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x.astype(np.float32), ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    winner = windows.swapaxes(4, 5).reshape(*grad_out.shape, -1).argmax(axis=-1)
    n, c, r, s = np.indices(grad_out.shape)
    grad_padded = np.zeros_like(padded)
    np.add.at(grad_padded, (n, c, r * sh + winner % kh, s * sw + winner // kh), grad_out)
    return grad_padded[:, :, ph : ph + x.shape[2], pw : pw + x.shape[3]]


# The wrong ones differ from this one in a line or two.
LOOPS = """def max_pool2d_backward(grad_out, x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    grad_padded = np.zeros(padded.shape)
    for n, c, r, s in np.ndindex(grad_out.shape):
        top, left = r * sh, s * sw
        window = padded[n, c, top : top + kh, left : left + kw]
        i, j = np.unravel_index(window.argmax(), window.shape)
        grad_padded[n, c, top + i, left + j] += grad_out[n, c, r, s]
    return grad_padded[:, :, ph : ph + x.shape[2], pw : pw + x.shape[3]]
"""
CUT = "[:, :, ph : ph + x.shape[2], pw : pw + x.shape[3]]"
ADD = "grad_padded[n, c, top + i, left + j] += grad_out[n, c, r, s]"
PLACE = "grad_padded[n, c, top : top + kh, left : left + kw]"

LINES = [
    ("ties counted twice", ADD, f"{PLACE} += (window == window.max()) * grad_out[n, c, r, s]"),
    ("overlaps overwritten", "left + j] +=", "left + j] ="),
    ("overlaps overwritten", ADD, f"{PLACE} = 0\n        {ADD}"),
    ("upstream gradient forgotten", "+= grad_out[n, c, r, s]", "+= 1"),
    ("gradient to every pixel", ADD, f"{PLACE} += grad_out[n, c, r, s]"),
    ("gradient to every pixel", ADD, f"{PLACE} += grad_out[n, c, r, s] / (kh * kw)"),
    ("multiplied by the maximum", "+= grad_out[n, c, r, s]", "+= grad_out[n, c, r, s] * window[i, j]"),
    ("padded with zero", ", constant_values=-np.inf", ""),
    ("stride ignored in the values", "top, left = r * sh, s * sw", "top, left = r, s"),
    ("padding left on", CUT, ""),
    ("padding cut off at one end", CUT, "[:, :, : x.shape[2], : x.shape[3]]"),
    ("cut with −0", CUT, "[:, :, ph:-ph, pw:-pw]"),
]

mistaken_sources(
    __name__, "max_pool2d_backward", [(label, LOOPS.replace(line, instead)) for label, line, instead in LINES]
)


@mistaken("max_pool2d_backward", "overlaps overwritten")
def max_pool2d_backward(grad_out, x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    (H, W), (OH, OW) = x.shape[2:], grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    winner = windows.reshape(*grad_out.shape, kh * kw).argmax(axis=-1)
    grad_padded = np.zeros(padded.shape)
    for i in range(kh):
        for j in range(kw):
            touched = np.s_[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]
            grad_padded[touched] = grad_out * (winner == i * kw + j)
    return grad_padded[:, :, ph : ph + H, pw : pw + W]


@mistaken("max_pool2d_backward", "pair taken for a number")
def max_pool2d_backward(grad_out, x, kernel, stride, padding=0):
    N, C, H, W = x.shape
    padded = np.full((N, C, H + 2 * padding, W + 2 * padding), -np.inf)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    grad_padded = np.zeros_like(padded)
    for n, c, r, s in np.ndindex(grad_out.shape):
        top, left = r * stride, s * stride
        window = padded[n, c, top : top + kernel, left : left + kernel]
        i, j = np.unravel_index(window.argmax(), window.shape)
        grad_padded[n, c, top + i, left + j] += grad_out[n, c, r, s]
    return grad_padded[:, :, padding : padding + H, padding : padding + W]


@mistaken("max_pool2d_backward", "overlaps overwritten")
def max_pool2d_backward(grad_out, x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    grad_padded = np.zeros_like(padded)
    for r in range(grad_out.shape[2]):
        for s in range(grad_out.shape[3]):
            window = np.s_[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            mask = padded[window] == padded[window].max(axis=(2, 3), keepdims=True)
            share = mask / mask.sum(axis=(2, 3), keepdims=True)
            grad_padded[window] = share * grad_out[:, :, r, s][:, :, None, None]
    return grad_padded[:, :, ph : ph + x.shape[2], pw : pw + x.shape[3]]
