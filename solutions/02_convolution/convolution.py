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
# # The arithmetic of convolution
#
# In 1989 a network at Bell Labs learned to read the handwritten zip codes of the US mail. Its authors counted it:
# 1,256 units, 64,660 connections, 9,760 parameters. How can there be more connections than parameters? Most
# connections *share* their weight with others: the same small window of weights slides over the whole image.
# This is a convolution. (LeCun et al., "Backpropagation Applied to Handwritten Zip Code Recognition", *Neural
# Computation* 1, 1989.)
#
# **When you are done**, you can
#
# - say for each layer of a convolutional network what shape it puts out, how many parameters it has, what it
#   computes and what memory it needs;
# - check published tables to the last digit, and find their slips;
# - write convolution and pooling, forward and backward, in NumPy;
# - explain why a fast convolution is a matrix product, and measure it.
#
# **You need** NumPy arrays (slicing, `reshape`, `transpose`), the matrix product, and backpropagation through an
# affine layer, as in the first notebook. You need no GPU and no internet connection.
#
# **Time**: about 7 hours. The exercises and the written question take 325 minutes, the rest is reading and
# looking.

# %% [markdown]
# ## How this notebook works
#
# - Run the cells from top to bottom with Shift+Enter.
# - In an exercise, write your code in place of `raise NotImplementedError()`. Run the cell, then the `check`
#   below it. The check tells you what holds, and often which idea went wrong.
# - Write solutions in NumPy alone. A function must not change the arrays it is given.
# - `hint(im2col)` gives three hints, one at a time. `reset(im2col)`, as the last line of the exercise's cell,
#   brings the stub back and keeps your code in a comment. `solution(im2col)` shows a reference where the course
#   has it. The same goes for every other exercise.
# - A `NameError` from a check or hint means that a cell above has not been run, or the kernel was restarted.
# - Where a question asks you to predict, choose an answer before you run the next cell. From the keyboard, Tab
#   goes from answer to answer and Space chooses.
# - No exercise depends on another. You may call your own earlier functions, but you need not. Pictures and
#   experiments use your function where it passed its check, and the course's version where it has not. They say
#   which.

# %% [markdown]
# | exercise | points | difficulty | importance | minutes |
# |---|---|---|---|---|
# | `conv_output_size` | 5 | 2 | 5 | 15 |
# | `fits_exactly` | 3 | 1 | 3 | 10 |
# | `same_padding` | 4 | 1 | 4 | 10 |
# | `conv_parameters` | 5 | 2 | 5 | 10 |
# | `conv_macs` | 4 | 2 | 5 | 10 |
# | `receptive_field` | 6 | 3 | 5 | 20 |
# | `layer_table` | 9 | 4 | 5 | 35 |
# | `lenet5_accounting` | 6 | 3 | 3 | 25 |
# | `training_memory` | 4 | 2 | 4 | 10 |
# | `conv2d_forward` | 9 | 3 | 5 | 30 |
# | `im2col` | 7 | 3 | 4 | 20 |
# | `conv2d_backward` | 11 | 4 | 5 | 40 |
# | `max_pool2d_forward` | 4 | 2 | 4 | 10 |
# | `avg_pool2d_forward` | 3 | 2 | 3 | 5 |
# | `max_pool2d_backward` | 7 | 4 | 4 | 25 |
# | `local_response_norm` | 4 | 3 | 2 | 15 |
# | `repaired_conv2d_backward` | 5 | 3 | 3 | 15 |
# | written question: shared weights | 4 | 3 | 4 | 20 |
#
# Difficulty and importance go from 1 to 5. Run the next cell before anything else.

# %%
import numpy as np

from course_utils import check, hint, predict, progress, reset, reveal, solution, working
from course_utils.data import load_digits
from course_utils.plots import figure, palette, show

digits = load_digits()

# %% [markdown]
# ## 1 · How often a window fits
#
# A convolutional layer looks at its input through a small window, the *kernel*. At each place it multiplies what
# is under the window by the kernel's weights, adds up, and writes down one number. Then the window moves on.
#
# Take one axis. The input has $W$ entries, the window covers $F$ of them, and each move goes $S$ entries further:
# the *stride*. Before that, $P$ zeros may be put at each end: the *padding*. Window number $i$, counted from 0,
# covers the places $iS$ to $iS + F - 1$ of the padded input, which has $W + 2P$ entries. It fits as long as
# $iS + F \le W + 2P$. So the number of windows is
#
# $$\left\lfloor \frac{W - F + 2P}{S} \right\rfloor + 1. \tag{1}$$
#
# A *dilated* window leaves gaps: its taps are $D$ entries apart. From the first tap to the last it then covers
# $E = D(F - 1) + 1$ entries. Write $E$ for $F$ in (1). (Dumoulin and Visin, "A guide to convolution arithmetic
# for deep learning", 2016, chapters 2 and 5.)
#
# ### Exercise: `conv_output_size`


# %%
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    """How many places a window has along one axis: the output size of a convolution or a pooling layer.

    size: whole number, the input's length along this axis.
    kernel: whole number of taps. stride: whole number, the step from one place to the next.
    padding: whole number of zeros added at *each* end.
    dilation: whole number, the distance from one tap to the next; 1 means neighbours.

    Where the last step would run over the end, that place is left out (rounding down).

    Returns a whole number (int), at least 1.
    Raises ValueError when the window, with its dilation, is longer than the padded input, and when size,
    kernel, stride or dilation is below 1 or padding below 0. Its message contains all five numbers.
    """
    ### BEGIN SOLUTION
    given = f"size {size}, kernel {kernel}, stride {stride}, padding {padding}, dilation {dilation}"
    if min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(f"impossible arguments: {given}")
    extent = dilation * (kernel - 1) + 1  # from the first tap to the last
    free = size + 2 * padding - extent  # how far the window can move
    if free < 0:
        raise ValueError(f"a window of extent {extent} does not fit into {size + 2 * padding}: {given}")
    return free // stride + 1
    ### END SOLUTION


# %% points=5
check(conv_output_size)

# %% [markdown]
# The brackets $\lfloor\,\rfloor$ round down. What do they hide?

# %% tags=["display-only"]
predict(
    "left over",
    "The input is 10 wide, the kernel 3, the stride 2, and there is no padding: (10 − 3)/2 + 1 = 4.5. "
    "A lecture calls these sizes invalid. What does PyTorch do?",
    [
        "It raises an error.",
        "It puts out 5 numbers: what is missing counts as zero.",
        "It puts out 4 numbers, and the last input has no influence on any of them.",
        "It puts out 4 numbers, and moves the last window so that it ends at the border.",
    ],
)


# %% tags=["display-only"]
def windows_over_each_input(kernel=3, stride=2):
    import torch

    output_size = working("conv_output_size")
    for size in (9, 10, 11):
        image = torch.zeros(1, 1, size, requires_grad=True)
        out = torch.nn.functional.conv1d(image, torch.ones(1, 1, kernel), stride=stride)
        out.sum().backward()  # with weights of 1, the gradient counts the windows over each input
        counts = " ".join(f"{count:.0f}" for count in image.grad.flatten())
        formula = (size - kernel) / stride + 1
        print(f"size {size:2d}: formula {formula}, conv_output_size {output_size(size, kernel, stride)}, ", end="")
        print(f"PyTorch {out.shape[-1]}; windows over each input: {counts}")
    reveal("left over", 2, "No window reaches the last input. Nothing is said about it, neither now nor in training.")


windows_over_each_input()

# %% [markdown]
# So rounding down means: whatever does not fit is ignored, without a word. (Caffe rounds *up* in its pooling
# layers. A network that is carried from one library to another can change its sizes.) It is worth knowing where a
# network does this.
#
# ### Exercise: `fits_exactly`


# %%
def fits_exactly(size, kernel, stride, padding):
    """Whether windows with this stride cover the padded input to its last element, with none left over.

    size, kernel, stride: whole numbers, at least 1. padding: whole number, at least 0, at each end.

    Returns a bool: True when (size − kernel + 2 · padding) / stride + 1 is a whole number, and at least 1.
    So a kernel longer than the padded input gives False. Nothing is raised.
    """
    ### BEGIN SOLUTION
    free = size - kernel + 2 * padding
    return free >= 0 and free % stride == 0
    ### END SOLUTION


# %% points=3
check(fits_exactly)

# %% [markdown]
# Now you can settle a well-known riddle. The AlexNet paper gives its network images of 224 × 224. The first layer
# has kernels of 11 × 11 and stride 4, and the paper's figure shows an output of 55 × 55. Padding is not mentioned.

# %% tags=["display-only"]
predict(
    "alexnet",
    "Input 224, kernel 11, stride 4. With which padding at each end do the windows fit exactly?",
    ["0", "1", "2", "none: no padding makes them fit"],
)


# %% tags=["display-only"]
def the_first_layer_of_alexnet(kernel=11, stride=4):
    fits, output_size = working("fits_exactly"), working("conv_output_size")
    for size, padding in ((224, 0), (224, 1), (224, 2), (224, 3), (225, 0), (226, 0), (227, 0)):
        verdict = "fits exactly" if fits(size, kernel, stride, padding) else "does not fit"
        outputs = output_size(size, kernel, stride, padding)
        formula = (size - kernel + 2 * padding) / stride + 1
        print(f"input {size}, padding {padding}: formula {formula:5.2f}, output {outputs}, {verdict}")
    reveal("alexnet", 3, "224 − 11 + 2P is odd for every P, so it is never a multiple of 4.")


the_first_layer_of_alexnet()

# %% [markdown]
# With 227 pixels the output is 55, exactly. The lecture's table of AlexNet starts with 227, and so does most code
# that follows the paper. PyTorch's own version takes 224 with padding 2: it gets 55 too, by rounding 55.25 down.
#
# **Padding that keeps the size.** Without padding each layer makes the image smaller, by $E - 1$ at stride 1. With
# $2P = E - 1 = D(F - 1)$ it keeps its size. With $D = 1$ this is the lecture's $P = (F-1)/2$.
#
# The lecture's rules of thumb: inputs that can be halved often (32, 224), kernels of 3 or 5 with stride 1 and
# $P = (F-1)/2$, and only the pooling (2 × 2, stride 2) makes the image smaller.
#
# ### Exercise: `same_padding`


# %%
def same_padding(kernel, dilation=1):
    """The padding at each end with which a convolution of stride 1 keeps the size of its input.

    kernel: whole number of taps, at least 1. dilation: whole number, at least 1, from tap to tap.

    Returns a whole number (int).
    Raises ValueError when no such padding exists, the same at both ends. Its message contains both numbers.
    """
    ### BEGIN SOLUTION
    lost = dilation * (kernel - 1)  # the output is this much shorter without padding
    if lost % 2:
        raise ValueError(f"kernel {kernel} with dilation {dilation} loses {lost} places: an odd number has no half")
    return lost // 2
    ### END SOLUTION


# %% points=4
check(same_padding)

# %% [markdown]
# For which kernels is there such a padding? A dash stands for none.


# %% tags=["display-only"]
def paddings_that_keep_the_size():
    padding_of = working("same_padding")
    print("kernel      ", *(f"{kernel:3d}" for kernel in range(1, 10)))
    for dilation in (1, 2, 3):
        line = []
        for kernel in range(1, 10):
            try:
                line.append(f"{padding_of(kernel, dilation):3d}")
            except ValueError:
                line.append("  –")
        print(f"dilation {dilation}: P", *line)


paddings_that_keep_the_size()

# %% [markdown]
# An even kernel has no symmetric padding that keeps the size, unless its dilation is even. That is one reason why
# kernels are 3, 5 or 7 wide. (TensorFlow's "same" puts one more zero at the end where needed.)

# %% [markdown]
# ## 2 · Shared weights
#
# Now count what is learned. The input has $D_1$ channels, say red, green and blue. The window goes through all of
# them, so one kernel has $F \cdot F \cdot D_1$ weights, and one bias. It makes one output channel, a *feature map*.
# $K$ kernels make $K$ of them:
#
# $$\text{parameters} = (F \cdot F \cdot D_1) \cdot K + K. \tag{2}$$
#
# The size of the image does not occur in (2). A kernel that finds an edge in one corner finds it in every corner,
# with the same weights.
#
# AlexNet was trained on two GPUs, and some of its layers were cut in two: each half of the output channels sees
# just the half of the input channels on its own GPU. With $G$ such *groups* a kernel goes through $D_1/G$
# channels. Put that into (2).
#
# What does sharing save? LeNet-5's first layer, C1, takes 32 × 32 pixels to six maps of 28 × 28 with kernels of
# 5 × 5.

