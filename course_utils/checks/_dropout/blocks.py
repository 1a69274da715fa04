"""dropblock_mask: unions of square blocks, judged by `block_masks`."""

from __future__ import annotations

import numpy as np

from course_utils.checks import masks
from course_utils.checks._dropout.block_masks import counts_of, fits, is_union, is_union_around, union_of_blocks
from course_utils.checks._dropout.sampled import call_missing, results, seeded
from course_utils.checks.compare import difference, number_text
from course_utils.checks.exercise import Exercise, Misconception

BLOCKS, SHARE, SINGLE_PIXELS, NONE, IMPOSSIBLE = (
    "square blocks",
    "how many blocks",
    "blocks of one pixel",
    "nothing to drop",
    "blocks that do not fit",
)


def call_dropblock(student, shape, block_size, drop_probability, seed, calls):
    import numpy as np

    rng = np.random.default_rng(seed)
    if block_size > min(shape[2:]):
        try:
            return student(shape, block_size, drop_probability, rng)
        except ValueError as error:
            return "ValueError: " + str(error)
    if calls == 1:
        return student(shape, block_size, drop_probability, rng)
    made = [student(shape, block_size, drop_probability, rng) for _ in range(calls)]
    return made + [student(shape, block_size, drop_probability, np.random.default_rng(seed))]


def _cases(rng):
    def case(aspect, shape, block_size, p, calls=1):
        return seeded(rng, aspect, calls, shape=shape, block_size=block_size, drop_probability=p)

    # Maps so narrow that a wrong γ, or the wrong places, change the share of whole maps a great deal.
    return [
        case(BLOCKS, (15, 20, 8, 7), 3, 0.4),
        case(BLOCKS, (20, 20, 5, 12), 4, 0.3),
        case(SHARE, (20, 24, 11, 6), 5, 0.3),
        case(SHARE, (16, 14, 5, 6), 2, 0.2, calls=2),
        case(SINGLE_PIXELS, (6, 8, 5, 4), 1, 0.2),
        case(NONE, (2, 3, 6, 5), 3, 0.0),
        case(IMPOSSIBLE, (2, 3, 4, 6), 5, 0.2),
        case(IMPOSSIBLE, (2, 3, 7, 3), 4, 0.2),
    ]


# --- judging --------------------------------------------------------------------------------------------------------


def gamma_of(case) -> float:
    """The probability of a block at each place (Ghiasi et al. 2018, eq. 1)."""
    H, W, b, p, places = _sizes(case)
    return p / b**2 * (H * W) / places


def _sizes(case):
    (_, _, H, W), b = case.inputs["shape"], case.inputs["block_size"]
    return H, W, b, case.inputs["drop_probability"], (H - b + 1) * (W - b + 1)


def _malformed(case, mask):
    if not isinstance(mask, np.ndarray) or mask.shape != case.inputs["shape"] or mask.dtype.kind not in "biuf":
        return difference(np.ones(case.inputs["shape"]), mask, ("mask",))
    other = mask[(mask != 0) & (mask != 1)]
    return f"the mask holds {number_text(other[0])}, should hold 0 and 1 alone" if other.size else None


def _mask_fault(case, mask):
    if (wrong := _malformed(case, mask)) is not None:
        return wrong
    dropped, b, gamma = mask == 0, case.inputs["block_size"], gamma_of(case)
    alone = dropped & ~union_of_blocks(dropped, b)
    if alone.any():
        place = ", ".join(str(int(i)) for i in np.argwhere(alone)[0])
        return f"mask[{place}] is dropped and lies in no {b}×{b} block of dropped pixels"
    for count, counted in counts_of(dropped, b, gamma):
        if not count.passed:
            what = counted.format(n=f"{count.value} of {count.n}")
            return f"{what}, should be {count.wanted} (γ = {number_text(gamma)})"
    return None


def _impossible_fault(case, outputs):
    H, W, b, _, _ = _sizes(case)
    if not isinstance(outputs, str) or not outputs.startswith("ValueError: "):
        return f"a block of {b}×{b} pixels does not fit into a map of {H}×{W}, so a ValueError should be raised"
    missing = [n for n in (b, H, W) if str(n) not in outputs]
    return f"the message of the ValueError does not mention {missing[0]}" if missing else None


