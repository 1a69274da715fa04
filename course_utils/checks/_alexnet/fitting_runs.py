"""How `fit` is tried, and what it should find: the training of a linear network by hand, right and with a flaw."""

from __future__ import annotations

import math

import numpy as np


def call_fit(student, images, labels, unseen, truth, weight, bias, epochs, learning_rate, batch_size, patience, seeds):
    """What `student` does to a linear network: once for each of `seeds`, from the same weights.

    Of each run: history, weights, and the forward passes in turn: training (with gradients) or evaluation (without),
    the mode of the network, the numbers of the images, and the weights it was done with.
    """
    from types import SimpleNamespace

    import numpy as np
    import torch

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.from_numpy(np.array(weight)))
            self.bias = torch.nn.Parameter(torch.from_numpy(np.array(bias)))
            self.dropout = torch.nn.Dropout(0.0)  # its mode is what counts
            self.seen, self.passed = [], []

        def forward(self, x):
            flat = self.dropout(x.flatten(1).to(self.weight.dtype))
            self.seen.append([torch.is_grad_enabled(), self.dropout.training, (flat[:, 0] * 64).round().tolist()])
            self.passed.append(self.now())
            return flat[:, 1:] @ self.weight.T + self.bias

        def now(self):
            columns = [self.weight.detach(), self.bias.detach()[:, None]]
            return torch.cat(columns, dim=1).double().numpy()

    def number(value):
        if isinstance(value, (bool, int, float)):
            return float(value)
        raise TypeError(f"the result holds a value of type {type(value).__name__} in its history, should be a float")

    found = []
    for seed in seeds:
        model = Network()
        model.eval()
        data = SimpleNamespace(
            train=SimpleNamespace(images=np.array(images), labels=np.array(labels)),
            validation=SimpleNamespace(images=np.array(unseen), labels=np.array(truth)),
        )
        with torch.random.fork_rng(devices=[]):
            torch.rand(len(found) + 1)  # nothing may hang on where the global generator is
            settings = {"learning_rate": learning_rate, "batch_size": batch_size, "patience": patience, "seed": seed}
            history = student(model, data, epochs, device="cpu", **settings)
        if not isinstance(history, list) or not all(isinstance(epoch, dict) for epoch in history):
            kind = "None" if history is None else f"of type {type(history).__name__}"
            raise TypeError(f"the result is {kind}, should be a list with a dict for each epoch")
        if len(history) != epochs:
            raise TypeError(f"the result has {len(history)} dicts for {epochs} epochs")
        columns = {}
        for key in ("loss", "validation_error", "learning_rate"):
            if any(key not in epoch for epoch in history):
                raise TypeError(f"the result lacks the key {key!r} in an epoch")
            columns[key] = [number(epoch[key]) for epoch in history]
        passed = np.stack([*model.passed, model.now()])
        found.append({**columns, "weights": passed[-1], "seen": model.seen, "passed": passed})
    return found


def loss_and_gradient(weights, images, labels):
    """The mean cross-entropy of the network on these images, each image's own, and the gradient of the mean.

    weights: (K, D + 1), the bias in the last column.
    """
    x = with_ones(images)
    logits = x @ weights.T
    shifted = logits - logits.max(axis=1, keepdims=True)
    sums = np.exp(shifted).sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    losses = np.log(sums)[:, 0] - shifted[rows, labels]
    upper = np.exp(shifted) / sums
    upper[rows, labels] -= 1
    return losses.mean(), losses, upper.T @ x / len(x)


def with_ones(images):
    """Images as rows, without the pixel that holds their number, and with a 1 for the bias."""
    flat = images.reshape(len(images), -1).astype(np.float64)[:, 1:]
    return np.concatenate([flat, np.ones((len(flat), 1))], axis=1)


def paper(v, w, g, rate):
    """The paper's velocity."""
    return 0.9 * v - 0.0005 * rate * w - rate * g


