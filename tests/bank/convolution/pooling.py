"""What students write for max_pool2d_forward."""

import numpy as np

from tests.bank.registry import alternative, mistaken


@alternative("max_pool2d_forward", "loops over the output")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    OH, OW = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.zeros((*x.shape[:2], OH, OW))
    for r in range(OH):
        for s in range(OW):
            window = padded[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            out[:, :, r, s] = window.max(axis=(2, 3))
    return out


@alternative("max_pool2d_forward", "a running maximum over the places of the kernel, float32")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    x = x.astype(np.float32)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    OH, OW = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.full((*x.shape[:2], OH, OW), -np.inf, dtype=np.float32)
    for i in range(kh):
        for j in range(kw):
            np.maximum(out, padded[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw], out=out)
    return out


@alternative("max_pool2d_forward", "cut to the image, no padding at all")
def max_pool2d_forward(x, kernel, stride, padding=0):
    def pair(value):
        return (value, value) if isinstance(value, int) else value

    (kh, kw), (sh, sw), (ph, pw) = pair(kernel), pair(stride), pair(padding)
    N, C, H, W = x.shape
    out = np.empty((N, C, (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1))
    for n, c, r, s in np.ndindex(out.shape):
        top, left = r * sh - ph, s * sw - pw
        out[n, c, r, s] = x[n, c, max(top, 0) : top + kh, max(left, 0) : left + kw].max()
    return out


@alternative("max_pool2d_forward", "im2col")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-1e30)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    columns = windows.reshape(*windows.shape[:4], -1)
    return np.sort(columns, axis=-1)[..., -1]


@mistaken("max_pool2d_forward", "padded with zero")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.max(axis=(4, 5))


@mistaken("max_pool2d_forward", "maximum starts at 0")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    OH, OW = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.zeros((*x.shape[:2], OH, OW))
    for i in range(kh):
        for j in range(kw):
            pixels = padded[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]
            out = np.where(pixels > out, pixels, out)
    return out


@mistaken("max_pool2d_forward", "mean instead of maximum")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.mean(axis=(4, 5))


@mistaken("max_pool2d_forward", "largest magnitude")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return np.abs(windows).max(axis=(4, 5))


@mistaken("max_pool2d_forward", "largest magnitude")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    flat = windows.reshape(*windows.shape[:4], -1)
    place = np.abs(flat).argmax(axis=-1)
    return np.take_along_axis(flat, place[..., None], axis=-1)[..., 0]


@mistaken("max_pool2d_forward", "channels pooled together")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.max(axis=(1, 4, 5))


@mistaken("max_pool2d_forward", "kernel taken for the stride")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    OH, OW = (padded.shape[2] - kh) // kh + 1, (padded.shape[3] - kw) // kw + 1
    blocks = padded[:, :, : OH * kh, : OW * kw].reshape(*x.shape[:2], OH, kh, OW, kw)
    return blocks.max(axis=(3, 5))


@mistaken("max_pool2d_forward", "stride ignored in the values")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    OH, OW = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.zeros((*x.shape[:2], OH, OW))
    for r in range(OH):
        for s in range(OW):
            window = padded[:, :, r : r + kh, s : s + kw]
            out[:, :, r, s] = window.max(axis=(2, 3))
    return out


@mistaken("max_pool2d_forward", "stride ignored")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
    return windows.max(axis=(4, 5))


@mistaken("max_pool2d_forward", "size rounded up")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph + sh), (pw, pw + sw)), constant_values=-np.inf)
    OH, OW = int(np.ceil((x.shape[2] + 2 * ph - kh) / sh)) + 1, int(np.ceil((x.shape[3] + 2 * pw - kw) / sw)) + 1
    out = np.zeros((*x.shape[:2], OH, OW))
    for r in range(OH):
        for s in range(OW):
            window = padded[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            out[:, :, r, s] = window.max(axis=(2, 3))
    return out


@mistaken("max_pool2d_forward", "padding counted once")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    OH, OW = (x.shape[2] + ph - kh) // sh + 1, (x.shape[3] + pw - kw) // sw + 1
    out = np.zeros((*x.shape[:2], OH, OW))
    for r in range(OH):
        for s in range(OW):
            window = padded[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            out[:, :, r, s] = window.max(axis=(2, 3))
    return out


@mistaken("max_pool2d_forward", "padding ignored")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw) = (np.broadcast_to(v, 2) for v in (kernel, stride))
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.max(axis=(4, 5))


@mistaken("max_pool2d_forward", "height and width swapped")
def max_pool2d_forward(x, kernel, stride, padding=0):
    (kw, kh), (sw, sh), (pw, ph) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.max(axis=(4, 5))


@mistaken("max_pool2d_forward", "pair taken for a number")
def max_pool2d_forward(x, kernel, stride, padding=0):
    OH = (x.shape[2] + 2 * padding - kernel) // stride + 1
    OW = (x.shape[3] + 2 * padding - kernel) // stride + 1
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=-np.inf)
    out = np.zeros((*x.shape[:2], OH, OW))
    for r in range(OH):
        for s in range(OW):
            top, left = r * stride, s * stride
            out[:, :, r, s] = padded[:, :, top : top + kernel, left : left + kernel].max(axis=(2, 3))
    return out
