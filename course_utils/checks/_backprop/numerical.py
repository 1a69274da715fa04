"""numerical_gradient: central differences.

The truth is the closed form of the central difference, truncation error included, so that a large step shows
whether the formula is central and whether `step` is used. Float32 points come with steps and values that
float32 holds exactly: nobody has to convert x, but a step of 1e-8 of one's own disappears there.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import agrees, one_of, through
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises
from course_utils.plain import strided, to_plain

RTOL = ATOL = 1e-6  # leaves room for the rounding error of small steps
PUT_BACK = "x put back"


def call_numerical_gradient(student, function, x, step, order, watch):
    import numpy as np

    def f(z):
        z = np.asarray(z)
        flat = z.reshape(-1)
        i = np.arange(flat.size, dtype=flat.dtype)
        if function == "product":
            return np.prod(flat)
        if function == "neighbours":
            return np.sum(flat[:-1] * flat[1:]) + np.sum((i + 1) * flat)
        if function == "valley":
            return np.sum(500 * (flat - i) ** 2)
        if function == "cubic":
            return np.sum((i + 1) * flat * flat * flat)
        return np.sin(np.sum((i + 1) * flat))

    if order == "Fortran":
        x = np.asfortranarray(x)
    before = x.copy()
    gradient = student(f, x) if step is None else student(f, x, step)
    after = x.copy()
    x[...] = before
    return (gradient, after) if watch else gradient


def _closed_form(function, x, step, order, watch):
    """(f(x + h·e) − f(x − h·e)) / 2h for every unit vector e, worked out on paper for each function."""
    h = 1e-5 if step is None else step
    z = np.asarray(x, dtype=np.float64)
    flat, count = z.reshape(-1), np.arange(z.size)
    if function == "product":
        gradient = np.array([np.prod(np.delete(flat, i)) for i in count])
    elif function == "neighbours":
        padded = np.concatenate([[0.0], flat, [0.0]])
        gradient = padded[:-2] + padded[2:] + count + 1
    elif function == "valley":
        gradient = 1000 * (flat - count)
    elif function == "cubic":
        gradient = (count + 1) * (3 * flat**2 + h**2)
    else:
        gradient = np.cos(np.sum((count + 1) * flat)) * np.sin((count + 1) * h) / h
    gradient = gradient.reshape(z.shape)
    return (gradient, z) if watch else gradient


def central_difference(f, x, step=1e-5):
    """What experiments use until the student's own works: two values of f for every entry, as the notebook counts."""
    x = np.asarray(x, dtype=np.float64)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        bump = np.zeros(x.shape)
        bump[index] = step
        gradient[index] = (f(x + bump) - f(x - bump)) / (2 * step)
    return gradient


def _entrywise(formula):
    """A student's function that fills the gradient by `formula(f, x, index, step)`."""

    def student(f, x, step=1e-5):
        gradient = np.zeros(x.shape)
        for index in np.ndindex(*x.shape):
            gradient[index] = formula(f, x, index, step)
        return gradient

    return student


def _shifted(f, x, index, step):
    z = x.copy()
    z[index] = z[index] + step
    return float(f(z))


def _forward(f, x, index, h):
    return (_shifted(f, x, index, h) - float(f(x))) / h


def _backward(f, x, index, h):
    return (float(f(x)) - _shifted(f, x, index, -h)) / h


def _without_two(f, x, index, h):
    return (_shifted(f, x, index, h) - _shifted(f, x, index, -h)) / h


def _times_the_step(f, x, index, h):
    """(up − down) / 2 * h, which Python reads from the left."""
    return _without_two(f, x, index, h) / 2 * h * h


def _left_below(f, x, index, h):
    above = _shifted(f, x, index, h)
    x[index] = x[index] - h
    return (above - float(f(x))) / (2 * h)


def _left_above(f, x, index, h):
    below = _shifted(f, x, index, -h)
    x[index] = x[index] + h
    return (float(f(x)) - below) / (2 * h)


