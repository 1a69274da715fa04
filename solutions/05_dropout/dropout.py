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
# # Averaging a great many networks: dropout
#
# A network with 256 hidden units learns 200 digits by heart. Of other digits it gets 6.8 % wrong. Now switch off seven
# in ten of its hidden units in every step of training, other ones for every example. The network that comes out gets
# 5.7 % wrong, and where a fifth of the labels is false, 15 % in place of 22 %. Why should a network learn better when
# it is broken all the time? This notebook works out what dropout averages, where one scaled network does the averaging
# exactly, and what other remedies against learning by heart do.
#
# **When you are done**, you can
#
# - write dropout forward and backward, in both conventions, and say what is scaled when and why;
# - compute mean and variance over all thinned networks, and say where scaling gives the exact average;
# - average thinned networks by sampling, and say how many samples are enough;
# - choose between dropping units, weights, feature maps and blocks;
# - use L2 and L1 penalties and early stopping, and derive in which sense dropout is a penalty itself;
# - measure whether any of it helps, with choices made on validation data and the test set used once.
#
# **You need** NumPy, mean and variance, and the forward and backward pass of a network with one hidden layer. You need
# no GPU and no internet connection.
#
# **Time**: about 5 hours. The exercises and the written question take 220 minutes, the rest is reading and looking.

# %% [markdown]
# ## How this notebook works
#
# - Run the cells from top to bottom with Shift+Enter.
# - In an exercise, write your code in place of `raise NotImplementedError()`. Run the cell, then the `check` below it.
#   The check tells you what holds, and often which idea went wrong. The first check of all may take some seconds,
#   because it waits for PyTorch.
# - Write solutions in NumPy alone; return arrays, not lists, unless the text asks for a list.
# - A function must not change the arrays it is given.
# - `hint(dropout_forward)` gives three hints, one at a time. `reset(dropout_forward)`, as the last line of the
#   exercise's cell, brings the stub back and keeps your code in a comment. `solution(dropout_forward)` shows a
#   reference where the course has it. The same goes for every other exercise.
# - A `NameError` from a check or hint means that a cell above has not been run, or the kernel was restarted.
# - Where a question asks you to predict, choose an answer before you run the next cell. From the keyboard, Tab goes
#   from answer to answer and Space chooses.
# - No exercise depends on another. You may call your own earlier functions, but you need not. Pictures and experiments
#   use your function where it passed its check, and the course's version where it has not. They say which.

# %% [markdown]
# | exercise | points | difficulty | importance | minutes |
# |---|---|---|---|---|
# | `dropout_forward` | 10 | 2 | 5 | 15 |
# | `dropout_backward` | 6 | 1 | 5 | 5 |
# | `classic_dropout` | 7 | 2 | 4 | 10 |
# | `expected_output` | 7 | 2 | 4 | 15 |
# | `monte_carlo_predict` | 7 | 2 | 3 | 10 |
# | `dropconnect_forward` | 9 | 3 | 3 | 20 |
# | `channel_dropout` | 6 | 2 | 3 | 10 |
# | `dropblock_mask` | 9 | 4 | 3 | 30 |
# | `curriculum_keep_probability` | 4 | 1 | 2 | 5 |
# | `l2_penalty` | 6 | 1 | 4 | 10 |
# | `l1_penalty` | 5 | 1 | 3 | 10 |
# | `EarlyStopping` | 8 | 2 | 4 | 20 |
# | `regularized_training` | 8 | 4 | 5 | 35 |
# | `repaired_dropout_backward` | 4 | 2 | 3 | 10 |
# | written question: an odd log | 4 | 3 | 4 | 15 |
#
# Difficulty and importance go from 1 to 5. Run the next cell before anything else.

# %%
import numpy as np

from course_utils import check, hint, predict, progress, reset, reveal, solution, working
from course_utils.data import load_digits
from course_utils.plots import figure, palette, show

digits = load_digits()

# %% [markdown]
# ## 1 · By heart
#
# All experiments here use one network: 64 pixels, 256 hidden ReLUs, 10 classes. It has
# $64\cdot256 + 256 + 256\cdot10 + 10 = 19{,}210$ parameters. Train it on 200 digits, with SGD with momentum, in batches
# of 50. That is 96 parameters for every example. We do it twice: once with all labels right, and once with 40 of the
# 200 training digits labelled as another class, drawn at random. The validation digits are always labelled correctly.
#
# Every experiment runs several times. A run has a *seed*, which fixes its training digits and its starting weights. Two
# numbers can follow a mean of $R$ runs, as ±, band or error bar, and each time we say which. The *standard deviation*
# (std) is the typical distance of a single run from the mean. The *standard error*, std$/\sqrt R$, is the uncertainty
# of the mean itself.

# %% tags=["display-only"]
predict(
    "wrong labels",
    "40 of the 200 training labels are wrong. What share of the training digits does the network get wrong after 60 "
    "epochs, measured by the labels it was given?",
    [
        "about 20 %: random labels cannot be learned",
        "about 10 %",
        "none: it learns the wrong labels too",
    ],
)


# %% tags=["display-only"]
def by_heart(seeds=range(8), epochs=60):
    from course_utils.experiments.regularized import evaluate, few_examples, learn, standardized

    unseen, truth = standardized(digits, digits.validation), digits.validation.labels
    fig, axes = figure(1, 2, size=(10, 3.7), sharey=True)
    at = np.arange(1, epochs + 1)
    for ax, wrong, title in zip(axes, (0.0, 0.2), ("all labels right", "40 of 200 labels wrong"), strict=True):
        x, labels = few_examples(digits, seeds, 200, wrong)
        curves = ([], [])

        def note(parameters, curves=curves, x=x, labels=labels):
            curves[0].append(evaluate(parameters, x, labels)[0])
            curves[1].append(evaluate(parameters, unseen, truth)[0])

        learn(x, labels, seeds, epochs, after_epoch=note)
        for curve, name, color, style in zip(
            curves, ("training", "validation"), (palette.orange, palette.blue), ("--", "-"), strict=True
        ):
            mean, spread = np.mean(curve, axis=1), np.std(curve, axis=1, ddof=1)
            ax.plot(at, mean, style, color=color, label=f"{name}, mean and std")
            ax.fill_between(at, mean - spread, mean + spread, color=color, alpha=0.25, linewidth=0)
            best = mean.argmin()
            print(
                f"{title:24s}{name:11s} error after {epochs} epochs {mean[-1]:.3f} ± {spread[-1]:.3f} (std), "
                f"lowest {mean[best]:.3f} after {best + 1}"
            )
        ax.set(title=title, xlabel="epoch", xscale="log", ylim=(-0.02, 0.65))
        ax.set_xticks((1, 3, 10, 30, 60), ("1", "3", "10", "30", "60"))
        ax.set_xticks([], minor=True)
    axes[0].set_ylabel("share of wrong answers")
    axes[0].legend()
    show(
        fig,
        alt="Share of wrong answers against the epoch, mean and standard deviation of the seeds. Left, right labels: "
        "the training error falls to 0, the validation error to 0.07. Right, 40 of 200 labels wrong: the training "
        "error falls to 0 as well; the validation error is lowest after a few epochs and then rises to 0.2.",
    )
    reveal("wrong labels", 2, "With 96 parameters for each example it learns any labels, right or wrong.")


by_heart()

# %% [markdown]
# The network reaches a training error of 0 on labels that are partly nonsense (C. Zhang et al., "Understanding deep
# learning requires rethinking generalization", 2017, made this observation famous). The training error thus says
# nothing about unseen digits. On the left, the *gap* between the two curves is what learning by heart costs. On the
# right there is more to see: the validation error is lowest after a few epochs. The network learns first what the
# digits have in common, and the nonsense later.
#
# The best remedy would be more data. The next best: train many networks and average them, because each makes other
# mistakes. That is expensive. Dropout does something of the kind in one network.

# %% [markdown]
# ## 2 · Dropping units
#
# In each training step, every hidden unit $h_i$ is kept with probability $q$ and set to 0 with probability $p = 1 - q$,
# independently for each unit and each example: $\tilde h_i = m_i h_i$ with a random *mask* $m_i \in \{0, 1\}$ (Hinton
# et al., 2012; Srivastava et al., 2014, §4). When the network is used, nothing is dropped. But then the next layer
# receives more than it is used to. Since $E[m_i] = q$,
#
# $$E[m_i h_i] = q\,h_i, \tag{1}$$
#
# and one has to make up for the factor $q$, either when the network is used, or in training:
#
# | | in training | when used |
# |---|---|---|
# | *classic* (Srivastava et al., §4) | $m_i h_i$ | $q\,h_i$ |
# | *inverted* (Srivastava et al., §10) | $m_i h_i / q$ | $h_i$ |
#
# **Beware of the letter $p$.** Srivastava's paper, and the lecture slides taken from it, write $p$ for the probability
# to *keep* a unit; another slide of the lecture speaks of the "dropout probability, e.g. 0.5". AlexNet has 0.5, where
# nobody can tell. PyTorch's `Dropout(p)` and Keras' `Dropout(rate)` take the probability to *drop*, the old TensorFlow
# took `keep_prob`. Here $p$ always drops, $q = 1 - p$ always keeps, and the arguments say so in full.
#
# All libraries today invert: the network that is used needs no correction, and no code that could forget it.
#
# ### Exercise: `dropout_forward`


# %%
def dropout_forward(x, drop_probability, rng, training=True):
    """Inverted dropout: in training, drop elements and scale up the others; in evaluation, leave x as it is.

    x: array of floats of any shape.
    drop_probability: p, the probability that an element is dropped, 0 ≤ p < 1.
    rng: a numpy.random.Generator, the only source of randomness. How you draw from it is left open.
    training: True while the network is trained, False when it is used.

    Returns (out, keep_mask), two arrays of the shape of x. keep_mask is 1 (or True) where an element is kept and
    0 (or False) where it is dropped. In training every element of every example is kept or dropped by a draw of its
    own, and out is x · keep_mask / (1 − p). In evaluation out has the values of x, and keep_mask is all ones.
    x itself is not changed.
    """
    ### BEGIN SOLUTION
    if not training:
        return x.copy(), np.ones(x.shape, dtype=bool)
    keep_mask = rng.random(x.shape) >= drop_probability  # random() lies in [0, 1), so p = 0 keeps all
    return x * keep_mask / (1 - drop_probability), keep_mask
    ### END SOLUTION


# %% points=10
check(dropout_forward)

# %% [markdown]
# Inverted dropout keeps the mean of what the next layer receives. What about its mean square, on which the scale of
# everything depends (the rules for initializing weights are about mean squares)?

# %% tags=["display-only"]
predict(
    "mean square",
    "Units are dropped with p = 0.2 and the kept ones divided by 0.8. Compared with evaluation, the mean square of "
    "what the next layer receives in training is",
    ["the same", "0.8 times as large", "1.25 times as large", "1.56 times as large"],
)


# %% tags=["display-only"]
def what_the_next_layer_receives(p=0.2, size=400_000):
    forward, rng = working("dropout_forward"), np.random.default_rng(0)
    h = np.maximum(rng.normal(size=(size,)), 0)
    out, mask = forward(h, p, rng)
    versions = {
        "mask alone, no scaling": h * mask,
        "inverted: mask, then / (1 − p)": out,
        "divided by p by mistake": h * mask / p,
    }
    for name, received in versions.items():
        mean, square = received.mean() / h.mean(), np.mean(received**2) / np.mean(h**2)
        print(f"{name:32s} mean × {mean:.3f}   mean square × {square:.3f}")
    reveal("mean square", 2, "A share of 0.8 is kept, and its squares are divided by 0.64: 0.8 / 0.64 = 1 / 0.8.")


what_the_next_layer_receives()

