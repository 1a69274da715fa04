"""A small network for the cases, by NumPy in float64, and how the exercises' `call`s report what it was asked for.

Its dropout is a `torch.nn.Dropout` that always drops the same units (`kept` is 0 or 2 for each), so that what a
forgotten `model.eval()` gives can be computed.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks.exercise import Misconception

TRAINING, EVALUATION = "training", "evaluation"


def weights(rng: np.random.Generator, pixels: int, classes: int, units: int = 6, factor: float = 2.5) -> dict:
    """Inputs of a case: a hidden layer, an output layer, and the units that its dropout keeps in training mode."""
    return {
        "hidden": rng.normal(size=(units, pixels)).astype(np.float32),
        "output": (factor * rng.normal(size=(classes, units)) / np.sqrt(units)).astype(np.float32),
        "bias": rng.normal(size=classes).astype(np.float32),
        "kept": rng.permutation(np.arange(units) % 2 * np.float32(2)).astype(np.float32),
    }


def answers(images: np.ndarray, hidden, output, bias, kept, mode: str = EVALUATION) -> np.ndarray:
    """Logits (..., N, K) for images (..., N, C, H, W)."""
    rows = images.reshape(*images.shape[:-3], -1).astype(np.float64)
    units = np.tanh(rows @ hidden.T.astype(np.float64))
    return (units * kept if mode == TRAINING else units) @ output.T.astype(np.float64) + bias


def softmax(logits: np.ndarray, axis: int = -1) -> np.ndarray:
    """PyTorch's, in float64."""
    import torch

    return torch.softmax(torch.from_numpy(logits), dim=axis).numpy()


def beaten_by(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many classes have a larger score than the true one, for each of N images: (N,)."""
    own = scores[np.arange(len(labels)), labels]
    return np.sum(scores > own[:, None], axis=1)


def report(names: tuple[str, str], numbers, mode_before: str, watched: bool, **changes) -> dict:
    """What `call` reports: the two numbers and, where the model was watched, in which way it was used."""
    found = dict(zip(names, numbers, strict=True))
    if watched:
        found |= {"mode while answering": EVALUATION, "gradients recorded": False, "mode afterwards": mode_before}
        found |= changes
    return found


def recording(variant_of, **more) -> list:
    """Variants that record gradients, and put the model's mode back or leave it in evaluation mode."""
    recorded = more | {"gradients recorded": True}
    return [variant_of(**recorded), variant_of(**recorded, **{"mode afterwards": EVALUATION})]


def left_wrongly(variant_of, any_of) -> tuple[Misconception, ...]:
    """Ideas that any exercise meets which asks a model: the mode it is left in, and what PyTorch keeps of it."""
    return (
        Misconception(
            "left in evaluation mode",
            "It looks as if the model stays in evaluation mode. The next epoch would train without dropout.",
            "Ask yourself: who calls model.train() after your function?",
            variant_of(**{"mode afterwards": EVALUATION}),
        ),
        Misconception(
            "always put into training mode",
            "It looks as if the model is in training mode afterwards, even where it was not before.",
            "Ask yourself: which value had model.training when your function was called?",
            variant_of(**{"mode afterwards": TRAINING}),
        ),
        Misconception(
            "gradients recorded",
            "It looks as if PyTorch keeps all activations for a backward pass that never comes.",
            "Ask yourself: under which `with` should a model answer that is not being trained?",
            matches=any_of(*recording(variant_of)),
        ),
    )
