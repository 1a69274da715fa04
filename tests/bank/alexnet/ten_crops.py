"""What students write for ten_crop_errors."""

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("ten_crop_errors", "image by image, ten views in a batch")
def ten_crop_errors(model, images, labels, size):
    import torch

    mode, wrong = model.training, [0, 0]
    model.train(False)
    for image, label in zip(images, labels.tolist()):
        height, width = image.shape[1:]
        i, j = (height - size) // 2, (width - size) // 2
        crops = [image[:, :size, :size], image[:, :size, -size:], image[:, -size:, :size], image[:, -size:, -size:]]
        crops = torch.stack([*crops, image[:, i : i + size, j : j + size]])
        with torch.inference_mode():
            logits = model(torch.cat([crops, torch.flip(crops, [3])]))
        mean = torch.exp(torch.log_softmax(logits, 1)).mean(0).tolist()
        better = sum(other > mean[label] for other in mean)
        wrong[0] += better > 0
        wrong[1] += better > 4
    model.train(mode)
    return wrong[0] / len(images), wrong[1] / len(images)


@alternative("ten_crop_errors", "one batch of 10 · N views")
def ten_crop_errors(model, images, labels, size):
    import torch

    number, (height, width) = len(images), images.shape[-2:]
    i, j = height - size, width - size
    crops = [images[..., y : y + size, x : x + size] for y, x in ((0, 0), (0, j), (i, 0), (i, j), (i // 2, j // 2))]
    before = model.training
    try:
        model.eval()
        with torch.set_grad_enabled(False):
            logits = model(torch.cat(crops + [crop.flip(dims=(-1,)) for crop in crops]))
    finally:
        model.train(before)
    mean = torch.nn.functional.softmax(logits.double(), dim=-1).view(10, number, -1).mean(dim=0)
    order = mean.argsort(dim=1, descending=True)
    errors = [float((order[:, :k] != labels.unsqueeze(1)).all(dim=1).float().mean()) for k in (1, 5)]
    return errors[0], errors[1]


RIGHT = """def ten_crop_errors(model, images, labels, size):
    import torch

    height, width = images.shape[2], images.shape[3]
    down, right = height - size, width - size
    centre = (down // 2, right // 2)
    places = [(0, 0), (0, right), (down, 0), (down, right), centre]
    crops = [images[:, :, i : i + size, j : j + size] for i, j in places]
    views = crops + [crop.flip(3) for crop in crops]
    was_training = model.training
    model.eval()
    with torch.no_grad():
        probabilities = torch.stack([model(view).softmax(1) for view in views])
    model.train(was_training)
    scores = probabilities.mean(0)
    hits = scores.argsort(1, descending=True) == labels[:, None]
    top1, top5 = ((~hits[:, :k].any(1)).double().mean().item() for k in (1, 5))
    return top1, top5
"""
VIEWS, RETURN, SCORES = "crops + [crop.flip(3) for crop in crops]", "return top1, top5", "probabilities.mean(0)"
VOTES = "torch.nn.functional.one_hot(probabilities.argmax(2), probabilities.shape[2]).sum(0)"
HITS = "scores.argsort(1, descending=True) == labels[:, None]"
CROPS = "[images[:, :, i : i + size, j : j + size] for i, j in places]"
MIRRORED = f"images = images.flip(3)\n    views = crops + {CROPS}"
BEFORE, AFTER = "    was_training = model.training\n    model.eval()\n", "    model.train(was_training)\n"

mistaken_changes(
    __name__,
    "ten_crop_errors",
    RIGHT,
    (
        ("logits averaged", (".softmax(1)", "")),
        ("logits averaged", (".softmax(1)", ""), (SCORES, f"{SCORES}.softmax(1)")),
        (
            "votes counted",
            (SCORES, f"{VOTES}.float()"),
            (HITS, "scores.topk(scores.shape[1]).indices == labels[:, None]"),
        ),
        (
            "votes counted",
            (SCORES, VOTES),
            (HITS, "scores.sort(dim=1, descending=True, stable=True)[1] == labels[:, None]"),
        ),
        (
            "votes counted",
            (SCORES, f"{VOTES}.float()"),
            ("for k in (1, 5))", "for k in (1, 5))\n    top1 = (scores.argmax(1) != labels).double().mean().item()"),
            (HITS, "scores.topk(scores.shape[1]).indices == labels[:, None]"),
        ),
        ("largest instead of mean", (SCORES, "probabilities.amax(0)")),
        ("softmax over the images", (".softmax(1)", ".softmax(0)")),
        (
            "crops judged one by one",
            (SCORES, "probabilities.flatten(0, 1)"),
            ("labels[:, None]", "labels.repeat(10)[:, None]"),
        ),
        (
            "views of different images averaged",
            ("torch.stack([model(view).softmax(1) for view in views])", "model(torch.cat(views)).softmax(1)"),
            (SCORES, "probabilities.view(len(images), 10, -1).mean(1)"),
        ),
        ("average of the views", (VIEWS, f"[torch.stack({VIEWS}).mean(0)]")),
        ("mirror images forgotten", (VIEWS, "crops")),
        ("centre forgotten", (", centre]", "]")),
        ("centre and its mirror image", (VIEWS, "[crops[4], crops[4].flip(3)]")),
        ("centre alone", (VIEWS, "crops[4:]")),
        ("upside down", ("flip(3)", "flip(2)")),
        ("upside down", ("flip(3)", "rot90(2, (2, 3))")),
        ("crops of the mirrored image", (f"views = {VIEWS}", MIRRORED)),
        ("centre rounded up", ("(down // 2, right // 2)", "((down + 1) // 2, (right + 1) // 2)")),
        ("centre rounded up", ("(down // 2, right // 2)", "(round(down / 2), round(right / 2))")),
        ("height taken for both sides", ("images.shape[2], images.shape[3]", "images.shape[2], images.shape[2]")),
        ("width taken for both sides", ("images.shape[2], images.shape[3]", "images.shape[3], images.shape[3]")),
        ("height and width swapped", ("height, width =", "width, height =")),
        ("five of too few classes", ("scores.argsort(1, descending=True)", "scores.topk(5).indices")),
        ("accuracy instead of error", ("(~hits[:, :k].any(1))", "hits[:, :k].any(1)")),
        ("percent", (RETURN, "return 100 * top1, 100 * top5")),
        ("number of errors", ("mean().item()", "sum().item()")),
        ("top-5 first", (RETURN, "return top5, top1")),
        ("mode left alone", (BEFORE, ""), (AFTER, "")),
        ("mode left alone", (BEFORE, ""), (AFTER, ""), ("torch.no_grad()", "torch.enable_grad()")),
        ("left in evaluation mode", (AFTER, "")),
        ("always put into training mode", ("train(was_training)", "train()")),
        ("gradients recorded", ("torch.no_grad()", "torch.enable_grad()")),
        ("gradients recorded", ("torch.no_grad()", "torch.enable_grad()"), (AFTER, "")),
    ),
)
