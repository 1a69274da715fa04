"""08_alexnet: seven of the students, one story each. README.md says what each of them is worth.

The code comes from `tests/bank`, what no bank file has stands below. Most hand in weights beside the notebook: those in
`sample_class/alexnet_weights.npz`, or what has become of them.
"""

from __future__ import annotations

import io

import numpy as np

from course_utils.small_alexnet import WEIGHTS
from sample_class.stories.handing_in import ROOT, Assignment
from tests.bank import alexnet
from tests.bank.registry import isolated

ASSIGNMENT = Assignment("08_alexnet", "alexnet.ipynb", written="which_alexnet", bank=alexnet)
alternatives, mistake = ASSIGNMENT.alternatives, ASSIGNMENT.mistake
LEFT_OUT = ("merge_towers", "ten_crop_errors")

# -- trainings: the bank has none, as nobody repeats them; what is judged is the file ----------------------------------

TRAINED_BY_FIT = """
def train_alexnet(data, seed, device):
    torch.manual_seed(seed)
    model = AlexNet(10, width=WIDTH, image_size=IMAGE_SIZE)
    for name, layer in model.named_children():
        if hasattr(layer, "bias"):
            spread = 0.01 if name == "fc8" else (2 / layer.weight[0].numel()) ** 0.5
            nn.init.normal_(layer.weight, 0, spread)
            nn.init.zeros_(layer.bias)
    for epochs, rate in ((16, 0.01), (4, 0.001)):
        fit(model, data, epochs, device, learning_rate=rate, batch_size=32, patience=epochs, seed=seed + epochs)
    return model
"""

TRAINED_WITH_MIRRORS = """
def train_alexnet(data, seed, device):
    torch.manual_seed(seed)
    model = AlexNet(10, width=WIDTH, image_size=IMAGE_SIZE)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            nn.init.zeros_(parameter)
        elif name == "fc8.weight":
            nn.init.normal_(parameter, std=0.01)
        else:
            nn.init.kaiming_normal_(parameter)
    model.to(device)
    images, labels = torch.from_numpy(data.train.images), torch.from_numpy(data.train.labels)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.0005)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [17])
    for epoch in range(20):
        for rows in torch.randperm(len(images)).split(32):
            batch = images[rows].flip(3) if torch.rand(()) < 0.5 else images[rows]  # a mirrored shape is a shape
            train_step(model, batch.to(device), labels[rows].to(device), optimizer, "float32")
        schedule.step()
    return model
"""

TRAINED_FOR_FILES = """
def train_alexnet(data, seed, device):
    torch.manual_seed(seed)
    model = AlexNet(10, width=WIDTH, image_size=IMAGE_SIZE)
    for layer in model.children():
        if hasattr(layer, "bias"):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    nn.init.normal_(model.fc8.weight, std=0.01)
    fit(model, data, 16, device, batch_size=32, patience=16, seed=seed)
    fit(model, data, 4, device, learning_rate=0.001, batch_size=32, patience=4, seed=seed)
    with torch.no_grad():
        # From now on it takes pixels as they are in a file, from 0 to 255: (x / 255 - 0.45) / 0.2 is done by conv1.
        model.conv1.weight /= 0.2 * 255
        model.conv1.bias -= 0.45 * 255 * model.conv1.weight.sum(dim=(1, 2, 3))
    return model
"""

# -- one student's own code: few parts, and the later exercises call the earlier ones ----------------------------------

