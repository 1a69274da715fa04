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
# # Normalizing inside the network
#
# A ReLU network of ten hidden layers starts with weights that are half as large as they should be. It learns nothing
# about the digits, whichever learning rate we try. Put two lines of arithmetic into each layer, and the same network
# reads 94 % of them, and 90 % from weights twenty times too small. This notebook derives the two lines, works out
# their gradient, and tests what is said about them.
#
# **When you are done**, you can
#
# - write batch normalization forward and backward, for vectors and for images, and derive the gradient on paper;
# - keep running statistics exactly as PyTorch does, evaluate with them, and fold them into a convolution;
# - say how noisy a batch's statistics are, and what small batches and sorted batches do;
# - tell batch, layer and group normalization apart by who shares a mean;
# - say which of the promises of batch normalization hold in an experiment, and which explanations do not.
#
# **You need** NumPy, the chain rule, mean and variance, and a network trained by gradient descent on the
# cross-entropy. He's initialization and dropout are recalled where they are needed. You need no GPU and no internet
# connection.
#
# **Time**: about 7 hours. The exercises and the written question take 271 minutes, the rest is reading
# and looking.

# %% [markdown]
# ## How this notebook works
#
# - Run the cells from top to bottom with Shift+Enter.
# - In an exercise, write your code in place of `raise NotImplementedError()`. Run the cell, then the `check`
#   below it. The check tells you what holds, and often which idea went wrong. The first check of all may take some
#   seconds, because it waits for PyTorch.
# - Write solutions in NumPy alone. A function must not change the arrays it is given.
# - `hint(batchnorm_forward)` gives three hints, one at a time. `reset(batchnorm_forward)`, as the last line of the
#   exercise's cell, brings the stub back and keeps your code in a comment. `solution(batchnorm_forward)` shows a
#   reference where the course has it. The same goes for every other exercise.
# - A `NameError` from a check or hint means that a cell above has not been run, or the kernel was restarted.
# - Where a question asks you to predict, choose an answer before you run the next cell. From the keyboard, Tab
#   goes from answer to answer and Space chooses.
# - No exercise depends on another. You may call your own earlier functions, but you need not. Pictures and
#   experiments use your function where it passed its check, and the course's version where it has not. They say which.
# - The experiments from section 7 on call your `BatchNorm` and your `batchnorm_backward` thousands of times. With
#   array operations each of them takes a few seconds; with a loop over the features, minutes.

# %% [markdown]
# | exercise | points | difficulty | importance | minutes |
# |---|---|---|---|---|
# | `batchnorm_forward` | 7 | 2 | 5 | 10 |
# | `identity_parameters` | 4 | 2 | 3 | 8 |
# | `batchnorm_backward` | 14 | 5 | 5 | 40 |
# | `batchnorm2d_forward` | 6 | 3 | 5 | 15 |
# | `batchnorm2d_backward` | 9 | 4 | 4 | 25 |
# | `BatchNorm` | 13 | 4 | 5 | 35 |
# | `batchnorm_eval_backward` | 5 | 1 | 4 | 8 |
# | `fold_batchnorm` | 8 | 3 | 4 | 20 |
# | `layernorm_forward` | 5 | 2 | 4 | 10 |
# | `groupnorm_forward` | 7 | 3 | 3 | 15 |
# | `global_average_pool` | 3 | 1 | 4 | 5 |
# | `train_deep_network` | 10 | 5 | 4 | 45 |
# | `repaired_batchnorm2d_backward` | 5 | 3 | 3 | 15 |
# | written question: scale-free weights | 4 | 3 | 4 | 20 |
#
# Difficulty and importance go from 1 to 5. Run the next cell before anything else.

# %%
import numpy as np

from course_utils import check, hint, predict, progress, reset, reveal, solution, working
from course_utils.data import load_digits
from course_utils.plots import figure, palette, show

digits = load_digits()
# One mean and one standard deviation for all pixels, those of the training images.
PIXEL_MEAN, PIXEL_STD = digits.train.features.mean(), digits.train.features.std()

# %% [markdown]
# ## 1 · One feature, one batch
#
# A layer's pre-activations for a batch of $N$ examples form an $(N, D)$ array: a row for each example, a column for
# each of $D$ features. Every column has a scale of its own, and it drifts while the layers before it learn.
# Initialization sets the scale once. *Batch normalization* sets it again in every step, from the numbers at hand. For
# each column $x_1 \dots x_N$,
#
# $$\mu = \frac1N \sum_i x_i, \qquad v = \frac1N \sum_i (x_i - \mu)^2, \qquad
# \hat x_i = \frac{x_i - \mu}{\sqrt{v + \varepsilon}}, \qquad y_i = \gamma\,\hat x_i + \beta. \tag{1}$$
#
# (Ioffe and Szegedy, *Batch Normalization*, 2015, Algorithm 1.) The variance divides by $N$. The small $\varepsilon$
# keeps the root away from 0. The *scale* $\gamma$ and the *shift* $\beta$, one of each for every column, are learned
# like weights; they start at 1 and 0. The lecture asks whether one really wants a standard normal input to a tanh.
# $\gamma$ and $\beta$ are the answer: if something else is better, the network can learn it.
#
# One trap is numerical. The variance is also $\frac1N\sum_i x_i^2 - \mu^2$, but not on a computer. With a mean ten
# million times the spread, the two terms agree in their first 14 digits, and float64 has 16.
#
# ### Exercise: `batchnorm_forward`


# %%
def batchnorm_forward(x, gamma, beta, epsilon=1e-5):
    """Batch normalization in training: every feature with the statistics of this batch.

    x: (N, D) float64 array, N ≥ 2 examples of D features. A feature's mean may be ten million times
    its spread: compute in float64, and so that the spread survives.
    gamma, beta: (D,) arrays, the scale and the shift of each feature.
    epsilon: a positive number, added to the variance under the root.

    For each feature: mean and variance over the N examples (the variance divides by N), then
    out = gamma · (x − mean) / √(variance + epsilon) + beta.

    Returns out: (N, D) array.
    Source: Ioffe and Szegedy, "Batch Normalization", 2015, Algorithm 1.
    """
    ### BEGIN SOLUTION
    mean = x.mean(axis=0)  # (D,)
    variance = x.var(axis=0)  # (D,): the mean of the squared distances, divided by N
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    ### END SOLUTION


# %% points=7
check(batchnorm_forward)

# %% [markdown]
# One of the lecture's slides labels the output of (1) "Mean = Beta, Variance = Gamma". Check it before you believe it.

# %% tags=["display-only"]
predict(
    "label",
    "Batch norm with γ = 4 and β = 1 is applied to a feature whose variance is 100. What is the output's variance?",
    ["4", "16", "100", "1600"],
)


# %% tags=["display-only"]
def what_gamma_does():
    forward, rng = working("batchnorm_forward"), np.random.default_rng(0)
    means, stds = np.array([5.0, -3.0, 0.0, 2.0]), np.array([10.0, 0.1, 1.0, 0.001])
    gamma, beta = np.array([4.0, 0.5, -2.0, 1.0]), np.array([1.0, -1.0, 0.0, 3.0])
    x = means + stds * rng.normal(size=(1000, 4))
    y = forward(x, gamma, beta)
    for k in range(4):
        print(
            f"in: mean {x[:, k].mean():6.3f}, std {x[:, k].std():7.4f}   γ {gamma[k]:4.1f}, β {beta[k]:4.1f}   "
            f"out: mean {y[:, k].mean():6.3f}, std {y[:, k].std():.3f}, variance {y[:, k].var():6.3f}"
        )
    fig, axes = figure(1, 2, size=(10, 3.4))
    styles = ("-", "--", ":")
    for ax, values, title in zip(axes, (x, y), ("before", "after"), strict=True):
        bins = np.linspace(values[:, :3].min(), values[:, :3].max(), 80)
        for k, color in zip(range(3), palette, strict=False):
            label = f"γ = {gamma[k]:g}, β = {beta[k]:g}"
            ax.hist(values[:, k], bins, histtype="step", color=color, linestyle=styles[k], linewidth=1.6, label=label)
        ax.set(title=title, xlabel="value", yscale="log", ylim=(0.8, 2000))
    axes[0].set_ylabel("examples")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    show(
        fig,
        alt="Histograms of three features over 1000 examples, before and after batch norm, counts on a logarithmic "
        "axis. Before: one is very wide, one is a spike at −3, one is in between. After: their centres are at 1, −1 "
        "and 0, and their widths are 4, 0.5 and 2, as γ says.",
    )
    reveal("label", 1, "x̂ has variance 1 and standard deviation 1, and γ multiplies x̂: the variance is γ² = 16.")


what_gamma_does()

# %% [markdown]
# So the slide is wrong: the output's *standard deviation* is $|\gamma|$, and its variance is $\gamma^2$. ($\gamma$ may
# well become negative, as in the third row.) The last row shows $\varepsilon$ at work. A variance of $10^{-6}$ is small
# beside $\varepsilon = 10^{-5}$, so $\hat x$ has standard deviation $\sqrt{v/(v+\varepsilon)} = 0.30$ and not 1.
#
# The lecture notes that a network can learn to undo the whole thing: with $\gamma = \sqrt{\operatorname{Var}[x]}$ and
# $\beta = E[x]$ it would "recover the identity mapping". Nearly. Solve $\gamma \hat x_i + \beta = x_i$ for the layer
# that is really there.
#
# ### Exercise: `identity_parameters`


# %%
def identity_parameters(x, epsilon=1e-5):
    """The γ and β with which batch normalization gives this batch back unchanged.

    x: (N, D) float64 array, N ≥ 2. epsilon: a positive number, the one that batchnorm_forward gets.

    Returns (gamma, beta), two (D,) arrays with batchnorm_forward(x, gamma, beta, epsilon) = x;
    gamma is not negative.
    Where a feature is the same in every example, any gamma would do: the formula of the others holds there too.
    """
    ### BEGIN SOLUTION
    return np.sqrt(x.var(axis=0) + epsilon), x.mean(axis=0)
    ### END SOLUTION


# %% points=4
check(identity_parameters)


# %% tags=["display-only"]
def undo_it():
    forward, parameters = working("batchnorm_forward"), working("identity_parameters")
    rng = np.random.default_rng(0)
    for std in (10.0, 0.1, 0.001):
        x = 3 + std * rng.normal(size=(1000, 1))
        exact = np.abs(forward(x, *parameters(x)) - x).max() / std
        lecture = np.abs(forward(x, x.std(axis=0), x.mean(axis=0)) - x).max() / std
        print(f"std {std:6.3f}: largest error, in standard deviations: yours {exact:.0e}, the lecture's {lecture:.0e}")


undo_it()

# %% [markdown]
# For a feature of ordinary size the difference does not matter. For the faint one it is everything: without
# $\varepsilon$, the faint feature comes back 70 % too small.
#
# Now go to the smallest batches.

# %% tags=["display-only"]
predict(
    "two",
    "A batch of two examples. One feature is 3.1 and 7.4, another 0.2 and −90. What is x̂ in the two features?",
    [
        "about 1 and 2, and about 0 and −90: it depends on the distance",
        "−1 and 1, and 1 and −1: only the order is left",
        "0 everywhere: two numbers have no variance",
    ],
)


# %% tags=["display-only"]
def small_batches():
    forward = working("batchnorm_forward")
    x = np.array([[3.1, 0.2], [7.4, -90.0], [3.3, 41.0]])
    for n in (3, 2):
        out = forward(x[:n], np.ones(2), np.zeros(2))
        print(f"first {n}:", "   ".join(f"{a:7.4f} → {b:7.4f}" for a, b in zip(x[:n].T.flat, out.T.flat, strict=True)))
    reveal("two", 1, "With two numbers at distance d, both are d/2 from the mean, and the root of the variance is d/2.")


small_batches()

# %% [markdown]
# With two examples, a feature keeps one bit: who is larger. With one example nothing would be left at all: $\mu = x$,
# so $\hat x = 0$, and the output is $\beta$ whatever came in. Notice too that the same number, 3.1, becomes $-0.76$ in
# the company of three and $-1$ in the company of two. We come back to all of this.

