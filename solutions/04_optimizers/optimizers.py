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
# # Following the slope: how to take a step
#
# A gradient says which way is down. It does not say how far to go, it is only right for very short steps, and in
# practice it is measured on a few dozen examples and therefore wrong. An *optimizer* is a rule that turns such
# gradients into steps. This notebook builds the common ones, from plain gradient descent to Adam, and finds out what
# each of their numbers is for.
#
# **When you are done**, you can
#
# - write SGD, momentum, Nesterov, AdaGrad, RMSProp, Adam, AdamW and NAdam, step for step as PyTorch has them;
# - derive the largest learning rate that is stable, with and without momentum, and check it by running it;
# - tell three conventions of momentum apart, and say what changing the learning rate in mid-run does in each;
# - derive Adam's bias correction, and say what ε and weight decay do and where two books disagree;
# - lower the learning rate on a schedule, average weights, and read a loss curve;
# - compare optimizers fairly: several seeds, and for each a rate chosen on validation data.
#
# **You need** NumPy, the chain rule, eigenvalues of a 2×2 matrix, mean and variance. Gradients come from a small
# network that is given. You need no GPU and no internet connection.
#
# **Time**: about 7 hours. The exercises and the written question take 270 minutes, the rest is reading and looking.

# %% [markdown]
# ## How this notebook works
#
# - Run the cells from top to bottom with Shift+Enter.
# - In an exercise, write your code in place of `raise NotImplementedError()`. Run the cell, then the `check`
#   below it. The check tells you what holds, and often which idea went wrong. The first check of all may take some
#   seconds, because it waits for PyTorch.
# - Write solutions in NumPy alone. A function must not change the arrays it is given. An optimizer must change the
#   parameters, and nothing else: section 2 says how.
# - `hint(SGD)` gives three hints, one at a time. `reset(SGD)`, as the last line of the exercise's cell, brings the
#   stub back and keeps your code in a comment. `solution(SGD)` shows a reference where the course has it. The same
#   goes for every other exercise.
# - A `NameError` from a check or hint means that a cell above has not been run, or the kernel was restarted.
# - Where a question asks you to predict, choose an answer before you run the next cell. From the keyboard, Tab
#   goes from answer to answer and Space chooses.
# - No exercise depends on another. You may call your own earlier functions, but you need not. Pictures and
#   experiments use your function where it passed its check, and the course's version where it has not. They say which.

# %% [markdown]
# | exercise | points | difficulty | importance | minutes |
# |---|---|---|---|---|
# | `minibatches` | 5 | 1 | 5 | 10 |
# | `SGD` | 9 | 2 | 5 | 20 |
# | `stability_limit` | 5 | 3 | 4 | 20 |
# | `momentum_convention` | 7 | 3 | 3 | 20 |
# | `AlexNetSGD` | 5 | 2 | 4 | 15 |
# | `AdaGrad` | 5 | 2 | 3 | 10 |
# | `RMSProp` | 5 | 2 | 4 | 10 |
# | `Adam` | 9 | 3 | 5 | 20 |
# | `NAdam` | 6 | 3 | 2 | 15 |
# | `AdamW` | 6 | 2 | 4 | 10 |
# | `step_decay` | 3 | 1 | 4 | 5 |
# | `exponential_decay` | 2 | 1 | 3 | 5 |
# | `inverse_time_decay` | 2 | 1 | 3 | 5 |
# | `cosine_with_warmup` | 5 | 2 | 4 | 15 |
# | `PlateauSchedule` | 6 | 2 | 4 | 20 |
# | `WeightAverage` | 4 | 2 | 3 | 15 |
# | `diagnose` | 7 | 2 | 4 | 25 |
# | `repaired_adam` | 5 | 3 | 4 | 15 |
# | written question: momentum and rate | 4 | 3 | 4 | 15 |
#
# Difficulty and importance go from 1 to 5. Run the next cell before anything else.

# %%
import numpy as np

from course_utils import check, hint, predict, progress, reset, reveal, solution, working
from course_utils.data import Split, load_digits
from course_utils.experiments import side_by_side
from course_utils.plots import figure, palette, show

digits = load_digits()

# %% [markdown]
# ## 1 · All examples, some, or one
#
# The loss to be minimized is a mean over $N$ examples, and so is its gradient:
#
# $$L(w) = \frac1N \sum_{i=1}^N \ell_i(w), \qquad g = \frac1N \sum_{i=1}^N g_i, \qquad g_i = \nabla \ell_i(w).$$
#
# *Batch* gradient descent computes all of it for one step. *Stochastic* gradient descent takes one example, a
# *mini-batch* a few dozen. A pass over all examples is an *epoch*. (One of the lecture's decks says "average" and
# prints a sum. With a sum, the gradient is $N$ times larger, and the learning rate must be $N$ times smaller.)
#
# What do we lose with $B$ examples instead of $N$? Draw them at random. Then the mean of their $g_i$ is right on
# average. Let $\sigma^2$ be the mean of $\lVert g_i - g\rVert^2$ over all examples. For independent draws variances
# add, and the mean of $B$ of them has the squared error $\sigma^2/B$. Drawing without putting back makes it smaller,
# and 0 when all are drawn:
#
# $$E\,\lVert g_B - g \rVert^2 = \frac{\sigma^2}{B} \cdot \frac{N-B}{N-1}. \tag{1}$$
#
# (The second factor is the finite population correction of survey sampling; W. Cochran, *Sampling Techniques*, 1977,
# theorem 2.2.)

# %% tags=["display-only"]
predict(
    "four times the batch",
    "Batches of 64 digits give a gradient whose error is 0.83 times the length of the gradient itself. "
    "What is it with batches of 256, which cost four times as much?",
    ["about 0.8: a gradient is a gradient", "about 0.4", "about 0.2", "about 0.05"],
)

# %% [markdown]
# In practice one does not draw each batch anew. One shuffles the examples once per epoch and deals them out.
#
# ### Exercise: `minibatches`


# %%
def minibatches(x, y, batch_size, rng):
    """One epoch: all examples in random order, cut into batches.

    x: (N, …) array, one example in each row; a row may have any shape. y: (N, …) array, what belongs to each row.
    batch_size: how many examples make one batch, at least 1; it may be larger than N.
    rng: a numpy.random.Generator, the only source of randomness. Every order of the N examples is equally likely,
    whatever x and y hold. A second call with the same rng draws a new order.

    Returns the pairs (rows of x, the same rows of y), as a list or as a generator (with yield).
    Every example is in exactly one of them. All batches hold batch_size examples; only the last one is shorter where
    batch_size does not divide N, and none is empty. x and y themselves stay as they are.
    """
    ### BEGIN SOLUTION
    order = rng.permutation(len(x))
    for first in range(0, len(x), batch_size):
        rows = order[first : first + batch_size]  # past the end, a slice is just shorter
        yield x[rows], y[rows]
    ### END SOLUTION


# %% points=5
check(minibatches)

# %% [markdown]
# The experiments below train one small network: 64 pixels, 32 ReLUs, 10 digits, with He's weights. `start(seeds)` makes
# one for each seed, and the first axis of every array numbers the seeds. Here is the gradient at the start of training,
# from your batches and from all 1197 digits.


