"""elastic_field: judged by `smooth_noise`, never by the order of the draws or by what lies beyond the border."""

from __future__ import annotations

import numpy as np

from course_utils.checks._augmentation import smooth_noise as noise
from course_utils.checks._augmentation.smooth_noise import VARIANCE, Filter, gaussian, smoothing
from course_utils.checks.compare import difference, number_text
from course_utils.checks.exercise import Case, Exercise, Misconception

SMOOTH, STRENGTH, RANDOM, SMALL = (
    "size and smoothness",
    "alpha",
    "a new field at each call",
    "sigma beyond the image",
)


def call_elastic(student, height, width, alphas, sigma, seed, calls):
    import numpy as np

    made = []
    for alpha in alphas:
        rng = np.random.default_rng(seed)
        made += [student(height, width, alpha, sigma, rng) for _ in range(calls)]
    return made if len(made) > 1 else made[0]


def _cases(rng):
    def case(aspect, height, width, alphas, sigma, calls=1):
        seed = int(rng.integers(2**31))
        inputs = {"height": height, "width": width, "alphas": alphas, "sigma": sigma, "seed": seed, "calls": calls}
        return Case(aspect, inputs)

    return [
        case(SMOOTH, 170, 210, (8.0,), 1.5),
        case(SMOOTH, 220, 180, (34.0,), 2.5),
        case(STRENGTH, 14, 23, (3.0, 7.5), 2.0),
        case(RANDOM, 19, 12, (6.0, 6.0), 2.0, calls=2),
        case(SMALL, 5, 9, (4.0,), 6.0),
        case(SMALL, 1, 7, (4.0,), 2.5),
    ]


# --- judging --------------------------------------------------------------------------------------------------------


def _fields(case, outputs):
    return outputs if isinstance(outputs, list) else [outputs]


def _shape(case):
    return (2, case.inputs["height"], case.inputs["width"])


def _malformed(case, field):
    sound = isinstance(field, np.ndarray) and field.shape == _shape(case) and field.dtype.kind == "f"
    if not sound or not np.isfinite(field).all():
        return difference(np.zeros(_shape(case)), field, ("field",)) or "the field does not hold decimal numbers"
    return None


def _unit(case, field):
    """The inner points of a field made with alpha = 1."""
    return noise.inner(np.asarray(field, np.float64) / case.inputs["alphas"][0], case.inputs["sigma"])


def _statistics(case, points, made_by, variance=VARIANCE):
    """(what it is, its share of what is expected, low, high) for the mean squares of points that `made_by` makes."""
    gap, scale = noise.step(case.inputs["sigma"]), VARIANCE / variance
    low, high = noise.square_bounds(made_by, points.size)
    yield "the mean square of dy and dx", scale * noise.share(points, made_by), low, high
    for axis, name in enumerate(("rows", "columns")):
        apart, filtered = noise.difference_of(points, gap, axis), noise.differences(made_by, gap, axis)
        low, high = noise.square_bounds(filtered, apart.size)
        where = f"the mean square of the differences between points {gap} {name} apart"
        yield where, scale * noise.share(apart, filtered), low, high


def _smooth_fault(case, field):
    points = _unit(case, field)
    n, mean = points[0].size, points.mean(axis=(1, 2))
    for name, value in zip(("dy", "dx"), mean, strict=True):
        if abs(value) > noise.mean_bound(n):
            alpha = case.inputs["alphas"][0]
            most = number_text(alpha * noise.mean_bound(n), 2)
            return f"the mean of {name} over {n} inner points is {number_text(alpha * value, 3)}, should be 0 ± {most}"
    if abs(np.sum(points[0] * points[1])) > noise.product_bound(points[0]):
        return "dy and dx depend on each other, should be drawn independently"
    for what, found, low, high in _statistics(case, points, smoothing(case.inputs["sigma"])):
        if not low <= found <= high:
            bounds = f"{number_text(low, 3)} to {number_text(high, 3)}"
            return f"{what} is {number_text(found, 3)} times what it should be (chance leaves it within {bounds})"
    return None


def _verify(case, outputs):
    fields, aspect = _fields(case, outputs), case.aspect
    if len(fields) != len(case.inputs["alphas"]) * case.inputs["calls"]:
        return "there is no field for each call"
    for field in fields:
        if (wrong := _malformed(case, field)) is not None:
            return wrong
    if aspect == SMOOTH:
        return _smooth_fault(case, fields[0])
    if aspect == STRENGTH:
        small, large = case.inputs["alphas"]
        wrong = difference(fields[0] * (large / small), fields[1], ("field",), 1e-7, 1e-9)
        return wrong and f"with alpha {large:g} instead of {small:g} and the same draws, {wrong}"
    if aspect == RANDOM:
        if np.array_equal(fields[0], fields[1]):
            return "two calls with one rng give the same field"
        same = np.array_equal(fields[0], fields[2]) and np.array_equal(fields[1], fields[3])
        return None if same else "with rng in the same state, the field is another one: not all draws come from rng"
    most, alpha = np.abs(fields[0]).max(), case.inputs["alphas"][0]
    if most > alpha * (1 + 1e-6):
        return (
            f"there is a displacement of {number_text(most)}, more than alpha = {alpha:g}: a weighted mean of draws "
            "between −1 and 1 lies between them"
        )
    return None if most else "the field is zero everywhere"


