"""03_initialization: seven of the students, one story each. README.md says what each of them is worth.

The code comes from `tests/bank`, what no bank file has stands below.
"""

from __future__ import annotations

from sample_class.stories.handing_in import Assignment
from tests.bank import initialization

ASSIGNMENT = Assignment("03_initialization", "initialization.ipynb", written="faint_network", bank=initialization)
alternatives, mistake = ASSIGNMENT.alternatives, ASSIGNMENT.mistake

# -- one student's own code: what runs through a network calls activation, what draws weights calls fans -----------

OWN_HELPERS = {
    "activation": """
def sigma(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0) / (1 + e)


def below_zero(x, rest):
    return np.where(x > 0, x, rest)


def activation(name, x):
    if name == "sigmoid":
        return sigma(x)
    if name == "tanh":
        return 2 * sigma(2 * np.asarray(x)) - 1
    if name == "relu":
        return below_zero(x, 0.0)
    if name == "leaky_relu":
        return below_zero(x, 0.01 * x)
    if name == "elu":
        return below_zero(x, np.expm1(np.minimum(x, 0)))
    raise ValueError(f"activation {name!r}")
""",
    "activation_gradient": """
def activation_gradient(name, x):
    y = activation(name, x)
    if name == "sigmoid":
        return y * sigma(-x)
    if name == "tanh":
        return 4 * sigma(2 * x) * sigma(-2 * x)
    return np.where(x > 0, 1.0, {"relu": 0.0, "leaky_relu": 0.01, "elu": y + 1}[name])
""",
    "xavier_normal": """
def xavier_variance(shape, gain):
    return gain**2 * 2 / sum(fans(shape))


def xavier_normal(shape, rng, gain=1.0):
    return rng.normal(size=shape) * xavier_variance(shape, gain) ** 0.5
""",
    "xavier_uniform": """
def evenly(shape, rng, variance):
    bound = (3 * variance) ** 0.5
    return rng.uniform(-bound, bound, shape)


def xavier_uniform(shape, rng, gain=1.0):
    return evenly(shape, rng, xavier_variance(shape, gain))
""",
    "he_normal": """
def he_variance(shape, negative_slope):
    fan_in, _ = fans(shape)
    return 2 / (1 + negative_slope**2) / fan_in


def he_normal(shape, rng, negative_slope=0.0):
    return rng.normal(size=shape) * he_variance(shape, negative_slope) ** 0.5
""",
    "he_uniform": """
def he_uniform(shape, rng, negative_slope=0.0):
    return evenly(shape, rng, he_variance(shape, negative_slope))
""",
    "forward_statistics": """
def through(weights, x, name):
    # the pre-activations and the activations of each layer
    for weight in weights:
        z = x @ weight.T
        x = activation(name, z)
        yield z, x


def forward_statistics(weights, x, name):
    return [(h.mean(), h.std()) for z, h in through(weights, x, name)]
""",
    "gradient_statistics": """
def gradient_statistics(weights, x, name, grad_out):
    slopes = [activation_gradient(name, z) for z, h in through(weights, x, name)]
    errors = [grad_out * slopes[-1]]
    for weight, slope in zip(weights[:0:-1], slopes[-2::-1]):
        errors.insert(0, errors[0] @ weight * slope)
    return [error.std() for error in errors]
""",
    "empirical_gain": """
def empirical_gain(name, samples):
    return np.mean(activation(name, samples) ** 2) ** -0.5
""",
    "dead_relu_fraction": """
def dead_relu_fraction(weights, biases, x):
    shares = []
    for weight, bias in zip(weights, biases):
        x = activation("relu", x @ weight.T + bias)
        shares.append(1 - np.any(x > 0, axis=0).mean())
    return shares
""",
    "lsuv": """
def lsuv(weights, x, name):
    done = []
    for weight in weights:
        done.append(weight / (x @ weight.T).std())
        x = activation(name, x @ done[-1].T)
    return done
""",
    "repaired_he_normal": """
def repaired_he_normal(shape, rng):
    fan_in, fan_out = fans(shape)
    return rng.normal(0.0, np.sqrt(2.0 / fan_in), size=shape)
""",
}

