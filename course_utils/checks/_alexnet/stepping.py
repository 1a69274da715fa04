"""train_step: judged on a network of two linear layers, whose gradients and updates are worked out by hand in NumPy.

The network notes its mode, and what it computes in. With bfloat16, numbers are compared as loosely as float16.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises

LOSS, UPDATE, STEPS, MODE, BFLOAT16, IMPOSSIBLE = (
    "the loss",
    "one update",
    "several steps",
    "training mode",
    "bfloat16",
    "other precisions",
)


def call_train_step(student, part, weights, images, labels, precision, learning_rate, momentum, left_behind):
    """What `student` does to a small network in one step for each of `images`; `part` says what is returned.

    weights: of two linear layers, each a matrix and a vector. left_behind: gradients that are there before.
    """
    import numpy as np
    import torch

    seen = []

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(weights[0].shape[1], weights[0].shape[0])
            self.dropout = torch.nn.Dropout(0.0)  # its mode is what counts
            self.second = torch.nn.Linear(weights[2].shape[1], weights[2].shape[0])

        def forward(self, x):
            hidden = self.first(x.flatten(1))
            mode = "training" if self.dropout.training else "evaluation"
            seen.append((mode, str(hidden.dtype)[6:], str(self.first.weight.dtype)[6:]))
            return self.second(torch.relu(self.dropout(hidden)))

    model = Network()
    with torch.no_grad():
        for parameter, values in zip(model.parameters(), weights, strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))
    if left_behind:
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, left_behind)
    model.eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=momentum)
    losses, kinds = [], []
    for batch, truth in zip(images, labels, strict=True):
        batch, truth = torch.from_numpy(np.ascontiguousarray(batch)), torch.from_numpy(np.ascontiguousarray(truth))
        loss = student(model, batch, truth, optimizer, precision)
        kinds.append("a tensor" if torch.is_tensor(loss) else "a float" if isinstance(loss, float) else "another")
        if kinds[-1] == "another" or (torch.is_tensor(loss) and loss.numel() != 1):
            kind = "None" if loss is None else f"of type {type(loss).__name__}"
            raise TypeError(f"the result is {kind}, should be one float: the loss")
        losses.append(float(loss.detach()) if torch.is_tensor(loss) else loss)
    if not seen:
        raise TypeError("the result is a number, but the model was never called")
    if part == "loss":
        return {"kind of result": kinds[0], "loss": np.array(losses, dtype=np.float32)}
    if part == "mode":
        return {"mode in the forward pass": seen[0][0]}
    after = [parameter.detach().float() for parameter in model.parameters()]
    names = ("first weight", "first bias", "second weight", "second bias")
    if part == "weights":
        return {name: values.numpy().copy() for name, values in zip(names, after, strict=True)}
    changes = [(new.numpy(), old) for new, old in zip(after, weights, strict=True)]
    return {
        "numbers of the forward pass": seen[0][1],
        "weights in the forward pass": seen[0][2],
        "weights afterwards": str(next(model.parameters()).dtype)[6:],
        "loss": np.array(losses, dtype=np.float16),
        # of all weights together: single ones may differ by much where bfloat16 rounds
        "length of the update": np.array(sum(((new - old) ** 2).sum() for new, old in changes) ** 0.5, np.float16),
    }


def _by_hand(part, weights, images, labels, precision, learning_rate, momentum, left_behind):
    """The same, with forward pass, gradients and update written out in float64."""
    if precision not in ("float32", "bfloat16"):
        return Raises("ValueError", (precision,))
    weights = [np.array(values, dtype=np.float64) for values in weights]
    before, losses = [values.copy() for values in weights], []
    velocities = [np.zeros_like(values) for values in weights]
    for batch, truth in zip(images, labels, strict=True):
        rows, x = np.arange(len(batch)), batch.reshape(len(batch), -1).astype(np.float64)
        hidden = x @ weights[0].T + weights[1]
        active = np.maximum(hidden, 0)
        logits = active @ weights[2].T + weights[3]
        shifted = logits - logits.max(axis=1, keepdims=True)
        probabilities = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        losses.append(-np.log(probabilities[rows, truth]).mean())
        upper = probabilities.copy()
        upper[rows, truth] -= 1
        upper /= len(batch)
        lower = (upper @ weights[2]) * (hidden > 0)
        for values, velocity, gradient in zip(
            weights, velocities, (lower.T @ x, lower.sum(axis=0), upper.T @ active, upper.sum(axis=0)), strict=True
        ):
            velocity *= momentum
            velocity += gradient
            values -= learning_rate * velocity
    if part == "loss":
        return {"kind of result": "a float", "loss": np.array(losses)}
    if part == "mode":
        return {"mode in the forward pass": "training"}
    names = ("first weight", "first bias", "second weight", "second bias")
    after = dict(zip(names, weights, strict=True))
    if part == "weights":
        return after
    length = np.array(sum(((new - old) ** 2).sum() for new, old in zip(weights, before, strict=True)) ** 0.5)
    kinds = {
        "numbers of the forward pass": "bfloat16",
        "weights in the forward pass": "float32",
        "weights afterwards": "float32",
    }
    return {**kinds, "loss": np.array(losses), "length of the update": length}


def torch_step(
    cleared="before",
    softmax=False,
    reduction="mean",
    returned="before",
    times=1,
    steps=1,
    training=True,
    autocast=lambda precision: precision == "bfloat16",
):
    """A student's function in which what the keywords name is another idea; without any, a correct one."""

    def train_step(model, images, labels, optimizer, precision):
        import torch

        if precision not in ("float32", "bfloat16"):
            raise ValueError(f"no precision: {precision}")
        model.train(training)

        def forward(how="mean"):
            with torch.autocast(images.device.type, torch.bfloat16, enabled=autocast(precision)):
                logits = model(images)
                logits = torch.softmax(logits, dim=1) if softmax else logits
                return torch.nn.functional.cross_entropy(logits, labels, reduction=how)

        if cleared == "before":
            optimizer.zero_grad()
        loss = forward("sum" if reduction in ("sum", "sum for gradients") else "mean")
        for _ in range(times):
            loss.backward(retain_graph=True)
        for _ in range(steps):
            optimizer.step()
        if cleared == "after":
            optimizer.zero_grad()
        if returned == "after":
            with torch.no_grad():
                loss = forward()
        value = loss.item() * {"sum returned": len(images), "sum for gradients": 1 / len(images)}.get(reduction, 1)
        return loss.detach() if returned == "tensor" else value

    return train_step