# %% tags=["display-only"]
predict(
    "C1",
    "If every unit of C1 were connected to every pixel, with weights of its own and a bias, there would be "
    "4,821,600 parameters. How many does C1 have as a convolution?",
    ["122,304", "4,704", "156", "31"],
)

# %% [markdown]
# ### Exercise: `conv_parameters`


# %%
def conv_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    """The number of parameters of a convolutional layer: its weights, and its biases where it has them.

    in_channels, out_channels: whole numbers.
    kernel: a whole number for a square kernel, or a pair (height, width).
    bias: whether each output channel has one bias.
    groups: whole number. The channels are cut into so many equal parts, and each output channel
    sees only the input channels of its own part.

    Returns a whole number (int).
    Raises ValueError when groups does not divide both numbers of channels. Its message contains all three.
    """
    ### BEGIN SOLUTION
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"groups {groups} must divide {in_channels} input and {out_channels} output channels")
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    per_output_channel = height * width * (in_channels // groups) + (1 if bias else 0)
    return out_channels * per_output_channel
    ### END SOLUTION


# %% points=5
check(conv_parameters)


# %% tags=["display-only"]
def three_ways_to_connect():
    parameters = working("conv_parameters")
    units = 6 * 28 * 28
    print(f"fully connected:           {parameters(1, units, 32):9,d}  (a kernel as large as the image)")
    print(f"5 × 5, each with its own:  {28 * 28 * parameters(1, 6, 5):9,d}  (weights for each place)")
    print(f"5 × 5, shared:             {parameters(1, 6, 5):9,d}")
    reveal("C1", 2, "(5·5·1)·6 + 6 = 156. The 122,304 are its connections: each parameter is used at 28·28 places.")


three_ways_to_connect()

# %% [markdown]
# Two steps: looking through a small window saves a factor of about 40, sharing saves another 784. Note the first
# line: a fully connected layer *is* a convolution, with a kernel as large as its input.
#
# **What it computes.** One output is a sum of $F \cdot F \cdot D_1 / G$ products. Multiplying and adding to a sum
# is one *multiply–accumulate* (MAC). With an output of $H_2 \times W_2$ places:
#
# $$\text{MACs} = (F \cdot F \cdot D_1/G) \cdot K \cdot H_2 \cdot W_2. \tag{3}$$
#
# Here the size of the image does matter: sharing saves memory, but not computing.
#
# ### Exercise: `conv_macs`


# %%
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    """The multiply–accumulates of a convolutional layer for one image.

    One multiply–accumulate multiplies a weight with an input and adds the product to a sum.
    Products with padded zeros count like all others. The bias is an addition, and does not count.

    in_channels, out_channels: whole numbers.
    kernel: a whole number for a square kernel, or a pair (height, width).
    out_height, out_width: whole numbers, the size of the output.
    groups: whole number. The channels are cut into so many equal parts, and each output channel
    sees only the input channels of its own part.

    Returns a whole number (int).
    Raises ValueError when groups does not divide both numbers of channels. Its message contains all three.
    """
    ### BEGIN SOLUTION
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"groups {groups} must divide {in_channels} input and {out_channels} output channels")
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    per_output = height * width * (in_channels // groups)
    return per_output * out_channels * out_height * out_width
    ### END SOLUTION


# %% points=4
check(conv_macs)

# %% [markdown]
# AlexNet's first layer has 96 kernels of 11 × 11 × 3 and an output of 55 × 55. The lecture's table counts its
# computation as $(11 \cdot 11 \cdot 3 + 1) \cdot 96 \cdot 55 \cdot 55 = 105{,}705{,}600$.

# %% tags=["display-only"]
predict(
    "counted too much",
    "By how much is 105,705,600 too large, as a number of multiply–accumulates?",
    ["not at all", "by 96", "by 290,400", "by a factor of 2"],
)


# %% tags=["display-only"]
def count_the_operations():
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    lecture, macs = 105_705_600, working("conv_macs")(3, 96, 11, 55, 55)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:  # "meta": shapes alone, no numbers
        torch.nn.functional.conv2d(torch.empty(1, 3, 227, 227), torch.empty(96, 3, 11, 11), stride=4)
    print(f"conv_macs:              {macs:11,d}")
    print(f"lecture:                {lecture:11,d}, that is {lecture - macs:,d} more; 96·55·55 = {96 * 55 * 55:,d}")
    print(
        f"PyTorch counts (FLOPs): {counter.get_total_flops():11,d}, that is {counter.get_total_flops() / macs} per MAC"
    )
    reveal(
        "counted too much",
        2,
        "The + 1 is the bias. Each of the 290,400 outputs adds one, but nothing is multiplied for it.",
    )


count_the_operations()

# %% [markdown]
# The slip is small, a quarter of a percent. Another confusion is not small: a MAC is *two* floating point operations
# (FLOPs), and papers use both words for both numbers. Ask which one is meant before you compare.

# %% [markdown]
# ## 3 · What one output sees
#
# The *receptive field* of an output is the range of inputs that can change it. For one layer it is the window. For a
# stack, go layer by layer and keep two numbers: the field $r$, and the distance $j$ between the fields of two
# neighbours, both counted in inputs of the whole stack. At the input, $r_0 = j_0 = 1$.
#
# A window with $F_l$ taps, $D_l$ apart, looks at neighbours in layer $l - 1$. From its first tap to its last it
# takes $D_l(F_l - 1)$ steps of $j_{l-1}$ each:
#
# $$r_l = r_{l-1} + D_l\,(F_l - 1)\, j_{l-1}, \qquad j_l = j_{l-1}\, S_l. \tag{4}$$
#
# A layer's own stride does not change its own field. It moves its *neighbours* apart, so it counts from the next
# layer on. (Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", *Distill*, 2019.)
#
# ### Exercise: `receptive_field`


# %%
def receptive_field(layers):
    """How many inputs, along one axis, one output of a stack of layers can see.

    layers: list of (kernel, stride, dilation), the layer next to the input first. The three are whole
    numbers. Pooling layers count like convolutions. The list may be empty.

    Counted from the first input that can change the output to the last, both included: inputs in
    between that a dilation or a stride skips are counted too. Padding changes nothing.

    Returns a whole number (int).
    """
    ### BEGIN SOLUTION
    field, step = 1, 1  # step: the distance, in inputs, between neighbours in the layer reached so far
    for kernel, stride, dilation in layers:
        field += dilation * (kernel - 1) * step
        step *= stride  # felt from the next layer on
    return field
    ### END SOLUTION


# %% points=6
check(receptive_field)

# %% tags=["display-only"]
predict(
    "small kernels",
    "Compare three layers of 3 × 3 on top of each other with one layer of 7 × 7. All have C channels in and out. "
    "Biases do not count.",
    [
        "The three see 9 × 9 inputs and have about as many weights.",
        "Both see 7 × 7 inputs. The three have about half as many weights.",
        "Both see 7 × 7 inputs. The three have three times as many weights.",
        "The one layer sees more, and has fewer weights.",
    ],
)


# %% tags=["display-only"]
def seen_and_used(channels=64):
    import torch

    field, parameters = working("receptive_field"), working("conv_parameters")

    def influence(layers, size=1200):
        """How much each input counts for one output in the middle, when all weights of a layer are equal."""
        x = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
        out = x
        for kernel, stride, dilation in layers:
            equal = torch.full((1, 1, kernel), 1 / kernel, dtype=torch.float64)
            out = torch.nn.functional.conv1d(out, equal, stride=stride, dilation=dilation)
        out[0, 0, out.shape[-1] // 2].backward()
        used = x.grad.flatten().nonzero().flatten()
        return x.grad.flatten()[used[0] : used[-1] + 1].numpy()

    vgg = [layer for n in (2, 2, 3, 3, 3) for layer in [(3, 1, 1)] * n + [(2, 2, 1)]]
    alexnet = [(11, 4, 1), (3, 2, 1), (5, 1, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 1)]
    stacks = {
        "one 7 × 7": [(7, 1, 1)],
        "three 3 × 3": [(3, 1, 1)] * 3,
        "three 3 × 3, stride 2": [(3, 2, 1)] * 3,
        "three 3 × 3, dilation 1, 2, 4": [(3, 1, 1), (3, 1, 2), (3, 1, 4)],
        "AlexNet up to its last pool": alexnet,
        "VGG-16 up to its last pool": vgg,
    }
    for name, layers in stacks.items():
        print(f"{name:30s} receptive field {field(layers):3d}, measured {len(influence(layers)):3d}")
    one, three = parameters(channels, channels, 7, bias=False), 3 * parameters(channels, channels, 3, bias=False)
    print(f"Weights with C = {channels}: one 7 × 7 {one:,d} = {one // channels**2} C², ", end="")
    print(f"three 3 × 3 {three:,d} = {three // channels**2} C², a share of {three / one:.2f}")

    fig, (left, right) = figure(1, 2, size=(9.6, 3.4))
    at = np.arange(-3, 4)
    left.bar(at - 0.2, influence(stacks["one 7 × 7"]), 0.4, color=palette.orange, label="one 7 × 7")
    left.bar(at + 0.2, influence(stacks["three 3 × 3"]), 0.4, color=palette.blue, label="three 3 × 3")
    left.set(title="All weights equal", xlabel="input, from the middle", ylabel="influence on the output", xticks=at)
    left.set_ylim(0, 0.36)
    left.legend(loc="upper left")
    profile = influence(vgg)
    middle = np.flatnonzero((profile.cumsum() > 0.05) & (profile.cumsum() <= 0.95))
    right.fill_between(np.arange(len(profile)), profile, color=palette.sky, label="influence")
    right.axvspan(middle[0], middle[-1], color=palette.green, alpha=0.2, label=f"90 %: {len(middle)} inputs")
    right.set(title="VGG-16 up to its last pool", xlabel="input within the receptive field", ylim=(0, 0.019))
    right.set_ylabel("influence on the output")
    right.legend(loc="upper right", fontsize=8, handlelength=1.2)
    show(
        fig,
        alt="Left: influence of seven inputs on one output, all weights equal. One layer of 7 by 7: the same for all, "
        "0.14. Three layers of 3 by 3: a bell from 0.04 at the ends to 0.26 in the middle. Right: the same for "
        "the 212 inputs that VGG-16 sees: a narrow bell; 90 percent of the influence comes from the 91 inputs in "
        "the middle.",
    )
    reveal(
        "small kernels",
        1,
        "3 + 2 + 2 = 7, and 3 · 9 C² = 27 C² against 49 C². Besides, there are three nonlinearities.",
    )


seen_and_used()

# %% [markdown]
# With equal weights the middle of the field counts most, because more ways lead from there to the output. In VGG-16
# (its pooling taken as a mean), 90 % of the influence comes from 91 of 212 inputs. The receptive field says what an
# output *can* see, not what it looks at. (Luo, Li, Urtasun and Zemel, "Understanding the Effective Receptive Field in
# Deep Convolutional Neural Networks", 2016.)

# %% [markdown]
# ## 4 · Whole networks
#
# With (1) to (3) you can do the accounts of a whole network. The layers stand one after another, and the output shape
# of each is the input shape of the next. *Pooling* layers have windows too, but no parameters: they take the
# largest value in each channel, or the mean. ReLU and normalization keep the shape. A fully connected layer
# flattens what it gets, $n$ numbers, and has $K$ units: $nK$ weights, $K$ biases, $nK$ MACs.
#
# ### Exercise: `layer_table`


# %%
def layer_table(layers, input_shape):
    """What each layer of a network puts out, and what it costs.

    layers: list of dicts, the layer next to the input first. Each has a `name` and a `kind`:

    - "conv": `out` channels, `kernel`, `stride`, `padding`, `groups`; one bias per output channel
    - "pool": `kernel`, `stride`, `padding`; works on each channel by itself
    - "relu", "norm": nothing else; the shape stays as it is
    - "fc": `out` units; flattens whatever comes in; one bias per unit

    kernel, stride, padding and groups are whole numbers, the same for height and width. Where a dict
    leaves one of them out, the stride is 1, the padding 0 and groups 1.
    input_shape: (C, H, W), without the batch. H and W may differ.

    Returns a list with one row (name, output shape, parameters, macs) per layer, in the same order.
    The output shape is a tuple without the batch, (C, H, W) or (units,) after "fc". Sizes round down.
    macs are multiply–accumulates for one image, without the biases. pool, relu and norm have neither.
    Raises ValueError for a layer that does not fit. Its message contains the layer's name and, when the
    kernel is larger than the padded input, the kernel and the height or width that is too small (without
    padding); when groups does not divide the channels, groups and both numbers of channels.
    """
    ### BEGIN SOLUTION
    rows, shape = [], tuple(input_shape)
    for layer in layers:
        name, kind = layer["name"], layer["kind"]
        parameters = macs = 0
        if kind in ("conv", "pool"):
            channels, *sizes = shape
            kernel, stride, padding = layer["kernel"], layer.get("stride", 1), layer.get("padding", 0)
            for size in sizes:
                if kernel > size + 2 * padding:
                    raise ValueError(f"{name}: kernel {kernel} does not fit into {size} with padding {padding}")
            sizes = [(size + 2 * padding - kernel) // stride + 1 for size in sizes]
            shape = (channels, *sizes)
        if kind == "conv":
            out, groups = layer["out"], layer.get("groups", 1)
            if channels % groups or out % groups:
                raise ValueError(f"{name}: groups {groups} does not divide {channels} and {out} channels")
            shape = (out, *sizes)
            weights = kernel * kernel * (channels // groups) * out
            parameters, macs = weights + out, weights * sizes[0] * sizes[1]
        elif kind == "fc":
            weights = int(np.prod(shape)) * layer["out"]
            shape = (layer["out"],)
            parameters, macs = weights + layer["out"], weights
        rows.append((name, shape, parameters, macs))
    return rows
    ### END SOLUTION


# %% points=9
check(layer_table)

# %% [markdown]
# Three networks to try it on. You need not read this cell, only run it. It writes the networks down as lists of layers.


# %%
def conv_layer(name, out, kernel, stride=1, padding=0, groups=1):
    shape = {"kernel": kernel, "stride": stride, "padding": padding}
    return {"kind": "conv", "name": name, "out": out, "groups": groups, **shape}


def pool_layer(name, kernel, stride):
    return {"kind": "pool", "name": name, "kernel": kernel, "stride": stride, "padding": 0}


def plain_layers(*names):  # "relu1" is a ReLU, "norm1" a normalization
    return [{"kind": name.rstrip("0123456789"), "name": name} for name in names]


def fc_layer(name, out):
    return {"kind": "fc", "name": name, "out": out}


def demo_network():
    layers = []
    for number, out in enumerate((16, 20, 20), start=1):
        layers += [
            conv_layer(f"conv{number}", out, 5, padding=2),
            *plain_layers(f"relu{number}"),
            pool_layer(f"pool{number}", 2, 2),
        ]
    return [*layers, fc_layer("fc", 10)]


def alexnet(groups=1, channels=(96, 256, 384, 384, 256), padding=0, norms=True):
    one, two, three, four, five = channels
    norm1, norm2 = (plain_layers("norm1"), plain_layers("norm2")) if norms else ([], [])
    return [
        *(conv_layer("conv1", one, 11, 4, padding), *plain_layers("relu1"), *norm1, pool_layer("pool1", 3, 2)),
        *(conv_layer("conv2", two, 5, 1, 2, groups), *plain_layers("relu2"), *norm2, pool_layer("pool2", 3, 2)),
        *(
            conv_layer("conv3", three, 3, 1, 1),
            *plain_layers("relu3"),
            conv_layer("conv4", four, 3, 1, 1, groups),
            *plain_layers("relu4"),
        ),
        *(conv_layer("conv5", five, 3, 1, 1, groups), *plain_layers("relu5"), pool_layer("pool5", 3, 2)),
        *(
            fc_layer("fc6", 4096),
            *plain_layers("relu6"),
            fc_layer("fc7", 4096),
            *plain_layers("relu7"),
            fc_layer("fc8", 1000),
        ),
    ]


def vgg16():
    layers = []
    for block, (out, count) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1):
        for number in range(1, count + 1):
            layers += [conv_layer(f"conv{block}_{number}", out, 3, padding=1), *plain_layers(f"relu{block}{number}")]
        layers += [pool_layer(f"pool{block}", 2, 2)]
    return [
        *layers,
        fc_layer("fc6", 4096),
        *plain_layers("relu6"),
        fc_layer("fc7", 4096),
        *plain_layers("relu7"),
        fc_layer("fc8", 1000),
    ]


# %% [markdown]
# The first is the demo network of a lecture, trained on CIFAR-10's images of 32 × 32.


# %% tags=["display-only"]
def the_demo_network():
    rows = working("layer_table")(demo_network(), (3, 32, 32))
    for name, shape, parameters, macs in rows:
        print(f"{name:6s} {shape!s:13s} parameters {parameters:6,d}   MACs {macs:9,d}")
    print(f"Together {sum(row[2] for row in rows):,d} parameters and {sum(row[3] for row in rows):,d} MACs.")


the_demo_network()

# %% [markdown]
# The lecture has the same: 1216, 8020, 10020 and 3210. The next one is AlexNet.

# %% tags=["display-only"]
predict(
    "where",
    "AlexNet has five convolutional layers and three fully connected ones. Where are most of its parameters, and "
    "where is most of its computing?",
    [
        "both in the convolutions",
        "both in the fully connected layers",
        "parameters in the convolutions, computing in the fully connected layers",
        "parameters in the fully connected layers, computing in the convolutions",
    ],
)


# %% tags=["display-only"]
def where_the_work_is():
    table = working("layer_table")
    fig, axes = figure(1, 2, size=(10.4, 4.6))
    for ax, (name, layers, size) in zip(axes, (("AlexNet", alexnet(), 227), ("VGG-16", vgg16(), 224)), strict=True):
        rows = [row for row in table(layers, (3, size, size)) if row[2]]
        counts = np.array([row[2:] for row in rows], dtype=float)  # (layers, 2)
        shares = 100 * counts / counts.sum(axis=0)
        at = np.arange(len(rows))
        ax.barh(at - 0.2, shares[:, 0], 0.4, color=palette.blue, label="parameters")
        ax.barh(at + 0.2, shares[:, 1], 0.4, color=palette.orange, label="MACs")
        ax.set_yticks(at, [row[0] for row in rows])
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.grid(axis="y", visible=False)
        ax.set(title=f"{name}: share of each layer", xlabel="percent of the network")
        dense_share = shares[[row[0].startswith("fc") for row in rows]].sum(axis=0)
        parameters, macs = counts.sum(axis=0)
        print(f"{name}: {parameters:,.0f} parameters, {macs:,.0f} MACs. ", end="")
        print(f"Fully connected layers: {dense_share[0]:.1f} % of the parameters, {dense_share[1]:.1f} % of the MACs.")
    axes[0].legend(loc="center right")
    show(
        fig,
        alt="Share of each layer in the parameters and in the multiply-accumulates. AlexNet: fc6 has 61 percent of "
        "the parameters and fc7 27 percent, conv2 has 39 percent of the computing. VGG-16: fc6 has 74 percent of "
        "the parameters; the computing is spread over the convolutions, none of which has more than 12 percent.",
    )
    reveal("where", 3, "A weight of a convolution is used at every place, a weight of a fully connected layer once.")


where_the_work_is()

# %% [markdown]
# **Read the table.** Below is the lecture's table of AlexNet, beside yours.


# %% tags=["display-only"]
def beside_the_lecture():
    table = working("layer_table")
    lecture = {
        "conv1": (34944, 105705600),
        "conv2": (614656, 448084224),
        "conv3": (885120, 149585280),
        "conv4": (1327488, 224345472),
        "conv5": (884992, 149563648),
        "fc6": (37748736, 37748736),
        "fc7": (16777216, 16777216),
        "fc8": (4096000, 4096000),
    }
    rows = {row[0]: row for row in table(alexnet(), (3, 227, 227)) if row[2]}
    print("         parameters      lecture yours − lecture           MACs        lecture  lecture − yours")
    for name, (parameters, computations) in lecture.items():
        ours = rows[name]
        print(f"{name:6s} {ours[2]:12,d} {parameters:12,d} {ours[2] - parameters:15,d}", end="")
        print(f" {ours[3]:14,d} {computations:14,d} {computations - ours[3]:16,d}")
    ours, theirs = np.sum([row[2:] for row in rows.values()], axis=0), np.sum(list(lecture.values()), axis=0)
    print(f"{'sum':6s} {ours[0]:12,d} {theirs[0]:12,d} {ours[0] - theirs[0]:15,d}", end="")
    print(f" {ours[1]:14,d} {theirs[1]:14,d} {theirs[1] - ours[1]:16,d}")
    print()
    for name, layers, size in (
        ("two groups in conv2, conv4 and conv5, as in the paper", alexnet(groups=2), 227),
        ("one tower, 64-192-384-256-256 channels", alexnet(1, (64, 192, 384, 256, 256), padding=2, norms=False), 224),
    ):
        print(f"{sum(row[2] for row in table(layers, (3, size, size))):,d} parameters: {name}")


beside_the_lecture()

# %% [markdown]
# What the table leaves out, line by line:
#
# - **Parameters.** It counts the biases of the convolutions and forgets those of the fully connected layers:
#   $4096 + 4096 + 1000 = 9{,}192$. So not 62,369,152 but 62,378,344.
# - **Computing.** It counts a multiplication for every bias of the convolutions at every place, 650,080 in all, and
#   none for the biases of the others.
# - **Groups.** Neither is the network of the paper. Its layers 2, 4 and 5 are cut in two, and it has 60,965,224.
# - **Another AlexNet.** The printout in another lecture (PyTorch's version) has fewer channels, one tower, and
#   61,100,840 parameters. "AlexNet has 60 million parameters" is true for three different networks.
# - **ReLU after FC8.** It has "FC8 + Relu". The scores of the classes go into a softmax; a ReLU would cut off
#   all negative ones.
# - **The order.** It puts the normalization after the pooling, the paper before it. Section 9 asks whether that
#   matters.

# %% [markdown]
# The paper has a slip of its own. It says that the layers have 253,440, 186,624, 64,896, 64,896, 43,264, 4096, 4096
# and 1000 neurons, 650,000 in all.


# %% tags=["display-only"]
def count_the_neurons():
    rows = working("layer_table")(alexnet(), (3, 227, 227))
    paper = (253_440, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000)
    ours = [int(np.prod(row[1])) for row in rows if row[2]]
    for row, mine, theirs in zip([row for row in rows if row[2]], ours, paper, strict=True):
        print(f"{row[0]:6s} {row[1]!s:13s} {mine:8,d} {'' if mine == theirs else f'but the paper says {theirs:,d}'}")
    print(f"{'sum':20s} {sum(ours):8,d} and with the paper's own numbers {sum(paper):,d}")
    print(f"55·55·96 = {55 * 55 * 96:,d}, 55·48·96 = {55 * 48 * 96:,d}")


count_the_neurons()

# %% [markdown]
# 253,440 is $55 \cdot 48 \cdot 96$ and not $55 \cdot 55 \cdot 96$. Each GPU had 48 of the kernels; whether that is
# where the 48 comes from, the paper does not say. With 290,400, the five convolutional layers together have 650,080
# neurons, and all eight have 659,272. Either may be the 650,000 in its abstract. The sum of its own numbers is
# neither.

# %% [markdown]
# ### LeNet-5
#
# LeNet-5 (1998) is older and less regular, so it is worth counting by itself. Two things are special:
#
# - Its *subsampling* layers S2 and S4 have parameters. Each unit adds four values, multiplies the sum by a
#   coefficient and adds a bias. Coefficient and bias are shared by the whole map.
# - C3 has 16 maps, but not every one sees all 6 maps of S2. The paper's Table I, with the maps of C3 as columns:
#
# |   | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 |
# |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
# | 0 | X |   |   |   | X | X | X |   |   | X | X | X | X |   | X | X |
# | 1 | X | X |   |   |   | X | X | X |   |   | X | X | X | X |   | X |
# | 2 | X | X | X |   |   |   | X | X | X |   |   | X |   | X | X | X |
# | 3 |   | X | X | X |   |   | X | X | X | X |   |   | X |   | X | X |
# | 4 |   |   | X | X | X |   |   | X | X | X | X |   | X | X |   | X |
# | 5 |   |   |   | X | X | X |   |   | X | X | X | X |   | X | X | X |
#
# A *connection* is one use of an input or a bias. C1 has $(5 \cdot 5 + 1) \cdot 6 = 156$ parameters and, at
# $28 \cdot 28$ places, 122,304 connections. (LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to
# Document Recognition", *Proc. IEEE* 86, 1998, section II.B.)
#
# ### Exercise: `lenet5_accounting`


# %%
def lenet5_accounting():
    """Parameters and connections of LeNet-5, layer by layer, as the paper counts them.

    The input is one channel of 32 × 32. C1, C3 and C5 are 5 × 5 convolutions with 6, 16 and 120 output
    channels, without padding, with one bias per channel. S2 and S4 are subsampling layers, 2 × 2 with
    stride 2: each channel adds the four values, multiplies the sum by *one* coefficient and adds *one*
    bias. F6 has 84 units, fully connected, each with a bias.
    Each channel of C3 sees only some of the channels of S2: those of its column in the table above.
    C5 sees all 16 channels of S4.

    A parameter is one number that is learned. A connection is one use of an input value or of a bias in
    the computation of one output value, so a unit of S2 has 2 · 2 + 1 connections.

    Returns a dict {name: (parameters, connections)} for C1, S2, C3, S4, C5 and F6. All are whole numbers.
    Compute them from the architecture.
    """
    ### BEGIN SOLUTION
    seen_by_c3 = (
        *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),  # three neighbours
        *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),  # four neighbours
        *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),  # two pairs
        (0, 1, 2, 3, 4, 5),
    )
    size, channels, table = 32, 1, {}
    convolutions = {  # for each output channel, how many input channels it sees
        "C1": [1] * 6,
        "C3": [len(seen) for seen in seen_by_c3],
        "C5": [16] * 120,
    }
    for name in ("C1", "S2", "C3", "S4", "C5"):
        if name in convolutions:
            size, channels = size - 5 + 1, len(convolutions[name])
            parameters = sum(5 * 5 * seen + 1 for seen in convolutions[name])
            table[name] = parameters, parameters * size * size  # each parameter is used once at every place
        else:
            size //= 2
            table[name] = 2 * channels, (2 * 2 + 1) * channels * size * size
    table["F6"] = (120 + 1) * 84, (120 + 1) * 84
    return table
    ### END SOLUTION


