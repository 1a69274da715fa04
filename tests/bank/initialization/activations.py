"""activation and activation_gradient: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources

# --- activation -------------------------------------------------------------------------------------------------

VALUES = """def activation(name, x):
    x = np.asarray(x, dtype=float)
    e = np.exp(-np.abs(x))
    if name == "sigmoid":
        return np.where(x >= 0, 1 / (1 + e), e / (1 + e))
    elif name == "tanh":
        return np.tanh(x)
    elif name == "relu":
        return np.maximum(0, x)
    elif name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    elif name == "elu":
        return np.where(x > 0, x, e - 1)
    raise ValueError("unknown activation " + name)
"""
SIGMOID, TANH = "np.where(x >= 0, 1 / (1 + e), e / (1 + e))", "np.tanh(x)"
LEAKY, ELU = "np.where(x > 0, x, 0.01 * x)", "np.where(x > 0, x, e - 1)"
REFUSAL = 'raise ValueError("unknown activation " + name)'


@alternative("activation", "masks for the two signs")
def activation(name, x):
    out = np.array(x, dtype=np.float64)
    positive = out > 0
    if name == "sigmoid":
        out[positive] = 1 / (1 + np.exp(-out[positive]))
        e = np.exp(out[~positive])
        out[~positive] = e / (1 + e)
    elif name == "tanh":
        out = np.tanh(out)
    elif name == "relu":
        out[~positive] = 0
    elif name == "leaky_relu":
        out[~positive] *= 0.01
    elif name == "elu":
        out[~positive] = np.exp(out[~positive]) - 1
    else:
        raise ValueError(f"unknown: {name}")
    return out


@alternative("activation", "a dict of functions, the sigmoid by tanh")
def activation(name, x):
    functions = {
        "sigmoid": lambda x: 0.5 * (1 + np.tanh(x / 2)),
        "tanh": np.tanh,
        "relu": lambda x: x * (x > 0),
        "leaky_relu": lambda x: np.maximum(0.01 * x, x),
        "elu": lambda x: np.maximum(x, 0) + np.expm1(np.minimum(x, 0)),
    }
    if name not in functions:
        raise ValueError(f"{name} is not one of {sorted(functions)}")
    return functions[name](np.asarray(x) * 1.0)


@alternative("activation", "loops, numbers clipped before exp, float32")
def activation(name, x):
    import math

    out = np.empty(x.shape, dtype=np.float32)
    for i, v in np.ndenumerate(x):
        v = float(v)
        if name == "sigmoid":
            out[i] = 1 / (1 + math.exp(-max(-50.0, min(50.0, v))))
        elif name == "tanh":
            out[i] = math.tanh(v)
        elif name == "relu":
            out[i] = v if v > 0 else 0
        elif name == "leaky_relu":
            out[i] = v if v > 0 else v / 100
        elif name == "elu":
            out[i] = v if v > 0 else math.exp(v) - 1
        else:
            raise ValueError(name)
    return out


mistaken_sources(
    __name__,
    "activation",
    [
        (name, changed(VALUES, *changes))
        for name, *changes in (
            ("exp overflows", (SIGMOID, "1 / (1 + np.exp(-x))")),
            ("exp overflows", (SIGMOID, "np.exp(x) / (1 + np.exp(x))")),
            ("exp overflows", (SIGMOID, "np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))")),
            ("exp overflows", (ELU, "np.where(x > 0, x, np.exp(x) - 1)")),
            (
                "exp overflows",
                (f"return {SIGMOID}", "with np.errstate(all='ignore'):\n            return 1 / (1 + np.exp(-x))"),
            ),
            ("exp overflows", (SIGMOID, "1 / (1 + np.exp(-x))"), (ELU, "np.where(x > 0, x, np.exp(x) - 1)")),
            ("exp overflows", (TANH, "(np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))")),
            ("sigmoid with the wrong sign", (SIGMOID, "np.where(x < 0, 1 / (1 + e), e / (1 + e))")),
            ("sigmoid with the wrong sign", (SIGMOID, "1 / (1 + np.exp(np.clip(x, -60, 60)))")),
            ("tanh is not 2σ(x) − 1", (TANH, "2 * activation('sigmoid', x) - 1")),
            ("leaky slope 0.1", (LEAKY, "np.where(x > 0, x, 0.1 * x)")),
            ("leaky slope 0.1", (LEAKY, "np.maximum(0.1 * x, x)")),
            ("leak as a floor", (LEAKY, "np.maximum(0.01, x)")),
            ("1 not subtracted in ELU", (ELU, "np.where(x > 0, x, e)")),
            ("unknown name passes silently", (REFUSAL, "return x")),
            ("unknown name passes silently", (REFUSAL, "print('unknown activation', name)")),
        )
    ],
)


@mistaken("activation", "rounded to whole numbers")
def activation(name, x):
    if name == "sigmoid":
        return 0.5 * (1 + np.tanh(x / 2))
    if name == "tanh":
        return np.tanh(x)
    if name not in ("relu", "leaky_relu", "elu"):
        raise ValueError(name)
    out = x.copy()
    negative = x < 0
    if name == "relu":
        out[negative] = 0
    elif name == "leaky_relu":
        out[negative] = 0.01 * x[negative]
    else:
        out[negative] = np.expm1(x[negative])
    return out


@mistaken("activation", "KeyError instead of ValueError")
def activation(name, x):
    return {
        "sigmoid": lambda: 0.5 * (1 + np.tanh(x / 2)),
        "tanh": lambda: np.tanh(x),
        "relu": lambda: np.maximum(x, 0),
        "leaky_relu": lambda: np.where(x > 0, x, 0.01 * x),
        "elu": lambda: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    }[name]()


# --- activation_gradient ----------------------------------------------------------------------------------------

SLOPES = """def activation_gradient(name, x):
    x = np.asarray(x, dtype=float)
    e = np.exp(-np.abs(x))
    if name == "sigmoid":
        return e / (1 + e) ** 2
    elif name == "tanh":
        return 1 - np.tanh(x) ** 2
    elif name == "relu":
        return (x > 0).astype(float)
    elif name == "leaky_relu":
        return np.where(x > 0, 1.0, 0.01)
    elif name == "elu":
        return np.where(x > 0, 1.0, e)
    raise ValueError("unknown activation " + name)
