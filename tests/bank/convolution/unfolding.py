"""What students write for im2col."""

import numpy as np

from tests.bank.registry import alternative, mistaken


@alternative("im2col", "a slice for each place of the kernel")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    N, C, H, W = x.shape
    OH, OW = (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    columns = np.empty((N, C, kh, kw, OH, OW))
    for i in range(kh):
        for j in range(kw):
            columns[:, :, i, j] = padded[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]
    return columns.reshape(N, C * kh * kw, -1)


@alternative("im2col", "one window after the other")
def im2col(x, kernel, stride=1, padding=0):
    def pair(value):
        return (value, value) if isinstance(value, int) else value

    (kh, kw), (sh, sw), (ph, pw) = pair(kernel), pair(stride), pair(padding)
    padded = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    found = []
    for r in range(0, padded.shape[2] - kh + 1, sh):
        for s in range(0, padded.shape[3] - kw + 1, sw):
            found.append(padded[:, :, r : r + kh, s : s + kw].reshape(len(x), -1))
    return np.stack(found, axis=2)


@alternative("im2col", "an array of indices, float32")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x.astype(np.float32), ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    C, H, W = padded.shape[1:]
    OH, OW = (H - kh) // sh + 1, (W - kw) // sw + 1
    channel = np.repeat(np.arange(C), kh * kw)[:, None]
    i = np.tile(np.repeat(np.arange(kh), kw), C)[:, None] + sh * np.repeat(np.arange(OH), OW)[None]
    j = np.tile(np.arange(kw), C * kh)[:, None] + sw * np.tile(np.arange(OW), OH)[None]
    return padded[:, channel, i, j]


@alternative("im2col", "six loops")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    N, C, H, W = x.shape
    OH, OW = (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1
    columns = np.zeros((N, C * kh * kw, OH * OW))
    for c in range(C):
        for i in range(kh):
            for j in range(kw):
                for r in range(OH):
                    for s in range(OW):
                        row, column = r * sh + i - ph, s * sw + j - pw
                        if 0 <= row < H and 0 <= column < W:
                            columns[:, (c * kh + i) * kw + j, r * OW + s] = x[:, c, row, column]
    return columns


@mistaken("im2col", "reshaped without transpose")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.reshape(len(x), x.shape[1] * kh * kw, -1)


@mistaken("im2col", "one row for each window")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    found = []
    for r in range(0, padded.shape[2] - kh + 1, sh):
        for s in range(0, padded.shape[3] - kw + 1, sw):
            found.append(padded[:, :, r : r + kh, s : s + kw].reshape(len(x), -1))
    return np.stack(found, axis=1)


@mistaken("im2col", "channels last")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    OH, OW = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    places = [
        padded[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw].reshape(*x.shape[:2], -1)
        for i in range(kh)
        for j in range(kw)
    ]
    return np.concatenate(places, axis=1)


@mistaken("im2col", "columns before rows")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    found = []
    for s in range(0, padded.shape[3] - kw + 1, sw):
        for r in range(0, padded.shape[2] - kh + 1, sh):
            found.append(padded[:, :, r : r + kh, s : s + kw].reshape(len(x), -1))
    return np.stack(found, axis=2)


@mistaken("im2col", "columns before rows")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    N, C, OH, OW = windows.shape[:4]
    return windows.transpose(0, 1, 5, 4, 2, 3).reshape(N, C * kw * kh, OH * OW)


@mistaken("im2col", "images side by side")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.transpose(1, 4, 5, 0, 2, 3).reshape(x.shape[1] * kh * kw, -1)


@mistaken("im2col", "images side by side")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    found = []
    for r in range(0, padded.shape[2] - kh + 1, sh):
        for s in range(0, padded.shape[3] - kw + 1, sw):
            found.append(padded[:, :, r : r + kh, s : s + kw].reshape(len(x), -1))
    columns = np.array(found)  # (L, N, C·kh·kw)
    return columns.transpose(2, 0, 1).reshape(columns.shape[2], -1)


@mistaken("im2col", "window reversed")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    found = []
    for r in range(0, padded.shape[2] - kh + 1, sh):
        for s in range(0, padded.shape[3] - kw + 1, sw):
            found.append(padded[:, :, r : r + kh, s : s + kw][:, :, ::-1, ::-1].reshape(len(x), -1))
    return np.stack(found, axis=2)


@mistaken("im2col", "only channel 0")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x[:, 0], ((0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(1, 2))[:, ::sh, ::sw]
    return windows.transpose(0, 3, 4, 1, 2).reshape(len(x), kh * kw, -1)


@mistaken("im2col", "stride ignored in the values")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    N, C, H, W = x.shape
    OH, OW = (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    columns = np.empty((N, C, kh, kw, OH, OW))
    for i in range(kh):
        for j in range(kw):
            columns[:, :, i, j] = padded[:, :, i : i + OH, j : j + OW]
    return columns.reshape(N, C * kh * kw, OH * OW)


@mistaken("im2col", "stride ignored")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), x.shape[1] * kh * kw, -1)


@mistaken("im2col", "size rounded up")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    N, C, H, W = x.shape
    OH, OW = int(np.ceil((H + 2 * ph - kh) / sh)) + 1, int(np.ceil((W + 2 * pw - kw) / sw)) + 1
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph + sh), (pw, pw + sw)))
    columns = np.empty((N, C, kh, kw, OH, OW))
    for i in range(kh):
        for j in range(kw):
            columns[:, :, i, j] = padded[:, :, i::sh, j::sw][:, :, :OH, :OW]
    return columns.reshape(N, C * kh * kw, OH * OW)


@mistaken("im2col", "windows past the edge")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    N, C, H, W = x.shape
    OH, OW = int(np.ceil((H + 2 * ph - kh) / sh)) + 1, int(np.ceil((W + 2 * pw - kw) / sw)) + 1
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    columns = np.empty((N, C, kh, kw, OH, OW))
    for r in range(OH):
        for s in range(OW):
            columns[..., r, s] = padded[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
    return columns.reshape(N, C * kh * kw, OH * OW)


@mistaken("im2col", "padding counted once")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    N, C, H, W = x.shape
    OH, OW = (H + ph - kh) // sh + 1, (W + pw - kw) // sw + 1
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    columns = np.empty((N, C, kh, kw, OH, OW))
    for i in range(kh):
        for j in range(kw):
            columns[:, :, i, j] = padded[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]
    return columns.reshape(N, C * kh * kw, OH * OW)


@mistaken("im2col", "padding ignored")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw) = (np.broadcast_to(v, 2) for v in (kernel, stride))
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), x.shape[1] * kh * kw, -1)


@mistaken("im2col", "height and width swapped")
def im2col(x, kernel, stride=1, padding=0):
    (kh, kw), (sw, sh), (pw, ph) = (np.broadcast_to(v, 2) for v in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), x.shape[1] * kh * kw, -1)


@mistaken("im2col", "pair taken for a number")
def im2col(x, kernel, stride=1, padding=0):
    N, C, H, W = x.shape
    OH, OW = (H + 2 * padding - kernel) // stride + 1, (W + 2 * padding - kernel) // stride + 1
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    columns = np.empty((N, C, kernel, kernel, OH, OW))
    for i in range(kernel):
        for j in range(kernel):
            columns[:, :, i, j] = padded[:, :, i : i + stride * OH : stride, j : j + stride * OW : stride]
    return columns.reshape(N, C * kernel * kernel, OH * OW)