def simulated(
    inputs,
    update=lambda v, w, g, rate: (paper(v, w, g, rate), w + paper(v, w, g, rate)),
    reset=None,
    better=lambda error, best, last: error < best,
    enough=lambda waited, patience: waited >= patience,
    after_division=0,
    after_best=lambda waited: 0,
    best_divided=lambda best, error: best,
    measure=lambda share: share,
    watched=None,
    evaluated="unseen",
    noted="before",
    forgotten=False,
    cleared="batch",
    batches=None,
):
    """Training of the network, with what the keywords name done in another way.

    batches: the rows of each batch of each epoch; without, all rows together. reset: "division" or "epoch", when the
    velocity is set to 0. cleared: "batch", "epoch" or "never", when the gradients are. forgotten: a division lasts
    for one epoch. watched: what the schedule goes by, as a function of validation error and validation loss.
    Returns the columns of the history, the weights, and the smallest distance between two of the logits that decide.
    """
    images, labels = inputs["images"], inputs["labels"]
    asked, truth = (images, labels) if evaluated == "images" else (inputs["unseen"], inputs["truth"])
    w = np.concatenate([inputs["weight"], inputs["bias"][:, None]], axis=1).astype(np.float64)
    v, rate = np.zeros_like(w), inputs["learning_rate"]
    best, last, waited, margin = math.inf, math.inf, 0, math.inf
    columns = {"loss": [], "validation_error": [], "learning_rate": []}
    rows_asked, g, everything = with_ones(asked), 0.0, [np.arange(len(images))]
    for epoch in range(inputs["epochs"]):
        v = np.zeros_like(v) if reset == "epoch" else v
        g = 0.0 if cleared == "epoch" else g
        loss, seen = 0.0, 0
        for rows in batches[epoch] if batches else everything:
            mean, _, new = loss_and_gradient(w, images[rows], labels[rows])
            g = new if cleared == "batch" else g + new
            loss, seen = loss + mean * len(rows), seen + len(rows)
            v, w = update(v, w, g, rate)
        loss /= seen
        logits = rows_asked @ w.T
        two = np.sort(logits, axis=1)[:, -2:]
        margin = min(margin, float((two[:, 1] - two[:, 0]).min()))
        share = 1 - float((logits.argmax(axis=1) == truth).mean())
        error = watched(share, loss_and_gradient(w, asked, truth)[0]) if watched else measure(share)
        used = rate
        if forgotten:
            rate = inputs["learning_rate"]
        if better(error, best, last):
            best, waited = error, after_best(waited)
        else:
            waited += 1
        if enough(waited, inputs["patience"]):
            rate, waited = rate / 10, waited if after_division is None else after_division
            best = best_divided(best, error)
            v = np.zeros_like(v) if reset == "division" else v
        last = error
        for key, value in zip(columns, (loss, measure(share), rate if noted == "after" else used), strict=True):
            columns[key].append(value)
    return columns, w, margin


def torch_fit():
    """A correct fit: torch.optim.SGD whose learning rate is 1, so that ε can be part of the gradients."""

    def fit(model, data, epochs, device="cpu", learning_rate=0.01, batch_size=128, patience=2, seed=0):
        import torch

        model.to(device)
        images, unseen = (torch.as_tensor(part.images).to(device) for part in (data.train, data.validation))
        labels, truth = (torch.as_tensor(part.labels).to(device) for part in (data.train, data.validation))
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
        numbers = torch.Generator().manual_seed(int(seed))
        history, best, waited = [], math.inf, 0
        for _ in range(epochs):
            model.train()
            total = 0.0
            for rows in torch.randperm(len(images), generator=numbers).to(device).split(batch_size):
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(images[rows]), labels[rows])
                loss.backward()
                for parameter in model.parameters():
                    if parameter.grad is not None:
                        parameter.grad.add_(parameter.detach(), alpha=0.0005).mul_(learning_rate)
                optimizer.step()
                total += float(loss.detach()) * len(rows)
            model.eval()
            with torch.no_grad():
                answers = torch.cat([model(part).argmax(dim=1) for part in unseen.split(batch_size)])
            error = float((answers != truth).double().mean())
            history.append({"loss": total / len(images), "validation_error": error, "learning_rate": learning_rate})
            best, waited = (error, 0) if error < best else (best, waited + 1)
            if waited >= patience:
                learning_rate, waited = learning_rate / 10, 0
        return history

    return fit
