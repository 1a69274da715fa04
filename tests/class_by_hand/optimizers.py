"""04_optimizers: who gets what."""

FULL = {
    "minibatches": 5,
    "SGD": 9,
    "stability_limit": 5,
    "momentum_convention": 7,
    "AlexNetSGD": 5,
    "AdaGrad": 5,
    "RMSProp": 5,
    "Adam": 9,
    "NAdam": 6,
    "AdamW": 6,
    "step_decay": 3,
    "exponential_decay": 2,
    "inverse_time_decay": 2,
    "cosine_with_warmup": 5,
    "PlateauSchedule": 6,
    "WeightAverage": 4,
    "diagnose": 7,
    "repaired_adam": 5,
}
NOTHING = dict.fromkeys(FULL, 0)
POINTS = {
    "ada-first-style": FULL,
    "bela-second-style": FULL,
    "chen-own-helpers": FULL,
    "emil-overwrites": FULL | {"SGD": 0, "RMSProp": 4, "Adam": 1.8, "WeightAverage": 0},
    "gus-exp-overflow": FULL | {"Adam": 7.2, "AdamW": 5, "PlateauSchedule": 4.5, "diagnose": 5.6},
    "juno-untouched": NOTHING,
    "milo-endless-loop": FULL | {"minibatches": 0},
}
MISCONCEPTIONS = {
    ("emil-overwrites", "SGD"): "new arrays instead of changed ones",
    ("emil-overwrites", "Adam"): "corrected average stored back",
    ("emil-overwrites", "WeightAverage"): "average written into the parameters",
    ("gus-exp-overflow", "Adam"): "epsilon missing",
    ("gus-exp-overflow", "PlateauSchedule"): "NaN counts as better",
    ("gus-exp-overflow", "diagnose"): "NaN not seen",
}
MISSED = {
    ("emil-overwrites", "RMSProp"): {"arrays and state"},
    ("emil-overwrites", "Adam"): {"many steps", "epsilon", "learning rate changed", "arrays and state"},
    ("gus-exp-overflow", "Adam"): {"epsilon"},
    ("gus-exp-overflow", "AdamW"): {"epsilon"},
    ("gus-exp-overflow", "PlateauSchedule"): {"NaN"},
    ("gus-exp-overflow", "diagnose"): {"NaN and infinity"},
}
LENT = {}
PROBLEMS = {}
WRITTEN = dict.fromkeys(("ada-first-style", "bela-second-style", "chen-own-helpers"), ["momentum_and_rate"])
REASONS = {
    ("gus-exp-overflow", "AdamW"): "It uses your Adam, which fails its own check: mend that first.",
    ("juno-untouched", "Adam"): "Adam is not written yet.",
    ("milo-endless-loop", "minibatches"): "minibatches was stopped: it took longer than the",
}
