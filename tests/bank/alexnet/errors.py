"""What students write for topk_errors."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("topk_errors", "the place of the true class, image by image")
def topk_errors(logits, labels, ks):
    places = []
    for row, label in zip(logits.tolist(), labels.tolist()):
        places.append(sum(other > row[label] for other in row))
    return [sum(place >= k for place in places) / len(places) for k in ks]


@alternative("topk_errors", "topk with as many classes as there are")
def topk_errors(logits, labels, ks):
    import torch

    best = torch.topk(logits, min(max(ks), logits.shape[1])).indices
    errors = []
    for k in ks:
        right = torch.eq(best[:, :k], labels.view(-1, 1)).sum()
        errors.append(float(1 - right / len(labels)))
    return errors


@alternative("topk_errors", "NumPy")
def topk_errors(logits, labels, ks):
    order = np.argsort(-logits.numpy(), axis=1)
    place = np.argmax(order == labels.numpy()[:, None], axis=1)
    return [np.mean(place >= k) for k in ks]


RIGHT = """def topk_errors(logits, labels, ks):
    import torch

    ranking = logits.argsort(dim=1, descending=True)
    hits = ranking == labels[:, None]
    return [1 - hits[:, :k].any(dim=1).float().mean().item() for k in ks]
"""
HITS, ERROR = "ranking == labels[:, None]", "1 - hits[:, :k].any(dim=1).float().mean().item()"

mistaken_changes(
    __name__,
    "topk_errors",
    RIGHT,
    (
        ("smallest logits", (", descending=True", "")),
        ("exactly at place k", ("hits[:, :k]", "hits[:, k - 1 : k]")),
        ("exactly at place k", ("hits[:, :k].any(dim=1)", "hits[:, min(k, logits.shape[1]) - 1]")),
        ("one place too few", ("[:, :k]", "[:, : k - 1]")),
        ("one place too many", ("[:, :k]", "[:, : k + 1]")),
        ("accuracy instead of error", ("1 - hits", "hits")),
        ("percent", (ERROR, f"100 * ({ERROR})")),
        ("number of errors", (ERROR, "(~hits[:, :k].any(dim=1)).sum().item()")),
        ("divided by k", (".any(dim=1)", "")),
        ("labels of other images", (HITS, "torch.isin(ranking, labels)")),
        ("ks in another order", ("for k in ks", "for k in sorted(ks)")),
        ("ks ignored", ("for k in ks", "for k in (1, 5)")),
        ("the best class alone", ("hits[:, :k]", "hits[:, :1]")),
        ("first k alone", ("for k in ks", "for k in ks[:1]")),
        ("first k alone", (f"return [{ERROR} for k in ks]", f"for k in ks:\n        return {ERROR}")),
        ("k beyond the classes", ("hits[:, :k]", "(logits.topk(k).indices == labels[:, None])")),
        ("tensors instead of floats", (".item()", "")),
        (
            "tensors instead of floats",
            (f"[{ERROR} for k in ks]", "torch.tensor([1 - hits[:, :k].any(1).float().mean() for k in ks])"),
        ),
    ),
)
