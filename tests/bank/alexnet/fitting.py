"""fit: correct in other styles, and wrong."""

import numpy as np

from tests.bank.registry import alternative, mistaken_sources


@alternative("fit", "a DataLoader, decay in the loss, one velocity for all parameters together")
def fit(model, data, epochs, device="cpu", learning_rate=0.01, batch_size=128, patience=2, seed=0):
    import torch
    from torch.nn.utils import parameters_to_vector, vector_to_parameters
    from torch.utils.data import DataLoader, TensorDataset

    model = model.to(device)
    parts = [
        TensorDataset(torch.from_numpy(part.images), torch.from_numpy(part.labels))
        for part in (data.train, data.validation)
    ]
    loader = DataLoader(parts[0], batch_size, shuffle=True, generator=torch.Generator().manual_seed(seed))
    velocity = torch.zeros_like(parameters_to_vector(model.parameters()))
    rate, errors, since, history = learning_rate, [], 0, []
    for _ in range(epochs):
        model.train()
        losses = []
        for images, labels in loader:
            model.zero_grad()
            logits = model(images.to(device))
            each = torch.nn.functional.cross_entropy(logits, labels.to(device), reduction="none")
            losses += each.tolist()
            decay = sum((parameter**2).sum() for parameter in model.parameters())
            (each.mean() + 0.00025 * decay).backward()
            gradient = parameters_to_vector([parameter.grad for parameter in model.parameters()])
            velocity = 0.9 * velocity - rate * gradient
            with torch.no_grad():
                vector_to_parameters(parameters_to_vector(model.parameters()) + velocity, model.parameters())
        model.eval()
        with torch.inference_mode():
            wrong = sum(
                int((model(images.to(device)).argmax(1) != labels.to(device)).sum())
                for images, labels in DataLoader(parts[1], 100)
            )
        error = wrong / len(parts[1])
        history.append(dict(loss=sum(losses) / len(losses), validation_error=error, learning_rate=rate))
        since = 0 if all(error < earlier for earlier in errors) else since + 1
        errors.append(error)
        if since == patience:
            rate, since = rate * 0.1, 0
    return history


@alternative("fit", "numpy orders, velocities divided by the learning rate and rescaled at a division")
def fit(model, data, epochs, device="cpu", learning_rate=0.01, batch_size=128, patience=2, seed=0):
    import torch

    model.to(device)
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9, weight_decay=0.0005)
    history, best, waited = [], 1.1, 0
    count = len(data.train.labels)
    for _ in range(epochs):
        order = rng.permutation(count)
        total = 0.0
        for start in range(0, count, batch_size):
            rows = order[start : start + batch_size]
            model.train()
            images = torch.as_tensor(data.train.images[rows], device=device)
            labels = torch.as_tensor(data.train.labels[rows], device=device)
            loss = torch.nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * rows.size
        model.eval()
        with torch.no_grad():
            logits = model(torch.as_tensor(data.validation.images, device=device)).cpu().numpy()
        error = float(np.mean(logits.argmax(axis=1) != data.validation.labels))
        rate = optimizer.param_groups[0]["lr"]
        history.append({"loss": total / count, "validation_error": error, "learning_rate": rate})
        waited = 0 if error < best else waited + 1
        best = min(best, error)
        if waited >= patience:
            waited = 0
            for group in optimizer.param_groups:
                group["lr"] = rate / 10
                for parameter in group["params"]:
                    optimizer.state[parameter]["momentum_buffer"] *= 10
    return history


@alternative("fit", "torch.manual_seed, one long loop over steps")
def fit(model, data, epochs, device="cpu", learning_rate=0.01, batch_size=128, patience=2, seed=0):
    import torch

    model.to(device)
    torch.manual_seed(seed)
    train, unseen = data.train, data.validation
    velocities = {name: 0.0 for name, _ in model.named_parameters()}
    history, best, best_epoch = [], float("inf"), -1
    for epoch in range(epochs):
        losses = torch.zeros(len(train.images), dtype=torch.float64)
        for rows in torch.split(torch.randperm(len(train.images)), batch_size):
            model.train()
            model.zero_grad()
            images, labels = torch.tensor(train.images[rows.numpy()]), torch.tensor(train.labels[rows.numpy()])
            logits = model(images.to(device))
            each = torch.logsumexp(logits, 1) - logits[torch.arange(len(rows)), labels.to(device)]
            each.mean().backward()
            losses[rows] = each.detach().double().cpu()
            for name, parameter in model.named_parameters():
                step = learning_rate * (parameter.grad + 0.0005 * parameter.detach())
                velocities[name] = 0.9 * velocities[name] - step
                parameter.data += velocities[name]
        model.eval()
        with torch.no_grad():
            right = model(torch.tensor(unseen.images).to(device)).argmax(1).cpu().numpy() == unseen.labels
        error = 1 - right.sum() / len(right)
        history.append({"loss": losses.mean().item(), "validation_error": error, "learning_rate": learning_rate})
        if error < best:
            best, best_epoch = error, epoch
        if epoch - best_epoch == patience:
            learning_rate, best_epoch = learning_rate / 10, epoch
    return history


