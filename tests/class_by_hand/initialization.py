"""03_initialization: who gets what."""

FULL = {
    "activation": 6,
    "activation_gradient": 6,
    "maxout": 4,
    "prelu_backward": 6,
    "fans": 4,
    "xavier_normal": 6,
    "xavier_uniform": 5,
    "he_normal": 6,
    "he_uniform": 4,
    "forward_statistics": 6,
    "gradient_statistics": 8,
    "empirical_gain": 3,
    "dead_relu_fraction": 5,
    "lsuv": 7,
    "standardize": 5,
    "pca_whiten": 7,
    "symmetry_classes": 4,
    "repaired_he_normal": 4,
}
NOTHING = dict.fromkeys(FULL, 0)
POINTS = {
    "ada-first-style": FULL,
    "bela-second-style": FULL,
    "chen-own-helpers": FULL,
    "gus-exp-overflow": FULL | {"activation": 5, "activation_gradient": 5, "standardize": 3},
    "ivo-lent-backward": FULL | {"activation_gradient": 3, "fans": 0, "dead_relu_fraction": 1},
    "juno-untouched": NOTHING,
    "milo-endless-loop": FULL | {"he_normal": 0},
}
MISCONCEPTIONS = {
    ("gus-exp-overflow", "activation"): "exp overflows",
    ("gus-exp-overflow", "activation_gradient"): "exp overflows",
    ("gus-exp-overflow", "standardize"): "0 / 0 for constant features",
    ("ivo-lent-backward", "activation_gradient"): "x taken for the activated value",
    ("ivo-lent-backward", "fans"): "(in, out) taken for (out, in)",
    ("ivo-lent-backward", "dead_relu_fraction"): "share of zero outputs",
}
MISSED = {
    ("gus-exp-overflow", "activation"): {"large inputs"},
    ("gus-exp-overflow", "activation_gradient"): {"large inputs"},
    ("gus-exp-overflow", "standardize"): {"constant features", "constant features that rounding blurs"},
    ("ivo-lent-backward", "activation_gradient"): {"sigmoid", "tanh", "large inputs"},
}
LENT = {
    ("ivo-lent-backward", "he_normal"): "fans",
    ("ivo-lent-backward", "gradient_statistics"): "activation_gradient",
}
PROBLEMS = {}
WRITTEN = dict.fromkeys(("ada-first-style", "bela-second-style", "chen-own-helpers"), ["faint_network"])
REASONS = {
    ("juno-untouched", "lsuv"): "lsuv is not written yet.",
    ("milo-endless-loop", "he_normal"): "he_normal was stopped: it took longer than the",
}
