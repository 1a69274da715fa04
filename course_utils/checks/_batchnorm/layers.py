"""Batch norm layers with running statistics: PyTorch's, and one of which subclasses change one idea."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Raises

RUNNING = ("running_mean", "running_var")


def call_batchnorm(student, num_features, start, steps, look, **settings):
    def attribute(layer, name):
        if not hasattr(layer, name):
            raise TypeError(f"the result of BatchNorm({num_features}) has no attribute {name}")
        return getattr(layer, name)

    layer = student(num_features, **settings)
    for name, value in start.items():
        setattr(layer, name, value.copy())
    outputs = []
    for mode, x in steps:
        layer.training = mode == "training"
        outputs.append(layer(x))
        if outputs[-1] is None:
            raise TypeError("the result of layer(x) is None: is a return missing?")
    if [(mode, len(x)) for mode, x in steps] == [("training", 1)]:  # no dict: the message is about what the layer gave
        return outputs[0]
    found = {"out": outputs} if outputs and "out" in look else {}
    found.update((name, attribute(layer, name)) for name in look if name != "out")
    return found


def torch_layer():
    """A BatchNorm that leaves everything to PyTorch; its attributes are arrays."""
    import torch

    class BatchNorm:
        def __init__(self, num_features, epsilon=1e-5, momentum=0.1):
            self._layer = torch.nn.BatchNorm1d(num_features, eps=epsilon, momentum=momentum, dtype=torch.float64)
            self.training = True
            for name in ("weight", "bias", *RUNNING):
                setattr(self, name, getattr(self._layer, name).detach().numpy().copy())

        def __call__(self, x):
            with torch.no_grad():
                for name in ("weight", "bias", *RUNNING):
                    getattr(self._layer, name).copy_(torch.as_tensor(np.asarray(getattr(self, name), dtype=float)))
                out = self._layer.train(bool(self.training))(torch.as_tensor(np.array(x, dtype=np.float64))).numpy()
            for name in RUNNING:
                setattr(self, name, getattr(self._layer, name).numpy().copy())
            return out

    return BatchNorm


def truth(**inputs):
    try:
        return call_batchnorm(torch_layer(), **inputs)
    except ValueError:  # PyTorch's own: more than one value per channel is needed in training
        return Raises("ValueError", ("1",))


class Layer:
    """A batch norm layer of which subclasses change one idea."""

    starts = (0.0, 1.0)  # running_mean, running_var
    updates_first = False  # before the batch is normalized

    def __init__(self, num_features, epsilon=1e-5, momentum=0.1):
        self.epsilon, self.momentum, self.training = epsilon, momentum, True
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = (np.full(num_features, value) for value in self.starts)

    def batch(self, x):
        """What the batch is normalized with in training."""
        return x.mean(axis=0), x.var(axis=0)

    def remembered(self, x):
        """What goes into the running statistics."""
        return x.mean(axis=0), x.var(axis=0) * len(x) / max(len(x) - 1, 1)

    def fixed(self, x):
        """What x is normalized with in evaluation."""
        return self.running_mean, self.running_var

    def blend(self, old, new):
        return (1 - self.momentum) * old + self.momentum * new

    def updates(self):
        return self.training

    def spread(self, variance):
        return np.sqrt(variance + self.epsilon)

    def affine(self, x_hat):
        return self.weight * x_hat + self.bias

    def accepts(self, x):
        return len(x) > 1 or not self.training

    def update(self, x):
        new = self.remembered(x)
        self.running_mean, self.running_var = map(self.blend, (self.running_mean, self.running_var), new)

    def __call__(self, x):
        if not self.accepts(x):
            raise ValueError(f"a batch of {len(x)}")
        if self.updates() and self.updates_first:
            self.update(x)
        mean, variance = self.batch(x) if self.training else self.fixed(x)
        if self.updates() and not self.updates_first:
            self.update(x)
        return self.affine((x - mean) / self.spread(variance))


def layer(**ideas):
    """The variant of a `Layer` with these attributes or methods exchanged."""
    run = through(call_batchnorm, type("BatchNorm", (Layer,), ideas))

    def variant(**inputs):
        try:
            return run(**inputs)
        except ValueError:
            return Raises("ValueError")

    return variant


def any_layer(*changes):
    """A `matches`: one of the `Layer`s with these attributes or methods exchanged explains the outputs."""
    return one_of(call_batchnorm, *(type("BatchNorm", (Layer,), ideas) for ideas in changes))


def of_examples(self, x):
    return x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)


def no_variance_of_one(self, x):
    """Mean and variance to remember, by N − 1 also where that is 0, which NumPy answers with NaN."""
    return x.mean(axis=0), x.var(axis=0) * len(x) / (len(x) - 1 or np.nan)


def first_taken_whole(self, x):
    if hasattr(self, "seen"):
        return Layer.update(self, x)
    self.seen = 1
    self.running_mean, self.running_var = self.remembered(x)


def equal_weights(self, x):
    """Plain averages over the batches so far."""
    self.seen = getattr(self, "seen", 0) + 1
    new = self.remembered(x)
    self.running_mean, self.running_var = (
        old + (value - old) / self.seen for old, value in zip((self.running_mean, self.running_var), new, strict=True)
    )