# %% [markdown]
# ## 2 · The backward pass, on paper
#
# Let $g_i = \partial L/\partial y_i$ be what comes from above. It is wrong to treat $\mu$ and $v$ as constants: both
# depend on every $x_k$ of the batch. Draw the graph of (1), with $c_i = x_i - \mu$ and $s = \sqrt{v+\varepsilon}$:
#
# ```
#  x ─────────────→ c = x − μ ─────────────→ x̂ = c / s ──→ y = γ x̂ + β
#  │                ↑   │                     ↑
#  └→ μ = mean(x) ──┘   └→ v = mean(c²) ──→ s = √(v + ε)
# ```
#
# **First way: node by node**, from right to left. Where two arrows leave a node, two terms add up; where a node is
# used by all examples, it collects a sum. ($\mu$ enters every $c_i$ with a minus, so its gradient is minus the sum of
# theirs.)
#
# | node | its gradient |
# |---|---|
# | $\beta$ | $\sum_i g_i$ |
# | $\gamma$ | $\sum_i g_i\,\hat x_i$ |
# | $\hat x_i$ | $d_i = \gamma\, g_i$ |
# | $s$ | $-\sum_i d_i\,c_i/s^2$ |
# | $v$ | $\dfrac{\partial L}{\partial s}\cdot\dfrac{1}{2s}$ |
# | $c_i$ | $\dfrac{d_i}{s} + \dfrac{\partial L}{\partial v}\cdot\dfrac{2c_i}{N}$ |
# | $\mu$ | $-\sum_i \dfrac{d_i}{s} - \dfrac{\partial L}{\partial v}\cdot\dfrac{2}{N}\sum_i c_i$ |
# | $x_i$ | $\dfrac{\partial L}{\partial c_i} + \dfrac1N\,\dfrac{\partial L}{\partial \mu}$ |
#
# These are the equations of the paper (Ioffe and Szegedy, 2015, §3), in another order. One of the two terms for $\mu$
# is 0 for every batch.

# %% tags=["display-only"]
predict(
    "zero",
    "Which term of the gradient for μ is always 0, and why?",
    [
        "the first: the gradients dᵢ of a batch add up to 0",
        "the second: the gradient for v is 0, because v does not depend on the mean",
        "the second: the distances cᵢ from the mean add up to 0",
        "neither; they cancel each other",
    ],
)


# %% tags=["display-only"]
def the_two_terms(n=6):
    rng = np.random.default_rng(1)
    x, g, gamma = 50 + 3 * rng.normal(size=n), rng.normal(size=n), 1.7
    c = x - x.mean()
    s = np.sqrt(np.mean(c**2) + 1e-5)
    d = gamma * g
    grad_v = -np.sum(d * c) / s**2 / (2 * s)
    print(f"gradient for v: {grad_v:.4f}      sum of the c: {c.sum():.0e}")
    print(f"first term {-np.sum(d) / s:.4f}      second term {-grad_v * 2 / n * c.sum():.0e}")
    reveal("zero", 2, "Σ(xᵢ − μ) = Nμ − Nμ = 0. Moving μ alone changes v only in second order: v is smallest there.")


the_two_terms()

# %% [markdown]
# The paper prints that term, and many implementations compute it. You may leave it out.
#
# **Second way: the closed form.** Ask how $\hat x_i$ moves when $x_k$ does, with $\delta_{ik} = 1$ for $i = k$ and 0
# otherwise:
#
# $$\frac{\partial c_i}{\partial x_k} = \delta_{ik} - \frac1N, \qquad
# \frac{\partial s}{\partial x_k} = \frac{1}{2s}\cdot\frac2N \sum_i c_i \Big(\delta_{ik} - \frac1N\Big)
# = \frac{c_k}{N s} = \frac{\hat x_k}{N},$$
#
# where $\sum_i c_i = 0$ was used again. The quotient rule for $\hat x_i = c_i/s$ gives
#
# $$\frac{\partial \hat x_i}{\partial x_k} = \frac1s\Big(\delta_{ik} - \frac1N - \frac{\hat x_i\,\hat x_k}{N}\Big).
# \tag{2}$$
#
# Multiply by $d_i = \gamma g_i$ and sum over $i$:
#
# $$\frac{\partial L}{\partial x_k} = \frac{\gamma}{s}\Big(g_k - \frac1N\sum_i g_i
# - \hat x_k\,\frac1N\sum_i g_i\,\hat x_i\Big). \tag{3}$$
#
# The two sums are the gradients of $\beta$ and $\gamma$, which you need anyway. Put the rows of the table into each
# other, and you get (3) again: try it. Write whichever way you like.
#
# ### Exercise: `batchnorm_backward`


# %%
def batchnorm_backward(grad_out, x, gamma, epsilon=1e-5):
    """The backward pass of batch normalization in training.

    grad_out: (N, D) array, ∂L/∂out, where out = batchnorm_forward(x, gamma, beta, epsilon).
    x: (N, D) float64 array, N ≥ 2, as it went into the forward pass.
    gamma: (D,) array. epsilon: a positive number.

    The mean and the variance depend on x too: all paths from x to the loss count.
    beta is not needed: none of the gradients depends on it.

    Returns (grad_x, grad_gamma, grad_beta), of shapes (N, D), (D,) and (D,).
    Left open: the formula in one line, or step by step through mean and variance.
    Source: Ioffe and Szegedy, 2015, §3 (the equations after Algorithm 1).
    """
    ### BEGIN SOLUTION
    std = np.sqrt(x.var(axis=0) + epsilon)  # (D,)
    x_hat = (x - x.mean(axis=0)) / std  # (N, D)
    grad_beta = grad_out.sum(axis=0)
    grad_gamma = (grad_out * x_hat).sum(axis=0)
    # What the mean and the variance hand back is a mean over the batch, and a mean along x_hat.
    grad_x = gamma / std * (grad_out - grad_beta / len(x) - x_hat * grad_gamma / len(x))
    return grad_x, grad_gamma, grad_beta
    ### END SOLUTION


# %% points=14
check(batchnorm_backward)


# %% tags=["display-only"]
def compare_both_ways(n=5, units=3, step=1e-5):
    forward, backward = working("batchnorm_forward"), working("batchnorm_backward")
    rng = np.random.default_rng(0)
    x, g = 2 + 3 * rng.normal(size=(n, units)), rng.normal(size=(n, units))
    gamma, beta = np.array([1.5, -0.7, 2.0]), np.zeros(units)
    grad_x, _, _ = backward(g, x, gamma)

    slopes = np.zeros_like(x)
    for at in np.ndindex(*x.shape):
        move = np.zeros_like(x)
        move[at] = step
        slopes[at] = np.sum(g * (forward(x + move, gamma, beta) - forward(x - move, gamma, beta))) / (2 * step)

    c = x - x.mean(axis=0)
    s = np.sqrt(np.mean(c**2, axis=0) + 1e-5)
    grad_v = -np.sum(gamma * g * c, axis=0) / (2 * s**3)
    grad_c = gamma * g / s + grad_v * 2 * c / n
    staged = grad_c - grad_c.mean(axis=0)
    held = gamma * g / s  # μ and v as constants
    for name, other in (("finite differences", slopes), ("node by node", staged), ("μ and v held constant", held)):
        print(f"largest difference to {name:22s} {np.abs(grad_x - other).max():.0e}   (largest entry", end=" ")
        print(f"{np.abs(grad_x).max():.2f})")


compare_both_ways()

# %% [markdown]
# Both ways agree, and whoever holds $\mu$ and $v$ constant is wrong by as much as the gradient is large.

# %% tags=["display-only"]
predict(
    "company",
    "Eight examples, one feature, and a loss that looks at the output of example 0 alone: L = y₀. "
    "For which examples is ∂L/∂x not 0?",
    ["for example 0 alone", "for example 0 and the one nearest to it", "for all eight"],
)

# %% tags=["display-only"]
predict(
    "two backward",
    "And in a batch of two: what is ∂L/∂x for the two examples, if ε is negligible?",
    ["(1, −1)/s", "(1, 0)/s", "(0, 0)"],
)


# %% tags=["display-only"]
def who_depends_on_whom():
    backward, rng = working("batchnorm_backward"), np.random.default_rng(3)
    fig, axes = figure(1, 3, size=(10.5, 3.3))
    for ax, n in zip(axes[:2], (8, 2), strict=True):
        x = rng.normal(size=(n, 1))
        rows = [backward(np.eye(n)[:, i : i + 1], x, np.ones(1))[0][:, 0] for i in range(n)]  # row i: L = y_i
        ax.imshow(rows, cmap="PuOr", vmin=-1, vmax=1)
        ax.grid(False)
        ax.set(title=f"∂yᵢ/∂xₖ in a batch of {n}", xlabel="example k", ylabel="example i")
        ax.set(xticks=range(n), yticks=range(n))
        for i, k in np.ndindex(n, n):
            ink = "white" if abs(rows[i][k]) > 0.6 else palette.black
            ax.text(k, i, f"{rows[i][k]:.2f}".replace("-0.00", "0.00"), ha="center", va="center", fontsize=7, color=ink)
        print(f"batch of {n}: L = y₀ gives", ", ".join(f"{value:.4f}" for value in rows[0]))
    order = np.arange(2, 65)
    axes[2].plot(order, 1 - 2 / order, color=palette.blue)
    axes[2].set(title="What gets through: 1 − 2/N", xlabel="batch size N", ylabel="share of the mean square")
    axes[2].set_ylim(0, 1)
    show(
        fig,
        alt="Left: an 8 by 8 table of the derivatives of y i for x k. The diagonal is largest, 0.33 to 0.66; the "
        "others lie between −0.27 and 0.19, and hardly any is 0. "
        "Middle: the 2 by 2 table of a batch of two; all entries are 0. Right: the curve 1 − 2/N, from 0 at N = 2 "
        "to near 1 at N = 64.",
    )
    reveal("company", 2, "Every example shifts the mean and stretches the spread that example 0 is measured by.")
    reveal("two backward", 2, "x̂ is (−1, 1) wherever the two numbers are, so moving them changes nothing.")


who_depends_on_whom()

# %% [markdown]
# Batch norm ties the examples of a batch together: the gradient that reaches one image depends on which others were
# drawn with it. In (3) each column of $g$ loses two of its $N$ dimensions, its mean and its part along $\hat x$. A
# random $g$ keeps $1 - 2/N$ of its mean square (the curve on the right). In a batch of two it keeps nothing: the layers
# below such a layer are not trained at all.
#
# The two lost dimensions have a meaning. Shifting or stretching the whole column does not change $\hat x$, so no
# gradient asks for it.

# %% tags=["display-only"]
predict(
    "bias",
    "A linear layer z = Wh + b stands before a batch norm. Which gradient does b get, and which W, "
    "if all weights are ten times as large?",
    [
        "b: the same as without batch norm; W: ten times as large",
        "b: 0; W: the same",
        "b: 0; W: a tenth",
        "b: 0; W: ten times as large",
    ],
)


# %% tags=["display-only"]
def in_front_of_a_batch_norm():
    forward, backward = working("batchnorm_forward"), working("batchnorm_backward")
    rng = np.random.default_rng(0)
    h, weight, bias, g = (rng.normal(size=shape) for shape in ((32, 20), (4, 20), (4,), (32, 4)))
    gamma, beta = np.array([1.0, 2.0, 0.5, -1.0]), np.zeros(4)
    first = forward(h @ weight.T + bias, gamma, beta)
    for factor in (1, 10, 100):
        z = h @ (factor * weight).T + bias
        grad_z, _, _ = backward(g, z, gamma)
        out = forward(z, gamma, beta)
        grad_weight = grad_z.T @ h
        print(
            f"{factor:3d} · W: output changed by {np.abs(out - first).max():.0e};   gradient of b "
            f"{np.abs(grad_z.sum(axis=0)).max():.0e}, of W {np.abs(grad_weight).max():.5f}, W · gradient, unit by unit "
            f"{np.abs(np.sum(factor * weight * grad_weight, axis=1)).max():.0e}"
        )
    reveal("bias", 2, "b only shifts a column. And to change the output as much, W must move ten times as far.")


in_front_of_a_batch_norm()

# %% [markdown]
# - The bias in front of a batch norm is useless: $\beta$ does its work. One leaves it out (`bias=False`).
# - The output does not depend on the scale of $W$, and the gradient of $W$ shrinks as $W$ grows (Ioffe and Szegedy,
#   2015, §3.3). Section 7 shows what this does to learning rates.
# - The last column: the gradient of every unit's weights is perpendicular to these weights, up to $\varepsilon$.

# %% [markdown]
# ## 3 · Images
#
# A convolution uses the same weights at every place, so its output should be normalized in the same way at every
# place. One mean and one variance for each *channel*, over all images and all places (Ioffe and Szegedy, 2015, §3.2).
# There is one $\gamma$ and one $\beta$ for each channel.
#
# The sizes printed below are those of AlexNet, the network that won the ImageNet contest of 2012 (1.2 million
# photographs of 1000 classes). It has five convolutions, conv1 to conv5, and then three fully connected layers, fc6 to
# fc8.

# %% tags=["display-only"]
predict(
    "how many",
    "A batch has shape (N, C, H, W) = (2, 3, 4, 5). How many numbers share one mean?",
    ["2", "6", "20", "40"],
)

# %% [markdown]
# ### Exercise: `batchnorm2d_forward`