# -- right, but it stands on what is wrong ---------------------------------------------------------------------------

HE_BY_FANS = """
def he_normal(shape, rng, negative_slope=0.0):
    fan_in, fan_out = fans(shape)
    std = np.sqrt(2 / ((1 + negative_slope**2) * fan_in))
    return rng.normal(0, std, size=shape)
"""

BACKWARD_BY_SLOPES = """
def gradient_statistics(weights, x, name, grad_out):
    z = []
    h = x
    for W in weights:
        z.append(h @ W.T)
        h = activation(name, z[-1])
    stds = [0.0] * len(weights)
    grad = grad_out
    for l in reversed(range(len(weights))):
        delta = grad * activation_gradient(name, z[l])
        stds[l] = delta.std()
        grad = delta @ weights[l]
    return stds
"""

# -- a loop that does not end: no draw has the wanted spread exactly ---------------------------------------------------

ENDLESS_LOOP = """
def he_normal(shape, rng, negative_slope=0.0):
    std = np.sqrt(2 / ((1 + negative_slope**2) * np.prod(shape[1:])))
    weights = rng.normal(0, std, size=shape)
    while weights.std() != std:
        weights = rng.normal(0, std, size=shape)
    return weights
"""

WRITTEN_ANSWERS = {
    "ada-first-style": """
1. $E[z_l^2] = 300 \\cdot \\frac{1}{300} \\cdot E[h_{l-1}^2] = E[h_{l-1}^2]$, and a ReLU halves the mean square of
   what is symmetric about 0. There are 19 ReLUs before $z_{20}$: $2^{-19} \\approx 1.9 \\cdot 10^{-6}$. Backward the
   weights keep the mean square too, and $\\varphi'$ sets half of the entries to 0, 19 times between layer 20 and
   layer 1: $2^{-19}$.
2. $\\delta_l$ has mean square $2^{-(20 - l)}$, $h_{l-1}$ has $2^{-(l-1)}$. The product is $2^{-19}$ in every layer, so
   it does not depend on $l$.
3. Not as good: as soon as the weights have grown, the gradients are hundreds of times larger, and then the rate is
   much too large.
""",
    "bela-second-style": """
1. Both are 2^(-19). Forward: each of the 19 ReLUs before the last pre-activations throws away half of the mean square.
   Backward: each of 19 slopes is zero for half of the units.
2. Not at all. A late layer has a small h and a large delta, an early one the other way round; the factors 2^-(l-1) and
   2^-(20-l) always give 2^-19.
3. No. The rate that is right at the start is far too large once the signals pass.
""",
    "chen-own-helpers": """
1. 2**-19 and 2**-19: one factor 1/2 for each ReLU between the first and the last pre-activations, in both directions.
2. (1/2)**(20 - l) * (1/2)**(l - 1) = 2**-19, the same for all l.
3. It would work for the first step only. The gradient grows when the weights grow, a fixed large rate then diverges.
""",
}


def students() -> dict[str, dict[str, str]]:
    """Student → the files handed in, by name."""
    first, second, third = (alternatives(number) for number in range(3))
    codes = {
        "ada-first-style": first,
        "bela-second-style": second,
        "chen-own-helpers": third | OWN_HELPERS,
        "gus-exp-overflow": first
        | mistake("activation", "exp overflows")
        | mistake("activation_gradient", "exp overflows")
        | mistake("standardize", "0 / 0 for constant features"),
        "ivo-lent-backward": first
        | mistake("activation_gradient", "x taken for the activated value")
        | {"gradient_statistics": BACKWARD_BY_SLOPES}
        | mistake("fans", "(in, out) taken for (out, in)")
        | {"he_normal": HE_BY_FANS}
        | mistake("dead_relu_fraction", "share of zero outputs"),
        "juno-untouched": {},
        "milo-endless-loop": second | {"he_normal": ENDLESS_LOOP},
    }
    return ASSIGNMENT.files(
        {student: ASSIGNMENT.handed_in(code, WRITTEN_ANSWERS.get(student, "")) for student, code in codes.items()}
    )
