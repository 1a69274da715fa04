"""How ``course_utils/data/filters.npz`` was made: ``python -m course_utils.widgets.record_filters`` writes it again.

A small AlexNet is trained on shapes: two or three minutes on two idle cores. Another machine's run differs a little.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from course_utils.data import load_shapes
from course_utils.experiments.reproduction import start
from course_utils.models import AlexNet
from course_utils.train import AlexNetSGD, PlateauRule
from course_utils.widgets.filter_record import RECORDED, FilterRecord

SIZE, WIDTH, IMAGES, EPOCHS, BATCH, LEARNING_RATE, SEED = 99, 0.125, 8000, 18, 32, 0.01, 0
EARLY = (4, 8, 16, 32, 64, 128)  # updates of the first epoch that are kept; later on it is the end of each epoch


def record(
    size: int = SIZE, width: float = WIDTH, images: int = IMAGES, epochs: int = EPOCHS, seed: int = SEED
) -> FilterRecord:
    """Train a small AlexNet on `images` shapes of `size` pixels, mirrored or not; return the `FilterRecord` of the run.

    The learning rate is divided by ten after two epochs without a new best validation error.
    """
    data = load_shapes(size, images, max(images // 16, 10), 0, 0, np.uint8)
    (train, labels), (unseen, unseen_labels) = (_tensors(split) for split in (data.train, data.validation))
    mean, std = (values[None, :, None, None] for values in _statistics(train))
    torch.manual_seed(seed)
    # He's first weights: the paper's let no signal through layers as narrow as these.
    model = start(lambda: AlexNet(10, width=width, image_size=size), torch.Generator().manual_seed(seed))
    optimizer, rule = AlexNetSGD(model.parameters(), lr=LEARNING_RATE), PlateauRule()
    kept = FilterRecord(title=f"AlexNet of width {width:g}, trained on {images:,} shapes of {size} pixels")

    def evaluate(pictures: torch.Tensor, answers: torch.Tensor) -> tuple[float, float]:
        """Mean cross-entropy and top-1 error."""
        with torch.no_grad():
            logits = model.eval()((pictures - mean) / std)
        model.train()
        return cross_entropy(logits, answers).item(), (logits.argmax(1) != answers).double().mean().item()

    def keep(update: int, loss: float) -> float:
        error = evaluate(unseen, unseen_labels)[1]
        kept.add(model, update, loss, error)
        print(f"update {update}: loss {loss:.3f}, validation error {error:.3f}", flush=True)
        return error

    keep(0, evaluate(train[: len(unseen)], labels[: len(unseen)])[0])
    update, losses = 0, []
    for _ in range(epochs):
        for rows in torch.randperm(len(train)).split(BATCH):
            pictures = (train[rows] - mean) / std
            mirrored = torch.rand(len(rows)) < 0.5
            pictures[mirrored] = pictures[mirrored].flip(3)
            loss = cross_entropy(model(pictures), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            update += 1
            losses.append(loss.item())
            if update in EARLY:
                keep(update, float(np.mean(losses)))
                losses.clear()
        divisor = rule.update(keep(update, float(np.mean(losses))))
        losses.clear()
        for group in optimizer.param_groups:
            group["lr"] /= divisor
    return kept


def _tensors(split) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(split.images).float(), torch.from_numpy(split.labels).long()


def _statistics(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each channel, over the first thousand images."""
    return images[:1000].mean((0, 2, 3)), images[:1000].std((0, 2, 3))


if __name__ == "__main__":
    record().save(Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDED)
