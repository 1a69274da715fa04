"""What exercises that train on the digits share: data that nobody can look up, and predictions that are labels.

The bundled digits are public, so the pixels and the classes are shuffled, and a little noise is added: a network does
not notice, looking images up no longer works. The test set is left alone, for a notebook's last word.
"""

from __future__ import annotations

import numpy as np

NOISE = 0.02  # of the pixels, which are in [0, 1]


def all_digits():
    """The digits of training and validation: (N, 64) pixels and (N,) labels."""
    from course_utils.data import load_digits

    data = load_digits()
    x = np.concatenate([data.train.features, data.validation.features])
    return x, np.concatenate([data.train.labels, data.validation.labels])


def six_digits(rng):
    """Six of the classes, and images of 8×6: the outermost columns are almost always empty."""
    x, labels = all_digits()
    chosen = rng.permutation(10)[:6]
    rows = np.isin(labels, chosen)
    small = x[rows].reshape(-1, 8, 8)[:, :, 1:7].reshape(-1, 48)
    return small, np.searchsorted(np.sort(chosen), labels[rows])


def disguised(rng, x, labels):
    """The images in another order, with shuffled pixels and classes and a little noise."""
    x = x[:, rng.permutation(x.shape[1])]
    x = np.clip(x + rng.normal(0, NOISE, size=x.shape), 0, 1)
    labels = rng.permutation(int(labels.max()) + 1)[labels]
    rows = rng.permutation(len(x))
    return x[rows], labels[rows]


def with_blends(images, labels):
    """Adds digits on top of each other: there, networks differ that agree on clean images. Their label is −1."""
    return np.concatenate([images, (images + images[::-1]) / 2]), np.concatenate([labels, np.full(len(labels), -1)])


def not_labels(predicted, truth):
    """A sentence on what `predict` returned, where that is not one integer for each image; else None."""
    if not isinstance(predicted, np.ndarray):
        return "predict(x) does not return an array of labels"
    if predicted.shape != truth.shape:
        return f"predict(x) has shape {predicted.shape} for {len(truth)} images, should be {truth.shape}"
    if predicted.dtype.kind not in "iu":
        return f"predict(x) holds {predicted.dtype} values, should hold integers"
    return None


def accuracy(predicted, truth):
    """The share of right labels among the images that have one."""
    known = truth >= 0
    return float(np.mean(predicted[known] == truth[known]))


def are_scores(predictions, truth, classes):
    """Whether a score for every class came back in place of labels."""
    return all(isinstance(p, np.ndarray) and p.shape == (*truth.shape, classes) for p in predictions)


def one_class(predictions):
    """Whether every network gives every image the same label."""
    return all(len(np.unique(p)) == 1 for p in predictions)


def differ(first, second):
    """Whether two networks disagree on more images than the last digit of a sum could change."""
    return bool(np.mean(first != second) > 0.01)
