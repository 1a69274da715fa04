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
# # Keeping signals alive: how to start a deep network
#
# Take ten layers of 500 units each, draw the weights from a normal distribution of standard deviation 0.01, and send
# noise of standard deviation 1 through. What leaves the tenth layer is three million times smaller. Nothing is wrong
# with the network except the numbers it starts with. This notebook finds better ones.
#
# **When you are done**, you can
#
# - say what each common activation function does to signals and to gradients, and what is wrong with it;
# - derive the scale of the weights (Xavier's, He's, and the gain for any activation) instead of looking it up;
# - measure how signals and gradients fare in a deep network, with the sampling error of the measurement;
# - find dead units, rescale layers on real data, and standardize and whiten inputs;
# - explain why a network must not start at zero or at any other constant.
#
# **You need** NumPy, the chain rule, mean and variance, and the normal distribution. The backward pass of a layer is
# used here and recalled where it is needed. You need no GPU and no internet connection.
#
# **Time**: about 6 hours. The exercises and the written question take 250 minutes, the rest is reading and looking.

# %% [markdown]
# ## How this notebook works
#
# - Run the cells from top to bottom with Shift+Enter.
# - In an exercise, write your code in place of `raise NotImplementedError()`. Run the cell, then the `check`
#   below it. The check tells you what holds, and often which idea went wrong. The first check of all may take some
#   seconds, because it waits for PyTorch.
# - Write solutions in NumPy alone; return arrays, not lists, unless the text asks for a list. Arrays that come in may
#   hold whole numbers.
# - A function must not change the arrays it is given.
# - `hint(activation)` gives three hints, one at a time. `reset(activation)`, as the last line of the exercise's cell,
#   brings the stub back and keeps your code in a comment. `solution(activation)` shows a reference where the course
#   has it. The same goes for every other exercise.
# - A `NameError` from a check or hint means that a cell above has not been run, or the kernel was restarted.
# - Where a question asks you to predict, choose an answer before you run the next cell. From the keyboard, Tab
#   goes from answer to answer and Space chooses.
# - No exercise depends on another. You may call your own earlier functions, but you need not. Pictures and
#   experiments use your function where it passed its check, and the course's version where it has not. They say which.

# %% [markdown]
# | exercise | points | difficulty | importance | minutes |
# |---|---|---|---|---|
# | `activation` | 6 | 2 | 4 | 20 |
# | `activation_gradient` | 6 | 2 | 4 | 15 |
# | `maxout` | 4 | 2 | 2 | 10 |
# | `prelu_backward` | 6 | 2 | 3 | 10 |
# | `fans` | 4 | 1 | 4 | 5 |
# | `xavier_normal` | 6 | 2 | 5 | 10 |
# | `xavier_uniform` | 5 | 2 | 3 | 10 |
# | `he_normal` | 6 | 2 | 5 | 10 |
# | `he_uniform` | 4 | 2 | 3 | 10 |
# | `forward_statistics` | 6 | 2 | 5 | 15 |
# | `gradient_statistics` | 8 | 3 | 5 | 20 |
# | `empirical_gain` | 3 | 1 | 4 | 10 |
# | `dead_relu_fraction` | 5 | 2 | 4 | 10 |
# | `lsuv` | 7 | 3 | 4 | 20 |
# | `standardize` | 5 | 2 | 5 | 15 |
# | `pca_whiten` | 7 | 3 | 3 | 20 |
# | `symmetry_classes` | 4 | 2 | 4 | 15 |
# | `repaired_he_normal` | 4 | 2 | 3 | 10 |
# | written question: a faint network | 4 | 3 | 4 | 15 |
#
# Difficulty and importance go from 1 to 5. Run the next cell before anything else.

# %%
import numpy as np

from course_utils import check, hint, predict, progress, reset, reveal, solution, working
from course_utils.data import load_digits
from course_utils.plots import figure, palette, show

digits = load_digits()
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu")

# %% [markdown]
# ## 1 · Activation functions and their ills
#
# A layer multiplies by its weights and then applies an *activation* $\varphi$ to every number:
#
# $$z = W h + b, \qquad h' = \varphi(z).$$
#
# We call $z$ the *pre-activation*. The five most common choices are
#
# | name | $\varphi(z)$ | source |
# |---|---|---|
# | sigmoid | $1/(1+e^{-z})$ | the oldest, a smooth step |
# | tanh | $\tanh z$ | LeCun et al., *Efficient BackProp*, 1998 |
# | ReLU | $\max(0, z)$ | Nair and Hinton, 2010 |
# | leaky ReLU | $z$ if $z>0$, else $s\,z$ | Maas, Hannun and Ng, 2013 |
# | ELU | $z$ if $z>0$, else $\alpha(e^{z}-1)$ | Clevert, Unterthiner and Hochreiter, 2015 |
#
# The lecture gives two values for the leaky slope $s$: one slide has 0.1, another 0.01. We use 0.01, as Maas and
# PyTorch do, and come back to the difference. For the ELU, $\alpha = 1$.
#
# One trap is numerical: $e^{1000}$ overflows. Rewrite the formulas so that no exponent is ever large and positive.
# For the sigmoid, multiply numerator and denominator by $e^{z}$ and see which form is safe for which sign.
#
# ### Exercise: `activation`


# %%
def activation(name, x):
    """An activation function, applied to every element of x.

    name: "sigmoid", "tanh", "relu", "leaky_relu" (slope 0.01 below zero) or "elu" (α = 1).
    x: array of any shape; it may hold whole numbers and be as large as ±1000.

    Returns a new array of the shape of x. It holds numbers, not booleans.
    No exp may overflow on the way. NumPy only warns of that and goes on; the check stops there.
    Raises ValueError with the name in its message where it is none of the five.
    """
    ### BEGIN SOLUTION
    x = np.asarray(x, dtype=float)
    if name == "sigmoid":
        decay = np.exp(-np.abs(x))  # between 0 and 1: never overflows
        return np.where(x >= 0, 1.0, decay) / (1 + decay)
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0.0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    if name == "elu":
        return np.where(x > 0, x, np.expm1(np.minimum(x, 0.0)))  # where takes both branches: keep exp's input small
    raise ValueError(f"there is no activation called {name!r}")
    ### END SOLUTION


# %% points=6
check(activation)

# %% [markdown]
# You can now ask what an activation does to a signal. Feed it standard normal numbers.


# %% tags=["display-only"]
def what_comes_out():
    phi, z = working("activation"), np.random.default_rng(0).normal(size=200_000)
    for name in ACTIVATIONS:
        out = phi(name, z)
        print(f"{name:10s} mean {out.mean():6.3f}   std {out.std():.3f}   share exactly 0: {np.mean(out == 0):.2f}")


what_comes_out()

# %% [markdown]
# In goes mean 0. Out comes 0.5 for the sigmoid and 0.4 for the ReLU: they are *not zero-centred*. Suppose that all
# inputs $h_i$ of a unit are positive. The gradient of its weights is $\delta\,h_i$, with one $\delta$ for the unit. So
# all its weights want to grow together or to shrink together, and a direction with mixed signs is only reached in
# zigzags (*Efficient BackProp*, §4.3).
#
# The other ill is in the slope. Backward, every layer multiplies the gradient by $\varphi'(z)$.

# %% tags=["display-only"]
predict(
    "ten sigmoids",
    "A gradient goes back through a chain of ten sigmoids, with all weights 1. By which factor is it multiplied "
    "at most?",
    ["1: the sigmoid's steepest slope is 1", "about 0.1", "about 0.001", "about 0.000001"],
)

# %% [markdown]
# Differentiate the five functions. For the sigmoid, $\sigma' = \sigma(1-\sigma)$; for tanh, $1-\tanh^2$.
#
# ### Exercise: `activation_gradient`


# %%
def activation_gradient(name, x):
    """The derivative of an activation function at every element of x.

    name: "sigmoid", "tanh", "relu", "leaky_relu" (slope 0.01 below zero) or "elu" (α = 1).
    x: array of any shape, what goes *into* the activation; it may hold whole numbers and be as large as ±1000.

    Returns a new array of the shape of x: φ′(x), not yet multiplied by any gradient from above. It holds numbers,
    not booleans.
    At exactly 0, ReLU and leaky ReLU have a kink. Any slope between the left and the right one is accepted there.
    No exp may overflow on the way. NumPy only warns of that and goes on; the check stops there.
    Raises ValueError with the name in its message where it is none of the five.
    """
    ### BEGIN SOLUTION
    x = np.asarray(x, dtype=float)
    if name == "sigmoid":
        decay = np.exp(-np.abs(x))  # σ(1 − σ) is even in x
        return decay / (1 + decay) ** 2
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, 1.0, 0.0)
    if name == "leaky_relu":
        return np.where(x > 0, 1.0, 0.01)
    if name == "elu":
        return np.exp(np.minimum(x, 0.0))  # exp(0) = 1 is the slope above zero
    raise ValueError(f"there is no activation called {name!r}")
    ### END SOLUTION


# %% points=6
check(activation_gradient)


# %% tags=["display-only"]
def slopes():
    phi, slope = working("activation"), working("activation_gradient")
    z = np.linspace(-5, 5, 401)
    fig, axes = figure(1, 2, size=(10, 3.7))
    styles = dict(zip(ACTIVATIONS, ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1))), strict=True))
    for name, color in zip(ACTIVATIONS, palette, strict=False):
        axes[0].plot(z, phi(name, z), linestyle=styles[name], color=color, label=name)
        axes[1].plot(z, slope(name, z), linestyle=styles[name], color=color, label=name)
        h = 1e-5
        at = z[5::10]  # away from the kink at 0
        gap = np.abs((phi(name, at + h) - phi(name, at - h)) / (2 * h) - slope(name, at)).max()
        steepest = slope(name, z).max()
        flat = np.mean(slope(name, 2 * z) < 0.001)
        print(
            f"{name:10s} steepest {steepest:.2f}, to the tenth power {steepest**10:.0e}; flat (below 0.001) on "
            f"{flat:3.0%} of −10 to 10; largest gap to central differences {gap:.0e}"
        )
    axes[0].set(title="The function", xlabel="pre-activation z", ylim=(-1.3, 3))
    axes[1].set(title="Its slope", xlabel="pre-activation z", ylim=(-0.05, 1.1))
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    show(
        fig,
        alt="Left: the five functions from −5 to 5. Sigmoid and tanh level off on both sides, ReLU is 0 on the left, "
        "leaky ReLU almost 0, ELU falls to −1. Right: their slopes. The sigmoid's is at most 0.25, that of tanh 1 at "
        "0; both fall to 0 on both sides. ReLU, leaky ReLU and ELU have slope 1 on the right.",
    )
    reveal(
        "ten sigmoids",
        3,
        "The sigmoid's slope is at most 1/4, and (1/4)^10 = 0.00000095. Away from 0 it is much less.",
    )


slopes()

# %% [markdown]
# The ills, then: sigmoid and tanh *saturate* (slope near 0 on both sides). The sigmoid and the ReLU are not
# zero-centred. A ReLU that is off passes nothing back, and may stay off for ever: section 7 counts such *dead* units.
# Leaky ReLU and ELU never pass back exactly nothing near 0, though an ELU far on the left is flat too.
#
# **Maxout** does without a fixed shape: a unit computes $k$ affine *pieces* and returns the largest (Goodfellow et
# al., 2013). With two pieces $z$ and $0$ it is the ReLU, with $z$ and $0.01z$ the leaky one. The price: $k$ times as
# many weights.
#
# ### Exercise: `maxout`


