"""ten_crop_errors: top-1 and top-5 error of probabilities that are averaged over ten views."""

from __future__ import annotations

import numpy as np

from course_utils.checks._alexnet.small_models import EVALUATION, TRAINING, answers, left_wrongly, softmax, weights
from course_utils.checks._alexnet.ten_crop_answers import (
    ATOL,
    ERRORS,
    RTOL,
    any_of,
    call_ten_crop_errors,
    centre_rounded,
    changed_shares,
    each_crop,
    five_crops,
    mean_probabilities,
    mirrored,
    of_mirrored_images,
    one_side,
    ten_crops_by_torch,
    ten_views,
    too_few_for_topk,
    turned,
    upside_down,
    variant_of,
    views_mixed,
    votes,
    votes_by_topk,
)
from course_utils.checks.describe import through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def _clear(inputs):
    """Whether float32 answers the same: no other class is nearly as probable as the true one."""
    logits = answers(
        ten_views(inputs["images"], inputs["size"]), *(inputs[name] for name in ("hidden", "output", "bias", "kept"))
    )
    probabilities = mean_probabilities(logits)
    own = np.arange(len(probabilities)), inputs["labels"]
    distances = np.abs(probabilities - probabilities[own][:, None])
    distances[own] = 1
    return distances.min() > 1e-4


