"""Which images make up each step, and every random number of the augmentation: functions of the seed and the epoch.

Nothing here depends on how many processes, workers or pieces share the work. So a resumed run, a run with other workers
and a run on several devices see the same images, cropped in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Piece:
    """What one process works on at once: a part of a batch.

    rows: (k,) the images. uniform: (k, 4) in [0, 1), for the row and the column of the crop, the flip and the
    brightness. normal: (k, 3) for the colours. Both are None where nothing is augmented.
    counted: 0 for a stand-in that keeps a process without images in step, else k. batch: images in the whole batch.
    """

    rows: np.ndarray
    uniform: np.ndarray | None
    normal: np.ndarray | None
    counted: int
    batch: int


class EpochPlan:
    """The batches of one epoch over `count` images."""

    def __init__(self, count: int, batch_size: int, seed: int, epoch: int, augmented: bool):
        self.count, self.batch_size = count, batch_size
        rng = np.random.default_rng([seed, epoch])
        self.order = rng.permutation(count)
        self.uniform = rng.random((count, 4), dtype=np.float32) if augmented else None
        self.normal = rng.standard_normal((count, 3), dtype=np.float32) if augmented else None

    @classmethod
    def in_order(cls, count: int, batch_size: int) -> EpochPlan:
        """All images once, first to last and as they are: for evaluation."""
        plan = cls.__new__(cls)
        plan.count, plan.batch_size = count, batch_size
        plan.order, plan.uniform, plan.normal = np.arange(count), None, None
        return plan

    @property
    def steps(self) -> int:
        """Batches in the epoch; the last may be smaller."""
        return -(-self.count // self.batch_size)

    def pieces(self, first_step: int, rank: int, world: int, accumulate: int) -> Iterator[list[Piece]]:
        """For each step from `first_step` on, the pieces of process `rank`: at most `accumulate`, in order."""
        for step in range(first_step, self.steps):
            start = step * self.batch_size
            stop = min(start + self.batch_size, self.count)
            rounds = min(accumulate, -(-(stop - start) // world))
            parts = np.array_split(np.arange(start, stop), world * rounds)
            yield [self._piece(part, stop - start) for part in parts[rank * rounds : (rank + 1) * rounds]]

    def _piece(self, places: np.ndarray, batch: int) -> Piece:
        counted = len(places)
        if not counted:
            places = np.arange(1)
        uniform = None if self.uniform is None else self.uniform[places]
        normal = None if self.normal is None else self.normal[places]
        return Piece(self.order[places], uniform, normal, counted, batch)