# %% [markdown]
# In general $E[(m_i h_i/q)^2] = q h_i^2/q^2 = h_i^2/q$. So inverted dropout matches the mean and not the spread: in
# training the next layer sees larger squares than later in use. A layer that *measures* squares in training, as batch
# normalization does, will be misled. The next notebook comes back to this.

# %% [markdown]
# **Backward.** Since $\text{out}_i = m_i x_i/(1-p)$, and the mask of this step is a constant,
#
# $$\frac{\partial L}{\partial x_i} = \frac{m_i}{1-p}\,\frac{\partial L}{\partial \text{out}_i}. \tag{2}$$
#
# A dropped unit passes nothing back, so the weights that lead into it stay as they are in this step. It is the same
# mask as in the forward pass, which is why that one returned it.
#
# ### Exercise: `dropout_backward`


# %%
def dropout_backward(grad_out, keep_mask, drop_probability):
    """The gradient of inverted dropout with respect to its input x, in training.

    grad_out: array of any shape, ∂loss/∂out.
    keep_mask: the mask of the forward pass, of the same shape; 1 or True where x was kept, 0 or False where it was not.
    drop_probability: p of the forward pass, 0 ≤ p < 1.

    Returns grad_x = ∂loss/∂x, a new array of the shape of grad_out. grad_out is not changed: it may be needed again.
    """
    ### BEGIN SOLUTION
    return grad_out * keep_mask / (1 - drop_probability)
    ### END SOLUTION


# %% points=6
check(dropout_backward)

# %% [markdown]
# You can now check the gradient of a network with dropout numerically, as one should.

# %% tags=["display-only"]
predict(
    "gradient check",
    "You compare (2) with central differences of step 0.0001. Each of the two evaluations of the loss draws a mask of "
    "its own. What do you see?",
    [
        "agreement, since the masks average out",
        "a difference of a few per cent",
        "differences a thousand times as large as the gradient and more",
    ],
)


# %% tags=["display-only"]
def check_the_gradient(p=0.2, h=1e-4):
    forward, backward = working("dropout_forward"), working("dropout_backward")
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(5, 8)), rng.normal(size=8)
    kept = None

    def loss(values, generator):
        nonlocal kept
        out, kept = forward(values, p, generator)
        return 0.5 * np.sum((out @ weight) ** 2), out @ weight

    _, unit = loss(x, np.random.default_rng(1))
    gradient = backward(unit[:, None] * weight, kept, p)
    for name, fresh in (("the same mask each time", False), ("a new mask each time", True)):
        stream = np.random.default_rng(2)
        numerical = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            values = []
            for shift in (h, -h):
                moved = x.copy()
                moved[index] += shift
                values.append(loss(moved, stream if fresh else np.random.default_rng(1))[0])
            numerical[index] = (values[0] - values[1]) / (2 * h)
        print(
            f"{name:25s} largest gradient {np.abs(gradient).max():.1f}, largest difference "
            f"{np.abs(numerical - gradient).max():.1e}"
        )
    reveal("gradient check", 2, "Two masks give two losses that typically differ by 10, and this is divided by 0.0002.")


check_the_gradient()

# %% [markdown]
# To check anything random, hold the randomness still: here, by starting the generator from the same seed before every
# forward pass. The loss of *one* thinned network is an ordinary function.
#
# Now the other convention, in which use is scaled and training is not. AlexNet's authors did it like that: "we use all
# the neurons but multiply their outputs by 0.5" (Krizhevsky et al., 2012, §4.2). Mind the argument's name.
#
# ### Exercise: `classic_dropout`


# %%
def classic_dropout(x, keep_probability, rng, training=True):
    """Dropout as in the paper of 2014: drop elements in training, scale down when the network is used.

    x: array of floats of any shape.
    keep_probability: q, the probability that an element is kept, 0 < q ≤ 1.
    rng: a numpy.random.Generator, the only source of randomness. How you draw from it is left open.
    training: True while the network is trained, False when it is used.

    Returns out alone, a new array of the shape of x. In training every element of every example is kept as it is with
    probability q and becomes 0 otherwise, each by a draw of its own. In evaluation nothing is dropped, and out = q · x.
    x itself is not changed.

    Source: Srivastava et al., "Dropout", JMLR 15, 2014, section 4 and figure 2 (there, q is called p).
    """
    ### BEGIN SOLUTION
    if not training:
        return keep_probability * x
    return np.where(rng.random(x.shape) < keep_probability, x, 0.0)
    ### END SOLUTION


# %% points=7
check(classic_dropout)

# %% [markdown]
# Are the two conventions the same? Call the weights that read the units $w$ in the classic network and $w'$ in the
# inverted one. With the same mask both give the same number if $w'_i\, m_i h_i / q = w_i\, m_i h_i$, that is
# $w' = q\,w$. In use the classic one computes $w_i\, q h_i$, which is $w'_i h_i$ again. For a step of gradient descent
# let $\delta$ be the gradient at the output:
#
# $$w \leftarrow w - \eta\,\delta\, m h \qquad\text{and}\qquad w' \leftarrow w' - \eta'\,\delta\, m h/q .$$
#
# Multiply the left rule by $q$. It is the right one if $\eta' = q^2\eta$. So the conventions are one method with two
# learning rates, equivalent "with appropriate scaling of learning rates and weight initializations at each layer"
# (Srivastava et al., §10). Only those who change the convention *and* keep the learning rate get another network. Run
# it: 300 steps of linear regression on units that are dropped with $p = 0.2$.


# %% tags=["display-only"]
def two_conventions(q=0.8, rate=0.02, steps=300):
    classic = working("classic_dropout")
    rng = np.random.default_rng(0)
    h, target = rng.normal(size=(steps, 12)), rng.normal(size=steps)
    runs = {"classic, rate η": (rate, 1.0), "inverted, rate q²η": (q * q * rate, q), "inverted, rate η": (rate, q)}
    masks = classic(np.ones((steps, 12)), q, np.random.default_rng(1))  # ones in training: what is left is the mask
    for name, (eta, divisor) in runs.items():
        weight = np.ones(12) * (q if divisor == q else 1.0)  # w' = q w at the start
        for units, wanted, mask in zip(h, target, masks, strict=True):
            seen = units * mask / divisor
            weight = weight - eta * (weight @ seen - wanted) * seen
        used = h[:3] if divisor == q else classic(h[:3], q, rng, training=False)
        print(f"{name:19s} predictions in use: " + "  ".join(f"{value:9.6f}" for value in used @ weight))


two_conventions()

# %% [markdown]
# (And whoever scales at both times, by $1/q$ in training and by $q$ in use, hands on $q$ times what the next layer is
# used to, in every layer that drops.)

# %% [markdown]
# ## 3 · A great many networks
#
# Every mask leaves a *thinned* network: the units that were kept, and their connections. A layer of $n$ units has $2^n$
# of them, all sharing one set of weights.

# %% tags=["display-only"]
predict(
    "how many",
    "Our network has 256 hidden units. In 50 epochs of 200 examples, each presentation draws its own mask. "
    "Of all its thinned networks, which share is trained at least once?",
    ["all of them, many times", "about one in a thousand", "next to none: less than one in 10^70"],
)

# %% [markdown]
# And what does using the one scaled network have to do with them? The lecture takes a unit with two inputs, $x$ and
# $y$, with weights $w_0$ and $w_1$ and no activation: when used, $a = w_0x + w_1y$. In training with $q = \tfrac12$
# there are four masks, each with probability $\tfrac14$:
#
# $$E[a] = \tfrac14\big[(0 + 0) + (0 + w_1y) + (w_0x + 0) + (w_0x + w_1y)\big] = \tfrac12\,(w_0x + w_1y). \tag{3}$$
#
# So the average over all four networks is the one full network, scaled by $\tfrac12$. For other $q$ and $n$ inputs, a
# mask that keeps $k$ of them has the probability $q^k(1-q)^{n-k}$. There are $2^n$ terms to add, but means add up: with
# $y = \sum_i w_i x_i m_i$,
#
# $$E[y] = \sum_i w_i x_i\,E[m_i] = q \sum_i w_i x_i, \tag{4}$$
#
# and so do the variances of *independent* terms. A mask element has
# $\operatorname{Var}[m_i] = E[m_i^2] - E[m_i]^2 = q - q^2$. What is the variance of $y$?
#
# ### Exercise: `expected_output`


# %%
def expected_output(weights, x, keep_probability):
    """Mean and variance of a unit's output under classic dropout of its inputs, over all masks.

    The output is y = Σᵢ wᵢ xᵢ mᵢ. Each mᵢ is 1 with probability q and 0 otherwise, independently of the others, so
    a mask that keeps k of the n inputs has the probability qᵏ (1 − q)ⁿ⁻ᵏ.

    weights: the wᵢ, shape (n,), n ≤ 10.
    x: the xᵢ, shape (n,).
    keep_probability: q, between 0 and 1.

    Returns (mean, variance), two numbers: E[y] and E[(y − E[y])²]. They are exact, not estimated from a sample.
    You may list all 2ⁿ masks or use a formula.
    """
    ### BEGIN SOLUTION
    terms = weights * x
    mean = keep_probability * np.sum(terms)
    variance = keep_probability * (1 - keep_probability) * np.sum(terms**2)  # variances of independent terms add up
    return mean, variance
    ### END SOLUTION


# %% points=7
check(expected_output)


# %% tags=["display-only"]
def all_masks():
    from itertools import product

    moments = working("expected_output")
    for weights, x, q in (
        (np.array([3.0, -1.0]), np.array([1.0, 2.0]), 0.5),
        (np.array([3.0, -1.0]), np.array([1.0, 2.0]), 0.8),
        (np.linspace(-1, 2, 10), np.linspace(1, 2, 10), 0.8),
    ):
        outputs, chances = [], []
        for mask in product((0, 1), repeat=len(x)):
            outputs.append(np.sum(weights * x * np.array(mask)))
            chances.append(q ** sum(mask) * (1 - q) ** (len(x) - sum(mask)))
        mean = np.dot(chances, outputs)
        variance = np.dot(chances, (np.array(outputs) - mean) ** 2)
        ours = moments(weights, x, q)
        print(
            f"{2 ** len(x):4d} masks, q = {q}: mean {mean:7.4f}, variance {variance:7.4f}   expected_output: "
            f"{ours[0]:7.4f}, {ours[1]:7.4f}   scaled network: {q * np.sum(weights * x):7.4f}"
        )
        if len(x) == 2:
            listed = ",  ".join(f"{o:g} with {c:.2f}" for o, c in zip(outputs, chances, strict=True))
            print(f"           the four outputs: {listed}")
    seen = 50 * 200
    print(f"\n{seen:,} masks drawn in training, of 2^256 = {2.0**256:.1e}: a share of {seen / 2.0**256:.0e}")
    reveal("how many", 2, "10,000 masks are drawn, and 2^256 is 1.2 · 10^77.")


all_masks()

# %% [markdown]
# "Each thinned network gets trained very rarely, if at all" (Srivastava et al., 2014, §1). It works because they share
# weights: what one of them learns, all others that use the same weights have learned too. That makes dropout different
# from *bagging*, where every network has weights of its own and is trained to the end.

# %% [markdown]
# ## 4 · One network for all of them: where it is exact
#
# **Linear outputs: exact.** (4) holds for every linear output.
#
# **Softmax: exact, for another average.** Let the logits of class $c$ be $z_c(m) = \sum_i W_{ci} x_i m_i + b_c$.
# Average not the probabilities of the thinned networks but their *logarithms*; that is, take their geometric mean. With
# $\log p_c(m) = z_c(m) - \log Z(m)$, where $Z(m) = \sum_k e^{z_k(m)}$,
#
# $$E_m[\log p_c(m)] = E_m[z_c(m)] - E_m[\log Z(m)]. \tag{5}$$
#
# The second term is the same for all classes, so it vanishes when the geometric means are normalized to sum to 1. The
# first is linear: by (4) it is the scaled network's logit. So the softmax of the scaled logits *is* the normalized
# geometric mean of all $2^n$ thinned networks (Goodfellow, Bengio and Courville, *Deep Learning*, 2016, equations 7.56
# to 7.66; Baldi and Sadowski, 2013). AlexNet's paper says so of its factor 0.5: "a reasonable approximation to taking
# the geometric mean of the predictive distributions" (§4.2).