# %%
def maxout(x, pieces):
    """Maxout: the largest of each group of consecutive features.

    x: (N, D) array, and D is a multiple of pieces. pieces: how many features make one group, at least 1.

    Returns an (N, D / pieces) array. Output j is the largest of x[:, j · pieces] … x[:, (j + 1) · pieces − 1].
    Raises ValueError with both numbers in its message where D is no multiple of pieces.
    """
    ### BEGIN SOLUTION
    examples, features = x.shape
    if features % pieces:
        raise ValueError(f"{features} features do not divide into groups of {pieces}")
    return x.reshape(examples, features // pieces, pieces).max(axis=2)
    ### END SOLUTION


# %% points=4
check(maxout)

# %% [markdown]
# You can now build any convex curve from lines, as a unit could learn it.


# %% tags=["display-only"]
def maxout_of_tangents():
    largest = working("maxout")
    x = np.linspace(-2, 2, 201)
    fig, axes = figure(1, 3, size=(10, 3.0), sharey=True)
    for ax, pieces in zip(axes, (2, 3, 6), strict=True):
        at = np.linspace(-1.6, 1.6, pieces)  # the tangent of x² at a is 2ax − a²
        tangents = 2 * at * x[:, None] - at**2  # (201, pieces)
        curve = largest(tangents, pieces)[:, 0]
        ax.plot(x, tangents, color=palette.sky, linewidth=0.8)
        ax.plot(x, x**2, "--", color=palette.orange, label="x²")
        ax.plot(x, curve, color=palette.blue, label="maxout")
        ax.set(title=f"{pieces} pieces: largest gap {np.abs(curve - x**2).max():.2f}", xlabel="x", ylim=(-3, 4))
        print(f"{pieces} pieces: largest gap to x² on −2 to 2 is {np.abs(curve - x**2).max():.3f}")
    axes[0].legend(loc="upper center")
    show(
        fig,
        alt="Three panels: the square function and the maximum of 2, 3 and 6 of its tangents. With more tangents the "
        "broken line follows the parabola more closely.",
    )


maxout_of_tangents()

# %% [markdown]
# **PReLU** leaves the slope to learning. With one slope $s$ for a whole layer,
#
# $$f(x) = \begin{cases} x & x > 0 \\ s\,x & \text{otherwise.}\end{cases}$$
#
# (He et al., *Delving Deep into Rectifiers*, 2015, eq. 1.) The slope is a parameter like a weight, so the backward
# pass owes it a gradient. Ask for every element how $f$ changes when $s$ does, and remember that all elements share
# it: what is used many times collects a *sum*.
#
# ### Exercise: `prelu_backward`


# %%
def prelu_backward(grad_out, x, slope):
    """The backward pass of PReLU, f(x) = x where x > 0 and slope · x elsewhere, with one slope for the whole layer.

    grad_out: ∂L/∂out, an array of any shape. x: what went into the forward pass, the same shape.
    slope: a number, learned like a weight. It may be negative or larger than 1.

    Returns (grad_x, grad_slope): an array of the shape of x, and a single number.
    At x = 0 exactly, any derivative from slope to 1 is accepted. The arrays that come in must not be changed.
    """
    ### BEGIN SOLUTION
    positive = x > 0
    grad_x = grad_out * np.where(positive, 1.0, slope)
    grad_slope = np.sum(grad_out * np.where(positive, 0.0, x))  # every unit uses the same slope: add up
    return grad_x, grad_slope
    ### END SOLUTION


# %% points=6
check(prelu_backward)

# %% [markdown]
# Let it learn. One PReLU with slope 0.25 (He's start) sees random inputs and three targets in turn; only the slope
# moves, by gradient descent on half the mean squared error.


# %% tags=["display-only"]
def learn_the_slope(steps=60, learning_rate=0.4):
    backward, x = working("prelu_backward"), np.random.default_rng(0).normal(size=500)
    for target, name in ((np.abs(x), "|x|"), (np.maximum(x, 0), "relu(x)"), (np.where(x > 0, x, 0.1 * x), "slope 0.1")):
        slope, path = 0.25, []
        for step in range(steps + 1):
            if step in (0, 5, 15, steps):
                path.append(f"{slope:6.3f} after {step}")
            out = np.where(x > 0, x, slope * x)
            _, grad_slope = backward((out - target) / len(x), x, slope)
            slope -= learning_rate * grad_slope
        print(f"target {name:10s} slope {',  '.join(path)} steps")


learn_the_slope()

# %% [markdown]
# A PReLU finds the absolute value, the ReLU and the leaky ReLU by itself.

# %% [markdown]
# ## 2 · How large should a weight be?
#
# Take one unit, $z = \sum_i w_i h_i$, with $n_{\text{in}}$ inputs. Draw its weights independently, with mean 0 and
# variance $v$, and average over the draws. In $z^2 = \sum_{i,k} w_i w_k h_i h_k$ the mixed terms vanish, because
# $E[w_i w_k] = 0$ for $i \ne k$. What stays is
#
# $$E[z^2] = v \sum_i h_i^2 = n_{\text{in}}\, v\; \overline{h^2}, \tag{1}$$
#
# where $\overline{h^2}$ is the mean square of the inputs. Nothing was assumed about the inputs: not that they are
# normal, nor that they are independent. So a layer multiplies the mean square by $n_{\text{in}} v$, before the
# activation. Ten layers do it ten times.
#
# Backward, a layer receives the errors $\delta_j = \partial L/\partial z_j$ of its $n_{\text{out}}$ units. Input $i$
# feeds all of them, so $\partial L/\partial h_i = \sum_j w_{ji}\,\delta_j$: the same kind of sum, over the other index.
# If the errors do not depend on these weights (nearly true in a wide network at the start),
#
# $$E\!\left[\left(\frac{\partial L}{\partial h_i}\right)^{\!2}\right]
# = n_{\text{out}}\, v\; \overline{\delta^2}. \tag{2}$$
#
# The numbers $n_{\text{in}}$ and $n_{\text{out}}$ are called *fan-in* and *fan-out*. A convolution's unit sees every
# input channel at every place of its kernel, so there both count the kernel's elements.
#
# ### Exercise: `fans`


# %%
def fans(shape):
    """How many inputs and outputs a unit of a layer is connected to.

    shape: the shape of the weights, a tuple: (out, in) for a linear layer, (out, in, kernel height, kernel width)
    for a convolution, or (out, in, …) with any number of kernel axes.

    Returns (fan_in, fan_out), two numbers: in · k and out · k, where k is the number of elements of one kernel
    (1 for a linear layer), as PyTorch counts them.
    """
    ### BEGIN SOLUTION
    kernel = int(np.prod(shape[2:]))  # the product of nothing is 1
    return shape[1] * kernel, shape[0] * kernel
    ### END SOLUTION


# %% points=4
check(fans)

# %% [markdown]
# Look at the layers of AlexNet. Its authors drew every weight with standard deviation 0.01. Equation (1) says what
# each layer does to the standard deviation of a signal, $\sqrt{n_{\text{in}}} \cdot 0.01$, before any ReLU.


# %% tags=["display-only"]
def alexnet_at_the_start():
    count = working("fans")
    layers = {
        "conv1": (96, 3, 11, 11),
        "conv2": (256, 48, 5, 5),  # two groups: a unit sees half of the 96 channels
        "conv3": (384, 256, 3, 3),
        "conv4": (384, 192, 3, 3),
        "conv5": (256, 192, 3, 3),
        "fc6": (4096, 9216),
        "fc7": (4096, 4096),
        "fc8": (1000, 4096),
    }
    for name, shape in layers.items():
        fan_in, fan_out = count(shape)
        factor = 0.01 * np.sqrt(fan_in)
        print(f"{name:6s}{shape!s:18s} fan-in {fan_in:5d}  fan-out {fan_out:6d}  √fan_in · 0.01 = {factor:.2f}")


alexnet_at_the_start()

# %% [markdown]
# Every factor is below 1, and a ReLU takes its share too. (The fan-out is printed because (2) would use it, for the
# gradient on its way back.) The authors set the biases of some layers to 1, "providing
# the ReLUs with positive inputs" (Krizhevsky, Sutskever and Hinton, 2012, §5): signals that the weights do not carry.
#
# A note on convolutions: with stride $s$ an input reaches only about $k/s^2$ places of each output channel, $k$ being
# the kernel's elements. PyTorch's fan-out ignores the stride, and so do we.

# %% [markdown]
# **Xavier's compromise.** (1) wants $v = 1/n_{\text{in}}$, (2) wants $v = 1/n_{\text{out}}$. Both hold only in a square
# layer. Xavier Glorot and Yoshua Bengio (2010, eq. 12) take the mean of the two demands $n_{\text{in}}v = 1$ and
# $n_{\text{out}}v = 1$:
#
# $$v = \frac{2}{n_{\text{in}} + n_{\text{out}}}. \tag{3}$$
#
# The lecture prints this one, and in another place `randn(fan_in, fan_out) / sqrt(fan_in)`, which is
# $v = 1/n_{\text{in}}$, and calls that Xavier too. (Note the layout: the lecture's weights are (in, out), ours
# (out, in).) A further factor, the *gain* $g$, multiplies the standard deviation:
# $v = 2g^2/(n_{\text{in}} + n_{\text{out}})$.
#
# **How initializers are judged.** By statistics, never by seed: any way of drawing is right if the mean, the variance,
# the bounds and the independence of the numbers are. The check draws many weights and computes confidence bounds. They
# are so wide that a correct initializer fails less than once in a million checks, and so narrow that all mistakes in
# our list are caught. No list is complete: a check that finds nothing proves nothing. All randomness must come from
# `rng`.
#
# ### Exercise: `xavier_normal`


# %%
def xavier_normal(shape, rng, gain=1.0):
    """Weights from Xavier's normal distribution: mean 0, variance gain² · 2 / (fan_in + fan_out).

    shape: the shape of the weights, (out, in) or (out, in, kernel height, kernel width).
    rng: a numpy.random.Generator, the only source of randomness. gain: a positive number.

    Returns a new float array of that shape, every element drawn on its own.
    """
    ### BEGIN SOLUTION
    kernel = np.prod(shape[2:])
    fan_in, fan_out = shape[1] * kernel, shape[0] * kernel
    return gain * np.sqrt(2 / (fan_in + fan_out)) * rng.standard_normal(shape)
    ### END SOLUTION


# %% points=6
check(xavier_normal)

# %% [markdown]
# The same with a uniform distribution. The numbers lie evenly between $-a$ and $a$, so their density is $1/(2a)$ and
# their variance $\frac{1}{2a}\int_{-a}^{a} w^2\,dw$. Work it out, and choose $a$ for the variance you want. It is
# not $a$ itself that is the standard deviation.
#
# ### Exercise: `xavier_uniform`


# %%
def xavier_uniform(shape, rng, gain=1.0):
    """Weights drawn evenly between −a and a, with Xavier's variance gain² · 2 / (fan_in + fan_out).

    shape: the shape of the weights, (out, in) or (out, in, kernel height, kernel width).
    rng: a numpy.random.Generator, the only source of randomness. gain: a positive number.

    Returns a new float array of that shape, every element drawn on its own. Which a gives that variance is for you
    to find.
    """
    ### BEGIN SOLUTION
    kernel = np.prod(shape[2:])
    fan_in, fan_out = shape[1] * kernel, shape[0] * kernel
    bound = gain * np.sqrt(6 / (fan_in + fan_out))  # a² / 3 is the variance between −a and a
    return rng.uniform(-bound, bound, size=shape)
    ### END SOLUTION


# %% points=5
check(xavier_uniform)

# %% [markdown]
# Three rules for a network that narrows: 1000, 600, 360, 216, 130 and 78 units, without activations.

# %% tags=["display-only"]
predict(
    "funnel",
    "Each layer has 0.6 times as many outputs as inputs, and the weights have variance 2/(in + out). "
    "What becomes of the mean square of the signal, and of the gradient?",
    [
        "Both stay the same: that is what Xavier is for.",
        "The signal grows on its way forward, the gradient shrinks on its way back.",
        "The signal shrinks on its way forward, the gradient grows on its way back.",
        "Both shrink.",
    ],
)


# %% tags=["display-only"]
def funnel(seeds=10):
    xavier, widths = working("xavier_normal"), (1000, 600, 360, 216, 130, 78)
    rules = {
        "1 / in": lambda shape, rng: rng.normal(size=shape) / np.sqrt(shape[1]),
        "1 / out": lambda shape, rng: rng.normal(size=shape) / np.sqrt(shape[0]),
        "2 / (in + out)": xavier,
    }
    fig, axes = figure(1, 2, size=(10, 3.7), sharey=True)
    for (rule, draw), color, style in zip(rules.items(), palette, ("o-", "s--", "^-."), strict=False):
        forward, backward = [], []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            weights = [draw(shape, rng) for shape in zip(widths[1:], widths, strict=False)]
            h, g = rng.normal(size=(50, widths[0])), rng.normal(size=(50, widths[-1]))
            signal, gradient = [np.mean(h**2)], [np.mean(g**2)]
            for weight in weights:
                h = h @ weight.T
                signal.append(np.mean(h**2))
            for weight in reversed(weights):
                g = g @ weight
                gradient.insert(0, np.mean(g**2))
            forward.append(signal)
            backward.append(gradient)
        ends = []
        for ax, runs, end in zip(axes, (forward, backward), (-1, 0), strict=True):
            mean, spread = np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1)
            ax.errorbar(range(6), mean, spread, fmt=style, color=color, capsize=3, markersize=5, label=rule)
            ends.append(f"{mean[end]:6.3f} ± {spread[end]:.3f}")
        print(f"variance {rule:14s} signal at the end {ends[0]}   gradient at the start {ends[1]}")
    axes[0].set(title="Signal, from left to right", ylabel="mean square", yscale="log")
    axes[1].set(title="Gradient, from right to left")
    for ax in axes:
        ax.set(xlabel="units in the layer", xticks=range(6), xticklabels=widths)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, title="variance of a weight")
    show(
        fig,
        alt="Mean square of signal (left) and gradient (right) in a network that narrows from 1000 to 78 units, on a "
        "logarithmic axis, mean and standard deviation of the seeds. Variance 1/in: the signal stays at 1, the "
        "gradient falls to 0.08. Variance 1/out: the signal grows to 13, the gradient stays at 1. Variance "
        "2/(in + out): the signal grows to 3 and the gradient falls to 0.24.",
    )
    reveal(
        "funnel",
        1,
        "With out = 0.6 in, (1) gives in·v = 2/1.6 = 1.25 for each layer forward and (2) gives 0.75 for each backward.",
    )


