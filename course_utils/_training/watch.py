"""Looks at the losses without making a GPU wait for each of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from course_utils._training.diagnosis import Gradient, largest_gradient
from course_utils._training.distributed import Team

_EVERY = {"cpu": 1, "cuda": 50}  # steps between two looks: to read a number, the CPU waits for the GPU
_GROWN = 1.5  # times the loss before: worth a look at the gradients, which costs a pass over them
_FIRST = 10  # looks at which the gradients are looked at in any case


class Watch:
    """Collects each step's loss and number of errors where they are, and reads them every so many steps.

    The first looks come after 1, 2, 4, … steps. Several processes add up their parts at a look, and with them their
    wish to stop or to save.
    """

    def __init__(self, team: Team, model: nn.Module, every: int | None = None):
        self._team, self._model = team, model
        self._every = every or _EVERY[team.device.type]
        self._losses: list[Tensor] = []
        self._wrong: list[Tensor] = []
        self._seen = self._looks = 0
        self.gradient: Gradient | None = None  # the largest, and the step in which it was looked at
        self.recent: list[float] = []  # the last finite losses

    def add(self, loss: Tensor, wrong: Tensor) -> None:
        """This process's part of a step's mean loss, and the number of images it gave another label to."""
        self._losses.append(loss)
        self._wrong.append(wrong)

    @property
    def due(self) -> bool:
        """Whether it is time for a look."""
        return len(self._losses) >= max(1, min(self._every, self._seen))

    def look(self, wishes: tuple[bool, ...]) -> tuple[list[float], float, list[bool]]:
        """Return the losses since the last look, the number of errors, and for each wish whether any process has it."""
        count = len(self._losses)
        own = [each.double() for each in (*self._losses, *self._wrong)]
        read = torch.stack(own).cpu() if own else torch.zeros(0, dtype=torch.float64)
        everywhere = self._team.sum(torch.cat([read, torch.tensor(wishes, dtype=torch.float64)])).tolist()
        self._losses, self._wrong = [], []
        self._seen += count
        self._looks += 1
        return everywhere[:count], sum(everywhere[count : 2 * count]), [wish > 0 for wish in everywhere[2 * count :]]

    def note(self, losses: list[float], step: int) -> int | None:
        """Remember losses, the last of them that of `step`; return the place of the first that is not finite."""
        worth_it = self._every > 1 or self._looks <= _FIRST
        for place, loss in enumerate(losses):
            if not math.isfinite(loss):
                return place
            worth_it = worth_it or (bool(self.recent) and loss > _GROWN * self.recent[-1])
            self.recent = [*self.recent[-3:], loss]
        if worth_it:
            self.gradient = largest_gradient(self._model, step)
        return None
