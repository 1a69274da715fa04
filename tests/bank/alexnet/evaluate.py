"""repaired_evaluate: mended in other ways, and not mended."""

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("repaired_evaluate", "all logits kept, then one loss")
def repaired_evaluate(model, images, labels):
    import torch

    before, logits = model.training, []
    model.train(False)
    with torch.inference_mode():
        for batch in torch.split(images, 64):
            logits.append(model(batch))
    model.train(before)
    logits = torch.cat(logits)
    loss = torch.nn.functional.nll_loss(logits.log_softmax(1), labels)
    return float(loss), float((logits.max(1).indices != labels).float().mean())


@alternative("repaired_evaluate", "batch means weighted by their sizes, log-softmax before the loss")
def repaired_evaluate(model, images, labels):
    import torch

    mode = model.training
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=64)
    criterion = torch.nn.CrossEntropyLoss()
    loss = error = 0.0
    try:
        model.eval()
        for x, y in data:
            with torch.no_grad():
                z = torch.log_softmax(model(x), dim=1)  # a second log-softmax changes nothing
            share = len(y) / len(images)
            loss += share * criterion(z, y).item()
            error += share * (1 - (z.argmax(1) == y).double().mean().item())
    finally:
        model.train(mode)
    return loss, error


RIGHT = """def repaired_evaluate(model, images, labels):
    import torch

    was_training = model.training
    model.eval()
    losses, errors, sizes = [], [], []
    with torch.no_grad():
        for start in range(0, len(images), 64):
            logits = model(images[start : start + 64])
            truth = labels[start : start + 64]
            losses.append(torch.nn.functional.cross_entropy(logits, truth).item())
            errors.append((logits.argmax(dim=1) != truth).float().mean().item())
            sizes.append(len(truth))
    model.train(was_training)
    loss = sum(n * value for n, value in zip(sizes, losses)) / sum(sizes)
    error = sum(n * value for n, value in zip(sizes, errors)) / sum(sizes)
    return loss, error
"""
TWICE = ("64])\n            truth", "64]).softmax(dim=1)\n            truth")
EVAL, AFTER = "    model.eval()\n", "    model.train(was_training)\n"
LOSS = "sum(n * value for n, value in zip(sizes, losses)) / sum(sizes)"
ERROR = "sum(n * value for n, value in zip(sizes, errors)) / sum(sizes)"
LOSSES_ALIKE, ERRORS_ALIKE = (LOSS, "sum(losses) / len(losses)"), (ERROR, "sum(errors) / len(errors)")
RETURN, CROSS, NO_GRAD = "return loss, error", "cross_entropy(logits, truth)", "torch.no_grad()"
WRONG = "(logits.argmax(dim=1) != truth).float().mean()"

mistaken_changes(
    __name__,
    "repaired_evaluate",
    RIGHT,
    (
        ("all three bugs still there", TWICE, (EVAL, ""), LOSSES_ALIKE, ERRORS_ALIKE),
        ("still a softmax before the loss", TWICE),
        ("still a softmax before the loss", TWICE, (AFTER, "")),
        ("still no evaluation mode", (EVAL, "")),
        (
            "still no evaluation mode",
            (EVAL, "    model.training = False\n"),
            (AFTER, "    model.training = was_training\n"),
        ),
        ("still a mean of batch means", LOSSES_ALIKE, ERRORS_ALIKE),
        ("only the loss mended", (EVAL, ""), LOSSES_ALIKE, ERRORS_ALIKE),
        ("only the mode mended", TWICE, LOSSES_ALIKE, ERRORS_ALIKE),
        ("only the mode mended", TWICE, LOSSES_ALIKE, ERRORS_ALIKE, (AFTER, "")),
        ("only the batches mended", TWICE, (EVAL, "")),
        ("error still a mean of batch means", ERRORS_ALIKE),
        ("loss still a mean of batch means", LOSSES_ALIKE),
        ("left in evaluation mode", (AFTER, "")),
        ("always put into training mode", ("train(was_training)", "train()")),
        ("gradients recorded", (NO_GRAD, "torch.enable_grad()")),
        ("gradients recorded", (NO_GRAD, "torch.enable_grad()"), (AFTER, "")),
        (
            "all images at once",
            ("len(images), 64)", "len(images), len(images))"),
            ("start + 64", "start + len(images)"),
        ),
        ("full batches alone", ("range(0, len(images), 64)", "range(0, len(images) - 63, 64)")),
        (
            "full batches alone",
            ("range(0, len(images), 64)", "range(0, len(images) - 63, 64)"),
            ("sum(sizes)", "len(images)"),
        ),
        ("last batch alone", (RETURN, "return losses[-1], errors[-1]")),
        ("batch means divided by the number of images", (LOSS, "sum(losses) / len(images)")),
        (
            "batch means divided by the number of images",
            (LOSS, "sum(losses) / len(images)"),
            (ERROR, "sum(errors) / len(images)"),
        ),
        (
            "sums divided by the number of batches",
            (CROSS, 'cross_entropy(logits, truth, reduction="sum")'),
            (LOSS, "sum(losses) / len(losses)"),
        ),
        ("sums divided by the number of batches", ("/ sum(sizes)", "/ len(sizes)")),
        ("each batch as if it were full", ("sum(n * value for n, value in zip(sizes, losses))", "64 * sum(losses)")),
        ("each batch as if it were full", ("sum(n * value", "sum(64 * value")),
        ("negative log-likelihood of probabilities", (CROSS, "nll_loss(logits.softmax(dim=1), truth)")),
        ("accuracy instead of error", (WRONG, WRONG.replace("!=", "=="))),
        ("number of errors", (RETURN, "return loss, error * len(labels)")),
        ("percent", (RETURN, "return loss, 100 * error")),
        ("error first", (RETURN, "return error, loss")),
    ),
)
