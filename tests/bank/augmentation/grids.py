"""affine_grid: correct in other styles, and wrong."""

import numpy as np

from tests.bank.registry import alternative, mistaken_sources


@alternative("affine_grid", "loops")
def affine_grid(theta, height, width):
    grid = np.zeros((height, width, 2))
    for row in range(height):
        for column in range(width):
            x, y = -1 + (2 * column + 1) / width, -1 + (2 * row + 1) / height
            for k in range(2):
                grid[row, column, k] = theta[k][0] * x + theta[k][1] * y + theta[k][2]
    return grid


@alternative("affine_grid", "einsum, float32")
def affine_grid(theta, height, width):
    x, y = np.meshgrid((np.arange(width) + 0.5) * 2 / width - 1, (np.arange(height) + 0.5) * 2 / height - 1)
    return np.einsum("ki,ihw->hwk", theta, np.stack([x, y, np.ones((height, width))])).astype(np.float32)


@alternative("affine_grid", "linspace between the outermost centres, broadcast")
def affine_grid(theta, height, width):
    x = np.linspace(-1 + 1 / width, 1 - 1 / width, width)[None, :, None]
    y = np.linspace(-1 + 1 / height, 1 - 1 / height, height)[:, None, None]
    return x * theta[:, 0] + y * theta[:, 1] + theta[:, 2]


PLAIN = """def affine_grid(theta, height, width):
    x = (2 * np.arange(width) + 1) / width - 1
    y = (2 * np.arange(height) + 1) / height - 1
    x, y = np.meshgrid(x, y)
    places = np.stack([x, y, np.ones_like(x)], axis=-1)
    return places @ theta.T
"""
X, Y = "(2 * np.arange(width) + 1) / width - 1", "(2 * np.arange(height) + 1) / height - 1"


def placed(x, y):
    return PLAIN.replace(X, x).replace(Y, y)


SOURCES = [
    ("corners aligned", placed("np.linspace(-1, 1, width)", "np.linspace(-1, 1, height)")),
    ("left edges of the pixels", placed("2 * np.arange(width) / width - 1", "2 * np.arange(height) / height - 1")),
    ("places from 0 to 1", placed("(np.arange(width) + 0.5) / width", "(np.arange(height) + 0.5) / height")),
    ("places from 0 to 1", placed("np.linspace(0, 1, width)", "np.linspace(0, 1, height)")),
    ("places from 0 to 1", placed("np.arange(width) / width", "np.arange(height) / height")),
    ("places in pixels", placed("np.arange(width) * 1.0", "np.arange(height) * 1.0")),
    ("places in pixels", placed("np.arange(width) - (width - 1) / 2", "np.arange(height) - (height - 1) / 2")),
    ("theta applied to (y, x)", PLAIN.replace("[x, y, np", "[y, x, np")),
    ("y before x in the result", PLAIN.replace("theta.T", "theta[::-1].T")),
    ("y before x in the result", PLAIN.replace("theta.T", "theta.T[:, [1, 0]]")),
    ("rows and columns throughout", PLAIN.replace("[x, y, np", "[y, x, np").replace("theta.T", "theta[::-1].T")),
    ("grid lying on its side", PLAIN.replace("meshgrid(x, y)", 'meshgrid(x, y, indexing="ij")')),
    ("theta applied to (y, x)", PLAIN.replace(X, "0").replace(Y, "0").replace(
        "np.meshgrid(x, y)", f'np.meshgrid({Y}, {X}, indexing="ij")')),
    ("reshaped, not transposed", PLAIN.replace(
        "places @ theta.T", "(theta @ places.reshape(-1, 3).T).reshape(height, width, 2)")),
    ("the inverse map", PLAIN.replace("theta.T", "np.linalg.inv(np.vstack([theta, [0, 0, 1]]))[:2].T")),
    ("theta transposed", PLAIN.replace("places @ theta.T", "places[..., :2] @ theta[:, :2] + theta[:, 2]")),
    ("shift left out", PLAIN.replace("places @ theta.T", "places[..., :2] @ theta[:, :2].T")),
    ("shift in pixels", PLAIN.replace(
        "places @ theta.T", "places[..., :2] @ theta[:, :2].T + 2 * theta[:, 2] / [width, height]")),
    ("shifted before it is turned", PLAIN.replace(
        "places @ theta.T", "(places[..., :2] + theta[:, 2]) @ theta[:, :2].T")),
    ("y upwards", placed(X, "1 - (2 * np.arange(height) + 1) / height")),
]  # fmt: skip
mistaken_sources(__name__, "affine_grid", SOURCES)
