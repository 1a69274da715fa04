"""activation and activation_gradient: five functions by their names."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises
from course_utils.plain import strided

NAMES = ("sigmoid", "tanh", "relu", "leaky_relu", "elu")
ASPECTS = {name: name.replace("_", " ") for name in NAMES} | {"relu": "relu and leaky relu"}
ASPECTS["leaky_relu"] = ASPECTS["relu"]
LARGE, UNKNOWN = "large inputs", "unknown names"


def _torch_function(name):
    import torch

    functions = torch.nn.functional
    return {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky_relu": lambda x: functions.leaky_relu(x, 0.01),
        "elu": functions.elu,
    }[name]


def torch_activation(name, x):
    """By PyTorch."""
    if name not in NAMES:
        return Raises("ValueError", (name,))
    return _torch_function(name)(tensor(x)).numpy()


def torch_gradient(name, x):
    """By PyTorch; at the kinks, its convention."""
    import torch

    if name not in NAMES:
        return Raises("ValueError", (name,))
    leaf = tensor(x, True)
    return torch.autograd.grad(_torch_function(name)(leaf).sum(), leaf)[0].numpy()


def raising(oracle):
    """An oracle as a function that experiments can call: it raises what it would have returned as a `Raises`."""

    def function(name, x):
        value = oracle(name, x)
        if isinstance(value, Raises):
            raise ValueError(f"there is no activation called {name!r}")
        return value

    return function


def call_activation(student, name, x):
    import contextlib

    import numpy as np

    strict, errstate = np.errstate(over="raise", divide="raise", invalid="raise"), np.errstate
    np.errstate = lambda **silenced: contextlib.nullcontext()  # a warning that is silenced is there all the same
    try:
        with strict:
            return student(name, x)
    except FloatingPointError as error:
        error.args = (f"{error}; NumPy only warns, the check stops here",)
        raise
    finally:
        np.errstate = errstate


def call_activation_gradient(student, name, x):
    import contextlib

    import numpy as np

    strict, errstate = np.errstate(over="raise", divide="raise", invalid="raise"), np.errstate
    np.errstate = lambda **silenced: contextlib.nullcontext()  # a warning that is silenced is there all the same
    try:
        with strict:
            result = student(name, x)
    except FloatingPointError as error:
        error.args = (f"{error}; NumPy only warns, the check stops here",)
        raise
    finally:
        np.errstate = errstate
    if name not in ("relu", "leaky_relu") or not isinstance(result, np.ndarray) or result.shape != x.shape:
        return result
    # At the kink any slope between the left and the right one is right; all of them are made the left one.
    left = 0.0 if name == "relu" else 0.01
    return np.where((x == 0) & (result >= left) & (result <= 1), left, result).astype(result.dtype)


# --- cases ------------------------------------------------------------------------------------------------------


def _cases(rng):
    def mixed(*shape):
        """Both signs for certain, away from 0."""
        x = rng.uniform(0.2, 3.0, size=shape) * rng.choice([-1.0, 1.0], size=shape)
        x.flat[0], x.flat[-1] = abs(x.flat[0]), -abs(x.flat[-1])
        return x

    def case(name, x, aspect=None):
        return Case(aspect or ASPECTS[name], {"name": name, "x": x})

    large = np.array([1000.0, -1000.0, 750.0, -750.0, 1.5, -0.5])
    unknown = rng.permutation(["swish", "gelu", "softplus", "hardtanh"])
    return [
        *(case(name, mixed(3, 4)) for name in NAMES),
        *(case(name, strided(mixed(2, 3, 5))) for name in NAMES),
        *(case(name, np.array([0, 3, -2, 1, -4])) for name in NAMES),
        *(case(name, large, LARGE) for name in NAMES),
        *(case(str(name), mixed(4), UNKNOWN) for name in unknown[:2]),
    ]


# --- misconceptions that both share -------------------------------------------------------------------------------


def only(function, *names):
    """A variant that applies to some of the activations; to the others it has nothing to say."""

    def variant(name, x):
        if name not in names:
            raise ValueError(name)
        return function(np.asarray(x, dtype=float))

    return variant


def _overflows(name, x):
    """exp of a large number, or the quotient of two that are infinite."""
    if name in ("sigmoid", "tanh", "elu") and np.abs(x).max() > 700:
        return Raises("FloatingPointError")
    raise ValueError(name)


def _answers_unknown(case, outputs):
    return case.inputs["name"] not in NAMES


def _lookup_fails(name, x):
    if name in NAMES:
        raise ValueError(name)
    return Raises("KeyError")


def shared():
    return (
        Misconception(
            "exp overflows",
            "It looks as if you take exp of a large number. It overflows to infinity, and NumPy warns.",
            "Ask yourself: how can the formula be rewritten so that exp only ever sees numbers below 0? "
            "And does np.where compute both of its branches?",
            _overflows,
        ),
        Misconception(
            "unknown name passes silently",
            "It looks as if your function returns something for a name it does not know.",
            "Ask yourself: who notices a misspelt name in an experiment of an hour, if the function does not?",
            matches=_answers_unknown,
        ),
        Misconception(
            "KeyError instead of ValueError",
            "It looks as if you look the name up in a dict and let its KeyError out.",
            "Ask yourself: which exception does the docstring promise for a name that is none of the five?",
            _lookup_fails,
        ),
    )


def whole_only(function):
    """Values cut to integers where the input held integers."""

    def variant(name, x):
        if x.dtype.kind != "i":
            raise ValueError("floats stay floats")
        return function(name, x).astype(np.int64)

    return variant


# --- activation -------------------------------------------------------------------------------------------------


activation = Exercise(
    name="activation",
    cases=_cases,
    call=call_activation,
    expected=torch_activation,
    stand_in=lambda: raising(torch_activation),
    difficulty=2,
    importance=4,
    minutes=20,
    hints=(
        "Write five formulas and one raise ValueError. The difficulty is the sigmoid: 1 / (1 + exp(−x)) overflows "
        "when x is −1000. For negative x there is another form.",
        "For x < 0, 1 / (1 + e^(−x)) = e^x / (1 + e^x), whose exponent is negative. In both forms exp sees −|x| only. "
        "np.where computes both branches everywhere, so limit what exp gets.",
        "With e = np.exp(-np.abs(x)), the sigmoid is np.where(x >= 0, 1, e) / (1 + e); "
        "ELU is np.where(x > 0, x, np.expm1(np.minimum(x, 0))).",
    ),
    misconceptions=(
        Misconception(
            "sigmoid with the wrong sign",
            "It looks as if your sigmoid falls: the sign of its exponent is wrong.",
            "Ask yourself: what should the sigmoid of a large positive number be?",
            only(lambda x: torch_activation("sigmoid", -x), "sigmoid"),
        ),
        Misconception(
            "tanh is not 2σ(x) − 1",
            "It looks as if your tanh is a sigmoid stretched to (−1, 1), without the factor 2 inside.",
            "Ask yourself: tanh has slope 1 at 0, so how steep is 2σ(x) − 1 there?",
            only(lambda x: 2 * torch_activation("sigmoid", x) - 1, "tanh"),
        ),
        Misconception(
            "leaky slope 0.1",
            "It looks as if your leaky ReLU has the slope 0.1 below zero. Here it is 0.01; both are in use.",
            "Ask yourself: which slope does the docstring give?",
            only(lambda x: np.where(x > 0, x, 0.1 * x), "leaky_relu"),
        ),
        Misconception(
            "leak as a floor",
            "It looks as if your leaky ReLU never goes below 0.01: it has a floor there, not a slope.",
            "Ask yourself: what should leaky ReLU return for −3?",
            only(lambda x: np.maximum(x, 0.01), "leaky_relu"),
        ),
        Misconception(
            "1 not subtracted in ELU",
            "It looks as if your ELU is exp(x) below zero.",
            "Ask yourself: from which value should ELU start at 0, so that there is no jump?",
            only(lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0))), "elu"),
        ),
        Misconception(
            "rounded to whole numbers",
            "It looks as if your result takes over the integer type of x, and the decimals are lost.",
            "Ask yourself: which type has np.zeros_like(x) or x.copy() when x holds integers?",
            whole_only(torch_activation),
        ),
        *shared(),
    ),
)


# --- activation_gradient ----------------------------------------------------------------------------------------


def _of_activated(name, x):
    """The slopes of the sigmoid and of tanh written for the output, applied to the input."""
    return only(lambda x: x * (1 - x) if name == "sigmoid" else 1 - x**2, "sigmoid", "tanh")(name, x)


activation_gradient = Exercise(
    name="activation_gradient",
    cases=_cases,
    call=call_activation_gradient,
    expected=through(call_activation_gradient, torch_gradient),
    stand_in=lambda: raising(torch_gradient),
    builds_on=("activation",),
    difficulty=2,
    importance=4,
    minutes=15,
    hints=(
        "Differentiate each of the five formulas. For three of them, both sides of 0 have their own slope.",
        "σ′ = σ(1 − σ) and tanh′ = 1 − tanh². Both use the value of the function, and x is what goes into it. "
        "The slopes of the ReLUs are constants, that of ELU below zero is exp(x).",
        "With e = np.exp(-np.abs(x)), σ′ is e / (1 + e)**2. ELU: np.exp(np.minimum(x, 0)), which is 1 above zero.",
    ),
    misconceptions=(
        Misconception(
            "x taken for the activated value",
            "It looks as if you use x(1 − x) or 1 − x². These are written for the output of the activation, not for x.",
            "Ask yourself: is x what went into the activation, or what came out?",
            _of_activated,
        ),
        Misconception(
            "the function, not its slope",
            "It looks as if you return the activation itself.",
            "Ask yourself: when x grows a little, by how much does the activation grow for each unit of x?",
            through(call_activation_gradient, torch_activation),
        ),
        Misconception(
            "tanh not squared",
            "It looks as if your slope of tanh is 1 − tanh(x).",
            "Ask yourself: tanh is symmetric about the origin; can its slope differ between 2 and −2?",
            only(lambda x: 1 - np.tanh(x), "tanh"),
        ),
        Misconception(
            "leaky slope 0.1",
            "It looks as if your leaky ReLU has the slope 0.1 below zero. Here it is 0.01; both are in use.",
            "Ask yourself: which slope does the docstring give?",
            through(call_activation_gradient, only(lambda x: np.where(x > 0, 1.0, 0.1), "leaky_relu")),
        ),
        Misconception(
            "leaky ReLU flat below zero",
            "It looks as if your leaky ReLU has the slope of a plain one.",
            "Ask yourself: which slope is left below zero, and what is it good for?",
            through(call_activation_gradient, only(lambda x: np.where(x > 0, 1.0, 0.0), "leaky_relu")),
        ),
        Misconception(
            "value of ELU for its slope",
            "It looks as if you use exp(x) − 1 below zero. That is ELU itself.",
            "Ask yourself: what becomes of the −1 when you differentiate?",
            only(lambda x: np.where(x > 0, 1.0, np.expm1(np.minimum(x, 0))), "elu"),
        ),
        Misconception(
            "rounded to whole numbers",
            "It looks as if your result takes over the integer type of x, and the decimals are lost.",
            "Ask yourself: which type has np.zeros_like(x) or x.copy() when x holds integers?",
            through(call_activation_gradient, whole_only(torch_gradient)),
        ),
        *shared(),
    ),
)
