"""What students write for dropblock_mask."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("dropblock_mask", "centres drawn over the whole map, those too near the border left out")
def dropblock_mask(shape, block_size, drop_probability, rng):
    N, C, H, W = shape
    b, above = block_size, (block_size - 1) // 2
    if b > H or b > W:
        raise ValueError("block size %d is larger than the feature map, %d by %d" % (b, H, W))
    gamma = drop_probability * H * W / (b**2 * (H - b + 1) * (W - b + 1))
    centres = rng.random(shape) < gamma
    inside = np.zeros((H, W), dtype=bool)
    inside[above : above + H - b + 1, above : above + W - b + 1] = True
    mask = np.ones(shape)
    for n, c, i, j in np.argwhere(centres & inside):
        mask[n, c, i - above : i - above + b, j - above : j - above + b] = 0
    return mask


@alternative("dropblock_mask", "one map at a time, a number of blocks and then their places")
def dropblock_mask(shape, block_size, drop_probability, rng):
    N, C, H, W = shape
    rows, columns = H - block_size + 1, W - block_size + 1
    if rows <= 0 or columns <= 0:
        raise ValueError(f"block_size={block_size} does not fit into H={H}, W={W}")
    gamma = drop_probability / block_size**2 * (H * W) / (rows * columns)
    mask = np.full(shape, True)
    for n, c in np.ndindex(N, C):
        places = rng.choice(rows * columns, size=rng.binomial(rows * columns, gamma), replace=False)
        for place in places:
            i, j = divmod(place, columns)
            mask[n, c, i : i + block_size, j : j + block_size] = False
    return mask


@alternative("dropblock_mask", "windows of starts, beginning at the bottom right, as whole numbers")
def dropblock_mask(shape, block_size, drop_probability, rng):
    N, C, H, W = shape
    b = block_size
    if min(H, W) < b:
        raise ValueError("no block of side {} in a map of {} x {}".format(b, H, W))
    places = (H - b + 1) * (W - b + 1)
    starts = rng.binomial(1, drop_probability / b**2 * H * W / places, size=(N, C, H - b + 1, W - b + 1))
    padded = np.pad(starts[:, :, ::-1, ::-1], ((0, 0), (0, 0), (b - 1, b - 1), (b - 1, b - 1)))
    return 1 - np.lib.stride_tricks.sliding_window_view(padded, (b, b), axis=(2, 3)).max(axis=(-2, -1))


PLAIN = """def dropblock_mask(shape, block_size, drop_probability, rng):
    (N, C, H, W), b, p = shape, block_size, drop_probability
    rows, columns = H - b + 1, W - b + 1
    if min(rows, columns) < 1:
        raise ValueError(f"a block of {b} does not fit into {H} by {W}")
    gamma = p / b**2 * (H * W) / (rows * columns)
    starts = rng.random((N, C, rows, columns)) < gamma
    mask = np.ones(shape)
    for i in range(b):
        for j in range(b):
            mask[:, :, i : i + rows, j : j + columns][starts] = 0
    return mask
"""
GAMMA, STARTS = "p / b**2 * (H * W) / (rows * columns)", "rng.random((N, C, rows, columns)) < gamma"
SPREAD = """    for i in range(b):
        for j in range(b):
            mask[:, :, i : i + rows, j : j + columns][starts] = 0