# %% points=6
check(lenet5_accounting)

# %% [markdown]
# Add them up.


# %% tags=["display-only"]
def lenet_adds_up():
    accounts = working("lenet5_accounting")()
    for name, (parameters, connections) in accounts.items():
        print(f"{name}: {parameters:6,d} parameters, {connections:7,d} connections")
    parameters, connections = np.sum(list(accounts.values()), axis=0)
    print(f"sum {parameters:,d} parameters, {connections:,d} connections")
    print(f"with the 10 · 84 of the output layer, whose weights are fixed: {connections + 840:,d} connections")
    print(f"C3, if every map saw all six: {16 * (5 * 5 * 6 + 1):,d} parameters")


lenet_adds_up()

# %% [markdown]
# The paper gives 60,000 parameters and 340,908 connections for the whole network: your numbers add up to just
# that. The gaps in C3 save 37 % of its parameters. The authors' other reason for them: maps with different inputs
# must learn different things.
#
# Today's printouts of "LeNet-5" have plain convolutions and max pooling. One in a lecture says: input 28 × 28,
# then two rounds of convolution (5 × 5) and pooling (2 × 2), then `Linear(400 -> 120)`. Let it run.


# %% tags=["display-only"]
def lenet_on_28_pixels():
    import torch
    from torch.nn import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential

    table = working("layer_table")
    layers = [
        *(conv_layer("conv1", 6, 5), pool_layer("pool1", 2, 2)),
        *(conv_layer("conv2", 16, 5), pool_layer("pool2", 2, 2)),
    ]
    network = Sequential(
        *(Conv2d(1, 6, 5), ReLU(), MaxPool2d(2), Conv2d(6, 16, 5), ReLU(), MaxPool2d(2)), Flatten(), Linear(400, 120)
    )
    for size in (28, 32):
        shape = table(layers, (1, size, size))[-1][1]
        print(f"{size} × {size}: pool2 puts out {shape}, which is {np.prod(shape)} numbers. PyTorch: ", end="")
        try:
            print(f"it runs, output {tuple(network(torch.zeros(1, 1, size, size)).shape)}")
        except RuntimeError as error:
            print(str(error).splitlines()[0])