# --- misconceptions -------------------------------------------------------------------------------------------------


def _well_formed(case, outputs):
    return all(_malformed(case, field) is None for field in _fields(case, outputs))


def _fits(case, field, made_by, variance, mean):
    """Whether a field may well be white noise of this variance and mean, filtered like this."""
    points = _unit(case, field) - mean
    level = abs(points.mean()) <= noise.mean_bound(points[0].size) * np.sqrt(variance / VARIANCE) * made_by.gain
    return level and all(low <= found <= high for _, found, low, high in _statistics(case, points, made_by, variance))


def _made_with(*filters, variance=VARIANCE, mean=0.0):
    """A `matches`: the field is noise that has gone through one of `filters(sigma)`."""

    def matches(case, outputs):
        if not _well_formed(case, outputs):
            return False
        if case.aspect == SMALL:  # too few points to tell; alpha is exceeded, or the case passes
            return True
        if case.aspect != SMOOTH:
            return False
        return any(_fits(case, outputs, made(case.inputs["sigma"]), variance, mean) for made in filters)

    return matches


def _raw(sigma):
    line = gaussian(sigma)
    return tuple(line / line.max())


def _narrowed(change):
    return lambda sigma: smoothing(change(sigma))


def _scaled_to(measure):
    """A `matches`: `measure` of each map, or of both together, is alpha."""

    def matches(case, outputs):
        if not _well_formed(case, outputs) or case.aspect not in (SMOOTH, SMALL):
            return False
        alpha = case.inputs["alphas"][0]
        near = 1e-6 if outputs.dtype == np.float32 else 1e-10  # the largest of many raw draws is near 1 as well
        parts = [measure(part) for part in outputs]
        return bool(np.allclose(parts, alpha, near, 0) or np.isclose(measure(outputs), alpha, near, 0))

    return matches


def _rms(field):
    return float(np.sqrt(np.mean(np.square(field))))


def _spread(field):
    return float(np.std(field))


def _either(*ways):
    return lambda case, outputs: any(way(case, outputs) for way in ways)


def _one_map(case, outputs):
    if case.aspect != SMOOTH or not _well_formed(case, outputs):
        return False
    return np.array_equal(outputs[0], outputs[1]) or np.array_equal(outputs[0], -outputs[1])


def _alpha_unused(case, outputs):
    if not _well_formed(case, outputs):
        return False
    if case.aspect == STRENGTH:
        return np.array_equal(*outputs)
    alpha = case.inputs["alphas"][0]
    return case.aspect == SMOOTH and _fits(case, outputs * alpha, smoothing(case.inputs["sigma"]), VARIANCE, 0.0)


def _repeats(case, outputs):
    return case.aspect == RANDOM and _well_formed(case, outputs) and np.array_equal(outputs[0], outputs[1])


def _other_source(case, outputs):
    if not _well_formed(case, outputs) or case.aspect not in (RANDOM, STRENGTH):
        return False
    return not np.array_equal(outputs[0], outputs[1])


def _channels_last(case, outputs):
    return all(isinstance(f, np.ndarray) and f.shape == (*_shape(case)[1:], 2) for f in _fields(case, outputs))


def field_by_torch(height, width, alpha, sigma, rng):
    """The field by PyTorch's convolution, with zeros beyond the border."""
    import torch

    reach = int(np.ceil(4 * sigma))
    squares = torch.arange(-reach, reach + 1, dtype=torch.float64) ** 2
    line = torch.exp(-squares / (2 * sigma**2))
    line = line / line.sum()
    noise = torch.from_numpy(rng.uniform(-1, 1, size=(2, 1, height, width)))
    down = torch.nn.functional.conv2d(noise, line[None, None, :, None], padding=(reach, 0))
    return alpha * torch.nn.functional.conv2d(down, line[None, None, None, :], padding=(0, reach))[:, 0].numpy()


