"""06_batchnorm: seven of the students, one story each. README.md says what each of them is worth.

The code comes from `tests/bank`, what no bank file has stands below.
"""

from __future__ import annotations

from sample_class.stories.handing_in import Assignment
from tests.bank import batchnorm

ASSIGNMENT = Assignment("06_batchnorm", "batchnorm.ipynb", written="scale_free", bank=batchnorm)
alternatives, mistake = ASSIGNMENT.alternatives, ASSIGNMENT.mistake
LEFT_OUT = ("layernorm_forward", "groupnorm_forward", "global_average_pool")

# -- one student's own code: everything is brought to columns, and the training is built of the earlier exercises ------

OWN_HELPERS = {
    "batchnorm_forward": """
def standardized(x, epsilon):
    std = np.sqrt(x.var(axis=0) + epsilon)
    return (x - x.mean(axis=0)) / std, std


def batchnorm_forward(x, gamma, beta, epsilon=1e-5):
    x_hat, _ = standardized(x, epsilon)
    return gamma * x_hat + beta
""",
    "identity_parameters": """
def identity_parameters(x, epsilon=1e-5):
    _, std = standardized(x, epsilon)
    return std, x.mean(axis=0)
""",
    "batchnorm_backward": """
def batchnorm_backward(grad_out, x, gamma, epsilon=1e-5):
    x_hat, std = standardized(x, epsilon)
    along = (grad_out * x_hat).mean(axis=0)
    grad_x = gamma / std * (grad_out - grad_out.mean(axis=0) - x_hat * along)
    return grad_x, len(x) * along, grad_out.sum(axis=0)
""",
    "batchnorm2d_forward": """
def columns(images):
    return np.moveaxis(images, 1, -1).reshape(-1, images.shape[1])


def like_images(rows, images):
    N, C, H, W = images.shape
    return np.moveaxis(rows.reshape(N, H, W, C), -1, 1)


def batchnorm2d_forward(x, gamma, beta, epsilon=1e-5):
    return like_images(batchnorm_forward(columns(x), gamma, beta, epsilon), x)
""",
    "batchnorm2d_backward": """
def batchnorm2d_backward(grad_out, x, gamma, epsilon=1e-5):
    grad_rows, grad_gamma, grad_beta = batchnorm_backward(columns(grad_out), columns(x), gamma, epsilon)
    return like_images(grad_rows, x), grad_gamma, grad_beta
""",
    "BatchNorm": """
class BatchNorm:
    def __init__(self, num_features, epsilon=1e-5, momentum=0.1):
        self.epsilon, self.momentum, self.training = epsilon, momentum, True
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)

    def moved(self, old, new):
        return old + self.momentum * (new - old)

    def __call__(self, x):
        if not self.training:
            scale = self.weight / np.sqrt(self.running_var + self.epsilon)
            return (x - self.running_mean) * scale + self.bias
        if len(x) == 1:
            raise ValueError("1 example has no variance")
        self.running_mean = self.moved(self.running_mean, x.mean(axis=0))
        self.running_var = self.moved(self.running_var, x.var(axis=0, ddof=1))
        return batchnorm_forward(x, self.weight, self.bias, self.epsilon)
""",
    "batchnorm_eval_backward": """
def slope(gamma, running_var, epsilon):
    return gamma / np.sqrt(running_var + epsilon)


def batchnorm_eval_backward(grad_out, gamma, running_var, epsilon=1e-5):
    return grad_out * slope(gamma, running_var, epsilon)
""",
    "fold_batchnorm": """
def fold_batchnorm(weight, bias, gamma, beta, running_mean, running_var, epsilon):
    scale = slope(gamma, running_var, epsilon)
    shifted = -running_mean if bias is None else bias - running_mean
    return (weight.T * scale).T, scale * shifted + beta
""",
    "layernorm_forward": """
def layernorm_forward(x, gamma, beta, epsilon=1e-5):
    x_hat, _ = standardized(x.reshape(-1, x.shape[-1]).T, epsilon)
    return gamma * x_hat.T.reshape(x.shape) + beta
""",
    "groupnorm_forward": """
def groupnorm_forward(x, gamma, beta, groups, epsilon=1e-5):
    N, C, H, W = x.shape
    if C % groups:
        raise ValueError(f"{groups} groups of {C} channels")
    x_hat = layernorm_forward(x.reshape(N, groups, -1), 1.0, 0.0, epsilon)
    return np.einsum("nchw,c->nchw", x_hat.reshape(x.shape), gamma) + beta[:, None, None]
""",
    "global_average_pool": """
def global_average_pool(x):
    N, C, H, W = x.shape
    return columns(x).reshape(N, H * W, C).mean(axis=1)
""",
    "train_deep_network": """
def train_deep_network(x, labels, seed):
    rng = np.random.default_rng(seed)
    targets = np.eye(labels.max() + 1)[labels]
    sizes = [x.shape[1], *[32] * 9, targets.shape[1]]
    weights = [0.05 * rng.normal(size=shape) for shape in zip(sizes, sizes[1:])]
    norms = [BatchNorm(32) for _ in weights[1:]]

    def forward(h):
        seen = []
        for weight, norm in zip(weights, norms):
            z = h @ weight
            out = norm(z)
            seen.append((h, z, out > 0))
            h = out * (out > 0)
        return h, seen

    for rate in np.linspace(0.1, 0, 8, endpoint=False):
        for rows in np.array_split(rng.permutation(len(x)), len(x) // 50):
            h, seen = forward(x[rows])
            e = np.exp(h @ weights[-1])
            grad_scores = (e / e.sum(axis=1, keepdims=True) - targets[rows]) / len(rows)
            grad_h = grad_scores @ weights[-1].T
            weights[-1] = weights[-1] - rate * h.T @ grad_scores
            for i in range(8, -1, -1):
                below, z, on = seen[i]
                grad_z, grad_gamma, grad_beta = batchnorm_backward(grad_h * on, z, norms[i].weight)
                grad_h = grad_z @ weights[i].T
                weights[i] = weights[i] - rate * below.T @ grad_z
                norms[i].weight = norms[i].weight - rate * grad_gamma
                norms[i].bias = norms[i].bias - rate * grad_beta
    for norm in norms:
        norm.training = False
    return lambda images: np.argmax(forward(images)[0] @ weights[-1], axis=1)
""",
}

