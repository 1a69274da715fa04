"""05_dropout: who gets what."""

FULL = {
    "dropout_forward": 10,
    "dropout_backward": 6,
    "classic_dropout": 7,
    "expected_output": 7,
    "monte_carlo_predict": 7,
    "dropconnect_forward": 9,
    "channel_dropout": 6,
    "dropblock_mask": 9,
    "curriculum_keep_probability": 4,
    "l2_penalty": 6,
    "l1_penalty": 5,
    "EarlyStopping": 8,
    "regularized_training": 8,
    "repaired_dropout_backward": 4,
}
NOTHING = dict.fromkeys(FULL, 0)
POINTS = {
    "ada-first-style": FULL,
    "bela-second-style": FULL,
    "chen-own-helpers": FULL,
    "ivo-lent-backward": FULL | {"dropconnect_forward": 2.25, "l2_penalty": 1.5, "EarlyStopping": 1.6},
    "juno-untouched": NOTHING,
    "milo-endless-loop": FULL | {"channel_dropout": 0},
    "nils-forged-pass": FULL
    | {
        "dropout_forward": 7.5,
        "channel_dropout": 4.5,
        "dropconnect_forward": 6.75,
        "monte_carlo_predict": 1.17,
        "regularized_training": 6,
    },
}
MISCONCEPTIONS = {
    ("ivo-lent-backward", "dropconnect_forward"): "DropConnect on activations",
    ("ivo-lent-backward", "l2_penalty"): "weights already updated",
    ("ivo-lent-backward", "EarlyStopping"): "stops one epoch late",
    ("nils-forged-pass", "dropout_forward"): "same mask at every call",
    ("nils-forged-pass", "channel_dropout"): "same mask at every call",
    ("nils-forged-pass", "dropconnect_forward"): "rng not used",
    ("nils-forged-pass", "monte_carlo_predict"): "one mask for all samples",
    ("nils-forged-pass", "regularized_training"): "randomness of its own",
}
MISSED = {
    ("ivo-lent-backward", "dropconnect_forward"): {"one example", "several examples", "new masks at each call"},
    ("ivo-lent-backward", "l2_penalty"): {"gradients", "one array", "other strengths"},
    ("ivo-lent-backward", "EarlyStopping"): {"waiting", "min_delta", "errors that are NaN", "after stopping"},
    ("nils-forged-pass", "dropout_forward"): {"a new mask at each call"},
    ("nils-forged-pass", "channel_dropout"): {"new masks at each call"},
    ("nils-forged-pass", "dropconnect_forward"): {"new masks at each call"},
    ("nils-forged-pass", "monte_carlo_predict"): {"calls of forward", "mean", "standard deviation"},
    ("nils-forged-pass", "regularized_training"): {"the same again"},
}
LENT = {("ivo-lent-backward", "regularized_training"): "l2_penalty"}
PROBLEMS = {}
WRITTEN = dict.fromkeys(("ada-first-style", "bela-second-style", "chen-own-helpers"), ["odd_log"])
REASONS = {
    ("juno-untouched", "regularized_training"): "regularized_training is not written yet.",
    ("milo-endless-loop", "channel_dropout"): "channel_dropout was stopped: it took longer than the",
}