def _like(*flawed):
    return one_of(call_train_step, *flawed, rtol=1e-4, atol=1e-5)


def _cases(rng):
    def case(aspect, part, steps=1, N=6, precision="float32", momentum=0.0, left_behind=0.0):
        D, H, K = (3, 2, 2), 5, 4
        weights = [
            rng.integers(-6, 7, size=(H, 12)) / 8,
            rng.integers(1, 7, size=H) / 8,
            rng.integers(-6, 7, size=(K, H)) / 8,
            rng.integers(-6, 7, size=K) / 8,
        ]
        inputs = {
            "part": part,
            "weights": [values.astype(np.float32) for values in weights],
            # multiples of 1/8, which bfloat16 holds exactly
            "images": (rng.integers(-8, 9, size=(steps, N, *D)) / 8).astype(np.float32),
            "labels": rng.integers(K, size=(steps, N)),
            "precision": precision,
            # A large one with bfloat16: what it rounds away is then small beside the update.
            "learning_rate": 1.0 if precision == "bfloat16" else round(float(rng.uniform(0.1, 0.3)), 3),
            "momentum": momentum,
            "left_behind": left_behind,
        }
        return Case(aspect, inputs)

    return [
        case(LOSS, "loss"),
        case(LOSS, "loss", steps=2, N=5),
        case(UPDATE, "weights"),
        case(UPDATE, "weights", N=9, momentum=0.9),
        case(STEPS, "weights", steps=3, momentum=0.9),
        case(STEPS, "weights", steps=2, N=4, left_behind=0.5),
        case(MODE, "mode"),
        case(BFLOAT16, "bfloat16", precision="bfloat16"),
        case(BFLOAT16, "bfloat16", N=9, precision="bfloat16"),
        case(IMPOSSIBLE, "loss", precision="float16"),
        case(IMPOSSIBLE, "loss", precision="single"),
    ]


