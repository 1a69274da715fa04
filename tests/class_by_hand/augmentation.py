"""07_augmentation: who gets what."""

FULL = {
    "resize_shorter_side": 4,
    "center_crop": 4,
    "mean_image": 3,
    "random_crop": 6,
    "horizontal_flip": 3,
    "view_count": 3,
    "pca_color": 8,
    "pca_color_jitter": 6,
    "brightness_contrast": 4,
    "elastic_field": 8,
    "warp": 9,
    "affine_grid": 8,
    "bilinear_sample": 9,
    "ten_crop": 5,
    "ten_crop_predict": 4,
    "prefetch": 8,
    "repaired_random_crop": 4,
}
NOTHING = dict.fromkeys(FULL, 0)
POINTS = {
    "ada-first-style": FULL,
    "bela-second-style": FULL,
    "chen-own-helpers": FULL,
    "dara-half-done": FULL
    | {
        "random_crop": 3.6,
        "view_count": 0.75,
        "affine_grid": 0,
        "bilinear_sample": 0,
        "ten_crop_predict": 0,
        "prefetch": 6.67,
        "repaired_random_crop": 0,
    },
    "ivo-lent-backward": FULL | {"center_crop": 3, "horizontal_flip": 0, "warp": 3.6},
    "juno-untouched": NOTHING,
    "milo-endless-loop": FULL | {"elastic_field": 0},
}
MISCONCEPTIONS = {
    ("dara-half-done", "random_crop"): "last place missing",
    ("dara-half-done", "view_count"): "one place too few",
    ("dara-half-done", "ten_crop_predict"): "logits averaged",
    ("dara-half-done", "prefetch"): "thread left behind",
    ("dara-half-done", "repaired_random_crop"): "last place still missing",
    ("ivo-lent-backward", "center_crop"): "offsets rounded, not floored",
    ("ivo-lent-backward", "horizontal_flip"): "vertical flip",
    ("ivo-lent-backward", "warp"): "dx and dy swapped",
}
MISSED = {
    ("dara-half-done", "random_crop"): {"every place", "the whole side"},
    ("dara-half-done", "view_count"): {"the paper's sizes", "other sizes", "the crop is the image"},
    ("dara-half-done", "prefetch"): {"stopping early"},
    ("ivo-lent-backward", "center_crop"): {"odd margins"},
    ("ivo-lent-backward", "warp"): {"whole pixels", "between the pixels", "across the border"},
}
LENT = {
    # What the code calls last is named first.
    ("ivo-lent-backward", "ten_crop"): "horizontal_flip and center_crop",
    ("ivo-lent-backward", "ten_crop_predict"): "ten_crop",
}
PROBLEMS = {}
WRITTEN = dict.fromkeys(("ada-first-style", "bela-second-style", "chen-own-helpers"), ["which_augmentation"])
REASONS = {
    ("dara-half-done", "affine_grid"): "affine_grid is not written yet.",
    ("juno-untouched", "prefetch"): "prefetch is not written yet.",
    ("milo-endless-loop", "elastic_field"): "elastic_field was stopped: it took longer than the",
}