lenet_on_28_pixels()

# %% [markdown]
# 28 × 28 leaves 256 numbers; 400 belong to 32 × 32. MNIST's digits have 28 × 28 pixels, and the paper puts them
# into the middle of 32 × 32. The printout took one number from each.

# %% [markdown]
# ### Memory
#
# To go backward, training must keep what went forward. For each image count all activations, and their gradients, as
# many again. Count once, for all images together, the parameters, their gradients, and what the optimizer remembers
# for each parameter. With $a$ activations per image, $p$ parameters, a batch of $B$ images and $s$ numbers per
# parameter in the optimizer:
#
# $$\text{values} = 2aB + (2 + s)\,p. \tag{5}$$
#
# In single precision each takes 4 bytes. This is the lecture's count, without its third part: the images and scratch
# memory. It counts every gradient at once, though a library can free the gradient of a layer as soon as it has been
# passed on.
#
# ### Exercise: `training_memory`


# %%
def training_memory(activations, parameters, batch_size, optimizer_slots, bytes_per_value=4):
    """The memory that training needs, in bytes, by the count of equation (5).

    activations: number of values that the forward pass keeps for one image.
    parameters: number of parameters of the network.
    batch_size: number of images in a mini-batch.
    optimizer_slots: how many numbers the optimizer keeps for each parameter: 0 for plain gradient
    descent, 1 with momentum, 2 for Adam.
    bytes_per_value: 4 in single precision, 8 in double.

    Counted are, for every image, its activations and their gradients, as many again; and once, whatever
    the batch size, the parameters, their gradients and the optimizer's slots.

    Returns a whole number (int) of bytes, not of megabytes.
    """
    ### BEGIN SOLUTION
    per_image = 2 * activations  # values and their gradients
    once = (2 + optimizer_slots) * parameters  # values, their gradients and the slots
    return (batch_size * per_image + once) * bytes_per_value
    ### END SOLUTION


# %% points=4
check(training_memory)

# %% [markdown]
# A lecture filters a 224 × 224 image with three layers of 64 kernels each. That makes, it says, "about 10 million
# activations, or 72MB of memory (per image, for both activations and gradients)".


# %% tags=["display-only"]
def three_volumes():
    import torch

    memory = working("training_memory")
    volumes = [torch.zeros(64, 224, 224, requires_grad=True) for _ in range(3)]
    sum(volume.sum() for volume in volumes).backward()
    held = sum(volume.nbytes + volume.grad.nbytes for volume in volumes)
    bytes_needed = memory(3 * 64 * 224 * 224, 0, 1, 0)
    print(f"training_memory: {bytes_needed:,d} bytes; three volumes with .grad in PyTorch: {held:,d}")
    print(f"in MB (10⁶ bytes): {bytes_needed / 1e6:.2f}; in MiB (2²⁰ bytes): {bytes_needed / 2**20:.2f}")
    print(f"one volume: {volumes[0].nbytes / 2**20:.2f} MiB")


three_volumes()

# %% [markdown]
# 77 MB, or 73.5 MiB if a megabyte is $2^{20}$ bytes. It is 72 in neither; $6 \cdot 12$ would be, with each volume's
# 12.25 rounded down first. Round at the end.

# %% tags=["display-only"]
predict(
    "memory",
    "VGG-16 is trained with momentum, 64 images at a time, in single precision. What takes most of the memory?",
    [
        "its 138 million parameters, with gradients and momentum",
        "the activations and their gradients",
        "both about the same",
    ],
)


# %% tags=["display-only"]
def memory_against_batch():
    table, memory = working("layer_table"), working("training_memory")
    batches = 2 ** np.arange(0, 9)
    fig, ax = figure(size=(7, 4.2))
    for name, layers, size, color, style in (
        ("AlexNet", alexnet(groups=2), 227, palette.orange, "o-"),
        ("VGG-16", vgg16(), 224, palette.blue, "s-"),
    ):
        rows = table(layers, (3, size, size))
        activations, parameters = sum(int(np.prod(row[1])) for row in rows), sum(row[2] for row in rows)
        needed = [memory(activations, parameters, int(batch), 1) / 1e9 for batch in batches]
        ax.loglog(batches, needed, style, base=2, color=color, label=name)
        once = memory(0, parameters, 1, 1) / 1e9
        ax.axhline(once, color=color, linestyle=":", linewidth=1, label=f"{name}, what does not depend on the batch")
        print(f"{name:7s} {activations:10,d} activations per image, parameters {once:.2f} GB. Batch of 64: ", end="")
        print(f"{needed[6]:.2f} GB, of 128: {needed[7]:.2f} GB")
    ax.axhline(3, color=palette.black, linestyle="--", linewidth=1, label="3 GB, AlexNet's GPU")
    ax.set(xlabel="images in a batch", ylabel="memory in GB", title="Memory for training, by (5)")
    ax.set_yticks([0.5, 1, 2, 4, 8, 16, 32, 64], ["0.5", "1", "2", "4", "8", "16", "32", "64"])
    ax.set_xticks(batches, [str(batch) for batch in batches])
    ax.legend(loc="upper left", fontsize=8)
    show(
        fig,
        alt="Memory against the batch size from 1 to 256, both axes logarithmic. AlexNet stays near 0.75 GB up to a "
        "batch of 8, then rises to 2.7 GB at 128 and 4.7 GB at 256. VGG-16 rises from 1.9 GB to 60 GB. A dashed "
        "line marks the 3 GB of AlexNet's GPU, which AlexNet reaches between 128 and 256 and VGG-16 between 4 and "
        "8.",
    )
    reveal("memory", 1, "Parameters are held once, activations for every image of the batch.")


memory_against_batch()

# %% [markdown]
# AlexNet, with its batch of 128, needs 2.69 GB by this count. Its GPU had 3 GB, and it was trained on two of them.
# VGG-16 needs 16 GB for 64 images. (All outputs in the table are counted; a ReLU that overwrites its input saves a
# part.) When memory runs out, make the batch smaller. The dotted lines are the part that this does not help.
#
# Now build networks of your own. Three things to try:
#
# - Start from *AlexNet 224*. Where does it not fit, and what does that change further down?
# - Start from *AlexNet 227* and take the first pooling layer away. Which number grows by the largest factor:
#   parameters, MACs or memory?
# - How few parameters do you need for a receptive field of 32?

# %% tags=["display-only"]
from course_utils.widgets import layer_stack

layer_stack()

# %% [markdown]
# What you may have found:
#
# - *AlexNet 224*: `conv1` gives 54 instead of 55, so `pool1`, `pool2` and `pool5` do not fit either. `pool5` gives
#   5 × 5, and `fc6` has $256 \cdot 25$ inputs instead of $256 \cdot 36$.
# - Without `pool1` the MACs grow most: 3.9 times. Parameters grow 3.2 times, activations 2.6 times.
# - For a field of 32 you need no parameter at all: five pooling layers of 2 × 2 with stride 2 have it. So a large
#   receptive field alone says little.

# %% [markdown]
# ## 5 · The operation itself
#
# So far we counted. Now compute. Let $x$ be a batch of $N$ images with $C$ channels, an $(N, C, H, W)$ array, and
# $\tilde x$ the same with $P$ zeros around each image. The weights are $(O, C, k_h, k_w)$: $O$ kernels, each as deep
# as the image. The output at row $r$ and column $s$ of map $o$ is
#
# $$\text{out}_{nors} = b_o + \sum_{c}\sum_{i}\sum_{j} w_{ocij}\; \tilde x_{n,\,c,\,rS_h + i,\,sS_w + j}. \tag{6}$$
#
# $S_h$ and $S_w$ are the strides down and across. Nothing says that they, or $H$ and $W$, are equal.
#
# Move the window below, and find out: At which input does the window of output (1, 1) start, with stride 2 and
# padding 1? With padding 1 instead of 0, which outputs are new, and where have the old ones gone?

# %% tags=["display-only"]
from course_utils.widgets import convolution_window

convolution_window()

# %% [markdown]
# ### Exercise: `conv2d_forward`