"""
D_SIGMOID, D_TANH = "e / (1 + e) ** 2", "1 - np.tanh(x) ** 2"
D_RELU, D_LEAKY, D_ELU = "(x > 0).astype(float)", "np.where(x > 0, 1.0, 0.01)", "np.where(x > 0, 1.0, e)"


@alternative("activation_gradient", "the slopes at 0 from the right, σ′ by tanh")
def activation_gradient(name, x):
    slopes = {
        "sigmoid": lambda x: 0.25 * (1 - np.tanh(x / 2) ** 2),
        "tanh": lambda x: 1 - np.tanh(x) ** 2,
        "relu": lambda x: np.where(x >= 0, 1.0, 0.0),
        "leaky_relu": lambda x: 0.01 + 0.99 * (x >= 0),
        "elu": lambda x: np.where(x >= 0, 1.0, np.exp(np.minimum(x, 0))),
    }
    if name not in slopes:
        raise ValueError(f"no activation {name}")
    return slopes[name](x)


@alternative("activation_gradient", "by σ, the slopes at 0 from half-way")
def activation_gradient(name, x):
    x = np.array(x, dtype=float)
    if name == "sigmoid":
        s = np.empty_like(x)
        s[x >= 0] = 1 / (1 + np.exp(-x[x >= 0]))
        s[x < 0] = np.exp(x[x < 0]) / (1 + np.exp(x[x < 0]))
        return s * (1 - s)
    if name == "tanh":
        return (1 - np.tanh(x)) * (1 + np.tanh(x))
    if name == "relu":
        return np.heaviside(x, 0.5)
    if name == "leaky_relu":
        return 0.01 + 0.99 * np.heaviside(x, 0.5)
    if name == "elu":
        return np.exp(np.where(x < 0, x, 0))
    raise ValueError(f"unknown activation: {name}")


@alternative("activation_gradient", "loops, float32")
def activation_gradient(name, x):
    import math

    def slope(v):
        if name == "sigmoid":
            e = math.exp(-abs(v))
            return e / (1 + e) / (1 + e)
        if name == "tanh":
            return 1 - math.tanh(v) ** 2
        if name == "relu":
            return 1 if v > 0 else 0
        if name == "leaky_relu":
            return 1 if v > 0 else 0.01
        if name == "elu":
            return 1 if v > 0 else math.exp(v)
        raise ValueError(name)

    return np.array([slope(float(v)) for v in x.ravel()], dtype=np.float32).reshape(x.shape)


mistaken_sources(
    __name__,
    "activation_gradient",
    [
        (name, changed(SLOPES, *changes))
        for name, *changes in (
            ("exp overflows", (D_SIGMOID, "np.exp(-x) / (1 + np.exp(-x)) ** 2")),
            ("exp overflows", (D_SIGMOID, "1 / (1 + np.exp(-x)) * (1 - 1 / (1 + np.exp(-x)))")),
            ("exp overflows", (D_TANH, "1 / np.cosh(x) ** 2")),
            (
                "exp overflows",
                (f"return {D_TANH}", "with np.errstate(over='ignore'):\n            return 1 / np.cosh(x) ** 2"),
            ),
            ("exp overflows", (D_ELU, "np.where(x > 0, 1.0, np.exp(x))")),
            ("x taken for the activated value", (D_SIGMOID, "x * (1 - x)"), (D_TANH, "1 - x**2")),
            ("x taken for the activated value", (D_SIGMOID, "x * (1 - x)")),
            ("x taken for the activated value", (D_TANH, "1 - x**2")),
            (
                "the function, not its slope",
                (D_SIGMOID, "np.where(x > 0, 1, e) / (1 + e)"),
                (D_TANH, "np.tanh(x)"),
                (D_RELU, "np.maximum(x, 0)"),
                (D_LEAKY, "np.maximum(x, 0.01 * x)"),
                (D_ELU, "np.where(x > 0, x, e - 1)"),
            ),
            ("the function, not its slope", (D_RELU, "np.maximum(x, 0)"), (D_LEAKY, "np.maximum(x, 0.01 * x)")),
            ("tanh not squared", (D_TANH, "1 - np.tanh(x)")),
            ("leaky slope 0.1", (D_LEAKY, "np.where(x > 0, 1.0, 0.1)")),
            ("leaky ReLU flat below zero", (D_LEAKY, "(x > 0) * 1.0")),
            ("value of ELU for its slope", (D_ELU, "np.where(x > 0, 1.0, e - 1)")),
            ("unknown name passes silently", (REFUSAL, "return np.ones_like(x)")),
            ("unknown name passes silently", (REFUSAL, "return None")),
        )
    ],
)


@mistaken("activation_gradient", "rounded to whole numbers")
def activation_gradient(name, x):
    e = np.exp(-np.abs(x))
    if name == "sigmoid":
        return e / (1 + e) ** 2
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    slope = np.ones_like(x)
    if name == "relu":
        slope[x <= 0] = 0
    elif name == "leaky_relu":
        slope[x <= 0] = 0.01
    elif name == "elu":
        slope[x <= 0] = np.exp(x[x <= 0])
    else:
        raise ValueError(name)
    return slope


@mistaken("activation_gradient", "KeyError instead of ValueError")
def activation_gradient(name, x):
    slopes = {
        "sigmoid": lambda: 0.25 * (1 - np.tanh(x / 2) ** 2),
        "tanh": lambda: 1 - np.tanh(x) ** 2,
        "relu": lambda: np.where(x > 0, 1.0, 0.0),
        "leaky_relu": lambda: np.where(x > 0, 1.0, 0.01),
        "elu": lambda: np.exp(np.minimum(x, 0.0)),
    }
    return slopes[name]()