def _tells(inputs):
    """Whether crops with another centre give other errors."""
    right = variant_of()(**inputs)
    others = variant_of(of_mirrored_images), centre_rounded(lambda margin: (margin + 1) // 2)
    return all(other(**inputs) != right for other in others)


def _labels(rng, inputs, classes, number):
    """True classes that stand at the first place in a third of the images, and often near the fifth."""
    made = answers(
        ten_views(inputs["images"], inputs["size"]), *(inputs[n] for n in ("hidden", "output", "bias", "kept"))
    )
    order = np.argsort(-mean_probabilities(made), axis=1)
    places = rng.choice([0, 0, 0, 1, 2, 4, 4, 5, 5], size=number) % classes
    return order[np.arange(number), places].astype(np.int64)


def _cases(rng):
    # Odd margins are 3 or 7, so that rounding to even differs from the floor.
    even, odd, few, modes = "even margins", "odd margins", "fewer than five classes", "modes and gradients"

    def case(aspect, shape, size, classes, mode=EVALUATION, watched=False, make=lambda array: array):
        number, channels = shape[:2]
        while True:
            inputs = {
                "images": make(rng.normal(size=shape).astype(np.float32)),
                "size": size,
                **weights(rng, channels * size**2, classes),
                "mode": mode,
                "watched": watched,
            }
            inputs["labels"] = _labels(rng, inputs, classes, number)
            if _clear(inputs) and (aspect != odd or _tells(inputs)):
                return Case(aspect, inputs)

    return [
        case(even, (21, 2, 8, 6), 4, 9),
        case(even, (27, 3, 5, 9), 3, 8, make=strided),
        case(odd, (26, 3, 6, 10), 3, 9),
        case(odd, (24, 2, 11, 7), 4, 10, make=strided),
        case(few, (17, 1, 7, 5), 3, 3),
        case(few, (19, 2, 4, 6), 4, 4, make=strided),
        case(few, (1, 2, 5, 6), 4, 4),
        case(modes, (22, 2, 6, 4), 4, 8, TRAINING, True),
        case(modes, (25, 2, 5, 7), 3, 9, EVALUATION, True),
    ]


_SOFTMAX_OVER_IMAGES = any_of(variant_of(average=lambda logits: softmax(logits, axis=1).mean(axis=0)))


def _over_images(case, outputs):
    """With one image all its probabilities are 1, and any class may come first."""
    return len(case.inputs["labels"]) == 1 or _SOFTMAX_OVER_IMAGES(case, outputs)


ten_crop_errors = Exercise(
    name="ten_crop_errors",
    cases=_cases,
    call=call_ten_crop_errors,
    expected=through(call_ten_crop_errors, ten_crops_by_torch),
    stand_in=lambda: ten_crops_by_torch,
    outputs=ERRORS,
    for_call=("hidden", "output", "bias", "kept", "watched"),
    rtol=RTOL,
    atol=ATOL,
    forbidden=("scipy", "sklearn", "torchvision"),
    difficulty=3,
    importance=4,
    minutes=20,
    hints=(
        "Cut the same place out of all N images at once: that is one batch. There are five places, and each batch is "
        "shown twice, once mirrored.",
        "model(views).softmax(dim=1) is (N, K) for each of the ten batches; their mean is (N, K) again. Before: "
        "was_training = model.training and model.eval(). Afterwards: model.train(was_training).",
        "Under torch.no_grad(): probabilities = torch.stack([model(v).softmax(dim=1) for v in views]).mean(dim=0), "
        "then best = probabilities.topk(min(5, probabilities.shape[1]), dim=1).indices, to be compared with "
        "labels[:, None].",
    ),
    misconceptions=(
        Misconception(
            "logits averaged",
            "It looks as if the logits of the ten views are averaged. One view with a huge logit then outvotes the "
            "other nine.",
            "Ask yourself: where does the softmax come, before the mean over the views or after it?",
            variant_of(average=lambda logits: logits.mean(axis=0)),
        ),
        Misconception(
            "votes counted",
            "It looks as if each view votes for one class. That forgets how sure it was, and leaves many classes "
            "without any vote.",
            "Ask yourself: what does a view with 51 % and 49 % add to the second class?",
            matches=any_of(
                *(variant_of(average=average) for average in (votes(1), votes(-1), votes_by_topk)), mixed=True
            ),
        ),
        Misconception(
            "largest instead of mean",
            "It looks as if you take the largest probability that any view gives to a class.",
            "Ask yourself: what happens to the answer when one view of ten is sure of a wrong class?",
            variant_of(average=lambda logits: softmax(logits).max(axis=0)),
        ),
        Misconception(
            "softmax over the images",
            "It looks as if the softmax runs along the images. The probabilities of one view should add up to 1.",
            "Ask yourself: which axis of the logits, (n, K), counts the classes?",
            matches=_over_images,
        ),
        Misconception(
            "crops judged one by one",
            "It looks as if each of the 10 · N views is judged as an image of its own.",
            "Ask yourself: how many answers does an image get, ten or one?",
            each_crop,
        ),
        Misconception(
            "views of different images averaged",
            "It looks as if the mean runs over views of different images. Where ten batches of N are joined, the views "
            "of one image are N rows apart.",
            "Ask yourself: after torch.cat of ten (N, …) batches, in which row is the second view of image 0?",
            variant_of(average=views_mixed),
        ),
        Misconception(
            "average of the views",
            "It looks as if the ten views are averaged to one blurred image, and the network sees that.",
            "Ask yourself: what is averaged, what the network sees or what it says?",
            variant_of(lambda images, size: ten_views(images, size).mean(axis=0, keepdims=True)),
        ),
        Misconception(
            "mirror images forgotten",
            "It looks as if five views are averaged, without their mirror images.",
            "Ask yourself: how many times does your model see each image?",
            variant_of(five_crops),
        ),
        Misconception(
            "centre forgotten",
            "It looks as if eight views are averaged, the corners and their mirror images.",
            "Ask yourself: how many times does your model see each image?",
            variant_of(lambda images, size: mirrored(five_crops(images, size)[:4])),
        ),
        Misconception(
            "centre and its mirror image",
            "It looks as if two views are averaged, the centre and its mirror image.",
            "Ask yourself: how many times does your model see each image?",
            variant_of(lambda images, size: mirrored(five_crops(images, size)[4:])),
        ),
        Misconception(
            "centre alone",
            "It looks as if one view is used, the crop in the centre.",
            "Ask yourself: how many times does your model see each image?",
            variant_of(lambda images, size: five_crops(images, size)[4:]),
        ),
        Misconception(
            "upside down",
            "It looks as if your mirror images stand on their heads.",
            "Ask yourself: which axis of (N, C, size, size) goes from left to right?",
            matches=any_of(variant_of(upside_down), variant_of(turned)),
        ),
        Misconception(
            "crops of the mirrored image",
            "It looks as if you cut the mirrored images once more. Their centre is another one where W − size is odd.",
            "Ask yourself: is your last view the mirror image of your fifth?",
            variant_of(of_mirrored_images),
        ),
        Misconception(
            "centre rounded up",
            "It looks as if the centre's offsets are rounded up, or to the even number.",
            "Ask yourself: with W = 10 and size = 3, which of 3.5, 3 and 4 is the first column?",
            matches=any_of(
                centre_rounded(lambda margin: (margin + 1) // 2), centre_rounded(lambda margin: round(margin / 2))
            ),
        ),
        Misconception(
            "height taken for both sides",
            "It looks as if columns are counted with the height too, as if all images were square.",
            "Ask yourself: in (N, C, H, W), which numbers are images.shape[2] and images.shape[3]?",
            variant_of(one_side(2)),
        ),
        Misconception(
            "width taken for both sides",
            "It looks as if rows are counted with the width too, as if all images were square.",
            "Ask yourself: in (N, C, H, W), which numbers are images.shape[2] and images.shape[3]?",
            variant_of(one_side(3)),
        ),
        Misconception(
            "height and width swapped",
            "It looks as if rows are counted with the width, and columns with the height.",
            "Ask yourself: in (N, C, H, W), which axis counts the rows?",
            variant_of(lambda images, size: mirrored(five_crops(images, size, sides=images.shape[:1:-1]))),
        ),
        Misconception(
            "five of too few classes",
            "It looks as if the five best classes are asked for where there are fewer. topk refuses that.",
            "Ask yourself: with three classes, what is the top-5 error?",
            too_few_for_topk,
        ),
        Misconception(
            "accuracy instead of error",
            "It looks as if you return the shares of right answers.",
            "Ask yourself: should a better network have a larger or a smaller top-1 error?",
            changed_shares(lambda errors, number: 1 - errors),
        ),
        Misconception(
            "percent",
            "It looks as if your errors are in percent.",
            "Ask yourself: between which two numbers does a share lie?",
            changed_shares(lambda errors, number: 100 * errors),
        ),
        Misconception(
            "number of errors",
            "It looks as if you count the wrong answers and do not divide by the number of images.",
            "Ask yourself: between which two numbers does a share lie?",
            changed_shares(lambda errors, number: number * errors),
        ),
        Misconception(
            "top-5 first",
            "It looks as if the top-5 error comes first.",
            "Ask yourself: which of the two errors can never be the larger one?",
            changed_shares(lambda errors, number: errors[::-1]),
        ),
        Misconception(
            "mode left alone",
            "It looks as if the model answers in the mode in which it came. In training mode, dropout is at work.",
            "Ask yourself: which method of the model switches dropout off?",
            matches=any_of(
                variant_of(answering="as it was"), variant_of(answering="as it was", **{"gradients recorded": True})
            ),
        ),
        *left_wrongly(variant_of, any_of),
    ),
)