funnel()

# %% [markdown]
# Each rule keeps just what it promises. $1/n_{\text{in}}$ keeps the signal, $1/n_{\text{out}}$ the gradient, and the
# compromise keeps neither but does less harm to each. Over the whole network the factors of the first two rules
# telescope: $78/1000$ and $1000/78$, about 0.08 and 13, however many layers lie between. In practice widths change
# little from layer to layer, and any of the three will do. What must be right is the factor that comes next.

# %% [markdown]
# ## 3 · What the ReLU takes away
#
# Let the pre-activations $z$ be distributed symmetrically around 0. The ReLU sets the negative half to 0 and keeps the
# rest, so it keeps half of the mean square:
#
# $$E[\operatorname{relu}(z)^2] = \tfrac12 E[z^2].$$

# %% tags=["display-only"]
predict(
    "halved",
    "A ReLU network of ten square layers starts with variance 1/in. The input has mean square 1. "
    "What is the mean square of the tenth layer's pre-activations, on average?",
    ["1", "about 1/10", "about 1/500", "about 1/1,000,000"],
)


# %% tags=["display-only"]
def ten_halvings(seeds=10, width=300, layers=10):
    squares = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        h, path = rng.normal(size=(100, width)), []
        for _ in range(layers):
            z = h @ rng.normal(size=(width, width)) / np.sqrt(width)
            path.append(np.mean(z**2))
            h = np.maximum(z, 0)
        squares.append(path)
    for layer in (1, 2, 3, 10):
        values = np.array(squares)[:, layer - 1]
        power = 0.5 ** (layer - 1)
        ours = f"{values.mean():.5f} ± {values.std(ddof=1):.5f}"
        print(f"layer {layer:2d}: mean square {ours}   (½)^{layer - 1} = {power:.5f}")
    reveal("halved", 2, "One ReLU lies before layer 2, nine before layer 10: (1/2)^9 = 1/512.")


ten_halvings()

# %% [markdown]
# The lecture says that Xavier "breaks when using ReLU", and this is all there is to it. The cure is to double the
# variance: $v = 2/n_{\text{in}}$ (He et al., 2015, eq. 10). With slope $s$ below zero, the negative half keeps $s^2$
# of its square, so that $E[\varphi(z)^2] = \tfrac12(1+s^2)\,E[z^2]$ and
#
# $$v = \frac{2}{(1 + s^2)\,n_{\text{in}}}. \tag{4}$$
#
# Backward the same factor appears with $n_{\text{out}}$: $\varphi'$ is 1 on one half and $s$ on the other.
# He et al. show that either choice will do, and we keep to the fan-in.
#
# ### Exercise: `he_normal`


# %%
def he_normal(shape, rng, negative_slope=0.0):
    """Weights from He's normal distribution: mean 0, variance 2 / ((1 + negative_slope²) · fan_in).

    shape: the shape of the weights, (out, in) or (out, in, kernel height, kernel width).
    rng: a numpy.random.Generator, the only source of randomness.
    negative_slope: the slope below zero of the leaky ReLU that follows; 0 for a plain ReLU.

    Returns a new float array of that shape, every element drawn on its own.
    """
    ### BEGIN SOLUTION
    fan_in = np.prod(shape[1:])  # in · kernel elements
    return np.sqrt(2 / ((1 + negative_slope**2) * fan_in)) * rng.standard_normal(shape)
    ### END SOLUTION


# %% points=6
check(he_normal)

# %% [markdown]
# Again with a uniform distribution, of the same variance. (Keras' `he_normal`, which the lecture quotes, draws from a
# normal distribution that is cut off at two standard deviations; ours is not cut off.)
#
# ### Exercise: `he_uniform`


# %%
def he_uniform(shape, rng, negative_slope=0.0):
    """Weights drawn evenly between −a and a, with He's variance 2 / ((1 + negative_slope²) · fan_in).

    shape: the shape of the weights, (out, in) or (out, in, kernel height, kernel width).
    rng: a numpy.random.Generator, the only source of randomness.
    negative_slope: the slope below zero of the leaky ReLU that follows; 0 for a plain ReLU.

    Returns a new float array of that shape, every element drawn on its own. Which a gives that variance is for you
    to find.
    """
    ### BEGIN SOLUTION
    fan_in = np.prod(shape[1:])  # in · kernel elements
    bound = np.sqrt(6 / ((1 + negative_slope**2) * fan_in))  # a² / 3 is the variance between −a and a
    return rng.uniform(-bound, bound, size=shape)
    ### END SOLUTION


# %% points=4
check(he_uniform)

# %% [markdown]
# Now the leaky slopes, the lecture's 0.1 and 0.01. Does it matter to (4) which of them the initializer believes in?


# %% tags=["display-only"]
def wrong_slope(seeds=20, width=150, layers=10):
    draw = working("he_normal")
    for slope in (0.01, 0.1):
        for believed in (0.0, 0.01, 0.1):
            squares = []
            for seed in range(seeds):
                rng = np.random.default_rng(seed)
                z = rng.normal(size=(50, width))
                for _ in range(layers):
                    z = np.where(z > 0, z, slope * z) @ draw((width, width), rng, believed).T
                squares.append(np.mean(z**2))
            exact = ((1 + slope**2) / (1 + believed**2)) ** layers
            print(
                f"slope {slope:4.2f}, initialized for {believed:4.2f}: mean square after ten layers, single networks "
                f"{np.mean(squares):.2f} ± {np.std(squares, ddof=1):.2f}, expected average {exact:.3f}"
            )


wrong_slope()

# %% [markdown]
# Initializing for the other slope changes the mean square by 10 % in ten layers. One random network differs from the
# next by a third, so you will hardly notice. Where the slope does matter is in the backward pass of the negative half:
# 0.1 lets ten times as much gradient through as 0.01.

# %% [markdown]
# ## 4 · The lecture's experiment
#
# Ten layers of 500 tanh units, weights `0.01 * randn`, no biases, 1000 inputs of standard normal noise. Measure the
# mean and the standard deviation of every layer's activations.
#
# ### Exercise: `forward_statistics`


# %%
def forward_statistics(weights, x, name):
    """Mean and standard deviation of every layer's activations.

    The network has L layers and no biases: h₀ = x, and hₗ = φ(hₗ₋₁ Wₗᵀ) for l = 1 … L.
    The last layer has the activation φ too.

    weights: list of L arrays, Wₗ of shape (outₗ, inₗ), first layer first; the widths may differ.
    x: (N, in₁) array, one example in each row.
    name: the activation φ, one of "sigmoid", "tanh", "relu", "leaky_relu", "elu", as in `activation`.

    Returns a list of L pairs (mean, std), first layer first; x itself is not listed. Both are taken over all units
    and all examples of hₗ together, and the std divides by their number (NumPy's default, ddof 0).
    """
    ### BEGIN SOLUTION
    statistics = []
    h = x
    for weight in weights:
        h = activation(name, h @ weight.T)  # (N, outₗ)
        statistics.append((h.mean(), h.std()))
    return statistics
    ### END SOLUTION


# %% points=6
check(forward_statistics)

# %% [markdown]
# While a signal is small, $\tanh z \approx z$, and (1) says that each layer multiplies its standard deviation by
# $0.01\sqrt{500} = 0.2236$. The lecture prints its table to six decimals. Its last line reads "std 0.000000", and the
# slide concludes: "All activations become zero!"

# %% tags=["display-only"]
predict(
    "all zero",
    "What is the standard deviation of the tenth layer's activations?",
    ["exactly 0", "about 0.0000003", "about 0.00002"],
)


# %% tags=["display-only"]
def lecture_table(seeds=10):
    measure = working("forward_statistics")
    lecture = (0.213081, 0.047551, 0.010630, 0.002378, 0.000532, 0.000119, 0.000026, 0.000006, 0.000001, 0.000000)
    runs = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        x, weights = rng.normal(size=(1000, 500)), [0.01 * rng.normal(size=(500, 500)) for _ in range(10)]
        runs.append([std for _, std in measure(weights, x, "tanh")])
    mean, spread = np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1)
    # The lecture's value is one more draw, rounded to six decimals; our mean has an error of its own.
    error = np.sqrt(spread**2 * (1 + 1 / seeds) + (1e-6) ** 2 / 12)
    z = np.linspace(-8, 8, 4001)
    density = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    theory, square = [], 1.0
    for _ in range(10):  # z is normal with mean square 500 · 0.01² · square
        square = np.sum(density * np.tanh(np.sqrt(500 * 1e-4 * square) * z) ** 2)
        theory.append(np.sqrt(square))
    print("layer  lecture    ours: mean ± std of the seeds    theory       lecture − ours, in standard errors")
    for k in range(10):
        ours = f"{mean[k]:.3e} ± {spread[k]:.1e} ({spread[k] / mean[k]:4.1%})"
        print(f"{k + 1:4d}   {lecture[k]:.6f}   {ours}    {theory[k]:.3e}   {(lecture[k] - mean[k]) / error[k]:5.1f}")
    reveal("all zero", 1, "Six decimals cannot show it: 0.2236^10 = 0.00000031. Small is not zero.")


lecture_table()

# %% [markdown]
# The lecture's network is one draw, ours are ten. Every line agrees within two standard errors, and the errors grow
# with depth: 0.1 % after one layer, about 1 % after ten, because each layer's draw multiplies on. The column *theory*
# is (1) and one integral, $E[\tanh^2]$, per layer.
#
# So the activations are not zero. A scale of $3\cdot 10^{-7}$ is no trouble for floating-point numbers. The trouble is
# that the last layer sees almost nothing of the input, and that the gradient is multiplied by 0.22 at every layer on
# its way back as well: section 5.
#
# The lecture's table comes from the Stanford course CS231n. That course prints a second one (2017, lecture 6): ReLU
# with He's weights, again one draw.


