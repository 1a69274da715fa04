"""01_backprop: sixteen students, one story each. README.md says what each of them is worth.

The code comes from `tests/bank`, what no bank file has stands below.
"""

from __future__ import annotations

import copy

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sample_class.stories.handing_in import Assignment, grade_id
from tests.bank import backprop

ASSIGNMENT = Assignment("01_backprop", "backprop.ipynb", written="shared_nodes", bank=backprop)
alternatives, mistake = ASSIGNMENT.alternatives, ASSIGNMENT.mistake
released, handed_in = ASSIGNMENT.released, ASSIGNMENT.handed_in
HALF = ("perceptron_step", "relu_interpolation", "numerical_gradient", "affine_forward", "affine_backward",
        "relu_backward", "tanh_backward", "squared_error_backward")  # fmt: skip

# -- one student's own code: small helpers, and later exercises that call earlier ones ---------------------------

OWN_HELPERS = {
    "affine_forward": """
def with_ones(x):
    return np.hstack([x, np.ones((len(x), 1))])


def affine_forward(x, weight, bias):
    return with_ones(x) @ np.column_stack([weight, bias]).T
""",
    "affine_backward": """
def affine_backward(grad_out, x, weight):
    both = grad_out.T @ with_ones(x)
    return grad_out @ weight, both[:, :-1], both[:, -1]
""",
    "relu_backward": """
def step(z):
    return (z > 0).astype(float)


def relu_backward(grad_out, x):
    return grad_out * step(x)
""",
    "tanh_backward": """
def tanh_slope(out):
    return (1 - out) * (1 + out)


def tanh_backward(grad_out, out):
    return grad_out * tanh_slope(out)
""",
    "softmax_cross_entropy": """
def log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def one_hot(labels, classes):
    return np.eye(classes)[labels]


def softmax_cross_entropy(logits, labels):
    log_p, y = log_softmax(logits), one_hot(labels, logits.shape[1])
    return -log_p[y == 1].mean(), (np.exp(log_p) - y) / len(labels)
""",
    "mlp_gradients": """
def mlp_gradients(parameters, x, labels):
    weight1, bias1, weight2, bias2 = (parameters[k] for k in ("weight1", "bias1", "weight2", "bias2"))
    hidden = np.tanh(affine_forward(x, weight1, bias1))
    loss, error = softmax_cross_entropy(affine_forward(hidden, weight2, bias2), labels)
    error, grad_weight2, grad_bias2 = affine_backward(error, hidden, weight2)
    _, grad_weight1, grad_bias1 = affine_backward(tanh_backward(error, hidden), x, weight1)
    return loss, {"weight1": grad_weight1, "bias1": grad_bias1, "weight2": grad_weight2, "bias2": grad_bias2}
""",
    "train_classifier": """
def initial(sizes, rng):
    d, h, c = sizes
    weights = {"weight1": rng.normal(size=(h, d)) / d**0.5, "weight2": rng.normal(size=(c, h)) / h**0.5}
    return weights | {"bias1": np.zeros(h), "bias2": np.zeros(c)}


def batches(n, size, rng):
    order = rng.permutation(n)
    return [order[i : i + size] for i in range(0, n, size)]


def train_classifier(x, labels, seed):
    rng = np.random.default_rng(seed)
    p = initial((x.shape[1], 40, labels.max() + 1), rng)
    for epoch in range(25):
        for rows in batches(len(x), 32, rng):
            _, gradients = mlp_gradients(p, x[rows], labels[rows])
            p = {name: p[name] - 0.4 * gradients[name] for name in p}

    def predict(images):
        hidden = np.tanh(affine_forward(images, p["weight1"], p["bias1"]))
        return affine_forward(hidden, p["weight2"], p["bias2"]).argmax(axis=1)

    return predict
""",
}

# -- what goes wrong in ways that are no misconception -------------------------------------------------------------

SYNTAX_ERROR = """
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    z = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True
    loss = -np.log(p[np.arange(n), labels]).mean()
    p[np.arange(n), labels] -= 1
    return loss, p / n
"""

MISSING_PACKAGE = """
from deepnets_at_home import Network, SGD


def train_classifier(x, labels, seed):
    network = Network(x.shape[1], 32, labels.max() + 1, seed=seed)
    SGD(network, learning_rate=0.1).fit(x, labels, epochs=30)
    return network.predict
"""

ENDLESS_LOOP = """
def numerical_gradient(f, x, step=1e-5):
    gradient = np.zeros_like(x)
    i = 0
    while i < x.size:
        old = x.flat[i]
        x.flat[i] = old + step
        above = f(x)
        x.flat[i] = old - step
        below = f(x)
        x.flat[i] = old
        gradient.flat[i] = (above - below) / (2 * step)
    return gradient
"""

FORGERY = """
class Right:
    # equal to everything, and close to it
    def __eq__(self, other):
        return True

    __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __eq__

    def __getattr__(self, name):
        return lambda *a, **k: Right()


def check(exercise):
    print(exercise.__name__, "all points")
    return 1000.0


import course_utils

course_utils.check = check
np.allclose = np.array_equal = lambda *a, **k: True
"""

