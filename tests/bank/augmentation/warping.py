"""warp: correct in other styles, and wrong."""

import numpy as np

from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("warp", "loops over pixels")
def warp(image, field):
    C, H, W = image.shape
    out = np.zeros((C, H, W))
    for y in range(H):
        for x in range(W):
            row, column = y + field[0, y, x], x + field[1, y, x]
            i, j = int(np.floor(row)), int(np.floor(column))
            t, s = row - i, column - j
            for k, a in ((i, 1 - t), (i + 1, t)):
                for m, b in ((j, 1 - s), (j + 1, s)):
                    if 0 <= k < H and 0 <= m < W:
                        out[:, y, x] += a * b * image[:, k, m]
    return out


@alternative("warp", "a border of zeros, points clipped to it")
def warp(image, field):
    _, H, W = image.shape
    padded = np.pad(image, [(0, 0), (1, 2), (1, 2)])
    rows = np.clip(np.arange(H)[:, None] + field[0], -1, H) + 1
    columns = np.clip(np.arange(W) + field[1], -1, W) + 1
    i, j = rows.astype(int), columns.astype(int)
    t, s = rows - i, columns - j
    upper = (1 - s) * padded[:, i, j] + s * padded[:, i, j + 1]
    lower = (1 - s) * padded[:, i + 1, j] + s * padded[:, i + 1, j + 1]
    return (1 - t) * upper + t * lower


@alternative("warp", "hat functions and einsum, float32")
def warp(image, field):
    _, H, W = image.shape
    rows, columns = np.mgrid[0:H, 0:W] + field
    a = np.maximum(0, 1 - abs(rows[..., None] - np.arange(H)))
    b = np.maximum(0, 1 - abs(columns[..., None] - np.arange(W)))
    return np.einsum("yxi,yxj,cij->cyx", a, b, image).astype(np.float32)


PLAIN = """def warp(image, field):
    C, H, W = image.shape
    rows, columns = np.mgrid[0:H, 0:W] + field
    i, j = np.floor(rows).astype(int), np.floor(columns).astype(int)
    t, s = rows - i, columns - j

    def pixel(i, j):
        inside = (i >= 0) & (i < H) & (j >= 0) & (j < W)
        return image[:, np.clip(i, 0, H - 1), np.clip(j, 0, W - 1)] * inside

    upper = (1 - s) * pixel(i, j) + s * pixel(i, j + 1)
    lower = (1 - s) * pixel(i + 1, j) + s * pixel(i + 1, j + 1)
    return (1 - t) * upper + t * lower
"""
LOOKED_UP = "    rows, columns = np.mgrid[0:H, 0:W] + field\n"
CHANGES = [
    ("dx and dy swapped", "np.mgrid[0:H, 0:W] + field", "np.mgrid[0:H, 0:W] + field[::-1]"),
    ("minus the field", "np.mgrid[0:H, 0:W] + field", "np.mgrid[0:H, 0:W] - field"),
    ("half a pixel off", "np.mgrid[0:H, 0:W] + field", "np.mgrid[0:H, 0:W] + field + 0.5"),
    ("half a pixel off", "np.mgrid[0:H, 0:W] + field", "np.mgrid[0:H, 0:W] - 0.5 + field"),
    ("one direction left out", "np.mgrid[0:H, 0:W] + field", "np.arange(H)[:, None] + field[0], np.mgrid[0:H, 0:W][1]"),
    ("field taken for places", "np.mgrid[0:H, 0:W] + field", "field"),
    ("nearest pixel", LOOKED_UP, LOOKED_UP + "    rows, columns = rows.round(), columns.round()\n"),
    ("upper left pixel", "t, s = rows - i, columns - j", "t = s = 0"),
    ("weights the wrong way round", "t, s = rows - i, columns - j", "t, s = 1 - (rows - i), 1 - (columns - j)"),
    ("shares exchanged", "t, s = rows - i, columns - j", "s, t = rows - i, columns - j"),
    ("rounded towards zero", "np.floor(rows).astype(int), np.floor(columns).astype(int)",
     "rows.astype(int), columns.astype(int)"),
    ("edge pixels repeated", " * inside", ""),
    ("edge pixels repeated", LOOKED_UP,
     LOOKED_UP + "    rows, columns = np.clip(rows, 0, H - 1), np.clip(columns, 0, W - 1)\n"),
    ("wrapped around", "image[:, np.clip(i, 0, H - 1), np.clip(j, 0, W - 1)] * inside", "image[:, i % H, j % W]"),
    ("all or nothing at the border", "    return (1 - t) * upper + t * lower",
     "    inside = (rows >= 0) & (rows <= H - 1) & (columns >= 0) & (columns <= W - 1)\n"
     "    return np.where(inside, (1 - t) * upper + t * lower, 0)"),
    ("first channel for all", "image[:, np.clip", "np.repeat(image[:1], C, axis=0)[:, np.clip"),
]  # fmt: skip
mistaken_sources(__name__, "warp", [(label, PLAIN.replace(old, new)) for label, old, new in CHANGES])


@mistaken("warp", "pixels pushed")
def warp(image, field):
    _, H, W = image.shape
    out = np.zeros_like(image)
    for y in range(H):
        for x in range(W):
            to_y, to_x = round(y + field[0, y, x]), round(x + field[1, y, x])
            if 0 <= to_y < H and 0 <= to_x < W:
                out[:, to_y, to_x] = image[:, y, x]
    return out


@mistaken("warp", "pixels pushed")
def warp(image, field):
    C, H, W = image.shape
    out = np.zeros((C, H, W))
    for y in range(H):
        for x in range(W):
            row, column = y + field[0, y, x], x + field[1, y, x]
            i, j = int(np.floor(row)), int(np.floor(column))
            for k in (i, i + 1):
                for m in (j, j + 1):
                    if 0 <= k < H and 0 <= m < W:
                        out[:, k, m] += (1 - abs(row - k)) * (1 - abs(column - m)) * image[:, y, x]
    return out
