"""How a student's ten_crop_errors is asked, the right answer, and what wrong ideas answer."""

from __future__ import annotations

import numpy as np

from course_utils.checks._alexnet.small_models import EVALUATION, answers, beaten_by, report, softmax
from course_utils.checks.describe import agrees
from course_utils.checks.exercise import Raises
from course_utils.plain import to_plain

ERRORS = ("top-1 error", "top-5 error")
RTOL, ATOL = 1e-5, 1e-6  # a share may be a float32


def call_ten_crop_errors(student, images, labels, size, hidden, output, bias, kept, mode, watched):
    import torch

    seen = {"mode while answering": "no answer was asked for", "gradients recorded": False}
    scale = torch.tensor(kept)

    class Dropout(torch.nn.Dropout):
        def forward(self, x):
            seen["mode while answering"] = "training" if self.training else "evaluation"
            return x * scale if self.training else x

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.dropout = torch.nn.Linear(hidden.shape[1], len(hidden), bias=False), Dropout()
            self.output = torch.nn.Linear(len(hidden), len(bias))
            with torch.no_grad():
                self.hidden.weight.copy_(torch.tensor(hidden))
                self.output.weight.copy_(torch.tensor(output))
                self.output.bias.copy_(torch.tensor(bias))

        def forward(self, views):
            wanted = (images.shape[1], size, size)
            if tuple(views.shape[1:]) != wanted:
                raise RuntimeError(f"the model got a tensor of shape {tuple(views.shape)}, wants (n, *{wanted})")
            logits = self.output(self.dropout(torch.tanh(self.hidden(views.flatten(1)))))
            seen["gradients recorded"] = seen["gradients recorded"] or logits.requires_grad
            return logits

    model = Model()
    model.train(mode == "training")
    result = student(model, torch.from_numpy(images), torch.from_numpy(labels), size)
    if result is None:
        raise TypeError("the result is None: is a return missing?")
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError("the result should be two floats, the top-1 error and the top-5 error")
    found = {"top-1 error": result[0], "top-5 error": result[1]}
    if watched:
        found.update(seen)
        found["mode afterwards"] = "training" if model.training else "evaluation"
    return found


def ten_crops_by_torch(model, images, labels, size):
    """What experiments use meanwhile: all windows of all images, and of these the five that are asked for."""
    import torch

    # Every square: (rows, columns, N, C, size, size).
    squares = images.unfold(2, size, 1).unfold(3, size, 1).permute(2, 3, 0, 1, 4, 5)
    rows, columns = squares.shape[:2]
    places = [(0, 0), (0, -1), (-1, 0), (-1, -1), ((rows - 1) // 2, (columns - 1) // 2)]
    mode = model.training
    model.eval()
    with torch.inference_mode():
        five = [squares[place] for place in places]
        probabilities = torch.stack([model(v).softmax(1) for crop in five for v in (crop, crop.flip(3))]).mean(0)
    model.train(mode)
    better = (probabilities > probabilities.gather(1, labels[:, None])).sum(dim=1)
    return tuple((better >= k).double().mean().item() for k in (1, 5))


# --- misconceptions -------------------------------------------------------------------------------------------------


def five_crops(images, size, centre=lambda margin: margin // 2, sides=None):
    """(5, N, C, size, size) by NumPy's slices; `centre` makes the middle offset, `sides` replaces (H, W)."""
    down, right = (side - size for side in sides or images.shape[2:])
    places = [(0, 0), (0, right), (down, 0), (down, right), (centre(down), centre(right))]
    return np.stack([images[:, :, top : top + size, left : left + size] for top, left in places])


def mirrored(crops):
    return np.concatenate([crops, crops[..., ::-1]])


def ten_views(images, size):
    return mirrored(five_crops(images, size))


def mean_probabilities(logits):
    return softmax(logits).mean(axis=0)


def _shares(scores, labels):
    ranks = beaten_by(scores, labels)
    return np.mean(ranks >= 1), np.mean(ranks >= 5)


def variant_of(views=ten_views, average=mean_probabilities, shares=_shares, answering=None, **changes):
    """What a student reports whose views, average, shares or use of the model are other ones.

    `answering` is the mode in which the model answers; "as it was" leaves it alone.
    """

    def variant(images, labels, size, hidden, output, bias, kept, mode, watched):
        used = mode if answering == "as it was" else EVALUATION
        try:
            logits = answers(views(images, size), hidden, output, bias, kept, used)  # (views, N, K)
        except ValueError:  # a slice ends at the border: PyTorch's stack and our model refuse it
            return Raises("RuntimeError")
        told = {"mode while answering": used, **changes}
        return report(ERRORS, shares(average(logits), labels), mode, watched, **told)

    return variant


def any_of(*variants, mixed=False):
    """A `matches`: one of the variants explains the outputs; or, `mixed`, each of the outputs for itself."""

    def matches(case, outputs):
        answers = [variant(**{name: to_plain(value) for name, value in case.inputs.items()}) for variant in variants]
        if not mixed:
            return any(agrees(answer, outputs, RTOL, ATOL) for answer in answers)
        return all(any(agrees(answer[name], outputs[name], RTOL, ATOL) for answer in answers) for name in answers[0])

    return matches


def views_mixed(logits):
    """Ten blocks of N rows, read as N blocks of ten."""
    return softmax(logits.reshape(logits.shape[1], len(logits), -1)).mean(axis=1)


def votes(first):
    """Votes for the best class; equal numbers of votes in the order of the classes, or in the opposite one."""

    def average(logits):
        classes = logits.shape[2]
        votes = np.sum(logits.argmax(axis=2)[..., None] == np.arange(classes), axis=0)
        return votes - first * np.arange(classes) / (2 * classes)

    return average


def votes_by_topk(logits):
    """Votes for the best class; equal numbers of votes as PyTorch's topk orders them."""
    import torch

    counted = torch.from_numpy(votes(0)(logits)).float()
    order = counted.topk(counted.shape[1], dim=1).indices.numpy()
    return -np.argsort(order, axis=1)


def each_crop(images, labels, size, hidden, output, bias, kept, mode, watched):
    logits = answers(ten_views(images, size), hidden, output, bias, kept)
    numbers = np.mean([_shares(view, labels) for view in logits], axis=0)
    return report(ERRORS, numbers, mode, watched)


def too_few_for_topk(images, labels, size, hidden, output, bias, kept, mode, watched):
    right = variant_of()(images, labels, size, hidden, output, bias, kept, mode, watched)
    return Raises("RuntimeError") if len(bias) < 5 else right


def changed_shares(change):
    return variant_of(shares=lambda scores, labels: change(np.array(_shares(scores, labels)), len(labels)))


def of_mirrored_images(images, size):
    return np.concatenate([five_crops(images, size), five_crops(images[..., ::-1], size)])


def upside_down(images, size):
    crops = five_crops(images, size)
    return np.concatenate([crops, crops[..., ::-1, :]])


def turned(images, size):
    crops = five_crops(images, size)
    return np.concatenate([crops, crops[..., ::-1, ::-1]])


def one_side(axis):
    return lambda images, size: mirrored(five_crops(images, size, sides=(images.shape[axis],) * 2))


def centre_rounded(centre):
    return variant_of(lambda images, size: mirrored(five_crops(images, size, centre=centre)))
