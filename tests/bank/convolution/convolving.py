"""What students write for conv2d_forward."""

import numpy as np

from tests.bank.registry import alternative, mistaken


@alternative("conv2d_forward", "four loops over the output")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kh, kw = weight.shape[2:]
    rows, columns = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.zeros((len(x), len(weight), rows, columns))
    for n in range(len(x)):
        for o in range(len(weight)):
            for r in range(rows):
                for s in range(columns):
                    window = padded[n, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
                    out[n, o, r, s] = np.sum(window * weight[o]) + bias[o]
    return out


@alternative("conv2d_forward", "one loop for each place of the kernel")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    N, C, H, W = x.shape
    out_channels, _, kh, kw = weight.shape
    OH, OW = (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1
    padded = np.zeros((N, C, H + 2 * ph, W + 2 * pw))
    padded[:, :, ph : ph + H, pw : pw + W] = x
    out = np.zeros((N, out_channels, OH, OW))
    out += bias.reshape(1, out_channels, 1, 1)
    for i in range(kh):
        for j in range(kw):
            pixels = padded[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]
            out += np.tensordot(weight[:, :, i, j], pixels, axes=(1, 1)).swapaxes(0, 1)
    return out


@alternative("conv2d_forward", "einsum over a strided view, float32")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    from numpy.lib.stride_tricks import as_strided

    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    x, weight, bias = (a.astype(np.float32) for a in (x, weight, bias))
    padded = np.ascontiguousarray(np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)]))
    (N, C, H, W), (kh, kw) = padded.shape, weight.shape[2:]
    a, b, c, d = padded.strides
    shape = (N, C, (H - kh) // sh + 1, (W - kw) // sw + 1, kh, kw)
    windows = as_strided(padded, shape, (a, b, c * sh, d * sw, c, d))
    return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[None, :, None, None]


@alternative("conv2d_forward", "Fourier transform")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    (H, W), (kh, kw) = padded.shape[2:], weight.shape[2:]
    spectrum = np.fft.rfft2(padded)[:, None] * np.conj(np.fft.rfft2(weight, s=(H, W)))  # a correlation
    full = np.fft.irfft2(spectrum.sum(axis=2), s=(H, W))
    return full[:, :, : H - kh + 1 : sh, : W - kw + 1 : sw] + bias[:, None, None]


@alternative("conv2d_forward", "a matrix product for all images at once")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::sh, ::sw]
    N, C, OH, OW, kh, kw = windows.shape
    rows = windows.transpose(0, 2, 3, 1, 4, 5).reshape(N * OH * OW, C * kh * kw)
    out = rows @ weight.reshape(len(weight), -1).T + bias
    return out.reshape(N, OH, OW, len(weight)).transpose(0, 3, 1, 2)


@mistaken("conv2d_forward", "kernel flipped")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kh, kw = weight.shape[2:]
    kernel = np.flip(weight, axis=(2, 3))
    rows, columns = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.zeros((len(x), len(weight), rows, columns))
    for r in range(rows):
        for s in range(columns):
            window = padded[:, None, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            out[:, :, r, s] = (window * kernel).sum(axis=(2, 3, 4)) + bias
    return out


@mistaken("conv2d_forward", "only channel 0")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kh, kw = weight.shape[2:]
    rows, columns = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.zeros((len(x), len(weight), rows, columns))
    for n in range(len(x)):
        for o in range(len(weight)):
            for r in range(rows):
                for s in range(columns):
                    window = padded[n, 0, r * sh : r * sh + kh, s * sw : s * sw + kw]
                    out[n, o, r, s] = np.sum(window * weight[o, 0]) + bias[o]
    return out


@mistaken("conv2d_forward", "bias added per tap")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kh, kw = weight.shape[2:]
    rows, columns = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.zeros((len(x), len(weight), rows, columns))
    for i in range(kh):
        for j in range(kw):
            pixels = padded[:, :, i : i + sh * rows : sh, j : j + sw * columns : sw]
            out += np.einsum("nchw,oc->nohw", pixels, weight[:, :, i, j]) + bias[:, None, None]
    return out


@mistaken("conv2d_forward", "bias added per tap")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kh, kw = weight.shape[2:]
    rows, columns = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.zeros((len(x), len(weight), rows, columns))
    for n in range(len(x)):
        for o in range(len(weight)):
            for c in range(x.shape[1]):
                for r in range(rows):
                    for s in range(columns):
                        window = padded[n, c, r * sh : r * sh + kh, s * sw : s * sw + kw]
                        out[n, o, r, s] += np.sum(window * weight[o, c]) + bias[o]
    return out


@mistaken("conv2d_forward", "bias forgotten")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::sh, ::sw]
    return np.einsum("nchwij,ocij->nohw", windows, weight)


@mistaken("conv2d_forward", "windows reshaped without transpose")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::sh, ::sw]
    N, C, OH, OW, kh, kw = windows.shape
    columns = windows.reshape(N, C * kh * kw, OH * OW)
    out = weight.reshape(len(weight), -1) @ columns
    return out.reshape(N, len(weight), OH, OW) + bias[:, None, None]