# %% tags=["display-only"]
def relu_table(seeds=10):
    measure, draw = working("forward_statistics"), working("he_normal")
    stanford = (0.825232, 0.827835, 0.813855, 0.826902, 0.834092, 0.860035, 0.870610, 0.889348, 0.845357, 0.844523)
    runs = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        weights = [draw((500, 500), rng) for _ in range(10)]
        runs.append([std for _, std in measure(weights, rng.normal(size=(1000, 500)), "relu")])
    mean, spread = np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1)
    fig, ax = figure(size=(6.4, 3.5))
    layers = np.arange(1, 11)
    for run in runs:
        ax.plot(layers, run, color=palette.sky, linewidth=0.8)
    ax.errorbar(layers, mean, spread, fmt="o", color=palette.blue, capsize=3, label="ours: mean, std of the seeds")
    ax.plot(layers, stanford, "s--", color=palette.vermillion, label="CS231n's table, one draw")
    ax.axhline(np.sqrt(1 - 1 / np.pi), color=palette.black, linestyle=":", label="√(1 − 1/π) = 0.826")
    ax.set(xlabel="layer", ylabel="std of the activations", title="ReLU, He's weights", xticks=layers, ylim=(0, 1.4))
    ax.legend(loc="lower left")
    show(
        fig,
        alt="Standard deviation of the activations against the layer. The mean of the seeds stays near 0.83, but the "
        "single runs (thin lines) spread, by 0.2 percent in layer 1 and by some ten percent in layer 10. The table of "
        "CS231n lies inside.",
    )
    for k in (0, 4, 9):
        print(
            f"layer {k + 1:2d}: {mean[k]:.3f} ± {spread[k]:.3f} ({spread[k] / mean[k]:.1%}),  CS231n {stanford[k]:.3f}"
        )


relu_table()

# %% [markdown]
# He's weights keep the scale *on average over networks*. A single network wanders: after ten layers of 500 units its
# scale is typically off by about a tenth (11 % over 240 networks; a spread estimated from ten seeds, as here, is itself
# uncertain by a quarter). With tanh it was 1 %. A ReLU network's activations have positive means, which
# are the same for all examples; so an unlucky draw shifts all examples in the same direction, and nothing averages
# out. Of a table from one network, printed to six decimals, the first decimal means something. (The dotted line: for
# normal $z$ of mean square 2, $\operatorname{relu}(z)$ has mean square 1 and mean $1/\sqrt{\pi}$.)

# %% [markdown]
# ## 5 · And backward
#
# The lecture asks what gradients look like when all activations are nearly zero, and answers with the backward pass.
# Let us measure it. With $\delta_l = \partial L/\partial z_l$ and $\odot$ for the product entry by entry,
#
# $$\delta_L = \frac{\partial L}{\partial h_L} \odot \varphi'(z_L), \qquad
# \delta_{l} = \left(\delta_{l+1} W_{l+1}\right) \odot \varphi'(z_{l}), \tag{5}$$
#
# with one example in each row. The weights' gradients are $\delta_l^T h_{l-1}$, so the scale of $\delta_l$ is what
# decides how fast layer $l$ learns.
#
# ### Exercise: `gradient_statistics`


# %%
def gradient_statistics(weights, x, name, grad_out):
    """Standard deviation of the back-propagated error at every layer's pre-activations.

    The network is that of `forward_statistics`: h₀ = x, zₗ = hₗ₋₁ Wₗᵀ, hₗ = φ(zₗ), no biases, φ in the last layer too.
    The error of layer l is δₗ = ∂loss/∂zₗ, an array of the shape of zₗ.

    weights: list of L arrays, Wₗ of shape (outₗ, inₗ), first layer first; the widths may differ.
    x: (N, in₁) array, one example in each row.
    name: the activation φ, one of "sigmoid", "tanh", "relu", "leaky_relu", "elu".
    grad_out: (N, out_L) array, ∂loss/∂h_L: the gradient for the last layer's activations, before φ′.

    Returns a list of L numbers, the std of δ₁ first and that of δ_L last, each over all units and all examples
    together (ddof 0). What φ′ is at exactly 0 is left open.
    """
    ### BEGIN SOLUTION
    pre_activations = []
    h = x
    for weight in weights:
        pre_activations.append(h @ weight.T)
        h = activation(name, pre_activations[-1])
    statistics = []
    gradient = grad_out  # ∂loss/∂hₗ
    for weight, z in zip(reversed(weights), reversed(pre_activations), strict=True):
        error = gradient * activation_gradient(name, z)  # (N, outₗ)
        statistics.append(error.std())
        gradient = error @ weight  # (N, inₗ)
    return statistics[::-1]
    ### END SOLUTION


# %% points=8
check(gradient_statistics)

# %% [markdown]
# You can now run the whole experiment: every activation, four ways to draw, both directions.

# %% tags=["display-only"]
predict(
    "sigmoid backward",
    "Ten sigmoid layers with Xavier's weights. Forward, the standard deviation hardly changes after the second layer. "
    "By which factor does the gradient's standard deviation shrink for each layer on its way back?",
    ["hardly at all, like the signal", "by about 2", "by about 4", "by about 100"],
)


# %% tags=["display-only"]
def every_activation_and_scheme(seeds=3, width=500, layers=10, examples=100):
    forward, backward = working("forward_statistics"), working("gradient_statistics")
    xavier, he = working("xavier_normal"), working("he_normal")
    shape = (width, width)
    schemes = {
        "0.01 · randn": lambda rng: 0.01 * rng.normal(size=shape),
        "1 · randn": lambda rng: rng.normal(size=shape),
        "Xavier": lambda rng: xavier(shape, rng),
        "He": lambda rng: he(shape, rng),
    }
    fig, axes = figure(2, len(ACTIVATIONS), size=(11, 5.6), sharex=True, sharey="row")
    at = np.arange(1, layers + 1)
    print("std in layer 10 (forward) and in layer 1 (backward, 1 in layer 10); ± is the spread of the seeds")
    for (scheme, draw), color, style in zip(schemes.items(), palette, ("v:", "^-.", "o-", "s--"), strict=False):
        found = {name: ([], []) for name in ACTIVATIONS}
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            x, grad = rng.normal(size=(examples, width)), rng.normal(size=(examples, width))
            weights = [draw(rng) for _ in range(layers)]
            for name in ACTIVATIONS:
                found[name][0].append([std for _, std in forward(weights, x, name)])
                errors = np.array(backward(weights, x, name, grad))
                found[name][1].append(errors / errors[-1])
        for column, name in enumerate(ACTIVATIONS):
            ends = []
            for row, layer in ((0, -1), (1, 0)):
                runs = np.array(found[name][row])
                mean, spread = runs.mean(axis=0), runs.std(axis=0, ddof=1)
                ax = axes[row, column]
                ax.errorbar(at, mean, spread, fmt=style, color=color, capsize=2, markersize=4, label=scheme)
                ends.append(f"{mean[layer]:8.1e} ± {spread[layer] / mean[layer]:4.0%}")
            print(f"{name:10s} {scheme:12s} forward {ends[0]}   backward {ends[1]}")
    for ax, name in zip(axes[0], ACTIVATIONS, strict=True):
        ax.set(title=name, yscale="log", ylim=(1e-9, 1e13))
    for ax in axes[1]:
        ax.set(xlabel="layer", yscale="log", ylim=(1e-12, 1e12), xticks=(1, 4, 7, 10))
    axes[0, 0].set_ylabel("forward: std of activations")
    axes[1, 0].set_ylabel("backward: std of errors")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    show(
        fig,
        alt="Ten panels, forward above and backward below, one column for each activation, logarithmic axes. With 0.01 "
        "randn both directions fall by many powers of ten for all but the sigmoid's forward pass. With 1 randn, ReLU, "
        "leaky ReLU and ELU grow by ten powers of ten both ways; sigmoid and tanh saturate forward. With Xavier, tanh "
        "and ELU fade slowly, ReLU and leaky ReLU faster. He is level for ReLU and leaky ReLU. The sigmoid's gradient "
        "falls under every scheme but 1 randn.",
    )
    reveal("sigmoid backward", 2, "Near z = 0 its slope is 1/4, and Xavier's weights themselves neither help nor harm.")


every_activation_and_scheme()

# %% [markdown]
# Read it scheme by scheme.
#
# - **0.01 · randn**: everything fades, both ways. The sigmoid only seems to hold at 0.028: see below.
# - **1 · randn**: ReLU, leaky ReLU and ELU grow by $\sqrt{500/2} = 15.8$ in every layer, $10^{12}$ in ten. Sigmoid and
#   tanh look healthy forward, but nearly all units are saturated. Their gradient *grows* on its way back: the few
#   units that are not saturated pass it on through weights that are much too large.
# - **Xavier**: fades slowly for tanh and ELU (std 0.23 and 0.24 in layer 10); ReLU and leaky ReLU fade as section 3
#   says.
# - **He**: level for ReLU and leaky ReLU, in both directions.
# - The **sigmoid** loses a factor of 3 or more per layer of its gradient under every scheme but the huge one.
#
# Backward the ReLU networks differ less, by some 5 % against 11 % forward. (Three seeds, as here, show that only
# roughly; the numbers are those of 240 networks.) The errors of different examples are drawn independently here, have
# nothing in common, and average out.
#
# One warning about the measure. A standard deviation over all units and examples does not say that the units still
# *distinguish* the examples. So also take each unit by itself, and its standard deviation over the examples.


# %% tags=["display-only"]
def do_units_tell_examples_apart(width=500, layers=10):
    phi, xavier, he = working("activation"), working("xavier_normal"), working("he_normal")
    for name, draw, scheme in (("sigmoid", xavier, "Xavier"), ("tanh", xavier, "Xavier"), ("relu", he, "He")):
        rng = np.random.default_rng(0)
        h = rng.normal(size=(100, width))
        for _ in range(layers):
            h = phi(name, h @ draw((width, width), rng).T)
        alone = h.std(axis=0).mean()
        print(
            f"{name:8s}{scheme:7s} layer {layers}: std of everything {h.std():.3f}, of one unit on average {alone:.2g}"
        )


do_units_tell_examples_apart()

# %% [markdown]
# The sigmoid's 0.12 is a pattern that is the same for every input: of the inputs' differences, less than a millionth is
# left. For tanh the two numbers agree: what has survived is all signal. The ReLU lies in between.
#
# Now turn the knobs yourself. Choose ReLU with Xavier's weights: at which gain is the factor per layer closest to 1,
# in both directions? (The picture says "keep their size" from 0.97 to 1.03.) Then choose tanh, Xavier and a gain of 3:
# which direction saturates (read the line about φ′), and in which do the numbers grow?

# %% tags=["display-only"]
from course_utils.widgets import layer_histograms

layer_histograms()

# %% [markdown]
# ## 6 · The gain of an activation
#
# He's argument works for any $\varphi$. Suppose that a layer's pre-activations are standard normal, $z \sim N(0,1)$.
# The next layer's have mean square $n_{\text{in}}\,v\,E[\varphi(z)^2]$ by (1). Put $v = g^2/n_{\text{in}}$, ask that it
# is 1 again, and solve for the gain $g$:
#
# $$g = \frac{1}{\sqrt{E[\varphi(z)^2]}}. \tag{6}$$
#
# The expectation is an average over samples.
#
# ### Exercise: `empirical_gain`


# %%
def empirical_gain(name, samples):
    """The gain 1/√E[φ(z)²], with the expectation replaced by the mean over samples of z.

    Weights of variance gain²/fan_in then give the next layer pre-activations of mean square 1, as long as those of
    this layer are distributed like the samples.

    name: the activation φ, one of "sigmoid", "tanh", "relu", "leaky_relu", "elu".
    samples: array of any shape, draws of the pre-activation z (usually from N(0, 1)). φ is not zero on all of them.

    Returns a number.
    """
    ### BEGIN SOLUTION
    return 1 / np.sqrt(np.mean(activation(name, samples) ** 2))
    ### END SOLUTION


