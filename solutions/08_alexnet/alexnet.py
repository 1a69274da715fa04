# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Training AlexNet
#
# In 2012 a network of five convolutions and three fully connected layers entered the ImageNet competition: 1.2 million
# photographs, 1000 classes. The second-best entry, with features designed by hand, missed the right class among its
# five answers for 26.2 % of the test images. The networks of Krizhevsky, Sutskever and Hinton missed it for 15.3 %.
#
# In this notebook you build that network in PyTorch, with every constant of the paper, and the training around it. At
# the end you train a small one yourself, on your own machine, and hand in its weights.
#
# **When you are done**, you can
#
# - say where AlexNet's 61 million parameters are, and where its arithmetic is, and settle which of the numbers in
#   circulation is right;
# - put the two halves of the network, which lay on two GPUs, together into one, and say what the halves never saw;
# - judge first weights by the signals that they let through;
# - train with momentum, weight decay and a learning rate that is divided by ten, in the paper's own form;
# - stop a training, and go on later as if nothing had happened;
# - measure top-1 and top-5 errors, from one view or from ten, without the usual mistakes;
# - say which of the paper's comparisons can be repeated on a small scale, and which cannot.
#
# **You need** convolutions, initialization, momentum, dropout and augmentation as ideas (notebooks 02 to 05 and 07),
# and some PyTorch: tensors, `nn.Module`, `backward()`. You need no GPU and no internet connection.
#
# **Time**: about 7 hours. The exercises and the written question take 292 minutes, three of which your computer spends
# alone. The rest is reading and looking.

# %% [markdown]
# ## How this notebook works
#
# - Run the cells from top to bottom with Shift+Enter.
# - In an exercise, write your code in place of `raise NotImplementedError()`. Run the cell, then the `check` below it.
#   The check tells you what holds, and often which idea went wrong.
# - Write solutions in PyTorch. `torchvision` is not needed, and is refused where it would be the exercise itself.
# - `hint(AlexNet)` gives three hints, one at a time. `reset(AlexNet)`, as the last line of the exercise's cell, brings
#   the stub back and keeps your code in a comment. `solution(AlexNet)` shows a reference where the course has it. The
#   same goes for every other exercise.
# - A `NameError` from a check or hint means that a cell above has not been run, or the kernel was restarted.
# - Where a question asks you to predict, choose an answer before you run the next cell. From the keyboard, Tab goes
#   from answer to answer and Space chooses.
# - No exercise depends on another. You may call your own earlier functions, but you need not. Pictures and experiments
#   use your function where it passed its check, and the course's version where it has not. They say which. The training
#   at the end is the exception: it is yours alone, and it needs your network and your loop.

# %% [markdown]
# | exercise | points | difficulty | importance | minutes |
# |---|---|---|---|---|
# | `AlexNet` | 14 | 3 | 5 | 45 |
# | `merge_towers` | 9 | 3 | 3 | 25 |
# | `alexnet_init` | 8 | 2 | 4 | 15 |
# | `topk_errors` | 6 | 2 | 4 | 12 |
# | `train_step` | 10 | 2 | 5 | 20 |
# | `fit` | 16 | 4 | 5 | 60 |
# | `save_checkpoint` | 6 | 2 | 4 | 15 |
# | `load_checkpoint` | 6 | 2 | 4 | 15 |
# | `ten_crop_errors` | 8 | 3 | 4 | 20 |
# | `repaired_evaluate` | 6 | 3 | 5 | 15 |
# | `train_alexnet` | 7 | 3 | 5 | 30 |
# | written question: which AlexNet | 4 | 3 | 4 | 20 |
#
# Difficulty and importance go from 1 to 5. Run the next cell before anything else.

# %%
import os

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_utils import check, hint, predict, progress, reset, reveal, solution, working
from course_utils.data import load_digits, load_shapes
from course_utils.plots import figure, palette, show
from course_utils.small_alexnet import CLASSES, IMAGE_SIZE, WEIGHTS, WIDTH, load_small, scaled, train_and_write

# %% [markdown]
# ## 1 · What was new
#
# The results of the paper, in per cent. An answer is right for *top-5* if the true class is among the network's five
# best guesses. An asterisk marks networks that were trained on a larger set of ImageNet first.
#
# | ILSVRC-2010, test set | top-1 | top-5 |
# |---|---|---|
# | sparse coding | 47.1 | 28.2 |
# | SIFT and Fisher vectors | 45.7 | 25.7 |
# | AlexNet | **37.5** | **17.0** |
#
# | ILSVRC-2012 | top-1, validation | top-5, validation | top-5, test |
# |---|---|---|---|
# | SIFT and Fisher vectors | – | – | 26.2 |
# | 1 network | 40.7 | 18.2 | – |
# | 5 networks, averaged | 38.1 | 16.4 | 16.4 |
# | 1 network* | 39.0 | 16.6 | – |
# | 7 networks, averaged* | 36.7 | 15.4 | **15.3** |
#
# Hardly any part of it was new. Convolutional networks, momentum, and weight decay were decades old, ReLUs and dropout
# two years or less. New was that all of it was put together, at this size, and trained for "five to six days on two
# NVIDIA GTX 580 3GB GPUs" (§5). So this notebook is about putting together.

# %% [markdown]
# ## 2 · The network
#
# The input is a colour image of 227×227 pixels. Five convolutions turn it into 256 maps of 6×6, and three fully
# connected layers turn these into 1000 logits.
#
# | layer | what it does | output |
# |---|---|---|
# | conv1 | 96 filters 11×11, stride 4; ReLU, norm, pool | 96×55×55, then 96×27×27 |
# | conv2 | 256 filters 5×5, padding 2, two groups; ReLU, norm, pool | 256×27×27, then 256×13×13 |
# | conv3 | 384 filters 3×3, padding 1; ReLU | 384×13×13 |
# | conv4 | 384 filters 3×3, padding 1, two groups; ReLU | 384×13×13 |
# | conv5 | 256 filters 3×3, padding 1, two groups; ReLU, pool | 256×13×13, then 256×6×6 |
# | fc6, fc7 | 4096 units each; ReLU, dropout | 4096 |
# | fc8 | one logit for each class | 1000 |
#
# Every pool takes the maximum of 3×3 windows with stride 2, so that neighbouring windows *overlap*. In a layer with two
# groups, each half of the filters sees one half of the maps: section 3 is about that.

# %% tags=["display-only"]
predict(
    "parameters",
    "Which layer has the most parameters?",
    [
        "conv2: 256 filters 5×5",
        "conv3: it sees all 256 maps",
        "fc6: 4096 units on 6·6·256 numbers",
        "fc7: 4096 on 4096",
    ],
)

# %% tags=["display-only"]
predict(
    "arithmetic",
    "And which share of the multiplications is done by the five convolutions?",
    ["about 5 %", "about 50 %", "about 90 %"],
)

# %% [markdown]
# *Norm* is the paper's local response normalization (§3.3). With $a^i$ the activity of map $i$ at some place, and $N$
# maps,
#
# $$b^i = a^i \Big/ \Big(k + \alpha \sum_{j=\max(0,\,i-2)}^{\min(N-1,\,i+2)} (a^j)^2\Big)^{\beta}, \qquad
# k = 2,\; \alpha = 10^{-4},\; \beta = 0.75. \tag{1}$$
#
# A map that answers strongly damps its four neighbours and itself. Later networks have batch norm (notebook 06) in its
# place.
#
# ### Exercise: `AlexNet`
#
# Numbers of maps scale with `width`, so that the same class also gives the small network of section 11.


# %%
class AlexNet(nn.Module):
    """The network of Krizhevsky, Sutskever and Hinton (2012), sections 3 and 4.2.

    AlexNet(num_classes=1000, groups=2, width=1.0, image_size=227) makes it; model(images) takes (N, 3, S, S) images,
    S = image_size, and returns (N, num_classes) logits: numbers before the softmax.

    The layers are attributes, so that the state dict has just the names conv1.weight, conv1.bias, …, fc8.bias:

    | attribute | layer | then |
    |---|---|---|
    | conv1 | nn.Conv2d, 96 maps, 11×11, stride 4, no padding, whatever image_size is | ReLU, norm, pool |
    | conv2 | nn.Conv2d, 256 maps, 5×5, padding 2, in `groups` groups | ReLU, norm, pool |
    | conv3 | nn.Conv2d, 384 maps, 3×3, padding 1, sees all maps | ReLU |
    | conv4 | nn.Conv2d, 384 maps, 3×3, padding 1, in `groups` groups | ReLU |
    | conv5 | nn.Conv2d, 256 maps, 3×3, padding 1, in `groups` groups | ReLU, pool, flatten (C, H, W order) |
    | fc6 | nn.Linear, 4096 units | ReLU, dropout |
    | fc7 | nn.Linear, 4096 units | ReLU, dropout |
    | fc8 | nn.Linear, num_classes logits | nothing |

    norm: local response normalization over n = 5 neighbouring maps, b = a / (k + α Σ a²)^β with k = 2, α = 1e-4 and
        β = 0.75 as in the paper, so α is not divided by n. (PyTorch's layer does divide its alpha by n.)
    pool: the maximum of 3×3 windows, stride 2.
    dropout: in training mode a unit is set to 0 with probability 0.5 and doubled otherwise; in evaluation mode nothing
        happens. (The paper does not double in training and halves in evaluation.)
    groups: 2 as on the paper's two GPUs, or 1.
    width: the factor for the numbers of maps and hidden units. A layer of n maps has
        max(1, round(n · width / groups)) · groups of them, so that they can be split (conv1 and conv3 too); fc6 and fc7
        have max(1, round(4096 · width)) units.

    All layers have biases. Raises ValueError where groups is neither 1 nor 2, and where image_size is below 67, so
    that nothing is left after the last pool. The message holds the number that was given.
    """

    def __init__(self, num_classes=1000, groups=2, width=1.0, image_size=227):
        super().__init__()
        ### BEGIN SOLUTION
        if groups not in (1, 2):
            raise ValueError(f"AlexNet has 1 or 2 groups, not {groups}.")
        side = (image_size - 11) // 4 + 1  # after conv1
        for _ in range(3):  # conv2 to conv5 keep the side, a pool does not
            side = (side - 3) // 2 + 1
        if side < 1:
            raise ValueError(f"An image of {image_size} pixels is too small: nothing is left after the last pool.")

        def maps(n):
            return max(1, round(n * width / groups)) * groups

        units = max(1, round(4096 * width))
        self.conv1 = nn.Conv2d(3, maps(96), 11, stride=4)
        self.conv2 = nn.Conv2d(maps(96), maps(256), 5, padding=2, groups=groups)
        self.conv3 = nn.Conv2d(maps(256), maps(384), 3, padding=1)
        self.conv4 = nn.Conv2d(maps(384), maps(384), 3, padding=1, groups=groups)
        self.conv5 = nn.Conv2d(maps(384), maps(256), 3, padding=1, groups=groups)
        self.fc6 = nn.Linear(maps(256) * side * side, units)
        self.fc7 = nn.Linear(units, units)
        self.fc8 = nn.Linear(units, num_classes)
        ### END SOLUTION

    def forward(self, images):
        ### BEGIN SOLUTION
        def norm(x):
            return F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2.0)

        def pool(x):
            return F.max_pool2d(x, 3, stride=2)

        x = pool(norm(F.relu(self.conv1(images))))
        x = pool(norm(F.relu(self.conv2(x))))
        x = F.relu(self.conv4(F.relu(self.conv3(x))))
        x = pool(F.relu(self.conv5(x))).flatten(start_dim=1)
        x = F.dropout(F.relu(self.fc6(x)), 0.5, training=self.training)
        x = F.dropout(F.relu(self.fc7(x)), 0.5, training=self.training)
        return self.fc8(x)
        ### END SOLUTION


