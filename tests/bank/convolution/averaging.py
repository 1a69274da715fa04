"""What students write for avg_pool2d_forward."""

import numpy as np

from tests.bank.registry import alternative, mistaken


@alternative("avg_pool2d_forward", "loops over the output")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    OH, OW = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.zeros((*x.shape[:2], OH, OW))
    for r in range(OH):
        for s in range(OW):
            window = padded[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            out[:, :, r, s] = window.mean(axis=(2, 3))
    return out


@alternative("avg_pool2d_forward", "a sum over the places of the kernel, float32")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    x = x.astype(np.float32)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    OH, OW = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    total = sum(padded[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw] for i in range(kh) for j in range(kw))
    return total / np.float32(kh * kw)


@alternative("avg_pool2d_forward", "cumulative sums")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    table = np.zeros((*x.shape[:2], padded.shape[2] + 1, padded.shape[3] + 1))
    table[:, :, 1:, 1:] = padded.cumsum(axis=2).cumsum(axis=3)
    sums = table[:, :, kh:, kw:] - table[:, :, :-kh, kw:] - table[:, :, kh:, :-kw] + table[:, :, :-kh, :-kw]
    return sums[:, :, ::sh, ::sw] / (kh * kw)


@alternative("avg_pool2d_forward", "a convolution with equal weights")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return np.einsum("nchwij,ij->nchw", windows, np.full((kh, kw), 1 / (kh * kw)))


@mistaken("avg_pool2d_forward", "divided by the pixels inside")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return np.nanmean(windows, axis=(4, 5))


@mistaken("avg_pool2d_forward", "divided by the pixels inside")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    H, W = x.shape[2:]
    out = np.zeros((*x.shape[:2], (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1))
    for r, s in np.ndindex(out.shape[2:]):
        top, left = r * sh - ph, s * sw - pw
        out[:, :, r, s] = x[:, :, max(top, 0) : top + kh, max(left, 0) : left + kw].mean(axis=(2, 3))
    return out


@mistaken("avg_pool2d_forward", "sum instead of mean")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.sum(axis=(4, 5))


@mistaken("avg_pool2d_forward", "divided by one side")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.sum(axis=(4, 5)) / kh


@mistaken("avg_pool2d_forward", "side squared")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.sum(axis=(4, 5)) / kw**2


@mistaken("avg_pool2d_forward", "maximum instead of mean")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.max(axis=(4, 5))


@mistaken("avg_pool2d_forward", "maximum instead of mean")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.max(axis=(4, 5))


@mistaken("avg_pool2d_forward", "channels pooled together")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.mean(axis=(1, 4, 5))


@mistaken("avg_pool2d_forward", "kernel taken for the stride")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    OH, OW = (padded.shape[2] - kh) // kh + 1, (padded.shape[3] - kw) // kw + 1
    blocks = padded[:, :, : OH * kh, : OW * kw].reshape(*x.shape[:2], OH, kh, OW, kw)
    return blocks.mean(axis=(3, 5))


@mistaken("avg_pool2d_forward", "stride ignored in the values")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    OH, OW = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.zeros((*x.shape[:2], OH, OW))
    for r in range(OH):
        for s in range(OW):
            window = padded[:, :, r : r + kh, s : s + kw]
            out[:, :, r, s] = window.mean(axis=(2, 3))
    return out


@mistaken("avg_pool2d_forward", "stride ignored")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
    return windows.mean(axis=(4, 5))


@mistaken("avg_pool2d_forward", "size rounded up")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph + sh), (pw, pw + sw)))
    OH, OW = int(np.ceil((x.shape[2] + 2 * ph - kh) / sh)) + 1, int(np.ceil((x.shape[3] + 2 * pw - kw) / sw)) + 1
    out = np.zeros((*x.shape[:2], OH, OW))
    for r in range(OH):
        for s in range(OW):
            window = padded[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            out[:, :, r, s] = window.mean(axis=(2, 3))
    return out


@mistaken("avg_pool2d_forward", "size rounded up")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    out = []
    for r in range(0, padded.shape[2] - kh + sh, sh):
        row = []
        for s in range(0, padded.shape[3] - kw + sw, sw):
            row.append(padded[:, :, r : r + kh, s : s + kw].sum(axis=(2, 3)) / (kh * kw))
        out.append(np.stack(row, axis=-1))
    return np.stack(out, axis=2)


@mistaken("avg_pool2d_forward", "padding counted once")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    OH, OW = (x.shape[2] + ph - kh) // sh + 1, (x.shape[3] + pw - kw) // sw + 1
    out = np.zeros((*x.shape[:2], OH, OW))
    for r in range(OH):
        for s in range(OW):
            window = padded[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            out[:, :, r, s] = window.mean(axis=(2, 3))
    return out


@mistaken("avg_pool2d_forward", "padding ignored")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kh, kw), (sh, sw) = (np.broadcast_to(v, 2) for v in (kernel, stride))
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.mean(axis=(4, 5))


@mistaken("avg_pool2d_forward", "height and width swapped")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    (kw, kh), (sw, sh), (pw, ph) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.mean(axis=(4, 5))


@mistaken("avg_pool2d_forward", "pair taken for a number")
def avg_pool2d_forward(x, kernel, stride, padding=0):
    OH = (x.shape[2] + 2 * padding - kernel) // stride + 1
    OW = (x.shape[3] + 2 * padding - kernel) // stride + 1
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((*x.shape[:2], OH, OW))
    for r in range(OH):
        for s in range(OW):
            top, left = r * stride, s * stride
            out[:, :, r, s] = padded[:, :, top : top + kernel, left : left + kernel].mean(axis=(2, 3))
    return out
