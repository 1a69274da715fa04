"""ten_crop_predict: a softmax for each of ten views, then their mean."""

from __future__ import annotations

import numpy as np

from course_utils.checks._augmentation.images import picture
from course_utils.checks._augmentation.ten_crops import of_mirrored_image, ten_views
from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def call_ten_crop_predict(student, image, size, hidden, output, bias, level):
    import numpy as np

    def predict(batch):
        batch = np.asarray(batch)
        if batch.ndim != 4 or batch.shape[1:] != (image.shape[0], size, size):
            wanted = f"(n, {image.shape[0]}, {size}, {size})"
            raise ValueError(f"predict got an array of shape {batch.shape}, wants {wanted}")
        inner = np.tanh(batch.reshape(len(batch), -1) @ hidden.T)
        return inner @ output.T + bias + level * inner[:, :1]  # the level of a view's logits changes no probability

    return student(predict, image, size)


def averaged(predict, image, size):
    """PyTorch's softmax of each of the ten views."""
    import torch

    return torch.softmax(torch.from_numpy(predict(ten_views(image, size))), dim=1).mean(dim=0).numpy()


# --- misconceptions -------------------------------------------------------------------------------------------------


def _softmax(logits, axis=-1):
    powers = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _unsafe(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def _of_logits(result):
    """`result(logits)` of the (10, K) logits of the ten views."""
    return through(call_ten_crop_predict, lambda predict, image, size: result(predict(ten_views(image, size))))


def _of_views(views):
    """The mean of the probabilities of other views: `views(image, size)`."""

    def student(predict, image, size):
        return _softmax(predict(views(image, size))).mean(axis=0)

    return through(call_ten_crop_predict, student)


def _any_of_logits(*results):
    ways = [lambda predict, image, size, r=result: r(predict(ten_views(image, size))) for result in results]
    return one_of(call_ten_crop_predict, *ways)


def _votes(logits):
    return np.bincount(logits.argmax(axis=1), minlength=logits.shape[1]) / len(logits)


def _one_sum(logits):
    """The right powers, over the sum of all of them."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum()).mean(axis=0)


def _one_largest(logits):
    powers = np.exp(logits - logits.max())
    return (powers / powers.sum(axis=1, keepdims=True)).mean(axis=0)


def _joint(logits):
    return _softmax(logits.reshape(1, -1)).reshape(logits.shape).sum(axis=0)


def _mean_view(image, size):
    return ten_views(image, size).mean(axis=0, keepdims=True)


# --- the exercise ---------------------------------------------------------------------------------------------------


def _cases(rng):
    def case(aspect, shape, size, classes, make=lambda array: array, factor=4.0, shift=0.0, level=0.0):
        channels, hidden = shape[0], 6
        inputs = {
            "image": make(picture(rng, *shape) - 0.5),
            "size": size,
            "hidden": rng.normal(size=(hidden, channels * size**2)),
            "output": factor * rng.normal(size=(classes, hidden)) / np.sqrt(hidden),
            "bias": shift + rng.normal(size=classes),
            "level": level,
        }
        return Case(aspect, inputs)

    mean, large, whole = "averaged probabilities", "large logits", "the whole image"
    return [
        case(mean, (3, 7, 10), 5, 4),
        case(mean, (2, 8, 7), 4, 5, strided),
        case(mean, (1, 9, 12), 5, 3),
        case(large, (3, 6, 9), 4, 4, shift=1000.0),
        case(large, (2, 9, 6), 3, 3, strided, shift=-1000.0),
        case(large, (2, 7, 8), 4, 4, level=3000.0),
        case(whole, (3, 5, 5), 5, 4),
        case(whole, (2, 6, 6), 6, 3, strided),
    ]


ten_crop_predict = Exercise(
    name="ten_crop_predict",
    cases=_cases,
    call=call_ten_crop_predict,
    expected=through(call_ten_crop_predict, averaged),
    stand_in=lambda: averaged,
    outputs=("probabilities",),
    for_call=("hidden", "output", "bias", "level"),
    builds_on=("ten_crop",),
    difficulty=2,
    importance=4,
    minutes=12,
    hints=(
        "Ten views are a batch of ten images. The network answers each by itself, and each answer counts the same.",
        "predict(views) is (10, K). The softmax runs along the classes, axis 1; the mean along the views, axis 0. "
        "Subtract each row's largest logit before exp.",
        "powers = np.exp(logits - logits.max(axis=1, keepdims=True)), "
        "(powers / powers.sum(axis=1, keepdims=True)).mean(axis=0).",
    ),
    misconceptions=(
        Misconception(
            "logits averaged",
            "It looks as if the logits are averaged and the softmax comes last. One view with a huge logit then "
            "outvotes the other nine.",
            "Ask yourself: what does the paper average over the ten patches, logits or the outputs of the softmax?",
            _of_logits(lambda logits: _softmax(logits.mean(axis=0))),
        ),
        Misconception(
            "softmax forgotten",
            "It looks as if you return a mean of logits. They are no probabilities.",
            "Ask yourself: do the numbers in your result add up to 1?",
            _of_logits(lambda logits: logits.mean(axis=0)),
        ),
        Misconception(
            "softmax over the views",
            "It looks as if the softmax runs along the ten views. The probabilities of one view should add up to 1.",
            "Ask yourself: which axis of (10, K) counts the classes?",
            matches=_any_of_logits(
                lambda logits: _softmax(logits, axis=0).mean(axis=0),
                lambda logits: _softmax(logits, axis=0).mean(axis=1),
            ),
        ),
        Misconception(
            "one softmax for everything",
            "It looks as if one softmax runs over all views and classes together. Views with large logits then count "
            "more.",
            "Ask yourself: do the probabilities of each view add up to 1?",
            matches=_any_of_logits(_joint, _one_sum),
        ),
        Misconception(
            "votes counted",
            "It looks as if each view votes for one class. That forgets how sure it was.",
            "Ask yourself: what does a view with 51 % and 49 % add to the second class?",
            _of_logits(_votes),
        ),
        Misconception(
            "largest instead of mean",
            "It looks as if you take the largest probability that any view gives to a class.",
            "Ask yourself: do the numbers in your result add up to 1?",
            _of_logits(lambda logits: _softmax(logits).max(axis=0)),
        ),
        Misconception(
            "sum instead of mean",
            "It looks as if you add the probabilities of the views and do not divide.",
            "Ask yourself: do the numbers in your result add up to 1, or to 10?",
            _of_logits(lambda logits: _softmax(logits).sum(axis=0)),
        ),
        Misconception(
            "one row for each view",
            "It looks as if you return the probabilities of all ten views.",
            "Ask yourself: along which axis of (10, K) does the mean run, and what is left?",
            _of_logits(_softmax),
        ),
        Misconception(
            "mean over the classes",
            "It looks as if your mean runs along the classes. That gives 1/K for each view.",
            "Ask yourself: along which axis of (10, K) does the mean run, and what is left?",
            _of_logits(lambda logits: _softmax(logits).mean(axis=1)),
        ),
        Misconception(
            "the class alone",
            "It looks as if you return the number of the best class.",
            "Ask yourself: which shape does the docstring give the result?",
            _of_logits(lambda logits: int(_softmax(logits).mean(axis=0).argmax())),
        ),
        Misconception(
            "one largest logit for all views",
            "It looks as if the largest logit of all ten views is subtracted from each. Where another view has far "
            "larger ones, all powers of a view become 0, and 0 / 0 is NaN.",
            "Ask yourself: of which numbers is the softmax of one view made, and which is the largest of those?",
            _of_logits(_one_largest),
        ),
        Misconception(
            "exp overflow",
            "It looks as if exp gets the logits as they are. exp(1000) is infinite and exp(−1000) is 0: the result is "
            "NaN.",
            "Ask yourself: does the softmax change when the same number is subtracted from all logits of a view?",
            _of_logits(lambda logits: _unsafe(logits).mean(axis=0)),
        ),
        Misconception(
            "mirror images forgotten",
            "It looks as if five views are averaged, without their mirror images.",
            "Ask yourself: how many rows have your logits?",
            _of_views(lambda image, size: ten_views(image, size)[:5]),
        ),
        Misconception(
            "centre alone",
            "It looks as if one view is used, the crop in the centre.",
            "Ask yourself: how many rows have your logits?",
            _of_views(lambda image, size: ten_views(image, size)[4:5]),
        ),
        Misconception(
            "average of the views",
            "It looks as if the ten views are averaged to one blurred image, and the network sees that.",
            "Ask yourself: what is averaged, what the network sees or what it says?",
            _of_views(_mean_view),
        ),
        Misconception(
            "crops of the mirrored image",
            "It looks as if you cut the mirrored image once more. Its centre is another one where W − size is odd.",
            "Ask yourself: is your last view the mirror image of your fifth?",
            _of_views(of_mirrored_image),
        ),
    ),
)