# %% points=14
check(AlexNet)


# %% tags=["display-only"]
def account():
    from course_utils.models import count_macs

    Network = working("AlexNet")
    networks = {}
    for groups in (2, 1):
        with torch.device("meta"):  # shapes without numbers: nothing is allocated
            networks[groups] = Network(groups=groups)
    macs = {groups: count_macs(network, (3, 227, 227)) for groups, network in networks.items()}
    sizes = {
        groups: {
            name: sum(p.numel() for p in layer.parameters())
            for name, layer in network.named_children()
            if name in macs[groups]
        }
        for groups, network in networks.items()
    }
    print("layer      parameters                  multiply–accumulates")
    print("           2 groups       1 group        2 groups        1 group")
    for name in sizes[2]:
        print(f"{name:6s} {sizes[2][name]:12,d} {sizes[1][name]:13,d}   {macs[2][name]:13,d}  {macs[1][name]:13,d}")
    totals = [sum(table[groups].values()) for table in (sizes, macs) for groups in (2, 1)]
    print(f"all    {totals[0]:12,d} {totals[1]:13,d}   {totals[2]:13,d}  {totals[3]:13,d}")
    fig, axes = figure(1, 2, size=(9.5, 3.2), sharey=True)
    for ax, table, what in zip(axes, (sizes, macs), ("parameters", "multiply–accumulates"), strict=True):
        shares = {name: 100 * table[2][name] / sum(table[2].values()) for name in table[2]}
        colors = [palette.blue if name.startswith("conv") else palette.orange for name in shares]
        ax.barh(list(shares), list(shares.values()), color=colors)
        for row, share in enumerate(shares.values()):
            ax.text(share + 1, row, f"{share:.1f} %", va="center", fontsize=9)
        conv = sum(share for name, share in shares.items() if name.startswith("conv"))
        ax.set(title=f"{what}: convolutions {conv:.0f} %", xlabel="per cent of all", xlim=(0, 75))
        ax.grid(axis="y", visible=False)
    axes[0].invert_yaxis()
    show(
        fig,
        alt="Two bar charts over AlexNet's eight layers. Parameters: fc6 has 62 per cent, fc7 28, fc8 7, the five "
        "convolutions 4 together. Multiply–accumulates: conv2 31 per cent, conv3 21, conv4 and conv1 15, conv5 10, "
        "the fully connected layers 8 together.",
    )
    reveal("parameters", 2, "6·6·256 · 4096 weights are 37.7 million of 61.0 million.")
    reveal("arithmetic", 2, "92 %. A filter's weights are used again at every place, those of fc6 only once.")


account()

# %% [markdown]
# Weights and work lie at opposite ends. The convolutions have 4 % of the parameters and do 92 % of the arithmetic.
# Hence two lines of later research: to save memory, one went for the fully connected layers; to save time, for the
# convolutions.
#
# How do these shares change when the network is narrower, or the images are smaller? Try width 0.125 and 99 pixels, the
# small network that you will train. And how many images fit into the 3 GB of a GTX 580?

# %% tags=["display-only"]
from course_utils.widgets import alexnet_accounting

alexnet_accounting()

# %% [markdown]
# The small network has 374,266 parameters, 89 % of them in the fully connected layers, and 92 % of its arithmetic is in
# the convolutions: much the same shares. As for memory, parameters with their gradients and velocities take 0.73 GB,
# and the activations of 128 images with their gradients 1.29 GB; 256 images would need 3.3 GB in all. (That is the
# least. Buffers and copies come on top, and the paper does not say how large they were.)
#
# ### Which number is right?
#
# AlexNet is described in many places, and hardly two of them agree.

# %% tags=["display-only"]
predict(
    "pixels",
    "The paper says 224×224 pixels, 11×11 windows, stride 4, and 55×55 outputs. How many outputs a side do 224 pixels "
    "give without padding?",
    ["53", "54", "55", "56"],
)


# %% tags=["display-only"]
def settle():
    def side(pixels, kernel=11, stride=4, padding=0):
        return F.conv2d(
            torch.zeros(1, 1, pixels, pixels), torch.zeros(1, 1, kernel, kernel), stride=stride, padding=padding
        ).shape[-1]

    print(f"224 pixels: {side(224)} outputs a side, with padding 2 {side(224, padding=2)}; 227 pixels: {side(227)}")
    outputs = 55 * 55 * 96
    print(f"55 · 55 · 96 = {outputs:,}; the paper's 253,440 is {253440 / 55**2:.2f} · 55²")
    weights = 11 * 11 * 3
    print(f"conv1: {weights} · {outputs:,} = {weights * outputs:,}; {weights + 1} · {outputs:,} =", end=" ")
    print(f"{(weights + 1) * outputs:,}")
    x = torch.zeros(1, 5, 1, 1) + torch.tensor([1.0, 30, 100, 30, 1]).reshape(1, 5, 1, 1)
    paper = x[0, 2, 0, 0] / (2 + 1e-4 * (x**2).sum()) ** 0.75
    print(f"norm of a map with 100, neighbours 1 and 30, by (1): {paper.item():.2f}")
    for alpha, k in ((1e-4, 1.0), (1e-4, 2.0), (5e-4, 2.0)):
        out = nn.LocalResponseNorm(5, alpha=alpha, beta=0.75, k=k)(x)[0, 2, 0, 0].item()
        print(f"   nn.LocalResponseNorm(5, alpha={alpha:g}, beta=0.75, k={k:g}): {out:.2f}")
    conv = {"conv1": (11, 3, 64), "conv2": (5, 64, 192), "conv3": (3, 192, 384), "conv4": (3, 384, 256)}
    conv["conv5"] = (3, 256, 256)
    one_tower = sum((k * k * into + 1) * out for k, into, out in conv.values())
    one_tower += sum((into + 1) * out for into, out in ((9216, 4096), (4096, 4096), (4096, 1000)))
    print(f"64, 192, 384, 256, 256 maps: {one_tower:,} parameters")
    print(f"62,369,152 and the biases of fc6, fc7, fc8: {62_369_152 + 4096 + 4096 + 1000:,}")
    reveal("pixels", 1, "(224 − 11)/4 + 1 is 54.25. With 227 pixels it is 55, with nothing left over.")


settle()

# %% [markdown]
# - **224 or 227.** The paper's own sizes need 227. Others keep 224 and pad by 2, which is another network at the edges.
# - **253,440** neurons, says the paper's figure 2 of conv1. Its own 55·55·96 is 290,400.
# - **105,705,600** multiplications in conv1 stand in a table that is often copied: 364 for each output, one of them
#   for the bias. But a bias is only added. The multiply–accumulates are 363 for each, **105,415,200** together.
# - **62,369,152** parameters stand in the same table. It leaves out the 9,192 biases of the fully connected layers.
#   With them it is 62,378,344, and that is the network with *one* group. The paper's has **60,965,224**.
# - **61,100,840** is another network: 64, 192, 384, 256, 256 maps in one tower, no norm. Many courses print it as
#   "AlexNet".
# - **Norm before pool.** The table with the biases has it the other way round. The paper normalizes first.
# - **PyTorch's α.** `LocalResponseNorm` divides its `alpha` by the window's size. The paper's $10^{-4}$ is PyTorch's
#   `5e-4`; and PyTorch's default for $k$ is 1.
#
# None of these is an error that a program reports. The network trains in every case, and is another one.

# %% [markdown]
# ## 3 · Two GPUs
#
# A GTX 580 had 3 GB of memory, "which limits the maximum size of the networks that can be trained on it" (§3.2). So
# half of the maps and units lay on one GPU, half on the other, and "the GPUs communicate only in certain layers": conv3
# sees the maps of both, and so do fc6, fc7 and fc8. In conv2, conv4 and conv5 each half sees its own. PyTorch calls
# that `groups=2`.

# %% tags=["display-only"]
predict(
    "traffic",
    "conv2 to conv5, fc6 and fc7 read 256,352 numbers per image. If all of them saw both halves, each of these numbers "
    "would have to cross to the other GPU. Which share of this traffic is left with the paper's pattern?",
    ["about 2 %", "about 22 %", "about 50 %", "about 80 %"],
)

# %% [markdown]
# In the first convolution both halves read the same image. At the end, fc8 is a sum over all 4096 units of fc7, so it
# can be split: each half computes a sum over its own 2048 units, and the two results are added.
#
# $$W h + b = \begin{pmatrix} W_A & W_B\end{pmatrix}\begin{pmatrix} h_A \\ h_B\end{pmatrix} + b
# = (W_A h_A + b_A) + (W_B h_B + b_B), \qquad b = b_A + b_B. \tag{2}$$
#
# A layer whose outputs are split and whose inputs are shared has its *rows* on two GPUs; fc8 has its *columns* there.
#
# ### Exercise: `merge_towers`


# %%
def merge_towers(tower_a, tower_b):
    """Put the halves of AlexNet that lay on the paper's two GPUs together into one network with groups=2.

    tower_a, tower_b: dicts from name (conv1.weight, conv1.bias, …, fc8.bias) to tensor. At full width the weights of
        each have these shapes, and each bias has as many elements as its weight has rows:

        | name | shape | what it sees |
        |---|---|---|
        | conv1.weight | (48, 3, 11, 11) | the image |
        | conv2.weight | (128, 48, 5, 5) | the maps of its own tower |
        | conv3.weight | (192, 256, 3, 3) | the maps of both towers, first those of A, then those of B |
        | conv4.weight | (192, 192, 3, 3) | the maps of its own tower |
        | conv5.weight | (128, 192, 3, 3) | the maps of its own tower |
        | fc6.weight | (2048, 9216) | the flattened maps of both, first those of A, then those of B |
        | fc7.weight | (2048, 4096) | the units of both, first those of A, then those of B |
        | fc8.weight | (num_classes, 2048) | the units of its own tower; the results of both, biases too, are added |

    Returns a new dict with the same names: the state dict of one AlexNet(groups=2) that gives the logits of the two
    towers, for every image. The maps and units of A come first in it. Works for any width and number of classes, and
    does not change the towers. Response normalization has no parameters; in the two towers it runs over the maps of
    both, as in AlexNet(groups=2).
    """
    ### BEGIN SOLUTION
    merged = {name: torch.cat([tensor, tower_b[name]]) for name, tensor in tower_a.items()}
    merged["fc8.weight"] = torch.cat([tower_a["fc8.weight"], tower_b["fc8.weight"]], dim=1)
    merged["fc8.bias"] = tower_a["fc8.bias"] + tower_b["fc8.bias"]
    return merged
    ### END SOLUTION


# %% points=9
check(merge_towers)