@mistaken("conv2d_forward", "output reshaped without transpose")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::sh, ::sw]
    N, C, OH, OW, kh, kw = windows.shape
    rows = windows.transpose(0, 2, 3, 1, 4, 5).reshape(N * OH * OW, C * kh * kw)
    out = rows @ weight.reshape(len(weight), -1).T
    return out.reshape(N, len(weight), OH, OW) + bias[:, None, None]


@mistaken("conv2d_forward", "output reshaped without transpose")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::sh, ::sw]
    N, C, OH, OW, kh, kw = windows.shape
    columns = windows.transpose(1, 4, 5, 0, 2, 3).reshape(C * kh * kw, N * OH * OW)
    out = weight.reshape(len(weight), -1) @ columns
    return out.reshape(N, len(weight), OH, OW) + bias[:, None, None]


@mistaken("conv2d_forward", "stride ignored in the values")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kh, kw = weight.shape[2:]
    rows, columns = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.zeros((len(x), len(weight), rows, columns))
    for r in range(rows):
        for s in range(columns):
            window = padded[:, :, r : r + kh, s : s + kw]
            out[:, :, r, s] = np.tensordot(window, weight, axes=((1, 2, 3), (1, 2, 3))) + bias
    return out


@mistaken("conv2d_forward", "stride ignored")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    ph, pw = np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


@mistaken("conv2d_forward", "size rounded up")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (N, C, H, W), (kh, kw) = x.shape, weight.shape[2:]
    rows = int(np.ceil((H + 2 * ph - kh) / sh)) + 1
    columns = int(np.ceil((W + 2 * pw - kw) / sw)) + 1
    padded = np.zeros((N, C, (rows - 1) * sh + kh, (columns - 1) * sw + kw))
    padded[:, :, ph : ph + H, pw : pw + W] = x
    out = np.zeros((N, len(weight), rows, columns))
    for r in range(rows):
        for s in range(columns):
            window = padded[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            out[:, :, r, s] = np.tensordot(window, weight, axes=((1, 2, 3), (1, 2, 3))) + bias
    return out


@mistaken("conv2d_forward", "windows past the edge")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kh, kw = weight.shape[2:]
    rows = -(-(padded.shape[2] - kh) // sh) + 1
    columns = -(-(padded.shape[3] - kw) // sw) + 1
    out = np.zeros((len(x), len(weight), rows, columns))
    for n in range(len(x)):
        for o in range(len(weight)):
            for r in range(rows):
                for s in range(columns):
                    window = padded[n, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
                    out[n, o, r, s] = np.sum(window * weight[o]) + bias[o]
    return out


@mistaken("conv2d_forward", "padding counted once")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    kh, kw = weight.shape[2:]
    rows, columns = (x.shape[2] + ph - kh) // sh + 1, (x.shape[3] + pw - kw) // sw + 1
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    out = np.zeros((len(x), len(weight), rows, columns))
    for r in range(rows):
        for s in range(columns):
            window = padded[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            out[:, :, r, s] = np.tensordot(window, weight, axes=((1, 2, 3), (1, 2, 3))) + bias
    return out


@mistaken("conv2d_forward", "padding counted once")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    N, C, H, W = x.shape
    padded = np.zeros((N, C, H + ph, W + pw))
    padded[:, :, ph:, pw:] = x
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::sh, ::sw]
    return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


@mistaken("conv2d_forward", "padding ignored")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    sh, sw = np.broadcast_to(stride, 2)
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))[:, :, ::sh, ::sw]
    return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


@mistaken("conv2d_forward", "height and width swapped")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sw, sh), (pw, ph) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::sh, ::sw]
    return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


@mistaken("conv2d_forward", "height and width swapped")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kh, kw = weight.shape[2:]
    rows, columns = (padded.shape[2] - kh) // sh + 1, (padded.shape[3] - kw) // sw + 1
    out = np.zeros((len(x), len(weight), columns, rows))
    for r in range(rows):
        for s in range(columns):
            window = padded[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
            out[:, :, s, r] = np.tensordot(window, weight, axes=((1, 2, 3), (1, 2, 3))) + bias
    return out


@mistaken("conv2d_forward", "pair taken for a number")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (N, C, H, W), (out_channels, _, kh, kw) = x.shape, weight.shape
    rows, columns = (H + 2 * padding - kh) // stride + 1, (W + 2 * padding - kw) // stride + 1
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((N, out_channels, rows, columns))
    for n in range(N):
        for o in range(out_channels):
            for r in range(rows):
                for s in range(columns):
                    window = padded[n, :, r * stride : r * stride + kh, s * stride : s * stride + kw]
                    out[n, o, r, s] = np.sum(window * weight[o]) + bias[o]
    return out


@mistaken("conv2d_forward", "single precision inside")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x.astype(np.float32), ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::sh, ::sw]
    return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]
