"""AlexNet: correct in other styles, and wrong."""

from tests.bank.initialization.networks import changed
from tests.bank.registry import Written, mistaken_sources

SEQUENTIAL_PARTS = """import torch


class AlexNet(torch.nn.Module):
    def __init__(self, num_classes=1000, groups=2, width=1.0, image_size=227):
        super().__init__()
        if groups not in (1, 2):
            raise ValueError(f"groups={groups}")
        if image_size < 67:
            raise ValueError(f"image_size={image_size}")
        sizes = [groups * max(1, round(n * width / groups)) for n in (96, 256, 384, 384, 256)]
        a, b, c, d, e = sizes
        hidden = max(1, round(4096 * width))
        self.conv1 = torch.nn.Conv2d(3, a, kernel_size=(11, 11), stride=(4, 4))
        self.conv2 = torch.nn.Conv2d(a, b, kernel_size=5, padding="same", groups=groups)
        self.conv3 = torch.nn.Conv2d(b, c, 3, 1, 1)
        self.conv4 = torch.nn.Conv2d(c, d, 3, 1, 1, 1, groups)
        self.conv5 = torch.nn.Conv2d(d, e, 3, 1, 1, 1, groups)
        self.norm = torch.nn.LocalResponseNorm(5, alpha=5 * 1e-4, k=2)
        self.pool = torch.nn.MaxPool2d(kernel_size=3, stride=2)
        self.relu = torch.nn.ReLU(inplace=True)
        self.drop = torch.nn.Dropout()
        with torch.no_grad():
            maps = self.maps(torch.zeros(1, 3, image_size, image_size))
        self.fc6 = torch.nn.Linear(maps.shape[1], hidden)
        self.fc7 = torch.nn.Linear(hidden, hidden)
        self.fc8 = torch.nn.Linear(hidden, num_classes)

    def maps(self, x):
        x = self.pool(self.norm(self.relu(self.conv1(x))))
        x = self.pool(self.norm(self.relu(self.conv2(x))))
        x = self.relu(self.conv5(self.relu(self.conv4(self.relu(self.conv3(x))))))
        return torch.flatten(self.pool(x), 1)

    def forward(self, x):
        x = self.drop(self.relu(self.fc6(self.maps(x))))
        return self.fc8(self.drop(self.relu(self.fc7(x))))
"""

BY_HAND = """import torch


class AlexNet(torch.nn.Module):
    def __init__(self, num_classes=1000, groups=2, width=1.0, image_size=227):
        super().__init__()
        left = (((image_size - 7) // 4 - 1) // 2 - 1) // 2
        left = (left - 1) // 2
        if left < 1 or groups < 1 or groups > 2:
            raise ValueError(f"no AlexNet of {groups} groups for {image_size} pixels")
        before = 3
        for i, (n, k) in enumerate(zip((96, 256, 384, 384, 256), (11, 5, 3, 3, 3)), start=1):
            n = max(1, round(n * width / groups)) * groups
            split = groups if i in (2, 4, 5) else 1
            layer = torch.nn.Conv2d(before, n, k, 4 if i == 1 else 1, 0 if i == 1 else k // 2, groups=split)
            self.add_module(f"conv{i}", layer)
            before = n
        before = before * left * left
        for i, n in ((6, max(1, round(4096 * width))), (7, max(1, round(4096 * width))), (8, num_classes)):
            setattr(self, f"fc{i}", torch.nn.Linear(before, n))
            before = n

    def normalized(self, a):
        squares = torch.nn.functional.pad(a * a, (0, 0, 0, 0, 2, 2))
        total = sum(squares[:, i : i + a.shape[1]] for i in range(5))
        return a / (2 + 1e-4 * total) ** 0.75

    def dropped(self, x):
        if not self.training:
            return x
        return x * 2 * (torch.rand_like(x) < 0.5)

    def forward(self, x):
        for i in range(1, 6):
            x = getattr(self, f"conv{i}")(x).clamp(min=0)
            if i < 3:
                x = self.normalized(x)
            if i in (1, 2, 5):
                x = x.unfold(2, 3, 2).unfold(3, 3, 2).amax(dim=(4, 5))
        x = x.reshape(len(x), -1)
        x = self.dropped(torch.relu(self.fc6(x)))
        x = self.dropped(torch.relu(self.fc7(x)))
        return x @ self.fc8.weight.T + self.fc8.bias
"""

ALTERNATIVES = [
    ("AlexNet", "layers of torch.nn, fc6 measured with a black image", Written("AlexNet", SEQUENTIAL_PARTS)),
    ("AlexNet", "norm, pool and dropout by hand", Written("AlexNet", BY_HAND)),
]