# %% tags=["display-only"]
def run_two_towers():
    Network, merge = working("AlexNet"), working("merge_towers")
    generator = torch.Generator().manual_seed(0)
    whole = Network(10, width=1 / 16, image_size=67)
    for parameter in whole.parameters():
        parameter.data.normal_(0, 0.2, generator=generator)
    shapes_of = {name: tuple(value.shape) for name, value in whole.state_dict().items()}

    def half(name, shape):
        shape = (shape[0], shape[1] // 2) if name == "fc8.weight" else shape
        rows = shape[0] if name.startswith("fc8") else shape[0] // 2
        return torch.randn((rows, *shape[1:]), generator=generator) * 0.2

    a, b = ({name: half(name, shape) for name, shape in shapes_of.items()} for _ in range(2))
    images = torch.from_numpy(scaled(load_shapes(67, 8, 0, 0).train.images))

    def conv(tower, name, x, **settings):
        return F.relu(F.conv2d(x, tower[f"{name}.weight"], tower[f"{name}.bias"], **settings))

    def norm_pool(x, y):  # the norm looks across the border between the halves
        out = F.max_pool2d(F.local_response_norm(torch.cat([x, y], 1), 5, 5e-4, 0.75, 2.0), 3, 2)
        return out.chunk(2, dim=1)

    def linear(tower, name, x):
        return F.linear(x, tower[f"{name}.weight"], tower[f"{name}.bias"])

    x, y = norm_pool(conv(a, "conv1", images, stride=4), conv(b, "conv1", images, stride=4))
    x, y = norm_pool(conv(a, "conv2", x, padding=2), conv(b, "conv2", y, padding=2))
    both = torch.cat([x, y], 1)
    x, y = (conv(t, "conv5", conv(t, "conv4", conv(t, "conv3", both, padding=1), padding=1), padding=1) for t in (a, b))
    both = torch.cat([F.max_pool2d(x, 3, 2).flatten(1), F.max_pool2d(y, 3, 2).flatten(1)], 1)
    both = torch.cat([F.relu(linear(a, "fc6", both)), F.relu(linear(b, "fc6", both))], 1)
    x, y = F.relu(linear(a, "fc7", both)), F.relu(linear(b, "fc7", both))
    by_hand = linear(a, "fc8", x) + linear(b, "fc8", y)
    whole.load_state_dict(merge(a, b))
    with torch.no_grad():
        logits = whole.eval()(images)
    print(f"logits from {by_hand.min().item():.1f} to {by_hand.max().item():.1f}")
    print(f"two towers against one network: largest difference {(logits - by_hand).abs().max().item():.1e}")
    wrong = merge(b, a)
    wrong["fc8.weight"] = wrong["fc8.weight"].roll(wrong["fc8.weight"].shape[1] // 2, 1)
    whole.load_state_dict(wrong)
    with torch.no_grad():
        off = (whole(images) - by_hand).abs().max().item()
    print(f"with B's filters first, but its inputs still in A's order: {off:.1f}")
    reads = {"conv2": 96 * 27 * 27, "conv3": 256 * 13 * 13, "conv4": 384 * 13 * 13, "conv5": 384 * 13 * 13}
    reads |= {"fc6": 256 * 6 * 6, "fc7": 4096}
    shared = sum(reads[name] for name in ("conv3", "fc6", "fc7"))
    print(f"read across: {shared:,} of {sum(reads.values()):,} numbers per image, {shared / sum(reads.values()):.0%}")
    reveal("traffic", 1, "Only conv3, fc6 and fc7 read the other half. The convolutions' maps are the large ones.")


run_two_towers()

# %% [markdown]
# Two towers and one grouped network give the same logits, to the rounding of float32. So the second GPU is no part of
# the *model*. The groups are: they take 1,413,120 weights away, and with them every way by which a map of conv1 could
# reach one in the other half of conv2.
#
# The paper found that the two halves specialize: the 48 filters on the first GPU are mostly without colour, those on
# the second are coloured, "independent of any particular random weight initialization" (§6.1). And it compared with a
# net that has half as many filters in each convolution, trained on one GPU: the two-GPU net's top-1 and top-5 errors
# are 1.7 and 1.2 points lower. (The one-GPU net keeps all filters of conv5, and the fully connected layers, so that it
# is larger than half.)

# %% [markdown]
# ## 4 · First weights
#
# "We initialized the weights in each layer from a zero-mean Gaussian distribution with standard deviation 0.01", and
# the biases of conv2, conv4, conv5 and of the hidden layers fc6 and fc7 "with the constant 1. This initialization
# accelerates the early stages of learning by providing the ReLUs with positive inputs" (§5). All other biases are 0.
#
# How do signals get through? With inputs of mean square $q$ and $n$ inputs to a unit, a pre-activation has the variance
# $n\sigma^2 q$, apart from the bias. He's $\sigma = \sqrt{2/n}$ makes up for the half that a ReLU cuts off. Compare:
# $\sqrt{2/n} = 0.01$ at $n = 20{,}000$. AlexNet's layers have $n$ = 363, 1200, 2304, 1728, 1728, 9216, 4096 and 4096.
# So 0.01 is too small everywhere, least so in fc6, and a *narrow* network has still smaller $n$.

# %% tags=["display-only"]
predict(
    "signals",
    "The paper's weights in a network of width 0.125, with pixels of standard deviation 1. By how much do the logits "
    "of two images differ, about?",
    ["by 1", "by a tenth", "by a thousandth", "by less than a millionth"],
)

# %% [markdown]
# ### Exercise: `alexnet_init`


# %%
def alexnet_init(model, seed):
    """Give a network the initial parameters of the AlexNet paper (section 5), in place, and return the network.

    model: has layers with weight and bias as attributes, some or all of conv1 to conv5 and fc6 to fc8, of any shapes.
    seed: an integer. The same seed gives the same weights, whatever was drawn before; another seed gives others.

    Every weight is drawn on its own from the normal distribution with mean 0 and standard deviation 0.01.
    Biases are 1 in conv2, conv4, conv5, fc6 and fc7, whose ReLUs then start with positive inputs, and 0 in conv1,
    conv3 and fc8. The parameters keep their shapes and types and can still be trained.
    """
    ### BEGIN SOLUTION
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, layer in model.named_children():
            if name.startswith(("conv", "fc")):
                layer.weight.normal_(0, 0.01, generator=generator)
                layer.bias.fill_(1 if name in ("conv2", "conv4", "conv5", "fc6", "fc7") else 0)
    return model
    ### END SOLUTION


# %% points=8
check(alexnet_init)


# %% tags=["display-only"]
def follow_the_signals():
    Network, paper = working("AlexNet"), working("alexnet_init")

    def he(model, seed):
        torch.manual_seed(seed)
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        return model

    def spreads(model, images):
        """For each layer the standard deviation over the images of its pre-activations, averaged over the units."""
        found = {}

        def keep(name):
            return lambda layer, inputs, out: found.update({name: out.std(0).mean().item()})

        hooks = [layer.register_forward_hook(keep(name)) for name, layer in model.named_children()]
        with torch.no_grad():
            model.eval()(images)
        for hook in hooks:
            hook.remove()
        return {name: value for name, value in found.items() if name.startswith(("conv", "fc"))}

    large = load_shapes(227, 12, 0, 0).train.images
    small = load_shapes(IMAGE_SIZE, 60, 0, 0).train.images
    raw = [torch.from_numpy(255 * (images - images.mean())) for images in (large, small)]
    runs = {
        "paper's weights, width 1, pixels to 255": (spreads(paper(Network(), 0), raw[0]), "o-", palette.black),
        f"paper's weights, width {WIDTH:g}, pixels to 255": (
            spreads(paper(Network(10, width=WIDTH, image_size=IMAGE_SIZE), 0), raw[1]),
            "s--",
            palette.orange,
        ),
        f"paper's weights, width {WIDTH:g}, pixels of std 1": (
            spreads(paper(Network(10, width=WIDTH, image_size=IMAGE_SIZE), 0), torch.from_numpy(scaled(small))),
            "^-.",
            palette.vermillion,
        ),
        f"He's weights, width {WIDTH:g}, pixels of std 1": (
            spreads(he(Network(10, width=WIDTH, image_size=IMAGE_SIZE), 0), torch.from_numpy(scaled(small))),
            "D-",
            palette.blue,
        ),
    }
    fig, ax = figure(size=(8, 4.2))
    for name, (values, style, color) in runs.items():
        ax.plot(list(values), list(values.values()), style, color=color, label=name)
        print(f"{name:42s}", "  ".join(f"{value:.1e}" for value in values.values()))
    ax.set(yscale="log", ylabel="standard deviation over images", title="How much of the image is left, layer by layer")
    ax.legend(loc="lower left")
    show(
        fig,
        alt="Standard deviation of each layer's pre-activations over images, logarithmic, from conv1 to fc8. "
        "The paper's weights at full width with pixels up to 255 fall from about ten to a hundredth. "
        "In the narrow network they fall far lower, with pixels of standard deviation 1 lower still. "
        "He's weights stay near one.",
    )
    reveal("signals", 3, "Layer after layer, the variance is multiplied by nσ², which is far below 1.")


follow_the_signals()

# %% [markdown]
# In the paper's network the spread falls from 8.7 in conv1 to 0.010 in the logits: small, but something to begin with.
# The biases of one help: where they stand, they keep most ReLUs on their rising side.
#
# The same weights in a network of width 0.125 leave $2 \cdot 10^{-6}$, and with pixels of standard deviation 1 only
# $7 \cdot 10^{-8}$, the size of float32's rounding errors: the network gives all images the same answer. The gradients
# come back through the same weights, and shrink as the signals do. With He's weights the spread stays between 0.3 and
# 1.4.
#
# So a paper's first weights belong to its width and to its scale of pixels. With another width, take the *rule* and not
# the number.

# %% [markdown]
# ## 5 · What counts as an error
#
# ImageNet's classes overlap, and a photograph often shows several things. So besides the *top-1* error there is the
# *top-5* error: "the fraction of test images for which the correct label is not among the five labels considered most
# probable by the model" (§2). The softmax keeps the order, so the logits themselves will do.

# %% tags=["display-only"]
predict(
    "chance",
    "Someone guesses five of 1000 classes at random, and another one five of the 10 classes of shapes. What are their "
    "top-5 errors?",
    ["99.9 % and 90 %", "99.5 % and 50 %", "95 % and 5 %"],
)

# %% [markdown]
# ### Exercise: `topk_errors`


# %%
def topk_errors(logits, labels, ks):
    """The top-k errors of a network's answers, for several k.

    logits: (N, K) tensor, the answers to N ≥ 1 images, one number for each of K classes.
    labels: (N,) tensor of the true classes, integers from 0 to K − 1. ks: a list of integers, each at least 1.
    An answer is right for k if the true class is among the k classes with the largest logits, at any place. The top-k
    error is the share of the N images whose answer is not right, a number from 0 to 1. With k ≥ K every answer is
    right. Which of several equal logits comes first is open.

    Returns a list of floats, one for each k, in the order of ks.
    Source: Krizhevsky, Sutskever and Hinton, 2012, §2 (top-1 and top-5 error).
    """
    ### BEGIN SOLUTION
    ranking = logits.argsort(dim=1, descending=True)  # (N, K), the best class first
    hits = ranking == labels[:, None]  # in each row, True at the true class
    # The first k columns; a slice beyond the last column just ends there.
    return [1 - hits[:, :k].any(dim=1).double().mean().item() for k in ks]
    ### END SOLUTION


# %% points=6
check(topk_errors)


# %% tags=["display-only"]
def guess():
    errors = working("topk_errors")
    generator = torch.Generator().manual_seed(0)
    for classes in (1000, 10):
        logits = torch.randn((4000, classes), generator=generator)
        labels = torch.randint(classes, (4000,), generator=generator)
        better = logits + 2 * F.one_hot(labels, classes)
        for name, scores in (
            ("random", logits),
            ("2 added to the true one", better),
            ("the same, sorted wrongly", -better),
        ):
            one, five = errors(scores, labels, [1, 5])
            print(f"{classes:4d} classes, logits {name:24s}: top-1 {one:6.1%}, top-5 {five:6.1%}")
    reveal("chance", 1, "Five of 1000 are right in 0.5 % of the cases, five of 10 in half of them.")


guess()

# %% [markdown]
# With ten classes a top-5 error says little. Always know what chance would give: an error above it, as in the third
# lines, is a sign that something is turned round, here the direction of the sort.

# %% [markdown]
# ## 6 · One step
#
# A step of training: the loss of a batch, its gradients, one update. Five lines, and each is forgotten by somebody at
# some time. Gradients of the step before stay in `.grad` unless they are removed. After an evaluation the model is in
# evaluation mode, without dropout, unless it is put back.
#
# And the *precision*. float32 has 8 bits for the exponent and 23 for the fraction. bfloat16 has the same 8 bits for the
# exponent, and 7 for the fraction: half of the memory, and on hardware that is made for it a multiple of the speed.

# %% tags=["display-only"]
predict(
    "bfloat",
    "What is 256 + 1 in bfloat16?",
    ["257", "256", "258", "infinity"],
)

# %% [markdown]
# ### Exercise: `train_step`


# %%
def train_step(model, images, labels, optimizer, precision):
    """One step of training: the loss of one batch, its gradients, one update of the weights.

    model: a torch.nn.Module that gives logits (N, K) for a batch; its weights are float32. It may arrive in evaluation
        mode; for the step it must be in training mode, so that dropout is on.
    images: a tensor whose first axis is N. labels: an (N,) tensor of class numbers from 0 to K − 1.
    optimizer: a torch.optim optimizer of the model's parameters. Gradients that earlier calls left behind play no role.
    precision: "float32", or "bfloat16". With "bfloat16" the forward pass and the loss are computed under
        torch.autocast(images.device.type, torch.bfloat16): it does the matrix products and convolutions in bfloat16, a
        float of 16 bits. The weights themselves stay float32, and so does their update.

    Returns the mean cross-entropy of the batch with the weights before the update, a Python float.
    Raises ValueError where precision is something else. Its message contains it.
    """
    ### BEGIN SOLUTION
    if precision not in ("float32", "bfloat16"):
        raise ValueError(f"precision is {precision!r}, should be 'float32' or 'bfloat16'")
    model.train()
    optimizer.zero_grad()  # backward adds to what is there
    with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        loss = torch.nn.functional.cross_entropy(model(images), labels)  # from logits: the softmax is in it
    loss.backward()
    optimizer.step()
    return loss.item()  # a float: a tensor would keep the whole graph in memory
    ### END SOLUTION


# %% points=10
check(train_step)


# %% tags=["display-only"]
def two_precisions(steps=30):
    step, errors = working("train_step"), working("topk_errors")
    one = torch.tensor(1.0)
    for kind in (torch.float32, torch.bfloat16, torch.float16):
        name = str(kind).removeprefix("torch.")
        big = torch.tensor(256.0, dtype=kind) + one.to(kind)
        weight = one.to(kind) + torch.tensor(0.001, dtype=kind)
        print(
            f"{name:9s} 256 + 1 = {big.item():g};  1 + 0.001 = {weight.item():.4g};  "
            f"largest number {torch.finfo(kind).max:.1e}"
        )
    digits = load_digits()
    images, labels = (torch.from_numpy(part) for part in (digits.train.images, digits.train.labels))
    images = images.float()
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 100), nn.ReLU(), nn.Dropout(0.2), nn.Linear(100, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        losses = [
            step(model, images[rows], labels[rows], optimizer, precision)
            for rows in torch.randperm(len(images))[: 32 * steps].split(32)
        ]
        with torch.no_grad():
            error = errors(model.eval()(images), labels, [1])[0]
        shown = "  ".join(f"{loss:.4f}" for loss in losses[::6])
        print(f"{precision:9s} losses {shown}; error {error:.1%}; weights are {model[1].weight.dtype}")
    reveal("bfloat", 1, "With seven bits of fraction, the numbers from 256 to 512 lie two apart.")


two_precisions()

# %% [markdown]
# A step of 0.001 on a weight of 1 vanishes in bfloat16: that is why the weights stay float32, and only products are
# computed with fewer bits. Gradients are noisy anyway, one batch differs from the next by far more than the rounding.
# The exponent counts more: float16 ends at 65504, so that training with it needs a factor on the loss (a *gradient
# scaler*); bfloat16 reaches as far as float32.

# %% [markdown]
# ## 7 · The loop
#
# The paper's update (§5), with the gradient $g$ of the batch's mean loss:
#
# $$v \leftarrow 0.9\,v - 0.0005\,\varepsilon\,w - \varepsilon\,g, \qquad w \leftarrow w + v. \tag{3}$$
#
# The weight decay is not only a remedy against overfitting: "it reduces the model's training error". The learning rate
# $\varepsilon$ was 0.01 at first, and the rule was to "divide the learning rate by 10 when the validation error rate
# stopped improving with the current learning rate". That happened three times in 90 epochs.
#
# `torch.optim.SGD` is close, but keeps $\varepsilon$ *outside* the velocity: $u \leftarrow 0.9\,u + g + 0.0005\,w$ and
# $w \leftarrow w - \varepsilon u$. With a constant rate, $v = -\varepsilon u$, and both give the same weights. Now
# divide $\varepsilon$ by ten.

# %% tags=["display-only"]
predict(
    "division",
    "The gradient has been the same for a long time. ε is divided by ten. How long is the very next step, with ε "
    "inside the velocity as in (3)?",
    ["a tenth of the step before", "91 % of the step before", "as long as the step before"],
)


# %% tags=["display-only"]
def divide_by_ten(before=40, after=40):
    inside, outside, rate = 0.0, 0.0, 0.01
    steps = []
    for k in range(before + after):
        rate = 0.01 if k < before else 0.001
        inside = 0.9 * inside - rate * 1.0
        outside = 0.9 * outside + 1.0
        steps.append((-inside, rate * outside))
    steps = np.array(steps)
    print(f"step before {steps[before - 1, 0]:.4f}, next step: inside {steps[before, 0]:.4f}, outside", end=" ")
    print(f"{steps[before, 1]:.4f}; way gone after the division: {steps[before:, 0].sum():.3f} and", end=" ")
    print(f"{steps[before:, 1].sum():.3f}")
    fig, ax = figure(size=(6.4, 3.4))
    ax.plot(steps[:, 0], "-", color=palette.blue, label="ε inside, the paper's")
    ax.plot(steps[:, 1], "--", color=palette.orange, label="ε outside, torch.optim.SGD")
    ax.axvline(before, color=palette.black, linestyle=":", linewidth=1)
    ax.set(
        xlabel="update", ylabel="length of the step", title="A constant gradient of 1; ε is divided after 40 updates"
    )
    ax.legend()
    show(
        fig,
        alt="Length of the steps over 80 updates. Both rise to 0.1 together. At update 40 the one with the learning "
        "rate outside falls to 0.01 at once; the one with it inside decays to 0.01 over some 30 updates.",
    )
    reveal("division", 1, "0.9 · 0.1 + 0.001 = 0.091. What v has gathered keeps the ε of its own time.")


divide_by_ten()

# %% [markdown]
# With a steady gradient, the velocity is ten steps long, $\varepsilon g/(1 - 0.9)$, and after a division the paper's
# form goes on with it for a while. Neither is better in general, but a program that says "as in the paper" should do
# it.
#
# ### Exercise: `fit`
#
# Now the whole loop: batches, updates, validation, division. Note what is averaged over what: the last batch of an
# epoch is shorter.


# %%
def fit(model, data, epochs, device="cpu", learning_rate=0.01, batch_size=128, patience=2, seed=0):
    """Train a network as AlexNet was trained: momentum, weight decay, and a learning rate that is divided by ten.

    model: a torch.nn.Module that gives logits (N, K). It is trained in place, and is on `device` afterwards.
    data: its data.train and data.validation each have .images, an (N, 3, S, S) array of float32, and .labels, an (N,)
        array of integers. Both are NumPy arrays. Computing is in float32 precision.
    epochs: how often the training images are gone through. seed: from it alone follows the order of the batches.

    In each epoch every training image is used once, in batches of batch_size in a random order, another one in each
    epoch. The last batch is shorter where N is no multiple of batch_size. Each batch makes one update of all
    parameters w, biases too, with g the gradient of the batch's mean cross-entropy and v starting at 0:
        v ← 0.9·v − 0.0005·ε·w − ε·g and then w ← w + v.
    The learning rate ε stands inside v. When it changes, what v has gathered stays as it is.
    torch.optim.SGD has it outside, w ← w − ε·v: not the same from the first change on.

    After each epoch the validation error is measured: the share of validation images whose largest logit is not at
    their label; in evaluation mode and without recording gradients (torch.no_grad()). After `patience` epochs in a row
    without a new best error ε is divided by ten for the epochs that follow, and the count of epochs starts again at 0.
    An error equal to the best is no new best. The best error stays the best of all epochs.

    Returns a list with one dict for each epoch:
        "loss": mean cross-entropy over the epoch's training images, each counted once, as they were trained on;
        "validation_error": the one measured after the epoch;
        "learning_rate": the ε of the epoch's updates.
    All are Python floats.
    Source: Krizhevsky, Sutskever and Hinton, 2012, §5.
    """
    ### BEGIN SOLUTION
    model.to(device)
    images, unseen = (torch.tensor(part.images, device=device) for part in (data.train, data.validation))
    labels, truth = (torch.tensor(part.labels, device=device).long() for part in (data.train, data.validation))
    parameters = list(model.parameters())
    velocities = [torch.zeros_like(parameter) for parameter in parameters]
    order = torch.Generator().manual_seed(seed)
    history, best, waited, rate = [], float("inf"), 0, learning_rate
    for _ in range(epochs):
        model.train()  # the validation below leaves it in evaluation mode
        total = 0.0
        for rows in torch.randperm(len(images), generator=order).to(device).split(batch_size):
            loss = F.cross_entropy(model(images[rows]), labels[rows])
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                for parameter, velocity, gradient in zip(parameters, velocities, gradients, strict=True):
                    # ε inside: what the velocity has gathered keeps the ε of its own time.
                    velocity.mul_(0.9).sub_(rate * (gradient + 0.0005 * parameter))
                    parameter.add_(velocity)
            total += loss.item() * len(rows)  # a mean over images, not over batches: the last one is shorter
        model.eval()
        with torch.no_grad():
            answers = torch.cat([model(part).argmax(dim=1) for part in unseen.split(batch_size)])
        error = (answers != truth).double().mean().item()
        history.append({"loss": total / len(images), "validation_error": error, "learning_rate": rate})
        best, waited = (error, 0) if error < best else (best, waited + 1)
        if waited == patience:
            rate, waited = rate / 10, 0
    return history
    ### END SOLUTION


# %% points=16
check(fit)


# %% tags=["display-only"]
def watch_fit(epochs=24, seeds=3):
    from course_utils.data import Dataset, Split

    train = working("fit")
    digits = load_digits()

    def part(split):
        return Split(split.images.astype(np.float32), split.labels)

    data = Dataset(digits.name, part(digits.train), part(digits.validation), part(digits.test), digits.classes)
    fig, axes = figure(1, 2, size=(9.5, 3.5))
    kinds = (("divided by ten", 2, "-", palette.blue), ("kept", 1000, "--", palette.orange))
    for name, patience, style, color in kinds:
        runs, divisions = [], []
        for seed in range(seeds):
            torch.manual_seed(seed)
            model = nn.Sequential(nn.Flatten(), nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
            history = train(model, data, epochs, learning_rate=0.3, batch_size=32, patience=patience, seed=seed)
            runs.append([(record["loss"], 100 * record["validation_error"]) for record in history])
            rates = [record["learning_rate"] for record in history]
            divisions.append(next((str(k) for k in range(1, epochs) if rates[k] < rates[k - 1]), "never"))
        runs = np.array(runs)  # (seeds, epochs, 2)
        for k, ax in enumerate(axes):
            ax.plot(runs[:, :, k].T, style, color=color, linewidth=0.8, alpha=0.6)
            ax.plot(runs[:, :, k].mean(0), style, color=color, linewidth=2.5, label=f"{name}, mean")
        print(f"ε {name}; first division before epoch", ", ".join(divisions))
        print("   error at the end:", ", ".join(f"{run[-1, 1]:.1f} %" for run in runs), end="; ")
        print("loss at the end:", ", ".join(f"{run[-1, 0]:.3f}" for run in runs))
    axes[0].set(title="training loss (thin: each seed)", xlabel="epoch, from 0", yscale="log")
    axes[1].set(title="validation error, per cent (thin: each seed)", xlabel="epoch, from 0", ylim=(0, None))
    axes[0].legend()
    show(
        fig,
        alt="Training loss and validation error of a small network on digits over 24 epochs, three seeds and their "
        "mean, with the learning rate divided by ten and with it kept. With it divided, loss and error become level "
        "after about 14 epochs, the loss near 0.03, the error between 2 and 4 per cent. With it kept, both go on "
        "jumping, the loss between 0.03 and 0.2, the error between 2 and 7 per cent.",
    )


watch_fit()

# %% [markdown]
# With $\varepsilon = 0.3$ our runs come to errors of 3 to 5 % and then jump about (yours may draw another
# order of the images). A long step overshoots in the steep directions; a tenth of it reaches the bottom there. So the
# division ends the jumping, and at the end the loss is less than half of the other's in every run.
#
# In the epoch of the division it *rises* first, to 0.15, 0.28 and 0.33. The old velocity goes on, and the gradient,
# which would brake it, counts only a tenth. With $\varepsilon$ outside, as in `torch.optim.SGD`, the first two would be
# 0.05 and 0.08. (The third run goes another way even before, by rounding.)
#
# The error tells less (300 images: one mistake more is 0.3 points). In two runs it ends lower, in one higher: there the
# run with the rate kept came to 2.7 % a few epochs later. Two epochs without a new best can be chance, and after two
# divisions the network hardly moves any more. More patience makes that rarer and costs epochs. The paper's authors
# divided by hand, three times in 90 epochs.

# %% [markdown]
# ## 8 · Stop, and go on
#
# Six days is a long time. Power fails, a job's time is up, a disk is full. A *checkpoint* is a file from which training
# goes on, and the test for it is strict: the resumed run must end with the *same bits* as one that was never stopped.
#
# What belongs in it? Everything that the next step depends on.

# %% tags=["display-only"]
predict(
    "forgotten",
    "A network with dropout, trained by SGD with momentum, is resumed after 3 of 6 epochs. The checkpoint has the "
    "weights and the optimizer's state, and not the state of the random generator. What follows?",
    [
        "the same weights: the generator is not part of the model",
        "other weights: other units are dropped",
        "an error: dropout needs the state",
    ],
)

# %% [markdown]
# Two more things can go wrong. If the program is killed while it writes, the file is half written, and the old one is
# gone: so one writes beside it and then *renames*, which happens as a whole or not at all. And a file of `torch.save`
# is a pickle, which can run any code when it is read: `weights_only=True` refuses everything but data.
#
# ### Exercise: `save_checkpoint`


# %%
def save_checkpoint(path, model, optimizer, epoch):
    """Write all that is needed to go on training later, as if there had been no break.

    path: the file, a str or a pathlib.Path; its folder exists. model: a torch.nn.Module. optimizer: a torch.optim
    optimizer. epoch: an integer, the number of epochs that are finished.

    The file is what torch.save writes of a dict with just these keys:
        "model": the model's state_dict (parameters, and buffers such as the running means of batch norm),
        "optimizer": the optimizer's state_dict (learning rates, velocities),
        "epoch": epoch,
        "random_state": torch.get_rng_state(), so that dropout goes on with the numbers that come next.
    An older checkpoint may be at `path` already. Where saving breaks off (the disk is full, the job is killed), the old
    one must still be there, whole. So write into another file in the same folder first, and when that is complete
    put it in the old one's place with os.replace, which does it in one step. Afterwards no other file is left over.

    Returns None.
    """
    ### BEGIN SOLUTION
    beside = f"{path}.part"
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": epoch,
        "random_state": torch.get_rng_state(),
    }
    torch.save(state, beside)
    os.replace(beside, path)
    ### END SOLUTION


# %% points=6
check(save_checkpoint)


# %% [markdown]
# ### Exercise: `load_checkpoint`


# %%
def load_checkpoint(path, model, optimizer):
    """Read a checkpoint, so that training goes on as if there had been no break.

    path: the file, a str or a pathlib.Path: a dict with the keys "model", "optimizer", "epoch" and "random_state",
    written by torch.save as save_checkpoint describes it.
    model, optimizer: of the same kind as those that were saved; they are changed in place. PyTorch's random generator
    gets the saved state too (torch.set_rng_state).

    A file of torch.save may hold any Python object, and reading one can run code. Read with weights_only=True: tensors,
    numbers, texts, lists and dicts are read, everything else is refused by an exception, and nothing in it is run.

    Returns the saved number of finished epochs, an integer.
    """
    ### BEGIN SOLUTION
    # Tensors of a GPU come to the CPU first: this computer may have none. load_state_dict moves them to the model.
    state = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random_state"])
    return state["epoch"]
    ### END SOLUTION


# %% points=6
check(load_checkpoint)


# %% tags=["display-only"]
def interrupt(epochs=6, stop=3):
    import pickle
    import tempfile
    from pathlib import Path

    step, save, load = working("train_step"), working("save_checkpoint"), working("load_checkpoint")
    digits = load_digits()
    images, labels = torch.from_numpy(digits.train.images).float(), torch.from_numpy(digits.train.labels)

    def fresh(seed):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 50), nn.ReLU(), nn.Dropout(0.5), nn.Linear(50, 10))
        return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def train(model, optimizer, first, last):
        for epoch in range(first, last):
            order = torch.randperm(
                len(images), generator=torch.Generator().manual_seed(epoch)
            )  # follows from the epoch
            for rows in order.split(64):
                step(model, images[rows], labels[rows], optimizer, "float32")

    def weights(model):
        return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])

    whole, optimizer = fresh(0)
    train(whole, optimizer, 0, epochs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint.pt"
        first, optimizer = fresh(0)
        train(first, optimizer, 0, stop)
        save(path, first, optimizer, stop)
        print("keys in the file:", ", ".join(torch.load(path, weights_only=True)))
        for forgotten in ("nothing", "random_state", "optimizer", "model", "epoch"):
            model, optimizer = fresh(1)  # as if in a new program
            blank = {
                "random_state": torch.get_rng_state(),
                "optimizer": optimizer.state_dict(),
                "model": {name: value.clone() for name, value in model.state_dict().items()},
                "epoch": 0,
            }
            state = torch.load(path, weights_only=True)
            if forgotten != "nothing":
                state[forgotten] = blank[forgotten]
            torch.save(state, Path(folder) / "other.pt")
            start = load(Path(folder) / "other.pt", model, optimizer)
            train(model, optimizer, start, epochs)
            off = (weights(model) - weights(whole)).abs().max().item()
            print(f"resumed, {forgotten:12s} forgotten: largest difference of a weight {off:.3g}")

        class Trap:
            def __reduce__(self):
                return print, ("   this text was printed by reading a file",)

        (Path(folder) / "trap.pt").write_bytes(b"")
        torch.save({"model": Trap()}, Path(folder) / "trap.pt")
        print("reading a trap with weights_only=False:")
        torch.load(Path(folder) / "trap.pt", weights_only=False)
        try:
            load(Path(folder) / "trap.pt", *fresh(1))
        except pickle.UnpicklingError as error:
            print("with load_checkpoint:", str(error).split(".")[0][:76], "…")
    reveal("forgotten", 1, "Every number that a step uses counts, and the dropped units are numbers too.")


interrupt()

# %% [markdown]
# With all four parts the difference is exactly 0. Without any one of them training goes on as well, without an error or
# a warning, and ends elsewhere. Such a network need not be worse. But where a resumed run equals the whole one bit for
# bit, *nothing* was forgotten; any other test leaves room for doubt.
#
# For `fit` four parts would not do. Its next step also depends on $\varepsilon$, on the best error so far, on how many
# epochs it has waited, and on the generator of the order. The rule is always the same: save all that the next step
# depends on.

# %% [markdown]
# ## 9 · Ten views
#
# AlexNet was trained on random 224×224 crops (227, by section 2) of 256×256 images. In a test it sees ten: the four
# corners, the centre, and the mirror images of these five. It averages "the predictions made by the network's softmax
# layer on the ten patches" (§4.1). So probabilities, not logits: with probabilities each view has one vote of ten, and
# with logits one view that is nearly sure can outvote the nine others (notebook 07 derives it).

# %% tags=["display-only"]
predict(
    "gain",
    "The paper gives the top-1 error with and without this averaging. Without it, the error is 39.0 %. With it?",
    ["38.9 %", "37.5 %", "33.0 %", "29.0 %"],
)

# %% [markdown]
# ### Exercise: `ten_crop_errors`


# %%
def ten_crop_errors(model, images, labels, size):
    """Top-1 and top-5 error of a network whose answer for an image is an average over its ten views.

    model: a torch.nn.Module, which turns (n, C, size, size) images into (n, K) logits, for any n ≥ 1.
    images: (N, C, H, W) float32 tensor, N ≥ 1. labels: (N,) tensor of the true classes, integers.
    size: side of the square views in pixels, an integer, not larger than H or W.
    The ten views of an image are its four corners, the centre, whose offsets are (H − size) / 2 and (W − size) / 2,
    both floored, and the mirror images of these five, left and right exchanged. The softmax of the logits gives the
    probabilities of each view; their mean over the ten views is the answer for the image. The top-k error is the share
    of the N images whose true class is not among the k classes with the largest mean probability. With fewer than five
    classes the top-5 error is 0.
    The model answers in evaluation mode, and no gradients are recorded. Afterwards its mode is what it was before.

    Returns (top-1 error, top-5 error), two floats.
    Source: Krizhevsky, Sutskever and Hinton, 2012, §4.1.
    """
    ### BEGIN SOLUTION
    bottom, right = images.shape[2] - size, images.shape[3] - size
    places = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2)]
    was_training = model.training
    model.eval()
    total = 0
    with torch.no_grad():
        for top, left in places:
            crops = images[:, :, top : top + size, left : left + size]
            for views in (crops, crops.flip(-1)):
                total = total + model(views).softmax(dim=1)  # (N, K)
    model.train(was_training)
    best = total.topk(min(5, total.shape[1]), dim=1).indices  # a sum of ten ranks as their mean does
    right_answers = best == labels[:, None]
    top1 = 1 - right_answers[:, 0].double().mean().item()
    return top1, 1 - right_answers.any(dim=1).double().mean().item()
    ### END SOLUTION