# %% points=3
check(empirical_gain)

# %% [markdown]
# PyTorch has a table of gains, `torch.nn.init.calculate_gain`. The lecture prints its source.


# %% tags=["display-only"]
def compare_with_the_table():
    import torch

    gain, samples = working("empirical_gain"), np.random.default_rng(0).normal(size=(20, 100_000))
    for name in ACTIVATIONS:
        ours = [gain(name, z) for z in samples]
        try:
            table = f"{torch.nn.init.calculate_gain(name):.4f}"
        except ValueError:
            table = "none"
        error = np.std(ours, ddof=1) / np.sqrt(len(ours))
        print(f"{name:10s} by (6): {np.mean(ours):.4f} ± {error:.4f}    PyTorch's table: {table}")


compare_with_the_table()

# %% [markdown]
# ReLU and leaky ReLU agree with (4): $\sqrt2$ and $\sqrt{2/(1+s^2)}$. The ELU has no entry. But the table has 1 for the
# sigmoid, where we find 1.85, and $5/3 = 1.667$ for tanh, where we find 1.593. Which of the two is right for tanh?
# Equation (6) asked for mean square 1. Ask instead for any $\sigma^2$: pre-activations $\sigma z$ stay at $\sigma$ when
#
# $$g(\sigma) = \frac{\sigma}{\sqrt{E[\varphi(\sigma z)^2]}}. \tag{7}$$

# %% tags=["display-only"]
predict(
    "three inputs",
    "A deep tanh network has gain 5/3. Three inputs enter, with standard deviations 0.1, 1 and 10. "
    "What are the standard deviations of their pre-activations 30 layers on?",
    [
        "still about 0.1, 1 and 10",
        "all vanish, because 5/3 is not the right gain",
        "all grow without limit",
        "all three end at the same value near 1",
    ],
)


# %% tags=["display-only"]
def which_gain(width=500, layers=30, seeds=3):
    gain, z = working("empirical_gain"), np.random.default_rng(0).normal(size=100_000)
    fig, axes = figure(1, 2, size=(10, 3.8))
    sigma = np.linspace(0.05, 3, 60)
    for name, color, style in (("tanh", palette.blue, "-"), ("relu", palette.orange, "--")):
        needed = [s * gain(name, s * z) for s in sigma]
        axes[0].plot(sigma, needed, style, color=color, label=f"{name}: gain that keeps σ")
    curve = np.array([s * gain("tanh", s * z) for s in sigma])
    for g, text, offset in ((1.593, "1.593", (-36, 4)), (5 / 3, "5/3", (8, -8))):
        at = np.interp(g, curve, sigma)
        axes[0].plot(at, g, "o", color=palette.vermillion)
        axes[0].annotate(text, (at, g), xytext=offset, textcoords="offset points")
        print(f"tanh: gain {g:.3f} keeps σ = {at:.2f}")
    axes[0].set(xlabel="σ, std of the pre-activations", ylabel="gain", title="Which gain keeps which σ?", ylim=(0, 4))
    axes[0].legend(loc="upper left")
    starts, paths = (0.1, 1.0, 10.0), {"tanh": [], "relu": []}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(50, width))
        h = {name: np.array([start * x for start in starts]) for name in paths}  # (3, 50, width)
        steps = {name: [] for name in paths}
        for _ in range(layers):
            weight = rng.normal(size=(width, width)) / np.sqrt(width)
            for name, g in (("tanh", 5 / 3), ("relu", np.sqrt(2))):
                pre = g * h[name] @ weight.T
                steps[name].append(np.sqrt(np.mean(pre**2, axis=(1, 2))))
                h[name] = np.tanh(pre) if name == "tanh" else np.maximum(pre, 0)
        for name in paths:
            paths[name].append(steps[name])
    at = np.arange(1, layers + 1)
    for name, color, style in (("tanh", palette.blue, "-"), ("relu", palette.orange, "--")):
        mean, spread = np.mean(paths[name], axis=0), np.std(paths[name], axis=0, ddof=1)  # (layers, 3)
        for k, start in enumerate(starts):
            label = {"tanh": "tanh, gain 5/3", "relu": "relu, gain √2"}[name] if k == 0 else None
            axes[1].errorbar(at, mean[:, k], spread[:, k], fmt=style, color=color, capsize=2, label=label)
            print(f"{name}, input {start:4.1f}: after {layers} layers {mean[-1, k]:.3f} ± {spread[-1, k]:.3f}")
    axes[1].set(xlabel="layer", ylabel="std of the pre-activations", yscale="log", title="Three inputs, three scales")
    axes[1].set_ylim(0.05, 150)
    axes[1].legend(loc="upper right")
    show(
        fig,
        alt="Left: the gain that keeps pre-activations at standard deviation σ. For the ReLU it is 1.41 at every σ. "
        "For tanh it rises from 1 at σ = 0; gain 1.593 belongs to σ = 1 and 5/3 to σ = 1.09. Right: the standard "
        "deviation in 30 layers for inputs of 0.1, 1 and 10. The three tanh lines meet at 1.09 after a few layers, the "
        "three ReLU lines stay apart.",
    )
    reveal("three inputs", 3, "Every gain above 1 has one σ that it keeps, and tanh is drawn to it from both sides.")


which_gain()

# %% [markdown]
# Here is the difference. For the ReLU, $g(\sigma)$ is the same number for all $\sigma$, because
# $\operatorname{relu}(\sigma z) = \sigma \operatorname{relu}(z)$. There is one right gain; it keeps any scale and
# restores none. For tanh, $g(\sigma)$ rises: *every* gain above 1 keeps some scale, and the network settles there by
# itself. Our 1.593 is the gain whose scale is 1, and 5/3 the one whose scale is 1.09, where the activations have
# standard deviation 0.65. Only a gain of 1 or less lets the signal fade. PyTorch does not derive its 5/3; one of its
# developers defends it by this experiment (T. Viehmann, discuss.pytorch.org, *Calculate_gain('tanh')*, 2018).
#
# Does (7) settle the gradient as well? Each layer multiplies its mean square by $g^2 E[\varphi'(\sigma z)^2]$.


# %% tags=["display-only"]
def and_the_gradient():
    slope, phi = working("activation_gradient"), working("activation")
    z = np.linspace(-8, 8, 20_001)
    normal = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    gains = (("tanh", 1.0), ("tanh", 1.2), ("tanh", 1.593), ("tanh", 5 / 3), ("relu", 2**0.5), ("elu", 1.245))
    for name, g in (*gains, ("sigmoid", 1.0), ("sigmoid", 1.846)):
        square = 1.0
        for _ in range(100):
            square = g**2 * np.sum(normal * phi(name, np.sqrt(square) * z) ** 2)
        factor = g * np.sqrt(np.sum(normal * slope(name, np.sqrt(square) * z) ** 2))
        print(
            f"{name:8s} gain {g:.3f}: pre-activations in layer 100 {np.sqrt(square):.2f}, "
            f"gradient times {factor:.3f} for each layer, {factor**30:.2g} in 30"
        )


and_the_gradient()

# %% [markdown]
# For tanh, no gain does both. At 1 the gradient holds but the signal fades, slowly. Above 1 the signal is kept, and the
# gradient grows: by 8.5 % a layer at 1.593, by 10 % at 5/3, which makes 12 and 17 in thirty layers. That is mild, and
# shallow networks never notice. For the ReLU one number, $\sqrt2$, keeps both.
#
# The sigmoid is hopeless: with gain 1.846 the signal's mean square stays at 1, and the gradient is multiplied by 0.39.
# The reason is its mean of 0.5. In $E[\sigma(z)^2] = 0.293$, the square of the mean alone is $0.25$: what the gain
# keeps alive is mostly a constant. The table's 1 for the sigmoid keeps nothing in particular.

# %% [markdown]
# ## 7 · Dead units
#
# A ReLU unit whose pre-activation is negative on *every* input is dead: it always says 0, and its weights get no
# gradient. Nothing in the network's training can wake it, unless the layers before it change.
#
# ### Exercise: `dead_relu_fraction`


# %%
def dead_relu_fraction(weights, biases, x):
    """The share of dead units in every layer of a ReLU network.

    h₀ = x and hₗ = relu(hₗ₋₁ Wₗᵀ + bₗ) for l = 1 … L. A unit is dead when its output is 0 on every row of x.
    A unit that is 0 on some rows only is alive.

    weights: list of L arrays, Wₗ of shape (outₗ, inₗ), first layer first. biases: list of L arrays of shape (outₗ,).
    x: (N, in₁) array, one example in each row.

    Returns a list of L numbers from 0 to 1, first layer first: dead units of the layer divided by its units.
    """
    ### BEGIN SOLUTION
    fractions = []
    h = x
    for weight, bias in zip(weights, biases, strict=True):
        h = np.maximum(h @ weight.T + bias, 0)  # (N, outₗ)
        fractions.append(np.mean(np.all(h == 0, axis=0)))
    return fractions
    ### END SOLUTION


# %% points=5
check(dead_relu_fraction)

# %% [markdown]
# Count them on the digits. First a network of ten layers of 100 units, He's weights, nothing trained yet. Then a
# network of two layers, trained for 400 steps on batches of 25 with different learning rates. Each once with the raw
# pixels, which lie between 0 and 1, and once with every pixel shifted and scaled to mean 0 and standard deviation 1.

# %% tags=["display-only"]
predict(
    "learning too fast",
    "Two hidden layers of 100 ReLUs, raw pixels, 400 steps with learning rate 1. "
    "Which share of the second layer's units is dead at the end?",
    ["hardly any", "about one in four", "most of them"],
)


# %% tags=["display-only"]
def dead_relu_census(seeds=6, steps=400, rates=(0.03, 0.1, 0.3, 1.0)):
    census, draw = working("dead_relu_fraction"), working("he_normal")
    train, labels = digits.train.features, digits.train.labels
    constant = train.max(axis=0) == train.min(axis=0)
    scaled = np.where(constant, 0.0, (train - train.mean(axis=0)) / np.where(constant, 1.0, train.std(axis=0)))
    targets = np.eye(10)[labels]

    def trained(x, rate, seed):
        rng, sizes = np.random.default_rng(seed), (64, 100, 100, 10)
        weights = [draw((o, i), rng) for i, o in zip(sizes, sizes[1:], strict=False)]
        biases = [np.zeros(size) for size in sizes[1:]]
        for _ in range(steps):
            batch = rng.integers(0, len(x), 25)
            h = [x[batch]]
            for weight, bias in zip(weights[:2], biases, strict=False):
                h.append(np.maximum(h[-1] @ weight.T + bias, 0))
            logits = h[2] @ weights[2].T + biases[2]
            p = np.exp(logits - logits.max(axis=1, keepdims=True))
            error = (p / p.sum(axis=1, keepdims=True) - targets[batch]) / 25
            for layer in (2, 1, 0):
                grad_weight, grad_bias = error.T @ h[layer], error.sum(axis=0)
                if layer:
                    error = (error @ weights[layer]) * (h[layer] > 0)
                weights[layer] -= rate * grad_weight
                biases[layer] -= rate * grad_bias
        return census(weights[:2], biases[:2], x)

    fig, (left, right) = figure(1, 2, size=(10, 3.7), sharey=True)
    for name, x, color, style in (
        ("raw pixels", train, palette.vermillion, "o-"),
        ("standardized", scaled, palette.blue, "s--"),
    ):
        untrained = []
        for seed in range(5):
            rng = np.random.default_rng(seed)
            weights = [draw((100, 64 if layer == 0 else 100), rng) for layer in range(10)]
            untrained.append(census(weights, [np.zeros(100)] * 10, x))
        mean, spread = np.mean(untrained, axis=0), np.std(untrained, axis=0, ddof=1)
        left.errorbar(range(1, 11), mean, spread, fmt=style, color=color, capsize=3, label=name)
        print(f"{name:12s} untrained, layers 1, 2, 5, 10: " + ", ".join(f"{mean[k]:.3f}" for k in (0, 1, 4, 9)))
        shift = 0.96 if name == "raw pixels" else 1.04
        for rate in rates:
            with np.errstate(all="ignore"):  # a network that diverges may overflow
                dead = [trained(x, rate, seed)[1] for seed in range(seeds)]
            middle, width = np.mean(dead), np.std(dead, ddof=1)
            right.errorbar(shift * rate, middle, width, fmt=style[0], color=color, capsize=3)
            print(f"{name:12s} trained with rate {rate:g}: second layer {middle:.2f} ± {width:.2f}")
    left.set(title="Before training, ten layers", xlabel="layer", ylabel="share of dead units", xticks=range(1, 11))
    right.set(title="After 400 steps, second of two layers", xlabel="learning rate", xscale="log", ylim=(-0.05, 1.05))
    right.set_xticks(rates, [f"{rate:g}" for rate in rates])
    right.set_xticks([], minor=True)
    left.legend(loc="upper left")
    show(
        fig,
        alt="Share of dead ReLUs, mean and standard deviation of the seeds. Left, before training: with raw pixels "
        "it grows from 1 or 2 percent in layer 1 to about 20 percent in layer 10, with standardized ones from 0 to "
        "about 13 percent. Right, after training: up to a rate of 0.3 a few percent with raw pixels and none with "
        "standardized ones. At rate 1 most of them, with either.",
    )
    reveal(
        "learning too fast",
        2,
        "Each step that overshoots switches some units off for all digits, and a dead unit gets no gradient.",
    )