RIGHT = """import torch
import torch.nn.functional as F
from torch import nn


class AlexNet(nn.Module):
    def __init__(self, num_classes=1000, groups=2, width=1.0, image_size=227):
        super().__init__()
        if image_size < 67 or groups not in (1, 2):
            raise ValueError(f"{image_size} pixels, {groups} groups")
        def maps(n):
            return max(1, round(n * width / groups)) * groups
        units = max(1, round(4096 * width))
        side = (image_size - 11) // 4 + 1
        side = (side - 3) // 2 + 1
        side = side + 2 * 2 - 5 + 1
        side = (side - 3) // 2 + 1
        side = (side - 3) // 2 + 1
        self.conv1 = nn.Conv2d(3, maps(96), 11, stride=4)
        self.conv2 = nn.Conv2d(maps(96), maps(256), 5, padding=2, groups=groups)
        self.conv3 = nn.Conv2d(maps(256), maps(384), 3, padding=1)
        self.conv4 = nn.Conv2d(maps(384), maps(384), 3, padding=1, groups=groups)
        self.conv5 = nn.Conv2d(maps(384), maps(256), 3, padding=1, groups=groups)
        self.fc6 = nn.Linear(maps(256) * max(side, 0) ** 2, units)
        self.fc7 = nn.Linear(units, units)
        self.fc8 = nn.Linear(units, num_classes)

    def norm(self, x):
        return F.local_response_norm(x, 5, alpha=5e-4, k=2.0)

    def forward(self, x):
        x = F.max_pool2d(self.norm(F.relu(self.conv1(x))), 3, 2)
        x = F.max_pool2d(self.norm(F.relu(self.conv2(x))), 3, 2)
        x = F.relu(self.conv3(x))
        x = F.relu(self.conv4(x))
        x = F.relu(self.conv5(x))
        x = F.max_pool2d(x, 3, 2).flatten(1)
        x = F.dropout(F.relu(self.fc6(x)), 0.5, self.training)
        x = F.dropout(F.relu(self.fc7(x)), 0.5, self.training)
        return self.fc8(x)
"""
NORM, UNITS = "alpha=5e-4, k=2.0", "max(1, round(4096 * width))"
MAPS = "max(1, round(n * width / groups)) * groups"
SMALLEST, LAST = "image_size < 67 or ", "        self.conv1 ="
COMPUTED = f'        if side < 1:\n            raise ValueError(f"{{image_size}} pixels")\n{LAST}'
UNPADDED = ((", 5, padding=2", ", 5"), ("side + 2 * 2 - 5", "side - 5"))
PADDED = (("stride=4)", "stride=4, padding=2)"), ("- 11", "+ 4 - 11"))
DROP = "F.dropout(F.relu(self.fc{0}(x)), 0.5, self.training)"
DROP6, DROP7 = DROP.format(6), DROP.format(7)
BEFORE_NORM = "\n    def norm"
FLAT, LOGITS = "flatten(1)", "return self.fc8(x)"
CONV2, CONV3 = "5, padding=2, groups=groups", "maps(256), maps(384), 3, padding=1"
TORCHVISION = (
    ("maps(96)", "maps(64)"),
    ("maps(64), maps(256)", "maps(64), maps(192)"),
    ("maps(256), maps(384)", "maps(192), maps(384)"),
    ("maps(384), maps(384)", "maps(384), maps(256)"),
    ("self.conv5 = nn.Conv2d(maps(384)", "self.conv5 = nn.Conv2d(maps(256)"),
)
HALVED = (
    (DROP6, "self.dropped(F.relu(self.fc6(x)))"),
    (DROP7, "self.dropped(F.relu(self.fc7(x)))"),
    (
        "    def forward",
        "    def dropped(self, x):\n"
        "        return x * (torch.rand_like(x) < 0.5) if self.training else x * 0.5\n\n    def forward",
    ),
)


def stages(order):
    """forward's first two blocks in another order: `order` has {} where the convolution goes."""
    return [
        (f"F.max_pool2d(self.norm(F.relu(self.conv{i}(x))), 3, 2)", order.format(f"self.conv{i}(x)")) for i in (1, 2)
    ]