# %% points=8
check(ten_crop_errors)


# %% tags=["display-only"]
def ten_votes():
    errors = working("ten_crop_errors")

    class Corner(nn.Module):
        """Sure of class 0 where the view's first pixel is bright, and a little for class 1 everywhere else."""

        def forward(self, views):
            bright = views[:, 0, 0, 0] > 0.5
            return torch.stack([torch.where(bright, 14.0, -0.5), torch.where(bright, 0.0, 0.5)], dim=1)

    image = torch.zeros(1, 3, 12, 12)
    image[0, :, 0, 0] = 1.0  # the first pixel of one view of ten
    for label in (0, 1):
        one, five = errors(Corner(), image, torch.tensor([label]), 8)
        print(f"true class {label}: top-1 error {one:.0f}, top-5 error {five:.0f}")
    logits = torch.tensor([[14.0, 0.0]] + 9 * [[-0.5, 0.5]])
    mean = logits.softmax(1).mean(0)
    print(f"mean probabilities {mean[0].item():.3f} and {mean[1].item():.3f}; mean logits", end=" ")
    print(f"{logits.mean(0)[0].item():.2f} and {logits.mean(0)[1].item():.2f}")
    reveal("gain", 1, "1.5 points (top-5: 18.3 % and 17.0 %). Ten views cost ten times as much.")