elastic_field = Exercise(
    name="elastic_field",
    cases=_cases,
    call=call_elastic,
    verify=_verify,
    stand_in=lambda: field_by_torch,
    for_call=("seed", "calls"),
    time_limit=5.0,
    difficulty=3,
    importance=4,
    minutes=25,
    hints=(
        "Neighbouring pixels should move together. The mean of many independent draws around each pixel does that.",
        "rng.uniform(−1, 1, size=(2, height, width)) first. A Gaussian in two variables is a product: smooth every row "
        "with a kernel of 2·reach + 1 weights, then every column.",
        "k = np.arange(−reach, reach + 1), kernel = np.exp(−k**2 / (2·sigma**2)), kernel /= kernel.sum(); pad a line "
        'with reach zeros on both sides, np.convolve(padded, kernel, "valid"), and alpha times that.',
    ),
    misconceptions=(
        Misconception(
            "not smoothed",
            "It looks as if every pixel moves on its own: the draws are not smoothed.",
            "Ask yourself: what becomes of a stroke two pixels wide when its pixels scatter independently?",
            matches=_made_with(lambda sigma: Filter((1.0,), (1.0,))),
        ),
        Misconception(
            "smoothed along one axis",
            "It looks as if the maps are smoothed along the rows or along the columns, and not along both.",
            "Ask yourself: by how much may two neighbours differ that stand side by side, and two above one another?",
            matches=_made_with(
                lambda sigma: Filter(smoothing(sigma).down, (1.0,)), lambda sigma: Filter((1.0,), smoothing(sigma).down)
            ),
        ),
        Misconception(
            "sigma taken for the variance",
            "It looks as if your Gaussian has the variance sigma. Its standard deviation should be sigma.",
            "Ask yourself: in exp(−k² / (2 sigma²)), what is squared?",
            matches=_made_with(_narrowed(np.sqrt)),
        ),
        Misconception(
            "the 2 in the exponent forgotten",
            "It looks as if your Gaussian is exp(−k² / sigma²). Its standard deviation is sigma / √2.",
            "Ask yourself: in exp(−k² / (2 sigma²)), which of its factors have you written?",
            matches=_made_with(_narrowed(lambda sigma: sigma / np.sqrt(2))),
        ),
        Misconception(
            "weights that do not sum to 1",
            "It looks as if the weights of the Gaussian are not divided by their sum. The displacements become far "
            "larger than alpha.",
            "Ask yourself: when all draws are 1, what should smoothing give?",
            matches=_made_with(lambda sigma: Filter(_raw(sigma), _raw(sigma))),
        ),
        Misconception(
            "draws between 0 and 1",
            "It looks as if the draws lie between 0 and 1. Then the whole image moves down and to the right.",
            "Ask yourself: what is the mean of your draws, and where does it move the image?",
            matches=_made_with(smoothing, variance=1 / 12, mean=0.5),
        ),
        Misconception(
            "draws between −1/2 and 1/2",
            "It looks as if the draws lie between −1/2 and 1/2.",
            "Ask yourself: how wide is the interval from −1 to 1?",
            matches=_made_with(smoothing, variance=1 / 12),
        ),
        Misconception(
            "normal draws",
            "It looks as if the draws are standard normal. They should be uniform between −1 and 1.",
            "Ask yourself: what is the variance of a uniform draw between −1 and 1, and that of a standard normal one?",
            matches=_made_with(smoothing, variance=1.0),
        ),
        Misconception(
            "scaled to its largest displacement",
            "It looks as if you divide by the largest displacement, so that alpha becomes the largest one. Step 3 "
            "multiplies by alpha and does nothing else.",
            "Ask yourself: should a larger sigma, at the same alpha, leave the displacements as large as they are?",
            matches=_scaled_to(lambda field: float(np.abs(field).max())),
        ),
        Misconception(
            "scaled to its standard deviation",
            "It looks as if you divide by the standard deviation of the displacements. Step 3 multiplies by alpha and "
            "does nothing else.",
            "Ask yourself: should a larger sigma, at the same alpha, leave the displacements as large as they are?",
            matches=_either(_scaled_to(_rms), _scaled_to(_spread)),
        ),
        Misconception(
            "one map for both directions",
            "It looks as if dy and dx are the same map. Then every pixel moves along one diagonal.",
            "Ask yourself: how many independent draws does each pixel need?",
            matches=_one_map,
        ),
        Misconception(
            "alpha left out",
            "It looks as if alpha is not used.",
            "Ask yourself: what should happen to the field when alpha is doubled?",
            matches=_alpha_unused,
        ),
        Misconception(
            "same field at every call",
            "It looks as if every call gives the same field: a generator with a fixed seed, or a field that is kept.",
            "Ask yourself: how many different images come out of one when each epoch distorts it alike?",
            matches=_repeats,
        ),
        Misconception(
            "rng not used",
            "It looks as if the random numbers come from somewhere else than the rng that was passed in.",
            "Ask yourself: can somebody who passes the same generator repeat your experiment?",
            matches=_other_source,
        ),
        Misconception(
            "directions last",
            "It looks as if your field is (height, width, 2). It should be (2, height, width).",
            "Ask yourself: what is the shape of field[0]?",
            matches=_channels_last,
        ),
    ),
)
