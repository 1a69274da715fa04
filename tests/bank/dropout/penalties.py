"""What students write for l2_penalty and l1_penalty."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("l2_penalty", "norms, one array after the other")
def l2_penalty(weights, strength):
    penalty, gradients = 0.0, []
    for w in weights:
        penalty += strength / 2 * np.linalg.norm(w) ** 2
        gradients.append(w * strength)
    return penalty, gradients


@alternative("l2_penalty", "dot products of flat arrays, float32")
def l2_penalty(weights, strength):
    flat = np.concatenate([w.ravel() for w in weights]).astype(np.float32)
    gradients = tuple((strength * w).astype(np.float32) for w in weights)
    return np.float32(strength) * flat.dot(flat) / 2, gradients


@alternative("l1_penalty", "one element at a time")
def l1_penalty(weights, strength):
    penalty, gradients = 0.0, []
    for w in weights:
        g = np.zeros(w.shape)
        for index in np.ndindex(w.shape):
            penalty += strength * abs(w[index])
            if w[index] != 0:
                g[index] = strength if w[index] > 0 else -strength
        gradients.append(g)
    return penalty, gradients


@alternative("l1_penalty", "positive and negative parts")
def l1_penalty(weights, strength):
    parts = [(w > 0).astype(float) - (w < 0) for w in weights]
    penalty = sum((w * part).sum() for w, part in zip(weights, parts))
    return strength * penalty, [strength * part for part in parts]


L2 = """def l2_penalty(weights, strength):
    penalty, gradients = 0.0, []
    for w in weights:
        penalty += 0.5 * strength * np.sum(w**2)
        gradients.append(strength * w)
    return penalty, gradients
"""
L1 = """def l1_penalty(weights, strength):
    penalty, gradients = 0.0, []
    for w in weights:
        penalty += strength * np.sum(np.abs(w))
        gradients.append(strength * np.sign(w))
    return penalty, gradients
"""
RETURN = "    return penalty, gradients"


def shared(penalty, gradient):
    """Mistakes about lists and strengths, from the lines that make one array's penalty and gradient."""
    return (
        ("only one array counted", ("penalty +=", "penalty =")),
        ("only one array counted", (RETURN, f"    w = weights[0]\n    penalty = {penalty}\n{RETURN}")),
        ("mean for sum", ("np.sum(", "np.mean(")),
        ("mean for sum", ("np.sum(", "np.mean("), (f"append({gradient})", f"append({gradient} / w.size)")),
        ("mean for sum", (RETURN, f"    penalty /= sum(w.size for w in weights)\n{RETURN}")),
        ("strength left out", (f"append({gradient})", f"append({gradient.replace('strength * ', '')})")),
        ("strength left out", (penalty, penalty.replace("strength * ", ""))),
        ("strength left out", ("strength * ", "")),
        ("weights already updated", (f"append({gradient})", f"append(w - {gradient})")),
        ("gradient with a minus", (f"append({gradient})", f"append(-{gradient})")),
    )


mistaken_changes(
    __name__,
    "l2_penalty",
    L2,
    (
        ("penalty without the half", ("0.5 * ", "")),
        ("penalty without the half", ("0.5 * ", ""), ("append(", "append(2 * ")),
        ("gradient doubled", ("append(", "append(2 * ")),
        ("half left in the gradient", ("append(", "append(0.5 * ")),
        ("norm not squared", ("np.sum(w**2)", "np.sqrt(np.sum(w**2))")),
        ("norm not squared", ("0.5 * strength * np.sum(w**2)", "strength * np.linalg.norm(w)")),
        (
            "norm not squared",
            ("0.5 * strength * ", ""),
            (RETURN, f"    penalty = strength / 2 * penalty**0.5\n{RETURN}"),
        ),
        ("L1 for L2", ("0.5 * strength * np.sum(w**2)", "strength * abs(w).sum()"), ("* w)", "* np.sign(w))")),
        ("signs lost in the gradient", ("append(strength * w)", "append(strength * np.abs(w))")),
        *shared("0.5 * strength * np.sum(w**2)", "strength * w"),
    ),
)
mistaken_changes(
    __name__,
    "l1_penalty",
    L1,
    (
        ("slope 1 at 0", ("np.sign(w)", "np.where(w >= 0, 1, -1)")),
        ("slope 1 at 0", ("np.sign(w)", "np.where(w > 0, 1, -1)")),
        ("divided by |w|", ("np.sign(w)", "w / np.abs(w)")),
        ("gradient of L2", ("np.sign(w)", "w")),
        ("gradient of L2", ("np.sign(w)", "w"), ("np.sum(np.abs(w))", "np.sum(w**2)")),
        ("no absolute value", ("np.abs(w)", "w")),
        ("no absolute value", ("np.abs(w)", "w"), ("np.sign(w)", "np.ones(w.shape)")),
        ("absolute value of the sum", ("np.sum(np.abs(w))", "np.abs(np.sum(w))")),
        ("half where there is none", ("penalty += ", "penalty += 0.5 * ")),
        ("half where there is none", ("penalty += ", "penalty += 0.5 * "), ("append(", "append(0.5 * ")),
        ("slope without a sign", ("np.sign(w)", "np.ones_like(w)")),
        *shared("strength * np.sum(np.abs(w))", "strength * np.sign(w)"),
    ),
)