def _one_slope(f, x, step=1e-5):
    return (float(f(x + step)) - float(f(x - step))) / (2 * step)


def _along_first_axis(whole_shape=True, view=False):
    """for i in range(len(x)): moves a whole row at a time where x has several axes. A single number has no len.

    A row that was kept by old = x[i] is a view: it moves too, and the second value of f is that at x itself.
    """

    def student(f, x, step=1e-5):
        gradient = np.zeros(x.shape if whole_shape else len(x))
        for i in range(len(x)):
            above, below = _shifted(f, x, i, step), _shifted(f, x, i, -step)
            gradient[i] = (above - (float(f(x)) if view and x.ndim > 1 else below)) / (2 * step)
        return gradient

    def wrong(x, **inputs):
        return through(call_numerical_gradient, student)(x=x, **inputs) if x.ndim else Raises("TypeError")

    return wrong


def _all_at_once(f, x, step=1e-5):
    return np.full(x.shape, (float(f(x + step)) - float(f(x - step))) / (2 * step))


def _copy_moved(f, x, step=1e-5):
    """Moving x.reshape(-1) moves x only where the reshape is a view."""
    if x.flags.c_contiguous:
        return _entrywise(lambda f, x, i, h: _without_two(f, x, i, h) / 2)(f, x, step)
    return np.zeros(x.shape)


def _own_step(vanishes):
    """Matches for a step of one's own: the derivative itself in float64; in float32 nothing at all, or noise."""

    def matches(case, outputs):
        inputs = {name: to_plain(value) for name, value in case.inputs.items()}
        if case.inputs["x"].dtype != np.float32:
            return agrees(_closed_form(**{**inputs, "step": 1e-6}), outputs, 1e-5, 1e-5)
        if not isinstance(outputs, np.ndarray) or outputs.shape != inputs["x"].shape:
            return False
        if vanishes:
            return not outputs.any()
        return bool(outputs.any()) and agrees(_closed_form(**{**inputs, "step": 1e-6}), outputs, 0.3, 0.3)

    return matches


def _cases(rng):
    def case(aspect, function, x, step=None, order=None, watch=None):
        return Case(aspect, {"function": function, "x": x, "step": step, "order": order, "watch": watch})

    def point(*shape):
        return np.asarray(rng.uniform(0.5, 1.5, size=shape) * rng.choice([-1.0, 1.0], size=shape))

    def in_the_valley(size):
        return np.arange(size) + rng.uniform(-0.1, 0.1, size=size)

    def exact(size):  # quarters: float32 holds them, their cubes and their differences exactly
        return (rng.integers(2, 10, size=size) / 4 * rng.choice([-1, 1], size=size)).astype(np.float32)

    return [
        case("every entry", "product", point(4), 0.5),
        case("every entry", "neighbours", point(5), 0.25),
        case("any shape", "neighbours", point(2, 3), 0.25),
        case("any shape", "neighbours", strided(point(3, 2, 2)), 0.25),
        case("any shape", "neighbours", point(3, 4), 0.5, "Fortran"),
        case("any shape", "neighbours", point(), 0.25),
        case("central differences", "valley", in_the_valley(5)),
        case("central differences", "valley", in_the_valley(3)),
        case("step", "cubic", point(4), 0.5),
        case("step", "wave", point(3), 0.2),
        case("step", "cubic", exact(3), 0.25),
        case(PUT_BACK, "neighbours", point(4), 0.1, watch="x afterwards"),
        case(PUT_BACK, "product", point(3), 0.3, watch="x afterwards"),
    ]