def _verify(case, outputs):
    if case.aspect == IMPOSSIBLE:
        return _impossible_fault(case, outputs)
    if case.inputs["calls"] == 1:
        return _mask_fault(case, outputs)
    if call_missing(case, outputs):
        return "there is no mask for each call"
    for mask in outputs:
        if (wrong := _mask_fault(case, mask)) is not None:
            return wrong
    if not _is_new(outputs) or not _from_rng(outputs):
        return masks.calls_fault(outputs[:-1], outputs[-1], 0.5)
    whole = [(mask != 0).all(axis=(2, 3)) for mask in outputs]
    return masks.calls_fault(whole[:-1], whole[-1], (1 - gamma_of(case)) ** _sizes(case)[-1], "maps")


def _is_new(outputs):
    return not np.array_equal(outputs[0], outputs[1])


def _from_rng(outputs):
    return np.array_equal(outputs[0], outputs[-1])


# --- misconceptions -------------------------------------------------------------------------------------------------


def _binary(case, outputs):
    """The dropped pixels of all masks; None where something else than masks of 0 and 1 came back."""
    found = results(case, outputs)
    if case.aspect == IMPOSSIBLE or any(_malformed(case, mask) for mask in found):
        return None
    return [mask == 0 for mask in found]


def _each(law):
    """A `matches`: law(case, dropped) for the dropped pixels of each mask. New masks from rng are asked for too."""

    def matches(case, outputs):
        found = _binary(case, outputs)
        if found is None or not all(law(case, dropped) for dropped in found):
            return False
        return len(found) == 1 or (_is_new(outputs) and _from_rng(outputs))

    return matches


def _with_gamma(*gammas):
    """A `matches`: blocks in the right places, with one of these functions of H, W, b, p and the places for γ."""

    def law(case, dropped):
        b = case.inputs["block_size"]
        return any(fits(dropped, b, gamma(*_sizes(case))) for gamma in gammas) and is_union(dropped, b)

    return _each(law)


def _wraps(case, dropped):
    b = case.inputs["block_size"]
    return not is_union(dropped, b) and is_union_around(dropped, b, "wrap")


def _cut(case, dropped):
    b = case.inputs["block_size"]
    if _on_grid(case, dropped) or is_union(dropped, b) or not is_union_around(dropped, b, "constant"):
        return False
    return not _wraps(case, dropped)


