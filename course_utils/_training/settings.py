"""What a run is asked for, in one place, and which of it a checkpoint has to agree with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from course_utils._training.augment import Augmentation
from course_utils._training.loading import PLACES
from course_utils._training.pixels import NORMALIZATIONS


@dataclass(frozen=True)
class Settings:
    """The arguments of `fit` that are numbers and names; their meaning is written there."""

    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float
    precision: str
    accumulate: int
    augment: Augmentation | None
    normalize: str
    patience: int | None
    early_stopping: int | None
    seed: int
    compile: bool | str
    loading: str
    workers: int | None
    save_minutes: float

    def __post_init__(self) -> None:
        whole = {"epochs": self.epochs, "batch_size": self.batch_size, "accumulate": self.accumulate}
        whole |= {"patience": self.patience, "early_stopping": self.early_stopping}
        for name, value in whole.items():
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} is a whole number from 1 on, not {value!r}.")
        if not self.learning_rate > 0 or not 0 <= self.momentum < 1 or not self.weight_decay >= 0:
            raise ValueError(
                "The learning rate is above 0, the momentum at least 0 and below 1, the weight decay at least 0; not "
                f"{self.learning_rate}, {self.momentum} and {self.weight_decay}."
            )
        if self.seed < 0 or (self.workers is not None and self.workers < 0):
            raise ValueError(f"The seed and the number of workers are at least 0, not {self.seed} and {self.workers}.")
        if self.normalize not in NORMALIZATIONS or self.loading not in PLACES:
            raise ValueError(
                f"normalize is one of {', '.join(NORMALIZATIONS)} and loading one of {', '.join(PLACES)}; not "
                f"{self.normalize!r} and {self.loading!r}."
            )

    def of_the_images(self, count: int) -> dict[str, Any]:
        """What decides which images a step sees: has to be the same in a resumed run."""
        return {
            "number of training images": count,
            "batch size": self.batch_size,
            "seed": self.seed,
            "augmentation": "none" if self.augment is None else str(asdict(self.augment)),
            "normalization": self.normalize,
        }
