"""05_dropout: seven of the students, one story each. README.md says what each of them is worth.

The code comes from `tests/bank`, what no bank file has stands below.
"""

from __future__ import annotations

from sample_class.stories.handing_in import Assignment
from tests.bank import dropout

ASSIGNMENT = Assignment("05_dropout", "dropout.ipynb", written="odd_log", bank=dropout)
alternatives, mistake = ASSIGNMENT.alternatives, ASSIGNMENT.mistake

# -- one student's own code: one function draws all masks, the penalties and the training share small helpers ----------

OWN_HELPERS = {
    "dropout_forward": """
def kept(shape, keep_probability, rng):
    # on average this share of a mask is 1, the rest is 0
    return np.floor(rng.random(shape) + keep_probability)


def dropout_forward(x, drop_probability, rng, training=True):
    keep = 1 - drop_probability if training else 1.0
    mask = kept(x.shape, keep, rng)
    return x * mask / keep, mask
""",
    "dropout_backward": """
def dropout_backward(grad_out, keep_mask, drop_probability):
    return grad_out * (keep_mask / (1 - drop_probability))
""",
    "classic_dropout": """
def classic_dropout(x, keep_probability, rng, training=True):
    return x * (kept(x.shape, keep_probability, rng) if training else keep_probability)
""",
    "dropconnect_forward": """
def dropconnect_forward(x, weight, bias, drop_probability, rng):
    masks = kept((len(x), *weight.shape), 1 - drop_probability, rng)
    return np.einsum("noi,oi,ni->no", masks, weight, x) / (1 - drop_probability) + bias
""",
    "channel_dropout": """
def channel_dropout(x, drop_probability, rng):
    masks = kept((*x.shape[:2], 1, 1), 1 - drop_probability, rng)
    return x * masks / (1 - drop_probability)
""",
    "l2_penalty": """
def penalty_and_gradients(weights, strength, value, slope):
    return strength * sum(value(w).sum() for w in weights), [strength * slope(w) for w in weights]


def l2_penalty(weights, strength):
    return penalty_and_gradients(weights, strength, lambda w: w**2 / 2, lambda w: w)
""",
    "l1_penalty": """
def l1_penalty(weights, strength):
    return penalty_and_gradients(weights, strength, np.abs, np.sign)
""",
    "regularized_training": """
def errors_of(scores, targets):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True) - targets) / len(targets)


def regularized_training(x, labels, seed):
    rng = np.random.default_rng(seed)
    targets = np.eye(labels.max() + 1)[labels]
    w1 = rng.normal(size=(x.shape[1], 100)) * (2 / x.shape[1]) ** 0.5
    w2 = rng.normal(size=(100, targets.shape[1])) / 10
    v1, v2 = 0 * w1, 0 * w2
    for _ in range(400):
        rows = rng.permutation(len(x))[:50]
        seen, _ = dropout_forward(x[rows], 0.2, rng)
        z = seen @ w1
        h, mask = dropout_forward(np.maximum(z, 0), 0.5, rng)
        error = errors_of(h @ w2, targets[rows])
        _, (decay1, decay2) = l2_penalty([w1, w2], 0.01)
        below = dropout_backward(error @ w2.T, mask, 0.5) * (z > 0)
        v1, v2 = 0.9 * v1 - 0.05 * (seen.T @ below + decay1), 0.9 * v2 - 0.05 * (h.T @ error + decay2)
        w1, w2 = w1 + v1, w2 + v2
    return lambda images: np.argmax(np.maximum(images @ w1, 0) @ w2, axis=1)
""",
}

# -- right, but it stands on what is wrong: all images at once, and so few steps -------------------------------------