def _on_grid(case, dropped):
    """Blocks begin at multiples of b alone, in both directions."""
    (H, W), b = dropped.shape[2:], case.inputs["block_size"]
    corners = dropped[:, :, ::b, ::b]
    tiles = corners.repeat(b, axis=2)[:, :, :H].repeat(b, axis=3)[..., :W]
    whole = tiles.copy()  # as it is where tiles that do not fit into the map are never dropped
    whole[:, :, H // b * b :], whole[..., W // b * b :] = False, False
    return b > 1 and bool(dropped.any()) and any(np.array_equal(dropped, grid) for grid in (tiles, whole))


def _single_pixels(case, dropped):
    """Inside the map there are dropped pixels without a dropped neighbour."""
    middle = dropped[:, :, 1:-1, 1:-1]
    beside = dropped[:, :, :-2, 1:-1] | dropped[:, :, 2:, 1:-1] | dropped[:, :, 1:-1, :-2] | dropped[:, :, 1:-1, 2:]
    return case.inputs["block_size"] > 1 and bool((middle & ~beside).any())


def _smaller(case, dropped):
    b = case.inputs["block_size"]
    return b > 1 and not is_union(dropped, b) and is_union(dropped, b - 1)


def _shared(axis):
    def law(case, dropped):
        first = dropped.take([0], axis)
        b = case.inputs["block_size"]
        return bool((dropped == first).all()) and fits(first, b, gamma_of(case)) and is_union(first, b)

    return law


def _turned_round(case, dropped):
    kept, b = ~dropped, case.inputs["block_size"]
    return fits(kept, b, gamma_of(case)) and is_union(kept, b)


def _at_most_one(case, dropped):
    b = case.inputs["block_size"]
    sizes = dropped.sum(axis=(2, 3))
    return set(np.unique(sizes)) == {0, b * b} and is_union(dropped, b)


def _fixed_number(case, dropped):
    b, sizes = case.inputs["block_size"], dropped.sum(axis=(2, 3))
    most = max(1, round(gamma_of(case) * _sizes(case)[-1]))
    return b * b <= sizes.min() and sizes.max() <= most * b * b and is_union(dropped, b)


def _normalized(case, outputs):
    found = results(case, outputs)
    if not all(isinstance(mask, np.ndarray) and mask.shape == case.inputs["shape"] for mask in found):
        return False
    return all((mask[mask != 0] >= 1).all() and mask.max() > 1 for mask in found) and all(
        _mask_fault(case, (mask != 0).astype(float)) is None for mask in found
    )


def _several(law):
    """A `matches` for two calls whose masks are right, one by one."""

    def matches(case, outputs):
        found = _binary(case, outputs)
        right = found is not None and len(found) > 1 and all(_mask_fault(case, mask) is None for mask in outputs)
        return right and law(outputs)

    return matches


dropblock_mask = Exercise(
    name="dropblock_mask",
    cases=_cases,
    call=call_dropblock,
    verify=_verify,
    stand_in=lambda: by_torch,
    for_call=("seed", "calls"),
    weights={BLOCKS: 3.0, SHARE: 3.0},
    difficulty=4,
    importance=3,
    minutes=30,
    hints=(
        "First decide where blocks begin, with one draw for each place where a whole block fits. Then spread each "
        "beginning over the b × b pixels of its block.",
        "The beginnings are an array of shape (N, C, H − b + 1, W − b + 1), True with probability γ. The pixel i rows "
        "below and j columns right of a beginning is dropped, for all i and j below b.",
        "starts = rng.random((N, C, rows, columns)) < gamma with rows = H − b + 1 and columns = W − b + 1. Then, for i "
        "and j in range(b): mask[:, :, i : i + rows, j : j + columns][starts] = 0.",
    ),
    misconceptions=(
        Misconception(
            "γ = p",
            "It looks as if a block begins with probability p at each place. Then far too much is dropped.",
            "Ask yourself: how many blocks lie over one pixel in the middle of a map, and how likely is it that none "
            "of them is dropped?",
            matches=_with_gamma(lambda H, W, b, p, places: p),
        ),
        Misconception(
            "γ without the correction",
            "It looks as if your γ is about p / b². There are fewer places than pixels, so too little is dropped.",
            "Ask yourself: with H = 5 and b = 4, at how many heights can a block begin?",
            matches=_with_gamma(lambda H, W, b, p, places: p / b**2),
        ),
        Misconception(
            "correction turned round",
            "It looks as if you multiply by the number of places and divide by H·W.",
            "Ask yourself: when there are fewer places for a block, must each of them get more blocks or less?",
            matches=_with_gamma(lambda H, W, b, p, places: p / b**2 * places / (H * W)),
        ),
        Misconception(
            "b for b²",
            "It looks as if γ is divided by b. A block has b² pixels.",
            "Ask yourself: how many pixels does one block of side 4 drop?",
            matches=_with_gamma(lambda H, W, b, p, places: min(1.0, p / b * (H * W) / places)),
        ),
        Misconception(
            "square maps taken for granted",
            "It looks as if γ is right for H = W alone: one of the two sides is used twice.",
            "Ask yourself: the paper writes feat_size². What takes its place when H is 5 and W is 12?",
            matches=_with_gamma(
                lambda H, W, b, p, places: p / b**2 * (H / (H - b + 1)) ** 2,
                lambda H, W, b, p, places: p / b**2 * (W / (W - b + 1)) ** 2,
            ),
        ),
        Misconception(
            "keep and drop swapped",
            "It looks as if p is the share to keep. Here it is the share to drop.",
            "Ask yourself: with p = 0.2, should most pixels be 0 or 1?",
            matches=_with_gamma(lambda H, W, b, p, places: min(1.0, (1 - p) / b**2 * (H * W) / places)),
        ),
        Misconception(
            "single pixels dropped",
            "It looks as if single pixels are dropped. Each draw should take away a whole block.",
            "Ask yourself: what stands beside a dropped pixel of your mask?",
            matches=_each(_single_pixels),
        ),
        Misconception(
            "blocks one pixel too small",
            "It looks as if your blocks are smaller than b × b, by a row and a column, where b is even.",
            "Ask yourself: how many pixels reach from i − (b − 1) // 2 to i + (b − 1) // 2, when b is 4?",
            matches=_each(_smaller),
        ),
        Misconception(
            "blocks cut off at the border",
            "It looks as if blocks may begin anywhere, and those at the border are cut off.",
            "Ask yourself: in which rows may a block of height b begin, if all of it is to lie inside?",
            matches=_each(_cut),
        ),
        Misconception(
            "blocks on a grid",
            "It looks as if your blocks lie side by side like tiles: they begin at multiples of b alone.",
            "Ask yourself: with b = 3, can your mask drop rows 1 to 3 and keep the rows 0, 4 and 5?",
            matches=_each(_on_grid),
        ),
        Misconception(
            "blocks wrap around",
            "It looks as if a block that leaves the map on one side comes in again on the other.",
            "Ask yourself: are the first and the last column of an image neighbours?",
            matches=_each(_wraps),
        ),
        Misconception(
            "one mask for all channels",
            "It looks as if all channels of an image lose the same pixels. The paper tries that too; here each channel "
            "has a mask of its own.",
            "Ask yourself: how many random numbers do you draw, and how many maps are there?",
            matches=_each(_shared(1)),
        ),
        Misconception(
            "one mask for all images",
            "It looks as if all images of the batch lose the same pixels.",
            "Ask yourself: how many random numbers do you draw, and how many maps are there?",
            matches=_each(_shared(0)),
        ),
        Misconception(
            "at most one block in a map",
            "It looks as if one draw decides whether a map loses a block. Every place in it needs a draw of its own.",
            "Ask yourself: with a hundred places and γ = 0.02, how many blocks do you expect in one map?",
            matches=_each(_at_most_one),
        ),
        Misconception(
            "a fixed number of blocks",
            "It looks as if every map loses the same number of blocks.",
            "Ask yourself: of 100 places with γ = 0.02, do exactly 2 get a block every time?",
            matches=_each(_fixed_number),
        ),
        Misconception(
            "mask of what is dropped",
            "It looks as if your mask is 1 where a pixel is dropped.",
            "Ask yourself: the map is multiplied by the mask; which pixels are then left?",
            matches=_each(_turned_round),
        ),
        Misconception(
            "normalized already",
            "It looks as if the mask is scaled up already. The docstring leaves that to the caller.",
            "Ask yourself: which two values should the mask hold?",
            matches=_normalized,
        ),
        Misconception(
            "same mask at every call",
            "It looks as if every call drops the same: a generator with a fixed seed, or a mask that is kept.",
            "Ask yourself: what does the network learn to do without, if the same blocks are missing at every step?",
            matches=_several(lambda outputs: not _is_new(outputs)),
        ),
        Misconception(
            "rng not used",
            "It looks as if the random numbers come from somewhere else than the rng that was passed in.",
            "Ask yourself: can somebody who passes the same generator repeat your experiment?",
            matches=_several(lambda outputs: _is_new(outputs) and not _from_rng(outputs)),
        ),
        Misconception(
            "blocks that do not fit are accepted",
            "It looks as if you return a mask although no block fits into the map.",
            "Ask yourself: what is H − b + 1, when H is 4 and b is 5?",
            matches=lambda case, outputs: case.aspect == IMPOSSIBLE and isinstance(outputs, np.ndarray),
        ),
        Misconception(
            "sizes left out of the message",
            "It looks as if a ValueError is raised, and its message does not say which sizes do not fit.",
            "Ask yourself: what would you want to read, if you had mixed up two arguments?",
            matches=lambda case, outputs: isinstance(outputs, str) and outputs.startswith("ValueError: "),
        ),
    ),
)


def by_torch(shape, block_size, drop_probability, rng):
    """Blocks by max pooling in PyTorch, as in the authors' code, seeded from rng; what experiments use meanwhile."""
    import torch

    (N, C, H, W), b = shape, block_size
    rows, columns = H - b + 1, W - b + 1
    if min(rows, columns) < 1:
        raise ValueError(f"a block of {b}×{b} pixels does not fit into a map of {H}×{W}")
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    gamma = drop_probability / b**2 * (H * W) / (rows * columns)
    starts = torch.empty((N, C, rows, columns), dtype=torch.float64).bernoulli_(gamma, generator=generator)
    padded = torch.nn.functional.pad(starts, (b - 1,) * 4)
    return 1 - torch.nn.functional.max_pool2d(padded, b, stride=1).numpy()