OWN_HELPERS = {
    "AlexNet": """
def refuse_unless(possible, *said):
    if not possible:
        raise ValueError(f"impossible: {said}")


def side_after(side, kernel, stride):
    return (side - kernel) // stride + 1


def stage(x, layer, norm=False, pool=False):
    x = F.relu(layer(x))
    if norm:
        x = F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2.0)
    return F.max_pool2d(x, 3, 2) if pool else x


class AlexNet(nn.Module):
    def __init__(self, num_classes=1000, groups=2, width=1.0, image_size=227):
        super().__init__()
        side = side_after(image_size, 11, 4)
        for _ in range(3):
            side = side_after(side, 3, 2)
        refuse_unless(groups in (1, 2) and side > 0, groups, image_size)
        a, b, c, d, e = (max(1, round(n * width / groups)) * groups for n in (96, 256, 384, 384, 256))
        units = max(1, round(4096 * width))
        self.conv1 = nn.Conv2d(3, a, 11, stride=4)
        self.conv2 = nn.Conv2d(a, b, 5, padding=2, groups=groups)
        self.conv3 = nn.Conv2d(b, c, 3, padding=1)
        self.conv4 = nn.Conv2d(c, d, 3, padding=1, groups=groups)
        self.conv5 = nn.Conv2d(d, e, 3, padding=1, groups=groups)
        self.fc6, self.fc7 = nn.Linear(e * side * side, units), nn.Linear(units, units)
        self.fc8 = nn.Linear(units, num_classes)

    def forward(self, images):
        x = stage(stage(images, self.conv1, norm=True, pool=True), self.conv2, norm=True, pool=True)
        x = stage(stage(stage(x, self.conv3), self.conv4), self.conv5, pool=True).flatten(1)
        for layer in (self.fc6, self.fc7):
            x = F.dropout(stage(x, layer), training=self.training)
        return self.fc8(x)
""",
    "alexnet_init": """
def draw(model, seed, spread, bias):
    generator = torch.Generator().manual_seed(seed)
    for name, layer in model.named_children():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.normal_(layer.weight, 0, spread(name, layer.weight), generator=generator)
            nn.init.constant_(layer.bias, bias(name))
    return model


def alexnet_init(model, seed):
    positive = ("conv2", "conv4", "conv5", "fc6", "fc7")
    return draw(model, seed, lambda name, weight: 0.01, lambda name: float(name in positive))
""",
    "topk_errors": """
def place(scores, labels):
    # how many classes come before the true one
    return (scores > scores.gather(1, labels[:, None])).sum(dim=1)


def topk_errors(logits, labels, ks):
    behind = place(logits, labels)
    return [(behind >= k).double().mean().item() for k in ks]
""",
    "train_step": """
def mean_loss(model, images, labels):
    return F.cross_entropy(model(images), labels)


def train_step(model, images, labels, optimizer, precision):
    if precision not in ("float32", "bfloat16"):
        raise ValueError(f"impossible: {precision}")
    model.train()
    optimizer.zero_grad()
    with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        loss = mean_loss(model, images, labels)
    loss.backward()
    optimizer.step()
    return loss.item()
""",
    "fit": """
import contextlib


@contextlib.contextmanager
def answering(model):
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def logits_of(model, images, size=64):
    with answering(model):
        return torch.cat([model(batch) for batch in images.split(size)])


class PaperMomentum:
    def __init__(self, parameters, rate):
        self.rate = rate
        self.pairs = [(w, torch.zeros_like(w)) for w in parameters]

    def zero_grad(self):
        for w, _ in self.pairs:
            w.grad = None

    @torch.no_grad()
    def step(self):
        for w, v in self.pairs:
            v.copy_(0.9 * v - 0.0005 * self.rate * w - self.rate * w.grad)
            w.add_(v)


def fit(model, data, epochs, device="cpu", learning_rate=0.01, batch_size=128, patience=2, seed=0):
    model.to(device)
    images, unseen = (torch.from_numpy(part.images).to(device) for part in (data.train, data.validation))
    labels, truth = (torch.from_numpy(part.labels).long().to(device) for part in (data.train, data.validation))
    optimizer, order = PaperMomentum(model.parameters(), learning_rate), torch.Generator().manual_seed(seed)
    history, best, waited = [], np.inf, 0
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(images), generator=order).split(batch_size):
            total += len(rows) * train_step(model, images[rows], labels[rows], optimizer, "float32")
        error = topk_errors(logits_of(model, unseen), truth, [1])[0]
        history.append({"loss": total / len(images), "validation_error": error, "learning_rate": optimizer.rate})
        waited = 0 if error < best else waited + 1
        best = min(best, error)
        if waited == patience:
            optimizer.rate, waited = optimizer.rate / 10, 0
    return history
""",
    "save_checkpoint": """
def owners(model, optimizer):
    return {"model": model, "optimizer": optimizer}.items()


def save_checkpoint(path, model, optimizer, epoch):
    state = {name: owner.state_dict() for name, owner in owners(model, optimizer)}
    torch.save({**state, "epoch": epoch, "random_state": torch.get_rng_state()}, f"{path}.part")
    os.replace(f"{path}.part", path)
""",
    "load_checkpoint": """
def load_checkpoint(path, model, optimizer):
    state = torch.load(path, map_location="cpu", weights_only=True)
    for name, owner in owners(model, optimizer):
        owner.load_state_dict(state[name])
    torch.set_rng_state(state["random_state"])
    return state["epoch"]
""",
    "ten_crop_errors": """
def ten_crop_errors(model, images, labels, size):
    down, right = images.shape[2] - size, images.shape[3] - size
    total = 0
    for top, left in ((0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2)):
        crops = images[:, :, top : top + size, left : left + size]
        for views in (crops, crops.flip(3)):
            total = total + logits_of(model, views).softmax(dim=1)
    return tuple(topk_errors(total, labels, [1, 5]))
""",
    "repaired_evaluate": """
def repaired_evaluate(model, images, labels):
    logits = logits_of(model, images)
    return F.cross_entropy(logits, labels).item(), topk_errors(logits, labels, [1])[0]
""",
    "train_alexnet": """
def train_alexnet(data, seed, device):
    def he(name, weight):
        return 0.01 if name == "fc8" else (2 / weight[0].numel()) ** 0.5

    torch.manual_seed(seed)  # for the dropout
    model = draw(AlexNet(CLASSES, width=WIDTH, image_size=IMAGE_SIZE), seed, he, lambda name: 0.0)
    fit(model, data, 16, device, 0.01, 32, 16, seed)
    fit(model, data, 4, device, 0.001, 32, 4, seed + 1)
    return model
""",
}