# %% tags=["display-only"]
predict(
    "which average",
    "A softmax layer reads ten dropped inputs. Is the plain (arithmetic) mean of the 1024 thinned networks' "
    "probabilities the same as the scaled network's probabilities?",
    [
        "yes, any average will do",
        "no; the plain mean is usually less extreme, closer to uniform",
        "no; the plain mean is usually more extreme",
    ],
)


# %% tags=["display-only"]
def two_averages(q=0.5, inputs=10, classes=3):
    from itertools import product

    moments, rng = working("expected_output"), np.random.default_rng(2)
    weight, x = rng.normal(size=(classes, inputs)), np.abs(rng.normal(size=inputs))

    def softmax(z):
        powers = np.exp(z - z.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    masks = np.array(list(product((0, 1), repeat=inputs)))  # (1024, inputs)
    chances = np.prod(np.where(masks == 1, q, 1 - q), axis=1)
    thinned = softmax((masks * x) @ weight.T)  # (1024, classes)
    geometric = np.exp(chances @ np.log(thinned))
    rows = {
        "plain mean": chances @ thinned,
        "geometric mean, normalized": geometric / geometric.sum(),
        "scaled network": softmax(np.array([moments(row, x, q)[0] for row in weight])),
    }
    for name, values in rows.items():
        print(f"{name:28s}" + "  ".join(f"{value:.6f}" for value in values))
    reveal(
        "which average",
        1,
        "A geometric mean is pulled down by every network that gives a class little. Of 500 random layers like this "
        "one, it was the more extreme one (of smaller entropy) for 96 %.",
    )


two_averages()

# %% [markdown]
# **Through a ReLU: an approximation.** A hidden unit that is not linear does not commute with the mean. The ReLU is
# convex, so by Jensen's inequality
#
# $$E[\operatorname{relu}(z)] \ge \operatorname{relu}(E[z]). \tag{6}$$
#
# In (3) put $w_0x = 1$ and $w_1y = -1$. Of the four networks one says $\operatorname{relu}(1) = 1$ and three say 0, so
# the mean is $\tfrac14$; the scaled network says $\operatorname{relu}(0) = 0$. How large is this in general? With many
# inputs $z$ is a sum of many independent terms, so nearly normal, with the mean $\mu$ and the standard deviation
# $\sigma$ that `expected_output` gives. Then
# $E[\operatorname{relu}(z)] = \mu\,\Phi(\mu/\sigma) + \sigma\,\varphi(\mu/\sigma)$, where $\varphi$ and $\Phi$ are the
# normal density and its distribution function.

# %% tags=["display-only"]
predict(
    "through a ReLU",
    "A unit's pre-activation has mean 0 and standard deviation 1 over the masks. The scaled network puts relu(0) = 0 "
    "in place of the average. What is the average of relu(z) over the masks?",
    ["0: positive and negative masks cancel", "about 0.4", "about 1"],
)


# %% tags=["display-only"]
def through_a_relu(units=60):
    from itertools import product
    from math import erf

    moments, rng = working("expected_output"), np.random.default_rng(0)
    masks = np.array(list(product((0, 1), repeat=10)))
    fig, (left, right) = figure(1, 2, size=(10, 3.7))
    for q, color, marker in ((0.8, palette.blue, "o"), (0.5, palette.orange, "s")):
        chances = np.prod(np.where(masks == 1, q, 1 - q), axis=1)
        found = []
        for _ in range(units):
            weights, x = rng.normal(size=10), np.abs(rng.normal(size=10))
            mean, variance = moments(weights, x, q)
            sigma, exact = np.sqrt(variance), chances @ np.maximum((masks * weights * x).sum(axis=1), 0)
            found.append((mean / sigma, (exact - max(mean, 0)) / sigma))
        ratios, gaps = zip(*found, strict=True)
        right.plot(
            ratios, gaps, marker, color=color, markersize=4, linestyle="", label=f"units with 10 inputs, q = {q}"
        )
        print(f"q = {q}: E[relu(z)] − relu(E[z]) is {np.mean(gaps):.2f} σ on average, at most {np.max(gaps):.2f} σ")
    z = masks @ np.linspace(-1.4, 1.6, 10)  # the terms wᵢxᵢ of one unit; all masks have the same probability
    left.hist(z, bins=30, weights=np.full(len(z), 1 / len(z)), color=palette.sky)
    for value, name, color, style in (
        (max(z.mean(), 0), "relu(E[z])", palette.black, ":"),
        (np.maximum(z, 0).mean(), "E[relu(z)]", palette.vermillion, "--"),
    ):
        left.axvline(value, color=color, linestyle=style, label=f"{name} = {value:.2f}")
    t = np.linspace(-5, 5, 201)
    distribution = np.array([(1 + erf(each / np.sqrt(2))) / 2 for each in t])
    curve = t * distribution + np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi) - np.maximum(t, 0)
    right.plot(t, curve, color=palette.black, label="if z were normal")
    left.set(title="One unit with ten inputs, q = 0.5, all masks", xlabel="z", ylabel="probability", ylim=(0, 0.1))
    right.set(title="What scaling leaves out", xlabel="E[z] / σ", ylabel="(E[relu(z)] − relu(E[z])) / σ", ylim=(0, 0.6))
    left.legend()
    right.legend()
    show(
        fig,
        alt="Left: the distribution of one unit's z over all masks, bell-shaped around 0.5, with two lines: the ReLU "
        "of its mean, 0.5, and the larger mean of its ReLU, 0.9. Right: the difference of the two in units of σ, for "
        "120 units, close to a peaked curve: 0.4 where the mean of z is 0, and almost 0 where it is more than two σ "
        "away.",
    )
    reveal("through a ReLU", 1, "Half of the masks contribute: the mean of relu(z) for a normal z is 1/√(2π) = 0.399.")


through_a_relu()

# %% [markdown]
# So scaling is exact for units that are always on or always off, and most wrong for those that hang on the mask. It
# never overestimates a ReLU's mean. Deep networks pile such errors up. Whether they matter is a question for data.

# %% [markdown]
# Watch averages of thinned networks converge. First drop hidden units: nothing bends after them, so where does the
# average go, and how many networks does it take until it stays within 0.1 of that? Then drop inputs: now ReLUs come
# after what is dropped. Is the scaled network above or below the average?

# %% tags=["display-only"]
from course_utils.widgets import thinned_networks

thinned_networks()

# %% [markdown]
# ## 5 · Monte Carlo: ask them one by one
#
# The lecture's other answer is to keep the dropout on and average: draw $T$ masks, and take
#
# $$\hat p = \frac1T \sum_{t=1}^{T} p(m_t). \tag{7}$$
#
# That converges to the plain mean over all $2^n$ networks. If one network's output varies with standard deviation $s$,
# the average of $T$ independent ones varies with $s/\sqrt T$. As a by-product one gets $s$ itself. Gal and Ghahramani
# (2016) read it as a measure of what the network does not know.
#
# ### Exercise: `monte_carlo_predict`


# %%
def monte_carlo_predict(forward, x, samples, rng):
    """The prediction of a network whose dropout stays on: an average over thinned networks, and their spread.

    forward: a function; forward(x, rng) draws masks from rng and returns probabilities, shape (N, classes).
    x: the inputs of the network, handed to forward as they are.
    samples: how many thinned networks to try, at least 1. forward is called exactly this often, each time with all of
        x, and draws new masks each time.
    rng: a numpy.random.Generator, the only source of randomness.

    Returns (mean, standard deviation) over the samples, both of shape (N, classes): of each probability by itself, the
    variance being the mean squared distance from the mean (divided by `samples`, not by samples − 1).

    Source: Gal and Ghahramani, "Dropout as a Bayesian approximation", 2016, section 4.
    """
    ### BEGIN SOLUTION
    predictions = np.stack([forward(x, rng) for _ in range(samples)])  # (samples, N, classes)
    return predictions.mean(axis=0), predictions.std(axis=0)
    ### END SOLUTION


# %% points=7
check(monte_carlo_predict)

# %% tags=["display-only"]
predict(
    "samples",
    "The average of 10 thinned networks is off by 0.02. To be off by 0.002, you need",
    ["about 30 networks", "100 networks", "1000 networks"],
)


# %% tags=["display-only"]
def averages_of_thinned_networks(p=0.5, seeds=range(3), repeats=10):
    from course_utils.experiments.regularized import few_examples, learn, standardized

    forward, monte_carlo = working("dropout_forward"), working("monte_carlo_predict")
    x, labels = few_examples(digits, seeds)
    both = forward, working("dropout_backward")
    weight1, bias1, weight2, bias2 = learn(x, labels, seeds, dropout=both, drop_probability=p)
    images, rng = standardized(digits, digits.validation)[:100], np.random.default_rng(0)
    counts, distances, scaled = np.array([1, 3, 10, 30, 100]), [], []
    for run in range(len(seeds)):

        def probabilities(units, run=run):
            z = units @ weight2[run].T + bias2[run]
            powers = np.exp(z - z.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)

        def thinned(units, generator, answer=probabilities):
            return answer(forward(units, p, generator)[0])

        hidden = np.maximum(images @ weight1[run].T + bias1[run], 0)
        limit, _ = monte_carlo(thinned, hidden, 2000, rng)
        scaled.append(np.sqrt(np.mean((probabilities(hidden) - limit) ** 2)))
        distances.append([])
        for count in counts:
            off = [monte_carlo(thinned, hidden, int(count), rng)[0] - limit for _ in range(repeats)]
            distances[-1].append(np.sqrt(np.mean(np.square(off))))
    mean, spread = np.mean(distances, axis=0), np.std(distances, axis=0, ddof=1)
    fig, ax = figure(size=(6.2, 3.7))
    ax.errorbar(counts, mean, spread, fmt="o", color=palette.blue, capsize=3, label="average of T, mean and std")
    ax.plot(counts, mean[0] / np.sqrt(counts), "--", color=palette.black, label="proportional to 1/√T")
    ax.axhline(np.mean(scaled), color=palette.vermillion, linestyle="-.", label="the scaled network")
    ax.set(xscale="log", yscale="log", xlabel="T, number of thinned networks", ylabel="distance (root mean square)")
    ax.set_xticks(counts, [str(count) for count in counts])
    ax.set_xticks([], minor=True)
    ax.set_yticks((0.01, 0.02, 0.03, 0.05, 0.07), ("0.01", "0.02", "0.03", "0.05", "0.07"))
    ax.set_yticks([], minor=True)
    ax.set_title("Probabilities: distance from the average of 2000")
    ax.legend()
    show(
        fig,
        alt="Distance of an average of T thinned networks from the average of 2000, against T, both axes logarithmic. "
        "It falls from 0.07 to 0.007 along a line of slope minus one half. The scaled network's distance is a "
        "horizontal line at 0.03, which the averages cross between T = 3 and T = 10.",
    )
    for count, value, width in zip(counts, mean, spread, strict=True):
        print(f"T = {count:3d}: off by {value:.4f} ± {width:.4f} (std), times √T: {value * np.sqrt(count):.4f}")
    off = np.mean(scaled)
    print(f"the scaled network is off by {off:.4f}, as an average of {(mean[0] / off) ** 2:.0f} networks would be")
    reveal("samples", 2, "The error falls like 1/√T: for a tenth of it, a hundred times as many networks.")


