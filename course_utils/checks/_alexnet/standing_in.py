"""What experiments use while the student's AlexNet does not pass yet."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks._alexnet.layout import MAPS, PAPER, SMALLEST


class AlexNet(nn.Module):
    """The network of the exercise, from PyTorch's layers."""

    def __init__(self, num_classes=1000, groups=2, width=1.0, image_size=227):
        super().__init__()
        if groups not in (1, 2) or image_size < SMALLEST:
            raise ValueError(f"AlexNet takes 1 or 2 groups and {SMALLEST} pixels, not {groups} and {image_size}.")
        shapes = PAPER.shapes(num_classes, groups, width, image_size)
        for name in MAPS:
            out, into, kernel, _ = shapes[f"{name}.weight"]
            split = groups if name in PAPER.grouped else 1
            padding = {"conv1": 0, "conv2": 2}.get(name, 1)
            stride = 4 if name == "conv1" else 1
            setattr(self, name, nn.Conv2d(into * split, out, kernel, stride, padding, groups=split))
        for name in ("fc6", "fc7", "fc8"):
            out, into = shapes[f"{name}.weight"]
            setattr(self, name, nn.Linear(into, out))
        self.norm, self.pool = nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0), nn.MaxPool2d(3, 2)

    def forward(self, images):
        """Logits (N, num_classes) of images (N, 3, image_size, image_size)."""
        x = self.pool(self.norm(F.relu(self.conv1(images))))
        x = self.pool(self.norm(F.relu(self.conv2(x))))
        for layer in (self.conv3, self.conv4, self.conv5):
            x = F.relu(layer(x))
        x = self.pool(x).flatten(1)
        for layer in (self.fc6, self.fc7):
            x = F.dropout(F.relu(layer(x)), 0.5, self.training)
        return self.fc8(x)


def alexnet_init(model, seed):
    """The paper's initial parameters, as PyTorch's initializers draw them."""
    generator = torch.Generator().manual_seed(seed)
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.normal_(layer.weight, std=0.01, generator=generator)
            nn.init.constant_(layer.bias, float(name not in ("conv1", "conv3", "fc8")))
    return model
