"""Half the bits where that helps: autocast, and a gradient scaler for fp16 alone."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from course_utils.device import PRECISIONS, best_precision

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """The arithmetic of the forward pass; weights, gradients and their updates keep the model's own type.

    name: "float32" (no autocast: the model's type), "bf16", "fp16", or "auto" for what helps on `device`.
    """

    def __init__(self, name: str, device: torch.device, own: torch.dtype):
        if name not in ("auto", *PRECISIONS):
            raise ValueError(f"The precision is one of auto, {', '.join(PRECISIONS)}, not {name!r}.")
        if name == "auto":
            name = best_precision(device) if own == torch.float32 else "float32"
        self.half = _HALF.get(name)
        self.name = name if self.half or own == torch.float32 else str(own).removeprefix("torch.")
        # Of the network's input. A CPU is slow at half the bits outside matrix products, and autocast converts there.
        self.dtype = self.half if self.half and device.type == "cuda" else own
        self._device = device.type
        # bf16 has float32's range and needs no scaling; fp16's small gradients would become zero.
        self.scaler = torch.amp.GradScaler(device.type, enabled=name == "fp16")

    def autocast(self) -> AbstractContextManager:
        """Around the forward pass."""
        return torch.autocast(self._device, self.half) if self.half else nullcontext()
