"""How a student's repaired_evaluate is asked, the right answer, and what wrong ideas answer."""

from __future__ import annotations

import numpy as np

from course_utils.checks._alexnet.small_models import EVALUATION, answers, beaten_by, report, softmax
from course_utils.checks.describe import agrees
from course_utils.plain import to_plain

NUMBERS = ("cross-entropy", "top-1 error")
BATCH = 64
RTOL, ATOL = 2e-5, 2e-6  # the model and the loss are of float32


def call_repaired_evaluate(student, images, labels, hidden, output, bias, kept, mode, watched):
    import torch

    seen = {"mode while answering": "no answer was asked for", "gradients recorded": False, "largest batch": 0}
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

        def forward(self, batch):
            logits = self.output(self.dropout(torch.tanh(self.hidden(batch.flatten(1)))))
            seen["gradients recorded"] = seen["gradients recorded"] or logits.requires_grad
            seen["largest batch"] = max(seen["largest batch"], len(batch))
            return logits

    model = Model()
    model.train(mode == "training")
    result = student(model, torch.from_numpy(images), torch.from_numpy(labels))
    if result is None:
        raise TypeError("the result is None: is a return missing?")
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError("the result should be two floats, the mean cross-entropy and the top-1 error")
    found = {"cross-entropy": result[0], "top-1 error": result[1]}
    if watched:
        found.update(seen)
        found["mode afterwards"] = "training" if model.training else "evaluation"
    return found


def evaluate_by_torch(model, images, labels):
    """What experiments use meanwhile: all logits first, then the two means over all images."""
    import torch

    mode = model.training
    model.eval()
    with torch.inference_mode():
        logits = torch.cat([model(batch) for batch in images.split(64)]).double()
    model.train(mode)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    return loss.item(), (logits.argmax(dim=1) != labels).double().mean().item()


# --- misconceptions -------------------------------------------------------------------------------------------------


def _mean(values):
    return values.mean()


def of_batches(take):
    """`take` of the means of the batches of 64."""
    return lambda values: take(np.array([values[i : i + BATCH].mean() for i in range(0, len(values), BATCH)]))


batches_alike = of_batches(np.mean)


def _log_softmax(logits):
    import torch

    return torch.log_softmax(torch.from_numpy(logits), dim=1).numpy()


def _cross_entropy(logits, labels):
    """The loss of each image."""
    return -_log_softmax(logits)[np.arange(len(labels)), labels]


def softmax_twice(logits, labels):
    return _cross_entropy(softmax(logits), labels)


def of_probabilities(logits, labels):
    return -softmax(logits)[np.arange(len(labels)), labels]


def variant_of(loss=_cross_entropy, losses=_mean, errors=_mean, change=None, answering=None, **changes):
    """What a student reports who has another loss, another mean of the losses or of the errors, or who uses the model
    in another way. `answering` is the mode in which the model answers; "as it was" leaves it alone."""

    def variant(images, labels, hidden, output, bias, kept, mode, watched):
        used = mode if answering == "as it was" else EVALUATION
        logits = answers(images, hidden, output, bias, kept, used)
        numbers = losses(loss(logits, labels)), errors((beaten_by(logits, labels) > 0).astype(float))
        if change is not None:
            numbers = change(*numbers)
        told = {"mode while answering": used, "largest batch": BATCH, **changes}
        return report(NUMBERS, numbers, mode, watched, **told)

    return variant


def used_otherwise(*ideas, **more_ideas):
    """Variants with these ideas: all else as it should be, or the model's mode not put back, or gradients recorded."""
    left = {"mode afterwards": EVALUATION}
    rest = ({}, left, {"gradients recorded": True}, left | {"gradients recorded": True})
    return [variant_of(*ideas, **more_ideas, **changes) for changes in rest]


def both(take):
    """The same wrong mean for both numbers."""
    return variant_of(losses=take, errors=take)


def any_of(*variants):
    def matches(case, outputs):
        inputs = {name: to_plain(value) for name, value in case.inputs.items()}
        return any(agrees(variant(**inputs), outputs, RTOL, ATOL) for variant in variants)

    return matches


def all_at_once(images, labels, **more):
    found = variant_of()(images=images, labels=labels, **more)
    return found | {"largest batch": len(images)} if more["watched"] else found
