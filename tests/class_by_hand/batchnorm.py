"""06_batchnorm: who gets what."""

FULL = {
    "batchnorm_forward": 7,
    "identity_parameters": 4,
    "batchnorm_backward": 14,
    "batchnorm2d_forward": 6,
    "batchnorm2d_backward": 9,
    "BatchNorm": 13,
    "batchnorm_eval_backward": 5,
    "fold_batchnorm": 8,
    "layernorm_forward": 5,
    "groupnorm_forward": 7,
    "global_average_pool": 3,
    "train_deep_network": 10,
    "repaired_batchnorm2d_backward": 5,
}
NOTHING = dict.fromkeys(FULL, 0)
POINTS = {
    "ada-first-style": FULL,
    "bela-second-style": FULL,
    "chen-own-helpers": FULL,
    "dara-half-done": FULL
    | {
        "BatchNorm": 8.67,
        "layernorm_forward": 0,
        "groupnorm_forward": 0,
        "global_average_pool": 0,
        "train_deep_network": 7.5,
        "repaired_batchnorm2d_backward": 1.25,
    },
    "ivo-lent-backward": FULL | {"batchnorm_forward": 0, "identity_parameters": 3, "batchnorm_backward": 4.67},
    "juno-untouched": NOTHING,
    "milo-endless-loop": FULL | {"identity_parameters": 0},
}
MISCONCEPTIONS = {
    ("dara-half-done", "BatchNorm"): "updates in evaluation",
    ("dara-half-done", "train_deep_network"): "batch statistics in prediction",
    ("dara-half-done", "repaired_batchnorm2d_backward"): "gamma still before one term",
    ("ivo-lent-backward", "batchnorm_forward"): "unbiased variance",
    ("ivo-lent-backward", "identity_parameters"): "epsilon left out",
    ("ivo-lent-backward", "batchnorm_backward"): "path through the variance dropped",
}
MISSED = {
    ("dara-half-done", "BatchNorm"): {"evaluation", "training and evaluation in turn"},
    ("dara-half-done", "train_deep_network"): {"one image at a time"},
    ("dara-half-done", "repaired_batchnorm2d_backward"): {"gamma", "pixels and gamma", "all three together"},
    ("ivo-lent-backward", "identity_parameters"): {"small variances"},
    ("ivo-lent-backward", "batchnorm_backward"): {"grad_x", "all three together", "epsilon", "large means"},
}
LENT = {
    ("ivo-lent-backward", "batchnorm2d_forward"): "batchnorm_forward",
    ("ivo-lent-backward", "batchnorm2d_backward"): "batchnorm_backward",
}
PROBLEMS = {}
WRITTEN = dict.fromkeys(("ada-first-style", "bela-second-style", "chen-own-helpers"), ["scale_free"])
REASONS = {
    ("dara-half-done", "layernorm_forward"): "layernorm_forward is not written yet.",
    ("juno-untouched", "BatchNorm"): "BatchNorm is not written yet.",
    ("milo-endless-loop", "identity_parameters"): "identity_parameters was stopped: it took longer than the",
}