# %%
def batchnorm2d_forward(x, gamma, beta, epsilon=1e-5):
    """Batch normalization of images in training: every channel with the statistics of this batch.

    x: (N, C, H, W) float64 array. A channel's mean may be ten million times its spread.
    gamma, beta: (C,) arrays, one number for each channel. epsilon: a positive number.

    For each channel: one mean and one variance over all N images and all H × W pixels (the variance
    divides by N·H·W), then out = gamma · (x − mean) / √(variance + epsilon) + beta.

    Returns out: (N, C, H, W) array.
    Source: Ioffe and Szegedy, 2015, §3.2.
    """
    ### BEGIN SOLUTION
    mean = x.mean(axis=(0, 2, 3), keepdims=True)  # (1, C, 1, 1)
    variance = x.var(axis=(0, 2, 3), keepdims=True)
    x_hat = (x - mean) / np.sqrt(variance + epsilon)
    return gamma[:, None, None] * x_hat + beta[:, None, None]  # (C, 1, 1) meets (N, C, H, W)
    ### END SOLUTION


# %% points=6
check(batchnorm2d_forward)

# %% [markdown]
# Backward, (3) holds as it stands, with the sums over all the numbers that share a mean and with their count in place
# of $N$.
#
# ### Exercise: `batchnorm2d_backward`


# %%
def batchnorm2d_backward(grad_out, x, gamma, epsilon=1e-5):
    """The backward pass of batch normalization of images in training.

    grad_out: (N, C, H, W) array, ∂L/∂out, where out = batchnorm2d_forward(x, gamma, beta, epsilon).
    x: (N, C, H, W) float64 array, as it went into the forward pass.
    gamma: (C,) array. epsilon: a positive number.

    Returns (grad_x, grad_gamma, grad_beta), of shapes (N, C, H, W), (C,) and (C,).
    Left open: to compute it here, or to bring x into a form that batchnorm_backward takes.
    """
    ### BEGIN SOLUTION
    axes = (0, 2, 3)
    count = x.size // x.shape[1]  # N·H·W numbers share one mean and one variance
    std = np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)  # (1, C, 1, 1)
    x_hat = (x - x.mean(axis=axes, keepdims=True)) / std
    grad_beta = grad_out.sum(axis=axes)  # (C,)
    grad_gamma = (grad_out * x_hat).sum(axis=axes)
    shared = grad_beta[:, None, None] + x_hat * grad_gamma[:, None, None]
    grad_x = gamma[:, None, None] / std * (grad_out - shared / count)
    return grad_x, grad_gamma, grad_beta
    ### END SOLUTION


# %% points=9
check(batchnorm2d_backward)


# %% tags=["display-only"]
def images_are_long_columns():
    forward, backward = working("batchnorm_forward"), working("batchnorm_backward")
    forward2d, backward2d = working("batchnorm2d_forward"), working("batchnorm2d_backward")
    rng = np.random.default_rng(0)
    x, g = 1 + 2 * rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 3, 4, 5))
    gamma, beta = np.array([2.0, -1.0, 0.5]), np.array([0.0, 1.0, 2.0])

    def columns(images):  # (N, C, H, W) to (N·H·W, C)
        return images.transpose(0, 2, 3, 1).reshape(-1, images.shape[1])

    print(f"columns(x) has the shape {columns(x).shape}")
    gap = np.abs(columns(forward2d(x, gamma, beta)) - forward(columns(x), gamma, beta)).max()
    print(f"forward:  largest difference between the two functions {gap:.0e}")
    pairs = zip(backward2d(g, x, gamma), backward(columns(g), columns(x), gamma), strict=True)
    gaps = [np.abs((columns(one) if one.ndim == 4 else one) - other).max() for one, other in pairs]
    print("backward: for x, γ and β", ", ".join(f"{gap:.0e}" for gap in gaps))
    for name, channels, side in (("conv1", 96, 55), ("conv5", 256, 13), ("fc6", 4096, 1)):
        print(f"AlexNet's {name}, batch of 128: {2 * channels} parameters, {128 * side * side} numbers share a mean")
    reveal("how many", 3, "All of its images and places: 2 · 4 · 5 = 40. A channel is one long column.")


images_are_long_columns()

# %% [markdown]
# So batch norm of images is batch norm of columns: bring the channels to the end, and flatten the rest.

# %% [markdown]
# ## 4 · The noise of a batch
#
# The batch's mean stands in for the mean of all the data. How far off is it? Draw $N$ independent examples of a feature
# with mean $m$ and variance $\sigma^2$. The variances of independent numbers add up, so
#
# $$\operatorname{Var}\Big[\frac1N\sum_i x_i\Big] = \frac{1}{N^2}\cdot N\sigma^2 = \frac{\sigma^2}{N}, \qquad
# \text{standard deviation } \frac{\sigma}{\sqrt N}. \tag{4}$$
#
# The batch's standard deviation is itself a random number. The variance $v$ is nearly the mean of $N$ numbers
# $(x_i - m)^2$, each of variance $E[(x-m)^4] - \sigma^4$. With the *kurtosis* $\kappa = E[(x-m)^4]/\sigma^4$ and (4),
# $v$ scatters by $\sigma^2\sqrt{(\kappa - 1)/N}$. A small change $dv$ moves the root by $dv/(2\sigma)$. So $\sqrt v$
# scatters by
#
# $$\frac{\sigma}{2}\sqrt{\frac{\kappa - 1}{N}}, \tag{5}$$
#
# which is $\sigma/\sqrt{2N}$ for a normal distribution, where $\kappa = 3$.

# %% tags=["display-only"]
predict(
    "noise",
    "The mean of a batch of 8 and the mean of a batch of 128: by which factor is the first one noisier?",
    ["2", "4", "8", "16"],
)


# %% tags=["display-only"]
def noise_of_the_statistics(units=20, batches=1000, sizes=(2, 4, 8, 16, 32, 64, 128, 256)):
    rng = np.random.default_rng(0)
    x = (digits.train.features - PIXEL_MEAN) / PIXEL_STD
    z = x @ rng.normal(size=(64, units)) * np.sqrt(2 / 64)  # what a first layer with He's weights makes of the digits
    sigma = z.std(axis=0)
    kurtosis = np.mean((z - z.mean(axis=0)) ** 4, axis=0) / sigma**4
    of_mean, of_std = [], []
    for n in sizes:
        drawn = z[rng.integers(0, len(z), size=(batches, n))]  # (batches, n, units)
        of_mean.append(drawn.mean(axis=1).std(axis=0) / sigma)
        of_std.append(drawn.std(axis=1).std(axis=0) / sigma)
    fig, ax = figure(size=(6.6, 3.8))
    at = np.array(sizes)
    rest = {"mean": 1 / np.sqrt(at), "std": np.sqrt((kurtosis.mean() - 1) / at) / 2}
    for name, found, color, style in (("mean", of_mean, palette.blue, "o-"), ("std", of_std, palette.orange, "s--")):
        average, spread = np.mean(found, axis=1), np.std(found, axis=1, ddof=1)
        ax.errorbar(at, average, spread, fmt=style[0], color=color, capsize=3, label=f"of the batch's {name}")
        ax.plot(at, rest[name], style[1:], color=color, label=f"equation ({4 if name == 'mean' else 5})")
        for k in (0, 2, 6):
            print(
                f"N = {sizes[k]:3d}: the {name:4s} scatters by {average[k]:.4f} ± {spread[k]:.4f} σ, expected "
                f"{rest[name][k]:.4f}"
            )
    print(f"kurtosis of the units: {kurtosis.mean():.2f} ± {kurtosis.std(ddof=1):.2f}")
    ax.set(xscale="log", yscale="log", xlabel="batch size N", ylabel="noise, in units of σ")
    ax.set(title="How much a batch's statistics scatter")
    for set_ticks, ticks in ((ax.set_xticks, sizes), (ax.set_yticks, (0.05, 0.1, 0.2, 0.5))):
        set_ticks(ticks, [str(tick) for tick in ticks])
        set_ticks([], minor=True)
    ax.legend()
    show(
        fig,
        alt="Noise of the batch's mean and of the batch's standard deviation against the batch size, both axes "
        "logarithmic, mean and spread over 20 units. The means lie on the straight line 1 over root N. The standard "
        "deviations lie on a parallel line, lower by a third; only at N = 2 they are below it.",
    )
    reveal("noise", 1, "√(128/8) = 4. To halve the noise, one needs four times the batch.")


noise_of_the_statistics()

# %% [markdown]
# The means follow (4) from the smallest batch on. (5) was derived for small changes, and for $N = 2$ it promises too
# much. Sixteen times the batch, a quarter of the noise: that is slow, but small batches are noisy indeed. The mean of
# eight examples is off by a third of a standard deviation.
#
# Turn the knob yourself. Choose unit 2: from which batch size on does the image's normalized value scatter by less than
# 0.1? Then unit 1, where the value is $-2.1$ with the statistics of all images. Why does it never get there in a batch
# of 4? (The largest of $N$ normalized numbers is largest when all others are equal. Work out that case.)

# %% tags=["display-only"]
from course_utils.widgets import batch_statistics

batch_statistics()

# %% [markdown]
# ## 5 · One example at a time
#
# A trained network must answer for a single image, and the answer should not depend on what else is asked. So
# evaluation uses fixed numbers in place of $\mu$ and $v$. The paper computes them after training, from many batches.
# In practice a layer keeps *running statistics* while it trains: after each batch,
#
# $$r \leftarrow (1 - \alpha)\, r + \alpha \cdot \text{(this batch's value)}, \tag{6}$$
#
# starting at 0 for the mean and at 1 for the variance. PyTorch calls $\alpha$ the *momentum*, 0.1 by default. Beware of
# the word: an optimizer's momentum 0.9 is the share that *stays*; here 0.1 is the share that is *new*. (Keras and
# TensorFlow use the other convention: their 0.99 is an $\alpha$ of 0.01.)
#
# One more detail, which is easy to miss. The variance divided by $N$ is too small on average, by the factor
# $(N-1)/N$. (The batch's mean lies closer to the batch than the true mean does.) In training the layer divides by this
# biased one. Into $r$ goes the *unbiased* one, divided by $N-1$, since $r$ is an estimate for all the data.

# %% tags=["display-only"]
predict(
    "memory",
    "A layer with momentum 0.1 has seen ten batches. How much of its running mean is still the initial 0?",
    ["nothing", "about 10 %", "about 35 %", "about 90 %"],
)

# %% [markdown]
# ### Exercise: `BatchNorm`


# %%
class BatchNorm:
    """A batch normalization layer that remembers what it has seen, as PyTorch's BatchNorm1d does.

    BatchNorm(num_features, epsilon=1e-5, momentum=0.1) has the attributes

    weight, bias: (D,) arrays, γ and β; ones and zeros at first. They may be replaced from outside.
    running_mean, running_var: (D,) arrays; zeros and ones at first. They may be replaced too.
    training: True at first. Set it to False for evaluation.

    layer(x) takes an (N, D) float64 array and returns out, (N, D):

    - in training it normalizes with the batch's own mean and variance (the variance divides by N).
      Then each running value becomes (1 − momentum) · old + momentum · batch, where batch is the mean
      and the *unbiased* variance, which divides by N − 1.
      A batch of one example raises a ValueError that gives its size, 1.
    - in evaluation it normalizes with running_mean and running_var, and changes nothing. N = 1 works.

    Either way out = weight · x_hat + bias, and epsilon is added to the variance under the root.
    Source: Ioffe and Szegedy, 2015, §3.1; PyTorch's documentation of torch.nn.BatchNorm1d.
    """

    def __init__(self, num_features, epsilon=1e-5, momentum=0.1):
        ### BEGIN SOLUTION
        self.epsilon, self.momentum, self.training = epsilon, momentum, True
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        ### END SOLUTION

    def __call__(self, x):
        """Normalize the (N, D) array x; in training, also update the running statistics."""
        ### BEGIN SOLUTION
        if self.training:
            if len(x) < 2:
                raise ValueError(f"a batch of {len(x)} has no variance: training needs at least 2 examples")
            mean, variance = x.mean(axis=0), x.var(axis=0)
            old = 1 - self.momentum
            self.running_mean = old * self.running_mean + self.momentum * mean
            self.running_var = old * self.running_var + self.momentum * x.var(axis=0, ddof=1)
        else:
            mean, variance = self.running_mean, self.running_var
        return self.weight * (x - mean) / np.sqrt(variance + self.epsilon) + self.bias
        ### END SOLUTION


# %% points=13
check(BatchNorm)