train_step = Exercise(
    name="train_step",
    cases=_cases,
    call=call_train_step,
    expected=_by_hand,
    stand_in=torch_step,
    for_call=("part", "momentum", "left_behind", "weights"),
    forbidden=("scipy", "sklearn"),
    rtol=1e-4,
    atol=1e-5,
    difficulty=2,
    importance=5,
    minutes=20,
    hints=(
        "Six things in this order: training mode, old gradients away, logits and loss, gradients, update, and the loss "
        "as a number. Only the logits and the loss depend on the precision.",
        "model.train(), optimizer.zero_grad(), torch.nn.functional.cross_entropy(logits, labels) with logits (N, K) "
        "and labels (N,), loss.backward(), optimizer.step(), loss.item().",
        "with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == 'bfloat16'): stands around the "
        "line loss = torch.nn.functional.cross_entropy(model(images), labels) and nothing else.",
    ),
    misconceptions=(
        Misconception(
            "gradients accumulate",
            "It looks as if gradients of earlier steps are still there. backward adds to what .grad holds.",
            "Ask yourself: what does .grad hold just before your call of backward?",
            matches=_like(torch_step(cleared="never"), torch_step(cleared="after")),
        ),
        Misconception(
            "softmax before cross-entropy",
            "It looks as if a softmax is taken before cross_entropy, which takes one itself. The gradients become "
            "small.",
            "Ask yourself: does cross_entropy ask for logits or for probabilities?",
            matches=_like(torch_step(softmax=True)),
        ),
        Misconception(
            "loss after the update",
            "It looks as if the loss is computed again after the update. The one before it was asked for.",
            "Ask yourself: how many forward passes does one step need?",
            matches=_like(torch_step(returned="after")),
        ),
        Misconception(
            "loss returned as a tensor",
            "It looks as if you return the loss as a tensor. Who keeps such losses in a list may keep the graph of "
            "every batch in memory too.",
            "Ask yourself: what does loss.item() give?",
            matches=_like(torch_step(returned="tensor")),
        ),
        Misconception(
            "loss summed",
            "It looks as if the losses of the batch are added. The mean was asked for.",
            "Ask yourself: what happens to your loss and to the update when every image is in the batch twice?",
            matches=_like(
                torch_step(reduction="sum"),
                torch_step(reduction="sum returned"),
                torch_step(reduction="sum for gradients"),
            ),
        ),
        Misconception(
            "no step",
            "It looks as if the weights stay what they were.",
            "Ask yourself: which call changes the weights, and what does .grad hold when you make it?",
            matches=_like(torch_step(steps=0)),
        ),
        Misconception(
            "two updates",
            "It looks as if the optimizer makes two steps in one call.",
            "Ask yourself: how often is optimizer.step() called?",
            matches=_like(torch_step(steps=2)),
        ),
        Misconception(
            "backward twice",
            "It looks as if the gradients are twice what they should be, as after two calls of backward.",
            "Ask yourself: what does a second backward do to .grad?",
            matches=_like(torch_step(times=2)),
        ),
        Misconception(
            "model left in evaluation mode",
            "It looks as if the network is in evaluation mode in your step. Then nothing is dropped.",
            "Ask yourself: in which mode is the model if it was just evaluated?",
            matches=_like(torch_step(training=False)),
        ),
        Misconception(
            "weights converted to bfloat16",
            "It looks as if the weights themselves are made bfloat16. Updates smaller than 1/256 of a weight are then "
            "lost by rounding.",
            "Ask yourself: which lines of yours convert the model, and which does torch.autocast make superfluous?",
            matches=lambda case, outputs: outputs["weights in the forward pass"] == "bfloat16",
        ),
        Misconception(
            "precision makes no difference",
            "It looks as if the step does the same for both precisions.",
            "Ask yourself: which line of yours uses precision, apart from the test of its name?",
            matches=_like(torch_step(autocast=lambda precision: False), torch_step(autocast=lambda precision: True)),
        ),
        Misconception(
            "any precision accepted",
            "It looks as if a precision of another name is trained with as well. A typing error then goes unseen.",
            "Ask yourself: what does your step do with precision 'float16'?",
            matches=lambda case, outputs: case.aspect == IMPOSSIBLE,
        ),
    ),
)
