"""elastic_field: correct in other styles, and wrong."""

import numpy as np

from tests.bank.registry import alternative, mistaken_sources


@alternative("elastic_field", "mirrored border, matrices")
def elastic_field(height, width, alpha, sigma, rng):
    reach = int(3 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = kernel / kernel.sum()

    def matrix(n):
        m = np.zeros((n, n))
        source = np.pad(np.arange(n), reach, mode="symmetric")
        for i in range(n):
            np.add.at(m[i], source[i : i + 2 * reach + 1], kernel)
        return m

    dx = rng.random((height, width)) * 2 - 1
    dy = rng.random((height, width)) * 2 - 1
    return alpha * np.array([matrix(height) @ d @ matrix(width).T for d in (dy, dx)])


@alternative("elastic_field", "circular, by FFT")
def elastic_field(height, width, alpha, sigma, rng):
    transfer = 1
    for axis, n in enumerate((height, width)):
        k = np.arange(-40 * n, 40 * n + 1)
        weights = np.exp(-(k**2) / (2 * sigma**2))
        folded = np.bincount(k % n, weights / weights.sum(), minlength=n)
        transfer = transfer * np.expand_dims(np.fft.fft(folded), 1 - axis)
    noise = rng.uniform(-alpha, alpha, (2, height, width))
    return np.fft.ifft2(np.fft.fft2(noise) * transfer).real


@alternative("elastic_field", "weights that sum to 1 over the image, float32")
def elastic_field(height, width, alpha, sigma, rng):
    def weights(n):
        d = np.arange(n)[:, None] - np.arange(n)
        w = np.exp(-(d**2) / (2 * sigma**2))
        return w / w.sum(axis=1, keepdims=True)

    noise = 2 * rng.random((2, height, width)) - 1
    return (alpha * np.einsum("yi,xj,kij->kyx", weights(height), weights(width), noise, optimize=True)).astype(
        np.float32
    )


@alternative("elastic_field", "drawn beyond the border too, one shift after the other")
def elastic_field(height, width, alpha, sigma, rng):
    reach = int(np.ceil(3 * sigma))
    noise = rng.uniform(-1, 1, (height + 2 * reach, width + 2 * reach, 2))
    weights = [np.exp(-((i - reach) ** 2) / (2 * sigma**2)) for i in range(2 * reach + 1)]
    rows = sum(w * noise[i : i + height] for i, w in enumerate(weights)) / sum(weights)
    both = sum(w * rows[:, i : i + width] for i, w in enumerate(weights)) / sum(weights)
    return alpha * np.moveaxis(both, 2, 0)


PLAIN = """def elastic_field(height, width, alpha, sigma, rng):
    reach = int(4 * sigma) + 1
    k = np.arange(-reach, reach + 1)
    kernel = np.exp(-(k**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    noise = rng.uniform(-1, 1, (2, height, width))
    smooth = lambda line: np.convolve(np.pad(line, reach), kernel, "valid")
    field = np.apply_along_axis(smooth, 1, noise)
    field = np.apply_along_axis(smooth, 2, field)
    return alpha * field
"""
DRAWN = "rng.uniform(-1, 1, (2, height, width))"
CHANGES = [
    ("not smoothed", "return alpha * field", "return alpha * noise"),
    ("smoothed along one axis", "    field = np.apply_along_axis(smooth, 2, field)\n", ""),
    ("smoothed along one axis", "np.apply_along_axis(smooth, 1, noise)", "noise"),
    ("sigma taken for the variance", "(2 * sigma**2)", "(2 * sigma)"),
    ("the 2 in the exponent forgotten", "(2 * sigma**2)", "sigma**2"),
    ("weights that do not sum to 1", "    kernel = kernel / kernel.sum()\n", ""),
    ("draws between 0 and 1", DRAWN, "rng.random((2, height, width))"),
    ("draws between −1/2 and 1/2", DRAWN, "rng.random((2, height, width)) - 0.5"),
    ("normal draws", DRAWN, "rng.normal(size=(2, height, width))"),
    ("scaled to its largest displacement", "return alpha * field", "return alpha * field / np.abs(field).max()"),
    ("scaled to its largest displacement", "return alpha * field",
     "return alpha * field / np.abs(field).max(axis=(1, 2), keepdims=True)"),
    ("scaled to its standard deviation", "return alpha * field", "return alpha * field / field.std()"),
    ("scaled to its standard deviation", "return alpha * field",
     "return alpha * field / np.sqrt((field ** 2).mean(axis=(1, 2), keepdims=True))"),
    ("one map for both directions", DRAWN, "np.stack([rng.uniform(-1, 1, (height, width))] * 2)"),
    ("alpha left out", "alpha * field", "field"),
    ("same field at every call", DRAWN, "np.random.default_rng(0).uniform(-1, 1, (2, height, width))"),
    ("rng not used", DRAWN, "np.random.uniform(-1, 1, (2, height, width))"),
    ("directions last", "return alpha * field", "return alpha * np.stack([field[0], field[1]], axis=-1)"),
]  # fmt: skip
mistaken_sources(__name__, "elastic_field", [(label, PLAIN.replace(old, new)) for label, old, new in CHANGES])
