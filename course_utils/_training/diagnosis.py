"""What to say when the numbers are no numbers any more, or the memory is not enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Gradient:
    """The parameter with the largest gradient in a step: its name, the gradient's norm and its own."""

    name: str
    norm: float
    size: float
    step: int

    def __str__(self) -> str:
        if not math.isfinite(self.norm):
            return f"The gradient of {self.name} was not finite in step {self.step}."
        own = f", the norm of its weights {self.size:.3g}" if math.isfinite(self.size) else ""
        return f"The largest gradient in step {self.step} was that of {self.name}: its norm was {self.norm:.3g}{own}."


def largest_gradient(model: nn.Module, step: int) -> Gradient | None:
    """Return the largest gradient by its norm, one that is not finite before all others; None where there is none."""
    named = [(name, each) for name, each in model.named_parameters() if each.grad is not None]
    if not named:
        return None
    norms = torch.stack([each.grad.detach().norm().double() for _, each in named]).tolist()
    place = max(range(len(norms)), key=lambda index: norms[index] if math.isfinite(norms[index]) else math.inf)
    name, parameter = named[place]
    return Gradient(name, norms[place], parameter.detach().norm().item(), step)


def not_a_number(
    step: int,
    epoch: int,
    rate: float,
    before: Sequence[float],
    gradient: Gradient | None,
    precision: str,
    normalization: str,
    saved: str,
) -> str:
    """The message for a loss that is not finite in `step` of `epoch`, both from 1; `saved` is about the checkpoint."""
    lines = [f"The loss is no finite number any more: step {step} of epoch {epoch}, learning rate {rate:g}."]
    if before:
        lines.append(f"The losses before it: {', '.join(f'{loss:.4g}' for loss in before)}.")
    if gradient is not None:
        lines.append(str(gradient))
    tries = [f"a learning rate of {rate / 10:g}"]
    if precision == "fp16":
        tries.append("bf16 or float32 instead of fp16, whose largest number is 65,504")
    if normalization == "none":
        tries.append("normalize='standard'")
    if not before:
        tries.append("smaller initial weights: this was the first loss")
    lines.append(f"Try {'; or '.join(tries)}.")
    if saved:
        lines.append(saved)
    return "\n".join(lines)


def out_of_memory(device: str, at_once: int, batch: int, accumulate: int, shape: Sequence[int], precision: str) -> str:
    """The message for a step that did not fit into memory: what it was, and what to change first."""
    size = "×".join(str(each) for each in shape)
    tries = []
    if at_once > 1:
        tries.append(
            f"accumulate={2 * accumulate} (on the command line --accumulate {2 * accumulate}): half as many images at "
            "once, and the same result"
        )
        tries.append(f"a batch size of {max(1, batch // 2)}, which changes the training")
    if precision == "float32" and device != "the CPU":
        tries.append("precision='bf16' (or 'fp16'), which halves what is kept for the backward pass")
    tries.append("smaller images or a narrower network")
    numbered = "\n".join(f"  {number}. {text}" for number, text in enumerate(tries, start=1))
    return (
        f"Memory on {device} ran out with {at_once} images of {size} at once (batch size {batch}, accumulate "
        f"{accumulate}, {precision}). Try, in this order:\n{numbered}"
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is PyTorch's way to say that memory ran out, on a GPU or on the CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "CUDA out of memory" in text)
