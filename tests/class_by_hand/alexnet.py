"""08_alexnet: who gets what."""

FULL = {
    "AlexNet": 14,
    "merge_towers": 9,
    "alexnet_init": 8,
    "topk_errors": 6,
    "train_step": 10,
    "fit": 16,
    "save_checkpoint": 6,
    "load_checkpoint": 6,
    "ten_crop_errors": 8,
    "repaired_evaluate": 6,
    "train_alexnet": 7,
}
NOTHING = dict.fromkeys(FULL, 0)
POINTS = {
    "ada-first-style": FULL,
    "bela-second-style": FULL,
    "chen-own-helpers": FULL,
    "dara-half-done": FULL
    | {
        "AlexNet": 11.2,
        "merge_towers": 0,
        "alexnet_init": 6,
        "fit": 10.67,
        "ten_crop_errors": 0,
        "repaired_evaluate": 2,
        "train_alexnet": 0,
    },
    "ivo-lent-backward": FULL
    | {"topk_errors": 4, "save_checkpoint": 4.5, "load_checkpoint": 4, "ten_crop_errors": 6, "train_alexnet": 0},
    "juno-untouched": NOTHING,
    "milo-endless-loop": FULL | {"fit": 0, "train_alexnet": 0},
}
MISCONCEPTIONS = {
    ("dara-half-done", "AlexNet"): "paper's α given to PyTorch",
    ("dara-half-done", "alexnet_init"): "bias one in every hidden layer",
    ("dara-half-done", "fit"): "learning rate outside the velocity",
    ("dara-half-done", "repaired_evaluate"): "still a mean of batch means",
    ("ivo-lent-backward", "topk_errors"): "k beyond the classes",
    ("ivo-lent-backward", "save_checkpoint"): "written in place",
    ("ivo-lent-backward", "load_checkpoint"): "random state not loaded",
    ("ivo-lent-backward", "train_alexnet"): "pixels on another scale",
}
MISSED = {
    ("dara-half-done", "AlexNet"): {"logits in evaluation mode"},
    ("dara-half-done", "alexnet_init"): {"biases"},
    ("dara-half-done", "fit"): {"after a division", "the learning rate"},  # other weights have other errors
    ("dara-half-done", "repaired_evaluate"): {"a short last batch", "modes and gradients"},
    ("ivo-lent-backward", "topk_errors"): {"k beyond the classes"},
    ("ivo-lent-backward", "save_checkpoint"): {"saving breaks off"},
    ("ivo-lent-backward", "load_checkpoint"): {"the random numbers", "a pathlib.Path"},
    ("ivo-lent-backward", "ten_crop_errors"): {"fewer than five classes"},
}
LENT = {}  # networks cannot cross the wall
PROBLEMS = {}
WRITTEN = dict.fromkeys(("ada-first-style", "bela-second-style", "chen-own-helpers"), ["which_alexnet"])
REASONS = {
    ("dara-half-done", "merge_towers"): "merge_towers is not written yet.",
    ("dara-half-done", "train_alexnet"): "alexnet_weights.npz is damaged",
    ("ivo-lent-backward", "ten_crop_errors"): "It uses your topk_errors, which fails its own check: mend that first.",
    ("juno-untouched", "train_alexnet"): "train_alexnet is not written yet.",
    ("milo-endless-loop", "fit"): "fit was stopped: it took longer than the",
    ("milo-endless-loop", "train_alexnet"): "alexnet_weights.npz is not beside the notebook",
}