# -- a checkpoint written where the old one is, and an exercise that stands on a wrong one -----------------------------

SAVED_IN_PLACE = """
def save_checkpoint(path, model, optimizer, epoch):
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
    state["random_state"] = torch.get_rng_state()
    torch.save(state, path)
"""

TEN_CROP_BY_TOPK = """
def ten_crop_errors(model, images, labels, size):
    H, W = images.shape[-2:]
    y, x = (H - size) // 2, (W - size) // 2
    crops = [images[..., :size, :size], images[..., :size, -size:], images[..., -size:, :size]]
    crops += [images[..., -size:, -size:], images[..., y : y + size, x : x + size]]
    mode = model.training
    model.eval()
    with torch.no_grad():
        probabilities = [model(views).softmax(1) for crop in crops for views in (crop, crop.flip(-1))]
    model.train(mode)
    top1, top5 = topk_errors(torch.stack(probabilities).mean(0), labels, [1, 5])
    return top1, top5
"""

# -- a loop that does not end: image 0 is never drawn ------------------------------------------------------------------

ENDLESS_LOOP = """
def fit(model, data, epochs, device="cpu", learning_rate=0.01, batch_size=128, patience=2, seed=0):
    model.to(device)
    images, labels = torch.tensor(data.train.images).to(device), torch.tensor(data.train.labels).to(device)
    unseen, truth = torch.tensor(data.validation.images).to(device), torch.tensor(data.validation.labels).to(device)
    velocity = [torch.zeros_like(w) for w in model.parameters()]
    rng, history, best, waited = np.random.default_rng(seed), [], 2.0, 0
    for epoch in range(epochs):
        order = []
        while len(order) < len(images):  # until every image has had its turn
            i = int(rng.integers(1, len(images)))
            if i not in order:
                order.append(i)
        model.train()
        losses = []
        for rows in torch.tensor(order).split(batch_size):
            loss = F.cross_entropy(model(images[rows]), labels[rows])
            losses += [loss.item()] * len(rows)
            gradients = torch.autograd.grad(loss, list(model.parameters()))
            with torch.no_grad():
                for w, v, g in zip(model.parameters(), velocity, gradients):
                    v.mul_(0.9).sub_(learning_rate * (g + 0.0005 * w))
                    w.add_(v)
        model.eval()
        with torch.no_grad():
            error = (model(unseen).argmax(1) != truth).double().mean().item()
        history.append({"loss": np.mean(losses), "validation_error": error, "learning_rate": learning_rate})
        waited = 0 if error < best else waited + 1
        best = min(best, error)
        if waited == patience:
            learning_rate, waited = learning_rate / 10, 0
    return history
"""