"""
REFUSAL = 'raise ValueError(f"a block of {b} does not fit into {H} by {W}")'
DRAW, EACH = "rng.random((N, C, rows, columns))", "    for n, c, i, j in np.argwhere(starts):\n        "
CENTRED = EACH + "mask[n, c, max(i - b // 2, 0) : i - b // 2 + b, max(j - b // 2, 0) : j - b // 2 + b] = 0\n"
WRAPPED = EACH + "mask[n, c, (i + np.arange(b))[:, None] % H, (j + np.arange(b)) % W] = 0\n"
CUT = EACH + "mask[n, c, i : i + b, j : j + b] = 0\n"
SMALLER = (
    "for i in range(b):\n        for j in range(b)",
    "for i in range(b - 1 + b % 2):\n        for j in range(b - 1 + b % 2)",
)
EVERYWHERE = (STARTS, "rng.random(shape) < gamma")
TILES = "(rng.random((N, C, -(-H // b), -(-W // b))) < p).repeat(b, axis=2)[:, :, :H].repeat(b, axis=3)[..., :W]"
CALLED = "def dropblock_mask(shape, block_size, drop_probability, rng"
ONE_BLOCK = """starts = np.zeros((N, C, rows, columns), dtype=bool)
    for n, c in np.ndindex(N, C):
        if {condition}:
            starts[n, c, rng.integers(rows), rng.integers(columns)] = True"""
FIXED = """starts = np.zeros((N, C, rows * columns), dtype=bool)
    for n, c in np.ndindex(N, C):
        starts[n, c, rng.choice(rows * columns, round(gamma * rows * columns), replace=False)] = True
    starts = starts.reshape(N, C, rows, columns)"""

mistaken_changes(
    __name__,
    "dropblock_mask",
    PLAIN,
    (
        ("γ = p", (GAMMA, "p")),
        ("γ without the correction", (GAMMA, "p / b**2")),
        ("correction turned round", (GAMMA, "p / b**2 * (rows * columns) / (H * W)")),
        ("b for b²", (GAMMA, "p / b * (H * W) / (rows * columns)")),
        ("square maps taken for granted", (GAMMA, "p / b**2 * H**2 / rows**2")),
        ("square maps taken for granted", (GAMMA, "p / b**2 * W**2 / columns**2")),
        ("keep and drop swapped", (GAMMA, "(1 - p) / b**2 * (H * W) / (rows * columns)")),
        ("single pixels dropped", (SPREAD, "    mask[:, :, :rows, :columns][starts] = 0\n")),
        ("single pixels dropped", (SPREAD, "    mask = (rng.random(shape) >= p) * 1.0\n")),
        ("blocks one pixel too small", SMALLER),
        ("blocks cut off at the border", EVERYWHERE, (SPREAD, CUT)),
        ("blocks cut off at the border", EVERYWHERE, (SPREAD, CENTRED)),
        ("blocks cut off at the border", EVERYWHERE, (SPREAD, CUT), (GAMMA, "p / b**2")),
        ("blocks on a grid", ("return mask", f"return ~{TILES}")),
        (
            "blocks on a grid",
            (SPREAD, "    on = np.zeros(starts.shape)\n    on[:, :, ::b, ::b] = 1\n    starts &= on > 0\n" + SPREAD),
        ),
        ("blocks wrap around", EVERYWHERE, (SPREAD, WRAPPED)),
        ("one mask for all channels", (DRAW, f"{DRAW}[:, :1].repeat(C, axis=1)")),
        ("one mask for all images", (DRAW, f"{DRAW}[:1].repeat(N, axis=0)")),
        ("at most one block in a map", (f"starts = {STARTS}", ONE_BLOCK.format(condition="rng.random() < p"))),
        ("at most one block in a map", (f"starts = {STARTS}", ONE_BLOCK.format(condition="rng.random() < 2 * p"))),
        ("a fixed number of blocks", (f"starts = {STARTS}", ONE_BLOCK.format(condition="p > 0"))),
        ("a fixed number of blocks", (f"starts = {STARTS}", FIXED)),
        ("mask of what is dropped", ("return mask", "return 1 - mask")),
        ("mask of what is dropped", ("return mask", "return mask == 0")),
        ("normalized already", ("return mask", "return mask * mask.size / mask.sum()")),
        ("normalized already", ("return mask", "return mask / (1 - p)")),
        ("same mask at every call", ("rng.random", "np.random.default_rng(0).random")),
        (
            "same mask at every call",
            (CALLED, f"{CALLED}, made={{}}"),
            (DRAW, f"made.setdefault((*shape, b), {DRAW})"),
        ),
        ("rng not used", ("rng.random", "np.random.random")),
        ("blocks that do not fit are accepted", (REFUSAL, "return np.ones(shape)")),
        ("sizes left out of the message", (REFUSAL, 'raise ValueError("the block is too large")')),
    ),
)