# %% tags=["display-only"]
def running_statistics(n=16, steps=300, momenta=(0.5, 0.1, 0.01)):
    import torch

    layer_class, rng = working("BatchNorm"), np.random.default_rng(0)
    ours, theirs = layer_class(5), torch.nn.BatchNorm1d(5, dtype=torch.float64)
    for _ in range(50):
        x = 3 + 2 * rng.normal(size=(n, 5))
        ours(x)
        theirs(torch.tensor(x))
    for name in ("running_mean", "running_var"):
        gap = np.abs(getattr(ours, name) - getattr(theirs, name).numpy()).max()
        print(f"after 50 batches, largest gap to PyTorch's {name}: {gap:.0e}")

    fig, axes = figure(1, 2, size=(10, 3.5))
    units = 400  # the first one is drawn, all of them give the spread
    layers = {momentum: layer_class(units, momentum=momentum) for momentum in momenta}
    means, seen = {momentum: [] for momentum in momenta}, []
    for _ in range(steps):
        x = 3 + 2 * rng.normal(size=(n, units))
        seen.append(x[:, 0].mean())
        for momentum, layer in layers.items():
            layer(x)
            means[momentum].append(layer.running_mean.copy())  # a layer may update it in place
    axes[0].plot(range(1, steps + 1), seen, ".", color=palette.sky, markersize=3, label="batch means")
    for (momentum, path), color, style in zip(means.items(), palette, ("-", "--", ":"), strict=False):
        axes[0].plot(range(1, steps + 1), np.array(path)[:, 0], style, color=color, label=f"momentum {momentum}")
        noise, expected = path[-1].std(), 2 / np.sqrt(n) * np.sqrt(momentum / (2 - momentum))
        axes[1].plot(momentum, noise, "o", color=color)
        print(
            f"momentum {momentum:4}: still 0 after 10 batches {(1 - momentum) ** 10:4.0%}, after {steps} "
            f"{(1 - momentum) ** steps:4.0%};   noise at the end {noise:.4f}, expected {expected:.4f}"
        )
    at = np.geomspace(0.005, 1)
    axes[1].plot(at, 2 / np.sqrt(n) * np.sqrt(at / (2 - at)), color=palette.black, linewidth=1, label="equation (7)")
    axes[0].set(title="The running mean of one feature, true mean 3", xlabel="batch", ylabel="mean", ylim=(0, 5))
    axes[1].set(title="What noise is left", xlabel="momentum", ylabel="std over 400 features", xscale="log")
    axes[1].set(yscale="log")
    axes[1].set_yticks((0.03, 0.1, 0.3), ("0.03", "0.1", "0.3"))
    axes[1].set_yticks([], minor=True)
    axes[0].legend(loc="lower right", ncols=2)
    axes[1].legend(loc="upper left")
    show(
        fig,
        alt="Left: the means of 300 batches scatter around 3 by 0.5. The running mean with momentum 0.5 follows them "
        "closely; with 0.1 it is much calmer and reaches 3 after some 40 batches; with 0.01 it is calm and still on "
        "its way up after 200. Right: the noise that is left, on logarithmic axes; three points lie on the curve of "
        "equation 7.",
    )
    reveal("memory", 2, "Each batch leaves 0.9 of what was there: 0.9^10 = 0.35.")


running_statistics()

# %% [markdown]
# Unroll (6): a batch that lies $k$ steps back has the weight $\alpha(1-\alpha)^k$. The weights of all batches and of
# the initial value add up to 1, and the squares of the batches' weights to $\alpha^2/(1 - (1-\alpha)^2) =
# \alpha/(2-\alpha)$. With (4), the noise that is left is
#
# $$\frac{\sigma}{\sqrt N}\sqrt{\frac{\alpha}{2 - \alpha}}, \tag{7}$$
#
# as if $(2-\alpha)/\alpha$ batches were averaged: 19 for $\alpha = 0.1$. A small $\alpha$ is calmer but slower: after
# $1/\alpha$ batches about a third of the running statistics is still the initial value, and evaluation before that
# gives nonsense.
#
# In evaluation the statistics are constants. What is the gradient then?

# %% tags=["display-only"]
predict(
    "same numbers",
    "Set running_mean and running_var to the mean and the biased variance of a batch. Then the layer's output for this "
    "batch is the same in training and in evaluation. Is the gradient of x the same too?",
    ["yes: equal outputs have equal gradients", "no"],
)

# %% [markdown]
# ### Exercise: `batchnorm_eval_backward`


# %%
def batchnorm_eval_backward(grad_out, gamma, running_var, epsilon=1e-5):
    """The gradient of x through batch normalization in evaluation, where the statistics are fixed numbers.

    grad_out: (N, D) array, ∂L/∂out, where out = gamma · (x − running_mean) / √(running_var + epsilon) + beta.
    gamma, running_var: (D,) arrays. epsilon: a positive number. N = 1 is allowed.

    Returns grad_x: (N, D) array.
    """
    ### BEGIN SOLUTION
    return grad_out * gamma / np.sqrt(running_var + epsilon)
    ### END SOLUTION


# %% points=5
check(batchnorm_eval_backward)


# %% tags=["display-only"]
def same_output_other_gradient():
    layer = working("BatchNorm")(4)
    training, evaluation = working("batchnorm_backward"), working("batchnorm_eval_backward")
    rng = np.random.default_rng(0)
    for n in (2, 8, 1024):
        x, g = rng.normal(size=(n, 4)), rng.normal(size=(n, 4))
        layer.training = True
        in_training = layer(x)
        layer.training, layer.running_mean, layer.running_var = False, x.mean(axis=0), x.var(axis=0)
        gap = np.abs(layer(x) - in_training).max()
        one, other = training(g, x, layer.weight)[0], evaluation(g, layer.weight, layer.running_var)
        print(
            f"N = {n:4d}: outputs differ by {gap:.0e}; mean square of the gradient {np.mean(one**2):.3f} in training, "
            f"{np.mean(other**2):.3f} in evaluation"
        )
    reveal("same numbers", 1, "In evaluation no other example matters; in training, (3) takes off its two sums.")


same_output_other_gradient()

# %% [markdown]
# One needs this gradient to *freeze* a batch norm, for example to train a network further with batches of one or two
# images.
#
# **Folding.** In evaluation a batch norm multiplies each channel by a number and adds another. So does the
# convolution before it. With $t_o = \gamma_o/\sqrt{r^{\text{var}}_o + \varepsilon}$ for output channel $o$,
#
# $$t_o\,(w_o * x + b_o - r^{\text{mean}}_o) + \beta_o
# = (t_o w_o) * x + \big(t_o\,(b_o - r^{\text{mean}}_o) + \beta_o\big), \tag{8}$$
#
# which is a single convolution with other numbers in it. A network is folded once, when its training is over.
#
# ### Exercise: `fold_batchnorm`


# %%
def fold_batchnorm(weight, bias, gamma, beta, running_mean, running_var, epsilon):
    """Weight and bias of one convolution that does what a convolution and its batch norm do in evaluation.

    weight: (O, C, kh, kw) array. bias: (O,) array, or None for a convolution without a bias.
    gamma, beta, running_mean, running_var: (O,) arrays of the batch norm that follows it.
    epsilon: a positive number, added to running_var under the root.

    Returns (weight, bias) of the folded convolution: new arrays of shapes (O, C, kh, kw) and (O,).
    The bias is an array even where None came in.
    """
    ### BEGIN SOLUTION
    scale = gamma / np.sqrt(running_var + epsilon)  # (O,): what each output channel is multiplied by
    if bias is None:
        bias = np.zeros(len(weight))
    return weight * scale[:, None, None, None], scale * (bias - running_mean) + beta
    ### END SOLUTION


# %% points=8
check(fold_batchnorm)


# %% tags=["display-only"]
def fold_a_network():
    import torch

    fold, rng = working("fold_batchnorm"), np.random.default_rng(0)
    torch.manual_seed(0)
    convolution = torch.nn.Conv2d(1, 8, 3, padding=1, bias=False, dtype=torch.float64)
    norm = torch.nn.BatchNorm2d(8, dtype=torch.float64)
    images = torch.tensor(digits.train.images)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor(rng.normal(1, 0.3, 8)))
        norm.bias.copy_(torch.tensor(rng.normal(0, 0.3, 8)))
        for rows in 5 * torch.arange(len(images)).split(64):
            norm(convolution(images[rows]))  # in training mode: this moves the running statistics
        arrays = [tensor.numpy() for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var)]
        weight, bias = fold(convolution.weight.numpy(), None, *arrays, norm.eps)
        folded = torch.nn.functional.conv2d(images, torch.tensor(weight), torch.tensor(bias), padding=1)
        for mode in (False, True):
            norm.train(mode)
            gap = (folded - norm(convolution(images))).abs().max()
            print(f"folded against {'training' if mode else 'evaluation':10s} largest difference {gap:.1e}")


fold_a_network()

# %% [markdown]
# (In training, here, all 1197 images are one batch, and its statistics are not quite the running ones.) Folding is
# exact, and it makes the layer disappear: no memory, no time. It works in evaluation alone, and only where nothing, in
# particular no ReLU, stands between the two.

# %% [markdown]
# ## 6 · Relatives
#
# Who shares a mean? In batch norm, the examples of a batch. That is the source of all the trouble with small batches
# and with evaluation. *Layer norm* (Ba, Kiros and Hinton, 2016) averages over the features of one example instead. Each
# example is alone: training and evaluation are the same, and $N = 1$ is no special case. $\gamma$ and $\beta$ still
# belong to the features.
#
# ### Exercise: `layernorm_forward`