averages_of_thinned_networks()

# %% [markdown]
# The scaled network is not the limit: it is off by a fixed amount, as section 4 says, and an average of six or so
# thinned networks is as close. Does it matter for the answers? And does the spread over the masks know which answers
# are wrong?


# %% tags=["display-only"]
def what_the_spread_knows(p=0.5, seeds=range(8), samples=100, suspects=60):
    from course_utils.experiments.regularized import few_examples, learn, standardized

    forward, monte_carlo = working("dropout_forward"), working("monte_carlo_predict")
    x, labels = few_examples(digits, seeds)
    both = forward, working("dropout_backward")
    weight1, bias1, weight2, bias2 = learn(x, labels, seeds, dropout=both, drop_probability=p)
    images, truth = standardized(digits, digits.validation), digits.validation.labels
    rng, rows = np.random.default_rng(0), np.arange(len(truth))
    found = {"error, scaled": [], "error, sampled": [], "right": [], "wrong": [], "by spread": [], "by probability": []}
    fig, ax = figure(size=(6.2, 3.7))
    for run in range(len(seeds)):

        def probabilities(units, run=run):
            z = units @ weight2[run].T + bias2[run]
            powers = np.exp(z - z.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)

        def thinned(units, generator, answer=probabilities):
            return answer(forward(units, p, generator)[0])

        hidden = np.maximum(images @ weight1[run].T + bias1[run], 0)
        scaled, (average, spread) = probabilities(hidden), monte_carlo(thinned, hidden, samples, rng)
        answer, spread = average.argmax(axis=1), spread[rows, average.argmax(axis=1)]
        wrong, wrong_scaled = answer != truth, scaled.argmax(axis=1) != truth
        found["error, scaled"].append(wrong_scaled.mean())
        found["error, sampled"].append(wrong.mean())
        found["right"].append(spread[~wrong].mean())
        found["wrong"].append(spread[wrong].mean())
        found["by spread"].append(wrong[np.argsort(spread)[-suspects:]].sum() / wrong.sum())
        found["by probability"].append(
            wrong_scaled[np.argsort(scaled.max(axis=1))[:suspects]].sum() / wrong_scaled.sum()
        )
        if run == 0:
            for kind, color, marker, name in (
                (~wrong, palette.blue, ".", "right"),
                (wrong, palette.vermillion, "x", "wrong"),
            ):
                ax.plot(
                    average[rows, answer][kind],
                    spread[kind],
                    marker,
                    color=color,
                    linestyle="",
                    label=f"{name} answers",
                )
    ax.set(xlabel="average probability of the answer", ylabel="standard deviation over the masks")
    ax.set_title("300 validation digits, one network")
    ax.legend(loc="lower left")
    show(
        fig,
        alt="Standard deviation over the masks against the average probability of the answer, one point for each "
        "digit, along an arch: small where the probability is near 1, largest near one half. The crosses, wrong "
        "answers, lie on the arch between 0.3 and 0.9.",
    )

    def text(name):
        return f"{np.mean(found[name]):.3f} ± {np.std(found[name], ddof=1) / np.sqrt(len(seeds)):.3f}"

    print(f"after ±: the standard error of the mean of {len(seeds)} networks")
    print(f"validation error: scaled network {text('error, scaled')}, average of {samples} {text('error, sampled')}")
    print(f"standard deviation over the masks: right answers {text('right')}, wrong answers {text('wrong')}")
    print(f"Look again at {suspects} of the 300 digits. Which share of all mistakes is among them?")
    print(f"  those with the largest standard deviation:         {text('by spread')}")
    print(f"  those with the scaled network's least probability: {text('by probability')}")


what_the_spread_knows()

# %% [markdown]
# The answers are equally good, for a hundredth of the work. Srivastava et al. (2014, §7.5) found on MNIST that sampling
# needs about 50 networks to catch up with scaling. So one uses the scaled network and is done. The spread does find the
# doubtful digits. But the picture shows that it is mostly a function of the probability, and for these digits the
# scaled network's own probability finds the mistakes as well. Before you pay for a hundred passes, try the one.

# %% [markdown]
# ## 6 · Weights instead of units
#
# *DropConnect* (Wan et al., 2013) drops the weights one by one, not the units:
#
# $$z_o = \sum_i \frac{m_{oi}}{1-p}\,W_{oi}\,x_i + b_o, \tag{8}$$
#
# with one mask element for each weight, and for each example another mask. A layer of 256 inputs and 10 outputs has
# $2^{2560}$ thinned networks now. (The paper drops the biases too. We leave them alone, as most do.)

# %% tags=["display-only"]
predict(
    "two units",
    "Compare dropping the inputs of a layer with dropping its weights, at the same p. What differs in the "
    "pre-activations z of the layer's units?",
    [
        "the mean of each z",
        "the variance of each z",
        "neither; but with DropConnect two units' z vary independently, with dropout together",
    ],
)

# %% [markdown]
# ### Exercise: `dropconnect_forward`


# %%
def dropconnect_forward(x, weight, bias, drop_probability, rng):
    """A linear layer in training whose weights are dropped, not its inputs.

    x: shape (N, D).
    weight: shape (out, D).
    bias: shape (out,). It is never dropped and never scaled.
    drop_probability: p, the probability that a weight is dropped, 0 ≤ p < 1.
    rng: a numpy.random.Generator, the only source of randomness. How you draw from it is left open.

    Returns out, shape (N, out): out[n, o] = Σᵢ weight[o, i] · m[n, o, i] / (1 − p) · x[n, i] + bias[o].
    Every m[n, o, i] is 1 with probability 1 − p and 0 otherwise, by a draw of its own: each example has
    its own thinned weights.

    Source: Wan et al., "Regularization of neural networks using DropConnect", 2013. The scaling is that of inverted
    dropout.
    """
    ### BEGIN SOLUTION
    keep = rng.random((len(x), *weight.shape)) >= drop_probability  # (N, out, D)
    return np.einsum("noi,ni->no", keep * weight, x) / (1 - drop_probability) + bias
    ### END SOLUTION


# %% points=9
check(dropconnect_forward)


# %% tags=["display-only"]
def units_and_weights(p=0.2, samples=40_000):
    drop, connect, rng = working("dropout_forward"), working("dropconnect_forward"), np.random.default_rng(0)
    weight, bias, x = rng.normal(size=(2, 6)), np.array([1.0, -1.0]), rng.normal(size=6)
    rows = np.broadcast_to(x, (samples, 6)).copy()
    kinds = {"dropout": drop(rows, p, rng)[0] @ weight.T + bias, "DropConnect": connect(rows, weight, bias, p, rng)}
    exact = p / (1 - p) * np.array([np.sum(weight[0] ** 2 * x**2), np.sum(weight[1] ** 2 * x**2)])
    together = p / (1 - p) * np.sum(weight[0] * weight[1] * x**2)
    print(f"nothing dropped    z = {np.round(weight @ x + bias, 2)}")
    for name, z in kinds.items():
        covariance = np.cov(z.T)
        print(
            f"{name:12s} mean {np.round(z.mean(axis=0), 2)}   variances {covariance[0, 0]:.3f}, {covariance[1, 1]:.3f}"
            f"   covariance {covariance[0, 1]:6.3f}"
        )
    print(f"by formula         variances {exact[0]:.3f}, {exact[1]:.3f}; covariance with dropout {together:.3f}")
    reveal("two units", 2, "Each unit sees six independent masks either way; only dropout shows both the same six.")


units_and_weights()

# %% [markdown]
# For one unit the two are the same thing: six terms, six mask elements, the variance
# $\frac{p}{1-p}\sum_i W_{oi}^2x_i^2$ of section 3. With dropout a lost input is missing for all units at once, so they
# vary together, with covariance $\frac{p}{1-p}\sum_i W_{oi}W_{o'i}x_i^2$. DropConnect needs
# $N \cdot \text{out} \cdot \text{in}$ random numbers where dropout needs $N\cdot\text{in}$, and a product of weights
# and masks for every single example.

# %% [markdown]
# ## 7 · Feature maps
#
# After a convolution, neighbouring elements of a map say nearly the same thing. Drop one, and its neighbours still tell
# what it was. Two remedies.
#
# **Drop whole maps** (*spatial dropout*; Tompson et al., 2015, §3.2; PyTorch's `Dropout2d`).
#
# ### Exercise: `channel_dropout`


# %%
def channel_dropout(x, drop_probability, rng):
    """Dropout of whole feature maps, in training.

    x: shape (N, C, H, W).
    drop_probability: p, the probability that a feature map is dropped, 0 ≤ p < 1.
    rng: a numpy.random.Generator, the only source of randomness. How you draw from it is left open.

    Returns out, a new array of the shape of x. Each map x[n, c] is dropped as a whole or kept as a whole, by a draw of
    its own for each image n and each channel c. A dropped map is all zeros, a kept one is x[n, c] / (1 − p).
    x itself is not changed.

    Source: Tompson et al., "Efficient object localization using convolutional networks", 2015, section 3.2.
    """
    ### BEGIN SOLUTION
    keep = rng.random((*x.shape[:2], 1, 1)) >= drop_probability
    return x * keep / (1 - drop_probability)
    ### END SOLUTION


# %% points=6
check(channel_dropout)

# %% [markdown]
# **Drop blocks.** *DropBlock* (Ghiasi, Lin and Le, 2018) drops squares of $b \times b$ elements. At each place where a
# block fits, one is dropped with probability $\gamma$. Which $\gamma$ gives a share $p$ of dropped elements? A block
# fits into an $H \times W$ map at $(H-b+1)(W-b+1)$ places. So on average $\gamma\,(H-b+1)(W-b+1)$ blocks are dropped,
# with $b^2$ elements each. Demand that this is $p\,HW$:
#
# $$\gamma = \frac{p}{b^2}\cdot\frac{HW}{(H-b+1)(W-b+1)} \tag{9}$$
#
# (their equation 1, with $p$ for 1 − keep_prob and for maps that need not be square). For $b = 1$ it is $p$, plain
# dropout. The second fraction is the correction that is easily forgotten: blocks have fewer places than elements.

# %% tags=["display-only"]
predict(
    "dropped share",
    "Blocks of 3 × 3 on maps of 8 × 8, p = 0.3, γ from (9). Which share of the elements is dropped on average?",
    ["0.30, as demanded", "about 0.26", "about 0.34"],
)

# %% [markdown]
# ### Exercise: `dropblock_mask`


# %%
def dropblock_mask(shape, block_size, drop_probability, rng):
    """DropBlock's mask, which drops square blocks of a feature map.

    shape: (N, C, H, W).
    block_size: b, the side of a block in pixels, 1 ≤ b; it may be even.
    drop_probability: p, 0 ≤ p < 1: about the share of pixels to drop.
    rng: a numpy.random.Generator, the only source of randomness. How you draw from it is left open.

    Returns an array of this shape: 0 (or False) where a pixel is dropped, 1 (or True) where it is kept. It is not
    normalized; that is left to the caller.

    A block fits into a map at (H − b + 1)(W − b + 1) places. At each of these places, in each channel of each image, a
    block is dropped with probability γ, by a draw of its own. Blocks may overlap. With
        γ = p / b² · H·W / ((H − b + 1)(W − b + 1)),
    the areas of all dropped blocks of a map add up to p·H·W on average.
    Raises ValueError with b, H and W in its message when no block fits.

    Source: Ghiasi, Lin and Le, "DropBlock", 2018, equation 1 and algorithm 1, with one mask per channel.
    """
    ### BEGIN SOLUTION
    (N, C, H, W), b = shape, block_size
    rows, columns = H - b + 1, W - b + 1
    if rows < 1 or columns < 1:
        raise ValueError(f"a block of {b}×{b} pixels does not fit into a map of {H}×{W}")
    gamma = drop_probability / b**2 * (H * W) / (rows * columns)
    starts = rng.random((N, C, rows, columns)) < gamma  # top left corners of the blocks
    mask = np.ones(shape)
    for i in range(b):
        for j in range(b):
            mask[:, :, i : i + rows, j : j + columns][starts] = 0.0
    return mask
    ### END SOLUTION