# %% tags=["display-only"]
def noise_of_a_batch(batches_each=50):
    cut = working("minibatches")
    x, labels = digits.train.features, digits.train.labels
    network, count = side_by_side.start([0]), len(labels)

    def gradient(rows, answers):
        return np.concatenate([part.ravel() for part in side_by_side.loss_and_gradients(network, rows, answers)[1]])

    exact = gradient(x, labels)
    length = np.linalg.norm(exact)
    single = np.array([gradient(x[[i]], labels[[i]]) for i in range(count)])
    sigma = np.sqrt(np.mean(np.sum((single - exact) ** 2, axis=1)))
    sizes, rng = (1, 4, 16, 64, 256, 1024), np.random.default_rng(0)
    fig, (left, right) = figure(1, 2, size=(10, 3.6))
    print(f"the mean over all digits has length {length:.3f}; one digit's gradient is off by σ = {sigma:.3f}")
    for size in sizes:
        found = []
        for _ in range(-(-batches_each * size // count)):
            found += [gradient(*batch) for batch in cut(x, labels, size, rng) if len(batch[1]) == size]
        found = np.array(found)
        squares = np.sum((found - exact) ** 2, axis=1)
        error = np.sqrt(squares.mean())
        spread = squares.std(ddof=1) / np.sqrt(len(squares)) / (2 * error)  # of a root: half the relative error
        cosine = found @ exact / np.linalg.norm(found, axis=1) / length
        left.errorbar(size, error / length, 2 * spread / length, fmt="o", color=palette.blue, capsize=3)
        right.errorbar(size, cosine.mean(), cosine.std(ddof=1), fmt="o", color=palette.orange, capsize=3)
        theory = sigma * np.sqrt((count - size) / (count - 1) / size)
        print(
            f"B = {size:4d}: error {error / length:.3f} ± {spread / length:.3f} of the length, by (1) "
            f"{theory / length:.3f};   cosine of the angle to the exact gradient {cosine.mean():.2f}"
        )
    at = np.geomspace(1, 1150, 100)
    left.plot(at, sigma * np.sqrt((count - at) / (count - 1) / at) / length, color=palette.black, label="by (1)")
    left.plot(at, sigma / np.sqrt(at) / length, ":", color=palette.black, label="σ/√B alone")
    left.set(title="Error of the gradient", xlabel="batch size B", ylabel="error / length", xscale="log", yscale="log")
    left.legend()
    right.set(title="Does it point the right way?", xlabel="batch size B", ylabel="cosine", xscale="log", ylim=(0, 1.1))
    show(
        fig,
        alt="Left: the error of the gradient against the batch size on logarithmic axes. The points fall from 6.9 "
        "times the gradient's length at B = 1 along a line of slope −1/2, and faster near B = 1197. Right: the cosine "
        "of the angle between the batch's gradient and the exact one rises from 0.13 at B = 1 to almost 1.",
    )
    reveal(
        "four times the batch", 1, "The error falls with √B: half for four times the work, and a little less by (1)."
    )


noise_of_a_batch()

# %% [markdown]
# A single digit's gradient is nearly useless by itself: its error is seven times its length. But it is *cheap*, and its
# errors average out over many steps. Take $w \leftarrow w - \alpha g$ with the learning rate $\alpha$, and give every
# batch size the same three epochs. Each gets its own best rate, from a grid of half powers of ten, by the loss on the
# validation digits.

# %% tags=["display-only"]
predict(
    "three epochs",
    "Three passes over the 1197 training digits: 3591 steps with B = 1, 57 steps with B = 64, 3 steps with all at "
    "once. Which ends with the lowest loss?",
    ["all at once: its gradients are exact", "B = 64", "B = 1: bad steps, but many", "all the same: same work"],
)


# %% tags=["display-only"]
def three_epochs(seeds=5, epochs=3):
    cut = working("minibatches")

    class PlainDescent:
        def __init__(self, parameters, learning_rate):
            self.parameters, self.learning_rate = parameters, learning_rate

        def step(self, gradients):
            for w, g in zip(self.parameters, gradients, strict=True):
                w -= self.learning_rate * g

    fig, ax = figure(size=(6.4, 3.6))
    grids = {1: (0.01, 0.03, 0.1), 8: (0.1, 0.3, 1.0), 64: (0.3, 1.0, 3.0), len(digits.train): (0.3, 1.0, 3.0)}
    for (size, rates), color, style in zip(grids.items(), palette, ("o-", "s--", "^-.", "v:"), strict=False):
        best = (np.inf,)
        for rate in rates:
            networks = side_by_side.start(range(seeds))
            losses = side_by_side.train(networks, PlainDescent(networks, rate), digits.train, cut, epochs, size)
            validation, _ = side_by_side.evaluate(networks, digits.validation)
            if validation.mean() < best[0]:
                best = validation.mean(), rate, losses, side_by_side.evaluate(networks, digits.train)[0], validation
        _, rate, losses, ends, validation = best
        steps = len(losses) // epochs
        marks = np.linspace(0, len(losses), 1 + 4 * epochs).astype(int) if steps > 8 else np.arange(len(losses) + 1)
        means = np.array([losses[a:b].mean(axis=0) for a, b in zip(marks, marks[1:], strict=False)])
        at = (marks[1:] + marks[:-1]) / 2 / steps
        middle, spread = means.mean(axis=1), means.std(axis=1, ddof=1)
        ax.errorbar(
            at, middle, spread, fmt=style, color=color, capsize=2, markersize=4, label=f"B = {size}, α = {rate:g}"
        )
        print(
            f"B = {size:4d}: {steps * epochs:4d} steps, best rate {rate:4g}, training loss at the end "
            f"{ends.mean():.3f} ± {ends.std(ddof=1):.3f}, on validation digits {validation.mean():.3f}"
        )
    ax.axhline(np.log(10), color=palette.black, linestyle=":", linewidth=1)
    ax.set(xlabel="epoch", ylabel="loss of the batches", yscale="log", xticks=range(epochs + 1), ylim=(0.07, 4))
    ax.set_title(f"The same {epochs} epochs, {seeds} seeds, best of {len(rates)} rates")
    ax.legend(fontsize=8)
    show(
        fig,
        alt="Loss against epochs for four batch sizes, mean and standard deviation of the seeds. B = 1 and B = 8 fall "
        "to about 0.15, B = 64 to about 0.4, and all 1197 digits at once stay above 1.9. A dotted line at 2.3 is "
        "guessing.",
    )
    reveal(
        "three epochs",
        2,
        "64 digits give a gradient about 8 times as exact as one digit, for 64 times the price; all of them give it "
        "exactly, for 1197 times.",
    )


three_epochs()

# %% [markdown]
# Per example, small batches win by far. Per *step* it is the other way round, and that is why nobody uses $B = 1$: a
# processor that computes in parallel does a step with 64 examples in about the time of a step with one.
#
# For the rest of the notebook, $B = 64$ unless something else is said. From here on the experiments deal the digits out
# in one fixed order instead of calling `minibatches`, so that the numbers in the text are yours too.

# %% [markdown]
# ## 2 · Momentum
#
# The classic trouble is a ravine: a loss with a steep direction and a shallow one. Take
# $f(w) = \tfrac12(\lambda_1 w_1^2 + \lambda_2 w_2^2)$ with *curvatures* $\lambda_1 = 1$ and $\lambda_2 = 25$. A plain
# step multiplies $w_i$ by $1 - \alpha\lambda_i$. In the steep direction that must stay above $-1$, so
# $\alpha < 2/25$, and every step keeps more than 92 % of $w_1$.
#
# Momentum gives the point a *velocity* $v$, a sum of past gradients that fades by a factor $\mu < 1$ per step
# (Polyak, 1964):
#
# $$v \leftarrow \mu v + g, \qquad w \leftarrow w - \alpha v. \tag{2}$$

# %% tags=["display-only"]
predict(
    "final speed",
    "The gradient is the same at every step, and μ = 0.9. How long do the steps become, compared with those of plain "
    "gradient descent?",
    ["0.9 times as long", "1.9 times as long", "10 times as long", "they grow without limit"],
)


# %% tags=["display-only"]
def final_speed():
    for title, gradient in (("always 1", lambda t: 1.0), ("+1, −1, +1, …", lambda t: (-1.0) ** t)):
        velocity, speeds = 0.0, []
        for t in range(100):
            velocity = 0.9 * velocity + gradient(t)
            speeds.append(abs(velocity))
        print(
            f"gradient {title:14s} |v| after 1, 2, 10, 100 steps: "
            + ", ".join(f"{speeds[k]:.3f}" for k in (0, 1, 9, 99))
        )
    reveal("final speed", 2, "v = 1 + 0.9 + 0.81 + … = 1/(1 − 0.9) = 10.")


final_speed()

# %% [markdown]
# A constant gradient is amplified by $1/(1-\mu) = 10$. One that changes its sign at every step is damped to
# $1/(1+\mu) = 0.53$. The lecture says it so: velocity builds up along shallow directions, and is damped in steep ones
# whose sign changes quickly.
#
# **Nesterov's version** (1983; for networks, Sutskever et al., 2013, eqs. 3–4) looks ahead. Momentum is about to carry
# us by $-\alpha\mu v$ in any case, so take the gradient *there*:
#
# $$v' = \mu v + \nabla f(w - \alpha\mu v), \qquad w' = w - \alpha v'.$$
#
# That is awkward to program: the gradient is wanted at a place where the network is not. So let the network sit at the
# look-ahead point $y = w - \alpha\mu v$ all the time, and write $g = \nabla f(y)$. Its next place is
#
# $$y' = w' - \alpha\mu v' = w - \alpha v' - \alpha\mu v' .$$
#
# Put $w = y + \alpha\mu v$ and $\mu v = v' - g$, and the old velocity disappears:
#
# $$y' = y + \alpha(v' - g) - \alpha v' - \alpha\mu v' = y - \alpha\,(g + \mu v'), \qquad v' = \mu v + g. \tag{3}$$
#
# This is what PyTorch computes. (The lecture's `x += -mu*v_prev + (1+mu)*v` is the same rewriting with another sign
# and scale of the velocity, which section 4 is about. Source: Bengio, Boulanger-Lewandowski and Pascanu, 2013,
# section 3.5.)
#
# **What all optimizers here have in common.** An optimizer is made with a list of arrays, the parameters. It keeps
# these very arrays. `step(gradients)` gets one gradient for each of them, in the same order, and changes what is *in*
# the arrays (`w -= …` or `w[...] = …`, not `w = …`). The gradients stay as they are. Each parameter has its own
# velocity and so on. `learning_rate` is a plain attribute, and may be set to another number between two steps.
#
# ### Exercise: `SGD`


# %%
class SGD:
    """Gradient descent with momentum, Nesterov's variant and weight decay, in PyTorch's convention.

    parameters: list of float arrays of any shapes, each with at least one axis. step changes these very arrays.
    learning_rate: α, a float. It stays a plain attribute: a schedule may set it before any step.
    momentum: μ, from 0 to below 1.
    nesterov: whether to look ahead.
    weight_decay: λ of the penalty ½λ‖w‖².

    One step for a parameter w with gradient g; its velocity v starts at 0:
    g ← g + λw, then v ← μv + g, then w ← w − αv, or with nesterov w ← w − α(g + μv).

    Two optimizers share nothing. Left open: the names of all other attributes.
    """

    def __init__(self, parameters, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        ### BEGIN SOLUTION
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self.velocities = [np.zeros_like(w) for w in self.parameters]
        ### END SOLUTION

    def step(self, gradients):
        """Change every parameter in place by one step.

        gradients: list of arrays, one for each parameter, with its shape. They are left alone, and none is kept:
        the caller may write the next gradients into the same arrays.
        """
        ### BEGIN SOLUTION
        for w, g, v in zip(self.parameters, gradients, self.velocities, strict=True):
            g = g + self.weight_decay * w  # a new array: the caller's stays as it is
            v *= self.momentum
            v += g
            w -= self.learning_rate * (g + self.momentum * v if self.nesterov else v)
        ### END SOLUTION


# %% points=9
check(SGD)

# %% [markdown]
# Into the ravine. Each method gets the rate and momentum that theory calls best for curvatures from $\ell$ to $L$.
# Plain descent wants $\alpha = 2/(\ell + L)$. Momentum wants $\alpha = 4/(\sqrt \ell + \sqrt L)^2$ and $\mu =
# \left(\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}\right)^2$ with $\kappa = L/\ell$, the *condition number* (Polyak, 1964).
# Nesterov's gets $\alpha = 1/L$ and $\mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}$ (Nesterov, *Introductory Lectures
# on Convex Optimization*, 2004, section 2.2).

# %% tags=["display-only"]
predict(
    "ten thousand",
    "In a ravine with κ = 10,000, plain gradient descent needs some 69,000 steps to come a million times closer to the "
    "minimum. How many does momentum need?",
    ["about 40,000", "about 8,000", "about 1,000", "about 10"],
)


# %% tags=["display-only"]
def down_the_ravine():
    optimizer = working("SGD")

    def settings(kappa):  # curvatures from 1 to κ
        root = np.sqrt(kappa)
        ratio = (root - 1) / (root + 1)
        return {
            "plain": (2 / (1 + kappa), {}),
            "momentum": (4 / (1 + root) ** 2, {"momentum": ratio**2}),
            "Nesterov": (1 / kappa, {"momentum": ratio, "nesterov": True}),
        }

    def walk(kappa, rate, options, closer=0.0, most=100):
        curvature, w = np.array([1.0, kappa]), np.array([-4.0, 1.0])
        descend, path = optimizer([w], rate, **options), [w.copy()]
        while len(path) <= most and np.abs(w).max() > closer * 4:
            descend.step([curvature * w])
            path.append(w.copy())
        return np.array(path)

    fig, axes = figure(1, 3, size=(11, 3.0), sharey=True)
    first, second = np.meshgrid(np.linspace(-4.5, 1.5, 80), np.linspace(-2.8, 2.8, 80))
    for ax, (name, (rate, options)), color in zip(axes, settings(25).items(), palette, strict=False):
        ax.contour(first, second, first**2 + 25 * second**2, levels=[1, 8, 25, 60, 120], colors="0.7", linewidths=0.7)
        path = walk(25, rate, options, most=25)
        ax.plot(*path.T, "o-", color=color, markersize=3, linewidth=1)
        momentum = options.get("momentum", 0)
        ax.set(title=f"{name}: α = {rate:.3f}, μ = {momentum:.2f}", xlabel="w₁", xlim=(-4.5, 1.5), ylim=(-2.8, 2.8))
        print(f"κ = 25, {name:9s} after 25 steps {np.linalg.norm(path[-1]):.1e} from the minimum")
    axes[0].set_ylabel("w₂")
    show(
        fig,
        alt="Three paths of 25 steps on the contour lines of a narrow valley. Plain descent jumps from wall to wall "
        "and comes closer in slowly shrinking zigzags. Momentum first swings out wider than its start, then shrinks "
        "fast and arrives. Nesterov's path reaches the valley's floor in two steps and follows it to the minimum.",
    )
    print("steps to come a million times closer:")
    for kappa in (10, 100, 1000, 10_000):
        methods, counts = settings(kappa), {}
        if kappa > 1000:  # too slow to wait for; every plain step multiplies both coordinates by ±(κ − 1)/(κ + 1)
            del methods["plain"]
            counts["plain (computed)"] = int(np.ceil(np.log(1e-6) / np.log((kappa - 1) / (kappa + 1))))
        counts |= {name: len(walk(kappa, *s, closer=1e-6, most=10_000)) - 1 for name, s in methods.items()}
        print(f"  κ = {kappa:6d}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    reveal(
        "ten thousand", 2, "Plain descent needs about κ/2 · ln(10⁶) steps, momentum about √κ/2 · ln(10⁶) and some more."
    )


down_the_ravine()

# %% [markdown]
# Where plain descent pays with $\kappa$, momentum pays with $\sqrt\kappa$. (At its best setting momentum first swings
# out further than it started: the picture shows the price.)
#
# And (3)? Run Nesterov's look-ahead form by hand beside your rewritten one, on the same ravine.


# %% tags=["display-only"]
def look_ahead_or_rewritten(rate=0.03, momentum=0.9, steps=100):
    curvature = np.array([1.0, 25.0])
    y = np.array([-4.0, 1.0])
    rewritten = working("SGD")([y], rate, momentum=momentum, nesterov=True)
    w, v, gap = y.copy(), np.zeros(2), 0.0
    for _ in range(steps):
        v = momentum * v + curvature * (w - rate * momentum * v)  # the gradient at the look-ahead point
        w = w - rate * v
        rewritten.step([curvature * y])
        gap = max(gap, np.abs(y - (w - rate * momentum * v)).max())
    print(f"largest difference between y and the look-ahead point of w in {steps} steps: {gap:.0e}")


look_ahead_or_rewritten()

# %% [markdown]
# Rounding. What the rewritten form keeps in the network is the look-ahead point $y$; the two meet at the minimum.

# %% [markdown]
# ## 3 · How fast is too fast?
#
# Near a minimum every smooth loss is a parabola, in each direction with its own curvature: choose the eigenvectors of
# the matrix of second derivatives as axes, and the directions do not mix. So look at one of them, $f = \tfrac12\lambda
# w^2$ with gradient $\lambda w$. A step (2) is then linear in velocity and weight:
#
# $$\begin{pmatrix} v' \\ w' \end{pmatrix} =
# \begin{pmatrix} \mu & \lambda \\ -\alpha\mu & 1 - \alpha\lambda \end{pmatrix}
# \begin{pmatrix} v \\ w \end{pmatrix}.$$
#
# (Check the second row: $w' = w - \alpha v' = w - \alpha\mu v - \alpha\lambda w$.) Many steps are many multiplications
# by this matrix. They shrink everything if and only if both eigenvalues $z$ have $|z| < 1$. Its trace is
# $1 + \mu - \alpha\lambda$, its determinant $\mu(1-\alpha\lambda) + \alpha\mu\lambda = \mu$, so the eigenvalues solve
#
# $$p(z) = z^2 - (1 + \mu - \alpha\lambda)\,z + \mu = 0. \tag{4}$$
#
# - If they are complex, they are conjugates with product $\mu$, so $|z| = \sqrt\mu < 1$: stable, and the speed does not
#   depend on $\alpha$ at all.
# - If they are real, they have the same sign (product $\mu \ge 0$). For small $\alpha$ they are positive and below 1,
#   since $p(1) = \alpha\lambda > 0$. Raising $\alpha$ moves their sum down. The first to leave does so through $z =
#   -1$: $p(-1) = 2 + 2\mu - \alpha\lambda = 0$.
#
# So the step is stable for
#
# $$0 < \alpha < \frac{2(1+\mu)}{\lambda}. \tag{5}$$
#
# (Polyak, 1964. A fine picture book of it: G. Goh, *Why Momentum Really Works*, Distill, 2017.) With $\mu = 0$ this is
# the familiar $2/\lambda$.

# %% tags=["display-only"]
predict(
    "room for speed",
    "You add momentum 0.9 to gradient descent. What becomes of the largest stable learning rate on a parabola?",
    ["it is ten times smaller, since steps are ten times longer", "it stays the same", "it is 1.9 times larger"],
)

# %% [markdown]
# ### Exercise: `stability_limit`


# %%
def stability_limit(curvature, momentum=0.0):
    """The learning rate up to which gradient descent with momentum is stable on a parabola.

    The loss is ½·λ·w², so its gradient is λ·w. A step is v ← μ·v + λ·w, then w ← w − α·v.

    curvature: λ, larger than 0. momentum: μ, with 0 ≤ μ < 1.

    Returns a number, the limit of the learning rate α. Started at any w but 0, with v = 0: below the limit w goes to 0,
    above it |w| grows without end.
    Raises ValueError with the number in its message where curvature is not larger than 0, or momentum is not in that
    range.
    """
    ### BEGIN SOLUTION
    if curvature <= 0:
        raise ValueError(f"the curvature must be larger than 0, and is {curvature}")
    if not 0 <= momentum < 1:
        raise ValueError(f"the momentum must be at least 0 and less than 1, and is {momentum}")
    return 2 * (1 + momentum) / curvature
    ### END SOLUTION


# %% points=5
check(stability_limit)

# %% [markdown]
# Verify it by running it, on real data. Least squares is a parabola exactly: let a linear layer predict the ten 0/1
# targets of a digit from its pixels. The loss $\frac{1}{2N}\sum \lVert W x_i - y_i\rVert^2$ has the matrix of second
# derivatives $H = \frac1N \sum x_i x_i^T$ for each row of $W$. Its largest eigenvalue $\lambda$ decides.


# %% tags=["display-only"]
def too_fast():
    optimizer, limit = working("SGD"), working("stability_limit")
    x = np.hstack([digits.train.features, np.ones((len(digits.train), 1))])  # with a 1 for the bias
    hessian, pull = x.T @ x / len(x), np.eye(10)[digits.train.labels].T @ x / len(x)
    curvature = np.linalg.eigvalsh(hessian)[-1]
    solution_at = np.linalg.lstsq(hessian, pull.T, rcond=1e-10)[0].T

    def distances(rate, momentum, nesterov=False, steps=600):
        w = np.zeros((10, 65))
        descend, far = optimizer([w], rate, momentum=momentum, nesterov=nesterov), []
        for _ in range(steps):
            far.append(np.abs((w - solution_at) @ hessian).max())
            if far[-1] > 1e3:
                break
            descend.step([w @ hessian - pull])
        return far

    print(f"largest curvature λ = {curvature:.2f}")
    fig, axes = figure(1, 2, size=(10, 3.5), sharey=True)
    for ax, momentum, corner in zip(axes, (0.0, 0.9), ("upper left", "upper right"), strict=True):
        for factor, color, style in (
            (0.9, palette.blue, "-"),
            (0.99, palette.green, "--"),
            (1.01, palette.vermillion, ":"),
        ):
            rate = factor * limit(curvature, momentum)
            ax.plot(distances(rate, momentum, steps=300), style, color=color, label=f"{factor:g} · limit = {rate:.3f}")
        ax.set(title=f"momentum {momentum:g}", xlabel="step", yscale="log", ylim=(1e-4, 1e3))
        ax.legend(loc=corner, fontsize=8)
    axes[0].set_ylabel("largest entry of the gradient")
    show(
        fig,
        alt="The gradient's largest entry against the step on a logarithmic axis, for momentum 0 and 0.9. At 0.9 and "
        "0.99 times the stability limit it falls, at 1.01 times the limit it grows without end.",
    )
    for momentum, nesterov in ((0.0, False), (0.5, False), (0.9, False), (0.99, False), (0.9, True)):
        low, high = 0.0, 8 / curvature
        for _ in range(11):
            middle = (low + high) / 2
            low, high = (low, middle) if distances(middle, momentum, nesterov)[-1] > 1e3 else (middle, high)
        name = "Nesterov" if nesterov else "momentum"
        formula = limit(curvature, momentum)
        print(
            f"{name} {momentum:4g}: found {low:.4f} by bisection, 2(1 + μ)/λ = {formula:.4f}, ratio {low / formula:.3f}"
        )
    reveal("room for speed", 2, "2(1 + 0.9)/λ against 2/λ: momentum damps the very oscillation that would blow up.")


too_fast()

# %% [markdown]
# The formula holds to a percent. (Without momentum the bisection ends a little above: so close to the limit, 600 steps
# are not enough to see the growth.)
#
# Nesterov's limit is *smaller*, a third of what momentum allows. Put $g = \lambda y$ into (3). The matrix now has trace
# $(1+\mu)(1-\alpha\lambda)$ and determinant $\mu(1-\alpha\lambda)$, and $p(-1) = 0$ gives $\alpha <
# \frac{2(1+\mu)}{(1+2\mu)\lambda}$. With $\mu = 0.9$ that is $1.36/\lambda$ instead of $3.8/\lambda$. What looking
# ahead buys is damping below the limit.
#
# Here is the whole map, for a steep direction of curvature $\lambda$ beside a flat one of curvature 1: $\alpha\lambda$
# across, momentum up, the speed as colour. How many steps for a factor of ten does plain descent need at its best, with
# $\mu = 0$, and how many does the best momentum need? Ask for $\lambda = 10$ and for 100. How close to the limit of the
# steep direction are these settings?

# %% tags=["display-only"]
from course_utils.widgets import stability_map

stability_map()

# %% [markdown]
# Plain descent needs 11.5 steps for $\lambda = 10$, and 115 for 100. The best momentum needs 3.5 steps for $\lambda =
# 10$ ($\alpha\lambda = 2.31$, $\mu = 0.27$) and 11.5 for 100 ($\alpha\lambda = 3.31$, $\mu = 0.67$): again the root.
# The rates are 91 % and 99 % of the limit, for plain descent just as for momentum. The best rate is close to the
# largest one: a little more, and the steep direction explodes.

# %% [markdown]
# A network's loss is no parabola, and its curvature changes as it learns. Train the small network on 300 digits with
# all of them in every batch, so that there is no noise, and follow its *sharpness*: the largest eigenvalue of the
# matrix of second derivatives where the network is now. (It is found by the power method: the matrix times a direction
# is a difference of two gradients, and the direction is replaced by the result again and again.)

# %% tags=["display-only"]
predict(
    "sharper than allowed",
    "With a small learning rate, the sharpness rises from 2 to 5 while the network learns. Now take rate 0.8, for "
    "which only curvatures up to 2/0.8 = 2.5 are stable. What happens?",
    [
        "the loss explodes",
        "it stops learning when the sharpness reaches 2.5",
        "the loss jumps for a while; then the network is where the loss is flatter, and goes on learning",
    ],
)


# %% tags=["display-only"]
def sharpness_while_learning(steps=300, rates=(0.1, 0.8, 1.6)):
    optimizer = working("SGD")
    x, labels = digits.train.features[:300], digits.train.labels[:300]

    def sharpness(network, direction, rounds, h=1e-7):  # so small that hardly any ReLU switches in between
        for _ in range(rounds):
            size = np.sqrt(sum(np.sum(part**2) for part in direction))
            direction = [part / size for part in direction]
            ahead, behind = (
                side_by_side.loss_and_gradients(
                    [w + sign * h * part for w, part in zip(network, direction, strict=True)], x, labels
                )[1]
                for sign in (1, -1)
            )
            direction = [(a - b) / (2 * h) for a, b in zip(ahead, behind, strict=True)]
        return np.sqrt(sum(np.sum(part**2) for part in direction)), direction

    fig, (left, right) = figure(1, 2, size=(10, 3.7))
    for rate, color, style in zip(rates, palette, ("-", "--", "-."), strict=False):
        network = side_by_side.start([0])
        descend = optimizer(network, rate)
        direction = [np.random.default_rng(0).normal(size=w.shape) for w in network]
        _, direction = sharpness(network, direction, 20)
        sharp, losses = [], []
        for step in range(steps + 1):
            loss, gradients = side_by_side.loss_and_gradients(network, x, labels)
            losses.append(loss[0])
            if step % 5 == 0:
                value, direction = sharpness(network, direction, 6)
                sharp.append(value)
            descend.step(gradients)
        left.plot(losses, style, color=color, label=f"α = {rate:g}")
        right.plot(range(0, steps + 1, 5), sharp, style, color=color)
        right.axhline(2 / rate, linestyle=":", color=color)
        print(
            f"rate {rate:g}, stable up to {2 / rate:5.2f}: sharpness at the start {sharp[0]:.1f}, "
            f"largest {max(sharp):.1f}, after {steps} steps {sharp[-1]:.1f}; loss {losses[-1]:.3f}"
        )
    left.set(title="Loss, all digits in every batch", xlabel="step", ylabel="loss", yscale="log")
    left.legend()
    right.set(title="Sharpness, and 2/α (dotted)", xlabel="step", ylabel="largest eigenvalue", ylim=(0, 8))
    show(
        fig,
        alt="Left: the loss against the step for three learning rates. At 0.1 it falls slowly and smoothly, at 0.8 it "
        "jumps for 40 steps and then falls much lower, at 1.6 it jumps to the end. Right: the sharpness. At 0.1 it "
        "rises from 2 to 5 and stays, far below the limit of 20. At 0.8 it shoots up to 6, and after some 40 steps is "
        "below its limit of 2.5. At 1.6 it jumps about, nearly always above its limit of 1.25.",
    )
    reveal(
        "sharper than allowed",
        2,
        "It overshoots in the steep direction, and so is thrown about until it lands where no direction is that steep.",
    )


sharpness_while_learning()

# %% [markdown]
# A network is not as fragile as a parabola. A rate beyond the limit throws it out of a steep place, and often into a
# flatter one, where it stays: at rate 0.8 the sharpness is below 2.5 from step 50 on. Large learning rates choose flat
# places. (With smaller rates and more steps, networks sit just at the limit: Cohen et al., *Gradient Descent on Neural
# Networks Typically Occurs at the Edge of Stability*, 2021.) Often, not always: 1.6 never settles, and section 11 shows
# rates that throw the network so far that it never comes back.

# %% [markdown]
# ## 4 · Three conventions
#
# Equation (2) has the learning rate *outside* the velocity. The lecture's slides and the AlexNet paper have it
# *inside*. A third way *averages* the gradients, as Adam will:
#
# | convention | velocity | step | who |
# |---|---|---|---|
# | outside | $v \leftarrow \mu v + g$ | $w \leftarrow w - \alpha v$ | PyTorch |
# | inside | $v \leftarrow \mu v - \alpha g$ | $w \leftarrow w + v$ | AlexNet; Sutskever et al., 2013; the lecture |
# | averaged | $v \leftarrow \mu v + (1-\mu) g$ | $w \leftarrow w - \frac{\alpha}{1-\mu} v$ | Adam's first half |
#
# With a constant $\alpha$ all three are the same method with another unit for the velocity. Say which displacement of
# $w$ a velocity stands for, and equate. (Beware of the last one without the division: the same $\alpha$ then takes
# steps that are $1/(1-\mu)$ times shorter.)
#
# ### Exercise: `momentum_convention`


# %%
def momentum_convention(velocity, learning_rate, momentum, source, target):
    """The velocity with which another convention of momentum goes on just as this one would have.

    With weights w, gradient g, learning rate lr and momentum μ, a step is

        "inside"      v ← μ·v − lr·g             w ← w + v
        "outside"     v ← μ·v + g                w ← w − lr·v
        "averaged"    v ← μ·v + (1 − μ)·g        w ← w − lr / (1 − μ) · v

    velocity: v as the convention `source` keeps it after a step, an array of any shape.
    learning_rate: lr, larger than 0, the same before and after. momentum: μ, with 0 ≤ μ < 1.
    source, target: two of the names above; they may be the same.

    Returns a new array of that shape, v as `target` keeps it: both velocities stand for the same last change of w,
    and so the next step changes w by the same amount, whatever the gradient.
    Raises ValueError with the name in its message where source or target is none of the three.
    """
    ### BEGIN SOLUTION
    # By how much each convention multiplies its velocity when it changes w.
    per_velocity = {"inside": 1.0, "outside": -learning_rate, "averaged": -learning_rate / (1 - momentum)}
    for name in (source, target):
        if name not in per_velocity:
            raise ValueError(f"there is no momentum convention called {name!r}")
    return velocity * (per_velocity[source] / per_velocity[target])
    ### END SOLUTION


# %% points=7
check(momentum_convention)

# %% [markdown]
# They come apart as soon as the learning rate changes in mid-run.
#
# **AlexNet's own rule** (Krizhevsky, Sutskever and Hinton, 2012, section 5) is an *inside* one with weight decay. In
# the paper's words, where $\epsilon$ is the learning rate and the bracket the mean gradient of a batch of 128:
#
# $$v_{i+1} := 0.9 \cdot v_i - 0.0005 \cdot \epsilon \cdot w_i
# - \epsilon \cdot \left\langle \frac{\partial L}{\partial w} \Big|_{w_i} \right\rangle_{D_i},
# \qquad w_{i+1} := w_i + v_{i+1}.$$
#
# As long as the learning rate stays the same, this is `SGD` with momentum 0.9 and weight decay 0.0005.
#
# ### Exercise: `AlexNetSGD`


# %%
class AlexNetSGD:
    """The update rule of the AlexNet paper (Krizhevsky, Sutskever and Hinton, 2012, section 5).

    parameters: list of float arrays of any shapes, each with at least one axis. step changes these very arrays.
    learning_rate: ε in the paper, a float. It stays a plain attribute: a schedule may set it before any step.
    momentum: μ, 0.9 in the paper.
    weight_decay: λ, 0.0005 in the paper.

    One step for a parameter w with gradient g; its velocity v starts at 0:
    v ← μv − λεw − εg, then w ← w + v.

    Two optimizers share nothing. Left open: the names of all other attributes.
    """

    def __init__(self, parameters, learning_rate, momentum=0.9, weight_decay=5e-4):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        ### BEGIN SOLUTION
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.velocities = [np.zeros_like(w) for w in self.parameters]
        ### END SOLUTION

    def step(self, gradients):
        """Change every parameter in place by one step.

        gradients: list of arrays, one for each parameter, with its shape. They are left alone, and none is kept.
        """
        ### BEGIN SOLUTION
        for w, g, v in zip(self.parameters, gradients, self.velocities, strict=True):
            v *= self.momentum
            v -= self.learning_rate * (self.weight_decay * w + g)
            w += v
        ### END SOLUTION


# %% points=5
check(AlexNetSGD)

# %% [markdown]
# The authors divided the rate by 10 three times. Suppose that the gradient is constant and the velocity has settled.

# %% tags=["display-only"]
predict(
    "divide by ten",
    "Momentum 0.9, and the learning rate is divided by 10 between two steps. How long is the very next step?",
    [
        "a tenth of the last, in both conventions",
        "outside: a tenth of the last; inside: almost as long as the last",
        "inside: a tenth of the last; outside: almost as long as the last",
    ],
)


# %% tags=["display-only"]
def divide_by_ten(momentum=0.9, before=40, after=40, rates=(0.1, 0.01)):
    outside, inside, convert = working("SGD"), working("AlexNetSGD"), working("momentum_convention")
    gradient = [np.ones(1)]
    found = {}
    for name, optimizer, options in (
        ("outside (PyTorch)", outside, {"momentum": momentum}),
        ("inside (AlexNet)", inside, {"momentum": momentum, "weight_decay": 0.0}),
    ):
        w = np.zeros(1)
        descend, places = optimizer([w], rates[0], **options), [0.0]
        for step in range(before + after):
            descend.learning_rate = rates[0] if step < before else rates[1]
            descend.step(gradient)
            places.append(w[0])
        found[name] = -np.diff(places)
    velocity, lengths = np.zeros(1), []
    for step in range(before + after):
        if step == before:  # read it with the old rate, write it down again with the new one
            velocity = convert(velocity, rates[0], momentum, "inside", "outside")
            velocity = convert(velocity, rates[1], momentum, "outside", "inside")
        velocity = momentum * velocity - (rates[0] if step < before else rates[1])
        lengths.append(-velocity[0])
    found["inside, velocity converted"] = np.array(lengths)
    fig, ax = figure(size=(6.4, 3.5))
    for (name, steps), color, style in zip(found.items(), palette, ("-", "--", ":"), strict=False):
        ax.plot(
            np.arange(1, len(steps) + 1), steps, style, color=color, linewidth=2.5 if style == ":" else 1.5, label=name
        )
        ratios = steps[before:] / steps[before - 1]
        print(f"{name:27s} next step {ratios[0]:.2f} of the last; below 0.2 after {np.argmax(ratios < 0.2) + 1} steps")
    ax.axvline(before + 0.5, color=palette.black, linewidth=0.8)
    ax.set(xlabel="step", ylabel="length of the step", title="The learning rate is divided by 10 at the line")
    ax.legend()
    show(
        fig,
        alt="Length of each step under a constant gradient. All three curves rise to 1 in about 40 steps. When "
        "the rate is divided by 10, the outside convention drops to 0.1 at once, and so does the inside one with its "
        "velocity converted. The inside convention falls slowly, over some twenty steps.",
    )
    reveal(
        "divide by ten",
        1,
        "Inside, the velocity still holds the old rate: 0.9 of the last step is gone on with as it is.",
    )


divide_by_ten()

# %% [markdown]
# An inside velocity remembers the old rate for some $1/(1-\mu)$ steps. Whoever keeps to this convention can rescale the
# velocity by the ratio of the rates ("momentum correction", Goyal et al., *Accurate, Large Minibatch SGD*, 2017): that
# is the dotted line.

# %% [markdown]
# ## 5 · A rate for every parameter
#
# One learning rate for all parameters is a compromise between steep and shallow directions. *AdaGrad* (Duchi, Hazan and
# Singer, 2011) divides each parameter's gradient by the root of the sum of its squares so far:
#
# $$G \leftarrow G + g^2, \qquad w \leftarrow w - \alpha \frac{g}{\sqrt G + \varepsilon}, \tag{6}$$
#
# all of it entry by entry. The small $\varepsilon$ keeps $0/0$ away. Multiply one parameter's gradients by 1000: its
# steps stay as they were. The very first step is $\alpha$ times the sign of the gradient.
#
# ### Exercise: `AdaGrad`


# %%
class AdaGrad:
    """AdaGrad (Duchi, Hazan and Singer, 2011), as PyTorch has it.

    parameters: list of float arrays of any shapes, each with at least one axis. step changes these very arrays.
    learning_rate: α, a float. It stays a plain attribute: a schedule may set it before any step.
    epsilon: ε, added outside the square root. Where all gradients so far are 0, nothing moves.

    One step for a parameter w with gradient g, element by element; the sum G starts at 0:
    G ← G + g², then w ← w − α·g / (√G + ε).

    Two optimizers share nothing. Left open: the names of all other attributes.
    """

    def __init__(self, parameters, learning_rate=0.01, epsilon=1e-10):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        ### BEGIN SOLUTION
        self.epsilon = epsilon
        self.sums = [np.zeros_like(w) for w in self.parameters]
        ### END SOLUTION

    def step(self, gradients):
        """Change every parameter in place by one step.

        gradients: list of arrays, one for each parameter, with its shape. They are left alone, and none is kept.
        """
        ### BEGIN SOLUTION
        for w, g, total in zip(self.parameters, gradients, self.sums, strict=True):
            total += g**2
            w -= self.learning_rate * g / (np.sqrt(total) + self.epsilon)
        ### END SOLUTION


# %% points=5
check(AdaGrad)

# %% tags=["display-only"]
predict(
    "tired",
    "AdaGrad sees the same gradient at every step. How long is its 100th step, compared with its first?",
    ["equally long", "a tenth", "a hundredth", "ten times as long"],
)

# %% [markdown]
# *RMSProp* replaces the sum by an average that forgets (Hinton, Coursera lecture 6e, 2012):
#
# $$G \leftarrow \rho G + (1-\rho) g^2, \qquad w \leftarrow w - \alpha \frac{g}{\sqrt G + \varepsilon}. \tag{7}$$
#
# The average starts at 0. So after one step $G = (1-\rho) g^2$.
#
# ### Exercise: `RMSProp`


# %%
class RMSProp:
    """RMSProp (Hinton's lecture 6e, 2012), as PyTorch has it.

    parameters: list of float arrays of any shapes, each with at least one axis. step changes these very arrays.
    learning_rate: α, a float. It stays a plain attribute: a schedule may set it before any step.
    decay: ρ, the share of the average that is kept at each step.
    epsilon: ε, added outside the square root. Where all gradients so far are 0, nothing moves.

    One step for a parameter w with gradient g, element by element; the average G starts at 0:
    G ← ρG + (1−ρ)g², then w ← w − α·g / (√G + ε).

    Two optimizers share nothing. Left open: the names of all other attributes.
    """

    def __init__(self, parameters, learning_rate=0.01, decay=0.99, epsilon=1e-8):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        ### BEGIN SOLUTION
        self.decay = decay
        self.epsilon = epsilon
        self.averages = [np.zeros_like(w) for w in self.parameters]
        ### END SOLUTION

    def step(self, gradients):
        """Change every parameter in place by one step.

        gradients: list of arrays, one for each parameter, with its shape. They are left alone, and none is kept.
        """
        ### BEGIN SOLUTION
        for w, g, average in zip(self.parameters, gradients, self.averages, strict=True):
            average *= self.decay
            average += (1 - self.decay) * g**2
            w -= self.learning_rate * g / (np.sqrt(average) + self.epsilon)
        ### END SOLUTION


# %% points=5
check(RMSProp)


# %% tags=["display-only"]
def tired(steps=1000):
    fig, ax = figure(size=(6, 3.3))
    for name, color, style in (("AdaGrad", palette.blue, "-"), ("RMSProp", palette.orange, "--")):
        w = np.zeros(2)
        descend, places = working(name)([w], 0.01), [w.copy()]
        for _ in range(steps):
            descend.step([np.array([3.0, 0.003])])
            places.append(w.copy())
        lengths = -np.diff(places, axis=0) / 0.01  # (steps, 2)
        ax.plot(np.arange(1, steps + 1), lengths[:, 0], style, color=color, label=name)
        print(
            f"{name}: steps 1, 10, 100, 1000 in units of α: "
            + ", ".join(f"{lengths[k - 1, 0]:.3f}" for k in (1, 10, 100, 1000))
            + f";  with a gradient 1000 times smaller at most {np.abs(lengths[:, 1] / lengths[:, 0] - 1).max():.0e} off"
        )
    ax.set(xlabel="step", ylabel="length of the step / α", xscale="log", yscale="log", title="A constant gradient")
    ax.legend()
    show(
        fig,
        alt="Length of the step in units of the learning rate under a constant gradient, logarithmic axes. AdaGrad "
        "starts at 1 and falls along a line of slope −1/2, to 0.03 at step 1000. RMSProp starts at 10 and settles "
        "at 1.",
    )
    reveal("tired", 1, "After t equal gradients G = t·g², so the step is α/√t: α/10 at t = 100.")


tired()

# %% [markdown]
# AdaGrad's steps shrink like $1/\sqrt t$, whatever happens. The lecture's complaint is that "eventually all update on
# gradients goes to zero". RMSProp settles at $\alpha$, but *starts* with steps that are $1/\sqrt{1-\rho} = 10$ times
# too long, because its average has not filled yet. Hold that thought for section 6.
#
# Does dividing by the root of squares cure ravines? Put one along the axes, and the same one turned by 45°.

# %% tags=["display-only"]
predict(
    "turned",
    "RMSProp finds the bottom of a ravine (κ = 100) along the axes in a few steps. Now the same ravine lies along the "
    "diagonal. What changes?",
    ["nothing: it is the same ravine", "it becomes much harder", "it becomes easier"],
)


# %% tags=["display-only"]
def turned(kappa=100, steps=200):
    methods = {
        "SGD": (working("SGD"), {"momentum": 0.9}, "SGD with momentum 0.9"),
        "AdaGrad": (working("AdaGrad"), {}, "AdaGrad"),
        "RMSProp": (working("RMSProp"), {}, "RMSProp"),
    }
    fig, axes = figure(1, 2, size=(10, 3.5), sharey=True)
    for ax, degrees in zip(axes, (0, 45), strict=True):
        angle = np.deg2rad(degrees)
        axis = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        hessian = axis @ np.diag([1.0, kappa]) @ axis.T
        for (optimizer, options, label), color, style in zip(
            methods.values(), palette, ("-", "--", "-."), strict=False
        ):
            best = [np.inf]
            for rate in 10.0 ** np.arange(-4, 1.1, 0.5):
                w = axis @ np.array([1.0, 0.7])
                descend, values = optimizer([w], rate, **options), []
                with np.errstate(all="ignore"):  # the largest rates diverge
                    for _ in range(steps):
                        values.append(w @ hessian @ w / 2)
                        descend.step([hessian @ w])
                best = min(best, values, key=lambda run: run[-1] if np.isfinite(run[-1]) else np.inf)
            ax.plot(np.maximum(best, 1e-30), style, color=color, label=label)
            print(f"turned by {degrees:2d}°: {label:22s} loss after {steps} steps {best[-1]:.0e}")
        ax.set(title=f"Ravine turned by {degrees}°", xlabel="step", yscale="log", ylim=(1e-12, 1e3))
    axes[0].set_ylabel("loss, best of 11 rates")
    axes[1].legend(loc="lower left")
    show(
        fig,
        alt="Loss against the step for SGD with momentum, AdaGrad and RMSProp. Left, the ravine along the axes: "
        "AdaGrad and RMSProp leave it at the top, then drop below 1e-12 within 10 steps, SGD falls slowly. Right, the "
        "ravine turned by 45 degrees: SGD is the same as before, the other two now end near 1e-3 and 1e-4, and RMSProp "
        "has a bump.",
    )
    reveal(
        "turned", 1, "On the diagonal both coordinates have equally large gradients, so dividing by them does nothing."
    )


turned()

# %% [markdown]
# SGD does not know where the axes are. Methods that scale entry by entry depend on them. They cure differences *between
# parameters*, such as layers whose gradients differ in size or inputs that are rarely on, and nothing else. (On the
# left both leave the picture at the top: the largest rates win there, and a first step with such a rate overshoots. The
# bump of RMSProp: after a long calm its average has forgotten the large gradients, so the steps grow until one
# overshoots.)

# %% [markdown]
# ## 6 · Adam
#
# *Adam* (Kingma and Ba, 2015, algorithm 1) is RMSProp with momentum, in the averaged convention, and with one repair:
#
# $$m \leftarrow \beta_1 m + (1-\beta_1) g, \qquad v \leftarrow \beta_2 v + (1-\beta_2) g^2. \tag{8}$$
#
# The lecture calls them first and second *moment*. (So $v$ is no velocity here; the paper's letters stay.) Both start
# at 0, and that is the trouble: early on they are too small. By how much? Unroll the recursion after $t$ steps:
#
# $$m_t = (1-\beta_1) \sum_{i=1}^{t} \beta_1^{\,t-i} g_i .$$
#
# If all $g_i$ have the same mean, then $E[m_t] = E[g]\,(1-\beta_1)(1 + \beta_1 + \dots + \beta_1^{t-1}) =
# E[g]\,(1-\beta_1^t)$, by the geometric sum. The same goes for $v_t$ and $g^2$. Dividing gives averages that are right
# from the first step on (section 3 of the paper):
#
# $$\hat m = \frac{m}{1-\beta_1^t}, \qquad \hat v = \frac{v}{1-\beta_2^t}, \qquad
# w \leftarrow w - \alpha \frac{\hat m}{\sqrt{\hat v} + \varepsilon}. \tag{9}$$
#
# The number $t$ counts calls of `step`, from 1. The recursion goes on with the *uncorrected* $m$ and $v$: the
# derivation was about those.
#
# ### Exercise: `Adam`


# %%
class Adam:
    """Adam (Kingma and Ba, 2015, algorithm 1).

    parameters: list of float arrays of any shapes, each with at least one axis. step changes these very arrays.
    learning_rate: α, a float. It stays a plain attribute: a schedule may set it before any step.
    beta1, beta2: the shares of the two averages that are kept at each step.
    epsilon: ε, added outside the square root. Where all gradients so far are 0, nothing moves.

    Step number t = 1, 2, … for a parameter w with gradient g, element by element; m and v start at 0:
    m ← β₁m + (1−β₁)g and v ← β₂v + (1−β₂)g²,
    then w ← w − α·m̂ / (√v̂ + ε) with m̂ = m / (1−β₁ᵗ) and v̂ = v / (1−β₂ᵗ).

    Two optimizers share nothing. Left open: the names of all other attributes.
    """

    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        ### BEGIN SOLUTION
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.means = [np.zeros_like(w) for w in self.parameters]
        self.squares = [np.zeros_like(w) for w in self.parameters]
        self.t = 0
        ### END SOLUTION

    def step(self, gradients):
        """Change every parameter in place by one step.

        gradients: list of arrays, one for each parameter, with its shape. They are left alone, and none is kept.
        """
        ### BEGIN SOLUTION
        self.t += 1  # once for all parameters
        for w, g, m, v in zip(self.parameters, gradients, self.means, self.squares, strict=True):
            m *= self.beta1
            m += (1 - self.beta1) * g
            v *= self.beta2
            v += (1 - self.beta2) * g**2
            corrected_m = m / (1 - self.beta1**self.t)  # new arrays: m and v themselves stay uncorrected
            corrected_v = v / (1 - self.beta2**self.t)
            w -= self.learning_rate * corrected_m / (np.sqrt(corrected_v) + self.epsilon)
        ### END SOLUTION


# %% points=9
check(Adam)

# %% [markdown]
# One of the lecture's decks prints Adam without the correction: `x += -learning_rate * m / (np.sqrt(v) + eps)`. What
# does that change?

# %% tags=["display-only"]
predict(
    "without correction",
    "β₁ = 0.9, β₂ = 0.999. How long is the first step of Adam without bias correction, in units of α?",
    ["0.1: m is only a tenth of g", "1, as with the correction", "about 3", "about 30"],
)


# %% tags=["display-only"]
def without_correction(seeds=5, epochs=10, rates=(0.001, 0.003, 0.01, 0.03, 0.1)):
    adam, cut = working("Adam"), side_by_side.fixed_batches

    class DeckAdam:
        """Adam as the deck prints it."""

        def __init__(self, parameters, learning_rate):
            self.parameters, self.learning_rate = parameters, learning_rate
            self.m, self.v = ([np.zeros_like(w) for w in parameters] for _ in range(2))

        def step(self, gradients):
            for w, g, m, v in zip(self.parameters, gradients, self.m, self.v, strict=True):
                m += 0.1 * (g - m)
                v += 0.001 * (g**2 - v)
                w -= self.learning_rate * m / (np.sqrt(v) + 1e-8)

    fig, (left, right) = figure(1, 2, size=(10, 3.6))
    methods = (("with correction", adam, palette.blue, "o-"), ("without", DeckAdam, palette.vermillion, "s--"))
    for name, optimizer, color, style in methods:
        w = np.zeros(1)
        descend, places = optimizer([w], 1.0), [0.0]
        for _ in range(3000):
            descend.step([np.ones(1)])
            places.append(w[0])
        lengths = -np.diff(places)
        left.plot(np.arange(1, 3001), lengths, style[1:], color=color, label=name)
        longest = f"longest {lengths.max():.2f} α"
        if name == "without":  # with correction all steps are equally long
            longest += f" at step {np.argmax(lengths) + 1}"
        print(
            f"{name:15s} constant gradient: first step {lengths[0]:.2f} α, {longest}, step 190 {lengths[189]:.2f} α, "
            f"step 3000 {lengths[-1]:.2f} α"
        )
        losses = []
        for rate in rates:
            networks = side_by_side.start(range(seeds))
            side_by_side.train(networks, optimizer(networks, rate), digits.train, cut, epochs)
            losses.append(side_by_side.evaluate(networks, digits.validation)[0])
        middle, spread = np.mean(losses, axis=1), np.std(losses, axis=1, ddof=1)
        right.errorbar(rates, middle, spread, fmt=style, color=color, capsize=3, label=name)
        print(" " * 16 + "digits: " + ",  ".join(f"α = {r:g}: {a:.3f}" for r, a in zip(rates, middle, strict=True)))
    left.set(title="A constant gradient", xlabel="step", ylabel="length of the step / α", xscale="log", ylim=(0, 7))
    right.set(title=f"Digits after {epochs} epochs", xlabel="learning rate α", ylabel="validation loss")
    right.set(xscale="log", yscale="log")
    left.legend()
    show(
        fig,
        alt="Left: the length of Adam's steps under a constant gradient. With correction it is always the learning "
        "rate. Without, it starts at 3.2 times that, rises to 6.6 at step 12 and comes down to 1 by step 3000. Right: "
        "validation loss on the digits against the learning rate, mean and standard deviation of the seeds. Both "
        "curves have a valley equally deep; the one without correction lies at smaller rates.",
    )
    reveal("without correction", 2, "m = 0.1 g, but √v = √0.001 |g| = 0.032 |g|: their quotient is 3.16.")


without_correction()

# %% [markdown]
# Two wrongs do not cancel: $m$ fills up in ten steps, $v$ in a thousand. Without the correction the steps are up to 6.6
# times longer than $\alpha$, and still 2.4 times after the 190 steps of this experiment. So the curve on the right is
# the same valley, shifted to smaller rates. Nothing is *lost* here; the learning rate just does not mean what it says.
# Where long first steps do harm, they do: at 0.03 and 0.1.
#
# **NAdam** (Dozat, 2016) adds Nesterov's look-ahead. In (3), the step goes along $g + \mu v'$: it applies the momentum
# of the *next* step already. In the averaged convention that reads $\mu_{t+1} m_t + (1-\mu_t) g_t$. The momentum
# $\mu_t$ itself rises slowly from about $\beta_1/2$ to $\beta_1$, so in the correction $\beta_1^t$ becomes the product
# $P_t = \mu_1 \cdots \mu_t$:
#
# $$\hat m = \frac{\mu_{t+1}\, m_t}{1 - P_{t+1}} + \frac{(1-\mu_t)\, g_t}{1 - P_t}, \qquad
# \mu_t = \beta_1\left(1 - \tfrac12\, 0.96^{\,t\psi}\right). \tag{10}$$
#
# This is the form that the lecture shows from PyTorch's manual; $m$ itself is still averaged with $\beta_1$.
#
# ### Exercise: `NAdam`


# %%
class NAdam:
    """Adam with Nesterov's look ahead (Dozat, 2016), as PyTorch has it.

    parameters: list of float arrays of any shapes, each with at least one axis. step changes these very arrays.
    learning_rate: α, a float. It stays a plain attribute: a schedule may set it before any step.
    beta1, beta2, epsilon: as in Adam, ε outside the square root.
    momentum_decay: ψ, how fast the momentum μ rises from about β₁/2 towards β₁.

    Step number t = 1, 2, … for a parameter w with gradient g, element by element; m and v start at 0:
    μₜ = β₁(1 − ½·0.96^(tψ)), and Pₜ = μ₁·μ₂·…·μₜ,
    m ← β₁m + (1−β₁)g and v ← β₂v + (1−β₂)g²,
    m̂ = μₜ₊₁·m / (1−Pₜ₊₁) + (1−μₜ)·g / (1−Pₜ) and v̂ = v / (1−β₂ᵗ),
    then w ← w − α·m̂ / (√v̂ + ε).

    Two optimizers share nothing. Left open: the names of all other attributes.
    """

    def __init__(self, parameters, learning_rate=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, momentum_decay=4e-3):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        ### BEGIN SOLUTION
        self.beta1, self.beta2, self.epsilon, self.momentum_decay = beta1, beta2, epsilon, momentum_decay
        self.means = [np.zeros_like(w) for w in self.parameters]
        self.squares = [np.zeros_like(w) for w in self.parameters]
        self.t = 0
        self.product = 1.0
        ### END SOLUTION

    def step(self, gradients):
        """Change every parameter in place by one step.

        gradients: list of arrays, one for each parameter, with its shape. They are left alone, and none is kept.
        """
        ### BEGIN SOLUTION
        self.t += 1
        now, ahead = (self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay)) for t in (self.t, self.t + 1))
        self.product *= now  # holds μ up to t; μ at t + 1 joins it at the next step
        for w, g, m, v in zip(self.parameters, gradients, self.means, self.squares, strict=True):
            m *= self.beta1
            m += (1 - self.beta1) * g
            v *= self.beta2
            v += (1 - self.beta2) * g**2
            corrected_m = ahead * m / (1 - self.product * ahead) + (1 - now) * g / (1 - self.product)
            corrected_v = v / (1 - self.beta2**self.t)
            w -= self.learning_rate * corrected_m / (np.sqrt(corrected_v) + self.epsilon)
        ### END SOLUTION


# %% points=6
check(NAdam)

# %% [markdown]
# **Where to put ε.** One deck writes $\sqrt{\hat v + \varepsilon}$, with ε *inside* the root. The other deck, the Adam
# paper and PyTorch write $\sqrt{\hat v} + \varepsilon$. For gradients that are large it is the same. Inside, gradients
# count as small when $\hat v < \varepsilon$, which is $|g| < \sqrt\varepsilon$. With $\varepsilon = 10^{-8}$ that is
# $10^{-4}$; outside, it is $10^{-8}$.

# %% tags=["display-only"]
predict(
    "a small loss",
    "Multiply the loss by 1/10,000. Adam divides every gradient by its own size. With ε = 1e-8 inside the root, "
    "how well does it still learn?",
    ["as before", "a little more slowly", "hardly at all"],
)


# %% tags=["display-only"]
def where_to_put_epsilon(seeds=5, epochs=5, rate=0.01):
    adam, cut = working("Adam"), side_by_side.fixed_batches

    class Inside:
        """Adam with epsilon inside the root."""

        def __init__(self, parameters, learning_rate, epsilon=1e-8):
            self.parameters, self.learning_rate, self.epsilon, self.t = parameters, learning_rate, epsilon, 0
            self.m, self.v = ([np.zeros_like(w) for w in parameters] for _ in range(2))

        def step(self, gradients):
            self.t += 1
            for w, g, m, v in zip(self.parameters, gradients, self.m, self.v, strict=True):
                m += 0.1 * (g - m)
                v += 0.001 * (g**2 - v)
                root = np.sqrt(v / (1 - 0.999**self.t) + self.epsilon)
                w -= self.learning_rate * m / (1 - 0.9**self.t) / root

    class Scaled:
        """Hands the gradients of factor · loss to an optimizer."""

        def __init__(self, optimizer, factor):
            self.optimizer, self.factor = optimizer, factor

        def step(self, gradients):
            self.optimizer.step([self.factor * g for g in gradients])

    factors = 10.0 ** -np.arange(0, 11, 2)
    fig, ax = figure(size=(6.2, 3.5))
    for name, optimizer, color, style in (
        ("ε outside the root", adam, palette.blue, "o-"),
        ("ε inside the root", Inside, palette.vermillion, "s--"),
    ):
        losses = []
        for factor in factors:
            networks = side_by_side.start(range(seeds))
            side_by_side.train(networks, Scaled(optimizer(networks, rate), factor), digits.train, cut, epochs)
            losses.append(side_by_side.evaluate(networks, digits.train)[0])
        middle, spread = np.mean(losses, axis=1), np.std(losses, axis=1, ddof=1)
        ax.errorbar(factors, middle, spread, fmt=style, color=color, capsize=3, label=name)
        print(f"{name}: " + ",  ".join(f"{f:.0e}: {loss:.3f}" for f, loss in zip(factors, middle, strict=True)))
    networks = side_by_side.start(range(seeds))
    gradients = side_by_side.loss_and_gradients(networks, digits.train.features, digits.train.labels)[1]
    sizes = np.abs(np.concatenate([g.ravel() for g in gradients]))
    print(f"median size of the gradients at the start, where they are not 0: {np.median(sizes[sizes > 0]):.4f}")
    ax.set(xlabel="factor before the loss", ylabel="training loss (unscaled)", xscale="log", ylim=(0, 2.7))
    ax.set_title(f"Adam, ε = 1e-8, α = {rate:g}, {epochs} epochs")
    ax.legend(loc="center right")
    show(
        fig,
        alt="Training loss after 5 epochs against the factor before the loss. With epsilon outside the root it stays "
        "near 0.15 down to a factor of 1e-4 and is lost at 1e-8. With epsilon inside it rises at 1e-2 already and is "
        "near 2.1 at 1e-4.",
    )
    reveal(
        "a small loss",
        2,
        "Gradients near 5e-7 drown in √ε = 1e-4: the steps are α·g/√ε, a two-hundredth of what they were.",
    )


where_to_put_epsilon()

# %% [markdown]
# Inside the root the threshold is $10^{-4}$, and a loss of a hundredth of its size is enough to feel it. With the loss
# as it is (the points on the right), the two forms agree here. It matters when gradients are small: late in training,
# in a layer far from the loss, or when a loss is scaled. If you carry a setting from one form to the other, an inside ε
# is about the square of an outside one.
#
# Now let six of the optimizers race: on Beale's function, on Rosenbrock's banana, in a ravine of curvatures 1 and 50,
# in the same ravine turned by 45°, and from a saddle. Each runs at a good rate of its own.
#
# - Look at the ravine at step 60, and turn it. Who loses most places?
# - Make all rates in the ravine five times as large. Who has left it for good at step 60? Could you have known?
# - In the turned ravine, make the rates twice as large and follow RMSProp from step 200 to step 300. What happens?

# %% tags=["display-only"]
from course_utils.widgets import optimizer_race

optimizer_race()

# %% [markdown]
# AdaGrad loses most: it falls from the first place to the fifth, and RMSProp from the second to the fourth. Plain SGD,
# momentum and Nesterov's method are exactly as high as before. At five times the rates, plain SGD and Nesterov's method
# have left. Their rate is 0.1, and section 3 allows $2/50 = 0.04$ and $1.36/50 = 0.027$; momentum's 0.05 is below its
# $3.8/50 = 0.076$. The other three divide by the size of their gradients, so their steps do not grow with the distance.
# And RMSProp has arrived at step 200 and is thrown out again by step 300: that is the bump of section 5.

# %% [markdown]
# ## 7 · L2 is not weight decay
#
# In this section $\lambda$ is the strength of a pull towards 0. There are two ways to build it:
#
# - **L2**: add $\tfrac12\lambda\lVert w\rVert^2$ to the loss, that is $\lambda w$ to the gradient;
# - **decay**: leave the gradient alone and multiply $w$ by $1 - \alpha\lambda$ in every step.
#
# For plain gradient descent they are the same: $w - \alpha(g + \lambda w) = (1-\alpha\lambda) w - \alpha g$. The
# literature uses the two words as if they always were. (With momentum the L2 term also enters the velocity. Then the
# two pull equally hard only in the long run.)
#
# Under Adam they differ. An L2 term is part of $g$, and so it is divided by $\sqrt{\hat v}$ like everything else: a
# parameter whose gradients are large is hardly pulled at all. *AdamW* decays outside of Adam (Loshchilov and Hutter,
# 2019, algorithm 2; here as PyTorch has it):
#
# $$w \leftarrow (1 - \alpha\lambda)\, w, \qquad \text{then Adam's step with } g \text{ alone.} \tag{11}$$
#
# (The paper does not multiply $\lambda$ by $\alpha$. There the factor is $1 - \eta\lambda$, and $\eta$ is the schedule
# alone, 1 where the rate is constant.)
#
# ### Exercise: `AdamW`


# %%
class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as PyTorch has it.

    parameters: list of float arrays of any shapes, each with at least one axis. step changes these very arrays.
    learning_rate: α, a float. It stays a plain attribute: a schedule may set it before any step.
    beta1, beta2, epsilon: as in Adam, ε outside the square root.
    weight_decay: λ, the rate at which parameters shrink by themselves.

    One step for a parameter w with gradient g: first w ← w − αλw, then Adam's step from there. The gradient is the
    caller's as it is: the decay enters neither m nor v.

    Two optimizers share nothing. Left open: the names of all other attributes.
    """

    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        ### BEGIN SOLUTION
        self.beta1, self.beta2, self.epsilon, self.weight_decay = beta1, beta2, epsilon, weight_decay
        self.means = [np.zeros_like(w) for w in self.parameters]
        self.squares = [np.zeros_like(w) for w in self.parameters]
        self.t = 0
        ### END SOLUTION

    def step(self, gradients):
        """Change every parameter in place by one step.

        gradients: list of arrays, one for each parameter, with its shape. They are left alone, and none is kept.
        """
        ### BEGIN SOLUTION
        self.t += 1
        for w, g, m, v in zip(self.parameters, gradients, self.means, self.squares, strict=True):
            w *= 1 - self.learning_rate * self.weight_decay
            m *= self.beta1
            m += (1 - self.beta1) * g
            v *= self.beta2
            v += (1 - self.beta2) * g**2
            corrected_m = m / (1 - self.beta1**self.t)
            corrected_v = v / (1 - self.beta2**self.t)
            w -= self.learning_rate * corrected_m / (np.sqrt(corrected_v) + self.epsilon)
        ### END SOLUTION


# %% points=6
check(AdamW)

# %% tags=["display-only"]
predict(
    "white pixels",
    "Four pixels are white in all training digits, so the loss has gradient 0 for the weights that lead out of them. "
    "Train with Adam, α = 0.01, and a tiny L2 term, λ = 0.0001. What happens to these weights?",
    [
        "nothing: they have no gradient",
        "they shrink by a factor 1 − αλ = 0.999999 per step",
        "each moves towards 0 by about α = 0.01 per step",
    ],
)


# %% tags=["display-only"]
def what_pulls_how_hard(alpha=0.001, strength=0.1, steps=1000, weights=400):
    adam, adamw, sgd, cut = working("Adam"), working("AdamW"), working("SGD"), side_by_side.fixed_batches

    rng = np.random.default_rng(0)
    w, u = rng.normal(size=50), np.zeros(50)
    u += w
    plain, gap = sgd([w], 0.1, weight_decay=strength), 0.0
    for g in rng.normal(size=(100, 50)):
        plain.step([g])
        u = (1 - 0.1 * strength) * u - 0.1 * g
        gap = max(gap, np.abs(w - u).max())
    print(f"plain SGD: largest difference between L2 and decay in 100 steps {gap:.0e}")

    fig, (left, right) = figure(1, 2, size=(10, 3.7))
    scales = np.geomspace(0.01, 10, 13)
    for name, color, style in (("Adam with L2", palette.vermillion, "s--"), ("AdamW", palette.blue, "o-")):
        w = np.ones((len(scales), weights))
        if name == "AdamW":
            descend = adamw([w], alpha, weight_decay=strength)
        else:
            descend = side_by_side.WithPenalty(adam([w], alpha), [w], strength)
        rng = np.random.default_rng(0)
        for _ in range(steps):
            descend.step([scales[:, None] * rng.normal(size=w.shape)])
        middle, error = w.mean(axis=1), w.std(axis=1, ddof=1) / np.sqrt(weights)
        left.errorbar(scales, middle, error, fmt=style, color=color, capsize=3, label=name)
        print(
            f"{name:13s} what is left of a weight of 1: "
            + ", ".join(f"{middle[k]:.3f} where gradients have std {scales[k]:g}" for k in (0, 8, 12))
        )
    left.axhline((1 - alpha * strength) ** steps, color=palette.black, linestyle=":", linewidth=1, label="(1 − αλ)ᵗ")
    left.set(
        title=f"Pure noise as gradient, {steps} steps", xlabel="std of the gradient", ylabel="mean weight, started at 1"
    )
    left.set(xscale="log", ylim=(-0.05, 1.1))
    left.legend()

    white = digits.train.features.max(axis=0) == 0

    def follow(descend, network):
        sizes = [np.abs(network[0][:, :, white]).mean()]
        side_by_side.train(
            network,
            descend,
            digits.train,
            cut,
            4,
            after_step=lambda _: sizes.append(np.abs(network[0][:, :, white]).mean()),
        )
        return sizes

    for name, lam, color, style in (
        ("Adam with L2", 1e-4, palette.vermillion, "-"),
        ("Adam with L2", 1e-2, palette.yellow, ":"),
        ("AdamW", 1e-4, palette.blue, "-"),
        ("AdamW", 1e-2, palette.sky, ":"),
    ):
        network = side_by_side.start(range(3))
        if name == "AdamW":
            descend = adamw(network, 0.01, weight_decay=lam)
        else:
            descend = side_by_side.WithPenalty(adam(network, 0.01), network, lam)
        sizes = follow(descend, network)
        right.plot(sizes, style, color=color, linewidth=2.5 if style == ":" else 1.5, label=f"{name}, λ = {lam:g}")
        print(
            f"white pixels, {name:13s} λ = {lam:<6g} mean |w| {sizes[0]:.4f}, after 1 step {sizes[1]:.4f}, "
            f"after 10 {sizes[10]:.4f}, after 76 {sizes[76]:.4f}"
        )
    right.set(
        title="Weights of pixels that are always white", xlabel="step", ylabel="mean |w|, α = 0.01", ylim=(-0.01, 0.19)
    )
    right.legend(fontsize=8)
    show(
        fig,
        alt="Left: what is left of a weight that started at 1 after 1000 steps on pure noise, against the noise's "
        "standard deviation. AdamW: 0.9 everywhere. Adam with L2: 0.26 where the gradients are small, 0.9 at standard "
        "deviation 1, 0.99 at 10. Right: mean size of the weights of four white pixels. With L2 they fall from 0.14 "
        "to almost 0 in some fifty steps, equally fast for both strengths; with AdamW they hardly move.",
    )
    reveal("white pixels", 2, "The only gradient is λw. Adam divides it by its own size, and λ cancels: a step of α.")


what_pulls_how_hard()

# %% [markdown]
# Settled: under Adam, L2 pulls less where gradients are larger, and with the same force for any $\lambda$ where nothing
# else pulls. AdamW pulls every parameter alike. (The curve on the right bends because $\hat v$ remembers the time when
# $\lambda w$ was larger.)
#
# Is the difference worth anything? Train on 200 digits only, so that a penalty has something to do: 60 epochs of
# batches of 25, eight seeds, and the strength chosen on the validation digits.


# %% tags=["display-only"]
def is_it_worth_anything(seeds=8, epochs=60, rate=0.01):
    adam, adamw, cut = working("Adam"), working("AdamW"), side_by_side.fixed_batches
    few = Split(digits.train.images[:200], digits.train.labels[:200])

    for name, strengths in (("Adam with L2", (0.0, 1e-4, 1e-3, 1e-2)), ("AdamW", (1e-2, 1e-1, 1.0))):
        rows = []
        for strength in strengths:
            networks = side_by_side.start(range(seeds))
            if name == "AdamW":
                descend = adamw(networks, rate, weight_decay=strength)
            else:
                descend = side_by_side.WithPenalty(adam(networks, rate), networks, strength)
            side_by_side.train(networks, descend, few, cut, epochs, 25)
            validation, _ = side_by_side.evaluate(networks, digits.validation)
            rows.append((validation.mean(), strength, *side_by_side.evaluate(networks, digits.test)))
        print(f"{name:13s} validation loss " + ", ".join(f"{row[0]:.3f} (λ = {row[1]:g})" for row in rows))
        _, strength, losses, accuracy = min(rows, key=lambda row: row[0])
        print(
            f"{'':13s} chosen λ = {strength:g}: on test digits loss {losses.mean():.3f} ± {losses.std(ddof=1):.3f}, "
            f"accuracy {accuracy.mean():.3f} ± {accuracy.std(ddof=1):.3f}"
        )


is_it_worth_anything()

# %% [markdown]
# Each at its own best strength, the two have the same accuracy, 0.941 and 0.943. In the loss, L2 is even a little
# ahead: 0.233 against 0.248, with a standard error of the difference of $\sqrt{(0.012^2 + 0.013^2)/8} = 0.006$. Over so
# coarse a grid of strengths that proves little. Loshchilov and Hutter report a clear gain for AdamW on CIFAR-10; on
# this small problem there is none to be seen. What can be seen is that the best strengths differ by a factor of a
# hundred: a $\lambda$ cannot be carried over from one to the other. The hundred is $1/\alpha$. In the paper's form the
# two numbers would be equal here.

# %% [markdown]
# ## 8 · Lowering the rate
#
# Why not keep the learning rate at its best value? Because of the noise. Near a minimum, on a parabola of curvature
# $\lambda$, let every gradient be off by independent noise of variance $s^2$. Then $w \leftarrow w - \alpha(\lambda w +
# \text{noise})$, and the variance $V$ of $w$ follows
#
# $$V' = (1-\alpha\lambda)^2 V + \alpha^2 s^2, \qquad\text{which settles at}\qquad
# V = \frac{\alpha\, s^2}{\lambda\,(2 - \alpha\lambda)}. \tag{12}$$
#
# (Set $V' = V$ and solve.) The weights never arrive. They stay in a cloud around the minimum, and the larger the rate,
# the larger the cloud.

# %% tags=["display-only"]
predict(
    "half the rate",
    "α is far below the stability limit. Halve it. What becomes of the standard deviation of w in that cloud?",
    ["it stays the same: the noise is the same", "divided by about 1.4", "divided by about 2", "divided by about 4"],
)


# %% tags=["display-only"]
def cloud(steps=2000, walkers=2000, curvature=1.0, noise=1.0):
    rng = np.random.default_rng(0)
    for alpha in (0.05, 0.1, 0.2, 1.0, 1.8):
        w = np.zeros(walkers)
        for _ in range(min(steps, int(20 / alpha) + 100)):
            w -= alpha * (curvature * w + noise * rng.normal(size=walkers))
        formula = np.sqrt(alpha * noise**2 / curvature / (2 - alpha * curvature))
        error = w.std(ddof=1) / np.sqrt(2 * walkers)
        print(f"α = {alpha:4g}: std of w {w.std(ddof=1):.3f} ± {error:.3f}, by (12) {formula:.3f}")
    reveal(
        "half the rate",
        1,
        "For small α the variance is αs²/(2λ), proportional to α: the standard deviation falls by √2.",
    )


cloud()

# %% [markdown]
# So one starts with a large rate, which covers distance, and ends with a small one, which shrinks the cloud. The
# lecture lists three ways to come down; the cosine is the common choice today (Loshchilov and Hutter, *SGDR*, 2017, eq.
# 5, here without restarts). Its *warm-up*, a linear rise at the start, is from Goyal et al., 2017: in the first steps
# the network changes quickly, and a large rate does most harm there (section 3).
#
# Each of the four functions returns the rate at one step, counted from 0.
#
# ### Exercise: `step_decay`


# %%
def step_decay(initial, step, drop, every):
    """A learning rate that falls in stairs.

    initial: the rate at step 0. step: a whole number, counted from 0.
    drop: the factor, between 0 and 1, by which the rate is multiplied after every `every` steps (at least 1).

    Returns the rate at this step, a number. With every = 10, the steps 0 … 9 use `initial`, 10 … 19 drop · initial,
    20 … 29 drop² · initial, and so on.
    """
    ### BEGIN SOLUTION
    return initial * drop ** (step // every)
    ### END SOLUTION


# %% points=3
check(step_decay)

# %% [markdown]
# ### Exercise: `exponential_decay`
#
# The same share is lost at every step, $\alpha = \alpha_0 e^{-kt}$.


# %%
def exponential_decay(initial, step, rate):
    """A learning rate that loses the same share at every step: a = a₀ · e^(−k·t).

    initial: a₀, the rate at step 0. step: t, a whole number, counted from 0. rate: k ≥ 0, how fast it falls.

    Returns the rate at this step, a number.
    """
    ### BEGIN SOLUTION
    return initial * np.exp(-rate * step)
    ### END SOLUTION


# %% points=2
check(exponential_decay)

# %% [markdown]
# ### Exercise: `inverse_time_decay`
#
# $\alpha = \alpha_0/(1 + kt)$ falls quickly at first and ever more slowly later. It is the schedule of the theory:
# Robbins and Monro (1951) prove convergence when $\sum_t \alpha_t = \infty$ (far enough to get anywhere) and $\sum_t
# \alpha_t^2 < \infty$ (so that the noise dies out). Of our schedules, only this one satisfies both.


# %%
def inverse_time_decay(initial, step, rate):
    """A learning rate that falls like one over the time: a = a₀ / (1 + k·t).

    initial: a₀, the rate at step 0. step: t, a whole number, counted from 0. rate: k ≥ 0, how fast it falls.

    Returns the rate at this step, a number.
    """
    ### BEGIN SOLUTION
    return initial / (1 + rate * step)
    ### END SOLUTION


# %% points=2
check(inverse_time_decay)

# %% [markdown]
# ### Exercise: `cosine_with_warmup`


# %%
def cosine_with_warmup(peak, step, warmup, total):
    """A learning rate that rises along a line and then falls along half a cosine wave.

    peak: the largest rate. step: a whole number, counted from 0. warmup: how many steps the rise takes, from 0 on.
    total: the step at which the rate reaches 0, larger than warmup.

    Returns the rate at this step, a number:
    - while step < warmup, peak · (step + 1) / (warmup + 1). Step 0 is already above 0, and the line would reach peak
      at step = warmup;
    - from there to total, peak · ½ · (1 + cos(π·p)), where p = (step − warmup) / (total − warmup) goes from 0 to 1:
      the rate is peak at step = warmup and 0 at step = total;
    - after total, 0.
    With warmup = 0 there is no rise: step 0 uses peak.
    """
    ### BEGIN SOLUTION
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    progress = min((step - warmup) / (total - warmup), 1.0)
    return peak * 0.5 * (1 + np.cos(np.pi * progress))
    ### END SOLUTION


# %% points=5
check(cosine_with_warmup)

# %% [markdown]
# Try them where noise matters: batches of 4, rate 0.2, ten epochs. The constants $k$ are such that the last rate is a
# hundredth and a tenth of the first; the stairs go down by ten after each third. A run that jumps may be caught at a
# good or a bad moment, so look at the median of the seeds, and at the best and the worst.


# %% tags=["display-only"]
def lower_the_rate(seeds=7, epochs=10, rate=0.2, size=4):
    sgd, cut = working("SGD"), side_by_side.fixed_batches
    steps, exponential = working("step_decay"), working("exponential_decay")
    inverse, cosine = working("inverse_time_decay"), working("cosine_with_warmup")
    in_epoch = -(-len(digits.train) // size)
    total = epochs * in_epoch
    schedules = {
        "constant": lambda t: rate,
        "steps": lambda t: steps(rate, t, 0.1, total // 3 + 1),
        "exponential": lambda t: exponential(rate, t, np.log(100) / total),
        "inverse time": lambda t: inverse(rate, t, 9 / total),
        "cosine": lambda t: cosine(rate, t, total // 20, total),
    }

    def run(schedule):
        networks = side_by_side.start(range(seeds))
        descend = sgd(networks, schedule(0))
        course = [side_by_side.evaluate(networks, digits.validation)[0]]

        def after(step):
            descend.learning_rate = schedule(step)
            if step % in_epoch == 0:
                course.append(side_by_side.evaluate(networks, digits.validation)[0])

        side_by_side.train(networks, descend, digits.train, cut, epochs, size, after)
        return np.array(course)  # (epochs + 1, seeds)

    fig, (left, right) = figure(1, 2, size=(10, 3.9))
    styles = (":", "-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)))
    for (name, schedule), color, style in zip(schedules.items(), palette, styles, strict=False):
        course, at = run(schedule), np.arange(0, total, 10)
        middle, low, high = np.median(course, axis=1), course.min(axis=1), course.max(axis=1)
        left.plot(at / in_epoch, [schedule(t) for t in at], linestyle=style, color=color, label=name)
        right.plot(range(epochs + 1), middle, linestyle=style, color=color)
        if name in ("constant", "cosine"):
            right.fill_between(range(epochs + 1), low, high, color=color, alpha=0.2, linewidth=0)
        print(
            f"{name:13s} last rate {schedule(total - 1):7.1e}: validation loss {middle[-1]:.3f} ({low[-1]:.3f} to "
            f"{high[-1]:.3f}); highest of the last five epochs {high[-5:].max():.2f}"
        )
    left.set(title="Constant, and four ways down", xlabel="epoch", ylabel="learning rate")
    right.set(title=f"Batches of {size}: median, best to worst", xlabel="epoch", ylabel="validation loss")
    right.set(yscale="log", ylim=(0.05, 4))
    fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    show(
        fig,
        alt="Left: the learning rate over ten epochs: constant, in three stairs, exponential, inverse time, and cosine "
        "with a short warm-up. Right: validation loss, median of the seeds, with the range from best to worst for two "
        "of them. At the constant rate single seeds jump up again and again. With the cosine all seeds end near 0.08, "
        "and the other schedules end near 0.1.",
    )


lower_the_rate()

# %% [markdown]
# At the constant rate single seeds jump up again and again: in the last epoch the best is at 0.06 and the worst at
# 0.46. With a schedule all seeds end close together. *That* the rate comes down matters more than how. The cosine stays
# high for longest, and ends lowest here. The exponential and the inverse one fall at once; in our trials they did a
# little better from a rate of 0.3. (With batches of 8 instead of 4, the noise is smaller, and the gain was hardly
# visible.)
#
# AlexNet's authors had no formula. "The heuristic which we followed was to divide the learning rate by 10 when the
# validation error rate stopped improving with the current learning rate" (section 5 of the paper).
#
# ### Exercise: `PlateauSchedule`


# %%
class PlateauSchedule:
    """Lowers the learning rate when the validation error stops improving.

    AlexNet's rule (Krizhevsky et al., 2012, section 5): "divide the learning rate by 10 when the validation error
    rate stopped improving". What "stopped" means is made exact here.

    learning_rate: the rate to start with. factor: the number, between 0 and 1, by which the rate is multiplied.
    patience: after how many epochs without a new best it is, at least 1.
    """

    def __init__(self, learning_rate, factor=0.1, patience=2):
        ### BEGIN SOLUTION
        self.learning_rate = learning_rate
        self.factor = factor
        self.patience = patience
        self.best = np.inf
        self.waited = 0
        ### END SOLUTION

    def update(self, validation_error):
        """Take note of the error after one more epoch, and return the learning rate to use next, a number.

        validation_error: a float, smaller is better; it may be NaN.
        It is a new best when it is below every error so far. An equal one is not, and neither is NaN. The first error
        is a new best unless it is NaN.
        A new best sets the count of epochs without one back to 0. Any other error adds 1 to the count; when it reaches
        patience, the rate is multiplied by factor and the count starts again at 0. The best so far is kept.
        """
        ### BEGIN SOLUTION
        if validation_error < self.best:  # False for NaN
            self.best = validation_error
            self.waited = 0
        else:
            self.waited += 1
        if self.waited == self.patience:
            self.learning_rate = self.learning_rate * self.factor
            self.waited = 0
        return self.learning_rate
        ### END SOLUTION


# %% points=6
check(PlateauSchedule)


# %% tags=["display-only"]
def until_it_stops(epochs=16, size=32, rate=0.3, patience=2):
    sgd, cut, plateau = working("SGD"), side_by_side.fixed_batches, working("PlateauSchedule")
    fig, (upper, lower) = figure(2, 1, size=(6.6, 4.4), sharex=True)
    at, in_epoch = np.arange(1, epochs + 1), -(-len(digits.train) // size)

    def run(seed):
        network, rule = side_by_side.start([seed]), plateau(rate, 0.1, patience)
        descend, rates, errors = sgd(network, rate, momentum=0.9), [], []

        def after(step):
            if step % in_epoch == 0:
                rates.append(descend.learning_rate)
                errors.append(1 - side_by_side.evaluate(network, digits.validation)[1][0])
                descend.learning_rate = rule.update(errors[-1])

        side_by_side.train(network, descend, digits.train, cut, epochs, size, after)
        return rates, errors

    for seed, color, style in zip(range(3), palette, ("o-", "s--", "^-."), strict=False):
        rates, errors = run(seed)
        upper.plot(at, errors, style, color=color, markersize=4, label=f"seed {seed}")
        lower.step(at, rates, where="mid", linestyle=style[1:], color=color)
        first = next((k for k in range(epochs) if rates[k] < rate), None)
        if first:
            print(
                f"seed {seed}: first division before epoch {first + 1}; validation error of the three epochs before "
                f"{np.mean(errors[first - 3 : first]):.3f}, of the three after {np.mean(errors[first : first + 3]):.3f}"
                f", in the last epoch {errors[-1]:.3f} at rate {rates[-1]:.0e}"
            )
    upper.set(
        ylabel="validation error", ylim=(0, 0.4), title=f"Divide by 10 after {patience} epochs without a new best"
    )
    upper.legend()
    lower.set(ylabel="learning rate", yscale="log", xlabel="epoch", xticks=at)
    show(
        fig,
        alt="Above: the share of wrong answers on the validation digits, for three seeds. It starts near 17 percent, "
        "comes down in jumps (one seed first goes up to 31 percent), falls at once when the rate is first divided by "
        "10, and then stays at 2 to 5 percent. Below: the learning rates, in stairs from 0.3 down.",
    )


until_it_stops()

# %% [markdown]
# For every seed the error falls at once, to about half, when the rate is first divided. The later divisions change
# nothing any more. Two things to keep in mind. With a small patience the rule may take noise for an end; AlexNet's
# authors watched the curve themselves. And the validation digits have now been used for choices, so what they say about
# the final network is a little too good. For an honest number there is the test set.

# %% [markdown]
# ## 9 · Averaging the weights
#
# There is another way to get to the middle of a cloud: take its average. The lecture keeps a second set of weights,
#
# `x_test = 0.995*x_test + 0.005*x`
#
# with the comment "use for test set". It is never used for training. The weight of a point that was visited $k$ steps
# ago is $0.005 \cdot 0.995^k$, so this looks back over about $1/0.005 = 200$ steps. (Polyak and Juditsky, 1992, average
# over all steps, and prove that nothing does better in the long run.)
#
# ### Exercise: `WeightAverage`


# %%
class WeightAverage:
    """A running average of a network's weights, to be used at test time.

    parameters: the list of arrays that an optimizer changes in place while it trains. The average never changes them.
    decay: d, the share of the old average that is kept at every update; 0 ≤ d < 1, in the lecture 0.995.

    Attribute `averages`: a list of arrays of the same shapes, in the same order. It starts as a copy of the parameters
    as they are when the WeightAverage is made.
    """

    def __init__(self, parameters, decay):
        ### BEGIN SOLUTION
        self.parameters = list(parameters)  # the arrays themselves: the optimizer changes what is in them
        self.decay = decay
        self.averages = [w.copy() for w in self.parameters]
        ### END SOLUTION

    def update(self):
        """To be called after every step: average ← d · average + (1 − d) · what the parameters hold now."""
        ### BEGIN SOLUTION
        for average, w in zip(self.averages, self.parameters, strict=True):
            average[...] = self.decay * average + (1 - self.decay) * w
        ### END SOLUTION


# %% points=4
check(WeightAverage)

# %% tags=["display-only"]
predict(
    "the middle of the cloud",
    "The same noisy training as before: batches of 4, constant rate 0.2. How does the validation loss of the averaged "
    "weights compare with that of the weights themselves?",
    ["about the same: it is made of them", "clearly lower, and steadier", "higher: it still contains the start"],
)


# %% tags=["display-only"]
def middle_of_the_cloud(seeds=7, epochs=10, size=4, rate=0.2):
    sgd, cut, keep = working("SGD"), side_by_side.fixed_batches, working("WeightAverage")
    networks = side_by_side.start(range(seeds))
    descend, average = sgd(networks, rate), keep(networks, 0.995)
    both = {"the weights": lambda: networks, "their average": lambda: average.averages}  # averages may be a new list
    marks = (0, 25, 50, 100, 150, 200, 250, *range(300, 3001, 150))
    course = {name: [side_by_side.evaluate(weights(), digits.validation)[0]] for name, weights in both.items()}

    def after(step):
        average.update()
        if step in marks:
            for name, weights in both.items():
                course[name].append(side_by_side.evaluate(weights(), digits.validation)[0])

    side_by_side.train(networks, descend, digits.train, cut, epochs, size, after)
    fig, ax = figure(size=(6.6, 3.7))
    for (name, losses), color, style in zip(
        course.items(), (palette.vermillion, palette.blue), ("s--", "o-"), strict=True
    ):
        losses = np.array(losses)
        middle, low, high = np.median(losses, axis=1), losses.min(axis=1), losses.max(axis=1)
        ax.plot(marks, middle, style, color=color, markersize=4, label=name)
        ax.fill_between(marks, low, high, color=color, alpha=0.2, linewidth=0)
        accuracy = side_by_side.evaluate(both[name](), digits.test)[1]
        print(
            f"{name:14s} validation loss after 50 steps {middle[marks.index(50)]:.2f}, at the end {middle[-1]:.3f} "
            f"({low[-1]:.3f} to {high[-1]:.3f}); accuracy on test digits {accuracy.mean():.3f} ± "
            f"{accuracy.std(ddof=1):.3f}"
        )
    ax.set(xlabel="step", ylabel="validation loss", yscale="log", title=f"Batches of {size}, constant rate {rate:g}")
    ax.legend()
    show(
        fig,
        alt="Validation loss against the step: median of the seeds, and the range from best to worst. The weights "
        "themselves fall to about 0.1, and single seeds jump up, to 2 early on and to 0.4 later. Their average "
        "lags behind at first, is lower from about step 500 on, and ends at 0.07 with a narrow range.",
    )
    reveal(
        "the middle of the cloud", 1, "Noise in 200 successive weights averages out; what they have in common stays."
    )


middle_of_the_cloud()

# %% [markdown]
# The average ends as low as the best of the schedules above, or lower. Single seeds jump no more, and no decision was
# needed about when to come down. Two warnings. At the start it lags, because it still contains the random weights it
# began with: after 50 steps it has learned almost nothing. And averaging works because all these weights lie around
# *one* minimum. The average of two networks from different seeds is nonsense.

# %% [markdown]
# ## 10 · Without noise: L-BFGS
#
# With *all* examples in every batch there is no noise, and one may use cleverer methods. L-BFGS (Liu and Nocedal, 1989)
# keeps the last few steps and the changes of the gradient along them. From these pairs it builds an estimate of the
# inverse matrix of second derivatives, and so it adapts to ravines in any direction. The lecture: "If you can afford to
# do full batch updates then try out L-BFGS. Don't forget to disable all sources of noise."
#
# Try both halves of the advice: a linear softmax classifier on 300 digits, with a small L2 term so that there is a
# minimum, once with full batches and once with batches of 32. There is no exercise here; the code is PyTorch's.


# %% tags=["display-only"]
def without_noise(evaluations=300, strength=1e-3):
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(1)
    pixels = torch.tensor(np.hstack([digits.train.features[:300], np.ones((300, 1))]))
    labels = torch.tensor(digits.train.labels[:300])
    scale = np.linalg.eigvalsh((pixels.T @ pixels).numpy() / 300)[-1] / 2 + strength  # no curvature is larger

    def run(make, size=None, budget=evaluations):
        weight = torch.zeros(10, 65, dtype=torch.float64, requires_grad=True)
        optimizer, seen, draw = make(weight), [], np.random.default_rng(0)

        def loss(rows):
            return cross_entropy(pixels[rows] @ weight.T, labels[rows]) + strength / 2 * (weight**2).sum()

        def closure():
            optimizer.zero_grad()
            value = loss(slice(None) if size is None else draw.choice(300, size, replace=False))
            value.backward()
            with torch.no_grad():
                seen.append(loss(slice(None)).item())
            return value

        while len(seen) < budget:
            optimizer.step(closure)
        return np.array(seen[:budget])

    def lbfgs(weight):
        return torch.optim.LBFGS([weight], max_iter=evaluations, tolerance_grad=0, tolerance_change=0)

    def nesterov(weight):
        return torch.optim.SGD([weight], lr=1 / scale, momentum=0.95, nesterov=True)

    def descent(weight):
        return torch.optim.SGD([weight], lr=1 / scale)

    runs = {
        "gradient descent": (run(descent), palette.orange, "--"),
        "Nesterov, 0.95": (run(nesterov), palette.green, "-."),
        "L-BFGS": (run(lbfgs), palette.blue, "-"),
        "L-BFGS, batches of 32": (run(lbfgs, 32), palette.vermillion, ":"),
    }
    least = min(values.min() for values, _, _ in runs.values())
    fig, ax = figure(size=(6.6, 3.6))
    for name, (values, color, style) in runs.items():
        ax.plot(np.maximum(values - least, 1e-12), style, color=color, label=name)
        print(
            f"{name:22s} above the minimum after 20, 60, 300 gradients: "
            + ", ".join(f"{values[k - 1] - least:.1e}" for k in (20, 60, 300))
        )
    ax.set(xlabel="gradients computed", ylabel="loss above the minimum", yscale="log", ylim=(1e-11, 1e4))
    ax.set_title("A softmax layer on 300 digits")
    ax.legend()
    show(
        fig,
        alt="Loss above the minimum against the number of gradients, logarithmic axis. Gradient descent falls to 0.2, "
        "Nesterov's method to about 0.001 after 300. L-BFGS is below 1e-10 after about sixty. L-BFGS on batches of 32 "
        "falls at first, then jumps above 1000 and needs hundreds of gradients to come back.",
    )


without_noise()

# %% [markdown]
# Without noise L-BFGS is in another league: some sixty gradients to a precision that gradient descent does not reach in
# thousands. With noise it throws the loss from 0.3 to above 1000 within a few steps, and jumps again later. It takes
# the difference of two gradients for curvature, and between two different batches most of that difference is noise.

# %% [markdown]
# ## 11 · A clinic for loss curves
#
# In practice you do not know the curvature, and the loss curve is all there is. Four diagnoses cover most of what a
# learning rate can do: *low*, *good*, *high*, *exploding*. With rules to decide between them, a program can read a
# hundred curves. The rules are in the docstring: write them down in code, and mind the order, and NaN.
#
# ### Exercise: `diagnose`


# %%
def diagnose(curves):
    """What each loss curve says about its learning rate.

    curves: a list of loss curves. A curve is a list of at least 8 floats: the loss before the first step, which is
    larger than 0, and then after each epoch. A curve may hold NaN or infinity.

    Returns a list with one name for each curve. Let start be the first value of the curve, end the mean of its last
    quarter, and previous the mean of the quarter before that. A quarter of n values is n // 4 of them. Let up be the
    sum of all rises from one value to the next, and down the sum of all falls, both at least 0. The first rule that
    holds gives the name:

        "exploding"   some value is NaN or infinite, or end > 2 · start
        "good"        end ≤ start / 5
        "low"         up ≤ down / 2 and previous − end ≥ (start − end) / 20: the loss falls steadily and is still
                      on its way
        "high"        all others: the loss got stuck too early, or jumps up and down
    """
    ### BEGIN SOLUTION
    names = []
    for curve in curves:
        if not np.isfinite(curve).all():  # asked first: every comparison with NaN is False
            names.append("exploding")
            continue
        quarter = len(curve) // 4
        start, end = curve[0], np.mean(curve[-quarter:])
        previous = np.mean(curve[-2 * quarter : -quarter])
        steps = np.diff(curve)
        up, down = steps[steps > 0].sum(), -steps[steps < 0].sum()
        if end > 2 * start:
            names.append("exploding")
        elif end <= start / 5:
            names.append("good")
        elif up <= down / 2 and previous - end >= (start - end) / 20:
            names.append("low")
        else:
            names.append("high")
    return names
    ### END SOLUTION


# %% points=7
check(diagnose)

# %% [markdown]
# Now real patients: our network on the digits, 15 epochs each, with rates over nine powers of ten. The loss before the
# first step is 2.35, and a network that has learned nothing but the number of classes has $\ln 10 = 2.30$.

# %% tags=["display-only"]
predict(
    "back at guessing",
    "Two training runs. Both start at a loss of 2.35 and end, fifteen epochs later, at 2.31, which is guessing. "
    "What was wrong with their learning rates?",
    ["too low in both", "too high in both", "it may be either: one must see the way there"],
)


# %% tags=["display-only"]
def clinic(epochs=15):
    sgd, adam, cut, read = working("SGD"), working("Adam"), side_by_side.fixed_batches, working("diagnose")

    def plainly(network, split):  # the softmax as one writes it first, and as the lecture's printout has it
        with np.errstate(all="ignore"):
            powers = np.exp(side_by_side.outputs(network, split.features)[0])
            odds = powers / powers.sum(axis=1, keepdims=True)
            return -np.mean(np.log(odds[np.arange(len(split)), split.labels]))

    patients = (
        ("SGD, α = 0.0005", sgd, 0.0005),
        ("SGD, α = 0.03", sgd, 0.03),
        ("SGD, α = 0.3", sgd, 0.3),
        ("SGD, α = 1.5", sgd, 1.5),
        ("SGD, α = 3", sgd, 3.0),
        ("Adam, α = 0.3", adam, 0.3),
        ("SGD, α = 1,000,000", sgd, 1e6),
    )

    def follow(optimizer, rate):
        network, stable, plain = side_by_side.start([0]), [], []

        def note(step):
            if step % -(-len(digits.train) // 64) == 0:
                stable.append(float(side_by_side.evaluate(network, digits.train)[0][0]))
                plain.append(float(plainly(network, digits.train)))

        note(0)
        side_by_side.train(network, optimizer(network, rate), digits.train, cut, epochs, 64, note)
        return stable, plain

    curves = []
    for _, optimizer, rate in patients:
        stable, plain = follow(optimizer, rate)
        curves.append(stable)
    names = [name for name, _, _ in patients] + ["the same, plain softmax"]
    curves.append(plain)
    fig, axes = figure(2, 4, size=(11, 4.8), sharex=True)
    for ax, name, curve, verdict in zip(axes.ravel(), names, curves, read(curves), strict=True):
        ax.plot(curve, "o-", color=palette.blue, markersize=3)
        ax.axhline(np.log(10), color=palette.black, linestyle=":", linewidth=0.8)
        ax.set_title(f"{name}\n{verdict}", fontsize=9)
        if np.isnan(curve).any():
            ax.text(0.5, 0.5, "NaN from here on", transform=ax.transAxes, ha="center", color=palette.vermillion)
        if np.nanmax(curve) < 4:
            ax.set_ylim(0, 2.8)
        else:
            ax.set_yscale("log")
        print(
            f"{name:24s} {verdict:9s} epochs 0, 1, 2, 5, 10, 15: "
            + ", ".join(f"{curve[k]:.3g}" for k in (0, 1, 2, 5, 10, 15))
        )
    for ax in axes[1]:
        ax.set_xlabel("epoch")
    for ax in axes[:, 0]:
        ax.set_ylabel("training loss")
    show(
        fig,
        alt="Eight training curves with their diagnoses. SGD at 0.0005: nearly flat at 2.3, low. At 0.03: falls "
        "steadily to 0.8, low. At 0.3: falls fast to 0.1, good. At 1.5: jumps between 0.7 and 2.3, high. At 3: flat at "
        "2.31 from the third epoch on, high. Adam at 0.3: stuck near 0.7, high. SGD at a million: losses of several "
        "hundred thousand, exploding; with a plain softmax the same run shows NaN, exploding.",
    )
    reveal("back at guessing", 2, "At 0.0005 the loss creeps down to 2.31; at 3 the network died within three epochs.")


clinic()

# %% [markdown]
# Look at the two that end at 2.31. The one at 0.0005 has fallen a little in every epoch: *low*. The one at 3 jumped,
# and since the third epoch it has been at 2.31: its ReLUs are dead, and only the output biases are left. *High*, and
# lowering the rate now will not wake it. So plot the loss *per step* and from the first step on.
#
# The lecture says: "cost: NaN almost always means high learning rate". Quite so, but the NaN itself is a matter of
# arithmetic. The last two pictures are the same run, with the lecture's own rate of a million. A softmax computed as
# $e^{z}/\sum e^{z}$ overflows and gives $\infty/\infty$; a stable one shows the disaster as a number.
#
# A *low* curve that is still falling, like 0.03 here, costs only time. When in doubt, try rates that differ by factors
# of 3, upwards from a low one, until it jumps; then go back by one or two. (One deck of the lecture comes from the
# other side: "Start with large learning rate & divide by 2 until loss does not diverge".)

# %% [markdown]
# ## 12 · Experiment: which optimizer?
#
# All of them, on the digits. A comparison at one learning rate, or at the default, compares rates. So each optimizer
# gets a grid of rates, two to a power of ten, and the best one counts, by the mean loss on the validation digits. Ten
# seeds each, ten epochs of batches of 64. The test digits are looked at once, for the chosen rate.

# %% tags=["display-only"]
predict(
    "which optimizer",
    "Each at its own best rate: how far apart are the best and the worst of the eight in accuracy on the test digits?",
    ["not at all", "a few points of 100", "10 to 20 points", "more than 20 points"],
)


# %% tags=["display-only"]
def which_optimizer(seeds=10, epochs=10):
    sgd, cut = working("SGD"), side_by_side.fixed_batches
    rates = (0.001, 0.003, 0.01, 0.03, 0.1)
    methods = {
        "SGD": (sgd, {}, (0.1, 0.3, 1.0, 3.0)),
        "momentum 0.9": (sgd, {"momentum": 0.9}, (0.03, 0.1, 0.3, 1.0)),
        "Nesterov 0.9": (sgd, {"momentum": 0.9, "nesterov": True}, (0.03, 0.1, 0.3, 1.0)),
        "AdaGrad": (working("AdaGrad"), {}, (0.01, 0.03, 0.1, 0.3)),
        "RMSProp": (working("RMSProp"), {}, rates),
        "Adam": (working("Adam"), {}, rates),
        "AdamW": (working("AdamW"), {}, rates[1:]),
        "NAdam": (working("NAdam"), {}, rates[1:]),
    }
    defaults = {"AdaGrad": 0.01, "RMSProp": 0.01, "Adam": 0.001}
    colors = (*palette[:6], palette.black, "#777777")
    styles = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), "-", "--", "-.")
    fig, (left, right) = figure(1, 2, size=(10.5, 4.4))
    accuracies = {}
    for (name, (optimizer, options, grid)), color, style in zip(methods.items(), colors, styles, strict=True):
        runs = []
        for rate in grid:
            networks = side_by_side.start(range(seeds))
            losses = side_by_side.train(networks, optimizer(networks, rate, **options), digits.train, cut, epochs)
            runs.append((*side_by_side.evaluate(networks, digits.validation), losses, networks))
        levels = [validation.mean() for validation, _, _, _ in runs]
        best = int(np.argmin(levels))
        validation, _, losses, networks = runs[best]
        course = losses.reshape(epochs, -1, seeds).mean(axis=1)
        middle, spread = course.mean(axis=1), course.std(axis=1, ddof=1)
        at = np.arange(1, epochs + 1)
        left.plot(at, middle, linestyle=style, color=color, label=f"{name}, α = {grid[best]:g}")
        left.fill_between(at, middle - spread, middle + spread, color=color, alpha=0.12, linewidth=0)
        medians = [np.median(validation) for validation, _, _, _ in runs]
        right.plot(grid, medians, "o", linestyle=style, color=color, markersize=4)
        accuracy = accuracies[name] = side_by_side.evaluate(networks, digits.test)[1]
        print(
            f"{name:13s} best rate {grid[best]:4g}: training loss {middle[-1]:.3f} ± {spread[-1]:.3f}, validation loss "
            f"{validation.mean():.3f}, test accuracy {accuracy.mean():.3f} ± {accuracy.std(ddof=1):.3f}"
        )
        if name in defaults:
            print(
                f"{'':13s} at its default {defaults[name]:g}: validation accuracy "
                f"{runs[grid.index(defaults[name])][1].mean():.3f}, at the best rate {runs[best][1].mean():.3f}"
            )
        if best + 1 < len(grid):
            above = runs[best + 1][0]
            print(
                f"{'':13s} at rate {grid[best + 1]:g}: validation loss {np.median(above):.3f} in the median, "
                f"{above.max():.2f} at worst"
            )
    lead = accuracies["Nesterov 0.9"] - accuracies["momentum 0.9"]
    print(
        f"test accuracy of Nesterov minus momentum, seed by seed: {lead.mean():.4f} ± "
        f"{lead.std(ddof=1) / np.sqrt(seeds):.4f} (standard error)"
    )
    left.set(title=f"Each at its best rate, {seeds} seeds", xlabel="epoch", ylabel="training loss", yscale="log")
    right.set(title="Every rate of the grids", xlabel="learning rate", ylabel="validation loss, median", xscale="log")
    right.set_yscale("log")
    fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    show(
        fig,
        alt="Left: training loss over ten epochs for eight optimizers at their best rates, mean and standard deviation "
        "of ten seeds. All fall; Nesterov ends lowest at 0.02, Adam, AdamW and NAdam near 0.05, the others near 0.1. "
        "Right: validation loss after ten epochs against the learning rate, median of the seeds. All curves are "
        "valleys, about equally deep, near 0.1, with a gentle slope towards small rates. Towards large ones plain SGD, "
        "momentum and Nesterov rise steeply to 1 and more, the others gently up to three times their best rate. The "
        "valleys of RMSProp and Adam lie at 0.01 to 0.03, those of momentum and AdaGrad at 0.1, that of Nesterov at "
        "0.3 and that of plain SGD at 1.",
    )
    reveal(
        "which optimizer",
        1,
        "In our run from 0.941 to 0.965. Many of the differences are hardly larger than their uncertainty.",
    )


which_optimizer()

# %% [markdown]
# After ten epochs the training losses differ by a factor of five. Nesterov's method is ahead, then Adam, AdamW and
# NAdam, then the rest. In accuracy all eight lie between 0.941 and 0.965. The mean of ten seeds is uncertain by the
# spread over $\sqrt{10}$, up to 0.006 here. Which 300 digits happen to be in the test set adds 0.012, though much the
# same to all. So plain SGD, AdaGrad and RMSProp are behind on this problem after ten epochs. Nesterov's lead of 0.008
# over momentum is larger than the seeds explain; on 300 test digits that is two or three of them. Among the rest there
# is no order. AdamW and Adam are the same here: a decay of 0.01 does nothing in 190 steps.
#
# Look at the defaults. RMSProp at its default is eight points better than Adam at its own, and the reason is mainly
# that its default rate is ten times larger. (At the same rate of 0.001 it is also well ahead, as the right panel shows:
# its first steps are ten times too long, see section 5.) Whoever compares optimizers at their defaults compares
# defaults.
#
# And look at the valleys. Towards small rates the slope is gentle. Towards large ones there may be a wall: at three
# times their best rate, plain SGD learns nothing, and Nesterov's method next to nothing. One of NAdam's ten seeds is
# thrown out, which a median does not show, and the others lose some; the loss of Adam and AdamW doubles. Outside the
# valley the choice of the rate costs far more than the choice of the optimizer. One deck says "Adam is the default
# choice in most cases", another that SGD with momentum "usually works very well". Both do, once the rate is right.

# %% [markdown]
# ## 13 · Find the bug
#
# This Adam has passed its author's test: one parameter, one step, and the same result as the real one.


# %%
class BrokenAdam:
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.betas, self.epsilon, self.steps = (beta1, beta2), epsilon, 0
        self.moments = [(np.zeros_like(w), np.zeros_like(w)) for w in self.parameters]

    def step(self, gradients):
        beta1, beta2 = self.betas
        for w, g, (m, v) in zip(self.parameters, gradients, self.moments, strict=True):
            self.steps += 1
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (g * g - v)
            m /= 1 - beta1**self.steps
            v_hat = v / (1 - beta2**self.steps)
            w -= self.learning_rate * m / np.sqrt(v_hat + self.epsilon)


# %% tags=["display-only"]
def look_at_the_broken_one():
    adam, rng = working("Adam"), np.random.default_rng(0)
    for tensors, steps, size in ((1, 1, 1.0), (1, 1, 1e-5), (1, 3, 1.0), (2, 1, 1.0)):
        right, wrong = ([np.zeros(4) for _ in range(tensors)] for _ in range(2))
        mine, broken = adam(right, 0.1), BrokenAdam(wrong, 0.1)
        for _ in range(steps):
            gradients = [size * rng.normal(size=4) for _ in range(tensors)]
            mine.step(gradients)
            broken.step(gradients)
        gap = max(np.abs(a - b).max() for a, b in zip(right, wrong, strict=True))
        print(
            f"{tensors} parameter(s), {steps} step(s), gradients of size {size:g}: largest difference {gap:.1e} "
            "(α = 0.1)"
        )


look_at_the_broken_one()

# %% [markdown]
# Three mistakes, and each line of the printout after the first shows one of them. Its constructor is
# right and stands below; copy `step` and mend it.
#
# ### Exercise: `repaired_adam`


# %%
class repaired_adam:
    """Adam, mended: it does what the exercise Adam asks for, with the same arguments and defaults.

    parameters: list of float arrays of any shapes, each with at least one axis. step changes these very arrays.
    learning_rate: a float, a plain attribute that may be set before any step.
    beta1, beta2: the shares of the averages of g and g² that are kept at each step; both averages start at 0 and are
    divided by 1 − βᵗ where they are used, t being the number of calls of step so far, this one included.
    epsilon: added outside the square root.
    """

    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.betas, self.epsilon, self.steps = (beta1, beta2), epsilon, 0
        self.moments = [(np.zeros_like(w), np.zeros_like(w)) for w in self.parameters]

    def step(self, gradients):
        """Change every parameter in place by one step; the gradients are left alone."""
        ### BEGIN SOLUTION
        beta1, beta2 = self.betas
        self.steps += 1  # was inside the loop: with several tensors it counted too fast
        for w, g, (m, v) in zip(self.parameters, gradients, self.moments, strict=True):
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (g * g - v)
            m_hat = m / (1 - beta1**self.steps)  # was m /= …, which spoils the average for the next step
            v_hat = v / (1 - beta2**self.steps)
            w -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)  # was inside the root
        ### END SOLUTION


# %% points=5
check(repaired_adam)

# %% [markdown]
# Test an optimizer with *several* parameters, *several* steps and gradients of *several* sizes, against one you trust.

# %% [markdown]
# ## 14 · In your own words
#
# This question is read by a person. A few sentences with formulas are enough; you need no code.
#
# In our run of section 12, SGD did best at rate 1, and with momentum 0.9 (PyTorch's convention) at rate 0.1. But (5)
# says that momentum *raises* the largest stable rate.
#
# 1. By which factor does (5) raise it for $\mu = 0.9$, and in which direction of a ravine does this limit bind?
# 2. The gradient is nearly constant along a shallow direction. How far does one step go there, without and with
#    momentum, once the velocity has settled? Which pairs of rates go equally far?
# 3. So is there a contradiction? Say what decides about the best rate in practice, and name one thing that (5) leaves
#    out.
# 4. A friend moves the run with momentum 0.9 and $\alpha = 0.1$ to a library with $v \leftarrow 0.9 v + 0.1 g$ and $w
#    \leftarrow w - \alpha v$. Which $\alpha$ must be set there?

# %% [markdown] written="momentum_and_rate" points=4
# **Model answer.** The limit is $2(1+\mu)/\lambda$, so the factor is $1+\mu = 1.9$. It binds in the steepest direction,
# the one with the largest $\lambda$: there the weight would jump from side to side and grow.
#
# Along a shallow direction with constant gradient $g$, plain descent moves by $\alpha g$ per step. With momentum the
# velocity settles at $g/(1-\mu) = 10 g$, and a step is $10\,\alpha g$. Equally far go $\alpha$ without and $\alpha/10$
# with momentum: just 1 and 0.1.
#
# There is no contradiction. (5) says what is *possible* in the steep direction of a parabola without noise; the best
# rate is about progress in shallow directions, and about noise. Momentum makes the same progress with a tenth of the
# rate, and so stays far away from the limit. (5) leaves out the noise of the batches, whose cloud grows with the
# effective rate $\alpha/(1-\mu)$ too; it also leaves out that a network's curvature changes while it learns.
#
# In the friend's library a settled step is $\alpha g$, not $10\,\alpha g$. It must be $0.1 \cdot 10 = 1$.
#
# **Marking.** 1 point: 1.9, and the steepest direction. 1 point: $\alpha g$ and $10\,\alpha g$, hence the pairs
# $\alpha$ and $\alpha/10$. 1 point: no contradiction, with progress along shallow directions (or the noise) as what
# decides, and one thing left out (noise, or curvature that changes, or several directions at once). 1 point: $\alpha =
# 1$. Follow-up errors cost nothing.

# %% [markdown]
# ## Where you are
#
# The exercises have 96 points, and 4 are for the written question, which a person marks.

# %% tags=["display-only"]
progress()

# %% [markdown]
# **The next notebook**, *Averaging a great many networks*, is about dropout and its relatives: how to keep a network
# from learning its training set by heart. It uses three things from here:
#
# - weight decay and L2, now as a means against overfitting;
# - averages over noisy weights, in another form: dropout averages over networks;
# - comparisons with several seeds, and choices made on validation data.
#
# **To read next**
#
# - L. Bottou, F. Curtis, J. Nocedal, "Optimization methods for large-scale machine learning" (2018): why noise and
#   small batches are no accident; theory for sections 1 and 8.
# - G. Goh, "Why momentum really works" (Distill, 2017): section 3 with pictures you can drag.
# - I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization and momentum in deep learning"
#   (2013): momentum and Nesterov's version for networks.
# - D. Kingma, J. Ba, "Adam: a method for stochastic optimization" (2015), and I. Loshchilov, F. Hutter, "Decoupled
#   weight decay regularization" (2019).
# - A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep convolutional neural networks" (2012),
#   section 5: the whole recipe in one column.
# - J. Cohen et al., "Gradient descent on neural networks typically occurs at the edge of stability" (2021): what
#   becomes of section 3 in real networks.
