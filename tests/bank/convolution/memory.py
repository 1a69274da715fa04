"""training_memory, as students write it."""

import numpy as np

from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("training_memory", "the sizes of arrays")
def training_memory(activations, parameters, batch_size, optimizer_slots, bytes_per_value=4):
    shapes = [(batch_size, activations)] * 2 + [(parameters,)] * (2 + optimizer_slots)
    return sum(np.broadcast_to(np.int8(0), shape).size * bytes_per_value for shape in shapes)


@alternative("training_memory", "a list of names")
def training_memory(activations, parameters, batch_size, optimizer_slots, bytes_per_value=4):
    values = {
        "activations": batch_size * activations,
        "gradients of activations": batch_size * activations,
        "parameters": parameters,
        "gradients of parameters": parameters,
        "optimizer": optimizer_slots * parameters,
    }
    return bytes_per_value * sum(values.values())


mistaken_sources(
    __name__,
    "training_memory",
    [
        (
            label,
            "def training_memory(activations, parameters, batch_size, optimizer_slots, bytes_per_value=4):\n"
            f"    return {result}\n",
        )
        for label, result in (
            (
                "gradients of the activations forgotten",
                "(batch_size * activations + (2 + optimizer_slots) * parameters) * bytes_per_value",
            ),
            (
                "gradients of the parameters forgotten",
                "(2 * batch_size * activations + (1 + optimizer_slots) * parameters) * bytes_per_value",
            ),
            (
                "only the optimizer's slots",
                "(2 * batch_size * activations + optimizer_slots * parameters) * bytes_per_value",
            ),
            (
                "no gradients at all",
                "(batch_size * activations + (1 + optimizer_slots) * parameters) * bytes_per_value",
            ),
            (
                "slots of the optimizer ignored",
                "2 * (batch_size * activations + parameters) * bytes_per_value",
            ),
            (
                "one slot, whatever the optimizer",
                "(2 * batch_size * activations + 3 * parameters) * bytes_per_value",
            ),
            (
                "parameters copied for every image",
                "batch_size * (2 * activations + (2 + optimizer_slots) * parameters) * bytes_per_value",
            ),
            (
                "parameter gradients kept for every image",
                "(batch_size * (2 * activations + parameters) + (1 + optimizer_slots) * parameters) * bytes_per_value",
            ),
            (
                "batch size ignored",
                "(2 * activations + (2 + optimizer_slots) * parameters) * bytes_per_value",
            ),
            (
                "slots for the activations too",
                "(2 + optimizer_slots) * (batch_size * activations + parameters) * bytes_per_value",
            ),
            (
                "values instead of bytes",
                "2 * batch_size * activations + (2 + optimizer_slots) * parameters",
            ),
            (
                "always four bytes",
                "(2 * batch_size * activations + (2 + optimizer_slots) * parameters) * 4",
            ),
            (
                "larger units than bytes",
                "(2 * batch_size * activations + (2 + optimizer_slots) * parameters) * bytes_per_value / 1024**2",
            ),
        )
    ],
)


@mistaken("training_memory", "larger units than bytes")
def training_memory(activations, parameters, batch_size, optimizer_slots, bytes_per_value=4):
    values = 2 * batch_size * activations + (2 + optimizer_slots) * parameters
    return values * bytes_per_value // 10**6
