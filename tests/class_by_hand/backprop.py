"""01_backprop: who gets what."""

FULL = {
    "perceptron_step": 5,
    "relu_interpolation": 6,
    "numerical_gradient": 7,
    "affine_forward": 4,
    "affine_backward": 9,
    "relu_backward": 4,
    "tanh_backward": 4,
    "squared_error_backward": 5,
    "softmax_cross_entropy": 9,
    "unbroadcast": 7,
    "Value": 12,
    "mlp_gradients": 12,
    "train_classifier": 6,
    "repaired_linear_backward": 6,
}
NOTHING = dict.fromkeys(FULL, 0)
POINTS = {
    "ada-first-style": FULL,
    "bela-second-style": FULL,
    "chen-own-helpers": FULL,
    "dara-half-done": FULL
    | {
        "softmax_cross_entropy": 0,
        "unbroadcast": 0,
        "Value": 0,
        "mlp_gradients": 0,
        "train_classifier": 0,
        "repaired_linear_backward": 0,
    },
    "emil-overwrites": FULL | {"Value": 8},
    "fay-divided-by-n": FULL | {"affine_backward": 1.8},
    "gus-exp-overflow": FULL | {"softmax_cross_entropy": 6},
    "hana-tanh-twice": FULL | {"tanh_backward": 0},
    "ivo-lent-backward": FULL | {"affine_backward": 3.6},
    "juno-untouched": NOTHING,
    "kofi-syntax-error": FULL | {"softmax_cross_entropy": 0},
    "lena-lost-package": FULL | {"train_classifier": 0},
    "milo-endless-loop": FULL | {"numerical_gradient": 0},
    "nils-forged-pass": NOTHING | {"perceptron_step": 5},
    "olga-damaged-file": NOTHING,
    "pia-own-notebook": FULL,
}
MISCONCEPTIONS = {
    ("emil-overwrites", "Value"): "gradient overwritten",
    ("fay-divided-by-n", "affine_backward"): "averaged over the batch",
    ("gus-exp-overflow", "softmax_cross_entropy"): "exponential overflows",
    ("hana-tanh-twice", "tanh_backward"): "tanh applied a second time",
    ("ivo-lent-backward", "affine_backward"): "weight gradient transposed",
}
MISSED = {
    ("emil-overwrites", "Value"): {"shared nodes", "order of the backward pass"},
    ("fay-divided-by-n", "affine_backward"): {"grad_weight", "grad_bias", "whole numbers", "all three together"},
    ("gus-exp-overflow", "softmax_cross_entropy"): {"huge logits", "a label that has no chance"},
    ("ivo-lent-backward", "affine_backward"): {"grad_weight", "whole numbers", "all three together"},
}
LENT = {("ivo-lent-backward", "mlp_gradients"): "affine_backward"}
PROBLEMS = {
    "hana-tanh-twice": "backprop (1).ipynb should be called backprop.ipynb; it was graded as that.",
    "nils-forged-pass": "Locked cells had been changed and were put back: check_perceptron_step,",
    "olga-damaged-file": "backprop.ipynb is damaged; the 4 cells that are whole were read.",
    "pia-own-notebook": "backprop.ipynb has none of the cells of 01_backprop; what it defines was graded all the same.",
}
WRITTEN = dict.fromkeys(
    ("ada-first-style", "bela-second-style", "chen-own-helpers", "nils-forged-pass"), ["shared_nodes"]
)
REASONS = {
    ("dara-half-done", "Value"): "Value is not written yet.",
    ("juno-untouched", "perceptron_step"): "perceptron_step is not written yet.",
    ("kofi-syntax-error", "softmax_cross_entropy"): "has a syntax error in line 4: '(' was never closed.",
    ("lena-lost-package", "train_classifier"): "ModuleNotFoundError: No module named 'deepnets_at_home'",
    ("milo-endless-loop", "numerical_gradient"): "numerical_gradient was stopped: it took longer than the",
    ("nils-forged-pass", "relu_interpolation"): "the result is a Right, should be an array",
    ("olga-damaged-file", "Value"): "Value is not defined when its check is reached.",
}