@alternative("fit", "an optimizer of one's own, ReduceLROnPlateau, float32 velocities")
def fit(model, data, epochs, device="cpu", learning_rate=0.01, batch_size=128, patience=2, seed=0):
    import torch

    class Momentum(torch.optim.Optimizer):
        @torch.no_grad()
        def step(self):
            for group in self.param_groups:
                for p in group["params"]:
                    v = self.state[p].setdefault("velocity", torch.zeros(p.shape))
                    v.mul_(0.9).sub_(group["lr"] * (0.0005 * p + p.grad))
                    p.add_(v)

    model.to(device)
    optimizer = Momentum(model.parameters(), {"lr": learning_rate})
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=patience - 1, eps=0)
    images, labels = torch.from_numpy(data.train.images), torch.from_numpy(data.train.labels)
    generator, history = torch.Generator().manual_seed(seed), []
    for _ in range(epochs):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(images), generator=generator).split(batch_size):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(images[rows]), labels[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        model.eval()
        with torch.no_grad():
            wrong = model(torch.from_numpy(data.validation.images)).argmax(1).numpy() != data.validation.labels
        used = scheduler.get_last_lr()[0]
        history.append({"loss": total / len(images), "validation_error": float(wrong.mean()), "learning_rate": used})
        scheduler.step(history[-1]["validation_error"])
    return history


@alternative("fit", "weights in float32, the step as a gradient")
def fit(model, data, epochs, device="cpu", learning_rate=0.01, batch_size=128, patience=2, seed=0):
    import torch

    model.to(device, torch.float32)
    optimizer = torch.optim.SGD(model.parameters(), lr=1, momentum=0.9)
    rng, history, best, waited = np.random.RandomState(seed), [], 2.0, 0
    for _ in range(epochs):
        order, losses = np.arange(len(data.train.labels)), []
        rng.shuffle(order)
        model.train()
        for rows in np.split(order, range(batch_size, len(order), batch_size)):
            optimizer.zero_grad()
            logits = model(torch.tensor(data.train.images[rows], device=device))
            each = torch.nn.CrossEntropyLoss(reduction="none")(logits, torch.tensor(data.train.labels[rows]))
            decay = sum(parameter.pow(2).sum() for parameter in model.parameters())
            (learning_rate * (each.mean() + 0.00025 * decay)).backward()
            optimizer.step()
            losses.extend(each.tolist())
        model.eval()
        with torch.inference_mode():
            answers = model(torch.tensor(data.validation.images, device=device)).argmax(-1).cpu().numpy()
        error = 1 - float(np.mean(answers == data.validation.labels))
        history.append({"loss": float(np.mean(losses)), "validation_error": error, "learning_rate": learning_rate})
        best, waited = (error, 0) if error < best else (best, waited + 1)
        if waited == patience:
            learning_rate, waited = learning_rate * 0.1, 0
    return history


CORRECT = """def fit(model, data, epochs, device="cpu", learning_rate=0.01, batch_size=128, patience=2, seed=0):
    import torch
    model.to(device)
    first = learning_rate
    images, unseen = torch.tensor(data.train.images), torch.tensor(data.validation.images)
    labels, truth = torch.tensor(data.train.labels), torch.tensor(data.validation.labels)
    generator = torch.Generator().manual_seed(seed)
    parameters = list(model.parameters())
    velocities = [torch.zeros_like(p) for p in parameters]
    history, best, last, waited, N = [], float("inf"), float("inf"), 0, len(images)
    for epoch in range(epochs):
        order = torch.randperm(N, generator=generator)
        losses, sizes = [], []
        for rows in order.split(batch_size):
            model.train()
            for p in parameters:
                p.grad = None
            loss = torch.nn.functional.cross_entropy(model(images[rows]), labels[rows])
            loss.backward()
            losses.append(loss.item())
            sizes.append(len(rows))
            with torch.no_grad():
                for p, v in zip(parameters, velocities):
                    v.copy_(0.9 * v - learning_rate * (p.grad + 0.0005 * p))
                    p.add_(v)
        model.eval()
        with torch.no_grad():
            error = (model(unseen).argmax(1) != truth).double().mean().item()
        loss = sum(l * n for l, n in zip(losses, sizes)) / N
        history.append({"loss": loss, "validation_error": error, "learning_rate": learning_rate})
        if error < best:
            best, waited = error, 0
        else:
            waited += 1
        if waited >= patience:
            learning_rate = learning_rate / 10
            waited = 0
        last = error
    return history
"""
CLEARED = """            for p in parameters:
                p.grad = None
"""
SUMMED = "loss = sum(l * n for l, n in zip(losses, sizes)) / N"
UPDATE = """                    v.copy_(0.9 * v - learning_rate * (p.grad + 0.0005 * p))
                    p.add_(v)
"""
VALIDATION_LOSS = "torch.nn.functional.cross_entropy(model(unseen), truth).item()"
MEASURE = "(model(unseen).argmax(1) != truth)"
NOTED = '        history.append({"loss": loss, "validation_error": error, "learning_rate": learning_rate})\n'
DIVIDED = "            learning_rate = learning_rate / 10\n"
EMPTIED = "        losses, sizes = [], []\n"
EPOCH = "    for epoch in range(epochs):\n"
GENERATOR = "generator = torch.Generator().manual_seed(seed)"
ORDER = "order = torch.randperm(N, generator=generator)"
RESET = "velocities = [torch.zeros_like(p) for p in parameters]\n"


def _changed(*pairs):
    text = CORRECT
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def _update(*lines):
    return _changed((UPDATE, "".join(" " * 20 + line + "\n" for line in lines)))


def _optimizer(**settings):
    """With torch.optim.SGD."""
    given = "".join(f", {name}={value}" for name, value in settings.items())
    made = f"optimizer = torch.optim.SGD(parameters, lr=learning_rate, weight_decay=0.0005{given})\n"
    loop = "                for p, v in zip(parameters, velocities):\n" + UPDATE
    return _changed(
        (RESET, made),
        (loop, "                optimizer.param_groups[0]['lr'] = learning_rate\n                optimizer.step()\n"),
    )


mistaken_sources(
    __name__,
    "fit",
    [
        ("learning rate outside the velocity", _optimizer(momentum=0.9)),
        (
            "learning rate outside the velocity",
            _update("v.mul_(0.9).add_(p.grad + 0.0005 * p)", "p.sub_(learning_rate * v)"),
        ),
        ("Nesterov momentum", _optimizer(momentum=0.9, nesterov=True)),
        (
            "Nesterov momentum",
            _update(
                "step = learning_rate * (p.grad + 0.0005 * p)", "v.copy_(0.9 * v - step)", "p.add_(0.9 * v - step)"
            ),
        ),
        ("no momentum from epoch to epoch", _optimizer()),
        (
            "decay without the learning rate",
            _update("v.copy_(0.9 * v - learning_rate * p.grad - 0.0005 * p)", "p.add_(v)"),
        ),
        (
            "decay without the learning rate",
            _update("v.copy_(0.9 * v - learning_rate * p.grad)", "p.add_(v - 0.0005 * p)"),
        ),
        (
            "decay outside the velocity",
            _update("v.copy_(0.9 * v - learning_rate * p.grad)", "p.add_(v - 0.0005 * learning_rate * p)"),
        ),
        (
            "no decay of biases",
            _update(
                "decay = 0.0005 if p.ndim > 1 else 0",
                "v.copy_(0.9 * v - learning_rate * (p.grad + decay * p))",
                "p.add_(v)",
            ),
        ),
        ("no decay", _update("v.copy_(0.9 * v - learning_rate * p.grad)", "p.add_(v)")),
        (
            "decay outside the velocity",
            _update("v.copy_(0.9 * v - learning_rate * p.grad)", "p.add_(v).mul_(1 - 0.0005 * learning_rate)"),
        ),
        ("gradients accumulate", _changed((CLEARED, ""))),
        ("gradients accumulate", _changed((CLEARED, ""), (ORDER, ORDER + "\n        model.zero_grad()"))),
        ("velocity reset at a division", _changed((DIVIDED, DIVIDED + "            " + RESET))),
        ("no momentum from epoch to epoch", _changed((EPOCH, EPOCH + "        " + RESET))),
        ("divided after every epoch", _changed(("if waited >= patience", "if True"))),
        ("patience ignored", _changed(("if waited >= patience", "if waited"))),
        ("one epoch too late", _changed(("if waited >= patience", "if waited > patience"))),
        ("count not started afresh", _changed((DIVIDED + "            waited = 0\n", DIVIDED))),
        ("count never set back", _changed(("best, waited = error, 0", "best = error"))),
        ("compared with the epoch before", _changed(("if error < best", "if error < last"))),
        ("equal counts as a new best", _changed(("if error < best", "if error <= best"))),
        (
            "best error forgotten at a division",
            _changed(
                ("            waited = 0\n        last", "            best, waited = float('inf'), 0\n        last")
            ),
        ),
        (
            "loss watched",
            _changed(
                ("            error = ", f"            watched = {VALIDATION_LOSS}\n            error = "),
                (
                    "if error < best:\n            best, waited = error, 0",
                    "if watched < best:\n            best, waited = watched, 0",
                ),
            ),
        ),
        ("never divided", _changed((DIVIDED, "            learning_rate_ = learning_rate / 10\n"))),
        (
            "division forgotten",
            _changed(
                (DIVIDED, DIVIDED + "        else:\n            learning_rate = first\n"),
                ("            waited = 0\n        last", "        last"),
                ("waited >= patience:\n", "waited >= patience:\n            waited = 0\n"),
            ),
        ),
        ("learning rate of the next epoch", _changed((NOTED, ""), ("        last = error\n", NOTED))),
        ("accuracy for the error", _changed((MEASURE, MEASURE.replace("!=", "==")))),
        (
            "accuracy for the error",
            _changed(
                (MEASURE, MEASURE.replace("!=", "==")),
                ("best, last", "best_, last"),
                ("    generator =", "    best = 0\n    generator ="),
                ("error < best", "error > best"),
            ),
        ),
        ("error of the training set", _changed((MEASURE, "(model(images).argmax(1) != labels)"))),
        ("measured in training mode", _changed(("        model.eval()\n", ""))),
        (
            "gradients recorded in evaluation",
            _changed(("        with torch.no_grad():\n            error", "        if True:\n            error")),
        ),
        ("trained in evaluation mode", _changed(("            model.train()\n", ""))),
        (
            "trained in evaluation mode",
            _changed(("            model.train()\n", ""), (GENERATOR, GENERATOR + "\n    model.train()")),
        ),
        ("same order in each epoch", _changed((ORDER, "order = torch.arange(N)"))),
        ("same order in each epoch", _changed((ORDER, GENERATOR + "\n        " + ORDER))),
        (
            "last batch dropped",
            _changed(
                ("order.split(batch_size)", "order[: N - N % batch_size].split(batch_size)"), (" / N", " / sum(sizes)")
            ),
        ),
        ("drawn with replacement", _changed((ORDER, "order = torch.randint(N, (N,), generator=generator)"))),
        ("the seed plays no part", _changed((ORDER, "order = torch.randperm(N)"))),
        ("the seed plays no part", _changed((GENERATOR, "generator = torch.Generator().manual_seed(0)"))),
        ("the seed plays no part", _changed((ORDER, "order = torch.from_numpy(np.random.permutation(N))"))),
        (
            "mean of batch means",
            _changed((SUMMED, "loss = sum(losses) / len(losses)")),
        ),
        (
            "loss of the last batch",
            _changed((SUMMED, "loss = losses[-1]")),
        ),
        (
            "mean of batch means",
            _changed(
                (
                    f"{MEASURE}.double().mean().item()",
                    "np.mean([(model(x).argmax(1) != y).double().mean().item() "
                    "for x, y in zip(unseen.split(batch_size), truth.split(batch_size))]).item()",
                )
            ),
        ),
        (
            "loss after the epoch",
            _changed(
                ("            error = ", f"            after = {VALIDATION_LOSS}\n            error = "),
                ("        " + SUMMED, "        loss = after"),
                ("model(unseen), truth).item()", "model(images), labels).item()"),
            ),
        ),
        ("loss of all epochs so far", _changed((EMPTIED, ""), (EPOCH, EMPTIED[4:] + EPOCH), (" / N", " / sum(sizes)"))),
        ("loss of all epochs so far", _changed((EMPTIED, ""), (EPOCH, EMPTIED[4:] + EPOCH))),
    ],
)