dead_relu_census()

# %% [markdown]
# Two causes. Raw pixels are never negative, so all images lie in the same direction from the origin, and a unit whose
# weights point away from it is off for all of them. The deeper the network, the more so, since a ReLU's outputs are
# never negative either: in layer 10, one unit in five is dead before training has begun. Standardized inputs help the
# first layers most.
#
# The other cause is a step that is too long. At rate 1 every step that overshoots pushes some units so far down that
# they are off for all digits, and a dead unit has no gradient to come back by itself. The lecture's advice, "use ReLU,
# be careful with your learning rates", is this picture.
#
# Look at raw pixels and rate 0.3 once more: at the end about 1 % of the second layer is dead, fewer than the 5 % of the
# start (layer 2 on the left). The first layer has changed, and its new outputs woke some units of the second. A dead
# unit of the *first* layer has nobody to wake it.
#
# Watch it happen, unit by unit. From which learning rate on are there more dead units than before the first step?
# Do units that died ever come back?

# %% tags=["display-only"]
from course_utils.widgets import dead_units

dead_units()

# %% [markdown]
# ## 8 · Let the data set the scale
#
# Formulas need assumptions: inputs of mean square 1, wide layers, a known gain. *Layer-sequential unit variance* asks
# the data instead (Mishkin and Matas, 2016). Send a batch through the first layer, measure the standard deviation of
# $z_1$, divide $W_1$ by it. Send the batch through the new first layer into the second, and so on:
#
# $$W_l \leftarrow W_l / \operatorname{std}(z_l), \qquad z_l = h_{l-1} W_l^T. \tag{8}$$
#
# Each layer's measurement needs the layers before it *already scaled*. The paper starts from orthogonal matrices
# (Saxe et al., 2013); here you scale whatever weights you are given. Krähenbühl et al. (2015) normalize each unit by
# itself.
#
# ### Exercise: `lsuv`


# %%
def lsuv(weights, x, name):
    """Layer-sequential unit variance: each layer's weights, scaled so that its pre-activations have variance 1.

    The network is that of `forward_statistics`: h₀ = x, zₗ = hₗ₋₁ Wₗᵀ, hₗ = φ(zₗ), no biases. Go through the layers
    from the first to the last. Multiply each Wₗ by one positive number, such that zₗ has variance 1 on the batch x
    when the layers before it are scaled already. The variance is taken around the mean of zₗ, over all its units and
    examples together (ddof 0).

    weights: list of L arrays, Wₗ of shape (outₗ, inₗ), first layer first. They stay as they are: no orthogonal start.
    x: (N, in₁) array. No layer's pre-activations are constant on it.
    name: the activation φ, one of "sigmoid", "tanh", "relu", "leaky_relu", "elu".

    Returns a list of L new arrays. The given ones must not be changed, nor share memory with the result.

    Source: D. Mishkin and J. Matas, All you need is a good init, ICLR 2016, algorithm 1 without its first step.
    """
    ### BEGIN SOLUTION
    scaled = []
    h = x
    for weight in weights:
        scaled.append(weight / np.std(h @ weight.T))
        h = activation(name, h @ scaled[-1].T)  # (N, outₗ)
    return scaled
    ### END SOLUTION


# %% points=7
check(lsuv)

# %% [markdown]
# Raw digits again: not centred, not of mean square 1. Scale a network of ten layers on 200 training digits, and look
# at 300 others.


# %% tags=["display-only"]
def lsuv_on_the_digits(seeds=5, layers=10, width=100):
    rescale, draw, phi = working("lsuv"), working("he_normal"), working("activation")
    train, unseen = digits.train.features[:200], digits.validation.features
    fig, axes = figure(1, 2, size=(10, 3.7), sharey=True)
    at = np.arange(1, layers + 1)
    for ax, name in zip(axes, ("relu", "tanh"), strict=True):
        found = {"0.01 · randn": [], "He": [], "0.01 · randn, then LSUV": []}
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            shapes = [(width, 64 if layer == 0 else width) for layer in range(layers)]
            small = [0.01 * rng.normal(size=shape) for shape in shapes]
            networks = (small, [draw(shape, rng) for shape in shapes], rescale(small, train, name))
            for stds, weights in zip(found.values(), networks, strict=True):
                h = unseen
                stds.append([])
                for weight in weights:
                    pre = h @ weight.T
                    stds[-1].append(pre.std())
                    h = phi(name, pre)
        for (label, stds), color, style in zip(found.items(), palette, ("v:", "s--", "o-"), strict=False):
            mean, spread = np.mean(stds, axis=0), np.std(stds, axis=0, ddof=1)
            ax.errorbar(at, mean, spread, fmt=style, color=color, capsize=3, markersize=5, label=label)
            print(
                f"{name}, {label:24s} std on unseen digits: layer 1 {mean[0]:.3f}, layer 10 {mean[-1]:.2e} ± "
                f"{spread[-1]:.1e}"
            )
        ax.set(title=name, xlabel="layer", yscale="log", xticks=at, ylim=(1e-13, 30))
    axes[0].set_ylabel("std of pre-activations")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    show(
        fig,
        alt="Standard deviation of the pre-activations on unseen digits against the layer, logarithmic axis, for ReLU "
        "and tanh. With 0.01 randn it falls by one power of ten per layer. With He's weights it stays near 0.7. The "
        "small weights after LSUV are at 1 in every layer.",
    )


lsuv_on_the_digits()

# %% [markdown]
# Two hundred digits were enough to set the scale for others. LSUV sets it once, before training; batch normalization,
# three notebooks on, does it again at every step.

# %% [markdown]
# ## 9 · Preparing the data
#
# The first layer's input is not ours to initialize, but it is ours to scale. *Standardizing* gives every feature mean
# 0 and standard deviation 1: with the mean $m$ and standard deviation $s$ of the **training** set,
# $x \mapsto (x - m)/s$. The test set is shifted and scaled by the same numbers; its own would leak information, and
# would give the same image different numbers depending on its company.
#
# Four of the digits' 64 pixels are white in every training image. Their standard deviation is 0.
#
# ### Exercise: `standardize`


# %%
def standardize(train, test):
    """Shift and scale every feature to mean 0 and standard deviation 1 on the training set.

    train: (N, D) array. test: (M, D) array, not used to compute any statistic. Both may hold whole numbers.

    The standard deviation divides by N (ddof 0). A feature with the same value in every row of train tells nothing
    about its scale: it becomes 0 in both results, whatever it is in test. Rounding can give such a feature a tiny
    standard deviation that is not exactly 0 (try a column of three times 0.1); it counts as constant all the same.

    Returns (train_standardized, test_standardized), float arrays of the shapes of train and test.
    """
    ### BEGIN SOLUTION
    constant = train.max(axis=0) == train.min(axis=0)  # (D,)
    std = np.where(constant, 1.0, train.std(axis=0))
    mean = train.mean(axis=0)
    return tuple(np.where(constant, 0.0, (rows - mean) / std) for rows in (train, test))
    ### END SOLUTION


# %% points=5
check(standardize)

# %% tags=["display-only"]
predict(
    "rare ink",
    "One pixel is white in all of the 1197 training images but one. What is its largest value after standardizing?",
    ["about 1", "about 3", "about 35", "about 1200"],
)


# %% tags=["display-only"]
def standardized_digits():
    train, unseen = working("standardize")(digits.train.features, digits.validation.features)
    used = (digits.train.features > 0).sum(axis=0)
    print(
        f"white in all training images: pixels {np.flatnonzero(used == 0)}; "
        f"in all but one: pixels {np.flatnonzero(used == 1)}"
    )
    print(f"largest value: training {train.max():.2f}, validation {unseen.max():.2f};  √1196 = {np.sqrt(1196):.2f}")
    fig, axes = figure(1, 4, size=(10.5, 2.7), images=True)
    panels = (
        ("mean", digits.train.features.mean(axis=0), "gray_r", None),
        ("standard deviation", digits.train.features.std(axis=0), "gray_r", None),
        ("one digit", digits.train.features[2], "gray_r", None),
        ("the same, standardized", train[2], "PuOr", 3),
    )
    for ax, (title, values, colors, limit) in zip(axes, panels, strict=True):
        low = None if limit is None else -limit
        picture = ax.imshow(values.reshape(8, 8), cmap=colors, vmin=low, vmax=limit)
        ax.set_title(title)
        fig.colorbar(picture, ax=ax, shrink=0.7)
    show(
        fig,
        alt="Four 8 by 8 pictures with colour bars: the mean of the training digits, dark in the middle; their "
        "standard deviation, 0 in the left and right columns; one digit, a 3; and the same digit standardized, with "
        "values between about −1.5 and 1.5.",
    )
    reveal(
        "rare ink",
        2,
        "One value a among N has mean a/N and variance a²(N − 1)/N², so (a − a/N)/s = √(N − 1) = √1196 = 34.6.",
    )


standardized_digits()

# %% [markdown]
# Standardizing makes rare pixels loud. Natural images do not have such pixels, and one usually only centres them: by
# the mean image (AlexNet) or by one mean for each colour channel (VGG).
#
# **Whitening** goes one step further and removes the correlations. With $X$ the centred training rows, the covariance
# is $C = X^TX/N$. It is symmetric, so it has orthonormal eigenvectors $u_i$ with eigenvalues $\lambda_i \ge 0$. The
# coordinate $u_i \cdot x$ has variance $u_i^T C u_i = \lambda_i$, and two of them have covariance
# $u_i^T C u_k = 0$. Divide each by its standard deviation, and the covariance becomes the identity. Directions
# with (almost) no variance would be blown up, so one divides by $\sqrt{\lambda_i + \varepsilon}$.
#
# ### Exercise: `pca_whiten`