ten_votes()

# %% [markdown]
# One view of ten shouts for class 0, nine mildly prefer class 1. The mean of the logits would follow the one; the mean
# of the probabilities follows the nine.

# %% [markdown]
# ## 10 · Find the bug
#
# This function reports the loss and the error of a network after each epoch.


# %%
def broken_evaluate(model, images, labels):
    losses, errors = [], []
    with torch.no_grad():
        for start in range(0, len(images), 64):
            probabilities = model(images[start : start + 64]).softmax(dim=1)
            truth = labels[start : start + 64]
            losses.append(torch.nn.functional.cross_entropy(probabilities, truth).item())
            errors.append((probabilities.argmax(dim=1) != truth).float().mean().item())
    return sum(losses) / len(losses), sum(errors) / len(errors)


# %% tags=["display-only"]
predict(
    "perfect",
    "A network for ten classes is right and quite sure for every image: it gives the true class the probability 1. "
    "Its mean cross-entropy is 0. What does the function above report?",
    ["0", "0.1", "1.46", "2.30"],
)


# %% tags=["display-only"]
def look_at_the_broken_one():
    labels = torch.arange(130) % 10
    sure = 50 * F.one_hot(labels, 10).float()
    loss, error = broken_evaluate(nn.Identity(), sure, labels)
    print(f"right and sure, 130 images:      loss {loss:.3f}, error {error:.1%}")
    late = sure.clone()
    late[128:] = 50 * F.one_hot((labels[128:] + 1) % 10, 10).float()
    loss, error = broken_evaluate(nn.Identity(), late, labels)
    print(f"the last two of 130 are wrong:   loss {loss:.3f}, error {error:.1%} (2 of 130 are {2 / 130:.1%})")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Dropout(0.5))
    reports = [broken_evaluate(model, 4 * F.one_hot(labels, 10).float(), labels) for _ in range(3)]
    for loss, error in reports:
        print(f"the same network and images:     loss {loss:.3f}, error {error:.1%}")
    reveal("perfect", 2, "ln(e + 9) − 1: the softmax of probabilities, which lie between 0 and 1.")


