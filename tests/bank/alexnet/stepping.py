"""train_step: correct in other styles, and wrong."""

from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("train_step", "contexts, the loss in float32 after autocast")
def train_step(model, images, labels, optimizer, precision):
    import contextlib

    import torch

    contexts = {
        "float32": contextlib.nullcontext(),
        "bfloat16": torch.autocast(device_type=images.device.type, dtype=torch.bfloat16),
    }
    if precision not in contexts:
        raise ValueError(precision)
    model.train(True)
    with contexts[precision]:
        logits = model(images)
    loss = torch.nn.CrossEntropyLoss()(logits.float(), labels)
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    optimizer.step()
    return float(loss.detach())


@alternative("train_step", "log-softmax by hand, gradients from autograd.grad")
def train_step(model, images, labels, optimizer, precision):
    import torch

    if precision != "float32" and precision != "bfloat16":
        raise ValueError("no such precision: " + precision)
    model.train()
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=precision != "float32"):
        logits = model(images)
        loss = (torch.logsumexp(logits, dim=1) - logits.gather(1, labels[:, None])[:, 0]).mean()
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights)):
        weight.grad = gradient
    optimizer.step()
    return loss.tolist()


@alternative("train_step", "two branches")
def train_step(model, images, labels, optimizer, precision):
    import torch
    import torch.nn.functional as F

    model.train()
    for parameter in model.parameters():
        parameter.grad = None
    if precision == "float32":
        loss = F.cross_entropy(model(images), labels)
    elif precision == "bfloat16":
        with torch.autocast(images.device.type, torch.bfloat16):
            loss = F.nll_loss(F.log_softmax(model(images), dim=1), labels)
    else:
        raise ValueError(f"{precision} is neither float32 nor bfloat16")
    loss.backward()
    optimizer.step()
    return loss.detach().cpu().numpy().astype(float).item()


@mistaken("train_step", "weights converted to bfloat16")
def train_step(model, images, labels, optimizer, precision):
    import torch

    if precision not in ("float32", "bfloat16"):
        raise ValueError(precision)
    kind = getattr(torch, precision)
    model.to(kind).train()
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(images.to(kind)), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistaken("train_step", "weights converted to bfloat16")
def train_step(model, images, labels, optimizer, precision):
    import torch

    if precision not in ("float32", "bfloat16"):
        raise ValueError(precision)
    kind = getattr(torch, precision)
    model.train()
    optimizer.zero_grad()
    model.to(kind)
    loss = torch.nn.functional.cross_entropy(model(images.to(kind)), labels)
    loss.backward()
    model.float()
    optimizer.step()
    return loss.item()


CORRECT = """def train_step(model, images, labels, optimizer, precision):
    import torch
    if precision not in ("float32", "bfloat16"):
        raise ValueError(precision)
    model.train()
    optimizer.zero_grad()
    with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        logits = model(images)
        loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    optimizer.step()
    return loss.item()
"""


def _changed(*pairs):
    text = CORRECT
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


RETURN = "return loss.item()"
AGAIN = "return torch.nn.functional.cross_entropy(model(images), labels).item()"
mistaken_sources(
    __name__,
    "train_step",
    [
        ("gradients accumulate", _changed(("    optimizer.zero_grad()\n", ""))),
        (
            "gradients accumulate",
            _changed(("    optimizer.zero_grad()\n", ""), ("    return", "    optimizer.zero_grad()\n    return")),
        ),
        ("softmax before cross-entropy", _changed(("logits = model(images)", "logits = model(images).softmax(1)"))),
        ("loss after the update", _changed((RETURN, AGAIN))),
        ("loss returned as a tensor", _changed((RETURN, "return loss"))),
        ("loss returned as a tensor", _changed((RETURN, "return loss.detach()"))),
        ("loss summed", _changed(("(logits, labels)", "(logits, labels, reduction='sum')"))),
        ("loss summed", _changed((RETURN, "return loss.item() * len(images)"))),
        (
            "loss summed",
            _changed(("(logits, labels)", "(logits, labels, reduction='sum')"), (RETURN, RETURN + " / len(images)")),
        ),
        ("no step", _changed(("    optimizer.step()\n", ""))),
        (
            "no step",
            _changed(
                ("    optimizer.zero_grad()\n", ""),
                ("    loss.backward()\n", "    loss.backward()\n    optimizer.zero_grad()\n"),
            ),
        ),
        ("two updates", _changed(("    optimizer.step()\n", "    optimizer.step()\n    optimizer.step()\n"))),
        (
            "backward twice",
            _changed(("loss.backward()", "loss.backward(retain_graph=True)\n    loss.backward()")),
        ),
        ("model left in evaluation mode", _changed(("    model.train()\n", ""))),
        ("model left in evaluation mode", _changed(("model.train()", "model.eval()"))),
        ("model left in evaluation mode", _changed(("model.train()", "model.training = True"))),
        ("precision makes no difference", _changed(('precision == "bfloat16"', "False"))),
        ("precision makes no difference", _changed((', enabled=precision == "bfloat16"', ""))),
        (
            "any precision accepted",
            _changed(('    if precision not in ("float32", "bfloat16"):\n        raise ValueError(precision)\n', "")),
        ),
    ],
)