# %%
def pca_whiten(train, test, epsilon):
    """Rotate the data to its principal components and scale each of them to variance 1.

    With the mean m of train and its covariance C = (train − m)ᵀ(train − m)/N, let λ₁ > λ₂ > … > λ_D be the
    eigenvalues of C and u₁ … u_D its unit eigenvectors. A row x becomes the D numbers uᵢ · (x − m) / √(λᵢ + ε).

    train: (N, D) array, N > D. test: (M, D) array, not used to compute any statistic.
    epsilon: the number ε ≥ 0, positive where some λᵢ is 0. It keeps components without variance from blowing up.

    Returns (train_whitened, test_whitened), of the shapes of train and test: column i belongs to λᵢ, so that the
    component of the largest variance comes first. The sign of each uᵢ is left open (the same in both results).
    """
    ### BEGIN SOLUTION
    mean = train.mean(axis=0)
    covariance = (train - mean).T @ (train - mean) / len(train)  # (D, D)
    variances, components = np.linalg.eigh(covariance)  # rising; eigenvectors are the columns
    scaled = components[:, ::-1] / np.sqrt(variances[::-1] + epsilon)
    return (train - mean) @ scaled, (test - mean) @ scaled
    ### END SOLUTION


# %% points=7
check(pca_whiten)

# %% [markdown]
# How fast does a single layer learn from each version? The curvature of its loss is governed by the largest eigenvalue
# $\lambda$ of the inputs' second-moment matrix, with a 1 appended for the bias, and the largest safe learning rate is
# proportional to $1/\lambda$. Give each version the rate $2/\lambda$.

# %% tags=["display-only"]
predict(
    "centred",
    "A softmax layer learns the digits in 50 steps of gradient descent. Which change to the raw pixels lowers the loss "
    "the most?",
    [
        "subtracting the mean",
        "then dividing by the standard deviation (standardizing)",
        "whitening in place of standardizing",
    ],
)


