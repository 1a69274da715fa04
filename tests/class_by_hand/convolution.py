"""02_convolution: who gets what."""

FULL = {
    "conv_output_size": 5,
    "fits_exactly": 3,
    "same_padding": 4,
    "conv_parameters": 5,
    "conv_macs": 4,
    "receptive_field": 6,
    "layer_table": 9,
    "lenet5_accounting": 6,
    "training_memory": 4,
    "conv2d_forward": 9,
    "im2col": 7,
    "conv2d_backward": 11,
    "max_pool2d_forward": 4,
    "avg_pool2d_forward": 3,
    "max_pool2d_backward": 7,
    "local_response_norm": 4,
    "repaired_conv2d_backward": 5,
}
NOTHING = dict.fromkeys(FULL, 0)
POINTS = {
    "ada-first-style": FULL,
    "bela-second-style": FULL,
    "chen-own-helpers": FULL,
    "fay-divided-by-n": FULL | {"conv2d_backward": 3.67, "avg_pool2d_forward": 1.8, "local_response_norm": 0},
    "ivo-lent-backward": FULL | {"receptive_field": 0.55, "im2col": 1.4, "max_pool2d_backward": 5.6},
    "juno-untouched": NOTHING,
    "milo-endless-loop": FULL | {"same_padding": 0},
}
MISCONCEPTIONS = {
    ("fay-divided-by-n", "conv2d_backward"): "averaged over the batch",
    ("fay-divided-by-n", "avg_pool2d_forward"): "divided by the pixels inside",
    ("fay-divided-by-n", "local_response_norm"): "alpha divided by the size",
    ("ivo-lent-backward", "receptive_field"): "grows by k",
    ("ivo-lent-backward", "im2col"): "columns before rows",
    ("ivo-lent-backward", "max_pool2d_backward"): "ties counted twice",
}
MISSED = {
    ("fay-divided-by-n", "conv2d_backward"): {"grad_weight", "stride", "padding", "all three, pairs"},
    ("fay-divided-by-n", "avg_pool2d_forward"): {"padding", "pairs"},
    ("ivo-lent-backward", "im2col"): {"layout", "stride", "padding", "pairs"},
    ("ivo-lent-backward", "max_pool2d_backward"): {"tied maxima"},
}
LENT = {("ivo-lent-backward", "conv2d_backward"): "im2col"}
PROBLEMS = {}
WRITTEN = dict.fromkeys(("ada-first-style", "bela-second-style", "chen-own-helpers"), ["shared_weights"])
REASONS = {
    ("juno-untouched", "conv2d_forward"): "conv2d_forward is not written yet.",
    ("milo-endless-loop", "same_padding"): "same_padding was stopped: it took longer than the",
}