look_at_the_broken_one()

# %% [markdown]
# It runs without a complaint, its numbers look plausible, and three things are wrong with it. What does each line say?
# Copy the body here and mend it.
#
# ### Exercise: `repaired_evaluate`


# %%
def repaired_evaluate(model, images, labels):
    """Mean cross-entropy and top-1 error of a network, mended.

    model: a torch.nn.Module, which turns (n, C, H, W) images into (n, K) logits, for any n ≥ 1.
    images: (N, C, H, W) float32 tensor, N ≥ 1. labels: (N,) tensor of the true classes, integers.
    The model gets the images in batches of 64; the last batch holds what is left, so that every image counts once.
    Both numbers are means over the N images: of the cross-entropy (natural logarithm) between the softmax of an image's
    logits and its label, and of 1 for a wrong answer and 0 for a right one. How the images fall into batches must not
    change them.
    The model answers in evaluation mode, and no gradients are recorded. Afterwards its mode is what it was before.

    Returns (mean cross-entropy, top-1 error), two floats.
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()  # no dropout
    loss, wrong = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(images), 64):
            logits, truth = model(images[start : start + 64]), labels[start : start + 64]
            # cross_entropy does the softmax itself. Sums, so that the images of a short batch weigh as much as others.
            loss += torch.nn.functional.cross_entropy(logits, truth, reduction="sum").item()
            wrong += (logits.argmax(dim=1) != truth).sum().item()
    model.train(was_training)
    return loss / len(images), wrong / len(images)
    ### END SOLUTION


# %% points=6
check(repaired_evaluate)

# %% [markdown]
# The double softmax is the worst of the three, because it is found so late. In training it works too: a loss that
# cannot fall below 1.46 still has a gradient, a weak one.

# %% [markdown]
# ## 11 · Train your own
#
# Now everything comes together: a network of width 0.125, 12 maps in conv1 and 512 units in fc6, for ten classes of
# shapes of 99×99 pixels. Each of its parts is above. It trains for at most three minutes on two cores. Its weights are
# written to **`alexnet_weights.npz`** beside this notebook, and **that file is handed in with it**: it is what is
# judged, on images that are drawn for the judge alone. Without the file this exercise has no points.
#
# `load_small()` gives 5000 images to train, 500 for validation and 1000 to test, with pixels $(x - 0.45)/0.2$, of mean
# 0 and standard deviation 1. Your network gets the judge's images on that scale.
#
# What has to be different from the paper? Section 4 says it: the first weights.

# %% tags=["display-only"]
predict(
    "fresh",
    "Before the first update, what is the loss of a network whose ten logits are all nearly 0?",
    ["0", "1", "2.30", "10"],
)


# %% tags=["display-only"]
def first_losses():
    Network, paper = working("AlexNet"), working("alexnet_init")
    data = load_shapes(IMAGE_SIZE, 200, 0, 0).train
    images, labels = torch.from_numpy(scaled(data.images)), torch.from_numpy(data.labels)
    for name in ("the paper's weights", "He's", "He's, and 0.01 in fc8"):
        torch.manual_seed(0)
        model = Network(CLASSES, width=WIDTH, image_size=IMAGE_SIZE).eval()
        if name == "the paper's weights":
            paper(model, 0)
        else:
            for layer in (layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
            if "fc8" in name:
                nn.init.normal_(model.fc8.weight, std=0.01)
        logits = model(images)
        loss = F.cross_entropy(logits, labels)
        gradient = torch.autograd.grad(loss, model.conv1.weight)[0].norm().item()
        spread = logits.detach().std(0).mean().item()
        print(f"{name:22s} loss {loss.item():.4f}; logits of different images differ by {spread:.0e}", end="; ")
        print(f"gradient of conv1 {gradient:.0e}, its weights {model.conv1.weight.detach().norm().item():.1f}")
    reveal("fresh", 2, "Ten equal probabilities of a tenth: −ln(1/10) = 2.30. A higher first loss is a warning.")


first_losses()

# %% [markdown]
# The paper's weights begin with the right loss and with nothing else: at a gradient of $5 \cdot 10^{-7}$ and the steps
# of section 7, ten times $0.01$ times the gradient, conv1 would need 14 million steps to go as far as its own length.
# He's weights let the gradient through, but the logits come out large (a max pool only ever raises values), and the
# first steps have to undo that. With 0.01 in fc8 alone the network begins undecided and can learn.
#
# ### Exercise: `train_alexnet`


# %%
def train_alexnet(data, seed, device):
    """Train the small AlexNet on shapes.

    data: data.train and data.validation each have .images, an (N, 3, 99, 99) float32 array of mean 0 and standard
        deviation 1, and .labels, an (N,) array of integers from 0 to 9. Both are NumPy arrays; load_small() makes them.
    seed: an integer for torch.manual_seed and whatever else is random. device: "cpu" or "cuda".

    The network is AlexNet(10, width=WIDTH, image_size=IMAGE_SIZE), with these two constants as they were imported above
    (0.125 and 99). It must take the images just as they are in data; if you scale them in another way, the judge's
    images will look strange to it.
    All else is open: first weights, learning rate, batch size, number of epochs, augmentation. It should take at most
    three minutes on two CPU cores. What is known to work: He's first weights (biases 0, fc8 smaller: standard deviation
    0.01), batches of 32, 16 epochs of fit with a learning rate of 0.01, and 4 more with a tenth of it.

    Returns the trained network, a torch.nn.Module.
    It is judged by the accuracy of the weights in the file on 300 unseen images, in evaluation mode: points for at
    least 30 %, 60 % and 80 %. The judge's images are others than those of the check, so that the two accuracies differ
    by some two points.
    """
    ### BEGIN SOLUTION
    torch.manual_seed(seed)
    model = AlexNet(CLASSES, width=WIDTH, image_size=IMAGE_SIZE)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    nn.init.normal_(model.fc8.weight, std=0.01)  # the first logits are near 0, and so is no class preferred
    # A patience of 16 epochs: the rate is divided here, once, and the slow start cannot bring that about too early.
    fit(model, data, 16, device, learning_rate=0.01, batch_size=32, patience=16, seed=seed)
    fit(model, data, 4, device, learning_rate=0.001, batch_size=32, patience=4, seed=seed + 1)
    return model
    ### END SOLUTION


# %% [markdown]
# The next cell trains and writes the file. It takes a minute or three, and counts the seconds. Where the file is there
# already, it leaves it alone; `again=True` replaces it.

# %% tags=["display-only", "open"]
train_and_write(train_alexnet)

# %% points=7
check(train_alexnet)


# %% [markdown]
# The rest of this section looks at the network in the file. Run it again after each training.


# %%
def own_network():
    """The network in the file, in evaluation mode; None, with a sentence, where there is no file yet."""
    if not os.path.exists(WEIGHTS):
        print(f"There is no {WEIGHTS} yet: train your network, then run this cell again.")
        return None
    model = working("AlexNet")(CLASSES, width=WIDTH, image_size=IMAGE_SIZE)
    with np.load(WEIGHTS, allow_pickle=False) as file:
        model.load_state_dict({name: torch.from_numpy(file[name]) for name in file.files})
    return model.eval()


# %% tags=["display-only"]
def look_at_own_filters():
    model = own_network()
    if model is None:
        return
    filters = model.conv1.weight.detach().numpy()  # (12, 3, 11, 11)
    fig, axes = figure(2, 6, size=(10.5, 3.7), images=True)
    for ax, kernel in zip(axes.flat, filters, strict=True):
        ax.imshow(0.5 + 0.5 * kernel.transpose(1, 2, 0) / np.abs(kernel).max())
    show(
        fig,
        alt="The 12 filters of the first layer as small colour pictures of 11 by 11 pixels; grey is a weight of 0.",
    )
    colour = ((filters - filters.mean(axis=1, keepdims=True)) ** 2).sum(axis=(1, 2, 3))
    share = colour / (filters**2).sum(axis=(1, 2, 3))
    print("share of colour (0: grey; a random filter has 0.67):", "  ".join(f"{value:.2f}" for value in sorted(share)))


look_at_own_filters()


# %% tags=["display-only"]
def look_at_its_mistakes():
    model, errors = own_network(), working("topk_errors")
    if model is None:
        return
    data = load_small(train=0, validation=0)
    images, labels = torch.from_numpy(data.test.images), torch.from_numpy(data.test.labels)
    with torch.no_grad():
        logits = torch.cat([model(batch) for batch in images.split(100)])
    one, two, five = errors(logits, labels, [1, 2, 5])
    print(f"1000 test images: top-1 error {one:.1%}, top-2 {two:.1%}, top-5 {five:.1%}")
    answers = logits.argmax(1)
    table = np.zeros((CLASSES, CLASSES))
    np.add.at(table, (labels.numpy(), answers.numpy()), 1)
    fig, axes = figure(1, 2, size=(10.5, 4.6), width_ratios=(1, 1.05))
    ax = axes[0]
    ax.imshow(table / table.sum(axis=1, keepdims=True), cmap="Blues", vmin=0, vmax=1)
    for row in range(CLASSES):
        for column in range(CLASSES):
            if table[row, column]:
                color = "white" if row == column else palette.black
                ax.text(column, row, f"{table[row, column]:.0f}", ha="center", va="center", fontsize=8, color=color)
    ax.set_xticks(range(CLASSES), data.classes, rotation=60, ha="right")
    ax.set_yticks(range(CLASSES), data.classes)
    ax.set(xlabel="answer", ylabel="true class")
    ax.grid(False)
    probabilities = logits.softmax(1).max(1).values
    wrong = torch.nonzero(answers != labels).flatten()
    surest = wrong[probabilities[wrong].argsort(descending=True)][:6]
    axes[1].set_axis_off()
    for k, row in enumerate(surest.tolist()):
        inset = axes[1].inset_axes([(k % 3) / 3, 0.52 - 0.52 * (k // 3), 0.31, 0.4])
        inset.imshow(np.clip(0.45 + 0.2 * data.test.images[row].transpose(1, 2, 0), 0, 1))
        inset.set_axis_off()
        answer, true = data.classes[answers[row]], data.classes[labels[row]]
        inset.set_title(f"{true}, called\n{answer} ({probabilities[row]:.2f})", fontsize=9)
    show(
        fig,
        alt="Left: a table of ten by ten, how often each class got which answer; most counts lie on the diagonal. "
        "Right: the six test images for which the network was surest of a wrong answer, with the true class, the "
        "answer and its probability.",
    )


look_at_its_mistakes()

# %% [markdown]
# Which shapes does your network take for one another? Would you have known them? The images for which a network is sure
# and wrong are the ones to look at: in photographs one finds wrong labels there, objects cut off, and what the network
# goes by instead.
#
# Does it help to look ten times? Your network was trained on whole images, without crops. So give it the same scenes,
# drawn at 107×107 pixels, and cut out squares of 99.


# %% tags=["display-only"]
def ten_views_of_your_own(count=500):
    model, errors, ten = own_network(), working("topk_errors"), working("ten_crop_errors")
    if model is None:
        return
    larger = load_shapes(107, 0, 0, count).test
    images, labels = torch.from_numpy(scaled(larger.images)), torch.from_numpy(larger.labels)
    centre = images[:, :, 4:103, 4:103]

    def error(views):
        with torch.no_grad():
            return errors(torch.cat([model(batch) for batch in views.split(100)]), labels, [1])[0]

    alone = error(centre)
    print(f"the centre alone {alone:.1%}, the centre mirrored {error(centre.flip(-1)):.1%}", end=", ")
    print(f"top left {error(images[:, :, :99, :99]):.1%}; ten views {ten(model, images, labels, 99)[0]:.1%}")
    chance = 100 * (alone * (1 - alone) / count) ** 0.5
    print(f"(top-1 errors on {count} images; the choice of the images moves each by about {chance:.1f} points)")


ten_views_of_your_own()

# %% [markdown]
# For the course's network the ten views lower the error from 11.6 % to 7.0 %, although it never saw a crop in training.
# A mirrored shape is a shape, and an error that comes from some chance detail at one place is outvoted.
#
# How do such filters come about? The widget shows the first layer of a similar network at moments of its training. When
# do the filters take their form: while the validation error falls, or before?

# %% tags=["display-only"]
from course_utils.widgets import first_layer_filters

first_layer_filters()

# %% [markdown]
# Both go together. For the first 250 updates the error stays above 80 % and the filters move by a sixth of their
# length: the upper layers must find something to work with first. Until update 1500 the error falls to 27 %, and the
# filters move by three quarters. After update 3500, with a tenth of the learning rate, the error falls once more, from
# 13 % to 5 %, while the filters stay where they are.
#
# The paper's figure 3 shows smooth edges and coloured blobs. These filters are noisy: 8000 images and some minutes do
# not wear off the random first weights, which weight decay shrinks only slowly.

# %% [markdown]
# ## 12 · The paper's comparisons, on a small scale
#
# The paper says what each of its choices is worth, always for one network on a million photographs:
#
# | without it | top-1 error rises by | top-5 error rises by |
# |---|---|---|
# | response normalization (§3.3) | 1.4 points | 1.2 points |
# | overlapping pooling, 3×3 in place of 2×2 (§3.4) | 0.4 | 0.3 |
# | the second GPU's filters (§3.2) | 1.7 | 1.2 |
# | dropout (§4.2) | "substantial overfitting", no figure | |
#
# And ReLUs: a four-layer network on CIFAR-10 comes to 25 % training error "six times faster" than with tanh (§3.1).
# From a lecture of R. Fergus (2016) come two more figures. Without fc7, 16 million parameters go and 1.1 points are
# lost. Without conv3, conv4, fc6 and fc7, 50 million go and 33.5 points: "depth of the network is the key".
#
# What of this can be seen in a minute on two cores? First the ReLUs: a small network of four layers, four kinds of
# shapes at 32×32 pixels, three seeds. As in the paper, each activation has the learning rate that made it fastest in a
# search. We ran that search beforehand. Epochs to 25 % training error, the median of the three seeds:
#
# | learning rate | 0.0025 | 0.005 | 0.01 | 0.02 | 0.04 | 0.08 |
# |---|---|---|---|---|---|---|
# | ReLU | 5.7 | 5.0 | **4.9** | not within 10 | | |
# | tanh | | | 6.4 | 4.7 | **4.7** | not within 10 |

# %% tags=["display-only"]
predict(
    "relu",
    "How many times as many epochs will tanh need, each with its own best learning rate, in this small network?",
    ["about six times", "about twice", "about the same"],
)


# %% tags=["display-only"]
def race_of_activations():
    from course_utils.experiments.activations import ACTIVATIONS, PAPER_FACTOR, relu_against_tanh
    from course_utils.experiments.reproduction_pictures import draw_race

    print("Training 6 small networks, for some ten seconds …")
    race = relu_against_tanh(rates={"relu": (0.01,), "tanh": (0.04,)})
    for name in ACTIVATIONS:
        taken = ", ".join(f"{epochs:.1f}" for epochs in race.epochs(name))
        print(f"{name}, learning rate {race.rates[name][0]:g}: epochs of 24 updates to {race.goal:.0%}: {taken}")
    factors = race.factors()
    print(f"tanh against ReLU: {np.mean(factors):.2f} ± {np.std(factors, ddof=1):.2f} times as many", end=" ")
    print(f"(std of {len(factors)} seeds); the paper: {PAPER_FACTOR:g}")
    show(
        draw_race(race),
        alt="Training error by epochs for three seeds of each activation with its best rate; all six curves "
        "fall together from about 0.7 to below the goal of 25 per cent within four to six epochs.",
    )
    reveal(
        "relu", 2, "With three seeds no difference is to be seen. Small networks near zero are nearly linear in both."
    )


race_of_activations()

# %% [markdown]
# ReLUs take 4.2 to 5.4 epochs, tanh 4.1 to 4.7: a factor of $0.95 \pm 0.18$, and nothing of the paper's 6. This does
# not refute the paper. Our network is small and shallow, both activations start from weights that keep the signal's
# scale, each has its own learning rate, and the race is over after some 120 updates. Where signals stay small, tanh is
# nearly the identity and does not saturate. Whoever wants to see saturation needs more layers, longer training, or
# worse first weights (notebook 03).
#
# Now the network itself, without one of its parts at a time. It is AlexNet at a twelfth of its width, in one group,
# which learns four kinds of shapes, 48×48 pixels, for 256 updates. (As the images are small, its conv1 is 7×7 with
# stride 2.) The code is `course_utils/experiments/reproduction.py`.

# %% tags=["display-only"]
predict(
    "ablation",
    "Without conv3, conv4, fc6 and fc7 the network lost 33.5 points on ImageNet. How many will ours lose?",
    ["about 30 points", "about 10 points", "none: it may even be better"],
)


# %% tags=["display-only"]
def leave_parts_out():
    from course_utils.experiments.reproduction import ablation
    from course_utils.experiments.reproduction_pictures import draw_ablation

    print("Training 18 networks, for half a minute or a whole one …")
    result = ablation(train=400, epochs=4)
    for row in result.rows:
        error = 100 * row.test_errors
        line = f"{row.variant.name:31s} test error {error.mean():4.1f} ± {error.std(ddof=1):3.1f} %"
        line += f", training {100 * row.train_errors.mean():4.1f} %; at full size {row.full_size:10,d} parameters"
        if row is not result.rows[0]:
            mean, standard_error = result.difference(row)
            paper = "no figure" if row.variant.paper is None else f"{row.variant.paper:+.1f}"
            line += f"\n    {100 * mean:+.1f} ± {100 * standard_error:.1f} points, on ImageNet {paper}. "
            line += result.verdict(row)
        print(line)
    show(
        draw_ablation(result),
        alt="Left: test errors of six variants, three seeds each, with mean and standard deviation. The full network "
        "and the one without LRN have 47 per cent on average, with plain pooling it is 39, and the other three lie "
        "between 30 and 33. Right: the differences from the full network with their 95 per cent intervals, 6 to 52 "
        "points wide. That of the network without LRN contains 0, the other four lie below 0. Beside them the figures "
        "from ImageNet, all above 0, from 0.4 to 33.5 points.",
    )
    reveal("ablation", 2, "For four kinds of shapes 9,483 parameters do as well as 152,294, and learn faster.")


leave_parts_out()

# %% [markdown]
# The full network has 47 % errors. Without overlapping pooling, dropout, fc7, or four of its layers it has 8 to 17
# points *fewer*, and all four differences are clear of chance. So were these parts a mistake?
#
# Look at the training errors. That of the full network is 46 %: it has not learned its images yet. What we measure is
# how *fast* a network learns at the start, not how good it becomes. Each layer more is one more that the first
# gradients have to pass, and dropout, says the paper, "roughly doubles the number of iterations required to converge"
# (§4.2). So we trained all six again, with 500 images of each class and six epochs, 480 updates in place of 256. In per
# cent, with standard errors:
#
# | variant | training error | test error | more than the full network |
# |---|---|---|---|
# | full network | 20.0 | 24.5 | |
# | without LRN | 19.3 | 25.8 | +1.3 ± 3.4 |
# | plain 2×2 pooling | 12.3 | 19.0 | −5.5 ± 2.5 |
# | without dropout | 10.2 | 19.2 | −5.3 ± 1.7 |
# | without fc7 | 9.6 | 18.0 | −6.5 ± 2.4 |
# | without conv3, conv4, fc6, fc7 | 16.0 | 19.4 | −5.1 ± 1.9 |
#
# Now no difference is clear of chance: with three seeds a 95 % interval reaches 4.3 standard errors either way. The 17
# points of the shorter training have become 6. Neither run says what is left at the end.
#
# For normalization both runs say nothing. Is that chance, or is there nothing to see? By (1) each map is divided by
# $(2 + \alpha \sum a^2)^{0.75}$. Only the sum makes a difference between maps and places; the 2 is the same for all.

# %% tags=["display-only"]
predict(
    "sum",
    "How large is α Σ a², on average, in the small AlexNet that you have trained in section 11?",
    ["about 20", "about 2", "about 0.2", "below 0.02"],
)


# %% tags=["display-only"]
def how_much_is_normalized():
    model = own_network()
    if model is None:
        return
    maps = {}

    def keep(name):
        return lambda layer, inputs, out: maps.update({name: F.relu(out)})

    hooks = [getattr(model, name).register_forward_hook(keep(name)) for name in ("conv1", "conv2")]
    with torch.no_grad():
        model(torch.from_numpy(scaled(load_shapes(IMAGE_SIZE, 0, 0, 200).test.images)))
    for hook in hooks:
        hook.remove()
    for name, a in maps.items():
        squares = F.pad(a**2, (0, 0, 0, 0, 2, 2))  # two maps of zeros before the first and after the last
        total = 1e-4 * sum(squares[:, k : k + a.shape[1]] for k in range(5))
        factor = (2 + total) ** -0.75
        print(f"{name}: α Σ a² is {total.mean():.3f} on average, {total.max():.2f} at most;", end=" ")
        print(f"maps times {factor.min():.3f} to {factor.max():.3f}, on average {factor.mean():.3f}")
    print(f"2 to the power −0.75 is {2**-0.75:.3f}")
    reveal("sum", 3, "With pixels of standard deviation 1 the activities stay small: beside 2 the sum is hardly there.")


how_much_is_normalized()

# %% [markdown]
# In the course's network the sum is 0.003 and 0.001 on average. So nearly every number is multiplied by the same
# $2^{-0.75} = 0.595$, and our "normalization" hardly normalizes. The paper's constants were "determined using a
# validation set" (§3.3), for its own network and the scale of its own pixels. Constants belong to a scale, as first
# weights do.
#
# What our scale does not show, and why:
#
# - **Normalization**: with these pixels it is nearly the same as none.
# - **Dropout** is about overfitting. In the longer training it does halve the gap between training and test error, 4.5
#   points in place of 9.0. But where little is learned yet, learning more slowly costs more than the gap.
# - **Depth** pays where there is much to tell apart. Four kinds of shapes are too easy, and some hundred updates too
#   few for eight layers.
# - **Small effects** drown. For pooling, our differences in the longer training scatter by 4.3 points from seed to
#   seed. To see the paper's 0.4 points with two standard errors one would need $(2 \cdot 4.3/0.4)^2 \approx 460$
#   seeds. The paper had a million photographs; it does not say how much its own figures scatter.
#
# So "we left it out, and nothing happened" says little, and a clear difference says something about *these* conditions.

# %% [markdown]
# ## 13 · The real thing
#
# The paper trained "for roughly 90 cycles through the training set of 1.2 million images, which took five to six days"
# (§5). How long would your machine need? Measure the rate of the full network, and divide.

# %% tags=["display-only"]
predict(
    "rate",
    "How many images per second went through the paper's two GPUs?",
    ["about 2", "about 20", "about 200", "about 2000"],
)


# %% tags=["display-only"]
def how_long_would_it_take(batch=8):
    import time

    Network, first, step = working("AlexNet"), working("alexnet_init"), working("train_step")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    batch, precision = (256, "bfloat16") if device == "cuda" else (batch, "float32")
    threads = torch.get_num_threads()
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    try:
        model = first(Network(), 0).to(device)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        images, labels = torch.randn(batch, 3, 227, 227, device=device), torch.randint(1000, (batch,), device=device)
        step(model, images, labels, optimizer, precision)  # the first one also sets things up
        start = time.perf_counter()
        for _ in range(steps := 20 if device == "cuda" else 2):
            step(model, images, labels, optimizer, precision)  # it returns a number, so it has finished
        rate = steps * batch / (time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    days = 90 * 1.2e6 / rate / 86400
    print(f"this machine, {device}, {precision}: {rate:.0f} images/s, so {days:.1f} days for 90 · 1.2 million images")
    for paper in (5, 6):
        print(f"the paper's {paper} days: {90 * 1.2e6 / (paper * 86400):.0f} images/s")
    reveal("rate", 2, "90 · 1.2 million images in 5.5 days of 86,400 seconds are 227 a second.")


how_long_would_it_take()

# %% [markdown]
# On a CPU it would be months, or a year. If you have a GPU and ImageNet (a folder with one folder of photographs for
# each class), the course's own loop trains the full network: the same update, the same division by ten, crops, mirrors
# and, with `--colour 0.1`, PCA colour prepared beside the training, and checkpoints that resume.
#
# ```
# python -m course_utils.train --data /path/to/imagenet --out runs/alexnet
# python -m course_utils.train --data /path/to/imagenet --out runs/alexnet --resume runs/alexnet/checkpoint.pt
# torchrun --nproc_per_node=8 -m course_utils.train --data /path/to/imagenet --batch-size 1024
# ```
#
# The last line uses eight GPUs: each computes the gradients of an eighth of the batch, and the gradients are averaged.
# That is another way of sharing than the paper's, which split the *network*. `docs/training.md` tells the rest, and
# `--data shapes --width 0.25` tries it all on this machine.

# %% [markdown]
# ## 14 · In your own words
#
# This question is read by a person. A few sentences for each part are enough; you need no code.
#
# 1. A library's AlexNet has 61,100,840 parameters, no normalization, and 224×224 inputs with padding 2. A paper
#    compares its new network with "AlexNet (Krizhevsky et al., 2012)", uses that library, and finds a top-1 error of
#    43.5 %. What is wrong with the comparison, and what would you write instead?
# 2. Someone trains the paper's network at a fifth of its width, with the paper's first weights and pixels from 0 to 1.
#    After ten epochs the loss is 2.30 for ten classes. Say what happens inside, how you would show it in one cell, and
#    what you would change.
# 3. A training is resumed from a checkpoint that holds the weights alone. The loss jumps up and comes down again within
#    an epoch. Name what was lost, and say which of the lost parts can explain the jump.
# 4. In section 12 a comparison does not show the paper's effect. Give two reasons why an effect on ImageNet may be
#    invisible here, and say what you would have to do before you may say "it does not help".

# %% [markdown] written="which_alexnet" points=4
# **Model answer.** 1. It is another network: one tower instead of two groups, fewer filters in conv1, conv2 and conv4,
# no norm, another treatment of the edges. Also the training may differ (augmentation, schedule, one view or ten). So
# the number says nothing about the network of 2012. Either train the paper's network under the same conditions as the
# new one, or write "the one-tower variant of library X, with its weights, tested on one centre crop", and take the
# paper's own figures (37.5 % in 2010's test set; 40.7 % on 2012's validation set, one network) only with their
# conditions.
#
# 2. Weights of 0.01 are far too small for the few inputs of narrow layers, and pixels up to 1 make it worse: signals
#    shrink layer by layer, the logits are the same for every image, and the gradients that come back are as small. 2.30
#    = ln 10 is the loss of equal probabilities. Show it by the standard deviation of each layer's activities over a
#    batch (section 4). Change the first weights to He's, or put batch norm between the layers; scale the pixels to
#    standard deviation 1.
#
# 3. Lost are the velocities, the learning rate (it was divided, and starts at its first value again), the epoch, and
#    the state of the random generator. The learning rate explains a jump that lasts: the steps are ten or a hundred
#    times too long. Velocities at 0 slow down the first steps and hardly raise the loss; with an optimizer that divides
#    by running averages (Adam), its lost state can. The random state changes which units and images are drawn, and
#    explains no jump.
#
# 4. For example: the network is small and the classes are few, so that there is little overfitting to prevent or little
#    left to gain; training is short, so that what pays late (dropout) has not paid; the effect (0.4 points) is smaller
#    than the spread between seeds; images are simple and alike in light, so that normalization has nothing to do.
#    Before "it does not help": several seeds, the difference with its standard error, an equal effort in choosing the
#    learning rate for both sides, and then only "not here, not by more than so much".
#
# **Marking.** One point for each part. Part 1 needs that the networks differ and a fair wording. Part 2 needs shrinking
# signals and a change that mends them. Part 3 needs the learning rate (or the velocities with a reason). Part 4 needs
# two reasons and the uncertainty of the measurement.

# %% [markdown]
# ## Where you are
#
# The exercises have 96 points, and 4 are for the written question, which a person marks. Hand in `alexnet_weights.npz`
# together with this notebook.

# %% tags=["display-only"]
progress()

# %% [markdown]
# **The next notebook**, *Architectures*, goes on from here, to networks before and after AlexNet. It uses three things
# of this one:
#
# - the accounting: where a network's parameters and its arithmetic are;
# - `fit` and its checkpoints, for networks that take longer;
# - comparisons over several seeds, with what they do not show.
#
# **To read next**
#
# - A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep convolutional neural networks" (2012):
#   all of it. You have met most of its numbers.
# - V. Nair, G. Hinton, "Rectified linear units improve restricted Boltzmann machines" (2010).
# - N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, "Dropout: a simple way to prevent neural
#   networks from overfitting" (2014).
# - K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers" (2015): first weights for ReLUs.
# - PyTorch's notes on reproducibility, automatic mixed precision, and saving and loading models.