# %%
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    """A convolution layer as networks use it: the kernel is not flipped.

    x: (N, C, H, W) float array. weight: (O, C, kh, kw) array. bias: (O,) array.
    stride, padding: a whole number for both axes, or a pair (vertical, horizontal).
    Padding adds that many rows of zeros above and below, and that many columns of zeros on the left and right.
    The window starts in the upper left corner. Where the last step does not fit, it is left out (floor).

    Returns out: (N, O, OH, OW) array. out[n, o, r, s] is the sum of weight[o] times the window at row r · stride
    and column s · stride of the padded image n, over all channels and places of the window, plus bias[o].
    The arrays that come in must not be changed.
    """
    ### BEGIN SOLUTION
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))
    windows = windows[:, :, ::sh, ::sw]  # (N, C, OH, OW, kh, kw)
    N, C, OH, OW, kh, kw = windows.shape
    columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(N, C * kh * kw, OH * OW)
    out = weight.reshape(len(weight), -1) @ columns  # (O, C·kh·kw) @ (N, C·kh·kw, OH·OW)
    return out.reshape(N, -1, OH, OW) + bias[:, None, None]
    ### END SOLUTION


# %% points=9
check(conv2d_forward)

# %% [markdown]
# Mathematicians call something else a convolution: there the kernel is *flipped* in both axes, $i$ and $j$ enter
# (6) with a minus. What (6) computes they call a *cross-correlation*.

# %% tags=["display-only"]
predict(
    "flipped",
    "The image is one row, 0 0 1 0 0, and the kernel is 1 2 3. No padding. What does equation (6) give?",
    ["1 2 3", "3 2 1", "6 6 6", "0 2 0"],
)


# %% tags=["display-only"]
def convolution_or_correlation():
    convolve = working("conv2d_forward")
    image, kernel = np.array([0.0, 0.0, 1.0, 0.0, 0.0]), np.array([1.0, 2.0, 3.0])
    ours = convolve(image[None, None, None], kernel[None, None, None], np.zeros(1))[0, 0, 0]
    print("equation (6):                ", ours)
    print("np.correlate:                ", np.correlate(image, kernel, mode="valid"))
    print("np.convolve:                 ", np.convolve(image, kernel, mode="valid"))
    print(
        "equation (6), kernel flipped:",
        convolve(image[None, None, None], kernel[None, None, None, ::-1], np.zeros(1))[0, 0, 0],
    )
    reveal("flipped", 1, "The first window, 0 0 1, meets the 3, the last one, 1 0 0, meets the 1.")


convolution_or_correlation()

# %% [markdown]
# So what deep learning libraries call convolution is not one. It makes no difference to what a network can learn:
# training finds the kernel, flipped or not. It matters when you load a kernel from elsewhere, and it comes back in
# section 7. (Goodfellow, Bengio and Courville, *Deep Learning*, §9.1.)
#
# Before anything is learned: what can a kernel do? Here are four made by hand, on real digits.


# %% tags=["display-only", "open"]
def kernels_made_by_hand(count=6):
    convolve = working("conv2d_forward")
    kernels = {
        "left edge −, right edge +": [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
        "top edge −, bottom edge +": [[1, 2, 1], [0, 0, 0], [-1, -2, -1]],
        "spots and corners": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
        "mean of the window": [[1 / 9] * 3] * 3,
    }
    images = digits.validation.images[:count]  # (count, 1, 8, 8), ink is 1
    weight = np.array(list(kernels.values()), dtype=float)[:, None]  # (4, 1, 3, 3)
    maps = convolve(images, weight, np.zeros(len(weight)), stride=1, padding=1)  # (count, 4, 8, 8)
    fig, axes = figure(1 + len(kernels), count, size=(count + 1.4, 5.2), images=True)
    for column in range(count):
        axes[0, column].imshow(images[column, 0], cmap="gray_r", vmin=0, vmax=1)
        for row in range(len(kernels)):
            largest = np.abs(maps[:, row]).max()
            axes[1 + row, column].imshow(maps[column, row], cmap="PuOr", vmin=-largest, vmax=largest)
    for ax, name in zip(axes[:, 0], ("digit", *kernels), strict=True):
        ax.text(-0.15, 0.5, name.replace(", ", ",\n"), transform=ax.transAxes, ha="right", va="center", fontsize=9)
    fig.supxlabel("each row of maps has its own colour scale", fontsize=9)
    show(
        fig,
        alt="Six digits and four maps of each. The first two kernels show the edges of the strokes, the left and "
        "upper ones in orange (negative), the right and lower ones in purple (positive). The third picks out ends "
        "and corners, the fourth blurs. Each row of maps has its own colour scale.",
    )


kernels_made_by_hand()

# %% [markdown]
# Purple is positive, orange negative. The first two are differences across the window: 0 where nothing changes, large
# at the edge of a stroke. The third compares a pixel with those around it. The last one blurs. Put a kernel of
# your own into the cell: what does one do that is 0 but for a single 1 in a corner?

# %% tags=["display-only"]
predict(
    "moved",
    "A digit is moved one pixel to the right. What happens to the output of a convolution with stride 1, and with "
    "stride 2? (The digit stays away from the border.)",
    [
        "Both outputs move one place to the right.",
        "Stride 1: the output moves one place. Stride 2: it moves half a place, which means new values.",
        "Neither moves: a convolution does not care where the digit is.",
        "Stride 1: the output stays. Stride 2: it moves two places.",
    ],
)


# %% tags=["display-only"]
def move_the_digit():
    convolve, rng = working("conv2d_forward"), np.random.default_rng(0)
    weight = rng.normal(size=(4, 1, 3, 3))
    here = np.zeros((1, 1, 16, 16))
    here[0, 0, 4:12, 3:11] = digits.train.images[0, 0]
    for stride in (1, 2):
        before = convolve(here, weight, np.zeros(4), stride)
        for pixels in (1, 2):
            after = convolve(np.roll(here, pixels, axis=3), weight, np.zeros(4), stride)
            gaps = [np.abs(np.roll(before, places, axis=3) - after).max() for places in range(3)]
            best = int(np.argmin(gaps))
            found = f"the same output, {best} to the right" if gaps[best] < 1e-9 else "no move of the output fits"
            print(f"stride {stride}, digit moved {pixels}: {found} (largest difference {gaps[best]:.1g})")
    reveal("moved", 1, "Stride 2 looks at every second place. After one pixel it sees the other half of them.")


move_the_digit()

# %% [markdown]
# With stride 1 the layer is *equivariant*: move the input, and the output moves along. With stride $S$ that holds for
# moves by multiples of $S$ only. It is not *invariant*: the output does change its place. For that something must
# forget where a feature was found. That is pooling's business, in section 8.

# %% [markdown]
# ## 6 · A convolution is a matrix product
#
# Equation (6) is seven loops: over $n, o, r, s$ and $c, i, j$. In Python that takes forever. But for one image the
# sum over $(c, i, j)$ is a row of weights times a column of pixels. Write every window as a column:
#
# ```
#                    columns for a kernel of 2 × 2
# image              window:   0  1  2  3
# 0 1 2              tap 0,0   0  1  3  4
# 3 4 5              tap 0,1   1  2  4  5
# 6 7 8              tap 1,0   3  4  6  7
#                    tap 1,1   4  5  7  8
# ```
#
# A column is a window, read row by row. A *row* is one tap at all places: the image as that tap sees it. With
# several channels, the rows of channel 1 follow below those of channel 0. This is `im2col`, "image to columns". With
# $L$ windows,
#
# $$\underbrace{\text{out}}_{(O,\;L)}
# = \underbrace{W}_{(O,\;C k_h k_w)}\;\underbrace{\text{columns}}_{(C k_h k_w,\;L)} + b. \tag{7}$$
#
# $W$ is the weight array, reshaped. (Chellapilla, Puri and Simard, "High Performance Convolutional Neural Networks
# for Document Processing", 2006.)
#
# ### Exercise: `im2col`


# %%
def im2col(x, kernel, stride=1, padding=0):
    """Every window of x as a column.

    x: (N, C, H, W) float array.
    kernel, stride, padding: a whole number for both axes, or a pair (vertical, horizontal).
    Padding is with zeros on all four sides. Where the last step does not fit, it is left out (floor).

    Returns columns: (N, C · kh · kw, L) array with L = OH · OW, as `torch.nn.functional.unfold` lays it out.
    Row (c · kh + i) · kw + j holds channel c of what lies at row i and column j of each window.
    Column r · OW + s belongs to the window in row r and column s of the output.
    """
    ### BEGIN SOLUTION
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(value, 2) for value in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::sh, ::sw]  # (N, C, OH, OW, kh, kw)
    N, C, OH, OW = windows.shape[:4]
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(N, C * kh * kw, OH * OW)
    ### END SOLUTION


# %% points=7
check(im2col)

# %% [markdown]
# The columns hold each pixel up to $k_h k_w$ times, so `im2col` copies a lot, and the number of multiplications stays
# what it was. Is it worth it? We time three ways for a 3 × 3 convolution from 8 to 16 channels: a Python loop over
# all outputs, with the sum over the window in NumPy; your `im2col` and a matrix product; and PyTorch.

# %% tags=["display-only"]
predict(
    "speed",
    "On an image of 32 × 32, how does im2col with its matrix product compare with the loop over outputs?",
    [
        "It is slower, because of the copies.",
        "about the same",
        "some five times faster",
        "a hundred times faster, or more",
    ],
)


# %% tags=["display-only"]
def time_three_ways(channels=8, maps=16, kernel=3):
    from time import perf_counter

    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    columns_of, rng = working("im2col"), np.random.default_rng(0)
    weight = rng.normal(size=(maps, channels, kernel, kernel))

    def by_loop(x):
        side = x.shape[-1] - kernel + 1
        out = np.empty((1, maps, side, side))
        for o, r, s in np.ndindex(out.shape[1:]):
            out[0, o, r, s] = np.sum(weight[o] * x[0, :, r : r + kernel, s : s + kernel])
        return out

    def by_product(x):
        side = x.shape[-1] - kernel + 1
        return (weight.reshape(maps, -1) @ columns_of(x, kernel)).reshape(1, maps, side, side)

    def by_torch(x):
        return torch.nn.functional.conv2d(torch.from_numpy(x), torch.from_numpy(weight)).numpy()

    def seconds(f, x, most=50, enough=0.25):
        times = []
        with threadpool_limits(1):  # one core for each of the three, whatever libraries they call
            while len(times) < most and sum(times) < enough:
                begin = perf_counter()
                f(x)
                times.append(perf_counter() - begin)
        return min(times)  # the least disturbed by other programs

    ways = (
        ("loop over outputs", by_loop, "o-", palette.vermillion),
        ("im2col and product", by_product, "s-", palette.blue),
        ("PyTorch", by_torch, "^--", palette.green),
    )
    images = {side: rng.normal(size=(1, channels, side, side)) for side in (4, 8, 16, 32, 64, 128, 256)}
    fig, (left, right) = figure(1, 2, size=(10, 3.8))
    took = {}
    for name, f, style, color in ways:
        took[name] = {}
        for side, x in images.items():
            took[name][side] = seconds(f, x)
            if took[name][side] > 0.08:  # the next one would take four times as long
                break
        sides, times = np.array(list(took[name])), np.array(list(took[name].values()))
        macs = maps * channels * kernel**2 * (sides - kernel + 1) ** 2
        left.loglog(sides, 1e3 * times, style, color=color, label=name)
        right.loglog(sides, macs / times / 1e9, style, color=color, label=name)
    for ax, title in ((left, "time for one image, in ms"), (right, "speed, in 10⁹ MACs per second")):
        ax.set(title=title, xlabel="height and width of the image")
        ax.set_xticks([4, 16, 64, 256], ["4", "16", "64", "256"], minor=False)
        ax.minorticks_off()
    left.legend(loc="lower right")
    same = max(np.abs(f(images[8]) - by_torch(images[8])).max() for f in (by_loop, by_product))
    print(f"Largest difference between the three: {same:.0e}")
    loop_side, product_side = (max(took[name]) for name, *_ in ways[:2])
    for side in (4, min(32, loop_side, product_side)):
        loop, product, torchs = (took[name][side] for name, *_ in ways)
        print(f"{side:3d} × {side:<3d} loop {1e3 * loop:7.2f} ms, im2col {1e3 * product:6.3f} ms, ", end="")
        print(f"PyTorch {1e3 * torchs:6.3f} ms; the loop takes {loop / product:.0f} times as long as im2col")
    per_output = took["loop over outputs"][loop_side] / maps / (loop_side - kernel + 1) ** 2
    print(f"The loop takes {1e6 * per_output:.1f} µs for one output, which has {channels * kernel**2} MACs.")
    copying = seconds(lambda x: columns_of(x, kernel), images[product_side]) / took["im2col and product"][product_side]
    print(
        f"At {product_side} × {product_side}, the copies take {100 * copying:.0f} % of the time of im2col and product."
    )
    show(
        fig,
        alt="Time and speed of three convolutions against the size of the image, logarithmic axes. The loop is "
        "slowest and its time rises steadily. The time of im2col and the matrix product is flat for small images, "
        "then rises; its speed grows with the image, and falls again for the largest. PyTorch's curve has the "
        "same shape and is faster for small images.",
    )
    reveal("speed", 3, "The loop pays Python and NumPy for every output. The matrix product pays once.")