TRAINING_BY_PARTS = """
def regularized_training(x, labels, seed):
    rng = np.random.default_rng(seed)
    y = np.eye(labels.max() + 1)[labels]
    W1 = rng.normal(size=(x.shape[1], 60)) / np.sqrt(x.shape[1])
    W2 = rng.normal(size=(60, y.shape[1])) / np.sqrt(60)
    v1, v2 = np.zeros_like(W1), np.zeros_like(W2)
    for step in range(100):
        t = np.tanh(x @ W1)
        h, mask = dropout_forward(t, 0.3, rng)
        p = np.exp(h @ W2)
        p /= p.sum(axis=1, keepdims=True)
        grad_scores = (p - y) / len(x)
        grad_t = dropout_backward(grad_scores @ W2.T, mask, 0.3)
        penalty, (decay1, decay2) = l2_penalty([W1, W2], 0.01)
        v1 = 0.9 * v1 - 0.1 * (x.T @ (grad_t * (1 - t**2)) + decay1)
        v2 = 0.9 * v2 - 0.1 * (h.T @ grad_scores + decay2)
        W1 = W1 + v1
        W2 = W2 + v2

    def predict(images):
        return np.argmax(np.tanh(images @ W1) @ W2, axis=1)

    return predict
"""

# -- a loop that does not end: 1,728 maps cannot be dropped by exactly 70 % --------------------------------------------

ENDLESS_LOOP = """
def channel_dropout(x, drop_probability, rng):
    keep = rng.random(x.shape[:2]) >= drop_probability
    while keep.mean() != 1 - drop_probability:
        keep = rng.random(x.shape[:2]) >= drop_probability
    return x * keep[:, :, None, None] / (1 - drop_probability)
"""

WRITTEN_ANSWERS = {
    "ada-first-style": """
1. The training loss is that of thinned networks, with half of the units missing; the validation loss is that of the
   whole network. Measure the loss on the training set in evaluation: if I am right it comes out below 0.31.
2. Each of the two layers after a dropped one gets twice what it got on average in training. So the logits are
   $2 \\cdot 2 = 4$ times too large. Their order stays, and the accuracy with it. But the probabilities go to 0 and 1,
   and each mistake becomes very expensive: the loss rises.
3. For a linear output scaling *is* the average, exactly. In other networks a mean of 1000 has an error too, of order
   $1/\\sqrt{1000}$, and costs 1000 passes.
""",
    "bela-second-style": """
1. With dropout on, the network that is measured in training is a weaker one. Switch it off and measure the training
   loss again.
2. 4 = 2 for each of the two layers. argmax is the same, so the accuracy is the same; the softmax is much too sure, so
   the loss is higher.
3. Scaling gives the geometric mean for a softmax layer exactly. Sampling costs 1000 times as much, and we saw no
   difference in the error.
""",
    "chen-own-helpers": """
1. 0.42 was measured with masks (and over the whole epoch, from its worse beginning on), 0.31 without. The training loss
   without masks decides.
2. No factor 1/2 in use, twice: 4 times too large. It does not change which logit is largest. The log of the
   probability of the true class gets worse wherever the network is wrong.
3. 1000 networks are an estimate with an error of about 3 % of the spread, the scaled one is exact for linear outputs
   and nearly as good elsewhere, for a thousandth of the price.
""",
}


def students() -> dict[str, dict[str, str]]:
    """Student → the files handed in, by name."""
    first, second, third = (alternatives(number) for number in range(3))
    codes = {
        "ada-first-style": first,
        "bela-second-style": second,
        "chen-own-helpers": third | OWN_HELPERS,
        "ivo-lent-backward": second
        | mistake("dropconnect_forward", "DropConnect on activations")
        | mistake("l2_penalty", "weights already updated")
        | {"regularized_training": TRAINING_BY_PARTS}
        | mistake("EarlyStopping", "stops one epoch late"),
        "juno-untouched": {},
        "milo-endless-loop": second | {"channel_dropout": ENDLESS_LOOP},
        "nils-forged-pass": first
        | mistake("dropout_forward", "same mask at every call")
        | mistake("channel_dropout", "same mask at every call")
        | mistake("dropconnect_forward", "rng not used")
        | mistake("monte_carlo_predict", "one mask for all samples")
        | mistake("regularized_training", "randomness of its own"),
    }
    return ASSIGNMENT.files(
        {student: ASSIGNMENT.handed_in(code, WRITTEN_ANSWERS.get(student, "")) for student, code in codes.items()}
    )
