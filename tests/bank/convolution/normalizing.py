"""What students write for local_response_norm."""

import numpy as np

from tests.bank.registry import alternative, mistaken


@alternative("local_response_norm", "a loop over the channels")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    out, channels = np.empty_like(x), x.shape[1]
    for c in range(channels):
        neighbours = x[:, max(0, c - size // 2) : min(channels - 1, c + size // 2) + 1]
        out[:, c] = x[:, c] * (k + alpha * np.square(neighbours).sum(axis=1)) ** -beta
    return out


@alternative("local_response_norm", "cumulative sums")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    channels = np.arange(x.shape[1])
    total = np.concatenate([np.zeros_like(x[:, :1]), np.cumsum(x * x, axis=1)], axis=1)
    first, last = np.maximum(channels - size // 2, 0), np.minimum(channels + size // 2 + 1, len(channels))
    return x / np.power(k + alpha * (total[:, last] - total[:, first]), beta)


@alternative("local_response_norm", "a band matrix, float32")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    x = x.astype(np.float32)
    channels = np.arange(x.shape[1])
    band = (np.abs(channels[:, None] - channels) <= size // 2).astype(np.float32)
    return x / (k + alpha * np.einsum("dc,nchw->ndhw", band, x**2)) ** beta


@alternative("local_response_norm", "five loops")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    N, C, H, W = x.shape
    out = np.zeros(x.shape)
    for n, c, h, w in np.ndindex(N, C, H, W):
        total = 0.0
        for d in range(c - size // 2, c + size // 2 + 1):
            if 0 <= d < C:
                total += x[n, d, h, w] ** 2
        out[n, c, h, w] = x[n, c, h, w] / (k + alpha * total) ** beta
    return out


@mistaken("local_response_norm", "alpha divided by the size")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    half = size // 2
    squares = np.pad(x**2, ((0, 0), (half, half), (0, 0), (0, 0)))
    mean = np.lib.stride_tricks.sliding_window_view(squares, size, axis=1).mean(axis=-1)
    return x / (k + alpha * mean) ** beta


@mistaken("local_response_norm", "mean over the channels that exist")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    out = np.zeros_like(x)
    for c in range(x.shape[1]):
        neighbours = x[:, max(0, c - size // 2) : c + size // 2 + 1]
        out[:, c] = x[:, c] / (k + alpha * np.mean(neighbours**2, axis=1)) ** beta
    return out


@mistaken("local_response_norm", "neighbouring pixels")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    out = np.zeros_like(x)
    for h in range(x.shape[2]):
        for w in range(x.shape[3]):
            top, left = max(0, h - size // 2), max(0, w - size // 2)
            around = x[:, :, top : h + size // 2 + 1, left : w + size // 2 + 1]
            out[:, :, h, w] = x[:, :, h, w] / (k + alpha * (around**2).sum(axis=(2, 3))) ** beta
    return out


@mistaken("local_response_norm", "neighbouring images")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    out = np.zeros_like(x)
    for c in range(len(x)):
        neighbours = x[max(0, c - size // 2) : c + size // 2 + 1]
        out[c] = x[c] / (k + alpha * (neighbours**2).sum(axis=0)) ** beta
    return out


@mistaken("local_response_norm", "size channels on each side")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    out = np.zeros_like(x)
    for c in range(x.shape[1]):
        neighbours = x[:, max(0, c - size) : c + size + 1]
        out[:, c] = x[:, c] / (k + alpha * (neighbours**2).sum(axis=1)) ** beta
    return out


@mistaken("local_response_norm", "last channel left out")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    out = np.zeros_like(x)
    for c in range(x.shape[1]):
        neighbours = x[:, max(0, c - size // 2) : c + size // 2]
        out[:, c] = x[:, c] / (k + alpha * (neighbours**2).sum(axis=1)) ** beta
    return out


@mistaken("local_response_norm", "window on one side")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    out = np.zeros_like(x)
    for c in range(x.shape[1]):
        out[:, c] = x[:, c] / (k + alpha * (x[:, c : c + size] ** 2).sum(axis=1)) ** beta
    return out


@mistaken("local_response_norm", "window on one side")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    squares = np.pad(x**2, ((0, 0), (size - 1, 0), (0, 0), (0, 0)))
    total = np.lib.stride_tricks.sliding_window_view(squares, size, axis=1).sum(axis=-1)
    return x / (k + alpha * total) ** beta


@mistaken("local_response_norm", "channels wrap around")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    total = np.zeros_like(x)
    for step in range(-(size // 2), size // 2 + 1):
        total += np.roll(x**2, step, axis=1)
    return x / (k + alpha * total) ** beta


@mistaken("local_response_norm", "own channel left out")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    channels = np.arange(x.shape[1])
    apart = np.abs(channels[:, None] - channels)
    band = (apart <= size // 2) & (apart > 0)
    return x / (k + alpha * np.einsum("dc,nchw->ndhw", band, x**2)) ** beta


@mistaken("local_response_norm", "square forgotten")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    out = np.zeros_like(x)
    for c in range(x.shape[1]):
        neighbours = x[:, max(0, c - size // 2) : c + size // 2 + 1]
        out[:, c] = x[:, c] / (k + alpha * neighbours.sum(axis=1)) ** beta
    return out


@mistaken("local_response_norm", "squared after the sum")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    out = np.zeros_like(x)
    for c in range(x.shape[1]):
        neighbours = x[:, max(0, c - size // 2) : c + size // 2 + 1]
        out[:, c] = x[:, c] / (k + alpha * neighbours.sum(axis=1) ** 2) ** beta
    return out


@mistaken("local_response_norm", "multiplied instead of divided")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    half = size // 2
    squares = np.pad(x**2, ((0, 0), (half, half), (0, 0), (0, 0)))
    total = np.lib.stride_tricks.sliding_window_view(squares, size, axis=1).sum(axis=-1)
    return x * (k + alpha * total) ** beta


@mistaken("local_response_norm", "exponent on the sum alone")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    half = size // 2
    squares = np.pad(x**2, ((0, 0), (half, half), (0, 0), (0, 0)))
    total = np.lib.stride_tricks.sliding_window_view(squares, size, axis=1).sum(axis=-1)
    return x / (k + alpha * total**beta)


@mistaken("local_response_norm", "exponent forgotten")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    half = size // 2
    squares = np.pad(x**2, ((0, 0), (half, half), (0, 0), (0, 0)))
    total = np.lib.stride_tricks.sliding_window_view(squares, size, axis=1).sum(axis=-1)
    return x / (k + alpha * total)


@mistaken("local_response_norm", "k of PyTorch")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    half = size // 2
    squares = np.pad(x**2, ((0, 0), (half, half), (0, 0), (0, 0)))
    total = np.lib.stride_tricks.sliding_window_view(squares, size, axis=1).sum(axis=-1)
    return x / (1 + alpha * total) ** beta


@mistaken("local_response_norm", "the paper's values always")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    squares = np.pad(x**2, ((0, 0), (2, 2), (0, 0), (0, 0)))
    total = sum(squares[:, step : step + x.shape[1]] for step in range(5))
    return x / (2 + 1e-4 * total) ** 0.75


@mistaken("local_response_norm", "slice from a negative index")
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    out, half = np.zeros(x.shape), size // 2
    for c in range(x.shape[1]):
        total = (x[:, c - half : c + half + 1] ** 2).sum(axis=1)
        out[:, c] = x[:, c] / (k + alpha * total) ** beta
    return out