# %% points=9
check(dropblock_mask)


# %% tags=["display-only"]
def how_much_is_dropped(size=8, p=0.3, count=4000):
    blocks, rng = working("dropblock_mask"), np.random.default_rng(0)
    print("block    γ        dropped: measured   exact   at a corner   in the middle")
    for block in (1, 2, 3, 5):
        mask = np.asarray(blocks((count, 4, size, size), block, p, rng), float)
        places = size - block + 1
        gamma = p / block**2 * size**2 / places**2
        covering = np.zeros((size, size))  # at how many places a block would cover this element
        for i in range(block):
            for j in range(block):
                covering[i : i + places, j : j + places] += 1
        lost = 1 - (1 - gamma) ** covering
        middle = size // 2
        print(
            f"{block} × {block}    {gamma:.4f}   {1 - mask.mean():17.3f}   {lost.mean():.3f}   {lost[0, 0]:11.3f}"
            f"   {lost[middle, middle]:13.3f}"
        )
    reveal("dropped share", 1, "Blocks overlap, and an element that two of them cover is dropped only once.")


how_much_is_dropped()

# %% [markdown]
# (9) adds up areas and ignores overlaps, so a little less than $p$ is dropped. An element that $c$ places cover is kept
# with probability $(1-\gamma)^c$: a corner is covered by one place only and hardly ever dropped, the middle by up to
# $b^2$. That is one reason why DropBlock's authors divide by the share that was really kept (their algorithm 1) rather
# than by $1 - p$.
#
# Look at the masks, on pictures from *shapes*, a data set that the course draws itself (here: 200 pictures of 32 × 32,
# their green channel). And look at what the masks leave to guess. The numbers below try to guess each dropped pixel
# from the kept ones among its eight neighbours: from the mean of their differences from the picture's mean, with the
# best factor. The score is the share of the pixels' variance that the guess explains.


# %% tags=["display-only"]
def what_neighbours_tell(p=0.3):
    from course_utils.data import load_shapes

    units, blocks, channels = working("dropout_forward"), working("dropblock_mask"), working("channel_dropout")
    rng, size = np.random.default_rng(0), 32
    maps = load_shapes(size=size, train=200, validation=0, test=0).train.images[:, 1:2].astype(float)  # green

    def mask_of(kind, shape):
        if kind == "whole maps":
            return (channels(np.ones(shape), p, rng) > 0).astype(float)
        if kind == "elements":
            return np.asarray(units(np.ones(shape), p, rng)[1], float)
        return np.asarray(blocks(shape, kind, p, rng), float)

    fig, axes = figure(3, 11, size=(10.5, 3.1), images=True)
    for row, kind in zip(axes, ("elements", 7, "whole maps"), strict=True):
        name = f"blocks of {kind} × {kind}" if kind == 7 else kind
        row[0].text(1.0, 0.5, name, ha="right", va="center", transform=row[0].transAxes)
        mask = mask_of(kind, (1, 10, size, size))
        for k in range(10):
            row[k + 1].imshow(np.where(mask[0, k] > 0, maps[k, 0], np.nan), cmap="gray", vmin=0, vmax=1)
            row[k + 1].imshow(np.where(mask[0, k] > 0, np.nan, 1), cmap="Oranges", vmin=0, vmax=2)
    show(
        fig,
        alt="Three rows of ten grey pictures of shapes. In the first, single pixels are dropped (orange), in the "
        "second blocks of 7 by 7, in the third whole pictures.",
    )
    away = maps - maps.mean(axis=(2, 3), keepdims=True)  # from the picture's mean
    around = [(slice(i, i + size), slice(j, j + size)) for i in range(3) for j in range(3)]
    border = ((0, 0), (0, 0), (1, 1), (1, 1))
    for kind in ("elements", 2, 3, 5, 7):
        mask = mask_of(kind, maps.shape)
        padded, present = np.pad(mask * away, border), np.pad(mask, border)
        total, number = sum(padded[:, :, i, j] for i, j in around), sum(present[:, :, i, j] for i, j in around)
        lost = mask == 0
        guess, truth = (total / np.maximum(number, 1))[lost], away[lost]
        factor = np.sum(guess * truth) / np.sum(guess**2)
        explained = 1 - np.mean((truth - factor * guess) ** 2) / np.mean(truth**2)
        name = kind if kind == "elements" else f"blocks of {kind} × {kind}"
        print(
            f"{name:16s} dropped {lost.mean():.2f}   without a kept neighbour {np.mean(number[lost] == 0):.2f} of "
            f"these   explained variance {explained:.2f}"
        )


what_neighbours_tell()

# %% [markdown]
# A single dropped pixel is no loss: its neighbours explain five sixths of the variance. In a block of 7 × 7 most pixels
# have no kept neighbour, and less than a third is explained. We train no convolutional network here, so we do not show
# that blocks make one *learn* better; the paper reports 78.1 % accuracy for ResNet-50 on ImageNet, over 1.6 points more
# than without.

# %% [markdown]
# ## 8 · From easy to hard
#
# *Curriculum dropout* (Morerio et al., 2017) starts without dropout, when the units have learned nothing that could be
# too well adapted to each other, and lets the probability to keep a unit fall towards $\theta$:
#
# $$q(t) = (1-\theta)\,e^{-\gamma t} + \theta. \tag{10}$$
#
# It is 1 at $t = 0$. The authors take $\gamma = 10/T$ for $T$ training steps: then $e^{-\gamma T} = 0.00005$, and the
# end is reached in practice. (This $\gamma$ has nothing to do with DropBlock's.)
#
# ### Exercise: `curriculum_keep_probability`


# %%
def curriculum_keep_probability(step, final_keep, gamma):
    """The probability of keeping a unit at one step of training, in curriculum dropout.

    It starts at 1 at step 0 and falls towards θ: its distance from θ shrinks by the factor e^(−γ) from each step to the
    next.

    step: t, the number of updates made so far: 0, 1, 2, …
    final_keep: θ, the probability reached in the end, between 0 and 1.
    gamma: γ > 0.

    Returns a number: (1 − θ) · e^(−γt) + θ.

    Source: Morerio et al., "Curriculum dropout", 2017.
    """
    ### BEGIN SOLUTION
    return (1 - final_keep) * np.exp(-gamma * step) + final_keep
    ### END SOLUTION


# %% points=4
check(curriculum_keep_probability)


# %% tags=["display-only"]
def curriculum(total=200, final=0.5):
    keep = working("curriculum_keep_probability")
    fig, ax = figure(size=(6.2, 3.4))
    steps = np.arange(total + 1)
    for factor, color, style in ((3, palette.green, "-."), (10, palette.blue, "-"), (30, palette.orange, "--")):
        path = np.array([keep(int(step), final, factor / total) for step in steps])
        ax.plot(steps, path, style, color=color, label=f"γ = {factor}/T")
        half = np.argmax(path <= (1 + final) / 2)
        print(f"γ = {factor:2d}/T: half of the way after {half} of {total} steps, at the end {path[-1]:.5f}")
    ax.axhline(final, color=palette.black, linestyle=":", label="θ")
    ax.set(xlabel="step t", ylabel="probability to keep a unit", ylim=(0, 1.05))
    ax.legend(loc="lower right")
    show(
        fig,
        alt="The probability to keep a unit against the step, for three values of γ. All start at 1 and fall towards "
        "0.5, the faster the larger γ is.",
    )


curriculum()

# %% [markdown]
# Whether it helps on our digits is tried in section 12.

# %% [markdown]
# ## 9 · Penalties
#
# **Dropout is a penalty, in linear regression.** Let $y_n$ be the targets and $x_n$ the inputs of examples
# $n = 1 \dots N$, and drop inputs, inverted: the prediction is $\hat y_n = \sum_i w_i x_{ni} m_{ni}/q$. On average a
# squared error is the square of the mean error plus the variance:
# $E[(y-\hat y)^2] = (y - E[\hat y])^2 + \operatorname{Var}[\hat y]$. With (4) and the variance that goes with it, for
# $w_i/q$ in place of $w_i$,
#
# $$E\Big[\sum_n (y_n - \hat y_n)^2\Big] = \sum_n \Big(y_n - \sum_i w_i x_{ni}\Big)^2 +
# \frac{1-q}{q} \sum_i w_i^2 \sum_n x_{ni}^2. \tag{11}$$
#
# (Srivastava et al., 2014, §9.1, in their notation $\|y - X\tilde w\|^2 + \frac{1-p}{p}\|\Gamma\tilde w\|^2$.) So, on
# average over the masks, dropping inputs adds an L2 penalty whose strength the *data* set: the weight of input $i$ pays
# in proportion to $\sum_n x_{ni}^2$. Setting the derivative to 0, with $D$ the diagonal part of $X^TX$,
#
# $$\Big(X^TX + \tfrac{1-q}{q}\,D\Big)\,w = X^T y. \tag{12}$$

# %% tags=["display-only"]
predict(
    "uncorrelated",
    "Suppose the inputs are uncorrelated: XᵀX is diagonal, with large entries for some inputs and small ones for "
    "others. Inputs are dropped with p = 0.2, inverted. Compared with least squares, each weight becomes",
    [
        "0.8 times as large, all of them",
        "smaller, most of all those of inputs with small values",
        "1.25 times as large, to make up for the dropped inputs",
    ],
)