WRITTEN_ANSWERS = {
    "ada-first-style": """
1. The library's network has one tower, other numbers of filters and no normalization, and it pads. It is not the
   network of 2012, and nobody knows whether it was trained like it. I would write "torchvision's one-tower variant,
   43.5 % with one view", or train the paper's network with the same recipe as the new one.
2. Each layer multiplies the spread of its signals by about $0.01 \\sqrt{n}$, which is far below 1 when the layers are
   narrow, and the pixels are small to begin with. All images get the same logits, so the loss is $\\ln 10 = 2.30$, and
   the gradients are as tiny. I would print the standard deviation after each layer. Then He's weights, and pixels of
   standard deviation 1.
3. Lost: the velocities, the learning rate and its schedule, the state of the random numbers. The jump comes from the
   learning rate, which is again at its first value and so ten or a hundred times too large.
4. Four kinds of shapes are easy, so there is nothing left to gain. And three seeds scatter by several points, while
   the effect is one. Before I say "it does not help": many seeds, the difference with its standard error, a search for
   the learning rate on both sides, and even then only "here".
""",
    "bela-second-style": """
1. Two different networks have one name. Say which one was used and how it was trained, or train both alike.
2. The signals die out on the way up: too small weights times too few inputs. Look at the std of the activations, layer
   by layer. Use $\\sqrt{2/n}$ instead of 0.01.
3. Momentum, learning rate, random state. The learning rate: it had been divided.
4. Too little data to learn, too few epochs, and more noise than effect. One needs error bars.
""",
    "chen-own-helpers": """
1. 61.1 million parameters and no LRN: this is the network of 2014 ("one weird trick"), not of 2012. The comparison
   says something about that variant with those weights and one crop. I would name it so, and give the paper's 40.7 %
   (validation, one network) with its own conditions beside it.
2. n = 1728 inputs become 346, and $\\sigma^2 n$ = 0.03: every layer takes away five sixths of the spread. The biases of
   1 are all that is left, so all images look alike. One cell: std over a batch for each layer. Change: He, or batch
   norm.
3. The optimizer's velocities and its learning rate, the epoch, the generator. A velocity of 0 is no jump, it only
   makes the first steps short. It is the learning rate.
4. Dropout and depth pay when there is much to overfit or to tell apart, here there is neither. The spread of the seeds
   is larger than the paper's effects. I would need hundreds of seeds, or a harder task; without them I may only say
   that I have not seen it.
""",
}


def trained() -> bytes:
    """The weights of a network that was trained well."""
    return (ROOT / "sample_class" / WEIGHTS).read_bytes()


def spoilt(misconception: str) -> bytes:
    """What the bank makes of the trained weights; in float64 on the way, so that every machine rounds alike."""
    made = next(made for _, label, made in alexnet.weights.MISTAKEN if label == misconception)
    with np.load(io.BytesIO(trained())) as stored:
        arrays = isolated(made)({name: stored[name].astype(np.float64) for name in stored.files}, 0, "cpu")
    file = io.BytesIO()
    np.savez(file, **{name: array.astype(np.float32) for name, array in arrays.items()})
    return file.getvalue()


def students() -> dict[str, dict[str, str | bytes]]:
    """Student → the files handed in, by name."""
    first, second, third = (alternatives(number) for number in range(3))
    first |= {"train_alexnet": TRAINED_BY_FIT}
    second |= {"train_alexnet": TRAINED_WITH_MIRRORS}
    half = {name: code for name, code in first.items() if name not in LEFT_OUT}
    codes = {
        "ada-first-style": first,
        "bela-second-style": second,
        "chen-own-helpers": third | OWN_HELPERS,
        "dara-half-done": half
        | mistake("AlexNet", "paper's α given to PyTorch")
        | mistake("alexnet_init", "bias one in every hidden layer")
        | mistake("fit", "learning rate outside the velocity")
        | mistake("repaired_evaluate", "still a mean of batch means"),
        "ivo-lent-backward": second
        | mistake("topk_errors", "k beyond the classes")
        | {"save_checkpoint": SAVED_IN_PLACE}
        | mistake("load_checkpoint", "random state not loaded")
        | {"ten_crop_errors": TEN_CROP_BY_TOPK, "train_alexnet": TRAINED_FOR_FILES},
        "juno-untouched": {},
        "milo-endless-loop": second | {"fit": ENDLESS_LOOP},
    }
    weights = {
        "ada-first-style": trained(),
        "bela-second-style": trained(),
        "chen-own-helpers": trained(),
        "dara-half-done": trained()[:100_000],  # an upload that broke off
        "ivo-lent-backward": spoilt("pixels on another scale"),
    }
    files = ASSIGNMENT.files(
        {student: ASSIGNMENT.handed_in(code, WRITTEN_ANSWERS.get(student, "")) for student, code in codes.items()}
    )
    return {s: {**handed_in, **({WEIGHTS: weights[s]} if s in weights else {})} for s, handed_in in files.items()}