mistaken_sources(
    __name__,
    "AlexNet",
    [
        (name, changed(RIGHT, *changes))
        for name, *changes in (
            ("224 pixels without padding", ("image_size=227", "image_size=224")),
            ("padding in conv1", *PADDED),
            ("padding in conv1", *PADDED, (SMALLEST, ""), (LAST, COMPUTED)),
            ("conv2 without padding", *UNPADDED),
            ("conv2 without padding", *UNPADDED, (SMALLEST, ""), (LAST, COMPUTED)),
            ("pools of 2×2", ("(side - 3) // 2 + 1", "side // 2"), (", 3, 2)", ", 2)")),
            ("pools of 2×2", ("(side - 3) // 2 + 1", "side // 2"), (", 3, 2)", ", 3, 2, ceil_mode=True)")),
            ("paper's α given to PyTorch", ("5e-4", "1e-4")),
            ("k left at 1", (", k=2.0", "")),
            ("PyTorch's defaults of the norm", (f", {NORM}", "")),
            ("norm after the pool", *stages("self.norm(F.max_pool2d(F.relu({}), 3, 2))")),
            ("norm before the ReLU", *stages("F.max_pool2d(F.relu(self.norm({})), 3, 2)")),
            ("norm left out", *stages("F.max_pool2d(F.relu({}), 3, 2)")),
            ("one group", (", groups=groups", "")),
            ("one group", (", groups=groups", ""), (MAPS, "max(1, round(n * width))")),
            ("conv3 in groups", (CONV3, f"{CONV3}, groups=groups")),
            ("conv2 alone in groups", ("3, padding=1, groups=groups", "3, padding=1")),
            (
                "conv2 alone in groups",
                ("maps(384), maps(384), 3, padding=1, groups=groups", "maps(384), maps(384), 3, padding=1"),
            ),
            (
                "torchvision's numbers of maps",
                *TORCHVISION,
                *PADDED,
                ("max(side, 0) ** 2", "36"),
                ("F.max_pool2d(x, 3, 2).flatten(1)", "F.adaptive_avg_pool2d(F.max_pool2d(x, 3, 2), 6).flatten(1)"),
                (", groups=groups", ""),
                *stages("F.max_pool2d(F.relu({}), 3, 2)"),
            ),
            ("torchvision's numbers of maps", *TORCHVISION),
            ("layers under other names", ("self.fc", "self.linear")),
            (
                "layers under other names",
                (BEFORE_NORM, f"        self.head = nn.Sequential(self.fc6, self.fc7)\n{BEFORE_NORM}"),
            ),
            (
                "layers in a Python list",
                ("self.fc8 = nn.Linear(units, num_classes)", "self.layers = [nn.Linear(units, num_classes)]"),
                (LOGITS, "return self.layers[0](x)"),
            ),
            (
                "width rounded down",
                (MAPS, "max(1, int(n * width / groups)) * groups"),
                (UNITS, "max(1, int(4096 * width))"),
            ),
            ("width rounded without the groups", (MAPS, "max(1, round(n * width))")),
            ("width rounded without the groups", (MAPS, "int(n * width)")),
            ("always an even number of maps", (MAPS, "max(1, round(n * width / 2)) * 2")),
            (
                "no smallest number of maps",
                (MAPS, "round(n * width / groups) * groups"),
                (UNITS, "round(4096 * width)"),
            ),
            ("always 6×6 before fc6", ("max(side, 0) ** 2", "36")),
            (
                "always 6×6 before fc6",
                ("max(side, 0) ** 2", "36"),
                ("F.max_pool2d(x, 3, 2).flatten(1)", "F.adaptive_avg_pool2d(F.max_pool2d(x, 3, 2), 6).flatten(1)"),
            ),
            ("impossible arguments accepted", (f"{SMALLEST}groups not in (1, 2)", "False")),
            ("impossible arguments accepted", (SMALLEST, "")),
            ("impossible arguments accepted", (" or groups not in (1, 2)", "")),
            ("smallest image refused", ("image_size < 67", "image_size <= 67")),
            ("no biases", (", groups=groups)", ", groups=groups, bias=False)")),
            ("no biases", (", units)", ", units, bias=False)"), (", num_classes)", ", num_classes, bias=False)")),
            ("softmax in forward", (LOGITS, "return F.softmax(self.fc8(x), dim=1)")),
            ("softmax in forward", (LOGITS, "return F.log_softmax(self.fc8(x), dim=1)")),
            ("ReLU after fc8", (LOGITS, "return F.relu(self.fc8(x))")),
            ("no ReLU in fc6 and fc7", ("F.relu(self.fc6(x))", "self.fc6(x)"), ("F.relu(self.fc7(x))", "self.fc7(x)")),
            ("dropout always on", (", self.training", "")),
            ("no dropout", (DROP6, "F.relu(self.fc6(x))"), (DROP7, "F.relu(self.fc7(x))")),
            ("dropout once", (DROP6, "F.relu(self.fc6(x))")),
            ("dropout once", (DROP7, "F.relu(self.fc7(x))")),
            (
                "dropout before fc6 and fc7",
                (DROP6, "F.relu(self.fc6(F.dropout(x, 0.5, self.training)))"),
                (DROP7, "F.relu(self.fc7(F.dropout(x, 0.5, self.training)))"),
            ),
            ("dropout three times", (LOGITS, "return F.dropout(self.fc8(x), 0.5, self.training)")),
            ("dropout three times", (FLAT, "flatten(1)\n        x = F.dropout(x, 0.5, self.training)")),
            ("kept units not doubled", *HALVED),
        )
    ],
)