time_three_ways()

# %% [markdown]
# Read the curves from left to right. (Your times differ; the shapes should not.)
#
# - **The loop** pays some microseconds of Python and NumPy for every output. The 72 MACs in it would take a processor
#   about 10 nanoseconds. Twice the height and width, four times the outputs, four times the time.
# - **im2col** pays for a handful of NumPy calls, some hundredths of a millisecond, however small the image: the flat
#   part. Then the matrix product takes over. It loads a block of numbers into the processor's cache and uses each of
#   them many times, with instructions that do several MACs at once. The larger the image, the less the fixed price
#   matters.
# - **The largest images** have columns that no longer fit into the cache: at 256 × 256, $72 \cdot 254^2$ numbers of
#   8 bytes are 37 MB, nine times the image. Now the processor waits for memory, in the copies and in the product, and
#   the speed falls.
# - **PyTorch** does the same in float64, `im2col` and a matrix product, in C++. So its fixed price is smaller, and
#   the two meet where memory decides. (In float32 it has kernels that copy less.)
#
# Each of the three had one core. If your blue curve lies near the red one, your `im2col` itself loops over pixels:
# let slices do it. (`make bench` in the course's repository times the same three ways on other layers.)

# %% [markdown]
# ## 7 · Backward
#
# Given $G_{nors} = \partial L/\partial\,\text{out}_{nors}$, we want the gradients of everything in (6). The chain
# rule adds up over all outputs in which a number was used. So ask three times: where is it used, and with
# which factor?
#
# - The bias $b_o$ is used in every output of map $o$, with factor 1:
#
# $$\frac{\partial L}{\partial b_o} = \sum_{n,r,s} G_{nors}.$$
#
# - The weight $w_{ocij}$ is used in every output of map $o$ too, each time with another pixel:
#
# $$\frac{\partial L}{\partial w_{ocij}} = \sum_{n,r,s} G_{nors}\; \tilde x_{n,\,c,\,rS_h+i,\,sS_w+j}. \tag{8}$$
#
# - A pixel is used by all windows that lie over it. How many are they?

# %% tags=["display-only"]
predict(
    "over a pixel",
    "A 3 × 3 kernel moves with stride 2. How many windows lie over a pixel inside the image?",
    [
        "9, for every pixel",
        "about 2.25, for every pixel",
        "1, 2 or 4: it depends on the pixel",
        "1, for every pixel",
    ],
)

# %% [markdown]
# Go through (6) tap by tap, and hand each output's gradient back to the pixels it came from:
#
# $$\frac{\partial L}{\partial \tilde x_{n,\,c,\,rS_h+i,\,sS_w+j}} \mathrel{+}= \sum_o G_{nors}\, w_{ocij}
# \qquad\text{for all } i, j, r, s. \tag{9}$$
#
# The `+=` is the sum over windows. At the end, cut off the padding: its zeros need no gradient. In (8) and (9) the
# tap $(i, j)$ touches $\tilde x$ at $i, i + S_h, i + 2S_h, \dots$: a slice with a step. So two short loops, over
# $i$ and $j$, are enough, and the rest are sums that NumPy does.
#
# ### Exercise: `conv2d_backward`


# %%
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    """The gradients of a loss L through conv2d_forward(x, weight, bias, stride, padding).

    grad_out: (N, O, OH, OW) array, ∂L/∂out. x: (N, C, H, W) float array. weight: (O, C, kh, kw) array.
    stride, padding: a whole number for both axes, or a pair (vertical, horizontal).

    Returns (grad_x, grad_weight, grad_bias), of shapes (N, C, H, W), (O, C, kh, kw) and (O,).
    Pixels that no window reaches have the gradient 0. The arrays that come in must not be changed.
    """
    ### BEGIN SOLUTION
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (H, W), (kh, kw), (OH, OW) = x.shape[2:], weight.shape[2:], grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    for i in range(kh):
        for j in range(kw):
            touched = np.s_[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]  # what weight[:, :, i, j] multiplies
            grad_weight[:, :, i, j] = np.tensordot(grad_out, padded[touched], axes=((0, 2, 3), (0, 2, 3)))  # (O, C)
            grad_padded[touched] += np.einsum("nohw,oc->nchw", grad_out, weight[:, :, i, j], optimize=True)
    grad_x = grad_padded[:, :, ph : ph + H, pw : pw + W]
    return grad_x, grad_weight, grad_out.sum(axis=(0, 2, 3))
    ### END SOLUTION


# %% points=11
check(conv2d_backward)

# %% [markdown]
# Let it count the windows over each pixel. With a kernel of ones and $G = 1$ everywhere, the gradient (9) does just
# that.


# %% tags=["display-only"]
def windows_over_each_pixel(size=13):
    backward = working("conv2d_backward")
    strides = (1, 2, 3, 4)
    fig, axes = figure(1, len(strides), size=(10, 2.9), images=True)
    for ax, stride in zip(axes, strides, strict=True):
        places = (size - 3) // stride + 1
        ones = np.ones((1, 1, places, places))
        counts = backward(ones, np.zeros((1, 1, size, size)), np.ones((1, 1, 3, 3)), stride)[0][0, 0]
        shown = ax.imshow(counts, cmap="cividis", vmin=0, vmax=9)
        for y, x in np.ndindex(counts.shape):
            color = "black" if counts[y, x] > 4 else "white"
            ax.text(x, y, f"{counts[y, x]:.0f}", ha="center", va="center", fontsize=7, color=color)
        ax.set_title(f"stride {stride}")
    fig.colorbar(shown, ax=axes, shrink=0.8, label="windows over the pixel")
    show(
        fig,
        alt="Number of 3 by 3 windows over each pixel of a 13 by 13 image. Stride 1: 9 inside, falling to 1 in the "
        "corners. Stride 2: a pattern of 1, 2 and 4. Stride 3: 1 everywhere, 0 in the last row and column. Stride "
        "4: blocks of 1 with lines of 0 between them.",
    )
    reveal("over a pixel", 2, "Four at the places where windows overlap both ways, one where a window is alone.")


windows_over_each_pixel()

# %% [markdown]
# Where windows overlap unevenly, gradients come out as a checkerboard, and so do images that a network *generates*
# with this operation (Odena, Dumoulin and Olah, "Deconvolution and Checkerboard Artifacts", *Distill*, 2016). With
# stride 4, some pixels are never looked at.
#
# **Look at (9) again**, at stride 1. Pixel $\tilde x_{yx}$ gets $G_{rs} w_{ij}$ from all $r = y - i$ and $s = x - j$:
# the indices of $w$ enter $G$ with a *minus*. So the backward pass of the cross-correlation is a true convolution, or
# (6) with a flipped kernel, with input and output channels exchanged, on $G$ with $k - 1$ zeros around it. Let us
# check both that, and the gradients themselves, by moving each input a little in a random direction.


# %% tags=["display-only"]
def check_the_backward_pass(h=1e-5):
    forward, backward = working("conv2d_forward"), working("conv2d_backward")
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(2, 3, 7, 9)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=4)
    Q = rng.normal(size=forward(x, weight, bias, (2, 1), (1, 0)).shape)  # L = Σ Q · out, so G = Q
    inputs = {"x": x, "weight": weight, "bias": bias}

    def loss(**moved):
        return np.sum(Q * forward(**{**inputs, **moved}, stride=(2, 1), padding=(1, 0)))

    for (name, value), grad in zip(inputs.items(), backward(Q, x, weight, (2, 1), (1, 0)), strict=True):
        direction = rng.normal(size=value.shape)
        measured = (loss(**{name: value + h * direction}) - loss(**{name: value - h * direction})) / (2 * h)
        print(
            f"{name:6s} slope in a random direction: "
            f"gradient {np.sum(grad * direction):12.8f}, measured {measured:12.8f}"
        )

    G = rng.normal(size=(2, 4, 5, 8))  # what a 3 × 2 kernel leaves of 7 × 9 at stride 1
    flipped = weight.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]  # channels exchanged
    by_forward = forward(G, flipped, np.zeros(3), stride=1, padding=(2, 1))
    gap = np.abs(backward(G, x, weight)[0] - by_forward).max()
    print(f"grad_x at stride 1 against (6) with the flipped kernel: largest difference {gap:.0e}")


check_the_backward_pass()

# %% [markdown]
# In matrix form, (7) is an affine layer, and its backward pass is the one you know:
# $\partial L/\partial W = G\, \text{columns}^T$ and $\partial L/\partial\,\text{columns} = W^T G$. What is new is
# only the way back from the columns to the image: a pixel adds up all its copies. A training step then costs three
# times the forward pass: (3) multiply–accumulates for each of (6), (8) and (9). (The first layer can leave out (9):
# nobody needs the gradient of the image.)

# %% [markdown]
# ## 8 · Pooling
#
# A pooling layer slides a window over each channel by itself and keeps one number: the largest, or the mean. It
# has no weights. AlexNet uses windows of 3 with stride 2, so that they overlap.
#
# What is the padding of a maximum? With zeros around it, an image of negative numbers would get maxima of 0, which
# are nowhere in it. So the padding counts as $-\infty$, and never wins.
#
# ### Exercise: `max_pool2d_forward`


# %%
def max_pool2d_forward(x, kernel, stride, padding=0):
    """The largest value of each window, channel by channel.

    x: (N, C, H, W) float array.
    kernel, stride, padding: a whole number for both axes, or a pair (vertical, horizontal).
    Windows may overlap (stride < kernel). Where the last step does not fit, it is left out (floor).
    Padding is at most half the kernel, and never wins: it counts as −∞.

    Returns out: (N, C, OH, OW) array.
    """
    ### BEGIN SOLUTION
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(value, 2) for value in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
    return windows[:, :, ::sh, ::sw].max(axis=(4, 5))
    ### END SOLUTION


# %% points=4
check(max_pool2d_forward)

# %% [markdown]
# With the mean, a zero of the padding is harmless only in the sum. By what should one divide, near the border: by the
# whole window, or by the pixels in it that belong to the image? PyTorch's default is the whole window.
#
# ### Exercise: `avg_pool2d_forward`


# %%
def avg_pool2d_forward(x, kernel, stride, padding=0):
    """The mean of each window, channel by channel.

    x: (N, C, H, W) float array.
    kernel, stride, padding: a whole number for both axes, or a pair (vertical, horizontal).
    Windows may overlap (stride < kernel). Where the last step does not fit, it is left out (floor).
    Padding adds zeros, at most half the kernel on each side. They count as members of the window: every sum is
    divided by kh · kw.

    Returns out: (N, C, OH, OW) array.
    """
    ### BEGIN SOLUTION
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(value, 2) for value in (kernel, stride, padding))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
    return windows[:, :, ::sh, ::sw].mean(axis=(4, 5))
    ### END SOLUTION


# %% points=3
check(avg_pool2d_forward)

# %% [markdown]
# See what the padding does to both, and a mean over everything.


# %% tags=["display-only"]
def what_padding_does():
    largest, mean = working("max_pool2d_forward"), working("avg_pool2d_forward")
    minus, ones = -np.ones((1, 1, 4, 4)), np.ones((1, 1, 4, 4))
    print("maximum of an image of −1, 3 × 3, padding 1, first row:", largest(minus, 3, 1, 1)[0, 0, 0])
    print("mean of an image of 1, 3 × 3, padding 1, first row:    ", mean(ones, 3, 1, 1)[0, 0, 0].round(3))
    maps = np.arange(2 * 3 * 4, dtype=float).reshape(1, 2, 3, 4)
    print("global average, a window as large as the map:          ", mean(maps, (3, 4), 1).ravel())


what_padding_does()

# %% [markdown]
# The corner has 4 pixels of 9: a bright image gets a dark frame. The last line is *global* average pooling, one
# number for each channel. It replaced the fully connected layers in later networks, and with them the largest part of
# the parameters. (Lin, Chen and Yan, "Network in Network", 2013.)
#
# **Backward.** The maximum changes only with the pixel that won. So its gradient goes to that pixel, and nothing to
# the others. Where windows overlap, a pixel can win several times, and adds up. But what if two pixels are equal?

