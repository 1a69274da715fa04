"""Loss and errors of a model on a set, without learning from it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn
from torch.nn import functional

from course_utils._training.distributed import Team
from course_utils._training.loading import Batch
from course_utils._training.pixels import Pixels
from course_utils._training.precision import Precision

KINDS = ("loss", "error", "top5_error")


def measure(
    model: nn.Module, batches: Iterable[Batch], pixels: Pixels, precision: Precision, team: Team
) -> dict[str, float]:
    """Return the mean loss and the top-1 and top-5 errors over all processes' batches, in evaluation mode.

    A top-5 error needs more than five classes; with fewer it is 0.
    """
    was_training = model.training
    model.eval()
    sums = torch.zeros(4, dtype=torch.float64, device=team.device)  # loss, top-1, top-5, images
    try:
        with torch.inference_mode():
            for stored, labels, piece in batches:
                if not piece.counted:
                    continue
                with precision.autocast():
                    logits = model(pixels.prepare(stored, piece, None))
                logits = logits.double() if logits.dtype == torch.float64 else logits.float()
                best = logits.topk(min(5, logits.shape[1]), dim=1).indices == labels[:, None]
                loss = functional.cross_entropy(logits, labels, reduction="sum")
                wrong = (~best[:, 0]).sum(), (~best.any(dim=1)).sum()
                sums[:3] += torch.stack([each.double() for each in (loss, *wrong)])
                sums[3] += len(labels)
    finally:
        model.train(was_training)
    team.sum(sums)
    *values, count = sums.tolist()
    return {kind: value / count for kind, value in zip(KINDS, values, strict=True)}