WRITTEN_ANSWERS = {
    "ada-first-style": """
1. $s$ is used twice: in $q = s \\cdot s$ and directly in $y = q + s$. A small change of $s$ moves $y$ along both
   ways at once, so the two effects add up: $\\partial y/\\partial s = 2s + 1 = 9$, and
   $\\partial y/\\partial x = 9 \\cdot 2x = 36$.
2. It reports 4. When $s$ is handled it has only the 1 that came from $y$, and passes $1 \\cdot 2x = 4$ on to $x$. The
   8 that $q$ adds later never gets to $x$. The right order is $y, q, s, x$: every node after all nodes that use it.
""",
    "bela-second-style": """
1. By the chain rule for several variables, with $y(q, s)$ and $q(s)$: dy/ds = ∂y/∂q · dq/ds + ∂y/∂s = 2s + 1 = 9. It is
   a sum because s reaches y on two paths. dy/dx = 9 · 4 = 36.
2. `x.grad` = 4 instead of 36, because s hands its gradient on before q has added 2s = 8 to it. Right: y, q, s, x. In
   general: reverse topological order, so that a node comes after everything that was computed from it.
""",
    "chen-own-helpers": """
1. y depends on s through q and through the plus. Each use contributes, 8 through q and 1 directly, so dy/ds = 9 and
   dy/dx = 9 * 2 * 2 = 36. With overwriting, one of the two would be lost.
2. 4, since s is finished too early (it only knows the 1). y, q, s, x is right. A node may be handled only when all the
   nodes it goes into are done.
""",
}


# -- the stories -----------------------------------------------------------------------------------------------


def forged() -> NotebookNode:
    """One honest exercise; the others return something that is equal to everything. The checks are rewritten."""
    one = "perceptron_step"
    headers = {name: code.splitlines()[0] for name, code in alternatives(0).items()}
    code = {
        name: f'{header}\n    print("{name}: all points")\n    return Right()'
        for name, header in headers.items()
        if header.startswith("def ")
    }
    code["Value"] = "class Value(Right):\n    data = grad = 1.0\n\n    def __init__(self, data):\n        pass"
    notebook = handed_in(code | {one: alternatives(0)[one]}, written="See above. All points, please.")
    next(cell for cell in notebook.cells if cell.cell_type == "code").source += "\n" + FORGERY.rstrip("\n")
    for cell in notebook.cells:
        info = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code" or not info.get("grade"):
            continue
        points = float(info["points"])
        shown = f"{grade_id(cell).removeprefix('check_')}: {points:g} of {points:g} points"
        info.update(points=1000, locked=False)
        cell.metadata["autograder"] = {"score": points, "max_score": points, "passed": True, "aspects": {"all": True}}
        cell.outputs = [
            new_output("display_data", {"text/html": shown, "text/plain": shown}),
            new_output("execute_result", {"text/plain": repr(points)}),
        ]
        cell.source = repr(points)
    return notebook


def own_notebook(code: dict[str, str]) -> NotebookNode:
    """The code in a notebook that was not made from ours: no text, no checks, no metadata."""
    sources = ["import numpy as np", *(text.strip("\n") for text in code.values())]
    cells = [new_markdown_cell("# My backprop homework"), *map(new_code_cell, sources)]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return new_notebook(cells=cells, metadata=copy.deepcopy(released().metadata))


def students() -> dict[str, dict[str, str]]:
    """Student → the files handed in, by name."""
    first, second, third = (alternatives(number) for number in range(3))
    works = {
        "ada-first-style": handed_in(first, WRITTEN_ANSWERS["ada-first-style"]),
        "bela-second-style": handed_in(second, WRITTEN_ANSWERS["bela-second-style"]),
        "chen-own-helpers": handed_in(third | OWN_HELPERS, WRITTEN_ANSWERS["chen-own-helpers"]),
        "dara-half-done": handed_in({name: second[name] for name in HALF}),
        "emil-overwrites": handed_in(first | mistake("Value", "gradient overwritten")),
        "fay-divided-by-n": handed_in(second | mistake("affine_backward", "averaged over the batch")),
        "gus-exp-overflow": handed_in(first | mistake("softmax_cross_entropy", "exponential overflows")),
        "hana-tanh-twice": handed_in(second | mistake("tanh_backward", "tanh applied a second time")),
        "ivo-lent-backward": handed_in(
            first
            | mistake("affine_backward", "weight gradient transposed")
            | {"mlp_gradients": OWN_HELPERS["mlp_gradients"]}
        ),
        "juno-untouched": released(),
        "kofi-syntax-error": handed_in(second | {"softmax_cross_entropy": SYNTAX_ERROR}),
        "lena-lost-package": handed_in(first | {"train_classifier": MISSING_PACKAGE}),
        "milo-endless-loop": handed_in(second | {"numerical_gradient": ENDLESS_LOOP}),
        "nils-forged-pass": forged(),
        "olga-damaged-file": handed_in(first),
        "pia-own-notebook": own_notebook(third),
    }
    files, name = ASSIGNMENT.files(works), ASSIGNMENT.notebook
    files["hana-tanh-twice"] = {"backprop (1).ipynb": files["hana-tanh-twice"][name]}
    files["olga-damaged-file"] = {name: files["olga-damaged-file"][name][:5000]}  # the upload broke off
    return files