# %% tags=["display-only"]
predict(
    "ties",
    "Windows of 2 × 2 with stride 2 lie over the 8 × 8 digits. In what share of the windows do several pixels tie "
    "for the maximum?",
    ["almost none: ties are a curiosity", "about one in ten", "about four in ten", "almost all"],
)


# %% tags=["display-only"]
def count_the_ties():
    import torch

    images = digits.train.images
    windows = images.reshape(-1, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4).reshape(-1, 4)
    winners = (windows == windows.max(axis=1, keepdims=True)).sum(axis=1)
    print(f"windows with a tie: {100 * np.mean(winners > 1):.1f} %, on average {winners.mean():.2f} winners per window")
    zeros = torch.zeros(1, 1, 2, 2, dtype=torch.float64, requires_grad=True)
    torch.nn.functional.max_pool2d(zeros, 2).sum().backward()
    print("PyTorch's gradient for a window of four zeros:", zeros.grad.flatten().tolist())
    reveal("ties", 2, "The background is exactly 0. So is everything that a ReLU has cut off.")


count_the_ties()

# %% [markdown]
# If every winner got the whole gradient, a layer would hand back more than it was given: on these digits about twice
# as much, from nowhere. PyTorch gives it to the first one. Equal shares are right too: any way of handing it out
# *once* is.
#
# ### Exercise: `max_pool2d_backward`


# %%
def max_pool2d_backward(grad_out, x, kernel, stride, padding=0):
    """The gradient of a loss L with respect to x through max_pool2d_forward(x, kernel, stride, padding).

    grad_out: (N, C, OH, OW) array, ∂L/∂out. x: (N, C, H, W) float array.
    kernel, stride, padding: a whole number for both axes, or a pair (vertical, horizontal).
    Windows may overlap; a pixel that wins in several of them collects the gradient of each.
    Where pixels of a window tie for its maximum, its gradient is handed out once: to one of them, whichever you
    like, or in equal shares.

    Returns grad_x: (N, C, H, W) array. The arrays that come in must not be changed.
    """
    ### BEGIN SOLUTION
    (kh, kw), (sh, sw), (ph, pw) = (np.broadcast_to(value, 2) for value in (kernel, stride, padding))
    (H, W), (OH, OW) = x.shape[2:], grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    winner = windows.reshape(*grad_out.shape, kh * kw).argmax(axis=-1)  # (N, C, OH, OW): i · kw + j, the first if tied
    grad_padded = np.zeros(padded.shape)
    for i in range(kh):
        for j in range(kw):
            touched = np.s_[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]  # place (i, j) of every window
            grad_padded[touched] += grad_out * (winner == i * kw + j)
    return grad_padded[:, :, ph : ph + H, pw : pw + W]
    ### END SOLUTION


# %% points=7
check(max_pool2d_backward)

# %% [markdown]
# With a gradient of 1 for every output, it counts in how many windows a pixel wins.


# %% tags=["display-only"]
def who_wins(index=3):
    forward, backward = working("max_pool2d_forward"), working("max_pool2d_backward")
    image = digits.train.images[index : index + 1]
    fig, axes = figure(1, 4, size=(10, 2.9), images=True)
    axes[0].imshow(image[0, 0], cmap="gray_r", vmin=0, vmax=1)
    axes[0].set_title("digit")
    for ax, (title, kernel, stride) in zip(
        axes[1:], (("2 × 2, stride 2", 2, 2), ("3 × 3, stride 2", 3, 2), ("3 × 3, stride 1", 3, 1)), strict=True
    ):
        out = forward(image, kernel, stride)
        wins = backward(np.ones_like(out), image, kernel, stride)
        ax.imshow(wins[0, 0], cmap="cividis", vmin=0, vmax=9)
        for y, x in np.argwhere(wins[0, 0] > 0):
            color = "black" if wins[0, 0, y, x] > 4 else "white"
            ax.text(x, y, f"{wins[0, 0, y, x]:.2g}", ha="center", va="center", fontsize=7, color=color)
        ax.set_title(title)
        print(f"{title}: {out.size} windows, {np.count_nonzero(wins)} pixels of 64 get a gradient, sum {wins.sum():g}")
    show(
        fig,
        alt="A digit, and in how many windows each of its pixels has the largest value. With 2 by 2 windows side by "
        "side, no pixel can win twice. With 3 by 3 windows at stride 2 fewer pixels win. At stride 1 a few dark "
        "pixels win in many windows.",
    )


who_wins()

# %% [markdown]
# With 2 × 2 windows and stride 2, pooling "discards exactly 75 % of the activations", as the lecture has it. Apart
# from ties, they get no gradient either: the kernel learns from the places that won.

# %% [markdown]
# ## 9 · Local response normalization
#
# AlexNet divides each activation $a$ by what goes on in the $n$ neighbouring channels at the same pixel, after
# the ReLU of its first two layers:
#
# $$b_{c} = a_{c} \Big/ \Big(k + \alpha \sum_{c'} a_{c'}^2\Big)^{\beta}, \qquad
# |c' - c| \le \tfrac{n-1}{2}, \tag{10}$$
#
# with $k = 2$, $n = 5$, $\alpha = 10^{-4}$, $\beta = 0.75$. At the first and last channels the sum has fewer terms.
# (Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012, section
# 3.3.)
#
# ### Exercise: `local_response_norm`


# %%
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """Local response normalization across channels, as in the AlexNet paper (section 3.3).

    x: (N, C, H, W) float array, the activations a. size: an odd number n of neighbouring channels.

    Returns an array of x's shape: a / (k + alpha · S) ** beta. S adds up the squares of a at the same pixel over the
    channels c − (n − 1)/2 … c + (n − 1)/2 that exist. alpha is not divided by n.
    """
    ### BEGIN SOLUTION
    half = size // 2
    squares = np.pad(x**2, ((0, 0), (half, half), (0, 0), (0, 0)))  # channels that do not exist add nothing
    total = np.lib.stride_tricks.sliding_window_view(squares, size, axis=1).sum(axis=-1)  # (N, C, H, W)
    return x / (k + alpha * total) ** beta
    ### END SOLUTION


# %% points=4
check(local_response_norm)

# %% [markdown]
# PyTorch has a layer of that name, with the same arguments. Is it the same?

# %% tags=["display-only"]
predict(
    "which alpha",
    "The paper has α = 1e-4 and n = 5. Which `alpha` must `torch.nn.LocalResponseNorm(5, alpha=…, beta=0.75, k=2)` "
    "be given to compute the same?",
    ["1e-4", "5e-4", "2e-5", "no value does it"],
)


# %% tags=["display-only"]
def two_readings_of_alpha():
    import torch

    ours, rng = working("local_response_norm"), np.random.default_rng(0)
    a = np.maximum(rng.normal(scale=60, size=(2, 96, 5, 5)), 0)  # large: raw pixels go up to 255
    for alpha in (1e-4, 5e-4, 2e-5):
        theirs = torch.nn.LocalResponseNorm(5, alpha=alpha, beta=0.75, k=2.0)(torch.from_numpy(a)).numpy()
        factor = theirs[a > 0] / ours(a)[a > 0]
        print(f"PyTorch with alpha = {alpha:g}: {factor.min():.3f} to {factor.max():.3f} times the paper's")

    strength = np.linspace(0, 300, 301)
    equal = np.broadcast_to(strength[None, None, None, :], (1, 5, 1, 301)).copy()  # five channels, equally active
    fig, ax = figure(size=(6.6, 3.7))
    for label, settings, style, color in (
        ("paper: α = 1e-4, k = 2", {}, "-", palette.blue),
        ("α divided by n", {"alpha": 1e-4 / 5}, "--", palette.vermillion),
        ("α divided by n, k = 1 (PyTorch's defaults)", {"alpha": 1e-4 / 5, "k": 1.0}, "-.", palette.orange),
    ):
        ax.plot(strength, ours(equal, **settings)[0, 2, 0], style, color=color, label=label)
    ax.set(xlabel="activation of all five channels", ylabel="output", title="What the normalization lets through")
    ax.legend()
    show(
        fig,
        alt="Output of the normalization against an activation that all five channels share. The paper's curve rises "
        "to 23 at about 90 and falls slowly. With alpha divided by n it rises to 52. With k = 1 besides, "
        "PyTorch's defaults, it rises to 62.",
    )
    reveal("which alpha", 1, "PyTorch divides alpha by the window's size. Its default k is 1, the paper's is 2.")


two_readings_of_alpha()

# %% [markdown]
# The blue curve bends down: when all five channels are very active, they hold each other down. With α divided by $n$
# that happens much later. With $k = 1$ even small activations come out $2^{0.75} \approx 1.68$ times as large. If you
# load AlexNet's weights into a network with the wrong reading, nothing fails, and every number after it is off.
#
# **Before or after the pooling?** The paper normalizes, then pools. The lecture's table pools, then normalizes.


# %% tags=["display-only"]
def norm_and_pool():
    norm, largest = working("local_response_norm"), working("max_pool2d_forward")
    a = np.maximum(np.random.default_rng(1).normal(scale=60, size=(2, 96, 15, 15)), 0)
    paper, lecture = largest(norm(a), 3, 2), norm(largest(a, 3, 2))
    share = lecture[paper > 0] / paper[paper > 0]
    low, middle, high = share.min(), np.median(share), share.max()
    print(f"the lecture's order gives {low:.2f} to {high:.2f} times what the paper's gives, median {middle:.2f}")
    print(f"numbers to normalize after conv1: paper {55 * 55 * 96:,d}, lecture {27 * 27 * 96:,d}")


norm_and_pool()

# %% [markdown]
# The two orders disagree, and the lecture's never gives more. When the pooling comes first, each neighbour enters
# (10) with its largest value in the whole window, from whichever pixel, so the divisor can only grow. But it is
# cheaper: a quarter of the numbers.

# %% [markdown]
# ## 10 · Experiment: what sharing is good for
#
# Three networks learn the digits from 1197 images of 12 × 12, with the digit in the middle. Then we move the test
# digits by 1 or 2 pixels up, down, left or right. None of the networks has seen such a thing.
#
# - **dense**: 144 pixels, 32 ReLU units, 10 classes;
# - **conv, small pool**: 20 kernels of 5 × 5 with padding 4, ReLU, max pooling 2 × 2, all of it connected to 10
#   classes;
# - **conv, global pool**: the same kernels and ReLU, then the maximum of each whole map: 20 numbers, connected to 10
#   classes. So the network knows which features are there, and not where.

# %% tags=["display-only"]
predict(
    "two pixels",
    "The test digits are 2 pixels away from where the training digits were. "
    "What is the accuracy of the three networks?",
    [
        "All three fall to guessing, 10 %.",
        "dense falls to about 10 %, both convolutional networks keep their accuracy.",
        "dense and small pool fall below 20 %, global pool keeps its accuracy.",
        "All three keep their accuracy.",
    ],
)


