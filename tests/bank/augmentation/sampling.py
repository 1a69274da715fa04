"""bilinear_sample: correct in other styles, and wrong."""

import numpy as np

from tests.bank.registry import alternative, mistaken_sources


@alternative("bilinear_sample", "loops over places")
def bilinear_sample(image, grid):
    C, H, W = image.shape
    out = np.zeros((C, *grid.shape[:2]))
    for place in np.ndindex(*grid.shape[:2]):
        x, y = grid[place]
        column, row = (x + 1) * W / 2 - 0.5, (y + 1) * H / 2 - 0.5
        for i in range(max(0, int(np.floor(row))), min(H, int(np.floor(row)) + 2)):
            for j in range(max(0, int(np.floor(column))), min(W, int(np.floor(column)) + 2)):
                out[:, *place] += (1 - abs(row - i)) * (1 - abs(column - j)) * image[:, i, j]
    return out


@alternative("bilinear_sample", "hat functions and einsum, float32")
def bilinear_sample(image, grid):
    _, H, W = image.shape
    columns, rows = np.moveaxis((grid + 1) * np.array([W, H]) / 2 - 0.5, -1, 0)
    a = np.maximum(0, 1 - abs(rows[..., None] - np.arange(H)))
    b = np.maximum(0, 1 - abs(columns[..., None] - np.arange(W)))
    return np.einsum("yxi,yxj,cij->cyx", a, b, image).astype(np.float32)


@alternative("bilinear_sample", "a border of zeros, flat indices")
def bilinear_sample(image, grid):
    C, H, W = image.shape
    padded = np.zeros((C, H + 3, W + 3))
    padded[:, 1:-2, 1:-2] = image
    columns = np.clip(((grid[..., 0] + 1) * W - 1) / 2, -1, W) + 1
    rows = np.clip(((grid[..., 1] + 1) * H - 1) / 2, -1, H) + 1
    i, j = rows.astype(int), columns.astype(int)
    t, s = rows - i, columns - j
    start, line, flat = i * (W + 3) + j, W + 3, padded.reshape(C, -1)
    first, second, third, fourth = (flat[:, start + step] for step in (0, 1, line, line + 1))
    return first + s * (second - first) + t * (third - first) + t * s * (first - second - third + fourth)


PLAIN = """def bilinear_sample(image, grid):
    C, H, W = image.shape
    x, y = grid[..., 0], grid[..., 1]
    columns, rows = ((x + 1) * W - 1) / 2, ((y + 1) * H - 1) / 2
    i, j = np.floor(rows).astype(int), np.floor(columns).astype(int)
    t, s = rows - i, columns - j

    def pixel(i, j):
        inside = (i >= 0) & (i < H) & (j >= 0) & (j < W)
        return image[:, np.clip(i, 0, H - 1), np.clip(j, 0, W - 1)] * inside

    upper = (1 - s) * pixel(i, j) + s * pixel(i, j + 1)
    lower = (1 - s) * pixel(i + 1, j) + s * pixel(i + 1, j + 1)
    return (1 - t) * upper + t * lower
"""
PLACED = "((x + 1) * W - 1) / 2, ((y + 1) * H - 1) / 2"
AFTER = f"    columns, rows = {PLACED}\n"
CHANGES = [
    ("x and y swapped", "x, y = grid[..., 0], grid[..., 1]", "y, x = grid[..., 0], grid[..., 1]"),
    ("corners aligned", PLACED, "(x + 1) / 2 * (W - 1), (y + 1) / 2 * (H - 1)"),
    ("half a pixel off", PLACED, "(x + 1) * W / 2, (y + 1) * H / 2"),
    ("half a pixel to the wrong side", PLACED, "((x + 1) * W + 1) / 2, ((y + 1) * H + 1) / 2"),
    ("height and width swapped", PLACED, "((x + 1) * H - 1) / 2, ((y + 1) * W - 1) / 2"),
    ("places read as pixels", PLACED, "x, y"),
    ("places from 0 to 1", PLACED, "x * W - 0.5, y * H - 0.5"),
    ("places from 0 to 1", PLACED, "x * W, y * H"),
    ("places from 0 to 1", PLACED, "x * (W - 1), y * (H - 1)"),
    ("nearest pixel", AFTER, AFTER + "    rows, columns = rows.round(), columns.round()\n"),
    ("upper left pixel", "t, s = rows - i, columns - j", "t = s = 0"),
    ("weights the wrong way round", "t, s = rows - i, columns - j", "t, s = 1 - (rows - i), 1 - (columns - j)"),
    ("shares exchanged", "t, s = rows - i, columns - j", "s, t = rows - i, columns - j"),
    ("rounded towards zero", "np.floor(rows).astype(int), np.floor(columns).astype(int)",
     "rows.astype(int), columns.astype(int)"),
    ("edge pixels repeated", " * inside", ""),
    ("wrapped around", "image[:, np.clip(i, 0, H - 1), np.clip(j, 0, W - 1)] * inside", "image[:, i % H, j % W]"),
    ("all or nothing at the border", "    return (1 - t) * upper + t * lower",
     "    inside = (rows >= 0) & (rows <= H - 1) & (columns >= 0) & (columns <= W - 1)\n"
     "    return np.where(inside, (1 - t) * upper + t * lower, 0)"),
    ("first channel for all", "image[:, np.clip", "np.repeat(image[:1], C, axis=0)[:, np.clip"),
]  # fmt: skip
mistaken_sources(__name__, "bilinear_sample", [(label, PLAIN.replace(old, new)) for label, old, new in CHANGES])