numerical_gradient = Exercise(
    name="numerical_gradient",
    cases=_cases,
    call=call_numerical_gradient,
    expected=_closed_form,
    stand_in=lambda: central_difference,
    outputs=("the gradient", "x afterwards"),
    for_call=("order", "watch"),
    rtol=RTOL,
    atol=ATOL,
    difficulty=2,
    importance=5,
    minutes=15,
    hints=(
        "One entry of the gradient says how f changes when that entry of x alone moves. "
        "Move one entry a little up, then a little down, and look at f.",
        "Go through all indices of x, whatever its shape: np.ndindex(x.shape) gives them. "
        "At each one evaluate f twice, "
        "at +step and at −step, and put the old value back before you go on.",
        "At each index: old = x[index]; x[index] = old + step; above = f(x); x[index] = old − step; below = f(x); "
        "x[index] = old; the entry is (above − below) / (2 * step).",
    ),
    misconceptions=(
        Misconception(
            "one-sided difference",
            "It looks as if you compare f at x + step with f at x, on one side only.",
            "Ask yourself: how large is the error of (f(x+h) − f(x)) / h where f is curved, "
            "and what happens to it when you step to both sides?",
            matches=one_of(call_numerical_gradient, _entrywise(_forward), _entrywise(_backward), rtol=RTOL, atol=ATOL),
        ),
        Misconception(
            "divided by h instead of 2h",
            "It looks as if your gradient is twice too large.",
            "Ask yourself: how far apart are x − h and x + h?",
            matches=one_of(call_numerical_gradient, _entrywise(_without_two), rtol=RTOL, atol=ATOL),
        ),
        Misconception(
            "multiplied by the step",
            "It looks as if you multiply by the step instead of dividing by it.",
            "Ask yourself: in which order does Python work out a / 2 * h?",
            matches=one_of(call_numerical_gradient, _entrywise(_times_the_step), rtol=RTOL, atol=ATOL),
        ),
        Misconception(
            "only the first axis is walked",
            "It looks as if your loop walks the first axis of x only, so that a whole row moves at once.",
            "Ask yourself: what is x[0] when x has two axes, and how many numbers are in it?",
            _along_first_axis(),
        ),
        Misconception(
            "one entry for each row",
            "It looks as if your gradient has one entry for each row of x.",
            "Ask yourself: how many numbers can move in x, and is that len(x)?",
            _along_first_axis(whole_shape=False),
        ),
        Misconception(
            "the old row moves along",
            "It looks as if your loop walks the first axis of x only and keeps a row in old = x[i]. "
            "That is a view of the row, and it moves when the row does.",
            "Ask yourself: what is x[0] when x has two axes: a number, or a view of several?",
            _along_first_axis(view=True),
        ),
        Misconception(
            "x not put back",
            "It looks as if an entry of x stays moved while you work on the next one, and after you return.",
            "Ask yourself: at which point is f evaluated for the second entry, and where does x stand when you are "
            "done?",
            matches=one_of(
                call_numerical_gradient, _entrywise(_left_below), _entrywise(_left_above), rtol=RTOL, atol=ATOL
            ),
        ),
        Misconception(
            "all entries moved at once",
            "It looks as if you move the whole of x by the step, and so find one number for all entries.",
            "Ask yourself: which entries of x may change when you ask for the slope along the first one?",
            matches=one_of(call_numerical_gradient, _all_at_once, _one_slope, rtol=RTOL, atol=ATOL),
        ),
        Misconception(
            "a flattened copy is moved",
            "It looks as if you move the entries of a flattened x while f still sees the old one. "
            "reshape and ravel make a copy when the entries do not lie in order in memory.",
            "Ask yourself: after your step, has the array that you hand to f changed?",
            matches=one_of(call_numerical_gradient, _copy_moved, rtol=RTOL, atol=ATOL),
        ),
        Misconception(
            "step ignored",
            "It looks as if you use a step of your own, whatever step you are given.",
            "Ask yourself: what changes in your code when step is 0.5 instead of 1e-5?",
            matches=_own_step(vanishes=False),
        ),
        Misconception(
            "a step too small for float32",
            "It looks as if you use a tiny step of your own. In float32 x + 1e-8 is x, so the difference is exactly 0.",
            "Ask yourself: how many digits does a float32 number keep, and which step were you given?",
            matches=_own_step(vanishes=True),
        ),
    ),
)