# %% tags=["display-only"]
def moved_digits(starts=4, epochs=3, batch_size=32, learning_rate=0.1, kernels=20):
    from time import perf_counter

    from course_utils.checks.registry import find

    def on_canvas(images, down=0, right=0):  # (N, 1, 12, 12), the digit moved from the middle
        canvas = np.zeros((len(images), 1, 12, 12))
        canvas[:, :, 2 + down : 10 + down, 2 + right : 10 + right] = images
        return canvas

    def quick_enough(name, *inputs, seconds=0.2):
        f, times = working(name), []
        while len(times) < 2 and min(times, default=0) < 10 * seconds:  # a very slow call is not repeated
            begin = perf_counter()
            f(*inputs)
            times.append(perf_counter() - begin)
        one_batch = min(times) * batch_size / few
        if one_batch > seconds:
            print(f"{name} takes {one_batch:.1f} s for one batch, and there are {batches:,d}: PyTorch stands in.")
            return find(name).replacement()
        return f

    x, labels = on_canvas(digits.train.images), digits.train.labels
    batches = 2 * starts * epochs * -(-len(x) // batch_size)
    few = 4  # images are enough to time a function
    sample, maps, weight = x[:few], np.ones((few, kernels, 16, 16)), np.ones((kernels, 1, 5, 5))
    conv_forward = quick_enough("conv2d_forward", sample, weight, np.zeros(kernels), 1, 4)
    conv_backward = quick_enough("conv2d_backward", maps, sample, weight, 1, 4)
    pool_forward = quick_enough("max_pool2d_forward", maps, 2, 2)
    pool_backward = quick_enough("max_pool2d_backward", maps[:, :, :8, :8], maps, 2, 2)

    def head(features, p, labels):  # softmax cross-entropy: probabilities, and the gradient of the features
        logits = features @ p["w"].T + p["b"]
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        if labels is None:
            return shares, None, {}
        error = (shares - np.eye(10)[labels]) / len(labels)
        return shares, error @ p["w"], {"w": error.T @ features, "b": error.sum(axis=0)}

    def dense(p, x, labels=None):
        flat = x.reshape(len(x), -1)
        before = flat @ p["w1"].T + p["b1"]
        shares, back, grads = head(np.maximum(before, 0), p, labels)
        if labels is not None:
            back = back * (before > 0)
            grads |= {"w1": back.T @ flat, "b1": back.sum(axis=0)}
        return shares, grads

    def convolutional(p, x, labels=None, window=2):
        before = conv_forward(x, p["w1"], p["b1"], 1, 4)  # (N, kernels, 16, 16)
        active = np.maximum(before, 0)
        pooled = pool_forward(active, window, window)
        shares, back, grads = head(pooled.reshape(len(x), -1), p, labels)
        if labels is not None:
            back = pool_backward(back.reshape(pooled.shape), active, window, window) * (before > 0)
            _, grads["w1"], grads["b1"] = conv_backward(back, x, p["w1"], 1, 4)
        return shares, grads

    networks = {
        "dense": (dense, (32, 144), 32, palette.orange, "o--"),
        "conv, small pool": (convolutional, (kernels, 1, 5, 5), kernels * 64, palette.sky, "s-."),
        "conv, global pool": (
            lambda *args: convolutional(*args, window=16),
            (kernels, 1, 5, 5),
            kernels,
            palette.blue,
            "^-",
        ),
    }
    fig, ax = figure(size=(6.8, 4))
    for shift, (name, (network, shape, features, color, style)) in zip((-0.04, 0, 0.04), networks.items(), strict=True):
        accuracies = np.zeros((starts, 3))
        for seed in range(starts):
            rng = np.random.default_rng(seed)
            p = {"w1": rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:])), "b1": np.zeros(shape[0])}
            p |= {"w": rng.normal(size=(10, features)) / np.sqrt(features), "b": np.zeros(10)}
            velocity = dict.fromkeys(p, 0.0)
            for _ in range(epochs):
                shuffled = rng.permutation(len(x))
                for batch in np.split(shuffled, range(batch_size, len(x), batch_size)):
                    _, grads = network(p, x[batch], labels[batch])
                    for key in p:
                        velocity[key] = 0.9 * velocity[key] - learning_rate * grads[key]  # momentum: notebook 04
                        p[key] += velocity[key]
            for pixels in range(3):
                moves = {(pixels, 0), (-pixels, 0), (0, pixels), (0, -pixels)}
                right = [
                    network(p, on_canvas(digits.test.images, *move))[0].argmax(axis=1) == digits.test.labels
                    for move in moves
                ]
                accuracies[seed, pixels] = np.mean(right)
        mean, spread = accuracies.mean(axis=0), accuracies.std(axis=0, ddof=1)
        ax.errorbar(np.arange(3) + shift, mean, spread, fmt=style, color=color, capsize=3, label=name)
        size = sum(value.size for value in p.values())
        results = ", ".join(f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, spread, strict=True))
        print(f"{name:18s} {size:6,d} parameters; moved by 0, 1, 2 pixels: {results}")
    ax.axhline(0.1, color=palette.black, linestyle=":", linewidth=1)
    ax.set(xlabel="pixels by which the test digits are moved", ylabel="accuracy on 300 test digits", ylim=(0, 1.02))
    ax.set(title=f"Trained on digits in the middle, {starts} starts", xticks=range(3))
    ax.legend(loc="center left")
    show(
        fig,
        alt="Accuracy on test digits against the pixels by which they are moved, mean and standard deviation of four "
        "starts. The dense network falls from 0.94 to 0.44 after one pixel and to 0.1, the level of guessing "
        "(dotted), after two. The convolution with small pooling falls from 0.97 to 0.6 and to 0.16. The one with "
        "global pooling stays at about 0.9.",
    )


moved_digits()

# %% tags=["display-only"]
reveal(
    "two pixels",
    2,
    "A convolution moves its output along with the digit. Only the global maximum forgets where it was found.",
)

# %% [markdown]
# The bars show the spread over four starts. Three networks, three answers:
#
# - **dense**: a weight belongs to a pixel. One pixel further, more than half of the digits are lost; after two it
#   guesses.
# - **conv, small pool**: the maps move along with the digit, but the last layer has its own weight for every place in
#   them. That is only a little better.
# - **conv, global pool**: the same accuracy everywhere, to the last decimal. The padding of 4 sees to it that every
#   window which touches the digit is there wherever the digit is. It has 730 parameters, the dense one 4,970.
#
# Forgetting the place has its price: in the middle, the small pool is right on 97 % and the global one on about 90 %.
# Two things make a mean of 0.90 uncertain: the four starts, by $0.042/\sqrt 4 = 0.02$, and the choice of 300 test
# digits, by $\sqrt{0.9 \cdot 0.1/300} = 0.017$. So the gap of 0.07 to the small pool is hardly chance. The gap of 0.03
# to the dense network may well be.
#
# Networks in practice pool a little at a time, and see moved images in training (notebook 07).

# %% [markdown]
# ## 11 · Find the bug
#
# A colleague wrote this backward pass, and tried it on one image, with a kernel of 2 × 2 and stride 2. All gradients
# were right.


# %%
def broken_conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (N, C, H, W), (kh, kw), (OH, OW) = x.shape, weight.shape[2:], grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    grad_rows = grad_out.reshape(len(weight), N * OH * OW)
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    for i in range(kh):
        for j in range(kw):
            touched = np.s_[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]
            columns = padded[touched].transpose(0, 2, 3, 1).reshape(N * OH * OW, C)
            grad_weight[:, :, i, j] = grad_rows @ columns
            grad_padded[touched] = np.einsum("nohw,oc->nchw", grad_out, weight[:, :, i, j])
    grad_x = grad_padded[:, :, ph : ph + H, pw : pw + W]
    return grad_x, grad_weight, grad_out.sum(axis=(0, 2, 3))


# %% tags=["display-only"]
def look_at_the_broken_one():
    forward, rng, h = working("conv2d_forward"), np.random.default_rng(3), 1e-5
    for images, stride in ((1, 2), (1, 1), (2, 2), (2, 1)):
        inputs = {"x": rng.normal(size=(images, 3, 6, 8)), "weight": rng.normal(size=(4, 3, 2, 2)), "bias": np.zeros(4)}
        Q = rng.normal(size=forward(*inputs.values(), stride).shape)
        claimed = broken_conv2d_backward(Q, inputs["x"], inputs["weight"], stride)
        print(f"N = {images}, stride {stride}: ", end="")
        for (name, value), grad in zip(inputs.items(), claimed, strict=True):
            step = h * rng.normal(size=value.shape)
            above, below = (forward(*{**inputs, name: value + s * step}.values(), stride) for s in (1, -1))
            agrees = np.isclose(np.sum(Q * (above - below)) / 2, np.sum(grad * step), rtol=1e-6, atol=1e-12)
            print(f"grad_{name} {'agrees' if agrees else 'IS WRONG'}", end=", " if name != "bias" else "\n")


look_at_the_broken_one()

# %% [markdown]
# Two things are wrong, and each hides in a case that the colleague did not try. Copy the body here and mend it.
# Change as little as you can.
#
# ### Exercise: `repaired_conv2d_backward`


# %%
def repaired_conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    """The backward pass of a convolution layer, mended.

    grad_out: (N, O, OH, OW) array, ∂L/∂out. x: (N, C, H, W) float array. weight: (O, C, kh, kw) array.
    stride, padding: a whole number for both axes, or a pair (vertical, horizontal).

    Returns (grad_x, grad_weight, grad_bias), of shapes (N, C, H, W), (O, C, kh, kw) and (O,).
    """
    ### BEGIN SOLUTION
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (N, C, H, W), (kh, kw), (OH, OW) = x.shape, weight.shape[2:], grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    # Channels come first before the reshape: without that it mixed them with the images, unseen for N = 1.
    grad_rows = grad_out.transpose(1, 0, 2, 3).reshape(len(weight), N * OH * OW)
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    for i in range(kh):
        for j in range(kw):
            touched = np.s_[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]
            columns = padded[touched].transpose(0, 2, 3, 1).reshape(N * OH * OW, C)
            grad_weight[:, :, i, j] = grad_rows @ columns
            # += adds up all windows that hold a pixel: = kept the last one, unseen while they do not overlap.
            grad_padded[touched] += np.einsum("nohw,oc->nchw", grad_out, weight[:, :, i, j])
    grad_x = grad_padded[:, :, ph : ph + H, pw : pw + W]
    return grad_x, grad_weight, grad_out.sum(axis=(0, 2, 3))
    ### END SOLUTION


# %% points=5
check(repaired_conv2d_backward)

# %% [markdown]
# Both bugs give the right shapes. Test a convolution with at least two images, more channels than one, windows that
# overlap, a stride above 1, and height and width that differ, in the image and in the kernel.

# %% [markdown]
# ## 12 · In your own words
#
# This question is read by a person. A few sentences with formulas are enough; you need no code.
#
# A row $x = (x_0, x_1, x_2, x_3, x_4)$ of five numbers, a kernel $w = (p, q, r)$, stride 2, padding 1, no bias.
#
# 1. Write the layer as $\text{out} = M x$ with a matrix $M$. What does *sharing* mean for the entries of $M$, and
#    what does *looking through a window* mean?
# 2. Let $G = (G_0, G_1, \dots)$ be $\partial L/\partial\,\text{out}$. Give $\partial L/\partial x$ and
#    $\partial L/\partial q$, and say in words why each is a sum.
# 3. The row grows to 501 numbers. What happens to the number of parameters, and to the number of
#    multiply–accumulates?

# %% [markdown] written="shared_weights" points=4
# **Model answer.** 1. The padded row is $(0, x_0, \dots, x_4, 0)$, and there are
# $\lfloor(5 - 3 + 2)/2\rfloor + 1 = 3$ outputs:
#
# $$M = \begin{pmatrix} q & r & 0 & 0 & 0 \\ 0 & p & q & r & 0 \\ 0 & 0 & 0 & p & q \end{pmatrix}.$$
#
# Looking through a window means that most entries are 0 and never learn: an output has no connection to what is
# outside its window. Sharing means that the other entries are not independent: the same three numbers stand in every
# row, each time two places further to the right (the stride).
#
# 2. As for any affine layer, $\partial L/\partial x = M^T G = (qG_0,\; rG_0 + pG_1,\; qG_1,\; rG_1 + pG_2,\; qG_2)$.
#    An input that lies in two windows changes two outputs, and the chain rule adds up both ways.
#    $\partial L/\partial q = G_0 x_0 + G_1 x_2 + G_2 x_4$: $q$ is used once in every output, so it collects from all
#    of them.
#
# 3. The parameters stay three. The outputs become $\lfloor(501 - 3 + 2)/2\rfloor + 1 = 251$, so (3) gives
#    $3 \cdot 251 = 753$ multiply–accumulates where there were 9: they grow with the size.
#
# **Marking.** 1 point: $M$. 1 point: zeros for the window, equal entries for sharing. 1 point: both gradients, with
# the sum over uses as the reason. 1 point: parameters stay at 3, the computation grows 84-fold, from 9 to 753
# (counting without the products with padded zeros, from 7 to 751, is right too). Follow-up errors cost nothing.

# %% [markdown]
# ## Where you are
#
# The exercises have 96 points, and 4 are for the written question, which a person marks.

# %% tags=["display-only"]
progress()

# %% [markdown]
# **The next notebook**, *Keeping signals alive*, asks how weights must start so that neither signals nor gradients
# die out in many layers. It uses three things from here:
#
# - the number of products in one output, $C k_h k_w$: the *fan-in*. It decides how large an output is;
# - the number of outputs in which an input is used: the *fan-out*. It decides how large a gradient is;
# - the backward pass as a matrix product with the same weights.
#
# **To read next**
#
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document Recognition" (1998),
#   section II: LeNet-5, with every number that you counted.
# - V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning" (2016): all the pictures.
# - A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet Classification with Deep Convolutional Neural Networks" (2012).
#   You can now check its Figure 2.
# - K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition" (2014), section
#   2.3, for $27C^2$ against $49C^2$.
# - K. Chellapilla, S. Puri, P. Simard, "High Performance Convolutional Neural Networks for Document Processing"
#   (2006), for `im2col`.