# -- right, but it stands on what is wrong -----------------------------------------------------------------------------

FORWARD_2D_BY_ROWS = """
def batchnorm2d_forward(x, gamma, beta, epsilon=1e-5):
    N, C, H, W = x.shape
    rows = x.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    out = batchnorm_forward(rows, gamma, beta, epsilon)
    return out.reshape(N, H, W, C).transpose(0, 3, 1, 2)
"""

BACKWARD_2D_BY_ROWS = """
def batchnorm2d_backward(grad_out, x, gamma, epsilon=1e-5):
    N, C, H, W = x.shape
    grad_rows = grad_out.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    rows = x.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    grad_x, grad_gamma, grad_beta = batchnorm_backward(grad_rows, rows, gamma, epsilon)
    return grad_x.reshape(N, H, W, C).transpose(0, 3, 1, 2), grad_gamma, grad_beta
"""

# -- a loop that does not end: rounding never gives back exactly the batch that went in --------------------------------

ENDLESS_LOOP = """
def identity_parameters(x, epsilon=1e-5):
    gamma, beta = x.std(axis=0), x.mean(axis=0)
    out = batchnorm_forward(x, gamma, beta, epsilon)
    while not np.array_equal(out, x):
        gamma = gamma * x.std(axis=0) / out.std(axis=0)
        beta = beta + x.mean(axis=0) - out.mean(axis=0)
        out = batchnorm_forward(x, gamma, beta, epsilon)
    return gamma, beta
"""

WRITTEN_ANSWERS = {
    "ada-first-style": """
1. $z$ becomes $az$, and so do its mean and its standard deviation. In $(z - \\mu)/\\sqrt{v}$ the $a$ cancels. The chain
   rule on $L(aw) = L(w)$ gives $a \\nabla L(aw) = \\nabla L(w)$: longer weights have shorter gradients.
2. Derivative for $a$ at $a = 1$: $w \\cdot \\nabla L(w) = 0$. So $\\|w'\\|^2 = \\|w\\|^2 + \\eta^2 \\|\\nabla L\\|^2$,
   and $w$ only grows.
3. The first step makes $w$ huge. Then the gradient is tiny (part 1), and a step turns $w$ by $\\eta \\|\\nabla L\\| /
   \\|w\\|$, which falls like $1/\\|w\\|^2$.
4. The first friend: the function does not change, but shorter weights turn faster. Decay raises the effective rate.
""",
    "bela-second-style": """
1. Because of the division by the standard deviation, which has the factor a too. The gradient at aw is 1/a of the one
   at w.
2. L is constant along the ray through w, so the gradient has no part in this direction. Pythagoras: every step makes w
   longer.
3. With a learning rate of 1000, w is very long after a few steps, and then the steps are small compared with it.
4. Weight decay keeps w short and so the steps relatively large; it does something.
""",
    "chen-own-helpers": """
1. mean and std scale with a, x_hat does not. a * grad L(aw) = grad L(w), so the gradient shrinks as 1/a.
2. d/da L(aw) = w . grad L(aw) = 0 for all a. The step is at a right angle to w, hence |w'|^2 = |w|^2 + eta^2 |grad|^2.
3. eta / |w|^2 is what counts, and |w| grows until that is small.
4. Decay works against this growth. The effective learning rate stays up, so it does matter.
""",
}


def students() -> dict[str, dict[str, str]]:
    """Student → the files handed in, by name."""
    first, second, third = (alternatives(number) for number in range(3))
    half = {name: code for name, code in first.items() if name not in LEFT_OUT}
    codes = {
        "ada-first-style": first,
        "bela-second-style": second,
        "chen-own-helpers": third | OWN_HELPERS,
        "dara-half-done": half
        | mistake("BatchNorm", "updates in evaluation")
        | mistake("train_deep_network", "batch statistics in prediction")
        | mistake("repaired_batchnorm2d_backward", "gamma still before one term"),
        "ivo-lent-backward": second
        | mistake("batchnorm_forward", "unbiased variance")
        | {"batchnorm2d_forward": FORWARD_2D_BY_ROWS}
        | mistake("batchnorm_backward", "path through the variance dropped")
        | {"batchnorm2d_backward": BACKWARD_2D_BY_ROWS}
        | mistake("identity_parameters", "epsilon left out"),
        "juno-untouched": {},
        "milo-endless-loop": second | {"identity_parameters": ENDLESS_LOOP},
    }
    return ASSIGNMENT.files(
        {student: ASSIGNMENT.handed_in(code, WRITTEN_ANSWERS.get(student, "")) for student, code in codes.items()}
    )