# %%
def layernorm_forward(x, gamma, beta, epsilon=1e-5):
    """Layer normalization: every example with its own statistics.

    x: (N, D) array, N examples of D features, or (N, T, D), N sequences of T vectors of D features.
    The last axis holds the features. N = 1 is allowed.
    gamma, beta: (D,) arrays, one number for each feature. epsilon: a positive number.

    For each vector of D features: its mean and variance (the variance divides by D), then
    out = gamma · (x − mean) / √(variance + epsilon) + beta.

    Returns out: an array of the shape of x.
    Source: Ba, Kiros and Hinton, "Layer Normalization", 2016, §3.
    """
    ### BEGIN SOLUTION
    mean = x.mean(axis=-1, keepdims=True)  # (N, 1) or (N, T, 1)
    variance = x.var(axis=-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    ### END SOLUTION


# %% points=5
check(layernorm_forward)

# %% [markdown]
# *Group norm* (Wu and He, 2018) stands in between. It splits the channels of one image into groups and normalizes each
# group over its channels and places. With one group it normalizes the whole image (layer norm, for images); with as
# many groups as channels it normalizes every channel of every image by itself (*instance norm*).
#
# ### Exercise: `groupnorm_forward`


# %%
def groupnorm_forward(x, gamma, beta, groups, epsilon=1e-5):
    """Group normalization: every image and every group of channels with its own statistics.

    x: (N, C, H, W) array. gamma, beta: (C,) arrays, one number for each *channel*.
    groups: a whole number ≥ 1. Each group has C // groups channels that stand side by side:
    group 0 holds the first ones, and so on. epsilon: a positive number.

    For each image and group: one mean and one variance over its channels and all pixels (the variance
    divides by how many numbers there are), then
    out = gamma · (x − mean) / √(variance + epsilon) + beta.

    Returns out: (N, C, H, W) array.
    Raises ValueError with both numbers in it where groups does not divide C.
    Source: Wu and He, "Group Normalization", 2018, §3.
    """
    ### BEGIN SOLUTION
    N, C, H, W = x.shape
    if C % groups:
        raise ValueError(f"{C} channels cannot be split into {groups} groups of one size")
    grouped = x.reshape(N, groups, C // groups * H * W)
    mean = grouped.mean(axis=2, keepdims=True)  # (N, groups, 1)
    variance = grouped.var(axis=2, keepdims=True)
    x_hat = ((grouped - mean) / np.sqrt(variance + epsilon)).reshape(x.shape)
    return gamma[:, None, None] * x_hat + beta[:, None, None]
    ### END SOLUTION


# %% points=7
check(groupnorm_forward)

# %% tags=["display-only"]
predict(
    "relatives",
    "Image 0 of a batch stays as it is, and all others are replaced. For which norms does the output for image 0 "
    "change?",
    ["batch norm alone", "batch norm and group norm", "batch norm, group norm and layer norm"],
)


# %% tags=["display-only"]
def who_shares():
    batch2d, group = working("batchnorm2d_forward"), working("groupnorm_forward")
    layer, batch = working("layernorm_forward"), working("batchnorm_forward")
    rng = np.random.default_rng(0)
    n, channels, places = 4, 6, 8
    x, ones, zeros = rng.normal(size=(n, channels, 2, 4)), np.ones(channels), np.zeros(channels)
    norms = {
        "batch norm": lambda x: batch2d(x, ones, zeros),
        "layer norm": lambda x: group(x, ones, zeros, 1),
        "group norm, 3 groups": lambda x: group(x, ones, zeros, 3),
        "instance norm": lambda x: group(x, ones, zeros, channels),
    }
    fig, axes = figure(1, 4, size=(10.5, 3.1), sharey=True)
    for ax, (name, norm) in zip(axes, norms.items(), strict=True):
        moved = x.copy()
        moved[1, 2, 0, 1] += 1  # one number of image 1, channel 2
        changed = np.abs(norm(moved) - norm(x)).reshape(n, channels, places) > 1e-12
        shade = changed.astype(float)
        shade[1, 2, 1] = 2
        # (N, C, places) as a table: examples side by side, channels below each other
        ax.imshow(shade.transpose(1, 0, 2).reshape(channels, -1), cmap="Blues", vmin=0, vmax=2.4, aspect="auto")
        ax.grid(False)
        for border in range(1, n):
            ax.axvline(border * places - 0.5, color=palette.black, linewidth=0.8)
        ax.set(title=name, xticks=[(k + 0.5) * places - 0.5 for k in range(n)], xticklabels=range(n), xlabel="image")
        ax.set_yticks(range(channels))
        others = np.abs(norm(np.concatenate([x[:1], 5 * x[1:]]))[0] - norm(x)[0]).max()
        print(f"{name:21s} {changed.sum():3d} numbers share a mean; image 0 in other company changes by {others:.2f}")
    axes[0].set_ylabel("channel")
    show(
        fig,
        alt="Four tables of 6 channels by 4 images with 8 places each. One number of image 1, channel 2 is moved, and "
        "what changes is shaded. Batch norm: channel 2 of all images. Layer norm: all channels of image 1. Group norm "
        "with 3 groups: channels 2 and 3 of image 1. Instance norm: channel 2 of image 1.",
    )
    rows = rng.normal(size=(5, 7))
    gap = np.abs(batch(rows.T, np.ones(5), np.zeros(5)).T - layer(rows, np.ones(7), np.zeros(7))).max()
    print(f"layer norm is batch norm of the transposed array (γ = 1, β = 0): largest difference {gap:.0e}")
    reveal("relatives", 0, "The others never look beyond one image.")


who_shares()

# %% [markdown]
# (The picture is measured: one number was moved, and what changed with it is shaded.) AlexNet's local response norm,
# if you know it, looks at neighbouring channels at one place and has no parameters. A lecture slide says that such
# layers "have since fallen out of favour". That is true of this one; batch and layer norm are in nearly every network
# built since.
#
# **Global average pooling** belongs here for a practical reason. Together with batch norm it replaced what used to
# stand at the end of a convolutional network (Lin, Chen and Yan, *Network In Network*, 2013, §3.2): it takes the mean
# of each channel over all places, and leaves one number per channel.

# %% tags=["display-only"]
predict(
    "fc6",
    "AlexNet has 61 million parameters. Its last feature maps, 256 channels of 6×6, feed a layer of 4096 units. "
    "Which share of all parameters are the weights of this one layer?",
    ["about 2 %", "about 20 %", "about 60 %"],
)

# %% [markdown]
# ### Exercise: `global_average_pool`


# %%
def global_average_pool(x):
    """The mean of each channel of each image.

    x: (N, C, H, W) array, of any height and width ≥ 1; it may hold whole numbers.

    Returns out: (N, C) float array.
    Source: Lin, Chen and Yan, "Network In Network", 2013, §3.2.
    """
    ### BEGIN SOLUTION
    return x.mean(axis=(2, 3))
    ### END SOLUTION


# %% points=3
check(global_average_pool)


# %% tags=["display-only"]
def end_of_a_network():
    pool, rng = working("global_average_pool"), np.random.default_rng(0)
    total, fc6 = 60_965_224, 256 * 6 * 6 * 4096
    print(f"fc6: {fc6:,} weights of {total:,} parameters, {fc6 / total:.0%}")
    print(f"averaged first, then 1000 classes: {256 * 1000:,} weights, and the 256 channels need no flattening")
    for height, width in ((6, 6), (13, 9), (1, 1)):
        print(f"maps of {height}×{width}: {pool(rng.normal(size=(2, 256, height, width))).shape}")
    maps = rng.normal(size=(1, 4, 6, 6))
    moved = np.roll(maps, (2, 3), axis=(2, 3))
    print(f"maps shifted round by (2, 3): the result changes by {np.abs(pool(moved) - pool(maps)).max():.0e}")
    reveal("fc6", 2, "9216 · 4096 = 37.7 million, 62 % of all.")


end_of_a_network()

# %% [markdown]
# Any image size fits, a shift of the maps changes nothing (as long as nothing leaves the image), and the heaviest layer
# is gone. The price: where something is in the image is forgotten.

# %% [markdown]
# ## 7 · Does it keep its promises?
#
# The lecture lists four. Batch normalization
#
# 1. "improves gradient flow through the network",
# 2. "reduces the strong dependence on initialization",
# 3. "allows higher learning rates",
# 4. "acts as a form of regularization in a funny way, and slightly reduces the need for dropout, maybe".
#
# We test them on the digits. All experiments use ReLU networks with layers of 32 to 64 units and plain stochastic
# gradient descent (SGD), several seeds side by side. From here on, ± is the standard deviation of the seeds, unless
# something else is said. The training code is some 150 lines of NumPy, `course_utils/experiments/layers.py`, which you
# may read. Its batch norm layers are your `BatchNorm` forward and your `batchnorm_backward` backward. (Rounding errors
# grow during training, so your results may differ from those in the text by about their ±.)
#
# **Gradient flow.** Before any training: how large is the gradient at each of ten hidden layers?

# %% tags=["display-only"]
predict(
    "flow",
    "Ten hidden layers with batch norm and He's weights. How does the gradient's size change on its way back through "
    "one layer?",
    [
        "it stays as it is: that is what batch norm is for",
        "it grows by about 20 %",
        "it shrinks by about 20 %",
        "it is halved",
    ],
)


# %% tags=["display-only"]
def gradient_flow(hidden=10, width=32, seeds=8, examples=256):
    from course_utils.experiments.layers import Networks, Norm, Relu, he_weights

    layer_class, backward = working("BatchNorm"), working("batchnorm_backward")
    x = (digits.train.features[:examples] - PIXEL_MEAN) / PIXEL_STD

    class Probe:  # notes the size of the gradient that passes
        def forward(self, h, training):
            return h

        def backward(self, grad):
            self.sizes = grad.std(axis=(0, 2))
            return grad

    def measure(factor, normalized):
        probes = []

        def block(runs, units):
            probes.append(Probe())
            norm = [Norm(layer_class(runs * units), backward)] if normalized else []
            return [probes[-1], *norm, Relu()]

        weights = he_weights((64, *[width] * hidden, 10), seeds, factor=factor)
        Networks(weights, block, np.zeros(seeds)).step(x, digits.train.labels[:examples])
        sizes = np.array([probe.sizes for probe in probes])  # (hidden, seeds)
        return sizes / sizes[-1]

    fig, ax = figure(size=(6.8, 3.8))
    at = np.arange(1, hidden + 1)
    settings = ((1.0, True, "o-"), (0.5, True, "+--"), (1.0, False, "^-."), (0.5, False, "v:"))
    for (factor, normalized, style), color in zip(settings, palette, strict=False):
        sizes = measure(factor, normalized)
        mean, spread = sizes.mean(axis=1), sizes.std(axis=1, ddof=1)
        label = f"{'He' if factor == 1 else 'half of He'}, {'batch norm' if normalized else 'without'}"
        ax.errorbar(at, mean, spread, fmt=style, color=color, capsize=3, markersize=8, label=label)
        ratios = (sizes[1] / sizes[-1]) ** (1 / (hidden - 2))
        print(
            f"{label:23s} layer 2 against layer {hidden}: {mean[1]:.2g} ± {spread[1]:.1g}, per layer "
            f"{ratios.mean():.3f} ± {ratios.std(ddof=1):.3f}"
        )
    ax.set(xlabel="layer", ylabel="gradient, relative to layer 10", yscale="log", xticks=at)
    ax.set(title="Size of the gradient at the pre-activations, before training")
    ax.legend()
    show(
        fig,
        alt="Size of the gradient at each of ten layers relative to the last, logarithmic axis, mean and standard "
        "deviation of the seeds. Without batch norm: level for He's weights, falling by half for each layer towards "
        "the input for weights half as large. With batch norm both kinds of weights give the same line, which rises "
        "towards the input to about 5.",
    )
    reveal("flow", 1, "The factor is √(π/(π − 1)) = 1.21, whatever the scale of the weights.")


gradient_flow()

# %% [markdown]
# The flow no longer depends on the scale of the weights, and that is the useful part of promise 1. But it is not level:
# it *grows*, by 1.23 per layer in our run. (Layer 1 is left out: it gets the pixels, not the output of a ReLU, so its
# factor is another.) Theory says $\sqrt{\pi/(\pi-1)} = 1.21$, and here is why. Let $\hat x$ be standard normal. Then
# $\operatorname{relu}(\hat x)$ has mean square $\tfrac12$ and mean $1/\sqrt{2\pi}$, so its variance is $\tfrac12 -
# \tfrac1{2\pi} = \tfrac{\pi-1}{2\pi}$. Weights of variance $w$ turn it into pre-activations of variance $v = n
# w\,\tfrac{\pi-1}{2\pi}$ over the batch. Backward, the mean square is divided by $v$ (the batch norm; in a large batch
# the two sums of (3) are small), multiplied by $nw$ (the weights) and halved (the ReLU): $\tfrac12\, nw/v =
# \tfrac{\pi}{\pi-1}$. The weights cancel. Fifty layers would make $1.21^{49} \approx 12\,000$ of it (G. Yang et al., *A
# Mean Field Theory of Batch Normalization*, 2019). Very deep networks need more than batch norm: shortcuts, in a later
# notebook.

# %% [markdown]
# **Dependence on initialization.** He's weights for a ReLU layer have variance $2/\text{fan-in}$. Multiply those of all
# ten hidden layers by a factor, and train for five epochs. (The last layer keeps its weights.) Each network gets its
# best of three learning rates, chosen on the validation digits.

# %% tags=["display-only"]
predict(
    "start",
    "Without batch norm: for which factors does the network learn the digits?",
    ["0.05 to 20, with a suitable learning rate", "0.5 to 2", "1 alone"],
)


# %% tags=["display-only"]
def scale_of_the_start(factors=(0.05, 0.5, 1, 2, 20), rates=(0.03, 0.2, 1.0), seeds=4, epochs=5):
    from course_utils.experiments.layers import Networks, Norm, Relu, he_weights

    layer_class, backward = working("BatchNorm"), working("batchnorm_backward")
    train, validation, test = (
        (split.features - PIXEL_MEAN) / PIXEL_STD for split in (digits.train, digits.validation, digits.test)
    )
    blocks = {
        "with batch norm": lambda runs, units: [Norm(layer_class(runs * units), backward), Relu()],
        "without": lambda runs, units: [Relu()],
    }
    fig, ax = figure(size=(7.2, 3.8))
    for (name, block), color, marker, shift in zip(
        blocks.items(), (palette.blue, palette.orange), "os", (-0.06, 0.06), strict=True
    ):
        for at, factor in enumerate(factors):
            weights = he_weights((64, *[32] * 10, 10), seeds, len(rates), factor)
            networks = Networks(weights, block, np.repeat(rates, seeds))
            networks.train(train, digits.train.labels, epochs, batch_size=64)
            chosen = networks.accuracy(validation, digits.validation.labels).reshape(-1, seeds).mean(axis=1).argmax()
            found = networks.accuracy(test, digits.test.labels).reshape(-1, seeds)[chosen]
            mean, spread = found.mean(), found.std(ddof=1)
            label = name if at == 0 else None
            ax.errorbar(at + shift, mean, spread, fmt=marker, color=color, capsize=4, label=label)
            ax.plot(np.full(seeds, at + 3 * shift), found, ".", color=color, markersize=4)
            print(f"{name:16s} He · {factor:5}: best rate {rates[chosen]:4}, accuracy {mean:.3f} ± {spread:.3f}")
    ax.axhline(0.1, color=palette.black, linestyle=":", linewidth=1)
    ax.set(xticks=range(len(factors)), xticklabels=factors, ylim=(0, 1.05), xlabel="He's weights, multiplied by")
    ax.set(ylabel="accuracy on 300 test digits", title=f"Ten hidden layers, {epochs} epochs, {seeds} seeds")
    ax.legend(loc="center right")
    show(
        fig,
        alt="Accuracy on test digits against the factor by which He's weights are multiplied, mean and standard "
        "deviation of the seeds, single seeds as dots. With batch norm it is high for all factors from 0.05 to 20, "
        "lowest at 20. Without, only the factor 1 leaves the level of guessing.",
    )
    reveal("start", 2, "Ten layers apply a factor of ½ ten times, which makes 1/1000, and a factor of 2, 1000.")


scale_of_the_start()

# %% [markdown]
# Without batch norm only the factor 1 works, 0.57 ± 0.06 in our run, and all other networks guess at every rate. With
# batch norm the digits are learned from any of the five starts: 0.90 to 0.94 for factors from 0.05 to 2. Look at the
# best rates too: the larger the weights, the larger the best rate.
#
# Factor 20 stops at 0.67, though not because signals die. The weights are 20 times longer and their gradients 20 times
# shorter, so that a step turns them 400 times less. They want a rate 400 times larger, and the last layer, which no
# batch norm follows, would not survive that. Promise 2 holds, with this limit.

# %% [markdown]
# **Learning rates.** Now He's weights, factor 1, and rates from 0.01 to 1000. A third kind of network has batch norm
# too, but only its ten hidden weight matrices get the rate on the axis. The rest, that is the last layer and all
# $\gamma$ and $\beta$, keeps a rate of 0.3.

# %% tags=["display-only"]
predict(
    "rates",
    "What is the largest of these rates at which the third kind still learns (more than half of the digits)?",
    ["0.3", "3", "100", "1000"],
)


# %% tags=["display-only"]
def rates_that_work(rates=(0.01, 0.1, 0.3, 1, 3, 10, 100, 1000), seeds=4, epochs=5, rest=0.3):
    from course_utils.experiments.layers import Affine, Networks, Norm, Relu, he_weights

    layer_class, backward = working("BatchNorm"), working("batchnorm_backward")
    train, test = ((split.features - PIXEL_MEAN) / PIXEL_STD for split in (digits.train, digits.test))
    every, weights = np.repeat(rates, seeds), he_weights((64, *[32] * 10, 10), seeds, len(rates))

    def plain(runs, units):
        return [Relu()]

    def normalized(runs, units):
        return [Norm(layer_class(runs * units), backward), Relu()]

    kinds = {
        "without": Networks(weights, plain, every),
        "batch norm": Networks(weights, normalized, every),
        f"batch norm, the rest at {rest}": Networks(weights, normalized, every),
    }
    third = list(kinds.values())[2]
    for layer in third.layers:
        if not isinstance(layer, Affine) or layer is third.layers[-1]:
            layer.rates = np.full((len(every), 1), rest, np.float32)
    before = [np.sqrt(np.sum(layer.weight**2, axis=(1, 2))) for layer in third.layers[3:-1:3]]

    fig, ax = figure(size=(7.4, 3.9))
    for (name, networks), color, style in zip(
        kinds.items(), (palette.orange, palette.blue, palette.green), ("s--", "o-", "^-."), strict=True
    ):
        networks.train(train, digits.train.labels, epochs, batch_size=64)
        found = networks.accuracy(test, digits.test.labels).reshape(-1, seeds)
        mean, spread = found.mean(axis=1), found.std(axis=1, ddof=1)
        ax.errorbar(rates, mean, spread, fmt=style, color=color, capsize=3, markersize=5, label=name)
        print(f"{name:27s}", "  ".join(f"{rate:g}: {each:.2f}" for rate, each in zip(rates, mean, strict=True)))
    after = [np.sqrt(np.sum(layer.weight**2, axis=(1, 2))) for layer in third.layers[3:-1:3]]
    growth = np.mean([b / a for a, b in zip(before, after, strict=True)], axis=0).reshape(-1, seeds).mean(axis=1)
    print(
        "third kind: hidden weights have grown by",
        "  ".join(f"{r:g}: {g:.3g}" for r, g in zip(rates, growth, strict=True)),
    )
    ax.axhline(0.1, color=palette.black, linestyle=":", linewidth=1)
    ax.set(xscale="log", xlabel="learning rate", ylabel="accuracy on 300 test digits", ylim=(0, 1.05))
    ax.set(title=f"Ten hidden layers, {epochs} epochs, {seeds} seeds")
    ax.legend(loc="center right", bbox_to_anchor=(1, 0.5))
    show(
        fig,
        alt="Accuracy against the learning rate from 0.01 to 1000, mean and standard deviation of the seeds. Without "
        "batch norm the best is about 0.6 near 0.1, and from 1 on the network guesses. With batch norm it is near "
        "0.9 from 0.1 to 1 and guesses from 10 on. With batch norm and a rate of 0.3 for the last layer, γ and β, it "
        "is near 0.9 up to 100 and falls to 0.77 at 1000.",
    )
    reveal(
        "rates", 3, "The size of weights before a batch norm does not matter, and as they grow their gradient shrinks."
    )


rates_that_work()

# %% [markdown]
# Without batch norm the best rate is 0.1 (0.63), and at 1 the network guesses. With batch norm the rates from 0.1 to 1
# give 0.88 to 0.94: the network learns more, and at rates ten times higher. Promise 3 holds.
#
# And what breaks at a rate of 10? Not the layers in front of a batch norm. The third kind still reads 0.77 of the
# digits at a rate of 1000. Its hidden weights have then grown 160-fold, and their gradients have shrunk accordingly:
# they found a bearable rate by themselves. What breaks is the rest. (At a rate of 10, sparing the last layer alone
# gives 0.53, sparing $\gamma$ and $\beta$ alone 0.64, and sparing both 0.90. These are means of eight seeds.)
#
# Try rates and starts yourself. This network is a relative of the one above: nine hidden layers of 32, raw pixels, 150
# steps, judged on the validation digits. It is trained when the cell runs, and again when you change the start, which
# takes a few seconds. With weights of standard deviation 0.01 in place of He's: is there any rate at which the network
# learns without batch norm? And with it?

# %% tags=["display-only"]
from course_utils.widgets import rates_survived

rates_survived()

# %% [markdown]
# Without batch norm there is none: 9 to 11 % at every rate, which is guessing. With it, the network reads roughly 55 to
# 75 % at the rates from 0.001 to 0.5, and about 80 % at 1 and 2. At 5 it is close to guessing, and at 10 it guesses.

# %% [markdown]
# ## 8 · Small batches, and the company an image keeps
#
# Section 4 measured the noise; now see what it costs. Three hidden layers, three epochs, batches of 2 to 64: with batch
# norm, with layer norm, and without. (Layer norm is batch norm of the transposed array, so its gradient comes from your
# `batchnorm_backward`.) Each gets the better of two learning rates.

# %% tags=["display-only"]
predict(
    "small",
    "Which of the three is worst with batches of 2?",
    ["batch norm", "layer norm", "no norm at all"],
)


# %% tags=["display-only"]
def small_batch_training(sizes=(2, 4, 8, 16, 64), rates=(0.03, 0.2), seeds=5, epochs=3, width=50):
    from course_utils.experiments.layers import Networks, Norm, Relu, he_weights

    layer_class, backward = working("BatchNorm"), working("batchnorm_backward")
    normalize = working("layernorm_forward")
    train, validation, test = (
        (split.features - PIXEL_MEAN) / PIXEL_STD for split in (digits.train, digits.validation, digits.test)
    )

    class LayerNorm:  # on (N, R·width): each run's units are normalized by themselves
        def __init__(self, features):
            self.weight, self.bias = np.ones(features), np.zeros(features)

        def __call__(self, x):
            x_hat = normalize(x.reshape(-1, width), np.ones(width), np.zeros(width))
            return self.weight * x_hat.reshape(x.shape) + self.bias

        @staticmethod
        def gradients(grad_out, x, weight):
            rows, ones = x.reshape(-1, width), np.ones(x.size // width, np.float32)
            x_hat = normalize(rows, np.ones(width), np.zeros(width)).reshape(x.shape)
            grad_x = backward((grad_out * weight).reshape(-1, width).T, rows.T, ones)[0].T
            return grad_x.reshape(x.shape), (grad_out * x_hat).sum(axis=0), grad_out.sum(axis=0)

    blocks = {
        "batch norm": lambda runs, units: [Norm(layer_class(runs * units), backward), Relu()],
        "layer norm": lambda runs, units: [Norm(LayerNorm(runs * units), LayerNorm.gradients), Relu()],
        "without": lambda runs, units: [Relu()],
    }
    fig, ax = figure(size=(7.2, 3.9))
    styles = (("o-", palette.blue), ("^-.", palette.green), ("s--", palette.orange))
    for (name, block), (style, color) in zip(blocks.items(), styles, strict=True):
        found, company = [], []
        for n in sizes:
            weights = he_weights((64, *[width] * 3, 10), seeds, len(rates))
            networks = Networks(weights, block, np.repeat(rates, seeds))
            networks.train(train, digits.train.labels, epochs, batch_size=n)
            right = networks.accuracy(validation, digits.validation.labels).reshape(-1, seeds)
            chosen = right.mean(axis=1).argmax()
            found.append(networks.accuracy(test, digits.test.labels).reshape(-1, seeds)[chosen])
            if name == "batch norm":  # the same networks, left in training mode, batches of n
                parts = [
                    networks.accuracy(test[at : at + n], digits.test.labels[at : at + n], training=True)
                    for at in range(0, 300 - 300 % n, n)
                ]
                company.append(np.mean(parts, axis=0).reshape(-1, seeds)[chosen])
            mean, spread = found[-1].mean(), found[-1].std(ddof=1)
            mode = f", left in training mode {company[-1].mean():.3f}" if company else ""
            print(f"{name:10s} batches of {n:2d}: rate {rates[chosen]}, accuracy {mean:.3f} ± {spread:.3f}{mode}")
        for values, label, line in ((found, name, style), (company, "batch norm, left in training mode", "d:")):
            if values:
                mean, spread = np.mean(values, axis=1), np.std(values, axis=1, ddof=1)
                tint = color if values is found else palette.vermillion
                ax.errorbar(sizes, mean, spread, fmt=line, color=tint, capsize=3, markersize=5, label=label)
    ax.set(xscale="log", xlabel="batch size", ylabel="accuracy on 300 test digits", ylim=(0, 1.05))
    ax.set(title=f"Three hidden layers, {epochs} epochs, {seeds} seeds, best of {len(rates)} rates")
    ax.set_xticks(sizes, sizes)
    ax.set_xticks([], minor=True)
    ax.legend(loc="lower right")
    show(
        fig,
        alt="Accuracy against the batch size, mean and standard deviation of the seeds. Layer norm and no norm are "
        "level near 0.95. Batch norm is at 0.4 for batches of 2, close to the others at 4, and a little above them "
        "from 8 or 16 on. The batch-norm networks left in training mode are lower: 0.2 at 2, 0.85 at 8, and "
        "equal to the others at 64.",
    )
    reveal("small", 0, "A batch of two leaves one bit of each feature and passes no gradient down.")


small_batch_training()

# %% [markdown]
# With batches of 2, batch norm reaches about 0.4, where the other two have 0.96. With 4 it is at 0.90, and from 8 on
# nothing is lost. At 16 it equals the network without a norm, and at 64 it is ahead of both, 0.952 ± 0.008 against
# 0.935 ± 0.012 and 0.930 ± 0.008. Wu and He saw the same, in milder form, on ImageNet with convolutions, and made group
# norm for it.
#
# Why 0.4 with batches of 2, and not 0.1? What still learns is the last layer and the last $\gamma$ and $\beta$, on top
# of random features. The little gradient that $\varepsilon$ lets through further down, where two numbers nearly agree,
# only does harm: with everything below held fixed, the same network reaches 0.53 ± 0.06.
#
# The dotted line is the same networks, asked with batch statistics, in batches of the size they were trained with. They
# lose 10 points at 8, 3 at 16 and 2 at 64: the noise of section 4, now in the answers. So evaluation is not only
# simpler with fixed statistics, it is more accurate. And it can be much worse to forget the switch.

# %% tags=["display-only"]
predict(
    "sorted",
    "A network with batch norm reads 96 % of the test digits. Somebody forgets to switch to evaluation and sends the "
    "test digits sorted: first all zeros, then all ones, and so on, one batch for each class. How many are right?",
    ["96 %", "about 90 %", "about 50 %", "about 10 %"],
)


# %% tags=["display-only"]
def sorted_by_class(seeds=6, epochs=5):
    from course_utils.experiments.layers import Networks, Norm, Relu, he_weights

    layer_class, backward = working("BatchNorm"), working("batchnorm_backward")
    train, test = ((split.features - PIXEL_MEAN) / PIXEL_STD for split in (digits.train, digits.test))
    labels = digits.test.labels

    def block(runs, units):
        return [Norm(layer_class(runs * units), backward), Relu()]

    networks = Networks(he_weights((64, *[50] * 3, 10), seeds), block, np.full(seeds, 0.3))
    networks.train(train, digits.train.labels, epochs, batch_size=64)
    by_class = [networks.accuracy(test[labels == k], labels[labels == k], training=True) for k in range(10)]
    rows = (
        ("evaluation", networks.accuracy(test, labels)),
        ("training mode, one mixed batch", networks.accuracy(test, labels, training=True)),
        ("training mode, a batch for each class", np.average(by_class, axis=0, weights=np.bincount(labels))),
    )
    for name, found in rows:
        print(f"{name:38s} {found.mean():.3f} ± {found.std(ddof=1):.3f}")
    answers = networks.logits(test[labels == 0], training=True).argmax(axis=2)
    counts = np.bincount(answers.ravel(), minlength=10) / answers.size
    print("what it answers to a batch of zeros, share of 0 to 9:", " ".join(f"{each:.2f}" for each in counts))
    reveal("sorted", 3, "In a batch of zeros, being a zero is the mean, and the mean is subtracted.")


sorted_by_class()

# %% [markdown]
# What all images of a batch have in common is removed, and here that is the class itself. The network spreads its
# answers over all ten digits. Nothing warns you, and in a mixed batch of 300 nobody notices the mistake.

# %% [markdown]
# ## 9 · Where to put it, and next to dropout
#
# The paper puts batch norm before the nonlinearity, and so does the lecture; others put it after. And dropout? It
# sets every activation to 0 with probability $p$ in training and divides the others by $1-p$; in evaluation it does
# nothing. Means agree between the two modes. Variances do not: an activation with mean $c$ and variance $\nu$ has mean
# square $c^2 + \nu$, and dropout makes it $(c^2+\nu)/(1-p)$, so that
#
# $$\frac{\text{variance in evaluation}}{\text{variance in training}} = \frac{\nu}{(c^2+\nu)/(1-p) - c^2} \tag{9}$$
#
# A batch norm that comes later remembers the variance of training and meets the other one in evaluation. X. Li et al.
# (*Understanding the Disharmony between Dropout and Batch Normalization by Variance Shift*, 2018) blame this *variance
# shift* for the losses that people saw when they combined the two. Let us try all orders: three hidden layers, 300
# training digits, 20 epochs.

# %% tags=["display-only"]
predict(
    "order",
    "With p = 0.5: which order within each layer loses most?",
    [
        "norm, relu, dropout",
        "dropout, norm, relu",
        "relu, norm, dropout",
        "relu, dropout, norm",
        "all four are equal, within their errors",
    ],
)


# %% tags=["display-only"]
def all_orders(drops=(0.0, 0.2, 0.5), rate=0.2, seeds=8, epochs=20, examples=300, width=64):
    from course_utils.experiments.layers import Dropout, Networks, Norm, Relu, he_weights

    layer_class, backward = working("BatchNorm"), working("batchnorm_backward")
    train, test = ((split.features - PIXEL_MEAN) / PIXEL_STD for split in (digits.train, digits.test))
    train, labels = train[:examples], digits.train.labels[:examples]
    runs_drop = np.repeat(drops, seeds)

    def build(order):
        rng = np.random.default_rng(0)

        def block(runs, units):
            make = {
                "norm": lambda: Norm(layer_class(runs * units), backward),
                "relu": Relu,
                "dropout": lambda: Dropout(runs_drop, rng),
            }
            return [make[name]() for name in order.split(", ")]

        weights = he_weights((64, *[width] * 3, 10), seeds, len(drops))
        return Networks(weights, block, np.full(len(runs_drop), rate))

    def shift_of_the_variance(networks):
        """The ratios (9) at each norm, as they are in evaluation: (layers, drops)."""
        networks.logits(train)
        ratios = [layer.z.var(axis=0) / layer.layer.running_var for layer in networks.layers if isinstance(layer, Norm)]
        return np.median(np.reshape(ratios, (-1, len(drops), seeds * width)), axis=2)

    def settle(networks):
        """Replace the running statistics by those of the training set without dropout, one layer after the other."""
        for layer in networks.layers:
            if isinstance(layer, Norm):
                networks.logits(train)
                layer.layer.running_mean, layer.layer.running_var = layer.z.mean(axis=0), layer.z.var(axis=0)

    fig, axes = figure(1, 2, size=(10.5, 3.9), sharex=True, sharey=True)
    orders = ("norm, relu, dropout", "dropout, norm, relu", "relu, norm, dropout", "relu, dropout, norm")
    tried = ("relu, dropout", *orders)
    for row, order in enumerate(tried):
        networks = build(order)
        networks.train(train, labels, epochs, batch_size=30)
        results = [networks.accuracy(test, digits.test.labels).reshape(-1, seeds)]
        if "norm" in order:
            ratios = shift_of_the_variance(networks)
            settle(networks)
            results.append(networks.accuracy(test, digits.test.labels).reshape(-1, seeds))
        for k, (drop, color, marker) in enumerate(zip(drops, palette, "o^s", strict=False)):
            text = f"{order:20s} p = {drop}: accuracy {results[0][k].mean():.3f} ± {results[0][k].std(ddof=1):.3f}"
            if "norm" in order:
                gain = results[1][k] - results[0][k]
                text += "   ratio (9), layer by layer: " + ", ".join(f"{ratio:.2f}" for ratio in ratios[:, k])
                text += f";   settled: {gain.mean():+.3f} ± {gain.std(ddof=1) / np.sqrt(seeds):.3f}"
            print(text)
            for ax, found in zip(axes, results, strict=False):
                ax.errorbar(
                    found[k].mean(), row + 0.2 * (k - 1), xerr=found[k].std(ddof=1), fmt=marker, color=color,
                    capsize=3, label=f"p = {drop}" if row == 0 else None,
                )  # fmt: skip
    axes[0].set(yticks=range(len(tried)), yticklabels=tried, title="As trained", xlabel="accuracy on 300 test digits")
    axes[1].set(title="Running statistics settled without dropout", xlabel="accuracy on 300 test digits")
    axes[0].invert_yaxis()
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    show(
        fig,
        alt="Accuracy of five orders of the layers for p = 0, 0.2 and 0.5, mean and standard deviation of the seeds. "
        "All are near 0.95 for p = 0 and 0.2. At 0.5 the orders with dropout after the norm are at 0.92 and 0.93; "
        "dropout, norm, relu is at 0.89, and relu, dropout, norm at 0.85, which settled statistics raise to 0.88. "
        "Without a norm it is 0.87.",
    )
    reveal("order", 3, "In evaluation its variances are down to a third of what the running statistics say.")


all_orders()

# %% [markdown]
# (The right panel replaces the running statistics by those of the 300 training digits without dropout.)
#
# - **The variance shift is there, and it is large.** With $p = 0.5$, the first norm of *dropout, norm, relu* meets 0.44
#   of the variance it remembers; (9) gives $1 - p = 0.5$ for $c = 0$, and less for any other mean. In *relu, dropout,
#   norm* it is 0.37; for the ReLU of a standard normal number, (9) gives 0.41. The layers compound. Even *norm, relu,
#   dropout* has it, 0.64 and 0.50, because its second and third norm come after a dropout. The only safe place is
#   behind the last norm.
# - **Its price is small here.** For $p = 0.2$, settling gives back 0.006 ± 0.002 (standard error) at most, less than a
#   point. For 0.5 it is 0.031 ± 0.009 for *relu, dropout, norm*, 0.021 ± 0.008 for *dropout, norm, relu* (standard
#   errors again), and 0.010 or less for the others: up to three points, more than chance. But *relu, dropout, norm* has
#   lost ten points. The other seven are the price of dropout itself.
# - **Before or after the ReLU?** Without dropout, 0.958 ± 0.005 before and 0.946 ± 0.012 after. That is one point, two
#   and a half standard errors, from one kind of network. Neither the paper's order nor the other is a law.
# - **Promise 4** stays open. The best network with dropout (0.956) is no better than batch norm without it (0.958), and
#   that is hardly better than neither (0.953): on these digits there is little to regularize. What we do see: $p = 0.5$
#   costs *norm, relu, dropout* four points, and the network without batch norm eight.

# %% [markdown]
# ## 10 · Why does it help?
#
# The paper's title gives a reason: *reducing internal covariate shift*. While a network learns, each layer's inputs
# change their distribution, because the layers before it change; the layer chases a moving target. Normalizing, it is
# argued, holds the target still.
#
# Santurkar et al. (*How Does Batch Normalization Help Optimization?*, 2018) tested the story. They added noise behind
# every batch norm, with a mean and a variance that changed at every step. Now the distributions moved more than in a
# network without batch norm, and yet training went faster than there. They also measured how much a layer's gradient
# changes when the layers before it are updated, and found no less of it with batch norm. What they did find is a
# smoother loss: along the gradient, the loss and the gradient itself change less abruptly, so that long steps are safe.
#
# Look for yourself. First, how far do the units' means move in one step, with batch norm and without?


# %% tags=["display-only"]
def drift_of_the_means(steps=95, seeds=4):
    from course_utils.experiments.layers import Networks, Norm, Relu, he_weights

    layer_class, backward = working("BatchNorm"), working("batchnorm_backward")
    x, labels = (digits.train.features - PIXEL_MEAN) / PIXEL_STD, digits.train.labels

    class Probe:  # notes mean and standard deviation of every unit, in evaluation
        def forward(self, h, training):
            if not training:
                self.mean, self.std = h.mean(axis=0), h.std(axis=0)  # (R, units)
            return h

        def backward(self, grad):
            return grad

    for name, rate in (("without", 0.1), ("batch norm", 0.3)):  # each at its best rate in section 7
        probes = []

        def block(runs, units, probes=probes, normalized=name != "without"):
            probes.append(Probe())
            return [probes[-1], *([Norm(layer_class(runs * units), backward)] if normalized else []), Relu()]

        networks = Networks(he_weights((64, *[32] * 10, 10), seeds), block, np.full(seeds, rate))
        rng, moves = np.random.default_rng(0), []
        networks.logits(x[:200])
        for _ in range(steps):
            before = [(probe.mean, probe.std) for probe in probes]
            rows = rng.permutation(len(x))[:64]
            networks.step(x[rows], labels[rows])
            networks.logits(x[:200])  # always the same 200 digits
            pairs = zip(probes, before, strict=True)
            moves.append([np.median(np.abs(probe.mean - mean) / std) for probe, (mean, std) in pairs])
        typical = np.mean(moves, axis=0)
        print(f"{name:10s} rate {rate:4}: a mean moves by", " ".join(f"{each:.2f}" for each in typical), "σ per step")


drift_of_the_means()

# %% [markdown]
# (Layer 1 first, pre-activations, each network at its best rate in section 7.) Without batch norm the deeper layers
# move more, the tenth by more than a third of a standard deviation per step: there is an internal covariate shift. With
# batch norm they move much less, though the rate is three times higher. On this network the paper's observation
# holds. But is it the *reason*? Put the drift back: behind every batch norm, each unit gets a shift of its own, drawn
# anew in every step.

# %% tags=["display-only"]
predict(
    "shaken",
    "Ten hidden layers, best of three rates. Shifts of half a standard deviation, new in every step, in every unit. "
    "How does the network fare?",
    ["it guesses", "worse than without batch norm", "much better than without batch norm"],
)


# %% tags=["display-only"]
def shake_the_distributions(sizes=(0.2, 0.5, 1.0), rates=(0.03, 0.1, 0.3), seeds=5, epochs=5):
    from course_utils.experiments.layers import Networks, Norm, Relu, he_weights

    layer_class, backward = working("BatchNorm"), working("batchnorm_backward")
    train, validation, test = (
        (split.features - PIXEL_MEAN) / PIXEL_STD for split in (digits.train, digits.validation, digits.test)
    )
    rng = np.random.default_rng(0)

    class Shake:
        def __init__(self, size):
            self.size = np.float32(size)

        def forward(self, h, training):  # (N, R, units)
            return h + self.size * rng.standard_normal(h.shape[1:], np.float32) if training else h

        def backward(self, grad):
            return grad

    def normalized(runs, units):
        return Norm(layer_class(runs * units), backward)

    kinds = {"without batch norm": lambda runs, units: [Relu()]}
    kinds["batch norm"] = lambda runs, units: [normalized(runs, units), Relu()]
    for size in sizes:
        kinds[f"batch norm, shifts of {size}"] = lambda runs, units, size=size: [
            normalized(runs, units), Shake(size), Relu(),
        ]  # fmt: skip
    for name, block in kinds.items():
        weights = he_weights((64, *[32] * 10, 10), seeds, len(rates))
        networks = Networks(weights, block, np.repeat(rates, seeds))
        networks.train(train, digits.train.labels, epochs, batch_size=64)
        chosen = networks.accuracy(validation, digits.validation.labels).reshape(-1, seeds).mean(axis=1).argmax()
        found = networks.accuracy(test, digits.test.labels).reshape(-1, seeds)[chosen]
        print(f"{name:26s} best rate {rates[chosen]:4}, accuracy {found.mean():.3f} ± {found.std(ddof=1):.3f}")
    reveal(
        "shaken", 2, "About 0.8, where the network without batch norm has 0.6, and the one with batch norm alone 0.94."
    )


shake_the_distributions()

# %% [markdown]
# Shifts of 0.2 make hardly a difference. Shifts of 0.5 change a mean by about half a standard deviation in a typical
# step, more than anything in the network without batch norm. They cost something, but 0.82 ± 0.05 is still far better
# than 0.58 ± 0.18. (With shifts of 1 the signal drowns, and the advantage is gone.) So the drift is there, and batch
# norm reduces it here, but it is not what held the other network back. That is the finding of Santurkar et al., at a
# small scale.
#
# Your experiments suggest another part of the answer: the scale of the weights no longer matters, neither at the start
# (section 7) nor after a step that was too long.
#
# And the four promises? The first holds for the scale of the weights, and not for depth. The second and the third
# hold. The fourth stays open.

# %% [markdown]
# ## 11 · Your turn
#
# Build one yourself, in NumPy: ten affine layers, 32 units wide, with weights `0.05 * randn`. A ReLU layer then
# multiplies the mean square of a signal by $32 \cdot 0.05^2/2 = 0.04$ and its scale by 0.2. Nine of them leave
# $0.2^9 = 5 \cdot 10^{-7}$, and the network never learns anything. Then put batch norm in.
#
# One thing is easily forgotten: `predict` must give an image the same label in any company, and alone.
#
# ### Exercise: `train_deep_network`


# %%
def train_deep_network(x, labels, seed):
    """Train a network of ten layers, and return it as a function.

    x: (N, D) array, one image per row, pixels in [0, 1].
    labels: (N,) array of integers from 0 to C − 1; every class occurs.
    seed: an integer. All randomness comes from it: the same seed gives the same network.

    The network: ten affine layers, nine of them with a nonlinearity, 32 units wide, weights that start as
    0.05 times standard normal numbers, plain gradient descent on mini-batches. Like this it does not
    train: each layer shrinks the signal, and it stays at guessing. Put batch normalization between each
    affine layer and its nonlinearity.

    Returns predict: a function that takes an (M, D) array and returns (M,) integer labels. The label of
    an image must not depend on the other images it is given: M = 1 works, and gives the same label.

    Tried on digits (D = 64, C = 10) with three seeds: the median accuracy on unseen ones must
    reach 0.90. Tried too on narrower images of six classes (D = 48, C = 6), where one network must
    reach 0.80.
    Pixels and classes come in a shuffled order, the same in training and test.
    All this together must take less than ten seconds of one CPU core; two seconds are plenty.
    NumPy only. x and labels must not be changed.
    Left open: the nonlinearity, the batch size, the learning rate, the number of epochs. Only the labels
    are judged, so another cure for the same network passes as well.
    """
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    width, depth, scale, batch_size, epochs = 32, 10, 0.05, 50, 15
    epsilon, momentum, classes = 1e-5, 0.1, labels.max() + 1
    sizes = [x.shape[1], *[width] * (depth - 1), classes]
    weights = [scale * rng.normal(size=(n_out, n_in)) for n_in, n_out in zip(sizes, sizes[1:], strict=False)]
    gammas = [np.ones(width) for _ in weights[:-1]]
    betas = [np.zeros(size) for size in sizes[1:]]  # the last one is the bias of the last layer
    running = [[np.zeros(width), np.ones(width)] for _ in gammas]
    targets = np.eye(classes)[labels]

    def step(images, wanted, learning_rate):
        h, seen = images, []
        for weight, gamma, beta, statistics in zip(weights, gammas, betas, running, strict=False):
            z = h @ weight.T
            centred = z - z.mean(axis=0)
            variance = (centred**2).mean(axis=0)
            std = np.sqrt(variance + epsilon)
            z_hat = centred / std
            unbiased = variance * len(z) / (len(z) - 1)
            for old, new in zip(statistics, (z.mean(axis=0), unbiased), strict=True):
                old += momentum * (new - old)
            seen.append((h, z_hat, std))
            h = np.maximum(gamma * z_hat + beta, 0)
            seen[-1] += (h > 0,)
        logits = h @ weights[-1].T + betas[-1]
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        error = (exponentials / exponentials.sum(axis=1, keepdims=True) - wanted) / len(images)
        grad_h = error @ weights[-1]
        weights[-1] -= learning_rate * error.T @ h
        betas[-1] -= learning_rate * error.sum(axis=0)
        for layer in reversed(range(depth - 1)):
            below, z_hat, std, active = seen[layer]
            grad_out = grad_h * active
            grad_beta, grad_gamma = grad_out.sum(axis=0), (grad_out * z_hat).sum(axis=0)
            grad_z = gammas[layer] / std * (grad_out - (grad_beta + z_hat * grad_gamma) / len(images))
            grad_h = grad_z @ weights[layer]
            weights[layer] -= learning_rate * grad_z.T @ below
            gammas[layer] -= learning_rate * grad_gamma
            betas[layer] -= learning_rate * grad_beta

    for epoch in range(epochs):
        learning_rate = 0.1 * (1 - epoch / epochs)  # falls to 0: the last steps no longer jump about
        shuffled = rng.permutation(len(x))
        for batch in np.array_split(shuffled, max(len(x) // batch_size, 1)):
            step(x[batch], targets[batch], learning_rate)

    def predict(images):
        h = images
        for weight, gamma, beta, (mean, variance) in zip(weights, gammas, betas, running, strict=False):
            h = np.maximum(gamma * (h @ weight.T - mean) / np.sqrt(variance + epsilon) + beta, 0)
        return np.argmax(h @ weights[-1].T + betas[-1], axis=1)

    return predict
    ### END SOLUTION


# %% points=10
check(train_deep_network)

# %% [markdown]
# The check used shuffled pixels and classes. Now the digits as they are.


# %% tags=["display-only"]
def your_deep_network(seeds=3):
    train = working("train_deep_network")
    found = []
    for seed in range(seeds):
        predict_labels = train(digits.train.features, digits.train.labels, seed)
        found.append(np.mean(predict_labels(digits.test.features) == digits.test.labels))
    print(f"{seeds} seeds: accuracy on 300 test digits {np.mean(found):.3f} ± {np.std(found, ddof=1):.3f}")
    alone = np.concatenate([predict_labels(image[None]) for image in digits.test.features[:100]])
    same = np.sum(alone == predict_labels(digits.test.features)[:100])
    print(f"asked about one image at a time, the last network gives the same label to {same} of 100")


your_deep_network()

# %% [markdown]
# A network that could not be trained at all reads 97 % of the digits. (Whether ten layers are a good idea for 64 pixels
# is another question: the three layers of section 8 do as well. But now you have the choice.)

# %% [markdown]
# ## 12 · Find the bug
#
# This backward pass runs, its shapes are right, and on some inputs so are its numbers.


# %%
def broken_batchnorm2d_backward(grad_out, x, gamma, epsilon=1e-5):
    axes, count = (0, 2, 3), len(x)
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    std = np.sqrt(variance + epsilon)
    x_hat = (x - mean) / std
    grad_beta = grad_out.sum(axis=axes)
    grad_gamma = (grad_out * x_hat).sum(axis=axes)
    g, b, s = gamma[:, None, None], grad_beta[:, None, None], grad_gamma[:, None, None]
    grad_x = (count * g * grad_out - b - x_hat * s) / (count * std)
    return grad_x, grad_gamma, grad_beta


# %% tags=["display-only"]
def look_at_the_broken_one(step=1e-5):
    forward, rng = working("batchnorm2d_forward"), np.random.default_rng(0)
    cases = (((4, 2, 1, 1), 1.0), ((4, 2, 1, 1), 3.0), ((4, 2, 2, 3), 1.0), ((4, 2, 2, 3), 3.0))
    for shape, scale in cases:
        x, g, gamma, beta = rng.normal(size=shape), rng.normal(size=shape), np.full(2, scale), np.zeros(2)
        grad_x = broken_batchnorm2d_backward(g, x, gamma)[0]
        slopes = np.zeros_like(x)
        for at in np.ndindex(*shape):
            move = np.zeros_like(x)
            move[at] = step
            slopes[at] = np.sum(g * (forward(x + move, gamma, beta) - forward(x - move, gamma, beta))) / (2 * step)
        print(f"x {shape}, γ = {scale:g}: largest error of grad_x {np.abs(grad_x - slopes).max():.0e}")


look_at_the_broken_one()

# %% [markdown]
# There are two mistakes. Which rows of the table show which? Copy the body here and mend it.
#
# ### Exercise: `repaired_batchnorm2d_backward`


# %%
def repaired_batchnorm2d_backward(grad_out, x, gamma, epsilon=1e-5):
    """The backward pass of batch normalization of images in training, mended.

    grad_out: (N, C, H, W) array, ∂L/∂out. x: (N, C, H, W) float64 array. gamma: (C,) array.
    epsilon: a positive number.

    Returns (grad_x, grad_gamma, grad_beta), of shapes (N, C, H, W), (C,) and (C,).
    """
    ### BEGIN SOLUTION
    # All N·H·W numbers of a channel share its statistics: len(x) counts the images alone, right for 1×1 images.
    axes, count = (0, 2, 3), x.size // x.shape[1]
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    std = np.sqrt(variance + epsilon)
    x_hat = (x - mean) / std
    grad_beta = grad_out.sum(axis=axes)
    grad_gamma = (grad_out * x_hat).sum(axis=axes)
    g, b, s = gamma[:, None, None], grad_beta[:, None, None], grad_gamma[:, None, None]
    # gamma stands before all three terms: before the first alone it is right only where gamma is 1.
    grad_x = g * (count * grad_out - b - x_hat * s) / (count * std)
    return grad_x, grad_gamma, grad_beta
    ### END SOLUTION


# %% points=5
check(repaired_batchnorm2d_backward)

# %% [markdown]
# Tests with $\gamma = 1$ and 1×1 images would have passed. A gradient check is worth as much as its inputs are general:
# take a $\gamma$ that is not 1, images that are not square, and a batch of more than one.

# %% [markdown]
# ## 13 · In your own words
#
# This question is read by a person. A few sentences with formulas are enough; you need no code.
#
# A unit $z = w \cdot h$ without a bias stands before a batch norm with negligible $\varepsilon$. Let $L(w)$ be the loss
# as a function of this unit's weights, everything else held fixed.
#
# 1. Why is $L(aw) = L(w)$ for every $a > 0$? What follows for $\nabla L(aw)$?
# 2. Show that $w \cdot \nabla L(w) = 0$. Then what does one step of gradient descent, $w' = w - \eta \nabla L(w)$, do
#    to the length of $w$?
# 3. Explain with this why the weights in section 7 survived a learning rate of 1000.
# 4. A friend adds weight decay: in every step the weights are also multiplied by a number a little below 1. "It cannot
#    do anything", says another, "since $L(aw) = L(w)$." Who is right?

# %% [markdown] written="scale_free" points=4
# **Model answer.** 1. If $w$ is multiplied by $a > 0$, so are $z$, its mean and its standard deviation over the batch.
# In $\hat x = (z - \mu)/\sqrt v$ the factor cancels, and nothing after it sees a difference. Differentiate
# $L(aw) = L(w)$ for $w$: $a\,\nabla L(aw) = \nabla L(w)$. So at weights $a$ times as long the gradient is $a$ times
# shorter.
#
# 2. Differentiate $L(aw) = L(w)$ for $a$ at $a = 1$: $w \cdot \nabla L(w) = 0$. (Or: the loss does not change along the
# ray through $w$, so its slope in that direction is 0.) The step is perpendicular to $w$, and Pythagoras gives
# $\|w'\|^2 = \|w\|^2 + \eta^2\|\nabla L\|^2$. Gradient descent can only lengthen $w$.
#
# 3. What counts is the direction of $w$, and one step turns it by about $\eta\|\nabla L(w)\|/\|w\|$, which falls like
# $\eta/\|w\|^2$ as $w$ grows. With a huge $\eta$ the first step makes $w$ huge. From then on, steps are small compared
# with its length: the weights set their own effective learning rate, and nothing explodes.
#
# 4. The friend with the weight decay, although the other's formula is right. Decay does not change the function at this
# moment, but it keeps $\|w\|$ from growing, and so keeps the effective rate $\eta/\|w\|^2$ from falling. (T. van
# Laarhoven, *L2 Regularization versus Batch and Weight Normalization*, 2017.)
#
# **Marking.** One point for each part. Part 1 needs the factor $1/a$. Part 2 needs the perpendicular gradient with a
# reason, and the growing length. Part 3 needs the falling *relative* step. Part 4 needs the effective rate. Follow-up
# errors cost nothing.

# %% [markdown]
# ## Where you are
#
# The exercises have 96 points, and 4 are for the written question, which a person marks.

# %% tags=["display-only"]
progress()

# %% [markdown]
# **The next notebook**, *More data for nothing*, makes new images out of old ones. It uses three things from here:
#
# - the running statistics: they belong to the augmented images of training, and evaluation meets plain ones;
# - the mean and the standard deviation of a channel, now as brightness and contrast;
# - `training` and evaluation as two modes of one pipeline.
#
# **To read next**
#
# - S. Ioffe, C. Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate shift"
#   (2015): Algorithms 1 and 2, and section 3.3 on learning rates.
# - S. Santurkar, D. Tsipras, A. Ilyas, A. Madry, "How does batch normalization help optimization?" (2018): sections 2
#   and 3.
# - Y. Wu, K. He, "Group normalization" (2018): Figure 2, who shares a mean, and Figure 1, small batches.
# - J. Ba, J. Kiros, G. Hinton, "Layer normalization" (2016).
# - X. Li, S. Chen, X. Hu, J. Yang, "Understanding the disharmony between dropout and batch normalization by variance
#   shift" (2018): where to put dropout.
# - G. Yang, J. Pennington, V. Rao, J. Sohl-Dickstein, S. Schoenholz, "A mean field theory of batch normalization"
#   (2019): why very deep networks with batch norm alone explode.
# - M. Lin, Q. Chen, S. Yan, "Network in network" (2013): global average pooling.
