"""The paper's update rule on PyTorch's fused kernel."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class AlexNetSGD(torch.optim.SGD):
    """v ← 0.9 v − 0.0005 ε w − ε g, w ← w + v, with the learning rate ε inside the velocity v.

    PyTorch's rule is u ← 0.9 u + (g + 0.0005 w), w ← w − ε u. While ε stays, v = −ε u and both are the same. When ε is
    divided by ten, the paper's velocity stays and PyTorch's step shrinks at once; multiplying u by (old ε / new ε)
    before the next step makes them the same again. So the fused kernel can be used, which reads all weights once.

    Raises `ValueError` at a step with a learning rate that is not above 0.
    Source: Krizhevsky et al. (2012), section 5.
    """

    def __init__(self, params: Iterable[Tensor], lr: float = 0.01, momentum: float = 0.9, weight_decay: float = 5e-4):
        params = list(params)
        fused = all(each.is_floating_point() and each.device.type in ("cpu", "cuda") for each in params)
        super().__init__(params, lr=lr, momentum=momentum, weight_decay=weight_decay, fused=fused or None)
        for group in self.param_groups:
            group["velocity_rate"] = lr  # kept in a checkpoint with the rest of the group

    @torch.no_grad()
    def step(self, closure=None):
        """One update of all weights that have a gradient."""
        for group in self.param_groups:
            if not group["lr"] > 0:
                raise ValueError(f"The learning rate is above 0, not {group['lr']}.")
            if group["lr"] != group["velocity_rate"]:
                factor = group["velocity_rate"] / group["lr"]
                for each in group["params"]:
                    velocity = self.state[each].get("momentum_buffer") if each in self.state else None
                    if velocity is not None:
                        velocity.mul_(factor)
                group["velocity_rate"] = group["lr"]
        return super().step(closure)