# %% tags=["display-only"]
def dropout_against_ridge(q=0.8, examples=60, steps=15_000):
    moments, forward = working("expected_output"), working("dropout_forward")
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(examples, 4)))[0] * np.sqrt(examples)
    scales = np.array([3.0, 1.0, 0.3, 1.0])
    x = basis * scales  # columns at right angles
    x[:, 3] += 0.8 * x[:, 1]  # but the last one is correlated with the second
    y = x @ np.array([0.5, -1.0, 2.0, 1.0]) + 0.3 * rng.normal(size=examples)

    def solve(inputs, kind):
        square = inputs.T @ inputs
        extra = {"least squares": 0, "dropout": (1 - q) / q * np.diag(np.diag(square)), "ridge": 15 * np.eye(4)}[kind]
        return np.linalg.solve(square + extra, inputs.T @ y)

    plain, dropped = solve(x, "least squares"), solve(x, "dropout")
    for w in (plain, dropped):
        pairs = [moments(w / q, row, q) for row in x]
        expected = sum((target - mean) ** 2 + variance for target, (mean, variance) in zip(y, pairs, strict=True))
        formula = np.sum((y - x @ w) ** 2) + (1 - q) / q * np.sum(w**2 * np.sum(x**2, axis=0))
        print(f"expected squared error over all masks {expected:8.4f}, right side of (11) {formula:8.4f}")
    weight, average = np.zeros(4), np.zeros(4)
    for step in range(steps):  # gradient descent that sees masked inputs only, and knows nothing of (11)
        out, _ = forward(x, 1 - q, rng)
        weight = weight - 0.02 * out.T @ (out @ weight - y) / examples
        if step >= steps // 3:
            average += weight / (steps - steps // 3)
    print("\nweights              input 1   input 2   input 3   input 4")
    for name, w in (
        ("least squares", plain),
        ("trained with dropout", average),
        ("equation (12)", dropped),
        ("ridge, 15 ‖w‖²", solve(x, "ridge")),
    ):
        print(f"{name:21s}" + "  ".join(f"{value:8.3f}" for value in w))
    bigger = x * np.array([1, 1, 10, 1])  # input 3 in another unit of measurement
    for kind in ("dropout", "ridge"):
        change = np.abs(bigger @ solve(bigger, kind) - x @ solve(x, kind)).max()
        print(f"input 3 in millimetres instead of centimetres: {kind}'s predictions change by up to {change:.4f}")
    reveal("uncorrelated", 0, "With XᵀX = D, (12) reads (1 + (1 − q)/q) D w = Xᵀy, and 1 + (1 − q)/q = 1/q.")


dropout_against_ridge()

# %% [markdown]
# The network that only ever saw masked inputs has found the solution of (12). Input 1 has large values, input 3 small
# ones, and neither is correlated with others: both weights are 0.8 times those of least squares. The ordinary penalty
# $\lambda\|w\|^2$ (*ridge*) hits the weight of input 3, which must be large because the input is small, and hardly
# touches that of input 1. So it depends on units of measurement; dropout does not. For other losses and for deeper
# networks, (11) holds only approximately (Wager, Wang and Liang, 2013).

# %% [markdown]
# **L2.** The ordinary penalty adds to the loss
#
# $$\tfrac12\lambda\sum_w w^2, \qquad\text{gradient } \lambda w, \tag{13}$$
#
# over all weights; biases are usually left out. The lecture's slide prints $\tfrac{\lambda}{2}\|\theta\|_2$, with
# $\|\theta\|_2 = w_1^2 + w_2^2 + \dots$: it means the squared norm. A step of gradient descent becomes
# $w \leftarrow (1 - \eta\lambda)\,w - \eta\,\partial L/\partial w$, hence *weight decay* (Krogh and Hertz, 1992).
#
# ### Exercise: `l2_penalty`


# %%
def l2_penalty(weights, strength):
    """The L2 penalty on the weights of a network, and its gradients.

    weights: list of arrays of any shapes, w₁, w₂, …
    strength: λ ≥ 0.

    Returns (penalty, gradients). penalty is one number, ½ λ Σ w² over all elements of all arrays. gradients is a list
    of new arrays, ∂penalty/∂wₖ in the order and the shapes of weights.
    """
    ### BEGIN SOLUTION
    penalty = 0.5 * strength * sum(np.sum(w**2) for w in weights)
    return penalty, [strength * w for w in weights]
    ### END SOLUTION


# %% points=6
check(l2_penalty)

# %% [markdown]
# **L1** takes absolute values instead (Tibshirani, 1996, for linear regression: the *lasso*):
#
# $$\lambda\sum_w |w|, \qquad\text{gradient } \lambda \operatorname{sign} w . \tag{14}$$
#
# At $w = 0$ there is a kink. Every slope from $-\lambda$ to $\lambda$ is a *subgradient* there; take 0.
#
# ### Exercise: `l1_penalty`


# %%
def l1_penalty(weights, strength):
    """The L1 penalty on the weights of a network, and its gradients.

    weights: list of arrays of any shapes, w₁, w₂, …; some elements may be exactly 0.
    strength: λ ≥ 0.

    Returns (penalty, gradients). penalty is one number, λ Σ |w| over all elements of all arrays. gradients is a list of
    new arrays, ∂penalty/∂wₖ in the order and the shapes of weights. Where an element is 0, |w| has a kink; take the
    slope 0 there.
    """
    ### BEGIN SOLUTION
    penalty = strength * sum(np.sum(np.abs(w)) for w in weights)
    return penalty, [strength * np.sign(w) for w in weights]  # sign(0) = 0
    ### END SOLUTION


# %% points=5
check(l1_penalty)

# %% [markdown]
# Look at one weight whose loss is $\tfrac12(w - a)^2$: without a penalty it becomes $a$. Both minima can be found on
# paper. With L2, $w - a + \lambda w = 0$. With L1 and $w > 0$, $w - a + \lambda = 0$, as long as that leaves $w > 0$.

# %% tags=["display-only"]
predict(
    "small weights",
    "Without a penalty a weight would become a = 0.3. Now λ = 0.5. What becomes of it with L2, and with L1?",
    ["0.2 with both", "0.2 with L2, 0 with L1", "0 with both", "0 with L2, 0.2 with L1"],
)


# %% tags=["display-only"]
def shrink(strength=0.5, rate=0.05, steps=400):
    penalties = {"L2": working("l2_penalty"), "L1": working("l1_penalty")}
    a = np.append(np.linspace(-2, 2, 21), 0.3)
    fine = np.linspace(-2, 2, 201)
    minima = {"L2": lambda a: a / (1 + strength), "L1": lambda a: np.sign(a) * np.maximum(np.abs(a) - strength, 0)}
    fig, ax = figure(size=(5.6, 3.8))
    ax.plot(fine, fine, ":", color=palette.black, label="no penalty")
    for (name, penalty), color, style, marker in zip(
        penalties.items(), (palette.blue, palette.vermillion), ("-", "--"), ("o", "s"), strict=True
    ):
        weights, total = [a.copy()], np.zeros(len(a))
        for step in range(steps):
            (gradient,) = penalty(weights, strength)[1]
            weights = [weights[0] - rate * (weights[0] - a + gradient)]
            if step >= steps - 20:
                total += weights[0] / 20
        ax.plot(fine, minima[name](fine), style, color=color, label=f"{name}, on paper")
        ax.plot(a, total, marker, color=color, markersize=4, label=f"{name}, gradient descent")
        print(
            f"{name}: a = 0.3 becomes {total[-1]:.3f}, on paper {minima[name](np.array([0.3]))[0]:.3f}; "
            f"largest difference {np.abs(total - minima[name](a)).max():.3f}; "
            f"last step exactly 0: {np.sum(weights[0] == 0)} of {len(a)}"
        )
    ax.set(xlabel="a, the weight without a penalty", ylabel="the weight with it", title=f"λ = {strength}")
    ax.legend(fontsize=8)
    show(
        fig,
        alt="The weight with a penalty against the weight without. L2 is a straight line through 0 with slope two "
        "thirds. L1 is 0 between −0.5 and 0.5 and parallel to the diagonal outside. Gradient descent lies on both.",
    )
    reveal("small weights", 1, "L2 divides by 1 + λ: 0.3/1.5 = 0.2. L1 subtracts λ and stops at 0.")


shrink()

# %% [markdown]
# L2 shrinks all weights by the same factor, L1 by the same amount, and what is smaller than that amount becomes 0: the
# network forgets connections. On paper it is exactly 0. Gradient descent with a fixed step hops to and fro across the
# kink, within a step's length $\eta\lambda$; the dots above are averages of the last 20 steps.

# %% [markdown]
# ## 10 · Stopping early
#
# The right half of the first picture suggests the cheapest remedy: watch the validation error, stop when it gets no
# better, and go back to the best epoch. One bad epoch may be chance, so one waits for some epochs first: the *patience*
# (Prechelt, 1998). For small steps on a quadratic loss, stopping after $\tau$ steps of size $\eta$ has nearly the
# effect of L2 with $\lambda = 1/(\tau\eta)$ (Goodfellow et al., 2016, §7.8): a weight that has had no time to grow
# stays small.

# %% tags=["display-only"]
predict(
    "patience",
    "Validation errors of epochs 0, 1, 2, …: 0.9, 0.7, 0.6, 0.62, 0.61, 0.59, 0.6, 0.6, 0.6, 0.5. "
    "The patience is 3. After which epoch does training stop, and which epoch is the best?",
    [
        "it stops after epoch 4; best is 2",
        "it stops after epoch 5; best is 2",
        "it stops after epoch 8; best is 5",
        "it does not stop; best is 9",
    ],
)

# %% [markdown]
# ### Exercise: `EarlyStopping`


# %%
class EarlyStopping:
    """Says when to stop training: when the validation error has not improved for a while.

    patience: after so many epochs in a row without an improvement it says stop; at least 1.
    min_delta: an epoch is an improvement when its error is lower than the error of the best epoch by more than this.

    best_epoch: the number of the last improvement, counted from 0. It is None as long as there was none.
    """

    def __init__(self, patience, min_delta=0.0):
        ### BEGIN SOLUTION
        self.patience, self.min_delta = patience, min_delta
        self.best_error, self.best_epoch = np.inf, None
        self.epochs = 0  # seen so far
        self.waited = 0  # epochs since the last improvement
        self.stopped = False
        ### END SOLUTION

    def update(self, validation_error):
        """Take the validation error of the next epoch; return True if training should stop, else False.

        The first epoch is an improvement unless its error is NaN or infinite. NaN is never an improvement, and it
        counts as an epoch like any other. The call that completes `patience` epochs without an improvement returns
        True. From then on every call returns True and best_epoch stays as it is, whatever the error.
        """
        ### BEGIN SOLUTION
        if not self.stopped:
            if validation_error < self.best_error - self.min_delta:  # False for NaN
                self.best_error, self.best_epoch, self.waited = validation_error, self.epochs, 0
            else:
                self.waited += 1
            self.epochs += 1
            self.stopped = self.waited >= self.patience
        return self.stopped
        ### END SOLUTION


# %% points=8
check(EarlyStopping)


# %% tags=["display-only"]
def stop_in_time(seeds=range(10), epochs=40, patience=8):
    from course_utils.experiments.regularized import evaluate, few_examples, learn, standardized

    stopper = working("EarlyStopping")
    by_hand = stopper(3)
    answers = [by_hand.update(error) for error in (0.9, 0.7, 0.6, 0.62, 0.61, 0.59, 0.6, 0.6, 0.6)]
    print(f"by hand: stop after epoch {answers.index(True)}, best epoch {by_hand.best_epoch}\n")
    x, labels = few_examples(digits, seeds, 200, 0.2)
    unseen, truth = standardized(digits, digits.validation), digits.validation.labels
    errors = []
    learn(x, labels, seeds, epochs, after_epoch=lambda now: errors.append(evaluate(now, unseen, truth)[0]))
    errors = np.array(errors)  # (epochs, runs)
    fig, ax = figure(size=(6.6, 3.7))
    best_errors, stops = [], []
    for run in range(errors.shape[1]):
        rule = stopper(patience)
        stop = next((epoch for epoch in range(epochs) if rule.update(errors[epoch, run])), epochs - 1)
        best_errors.append(errors[rule.best_epoch, run])
        stops.append(stop)
        ax.plot(errors[: stop + 1, run], color=palette.sky, linewidth=0.9)
        ax.plot(rule.best_epoch, errors[rule.best_epoch, run], "o", color=palette.blue, markersize=5)
    ax.plot([], [], "o", color=palette.blue, label="best epoch of a run that was stopped")
    mean, spread = errors.mean(axis=1), errors.std(axis=1, ddof=1)
    ax.plot(mean, "--", color=palette.vermillion, label="mean without stopping")
    ax.set(xlabel="epoch", ylabel="validation error", ylim=(0, 0.5), title="40 of 200 labels wrong")
    ax.legend()
    show(
        fig,
        alt="Validation error against the epoch for ten networks trained on labels of which a fifth is wrong. Each "
        "run is drawn until early stopping ends it, with a dot at its best epoch, before epoch 5. A dashed "
        "line, the mean without stopping, rises slowly to 0.2.",
    )
    print(f"stopped after epoch {np.mean(stops):.0f} on average, from {min(stops)} to {max(stops)}")
    print(
        f"validation error at the best epoch {np.mean(best_errors):.3f} ± {np.std(best_errors, ddof=1):.3f} (std), "
        f"after {epochs} epochs {mean[-1]:.3f} ± {spread[-1]:.3f} (std)"
    )
    reveal("patience", 2, "Epoch 5 is a new best, and 6, 7 and 8 are three epochs without one. The 0.5 is never seen.")


stop_in_time()

# %% [markdown]
# The number at the best epoch may be too good to be true: of ten or so noisy numbers we took the smallest, on the very
# digits we report it for. What it is worth is for the test digits to say, once, in section 12.

# %% [markdown]
# ## 11 · Experiment: does the gap close?
#
# Seven values of $p$, eight seeds, 200 digits, the network of section 1, 50 epochs. Training error and validation error
# are both measured *without* dropout: with it, a network in training is a thinned one and makes more mistakes.

# %% tags=["display-only"]
predict(
    "gap",
    "All labels are right. As p grows from 0 to 0.7, the gap between training and validation error becomes smaller. "
    "How?",
    [
        "the training error rises towards the validation error",
        "the training error stays at 0 and the validation error falls",
        "both fall",
    ],
)


# %% tags=["display-only"]
def close_the_gap(seeds=range(8), epochs=50, chances=(0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9)):
    from course_utils.experiments.regularized import evaluate, few_examples, learn, standardized

    both = working("dropout_forward"), working("dropout_backward")
    unseen, truth = standardized(digits, digits.validation), digits.validation.labels
    fig, axes = figure(1, 2, size=(10, 3.8))
    root, spoilt = np.sqrt(len(seeds)), 40  # the first 40 labels of each run are the wrong ones
    for ax, wrong, title in zip(axes, (0.0, 0.2), ("all labels right", "40 of 200 labels wrong"), strict=True):
        x, labels = few_examples(digits, seeds, 200, wrong)
        training, validation = [], []
        for p in chances:
            parameters = learn(x, labels, seeds, epochs, dropout=both, drop_probability=p)
            training.append(evaluate(parameters, x, labels)[0])
            validation.append(evaluate(parameters, unseen, truth)[0])
            change = validation[-1] - validation[0]
            print(
                f"{title:23s}p = {p:.1f}: training error {training[-1].mean():.3f}, validation error "
                f"{validation[-1].mean():.3f}; its change from p = 0 {change.mean():+.3f} ± "
                f"{change.std(ddof=1) / root:.3f} (standard error)"
            )
            if wrong and p in (0.6, 0.7, 0.8):
                refused, missed = (
                    evaluate(parameters, x[:, rows], labels[:, rows])[0].mean()
                    for rows in (slice(None, spoilt), slice(spoilt, None))
                )
                print(f"{'contradicts':>43s} {refused:.1%} of the wrong labels and {missed:.1%} of the right ones")
        for results, name, color, style in (
            (training, "training", palette.orange, "s--"),
            (validation, "validation", palette.blue, "o-"),
        ):
            runs = np.array(results)
            spread, label = runs.std(axis=1, ddof=1), f"{name}, mean and std"
            ax.errorbar(chances, runs.mean(axis=1), spread, fmt=style, color=color, capsize=3, label=label)
        ax.set(title=title, xlabel="p, the probability to drop a hidden unit", ylim=(-0.01, (0.15, 0.55)[wrong > 0]))
    axes[0].set_ylabel("share of wrong answers")
    axes[0].legend()
    show(
        fig,
        alt="Training and validation error against p, mean and standard deviation of the seeds. Left, right labels: "
        "the training error is 0 up to p = 0.8, the validation error falls from 0.065 to 0.05 and rises at 0.9. "
        "Right, a fifth of the labels wrong: the validation error falls from 0.2 to 0.13 at p = 0.8, while the "
        "training error rises from p = 0.6 on. At p = 0.9 both are large.",
    )
    reveal("gap", 1, "Even with 7 of 10 units dropped, 77 units are plenty for learning 200 digits by heart.")


close_the_gap()

# %% [markdown]
# Left, nothing happens to the training error until $p = 0.9$, where 26 units remain on average. Dropout does not work
# here by preventing the network from learning the digits by heart. It changes *how* it learns them: no unit can rely on
# particular others, and the answers of many thinned networks are averaged. For $p$ from 0.4 to 0.7 the gain is one to
# two points, two to five standard errors of the paired differences (the same digits, the same starting weights). Right,
# where there is nonsense to be learned, the gain at $p = 0.8$ is seven points, and the training error rises from
# $p = 0.6$ on. The network gives up the wrong labels first: at $p = 0.8$ it contradicts nearly half of the wrong labels
# it was given, and hardly any of the right ones.
#
# **What our scale does not show.** On MNIST, with 60,000 digits and three hidden layers of 1024 to 2048 units,
# Srivastava et al. (2014, figure 9) find the error flat for $0.4 \le q \le 0.8$, as we do. They find no gain for 100
# and 500 training digits (§7.4): their network of millions of weights learns them by heart, noise and all. Our little
# network gains a little at that size. With 20 seeds and $p = 0.5$, the validation error changes by −0.007 ± 0.003 with
# 100 digits (two standard errors: not much to rely on), −0.008 ± 0.002 with 500 and −0.008 ± 0.002 with 1000. With 50
# digits we saw no gain, −0.001 ± 0.004. (After ±: standard errors, here and in section 12.) The lecture also says that
# dropout roughly doubles the number of steps that AlexNet needed. We do not test that: our 50 epochs are more than
# enough for every $p$ up to 0.8.
#
# Try it yourself, with four seeds for each setting. Which $p$ has the smallest error on unseen digits with 100 training
# images, and which with 500? Does the answer change when a fifth of the labels is wrong? And which of your answers
# would four other seeds turn round?

# %% tags=["display-only"]
from course_utils.widgets import dropout_gap

dropout_gap()

# %% [markdown]
# ## 12 · Experiment: which remedy?
#
# Dropout, L2, curriculum dropout, dropout and L2 together, and early stopping, on the same digits from the same
# starting weights. Each remedy has a setting ($p$, $\lambda$), and gets the one with the smallest mean error on the
# *validation* digits. Then, once, the *test* digits.

# %% tags=["display-only"]
predict(
    "remedy",
    "40 of 200 labels are wrong. Each remedy gets its best setting. Which lowers the test error most?",
    [
        "dropout, clearly",
        "early stopping, clearly",
        "dropout and L2 do about the same, early stopping less",
        "L2 and early stopping do about the same, dropout less",
    ],
)


# %% tags=["display-only"]
def which_remedy(seeds=range(10), epochs=50, patience=8):
    from course_utils.experiments.regularized import evaluate, few_examples, learn, standardized

    both = working("dropout_forward"), working("dropout_backward")
    l2, stopper, keep = working("l2_penalty"), working("EarlyStopping"), working("curriculum_keep_probability")
    unseen, truth = standardized(digits, digits.validation), digits.validation.labels
    exam, key = standardized(digits, digits.test), digits.test.labels
    steps, root = epochs * 4, np.sqrt(len(seeds))

    def drop(p):
        return {"dropout": both, "drop_probability": p}

    def decay(strength):
        return {"penalty": lambda weights: l2(weights, strength)}

    def slowly(p):
        return {"dropout": both, "drop_probability": lambda step: 1 - keep(step, 1 - p, 10 / steps)}

    chances = (0.5, 0.7, 0.8)
    remedies = {
        "nothing": {"": {}},
        "L2": {f"λ = {s}": decay(s) for s in (0.003, 0.01, 0.03, 0.1)},
        "dropout": {f"p = {p}": drop(p) for p in chances},
        "curriculum": {f"p = {p}": slowly(p) for p in (0.5, 0.8)},
        "dropout and L2": {f"p = {p}, λ = 0.01": {**drop(p), **decay(0.01)} for p in chances[:2]},
    }
    fig, axes = figure(1, 2, size=(10, 4.2), sharey=True)
    print(f"after ±: the standard error of the mean of {len(seeds)} seeds; the change is that of the test error")
    for ax, wrong, title in zip(axes, (0.0, 0.2), ("all labels right", "40 of 200 labels wrong"), strict=True):
        x, labels = few_examples(digits, seeds, 200, wrong)
        chosen = {}  # name: the setting with the best validation error, that error, and the test errors
        history = []  # of the network without a remedy, after every epoch
        for name, settings in remedies.items():
            results = []
            for setting, arguments in settings.items():
                watch = {"after_epoch": lambda now, h=history: h.append(list(now))} if name == "nothing" else {}
                parameters = learn(x, labels, seeds, epochs, **arguments, **watch)
                results.append((evaluate(parameters, unseen, truth)[0].mean(), setting, parameters))
            promised, setting, parameters = min(results, key=lambda result: result[0])
            chosen[name] = setting, promised, evaluate(parameters, exam, key)[0]
        watched = np.array([evaluate(now, unseen, truth)[0] for now in history])  # (epochs, runs)
        rules = [stopper(patience) for _ in seeds]
        for rule, curve in zip(rules, watched.T, strict=True):
            any(rule.update(error) for error in curve)  # ends with the first True
        tests = [evaluate(history[rule.best_epoch], exam, key)[0][run] for run, rule in enumerate(rules)]
        promised = np.mean([curve[rule.best_epoch] for rule, curve in zip(rules, watched.T, strict=True)])
        chosen["early stopping"] = f"patience {patience}", promised, np.array(tests)
        base = chosen["nothing"][2]
        for at, (name, (setting, promised, errors)) in enumerate(chosen.items()):
            change = errors - base
            error = errors.std(ddof=1) / root
            print(
                f"{title:23s}{name:15s}{setting:18s} validation error {promised:.3f}, test error {errors.mean():.3f} ± "
                f"{error:.3f}; change {change.mean():+.3f} ± {change.std(ddof=1) / root:.3f}"
            )
            color = palette.black if name == "nothing" else palette.blue
            ax.errorbar(errors.mean(), -at, xerr=error, fmt="o", color=color, capsize=4)
            ax.plot(errors, np.full(len(errors), -at - 0.25), ".", color=palette.sky, markersize=4)
        ax.axvline(base.mean(), color=palette.black, linestyle=":", linewidth=1)
        ax.set(title=title, xlabel="test error, mean and standard error")
        ax.set_yticks(-np.arange(len(chosen)), list(chosen))
    show(
        fig,
        alt="Test error with five remedies and with none, mean and standard error of the seeds, single seeds as small "
        "dots. With right labels all lie between 0.055 and 0.07. With wrong labels, 0.2 without a remedy, 0.15 with "
        "early stopping, 0.13 with L2, dropout and both; curriculum dropout lies between 0.13 and 0.15.",
    )
    reveal(
        "remedy",
        2,
        "Dropout and L2 gain some 0.07 each, within each other's error bars, and early stopping 0.05.",
    )


which_remedy()

# %% [markdown]
# In our run, with right labels: 0.063 without a remedy, 0.057 with dropout and with L2, and the changes have standard
# errors of 0.002 and 0.003. (Your masks are others, so your last digits differ.) For dropout the validation digits had
# promised twice that gain, 0.067 to 0.054: the best of several numbers is usually also a lucky one. Ten seeds do not
# tell the remedies apart. With 40 seeds we found 0.068 ± 0.002 without a remedy, 0.063 with L2 and 0.057 with dropout;
# on the same digits, dropout beats L2 by 0.006 ± 0.001. Early stopping does *harm* there, by 0.004 ± 0.001: the error
# never rises, so stopping only ends what still improves.
#
# With wrong labels every remedy helps, and much: in our run dropout by 0.067, L2 by 0.068, early stopping by 0.050.
# With 40 seeds: 0.216 ± 0.005 without a remedy, 0.161 with early stopping, 0.145 with L2, 0.139 with dropout, 0.135
# with both; dropout is ahead of L2 by 0.006 ± 0.003. Curriculum dropout is no better than plain dropout (40 seeds:
# 0.060 against 0.057 with right labels, 0.149 against 0.139 with wrong ones). The paper's gains, on larger data and
# networks, do not show at our scale.
#
# Keep in mind what the error bars mean. They come from seeds: other training digits, other starting weights. All are
# tested on the same 300 digits, which adds an uncertainty of $\sqrt{0.06 \cdot 0.94/300} = 0.014$ to every number,
# though hardly to the differences. In Srivastava et al. (2014, table 9: all of MNIST, test error) L2 reaches 1.62 %,
# dropout with L2 1.25 %, dropout with a bound on the weights' norms 1.05 %.

# %% [markdown]
# Now you. Of 200 digits, a *quarter* have wrong labels this time. And nobody gives you validation digits with right
# ones: what you hold back is labelled wrongly as often. What you use is up to you. A network that got everything right
# would contradict a quarter of its training labels.
#
# ### Exercise: `regularized_training`


# %%
def regularized_training(x, labels, seed):
    """Train a network on few images, some of them labelled wrongly, and return it as a function.

    x: (200, D) array, one image per row, pixels in [0, 1].
    labels: (200,) array of integers from 0 to C − 1. A quarter of them, 50, are wrong: each of these
    was replaced by one of the other classes, at random. Nobody says which. All classes occur.
    seed: an integer. All randomness comes from it: the same seed gives the same network.

    Returns predict: a function that takes an (M, D) array and returns (M,) integer labels.
    Asked twice about the same images, it gives the same labels.

    Tried on digits (D = 64, C = 10), with three seeds and 200 other images for each. The unregularized
    baseline, 64 tanh units trained until all 200 labels are learned, wrong ones too, reaches a median
    accuracy of about 0.68 on unseen digits, whose labels are right. Yours must be 0.08 better: 0.76.
    Tried too on narrower images of six classes (D = 48, C = 6): there the baseline reaches about 0.73,
    and yours must reach 0.81. Pixels and classes come in a shuffled order.
    All this together must take less than ten seconds of one CPU core; two seconds are plenty.
    NumPy only. x and labels must not be changed.
    Left open: dropout, L2, early stopping, noise on the inputs or any mixture of them, and the network.
    """
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    hidden_units, batch_size, epochs, momentum = 100, 50, 100, 0.9
    drop_pixels, drop_units, decay = 0.2, 0.5, 0.003
    classes = labels.max() + 1
    parameters = [
        rng.normal(size=(hidden_units, x.shape[1])) * np.sqrt(2 / x.shape[1]),
        np.zeros(hidden_units),
        rng.normal(size=(classes, hidden_units)) / np.sqrt(hidden_units),
        np.zeros(classes),
    ]
    velocities = [np.zeros_like(parameter) for parameter in parameters]
    targets = np.eye(classes)[labels]

    def dropped(values, probability):
        keep_mask = rng.random(values.shape) >= probability
        return values * keep_mask / (1 - probability), keep_mask / (1 - probability)

    def step(batch, learning_rate):
        weight1, bias1, weight2, bias2 = parameters
        pixels, _ = dropped(x[batch], drop_pixels)
        active = np.maximum(pixels @ weight1.T + bias1, 0)
        hidden, mask = dropped(active, drop_units)  # (B, H)
        logits = hidden @ weight2.T + bias2
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        error2 = (probabilities - targets[batch]) / len(batch)
        error1 = (error2 @ weight2) * mask * (active > 0)
        gradients = [
            error1.T @ pixels + decay * weight1,
            error1.sum(axis=0),
            error2.T @ hidden + decay * weight2,
            error2.sum(axis=0),
        ]
        for parameter, velocity, gradient in zip(parameters, velocities, gradients, strict=True):
            velocity *= momentum
            velocity -= learning_rate * gradient
            parameter += velocity

    for epoch in range(epochs):
        learning_rate = 0.05 * (1 - epoch / epochs)
        for batch in np.split(rng.permutation(len(x)), len(x) // batch_size):
            step(batch, learning_rate)

    def predict(images):  # no dropout: the masks were scaled in training
        weight1, bias1, weight2, bias2 = parameters
        return np.argmax(np.maximum(images @ weight1.T + bias1, 0) @ weight2.T + bias2, axis=1)

    return predict
    ### END SOLUTION


# %% points=8
check(regularized_training)

# %% [markdown]
# A network that does not learn wrong labels can find them. Train yours on 200 digits of which 50 are labelled wrongly,
# and list the training digits on which it contradicts the label that it was given.


# %% tags=["display-only"]
def find_the_wrong_labels(seeds=range(3), examples=200, spoilt=50):
    train, found, right = working("regularized_training"), [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        rows = rng.permutation(len(digits.train))[:examples]
        x, truth = digits.train.features[rows], digits.train.labels[rows]
        given = truth.copy()
        given[:spoilt] = (given[:spoilt] + rng.integers(1, 10, spoilt)) % 10
        network = train(x, given, seed)
        says = np.asarray(network(x))
        contradicted = says != given
        found.append(contradicted[:spoilt].sum())
        right.append(contradicted[spoilt:].sum())
        print(
            f"seed {seed}: contradicts {found[-1]} of the {spoilt} wrong labels and {right[-1]} of the "
            f"{examples - spoilt} right ones; accuracy on unseen digits "
            f"{np.mean(np.asarray(network(digits.validation.features)) == digits.validation.labels):.3f}"
        )
        if seed == seeds[0]:
            shown = rng.permutation(np.flatnonzero(contradicted))[:12]
            fig, axes = figure(2, 6, size=(8.4, 3.6), images=True)
            for ax, row in zip(axes.flat, shown, strict=False):
                ax.imshow(x[row].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
                ax.set_title(f"given {given[row]}, says {says[row]}", fontsize=9)
            show(
                fig,
                alt="Twelve training digits, each with the label it was given and the label that the network says. In "
                "most of them the network's label is the one a person would read.",
            )


find_the_wrong_labels()

# %% [markdown]
# The course's networks contradict 40 to 44 of the 50 wrong labels and 1 to 6 of the 150 right ones. Real data sets have
# wrong labels too, and this is a way to find them: train with regularization, and look at what the network will not
# believe.

# %% [markdown]
# ## 13 · Find the bug
#
# A colleague's backward pass passes the tests that he wrote: one example at a time, $p = 0.5$.


# %%
def broken_dropout_backward(grad_out, keep_mask, drop_probability):
    grad_x = np.zeros_like(grad_out)
    kept = np.asarray(keep_mask[0], dtype=bool)
    grad_x[:, kept] = grad_out[:, kept] / drop_probability
    return grad_x


# %% tags=["display-only"]
def look_at_the_broken_one():
    rng = np.random.default_rng(0)
    for examples, p in ((1, 0.5), (1, 0.2), (4, 0.5), (4, 0.2)):
        grad_out, mask = rng.normal(size=(examples, 6)), rng.random((examples, 6)) >= p
        wanted = np.where(mask, grad_out / (1 - p), 0)
        off = np.abs(broken_dropout_backward(grad_out, mask, p) - wanted).max()
        print(f"{examples} example{'s' * (examples > 1)}, p = {p}: largest difference from equation (2) {off:.3f}")


look_at_the_broken_one()

# %% [markdown]
# There are two mistakes. Which line of the table shows each of them alone? Copy the body here and mend it.
#
# ### Exercise: `repaired_dropout_backward`


# %%
def repaired_dropout_backward(grad_out, keep_mask, drop_probability):
    """The gradient of inverted dropout with respect to its input x, mended.

    grad_out: shape (N, D), ∂loss/∂out.
    keep_mask: shape (N, D), the mask of the forward pass; 1 or True where x was kept, 0 or False where it was not.
    drop_probability: p of the forward pass, 0 ≤ p < 1.

    Returns grad_x = ∂loss/∂x, a new array of shape (N, D). grad_out is not changed.
    """
    ### BEGIN SOLUTION
    grad_x = np.zeros_like(grad_out)
    kept = np.asarray(keep_mask, dtype=bool)  # was keep_mask[0]: the first example's mask for all of them
    grad_x[kept] = grad_out[kept] / (1 - drop_probability)  # was divided by p, which is the same at p = 0.5 only
    return grad_x
    ### END SOLUTION


# %% points=4
check(repaired_dropout_backward)

# %% [markdown]
# At $p = 0.5$ it does not matter whether one divides by $p$ or by $1 - p$, and with one example there is only one mask
# to confuse. Test with neither.

# %% [markdown]
# ## 14 · In your own words
#
# This question is read by a person. A few sentences with formulas are enough; you need no code.
#
# A friend trains a network with two hidden ReLU layers and drops units of both, $p = 0.5$. She sends you her log: after
# 20 epochs the training loss, averaged over the epoch's batches, is 0.42, and the validation loss 0.31.
#
# 1. "Training loss above validation loss: I must have swapped the two sets." Give another reason, and say which single
#    measurement tells whether you are right.
# 2. It turns out that she wrote the dropout herself, as `h * mask`, without any scaling, in training or in use. By
#    which factor are the logits of the network in use too large, compared with what the last layer saw in training
#    (leave biases aside, and treat the average over masks as if it could be taken layer by layer)? What does that do to
#    the accuracy, and what to the loss?
# 3. Another friend says: "Scaling is only an approximation. Average 1000 thinned networks instead, that must be
#    better." What do you answer?

# %% [markdown] written="odd_log" points=4
# **Model answer.**
#
# 1. The training loss was measured *with* dropout, so it belongs to thinned networks, half of whose units are missing;
#    the validation loss belongs to the whole network. (Also, the epoch's average includes its beginning, when the
#    network was worse.) Measure the loss on the training set in evaluation mode, with the weights after the epoch: it
#    should lie below 0.31.
#
# 2. With all units on, the second hidden layer receives twice what it received on average in training, so its outputs
#    are twice as large; of these all are on too, so the logits are $2 \cdot 2 = 4$ times too large. Multiplying all
#    logits by 4 does not change which is the largest: the accuracy stays about the same. But the probabilities become
#    extreme, and each wrong answer becomes a confident one: the loss gets worse. (With biases the factor is not the
#    same for all, so the accuracy may change a little.) The cure is a factor $\tfrac12$ after each dropped layer in
#    use, or 2 in training.
#
# 3. Scaling is exact for a linear output, and for a softmax layer it gives exactly the normalized geometric mean. Only
#    in front of hidden ReLUs is it an approximation, and the mean of 1000 networks is a different average, not "the"
#    true one. It costs 1000 times as much, and its own error falls only like $1/\sqrt T$. On the digits the two had the
#    same error. What one does get is the spread over the masks.
#
# **Marking.** 1 point: thinned against whole network, with the measurement in evaluation mode. 1 point: the factor 4
# with its reason. 1 point: accuracy about unchanged, loss worse. 1 point: two valid arguments on sampling (exact cases,
# cost, $1/\sqrt T$, another average, no difference measured).

# %% [markdown]
# ## Where you are
#
# The exercises have 96 points, and 4 are for the written question, which a person marks.

# %% tags=["display-only"]
progress()

# %% [markdown]
# **The next notebook**, *Normalizing inside the network*, is about batch normalization. It uses three things from here:
#
# - the two modes, training and evaluation, because batch normalization has them too, with another difference between
#   them;
# - the mean square of section 2, which dropout changes in training and batch normalization measures there;
# - noise as a regularizer: a batch's statistics are random as well.
#
# **To read next**
#
# - N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, "Dropout: a simple way to prevent neural
#   networks from overfitting" (2014): section 7, what $p$, width and the amount of data do; section 10, Gaussian noise
#   in place of masks.
# - P. Baldi, P. Sadowski, "Understanding dropout" (2013): geometric means, and how good the approximation is in deep
#   networks.
# - S. Wager, S. Wang, P. Liang, "Dropout training as adaptive regularization" (2013): equation (11) beyond linear
#   regression.
# - Y. Gal, Z. Ghahramani, "Dropout as a Bayesian approximation" (2016): what the spread over masks may mean.
# - L. Wan and others, "Regularization of neural networks using DropConnect" (2013); J. Tompson and others, "Efficient
#   object localization using convolutional networks" (2015); G. Ghiasi, T.-Y. Lin, Q. Le, "DropBlock" (2018); P.
#   Morerio and others, "Curriculum dropout" (2017): the variants.