# %% tags=["display-only"]
def learn_from_each(steps=200, epsilon=1e-3):
    standard, whiten = working("standardize"), working("pca_whiten")
    train, labels, unseen = digits.train.features, digits.train.labels, digits.validation.features
    mean, targets, rows = train.mean(axis=0), np.eye(10)[digits.train.labels], np.arange(len(train))
    versions = {
        "raw": (train, unseen),
        "centred": (train - mean, unseen - mean),
        "standardized": standard(train, unseen),
        "whitened": whiten(train, unseen, epsilon),
    }
    fig, (left, right) = figure(1, 2, size=(10, 3.7))
    for (name, (x, other)), color, style in zip(versions.items(), palette, (":", "-.", "--", "-"), strict=False):
        x1, other1 = (np.hstack([part, np.ones((len(part), 1))]) for part in (x, other))
        largest = np.linalg.eigvalsh(x1.T @ x1 / len(x1))[-1]
        weight, losses = np.zeros((10, x1.shape[1])), []
        for _ in range(steps + 1):
            logits = x1 @ weight.T
            p = np.exp(logits - logits.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            losses.append(-np.mean(np.log(p[rows, labels])))
            weight -= 2 / largest * (p - targets).T @ x1 / len(x1)
        accuracy = np.mean((other1 @ weight.T).argmax(axis=1) == digits.validation.labels)
        left.plot(losses, style, color=color, label=name)
        print(
            f"{name:13s} λ = {largest:5.2f}   loss after 50 steps {losses[50]:.3f}, after {steps} {losses[-1]:.3f}   "
            f"accuracy on unseen digits {accuracy:.3f}"
        )
    left.set(title="Learning speed", xlabel="step", ylabel="training loss", yscale="log")
    left.legend()
    values = np.linalg.eigvalsh((train - mean).T @ (train - mean) / len(train))[::-1]
    right.semilogy(np.arange(1, 65), np.maximum(values, 1e-13), "o", color=palette.black, markersize=3, clip_on=False)
    for tiny, color, style in ((1e-2, palette.blue, "-"), (1e-3, palette.orange, "--"), (1e-12, palette.green, ":")):
        _, out = whiten(train, unseen, tiny)
        right.axhline(tiny, color=color, linestyle=style, label=f"ε = {tiny:g}")
        print(f"whitened with ε = {tiny:g}: largest value on unseen digits {np.abs(out).max():.1f}")
    right.set(title="Eigenvalues of the covariance", xlabel="number i", ylabel="λᵢ (0 is drawn at the edge)")
    right.set_ylim(1e-13, 10)
    right.legend(loc="center left")
    show(
        fig,
        alt="Left: training loss against the step for four versions of the digits. Raw pixels are slowest, centred "
        "ones much faster, standardized a little faster still, whitened ones fastest. Right: the 64 eigenvalues of the "
        "covariance, from 0.7 down to 0.000002; the last four are 0, drawn at the lower edge. Lines show three values "
        "of epsilon; 1e-12 lies between the four and all others.",
    )
    reveal(
        "centred",
        0,
        "The mean has a squared length of about 10, the largest variance is 0.7: centring takes λ from 11 to 1.",
    )


learn_from_each()

# %% [markdown]
# Centring does most of the work. The mean image is a direction in which all digits agree; it tells nothing about the
# class, and it forces the learning rate down by a factor of 11. Standardizing adds a little, in spite of a smaller
# rate. Whitening makes all directions equally steep, and gradient descent learns
# them all at once.
#
# The four eigenvalues that are 0 are the four white pixels. With $\varepsilon = 10^{-12}$ the training data look
# harmless, but the first unseen digit with ink in such a pixel becomes a number of tens of thousands. Choose
# $\varepsilon$ like a noise level: whatever varies less than that is treated as noise.

# %% [markdown]
# ## 10 · Why not zero?
#
# All this time the weights were random. Must they be? The lecture asks what happens when all weights start at 0, and
# answers: "The gradients in the backward pass will become zero! No update!!!!" Take the smallest network, with one
# hidden layer:
#
# $$z = W_1 x + b_1, \quad h = \varphi(z), \quad \text{logits} = W_2 h + b_2, \qquad
# \delta_2 = p - y, \quad \delta_1 = (W_2^T \delta_2) \odot \varphi'(z).$$
#
# The gradients are $\delta_2$ for $b_2$, $\;\delta_2 h^T$ for $W_2$, $\;\delta_1$ for $b_1$ and $\;\delta_1 x^T$ for
# $W_1$. Put zeros everywhere and read them off.

# %% tags=["display-only"]
predict(
    "zeros",
    "A tanh network with one hidden layer starts with all weights and biases 0. Which of them ever move?",
    ["none of them", "the output bias alone", "the output bias and the output weights", "all of them"],
)

# %% [markdown]
# A constant other than zero has another ill. If two hidden units start with equal weights, in and out, they compute the
# same, receive the same gradient, and stay equal for ever. Such units form a *symmetry class*; a class of 50 units does
# the work of one.
#
# ### Exercise: `symmetry_classes`


# %%
def symmetry_classes(gradients):
    """The hidden units grouped by equal gradients. Units of one group that start equal stay equal for ever.

    gradients: (H, D) array. Row i holds all gradients that belong to hidden unit i, side by side: those of the
    weights that lead into it and of the weights that lead out of it.

    Two rows are equal when no entry differs by more than 1e-9 times the largest absolute value in the whole array:
    the same sums, added in another order, may differ in their last digits. All gradients may be tiny. The arrays
    given here leave no doubt: rows that are not equal by this rule differ by far more somewhere.

    Returns a list of lists of integers. Every unit from 0 to H − 1 stands in just one of them; a unit with no equal
    forms a list of its own. Each list is sorted, and the lists are sorted by their first index.
    """
    ### BEGIN SOLUTION
    tolerance = 1e-9 * np.abs(gradients).max()
    classes = []
    for unit, row in enumerate(gradients):
        for members in classes:
            if np.abs(row - gradients[members[0]]).max() <= tolerance:
                members.append(unit)
                break
        else:
            classes.append([unit])
    return classes
    ### END SOLUTION


# %% points=4
check(symmetry_classes)

# %% [markdown]
# Train a network with 16 hidden units on 250 digits for 300 steps of full gradient descent, from several starts. The
# ReLU comes twice: with slope 0 at exactly $z = 0$ (PyTorch's choice) and with slope 1. The classes are those of the
# gradients summed over all steps.


# %% tags=["display-only"]
def how_not_to_start(hidden=16, steps=300, rate=0.5):
    phi, slope, classes = working("activation"), working("activation_gradient"), working("symmetry_classes")
    x, targets = digits.train.features[:250], np.eye(10)[digits.train.labels[:250]]
    rng = np.random.default_rng(0)
    random1, random2 = rng.normal(size=(hidden, 64)) / 8, rng.normal(size=(10, hidden)) / 4
    zero1, zero2 = np.zeros((hidden, 64)), np.zeros((10, hidden))
    starts = {
        "all 0": (zero1, zero2),
        "all 0.1": (zero1 + 0.1, zero2 + 0.1),
        "W1 = 0, W2 random": (zero1, random2),
        "W1 random, W2 = 0": (random1, zero2),
        "both random": (random1, random2),
    }

    def forward(p, images, name):
        z = images @ p[0].T + p[1]
        h = phi(name, z)
        logits = h @ p[2].T + p[3]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return z, h, odds / odds.sum(axis=1, keepdims=True)

    print("start               activation          first step that moves W1  b1  W2  b2   classes   accuracy")
    for start, (weight1, weight2) in starts.items():
        for name, at_zero in (("sigmoid", None), ("tanh", None), ("relu", 0.0), ("relu", 1.0)):
            p = [weight1.copy(), np.zeros(hidden), weight2.copy(), np.zeros(10)]
            moved = ["–"] * 4
            for step in range(1, steps + 1):
                z, h, odds = forward(p, x, name)
                error2 = (odds - targets) / len(x)
                steepness = slope(name, z)
                if at_zero is not None:
                    steepness = np.where(z == 0, at_zero, steepness)
                error1 = (error2 @ p[2]) * steepness
                gradients = [error1.T @ x, error1.sum(axis=0), error2.T @ h, error2.sum(axis=0)]
                for k in range(4):
                    if moved[k] == "–" and np.abs(gradients[k]).max() > 1e-12:  # more than rounding
                        moved[k] = str(step)
                    p[k] = p[k] - rate * gradients[k]
            travelled = weight1 - p[0], p[1], weight2 - p[2]  # the sum of all gradients, times the rate
            groups = len(classes(np.hstack([travelled[0], travelled[1][:, None], travelled[2].T])))
            _, _, odds = forward(p, digits.validation.features, name)
            accuracy = np.mean(odds.argmax(axis=1) == digits.validation.labels)
            label = name if at_zero is None else f"relu, slope {at_zero:.0f} at 0"
            steps_text = "".join(f"{each:>4s}" for each in moved)
            print(f"{start:19s} {label:19s} {'':20s}{steps_text}   {groups:4d}       {accuracy:.3f}")
    reveal("zeros", 1, "h = 0, so W2 has no gradient; W2 = 0, so nothing goes further back. Only b2 sees the labels.")


how_not_to_start()

# %% [markdown]
# Read the table from the top.
#
# - **All 0.** With tanh and ReLU only $b_2$ moves: it learns how frequent the classes are, nothing about the images. So
#   "no update" is not quite right, and for the sigmoid it is plainly wrong: there $h = \tfrac12$, $W_2$ moves in the
#   first step, and in the second everything does. But all 16 units stay equal.
# - **All 0.1.** Everything moves, and the 16 units are one class: sixteen copies of one unit. (In the first step
#   $W_2^T\delta_2 = 0.1 \sum_k \delta_{2,k} = 0$, because probabilities and targets both sum to 1.)
# - **One of the two at zero, the other random**: no harm. The random one breaks the symmetry, and the zeros leave
#   zero in the first or second step. So zeros as such are not the problem; equal units are. Many networks start their
#   last layer at 0 on purpose.
# - The exception is the **ReLU with $W_1 = 0$**: every $z$ is exactly 0, and everything hangs on the slope at that one
#   point. With slope 0 the network never moves, with slope 1 it learns as well as any. PyTorch takes 0.
#
# Biases may start at 0: random weights break the symmetry for them too.

# %% [markdown]
# ## 11 · Experiment: does initialization matter?
#
# Or does gradient descent find its way from anywhere? We train ReLU networks on the digits, once with one hidden layer
# and once with ten, 50 units each, from four kinds of start, eight seeds each. A comparison at one learning rate would
# be unfair: a start may only want another rate. So each gets three rates, and the best one counts, chosen on the
# validation digits. Inputs are standardized as a whole: one mean, one standard deviation.

# %% tags=["display-only"]
predict(
    "does it matter",
    "After ten epochs: for which network does the start decide between a good classifier and guessing?",
    [
        "for both",
        "for the one with ten layers only",
        "for neither, if the learning rate is chosen well",
    ],
)


# %% tags=["display-only"]
def does_it_matter(seeds=8, epochs=10, width=50, rates=(0.03, 0.1, 0.3), batch_size=64):
    xavier, he, rescale = working("xavier_normal"), working("he_normal"), working("lsuv")
    centre, spread_of_all = digits.train.features.mean(), digits.train.features.std()
    train, validation, test = (
        ((split.features - centre) / spread_of_all).astype(np.float32)
        for split in (digits.train, digits.validation, digits.test)
    )
    targets = np.eye(10, dtype=np.float32)[digits.train.labels]

    def small(shape, rng):
        return 0.01 * rng.normal(size=shape)

    def draw_all(scheme, sizes, seed):
        rng = np.random.default_rng(seed)
        rule = {"Xavier": xavier, "He": he}.get(scheme, small)
        weights = [rule((o, i), rng) for i, o in zip(sizes, sizes[1:], strict=False)]
        return rescale(weights, train[:200].astype(float), "relu") if scheme == "0.01, then LSUV" else weights

    def forward(weights, biases, x):
        h = [x]
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            h.append(np.maximum(h[-1] @ weight.swapaxes(1, 2) + bias, 0))
        return h, h[-1] @ weights[-1].swapaxes(1, 2) + biases[-1]

    def learn(scheme, depth):
        # All seeds and rates are trained side by side: the first axis of every array numbers the runs.
        sizes = (64, *[width] * depth, 10)
        drawn = [draw_all(scheme, sizes, seed) for seed in range(seeds)]
        weights = [np.stack([run[k] for run in drawn] * len(rates)).astype(np.float32) for k in range(depth + 1)]
        runs = seeds * len(rates)
        biases = [np.zeros((runs, 1, size), np.float32) for size in sizes[1:]]
        rate = np.repeat(np.float32(rates), seeds)[:, None, None]
        order = np.random.default_rng(0)
        for _ in range(epochs):
            shuffled = order.permutation(len(train))
            for batch in np.split(shuffled, range(batch_size, len(train), batch_size)):
                h, logits = forward(weights, biases, np.broadcast_to(train[batch], (runs, len(batch), 64)))
                p = np.exp(logits - logits.max(axis=2, keepdims=True))
                error = (p / p.sum(axis=2, keepdims=True) - targets[batch]) / len(batch)
                for k in range(depth, -1, -1):
                    grad_weight, grad_bias = error.swapaxes(1, 2) @ h[k], error.sum(axis=1, keepdims=True)
                    if k:
                        error = (error @ weights[k]) * (h[k] > 0)
                    weights[k] -= rate * grad_weight
                    biases[k] -= rate * grad_bias

        def accuracies(x, labels):
            answers = forward(weights, biases, np.broadcast_to(x, (runs, *x.shape)))[1].argmax(axis=2)
            return np.mean(answers == labels, axis=1).reshape(len(rates), seeds)

        chosen = accuracies(validation, digits.validation.labels).mean(axis=1).argmax()
        return accuracies(test, digits.test.labels)[chosen], rates[chosen]

    schemes = ("0.01 · randn", "Xavier", "He", "0.01, then LSUV")
    fig, ax = figure(size=(7.2, 3.8))
    for depth, color, marker, shift in ((1, palette.orange, "s", -0.1), (10, palette.blue, "o", 0.1)):
        for at, scheme in enumerate(schemes):
            with np.errstate(all="ignore"):  # a network that diverges may overflow
                accuracy, best = learn(scheme, depth)
            mean, spread = accuracy.mean(), accuracy.std(ddof=1)
            label = f"{depth} hidden layer{'s' * (depth > 1)}" if at == 0 else None
            ax.errorbar(at + shift, mean, spread, fmt=marker, color=color, capsize=4, label=label)
            ax.plot(np.full(seeds, at + 2.2 * shift), accuracy, ".", color=color, markersize=4)
            print(f"{depth:2d} hidden, {scheme:16s} best rate {best:4.2f}: accuracy {mean:.3f} ± {spread:.3f}")
    ax.axhline(0.1, color=palette.black, linestyle=":", linewidth=1)
    ax.set(xticks=range(4), xticklabels=schemes, ylim=(0, 1.05), ylabel="accuracy on 300 test digits")
    ax.set_title(f"ReLU networks after {epochs} epochs, {seeds} seeds, best of {len(rates)} rates")
    ax.legend(loc="lower right")
    show(
        fig,
        alt="Accuracy on test digits for four starts, mean and standard deviation of the seeds, single seeds as dots. "
        "With one hidden layer all four are near 0.95. With ten, 0.01 randn stays at 0.09, which is guessing. Xavier "
        "is in between and spreads widely. He, and 0.01 with LSUV, are near 0.9.",
    )
    reveal("does it matter", 1, "A wrong scale costs a shallow network little. In ten layers it is applied ten times.")


does_it_matter()

# %% [markdown]
# (Your initializers draw other numbers than ours, so your last digits differ.) With one hidden layer the four starts
# end within 0.01 of each other, all near 0.95. Which 300 digits happen to be in the test set adds an uncertainty of
# $\sqrt{0.95 \cdot 0.05/300} = 0.013$ to each: no difference at all, once each has its best rate.
#
# With ten layers it is another story. From 0.01 the network never leaves guessing, at any of the rates. Xavier's
# weights lose half of the mean square in every layer: 0.66 ± 0.21 in our run, some seeds learn and some hardly do. He's
# reach 0.915 ± 0.017. And the hopeless small weights, multiplied by eleven numbers from LSUV, reach 0.890 ± 0.032. The
# last two differ by 0.025, and the standard error of that difference is $\sqrt{(0.017^2 + 0.032^2)/8} = 0.013$. Two
# standard errors are suggestive and no proof. With other draws of He's weights we found 0.901 ± 0.049, and the gap is
# gone.
#
# (After 25 epochs the ten layers reach 0.96 with He and with LSUV, and Xavier still varies from seed to seed:
# 0.89 ± 0.19.)
#
# So the deeper the network, the more its initialization matters. It does not make depth useful, mind: on digits, in ten
# epochs, one layer does better than ten. It makes depth *possible*.

# %% [markdown]
# ## 12 · Find the bug
#
# This initializer for ReLU layers runs, has the right shape, and its mean is 0. A network with it learns nothing.


# %%
def broken_he_normal(shape, rng):
    fan_in = shape[0] * np.prod(shape[2:])
    return rng.normal(0.0, 2.0 / fan_in, size=shape)


# %% tags=["display-only"]
def look_at_the_broken_one():
    rng = np.random.default_rng(0)
    for shape in ((64, 64), (300, 300), (400, 100), (100, 400), (64, 16, 3, 3)):
        weights = broken_he_normal(shape, rng)
        fan_in = np.prod(shape[1:])
        print(f"{shape!s:15s} mean {weights.mean():8.5f}   std {weights.std():.5f}, wanted {np.sqrt(2 / fan_in):.5f}")


look_at_the_broken_one()

# %% [markdown]
# There are two mistakes. The first two shapes show only one of them: which shapes tell them apart? Copy the body here
# and mend it.
#
# ### Exercise: `repaired_he_normal`


# %%
def repaired_he_normal(shape, rng):
    """He's normal initialization for the layers of a ReLU network, mended: mean 0, variance 2 / fan_in.

    shape: the shape of the weights, (out, in) or (out, in, kernel height, kernel width).
    rng: a numpy.random.Generator, the only source of randomness.

    Returns a new float array of that shape, every element drawn on its own.
    """
    ### BEGIN SOLUTION
    fan_in = shape[1] * np.prod(shape[2:])  # was shape[0], unseen while in = out
    return rng.normal(0.0, np.sqrt(2.0 / fan_in), size=shape)  # normal asks for the standard deviation
    ### END SOLUTION


# %% points=4
check(repaired_he_normal)

# %% [markdown]
# An initializer is easy to test and seldom tested: draw a *non-square* layer, and compare its standard deviation with
# the one you derived.

# %% [markdown]
# ## 13 · In your own words
#
# This question is read by a person. A few sentences with formulas are enough; you need no code.
#
# A ReLU network has 20 square layers of 300 units, no biases, and weights of variance $1/300$. The input has mean
# square 1, and so has the gradient that reaches the last layer's pre-activations.
#
# 1. What is the mean square of the last layer's pre-activations, on average over networks? And that of the gradient at
#    the first layer's pre-activations? Say why.
# 2. The gradient of a layer's weights is $\delta_l^T h_{l-1}$. How does its scale depend on $l$?
# 3. A friend says: "Then I just multiply the learning rate." Is that as good as He's initialization? Give a reason.

# %% [markdown] written="faint_network" points=4
# **Model answer.** Equation (1) with $n_{\text{in}} v = 1$ keeps the mean square from $h_{l-1}$ to $z_l$, and each ReLU
# halves it. Before $z_{20}$ lie 19 ReLUs: mean square $2^{-19} \approx 2\cdot 10^{-6}$ (standard deviation
# $2^{-9.5} \approx 0.0014$). Backward, equation (2) keeps the mean square from $\delta_{l+1}$ to $\partial L/\partial
# h_l$, and multiplying by $\varphi'$, which is 0 for half of the entries, halves it. From layer 20 to layer 1 that
# happens 19 times: $2^{-19}$ again.
#
# $\delta_l$ has mean square $2^{-(20-l)}$ and $h_{l-1}$ has $2^{-(l-1)}$. Their product, $2^{-19}$, does not depend on
# $l$: all layers' weight gradients are too small by the same factor, $2^{-9.5}$, about 700.
#
# A larger learning rate is not as good. The gradients are small only at the start: once the weights have grown so that
# signals pass, gradients are hundreds of times larger, and the rate is far too large. (Or: with biases, the output
# bias and the biases of late layers have gradients of normal size from the start, so one rate cannot suit both. Or:
# one pays with a schedule for what a factor $\sqrt2$ in the weights gives for nothing.)
#
# **Marking.** 1 point: $2^{-19}$ forward, with the halving by each ReLU (accept $2^{-20}$ if the last ReLU is counted).
# 1 point: $2^{-19}$ backward, with $\varphi'$ as the reason. 1 point: the product does not depend on $l$. 1 point: one
# valid reason against the rate. Follow-up errors cost nothing.

# %% [markdown]
# ## Where you are
#
# The exercises have 96 points, and 4 are for the written question, which a person marks.

# %% tags=["display-only"]
progress()

# %% [markdown]
# **The next notebook**, *Following the slope*, is about the step itself: momentum, Adam and their relatives. It uses
# three things from here:
#
# - the largest eigenvalue of section 9, because it limits the learning rate;
# - the scales of gradients in different layers, because adaptive optimizers divide by them;
# - repeated runs with error bars, because optimizers too are compared by luck if one does not look.
#
# **To read next**
#
# - X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010): equation
#   (3), and the pictures of saturating layers that led to it.
# - K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers" (2015): equation (4), and PReLU.
# - A. Saxe, J. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
#   networks" (2013): why orthogonal weights do better still.
# - D. Sussillo, L. Abbott, "Random walk initialization for training very deep feedforward networks" (2014): the
#   wandering scale of section 4, as a random walk.
# - P. Krähenbühl, C. Doersch, J. Donahue, T. Darrell, "Data-dependent initializations of convolutional neural networks"
#   (2015), and D. Mishkin, J. Matas, "All you need is a good init" (2016): let the data set the scale.
