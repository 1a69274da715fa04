"""Weights as students hand them in, made from well trained ones (given as `data`): as good, or spoilt by an idea."""

import numpy as np

from tests.bank.registry import alternative, mistaken


@alternative("train_alexnet", "half the digits")
def train_alexnet(data, seed, device):
    return {name: array.astype(np.float16) for name, array in data.items()}


@alternative("train_alexnet", "hidden units in another order")
def train_alexnet(data, seed, device):
    order = np.random.default_rng(0).permutation(len(data["fc6.bias"]))
    moved = {"fc6.weight": data["fc6.weight"][order], "fc6.bias": data["fc6.bias"][order]}
    return {**data, **moved, "fc7.weight": data["fc7.weight"][:, order]}


@mistaken("train_alexnet", "one class for every image")
def train_alexnet(data, seed, device):
    return {**data, "fc8.weight": 0 * data["fc8.weight"], "fc8.bias": np.arange(10.0)}


@mistaken("train_alexnet", "still guessing")
def train_alexnet(data, seed, device):
    # Images shuffled without their labels: what was learned is about other images.
    return {**data, "fc8.weight": np.roll(data["fc8.weight"], 3, axis=0)}


@mistaken("train_alexnet", "pixels on another scale")
def train_alexnet(data, seed, device):
    # The same network for pixels from 0 to 255: conv1 takes the mean away and divides.
    weight = data["conv1.weight"] / (0.2 * 255)
    bias = data["conv1.bias"] - 0.45 * 255 * weight.sum(axis=(1, 2, 3))
    return {**data, "conv1.weight": weight, "conv1.bias": bias}


@mistaken("train_alexnet", "too little training")
def train_alexnet(data, seed, device):
    # Much of what fc6 has learned is lost in noise.
    noise = np.random.default_rng(0).standard_normal(data["fc6.weight"].shape)
    return {**data, "fc6.weight": data["fc6.weight"] + 4 * data["fc6.weight"].std() * noise}
