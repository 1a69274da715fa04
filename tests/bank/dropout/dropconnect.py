"""What students write for dropconnect_forward."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("dropconnect_forward", "one example at a time")
def dropconnect_forward(x, weight, bias, drop_probability, rng):
    out = np.zeros((len(x), len(weight)))
    for n in range(len(x)):
        mask = rng.binomial(1, 1 - drop_probability, size=weight.shape)
        out[n] = (mask * weight / (1 - drop_probability)) @ x[n] + bias
    return out


@alternative("dropconnect_forward", "one product at a time, last example first")
def dropconnect_forward(x, weight, bias, drop_probability, rng):
    out = np.tile(bias, (len(x), 1))
    for n in reversed(range(len(x))):
        for o in range(len(weight)):
            for i in range(x.shape[1]):
                if rng.random() >= drop_probability:
                    out[n, o] += weight[o, i] * x[n, i] / (1 - drop_probability)
    return out


@alternative("dropconnect_forward", "broadcasting, the mask drawn input by input, float32")
def dropconnect_forward(x, weight, bias, drop_probability, rng):
    dropped = rng.random((x.shape[1], len(x), len(weight))) < drop_probability
    terms = (x[:, None, :] * weight).astype(np.float32)
    terms[np.moveaxis(dropped, 0, -1)] = 0
    return terms.sum(axis=-1) / np.float32(1 - drop_probability) + bias.astype(np.float32)


PLAIN = """def dropconnect_forward(x, weight, bias, drop_probability, rng):
    N, (O, D) = len(x), weight.shape
    keep = rng.random((N, O, D)) >= drop_probability
    terms = keep * weight * x[:, None, :]
    return terms.sum(axis=-1) / (1 - drop_probability) + bias
"""
DRAW, SCALE = "rng.random((N, O, D))", " / (1 - drop_probability)"
OUTPUTS = """    full = x @ weight.T
    keep = rng.random(full.shape) >= drop_probability
    return full * keep / (1 - drop_probability) + bias
    keep = """
FIXED = "rng.permutation(N * O * D).reshape(N, O, D) >= round(drop_probability * N * O * D)"

mistaken_changes(
    __name__,
    "dropconnect_forward",
    PLAIN,
    (
        ("no scaling", (SCALE, "")),
        ("divided by p", (SCALE, " / drop_probability")),
        ("multiplied by 1 − p", (SCALE, " * (1 - drop_probability)")),
        ("divided by the share of this mask", (SCALE, " / keep.mean()")),
        ("keep and drop swapped", (">=", "<")),
        ("keep and drop swapped", (">=", "<"), (SCALE, " / drop_probability")),
        ("keep and drop swapped", (">=", "<"), (SCALE, "")),
        ("DropConnect on activations", (DRAW, "rng.random((N, 1, D))")),
        ("outputs dropped", (DRAW, "rng.random((N, O, 1))")),
        ("outputs dropped", ("    keep = ", OUTPUTS)),
        ("outputs dropped", ("    keep = ", OUTPUTS.replace(" + bias", "").replace("weight.T", "weight.T + bias"))),
        ("one mask for the whole batch", (DRAW, "rng.random((O, D))")),
        (
            "bias dropped too",
            (SCALE + " + bias", SCALE + " + bias * (rng.random((N, O)) >= drop_probability)"),
        ),
        (
            "bias dropped too",
            (" / (1 - drop_probability) + bias", ""),
            ("return ", "return (bias * (rng.random((N, O)) >= drop_probability) + "),
            ("axis=-1)", "axis=-1)) / (1 - drop_probability)"),
        ),
        ("bias scaled too", ("terms.sum(axis=-1)" + SCALE + " + bias", "(terms.sum(axis=-1) + bias)" + SCALE)),
        ("bias forgotten", (" + bias", "")),
        ("nothing dropped", ("    keep = ", "    return x @ weight.T + bias\n    keep = ")),
        ("same mask at every call", (DRAW, "np.random.default_rng(0).random((N, O, D))")),
        ("rng not used", (DRAW, "np.random.rand(N, O, D)")),
        ("a fixed number dropped", (DRAW + " >= drop_probability", FIXED)),
    ),
)
