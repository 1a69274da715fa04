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
# # From the perceptron to a trained network
#
# In July 1958 the US Weather Bureau's computer learned, in fifty trials, to tell cards marked on the left from
# cards marked on the right. The Navy, wrote the *New York Times*, expected the machine to walk, talk, see and be
# conscious of its existence. This notebook starts with the perceptron's learning rule. It ends with a network of
# yours that reads handwritten digits.
#
# **When you are done**, you can
#
# - say what one neuron can learn, and what it cannot;
# - derive the gradient of a layer index by index, and check it numerically;
# - write backpropagation twice: on a graph of single numbers, as PyTorch does it, and layer by layer with
#   matrices;
# - train a network by mini-batch gradient descent, and find the bug in a gradient that looks right.
#
# **You need** Python functions, NumPy arrays, the matrix product, the derivative and the chain rule. You need no
# machine learning, no GPU and no internet connection.
#
# **Time**: about 6 hours. The exercises and the written question take 265 minutes, the rest is reading and
# looking.

# %% [markdown]
# ## How this notebook works
#
# - Run the cells from top to bottom with Shift+Enter.
# - In an exercise, write your code in place of `raise NotImplementedError()`. Run the cell, then the `check`
#   below it. The check tells you what holds, and often which idea went wrong.
# - Write solutions in NumPy alone; return arrays, not lists. Arrays may hold whole numbers; results are floats.
# - A function must not change the arrays it is given.
# - `hint(perceptron_step)` gives three hints, one at a time. `reset(perceptron_step)`, as the last line of the
#   exercise's cell, brings the stub back and keeps your code in a comment. `solution(perceptron_step)` shows a
#   reference where the course has it. The same goes for every other exercise.
# - A `NameError` from a check or hint means that a cell above has not been run, or the kernel was restarted.
# - Where a question asks you to predict, choose an answer before you run the next cell. From the keyboard, Tab
#   goes from answer to answer and Space chooses.
# - No exercise depends on another. You may call your own earlier functions, but you need not. Pictures and
#   experiments use your function where it passed its check, and a PyTorch version where it has not. They say
#   which.

# %% [markdown]
# | exercise | points | difficulty | importance | minutes |
# |---|---|---|---|---|
# | `perceptron_step` | 5 | 1 | 3 | 10 |
# | `relu_interpolation` | 6 | 3 | 3 | 20 |
# | `numerical_gradient` | 7 | 2 | 5 | 15 |
# | `affine_forward` | 4 | 1 | 5 | 5 |
# | `affine_backward` | 9 | 3 | 5 | 20 |
# | `relu_backward` | 4 | 1 | 4 | 5 |
# | `tanh_backward` | 4 | 1 | 4 | 5 |
# | `squared_error_backward` | 5 | 2 | 3 | 10 |
# | `softmax_cross_entropy` | 9 | 4 | 5 | 25 |
# | `unbroadcast` | 7 | 3 | 4 | 15 |
# | `Value` | 12 | 4 | 5 | 45 |
# | `mlp_gradients` | 12 | 4 | 5 | 30 |
# | `train_classifier` | 6 | 4 | 5 | 30 |
# | `repaired_linear_backward` | 6 | 2 | 3 | 10 |
# | written question: shared nodes | 4 | 3 | 4 | 20 |
#
# Difficulty and importance go from 1 to 5. Run the next cell before anything else.

# %%
import numpy as np

from course_utils import check, hint, predict, progress, reset, reveal, solution, working
from course_utils.data import load_digits
from course_utils.plots import figure, palette, show

digits = load_digits()

# %% [markdown]
# ## 1 · One neuron
#
# A perceptron has one weight $w_i$ for each input $x_i$, and a bias $b$. It fires, or it does not:
#
# $$y = \begin{cases} 1 & \text{if } w \cdot x + b > 0 \\ 0 & \text{otherwise.} \end{cases}$$
#
# The first one built in hardware, the Mark I, saw with 400 photocells, 20 rows of 20. The learning rule compares
# the output $y$ with the target $d$ and corrects the mistakes, with a learning rate $\alpha > 0$:
#
# $$w \leftarrow w + \alpha\,(d - y)\,x, \qquad b \leftarrow b + \alpha\,(d - y). \tag{1}$$
#
# The error $d - y$ is $0$ when the output is right: nothing moves. Suppose that the neuron was silent and should
# have fired, so $d - y = 1$. After the step its score on the same $x$ is
#
# $$(w + \alpha x)\cdot x + b + \alpha = (w \cdot x + b) + \alpha\,(\lVert x \rVert^2 + 1).$$
#
# The score has grown. After a false alarm, $d - y = -1$, it has shrunk by as much. Each step moves the score the
# right way, though one step may not be enough. (F. Rosenblatt. The perceptron: *Psychological Review* 65, 1958. The
# rule (1): *Principles of Neurodynamics*, 1962.)
#
# ### Exercise: `perceptron_step`


# %%
def perceptron_step(weights, bias, x, target, learning_rate):
    """One step of Rosenblatt's rule, equation (1), on one example.

    weights: (D,) array. bias: a number.
    x: (D,) array, the example's inputs.
    target: 0 or 1. learning_rate: a positive number.

    The neuron fires when weights · x + bias > 0; at exactly 0 it does not.

    Returns (new_weights, new_bias): a (D,) array and a number.
    Arrays may hold whole numbers; results are floats. The arrays that come in must not be changed.
    """
    ### BEGIN SOLUTION
    output = int(weights @ x + bias > 0)
    error = target - output  # −1, 0 or 1
    return weights + learning_rate * error * x, bias + learning_rate * error
    ### END SOLUTION


# %% points=5
check(perceptron_step)

# %% [markdown]
# Now let it learn two logical functions of two bits. AND is 1 when both bits are 1. XOR is 1 when exactly one of
# them is. The four examples are shown in turn, again and again. One round over all four is a *sweep*. A mistake is
# counted when the example is shown; the weights move after each one.

# %% tags=["display-only"]
predict(
    "xor",
    "The perceptron learns AND within a few sweeps. What happens on XOR?",
    [
        "It needs more sweeps, then it makes no more mistakes.",
        "It goes on making mistakes for ever, and its weights stay small.",
        "It goes on making mistakes for ever, and its weights grow without limit.",
    ],
)


# %% tags=["display-only"]
def and_against_xor(sweeps=12):
    step = working("perceptron_step")
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    fig, (left, *planes) = figure(1, 3, size=(10.2, 3.2))
    tasks = (("AND", [0, 0, 0, 1], palette.blue, "o-"), ("XOR", [0, 1, 1, 0], palette.vermillion, "s--"))
    for plane, (name, targets, color, style) in zip(planes, tasks, strict=True):
        weights, bias, mistakes = np.array([0.0, 0.5]), 0.25, []
        for sweep in range(1, sweeps + 1):
            wrong = 0
            for x, target in zip(corners, targets, strict=True):
                mistake = (weights @ x + bias > 0) != target
                weights, bias = step(weights, bias, x, target, 1.0)
                wrong += mistake
                if mistake and sweep > sweeps - 2:
                    print(f"{name}, sweep {sweep}: mistake on {x.astype(int)}, then weights {weights}, bias {bias:.2f}")
            mistakes.append(wrong)
        left.plot(range(1, sweeps + 1), mistakes, style, color=color, label=name)

        grid = np.linspace(-0.5, 1.5, 201)
        score = weights[0] * grid[None, :] + weights[1] * grid[:, None] + bias
        plane.contourf(grid, grid, score > 0, levels=[0.5, 1.5], colors=[palette.sky], alpha=0.35)
        for (x1, x2), target in zip(corners, targets, strict=True):
            fill = palette.black if target else "white"
            plane.plot(x1, x2, "o", markersize=10, color=palette.black, markerfacecolor=fill)
        plane.set(title=f"{name}: fires where shaded", xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
        plane.set(xticks=[0, 1], yticks=[0, 1])
    left.set(title="Mistakes in each sweep", xlabel="sweep", ylabel="mistakes out of 4", ylim=(-0.2, 4.3))
    left.set(xticks=range(2, sweeps + 1, 2), yticks=range(5))
    left.legend(loc="center right")
    show(
        fig,
        alt="Left: mistakes per sweep. On AND they fall to 0 in the sixth sweep, on XOR they rise to 4 and stay there. "
        "Right: the four corners and the half-plane in which the neuron fires. For AND it holds just the corner "
        "(1, 1). For XOR it holds one corner that should fire and one that should not.",
    )
    reveal(
        "xor",
        1,
        "From its third sweep on, the weights run through the same four values in every sweep. "
        "On AND they come to rest.",
    )


and_against_xor()

# %% [markdown]
# Filled corners should fire. The shading shows the weights after the last step. For XOR they have two corners
# right, and still each sweep makes four mistakes, because the weights move in between.
#
# One line cuts off AND's corner. No line can do it for XOR, and the proof takes two lines. The four corners demand
#
# $$b \le 0, \qquad w_1 + b > 0, \qquad w_2 + b > 0, \qquad w_1 + w_2 + b \le 0.$$
#
# Add the two in the middle: $w_1 + w_2 + 2b > 0$, so $w_1 + w_2 + b > -b \ge 0$, which contradicts the last.
#
# In general: write each input with a 1 appended for the bias. Suppose that some plane through the origin separates
# the classes with margin $\gamma > 0$ (every input lies at least $\gamma$ away from the plane), and that no input is
# longer than $R$. Then the rule, starting from zero, makes at most $(R/\gamma)^2$ mistakes (Novikoff, 1962). If no
# plane separates them, the weights stay bounded and the mistakes never end (Block and Levin, 1970). Minsky and
# Papert's *Perceptrons* (1969) made these limits famous. The way out is more than one layer.

# %% [markdown]
# ## 2 · Many neurons
#
# A network with one hidden layer adds up the outputs of many neurons. Let each hidden neuron be a *rectified
# linear unit*, $\operatorname{relu}(t) = \max(0, t)$: flat, then rising. Take one input $t$, and knots
# $t_0 < t_1 < \dots < t_{n-1}$ with values $v_0, \dots, v_{n-1}$ to pass through. The network is
#
# $$f(t) = v_0 + \sum_{i=0}^{n-2} c_i \operatorname{relu}(t - t_i). \tag{2}$$
#
# The ReLU at $t_i$ does nothing to the left of $t_i$. To the right it adds $c_i$ to the slope. So between $t_k$
# and $t_{k+1}$ the slope of $f$ is $c_0 + \dots + c_k$. To hit both values it must be
#
# $$s_k = \frac{v_{k+1} - v_k}{t_{k+1} - t_k}, \qquad\text{hence}\qquad c_0 = s_0, \quad c_k = s_k - s_{k-1}. \tag{3}$$
#
# Each coefficient is a *change* of slope.
#
# ### Exercise: `relu_interpolation`


# %%
def relu_interpolation(knots, values):
    """The coefficients c of equation (2), so that f passes through every knot.

    knots: (n,) array, increasing, n ≥ 2, not evenly spaced in general.
    values: (n,) array, the value of f at each knot. Both may hold whole numbers.

    Returns c: (n−1,) float array, with f(t) = values[0] + Σ c[i] · relu(t − knots[i]).
    """
    ### BEGIN SOLUTION
    slopes = np.diff(values) / np.diff(knots)  # (n−1,)
    return np.diff(slopes, prepend=0.0)
    ### END SOLUTION


# %% points=6
check(relu_interpolation)

# %% [markdown]
# You can now draw any curve with ReLUs. How good is the drawing?

# %% tags=["display-only"]
predict(
    "twice as many",
    "A smooth curve is approximated by m evenly spaced ReLUs, and m is large. "
    "What happens to the largest error with twice as many?",
    ["It stays the same.", "It becomes half as large.", "It becomes a quarter.", "It becomes an eighth."],
)


# %% tags=["display-only"]
def error_against_count():
    coefficients = working("relu_interpolation")
    fine = np.linspace(0, 2 * np.pi, 8001)
    counts, errors = [2**k for k in range(1, 9)], []
    for count in counts:
        knots = np.linspace(0, 2 * np.pi, count + 1)
        hinges = np.maximum(fine[:, None] - knots[:-1], 0.0)  # (8001, count)
        network = np.sin(0.0) + hinges @ coefficients(knots, np.sin(knots))
        errors.append(np.abs(network - np.sin(fine)).max())
    for k in range(1, len(counts)):
        print(f"{counts[k]:3d} ReLUs: largest error {errors[k]:.5f}, {errors[k] / errors[k - 1]:.3f} of the one before")
    fig, ax = figure()
    ax.loglog(counts, errors, "o-", base=2, color=palette.blue, label="largest error on sin")
    bound = [(2 * np.pi / count) ** 2 / 8 for count in counts]
    ax.loglog(counts, bound, "--", base=2, color=palette.orange, label="bound: spacing² / 8")
    ax.set(xlabel="number of ReLUs", ylabel="largest error", title="Approximating one period of the sine")
    ax.legend()
    show(
        fig,
        alt="Largest error against the number of ReLUs, both on logarithmic axes: from eight ReLUs on, a "
        "straight line of slope minus 2, just below the dashed bound.",
    )
    reveal(
        "twice as many",
        2,
        "Half the spacing, a quarter of the error: the gap between a curve and its chord is quadratic.",
    )


error_against_count()

# %% [markdown]
# The dashed line is a theorem: with spacing $\delta$ and $|f''| \le M$ the error of a chord is at most
# $M\delta^2/8$ (de Boor, *A Practical Guide to Splines*, ch. III).
#
# Try it on other curves. Which one is exact with two ReLUs, and what happens to it with three? Which one needs
# more than ten for an error below 0.1?

# %% tags=["display-only"]
from course_utils.widgets import relu_count

relu_count()

# %% [markdown]
# So for every continuous curve on an interval and every $\varepsilon > 0$, some network (2) stays within
# $\varepsilon$ of it. The same holds for inputs of any dimension in a bounded region, and for every continuous
# activation that is not a polynomial (Cybenko 1989 for sigmoids; Leshno, Lin, Pinkus and Schocken 1993).
#
# The theorem says that good weights exist. It does not say how to find them. For one input we just wrote them
# down. For 64 pixels we shall start anywhere and *follow the slope* of an error downwards. For that we need
# derivatives, many of them, and fast.

# %% [markdown]
# ## 3 · A derivative without calculus
#
# Before we derive gradients we want a way to check them. Move $x$ a little in both directions, and expand:
#
# $$f(x \pm h) = f(x) \pm h f'(x) + \tfrac{h^2}{2} f''(x) \pm \tfrac{h^3}{6} f'''(x) + \dots$$
#
# In the difference the even terms cancel:
#
# $$\frac{f(x+h) - f(x-h)}{2h} = f'(x) + \frac{h^2}{6} f'''(x) + O(h^4). \tag{4}$$
#
# The error of this *central difference* falls with $h^2$. Moving to one side only, $(f(x+h) - f(x))/h$ leaves an
# error of $\tfrac{h}{2} f''(x)$, which falls with $h$ alone. When $x$ is an array, do this to one entry at a
# time. (*Numerical Recipes*, §5.7.)
#
# ### Exercise: `numerical_gradient`


# %%
def numerical_gradient(f, x, step=1e-5):
    """The gradient of f at x by central differences, equation (4).

    f: takes an array of x's shape and returns a number.
    x: array of floats, of any shape: a single number (), several axes, not contiguous in memory.
    step: how far to move, the h of the formula.

    Returns an array of x's shape: entry i is the derivative of f with respect to x[i].
    After the call x holds what it held before. Whether you move x itself and put it back, or a
    copy, is up to you.
    """
    ### BEGIN SOLUTION
    probe = np.array(x, dtype=np.float64)  # a copy, in which the step is not rounded away
    gradient = np.zeros(probe.shape)
    for index in np.ndindex(probe.shape):
        centre = probe[index]
        probe[index] = centre + step
        above = float(f(probe))
        probe[index] = centre - step
        below = float(f(probe))
        probe[index] = centre
        gradient[index] = (above - below) / (2 * step)
    return gradient
    ### END SOLUTION


# %% points=7
check(numerical_gradient)

# %% [markdown]
# Equation (4) says: the smaller the step, the better. A computer disagrees.

# %% tags=["display-only"]
predict(
    "step",
    "In float64 (about 16 digits), which of these steps gives the best derivative of exp at x = 1?",
    ["h = 0.01", "h = 0.00001 (1e-5)", "h = 0.00000001 (1e-8)", "h = 1e-14"],
)


# %% tags=["display-only"]
def error_against_step():
    steps = 10.0 ** -np.arange(0, 16, 0.1)

    def error(precision, left, right):
        above, below = (np.exp((1 + s * steps).astype(precision)).astype(np.float64) for s in (right, -left))
        estimate = (above - below) / ((left + right) * steps)
        return np.maximum(np.abs(estimate / np.e - 1), 1e-17)

    fig, ax = figure(size=(7.2, 3.8))
    ax.loglog(steps, error(np.float64, 1, 1), color=palette.blue, label="central, float64")
    ax.loglog(steps, error(np.float64, 0, 1), "--", color=palette.orange, label="one-sided, float64")
    ax.loglog(steps, error(np.float32, 1, 1), "-.", color=palette.vermillion, label="central, float32")
    for precision, color in ((2.0**-53, palette.blue), (2.0**-24, palette.vermillion)):
        ax.axvline((3 * precision) ** (1 / 3), color=color, linestyle=":", linewidth=1)
    ax.set(xlabel="step h", ylabel="relative error", title="The derivative of exp at 1, by differences")
    ax.set_ylim(1e-13, 30)
    ax.legend(loc="lower left")
    show(
        fig,
        alt="Relative error against the step, logarithmic axes. Each curve is a V: from the right it falls with the "
        "step, then it rises again, noisily. Central differences in float64 are best near 1e-5, one-sided ones near "
        "1e-8 and much worse, float32 near 1e-2. In float32 the error is 100 percent from about 3e-8 downwards.",
    )
    for h in (1e-2, 1e-5, 1e-8, 1e-14):
        estimate = (np.exp(1 + h) - np.exp(1 - h)) / (2 * h)
        print(f"h = {h:g}: relative error {abs(estimate / np.e - 1):.1e}")
    reveal("step", 1, "At 1e-2 the neglected h² term dominates, at 1e-8 and 1e-14 the rounding of f does.")


error_against_step()

# %% [markdown]
# Each value of $f$ is rounded to a relative precision $u$: $2^{-53} \approx 10^{-16}$ in float64,
# $2^{-24} \approx 6\cdot 10^{-8}$ in float32. The difference carries that error, divided by $h$:
#
# $$\text{absolute error}(h) \approx \frac{h^2}{6}\,|f'''| + \frac{u\,|f|}{h}, \qquad\text{smallest at}\qquad
# h^* = \left(\frac{3u\,|f|}{|f'''|}\right)^{1/3}. \tag{5}$$
#
# For $e^x$ that is $7\cdot 10^{-6}$ in float64 and $6\cdot 10^{-3}$ in float32: the dotted lines. In float32,
# $1 + 10^{-8}$ *is* $1$, so the difference is exactly $0$. Check gradients in float64.
#
# Numerical gradients are simple and slow: two evaluations of $f$ for each number in $x$. We keep them as the
# judge of everything that follows.

# %% [markdown]
# ## 4 · A layer and its backward pass
#
# A feed-forward network is a chain of maps. Each layer multiplies by its weights, adds its biases and applies an
# activation $g$: $x^{l} = g(W^{l} x^{l-1} + b^{l})$. At the end stands a single number, the loss $L$.
#
# Take any quantity `out` on the way, computed from `in`. A small change of $\text{in}_i$ changes every
# $\text{out}_k$, and each of them changes $L$. The chain rule adds up all these ways:
#
# $$\frac{\partial L}{\partial\,\text{in}_i}
# = \sum_k \frac{\partial L}{\partial\,\text{out}_k}\,\frac{\partial\,\text{out}_k}{\partial\,\text{in}_i}. \tag{6}$$
#
# Backpropagation is equation (6), applied from the last layer to the first. So each layer needs only to answer
# one question: given the derivative of $L$ with respect to its output, called `grad_out`, what is the derivative
# with respect to everything that went in? A gradient always has the shape of the thing it belongs to.
#
# We start with the affine map. A batch of $N$ examples with $D$ features is an $(N, D)$ array `x`, one example
# per row. With `weight` of shape $(M, D)$, as (out, in), and `bias` of shape $(M,)$:
#
# $$\text{out}_{nm} = \sum_d x_{nd}\,W_{md} + b_m. \tag{7}$$
#
# ### Exercise: `affine_forward`


# %%
def affine_forward(x, weight, bias):
    """The affine layer, equation (7).

    x: (N, D) array, one example per row.
    weight: (M, D) array, (out, in). bias: (M,) array. All may hold whole numbers.

    Returns out: (N, M) array.
    """
    ### BEGIN SOLUTION
    return x @ weight.T + bias  # (N, D) @ (D, M) + (M,)
    ### END SOLUTION


# %% points=4
check(affine_forward)

# %% [markdown]
# Do two affine layers in a row compute more than one? Multiply them out:
# $W_2(W_1 x + b_1) + b_2 = (W_2 W_1)\,x + (W_2 b_1 + b_2)$.


# %% tags=["display-only"]
def two_layers_are_one():
    forward, rng = working("affine_forward"), np.random.default_rng(0)
    x = rng.normal(size=(5, 64))
    weight1, bias1, weight2, bias2 = (rng.normal(size=shape) for shape in ((32, 64), (32,), (10, 32), (10,)))
    two = forward(forward(x, weight1, bias1), weight2, bias2)
    one = forward(x, weight2 @ weight1, weight2 @ bias1 + bias2)
    print(f"Largest difference between two layers and one: {np.abs(two - one).max():.0e}")


two_layers_are_one()

# %% [markdown]
# Without an activation between them, a stack of layers of any height is one layer. It cannot compute XOR either.
#
# **Backward.** Write $G_{nm} = \partial L / \partial\,\text{out}_{nm}$ for `grad_out`, and apply (6) to (7) three
# times.
#
# - The weight $W_{md}$ enters $\text{out}_{nm}$ for every example $n$, with derivative $x_{nd}$. So sum over $n$:
#
# $$\frac{\partial L}{\partial W_{md}} = \sum_n G_{nm}\, x_{nd}.$$
#
# - The bias $b_m$ enters the same outputs, with derivative $1$:
#
# $$\frac{\partial L}{\partial b_m} = \sum_n G_{nm}.$$
#
# - The input $x_{nd}$ enters $\text{out}_{nm}$ for every output $m$, with derivative $W_{md}$. So sum over $m$:
#
# $$\frac{\partial L}{\partial x_{nd}} = \sum_m G_{nm}\, W_{md}.$$
#
# Each sum is a matrix product or a sum along an axis. Find which, and let the shapes confirm it.
#
# Nothing here is divided by $N$. If the loss is a mean over the batch, its factor $1/N$ is in $G$ already.
# (Rumelhart, Hinton and Williams, *Nature* 323, 1986, eqs. 6 and 7, for one example.)
#
# ### Exercise: `affine_backward`


# %%
def affine_backward(grad_out, x, weight):
    """The backward pass of the affine layer out = x · weightᵀ + bias.

    grad_out: (N, M) array, ∂L/∂out.
    x: (N, D) array and weight: (M, D) array, as in the forward pass.

    Returns (grad_x, grad_weight, grad_bias), of shapes (N, D), (M, D) and (M,).
    Arrays may hold whole numbers; results are floats.
    The arrays that come in must not be changed: grad_out may be needed elsewhere.
    """
    ### BEGIN SOLUTION
    grad_x = grad_out @ weight  # (N, M) @ (M, D)
    grad_weight = grad_out.T @ x  # (M, N) @ (N, D)
    grad_bias = grad_out.sum(axis=0)  # (M,)
    return grad_x, grad_weight, grad_bias
    ### END SOLUTION


# %% points=9
check(affine_backward)

# %% [markdown]
# You can now ask the judge of section 3. Any loss will do, for instance $L = \sum_{nm} Q_{nm}\,\text{out}_{nm}$
# with random numbers $Q$. Its gradient with respect to `out` is $Q$ itself.


# %% tags=["display-only"]
def check_the_affine_layer():
    backward, numerical = working("affine_backward"), working("numerical_gradient")
    rng = np.random.default_rng(1)
    x, weight, bias, Q = (rng.normal(size=shape) for shape in ((4, 3), (2, 3), (2,), (4, 2)))
    by_hand = backward(Q, x, weight)
    by_moving = (
        numerical(lambda moved: np.sum(Q * (moved @ weight.T + bias)), x),
        numerical(lambda moved: np.sum(Q * (x @ moved.T + bias)), weight),
        numerical(lambda moved: np.sum(Q * (x @ weight.T + moved)), bias),
    )
    for name, a, b in zip(("grad_x", "grad_weight", "grad_bias"), by_hand, by_moving, strict=True):
        print(f"{name:11s} shape {a.shape!s:7s} largest difference {np.abs(a - b).max():.0e}")


check_the_affine_layer()

# %% [markdown]
# ## 5 · Activations
#
# An activation $g$ acts on each entry alone: $\text{out}_k = g(\text{in}_k)$. In equation (6) only one term is
# left:
#
# $$\frac{\partial L}{\partial\,\text{in}_k} = \frac{\partial L}{\partial\,\text{out}_k}\; g'(\text{in}_k). \tag{8}$$
#
# For the ReLU, $g'$ is $1$ where the input is positive and $0$ where it is negative. At exactly $0$ there is no
# derivative; any value from $0$ to $1$ is accepted here (PyTorch takes $0$).
#
# ### Exercise: `relu_backward`


# %%
def relu_backward(grad_out, x):
    """The backward pass of out = max(0, x).

    grad_out: array of any shape, ∂L/∂out.
    x: array of the same shape, the input of the ReLU.

    Returns grad_x: array of the same shape, a new one.
    Left open: the slope at x == 0, which may be anything from 0 to 1.
    """
    ### BEGIN SOLUTION
    return grad_out * (x > 0)
    ### END SOLUTION


# %% points=4
check(relu_backward)

# %% [markdown]
# A ReLU passes a gradient on or stops it. A unit that is off for an example learns nothing from it.
#
# For the hyperbolic tangent, differentiate $\tanh = \sinh/\cosh$ with $\sinh' = \cosh$ and $\cosh' = \sinh$:
#
# $$\tanh'(h) = \frac{\cosh^2 h - \sinh^2 h}{\cosh^2 h} = 1 - \tanh^2 h. \tag{9}$$
#
# The derivative can be had from the *output* alone. That is why the backward pass of tanh usually keeps `out` and
# forgets the input. It invites a slip.

# %% tags=["display-only"]
predict(
    "activated twice",
    "At h = 3 the slope of tanh is 0.0099. A program applies `1 - np.tanh(v)**2` to the value v = tanh(3) "
    "that is already activated. What does it get?",
    ["about 0.0099 as well: the formula is the same", "about 0.42", "about 0.0001", "about 1"],
)


# %% tags=["display-only"]
def already_activated():
    h = np.linspace(-5, 5, 401)
    some, step = h[::25], 1e-5
    fig, axes = figure(1, 2, size=(9.6, 3.7))
    functions = (
        ("tanh", np.tanh, lambda v: 1 - np.tanh(v) ** 2),
        ("sigmoid", lambda v: 1 / (1 + np.exp(-v)), lambda v: np.exp(-v) / (1 + np.exp(-v)) ** 2),
    )
    for ax, (name, g, slope) in zip(axes, functions, strict=True):
        measured = (g(some + step) - g(some - step)) / (2 * step)
        ax.plot(h, slope(h), color=palette.blue, label="formula on the input")
        ax.plot(some, measured, "o", markersize=4, color=palette.black, label="central difference")
        ax.plot(h, slope(g(h)), "--", color=palette.vermillion, label="formula on the activated value")
        ax.set(title=f"Slope of {name}", xlabel="input h")
        ax.set_ylim(bottom=0)
        print(f"{name} at h = 3: slope {slope(3.0):.4f}, on the activated value {slope(g(3.0)):.4f}")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    show(
        fig,
        alt="Slopes of tanh and sigmoid against the input. The formula on the input goes through all central "
        "differences and falls to 0 on both sides. The formula on the activated value does not: it levels off at 0.42 "
        "for tanh, and stays between 0.20 and 0.25 for the sigmoid.",
    )
    reveal("activated twice", 1, "tanh(3) = 0.995, and the slope of tanh at 0.995 is 0.42: 43 times too large.")


already_activated()

# %% [markdown]
# The measured slopes settle it. Published code has both forms, `1 - np.tanh(h)**2` on the input and `1 - out**2`
# on the output. Either is right. A mixture is wrong, and it does not crash: a saturated unit seems to have a
# slope of $0.42$ when it has almost none. The sigmoid $\sigma(h) = 1/(1+e^{-h})$ has the same trap:
# $\sigma' = \sigma(1-\sigma)$ is at most $0.25$, and on the activated value it never falls below $0.19$.
#
# ### Exercise: `tanh_backward`


# %%
def tanh_backward(grad_out, out):
    """The backward pass of out = tanh(h), from the activated value.

    grad_out: array of any shape, ∂L/∂out.
    out: array of the same shape, already tanh of something: between −1 and 1.

    Returns grad_h: array of the same shape, ∂L/∂h.
    """
    ### BEGIN SOLUTION
    return grad_out * (1 - out**2)
    ### END SOLUTION


# %% points=4
check(tanh_backward)

# %% [markdown]
# ## 6 · The errors that travel backward
#
# Affine layers and activations: you can now go backward through any stack of them. What is missing is the
# beginning, the derivative of the loss.
#
# The lecture behind this notebook (F. Krzakala, *A crash course in deep learning*) writes the same thing in
# another notation. For one example, $h^l = W^l x^{l-1}$ is what enters layer $l$'s activation (the lecture leaves
# the biases out), and $x^l = g_l(h^l)$ is what leaves it. The prediction is $p = x^L$, the target $y$, and the loss
# $L = \tfrac12 (y - p)^2$. (As a superscript, $L$ is the number of the last layer.) Define the *error* of a unit as
#
# $$e_j^l = \frac{\partial L}{\partial h_j^l}.$$
#
# **Last layer.** $\partial L/\partial p = p - y$, and $\partial p/\partial h^L = g_L'(h^L)$. So
#
# $$e^L = g_L'(h^L)\,(p - y). \tag{10}$$
#
# **Hidden layers.** Unit $j$ of layer $l$ feeds every unit $i$ of layer $l+1$, because
# $h_i^{l+1} = \sum_j W_{ij}^{l+1} g_l(h_j^l)$. Equation (6) sums over those $i$:
#
# $$e_j^l = \sum_i e_i^{l+1}\,\frac{\partial h_i^{l+1}}{\partial h_j^l}
# = g_l'(h_j^l) \sum_i W_{ij}^{l+1} e_i^{l+1}. \tag{11}$$

# %% [markdown]
# **Weights.** $W_{ab}^l$ enters $h_a^l$ alone, with derivative $x_b^{l-1}$:
#
# $$\frac{\partial L}{\partial W_{ab}^l} = e_a^l\, x_b^{l-1}. \tag{12}$$
#
# Forward, $W$ is summed over its second index, the inputs. Backward, it is summed over its *first*, the outputs.
# In our layout (out, in) with examples as rows, the sum in (11) is `e @ weight` and (12) is `e.T @ x`: your
# `affine_backward`, with $e$ as `grad_out`. (The same formulas: Rumelhart et al. 1986, eqs. 4–7; Bishop, *Pattern
# Recognition and Machine Learning*, eqs. 5.53–5.56.)
#
# ### Exercise: `squared_error_backward`


# %%
def squared_error_backward(grad_activation, pre_activation, prediction, target):
    """The error of the last layer, e = ∂L/∂h, equation (10).

    The loss is L = ½ Σ (target − prediction)², with prediction = g(pre_activation).

    grad_activation: the function g′; takes an array and returns an array of its shape.
    pre_activation: array h of any shape, what enters the activation.
    prediction: array of the same shape, what leaves it.
    target: array of the same shape.

    Returns e: array of the same shape.
    """
    ### BEGIN SOLUTION
    return grad_activation(pre_activation) * (prediction - target)
    ### END SOLUTION


# %% points=5
check(squared_error_backward)

# %% [markdown]
# With a sigmoid at the output, the prediction is a number between 0 and 1. Look at what the error (10) tells a
# neuron that is wrong.

# %% tags=["display-only"]
predict(
    "confidently wrong",
    "The target is 1. One sigmoid neuron says 0.5. Another is sure of the opposite and says 0.001. "
    "How large is the second one's squared-error e, compared with the first one's?",
    ["twice as large", "about the same", "more than 100 times smaller"],
)


# %% tags=["display-only"]
def how_wrong_neurons_learn():
    error = working("squared_error_backward")

    def sigmoid(h):
        return 1 / (1 + np.exp(-h))

    def slope(h):
        return sigmoid(h) * (1 - sigmoid(h))

    h = np.linspace(-8, 4, 241)
    fig, ax = figure(size=(6.4, 3.5))
    ax.plot(h, error(slope, h, sigmoid(h), np.ones_like(h)), color=palette.blue, label="squared error")
    ax.plot(h, sigmoid(h) - 1, "--", color=palette.vermillion, label="cross-entropy (next section)")
    ax.set(xlabel="pre-activation h", ylabel="error e = ∂L/∂h", title="A sigmoid neuron whose target is 1")
    ax.legend(loc="lower right")
    show(
        fig,
        alt="The error e against the pre-activation h. With the squared error it dips to about minus 0.15 near "
        "h = −0.7 and goes back to 0 on the left, where the neuron is most wrong. With the cross-entropy it falls to "
        "minus 1 there.",
    )
    for p in (0.5, 0.001):
        e = error(slope, np.array([np.log(p / (1 - p))]), np.array([p]), np.array([1.0]))[0]
        print(f"prediction {p}: e = {e:.6f}")
    reveal("confidently wrong", 2, "It is 125 times smaller: p − y doubles, but the slope g′(h) almost vanishes.")


how_wrong_neurons_learn()

# %% [markdown]
# Gradient descent moves a weight in proportion to $e$. With the squared error, a neuron that is surely wrong
# hardly learns. The dashed curve is the cure.

# %% [markdown]
# ## 7 · Softmax and cross-entropy
#
# A classifier has one output $z_k$ for each of $C$ classes, the *logits*. Softmax turns them into probabilities,
# and the loss is the negative logarithm of the probability given to the right class $y$:
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad L = -\log p_y = -z_y + \log \sum_j e^{z_j}. \tag{13}$$
#
# Differentiate the right-hand form. The first term gives $-1$ for $k = y$ and nothing else. The second gives
# $e^{z_k} / \sum_j e^{z_j} = p_k$. With $[k = y]$ for 1 if $k = y$ and 0 otherwise,
#
# $$\frac{\partial L}{\partial z_k} = p_k - [k = y]. \tag{14}$$
#
# No slope $g'$ is left that could vanish. (With two classes and logits $h$ and $0$, the first probability is the
# sigmoid of $h$: this is the dashed curve above.)
#
# For a batch, $L$ is the mean over the $N$ examples. So every gradient gets a factor $1/N$, here and nowhere else.
# (Bishop, eqs. 4.106–4.109.)
#
# **Large logits.** In float64, $e^{z}$ overflows beyond $z \approx 709.8$. But (13) does not change when the same
# number is subtracted from all logits of an example. Subtract their maximum $m$: then no exponent is above $0$,
# and
#
# $$\log \sum_j e^{z_j} = m + \log \sum_j e^{z_j - m}.$$
#
# The sum is at least $1$, so its logarithm is safe too. (Goodfellow, Bengio and Courville, *Deep Learning*,
# §4.1.)
#
# ### Exercise: `softmax_cross_entropy`


# %%
def softmax_cross_entropy(logits, labels):
    """Mean cross-entropy of the softmax, equation (13), and its gradient (14).

    logits: (N, C) array. labels: (N,) array of integers from 0 to C − 1.

    Returns (loss, grad_logits): a number, the mean over the N examples, and ∂loss/∂logits of
    shape (N, C).
    Both are finite for logits as large as ±1000.
    The arrays that come in must not be changed.
    """
    ### BEGIN SOLUTION
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)  # (N, C), all ≤ 0
    exponentials = np.exp(shifted)
    totals = exponentials.sum(axis=1, keepdims=True)  # (N, 1), all ≥ 1
    loss = np.mean(np.log(totals[:, 0]) - shifted[rows, labels])
    grad_logits = exponentials / totals  # the probabilities
    grad_logits[rows, labels] -= 1
    return loss, grad_logits / len(labels)
    ### END SOLUTION


# %% points=9
check(softmax_cross_entropy)

# %% [markdown]
# This loss has a meaning before any training, and it is the first thing to look at in every classifier you will
# train.

# %% tags=["display-only"]
predict(
    "first loss",
    "A network for ten classes has small random weights. It has seen no data. What is its cross-entropy?",
    ["about 0", "about 0.1", "about 2.3", "about 10"],
)


# %% tags=["display-only"]
def loss_before_training():
    loss_of = working("softmax_cross_entropy")
    rng = np.random.default_rng(0)
    for scale in (0.0, 0.01, 0.1, 1.0, 10.0):
        weight = scale * rng.normal(size=(10, 64))
        loss, _ = loss_of(digits.train.features @ weight.T, digits.train.labels)
        print(f"random weights times {scale:5.2f}: loss on the digits {loss:8.3f}")
    reveal(
        "first loss",
        2,
        "All ten probabilities are about 1/10, and −log(1/10) = 2.303. "
        "A very different first loss means a bug, or weights that start too large.",
    )


loss_before_training()

# %% [markdown]
# ## 8 · What broadcasting copies, the backward pass adds
#
# NumPy adds a `(5, 3)` array and a `(3,)` array by using the second one for all five rows. That is
# *broadcasting*. Axes missing on the left are added, axes of length 1 are repeated (NumPy user guide,
# *Broadcasting*). Each entry of the small array enters several outputs, so equation (6) has several terms:
#
# $$\text{out}_{nm} = x_{nm} + b_m \quad\Longrightarrow\quad
# \frac{\partial L}{\partial b_m} = \sum_n \frac{\partial L}{\partial\,\text{out}_{nm}}.$$
#
# To copy forward is to sum backward. The bias gradient of section 4 was a case of it, and every tensor library
# has a function for the general one. Note two kinds of axes. The axes that broadcasting put on the left disappear
# in the sum. The axes of length 1 stay, with length 1.
#
# ### Exercise: `unbroadcast`


# %%
def unbroadcast(grad, shape):
    """Sum a gradient back to the shape that was broadcast.

    grad: array of any shape, ∂L/∂(the broadcast array).
    shape: tuple, the shape before broadcasting; broadcasting it gives grad.shape. It may be (),
    for a single number.

    Returns ∂L/∂(the array before broadcasting), of exactly this shape.
    """
    ### BEGIN SOLUTION
    added = grad.ndim - len(shape)  # axes that broadcasting put on the left
    repeated = tuple(added + axis for axis, length in enumerate(shape) if length == 1)
    return grad.sum(axis=tuple(range(added)) + repeated).reshape(shape)
    ### END SOLUTION


# %% points=7
check(unbroadcast)

# %% [markdown]
# With it you can differentiate through any NumPy sum or product, whatever the shapes.


# %% tags=["display-only"]
def gradients_of_broadcast_products():
    back, numerical = working("unbroadcast"), working("numerical_gradient")
    rng = np.random.default_rng(2)
    x, Q = rng.normal(size=(4, 5, 3)), rng.normal(size=(4, 5, 3))
    for shape in ((3,), (5, 1), (1, 5, 3), (4, 1, 1), ()):
        b = rng.normal(size=shape)
        by_hand = back(Q * x, shape)  # L = Σ Q · x · b, so its gradient for b, once broadcast, is Q · x
        by_moving = numerical(lambda moved: np.sum(Q * x * moved), b)
        gap = np.abs(by_hand - by_moving).max()
        print(f"(4, 5, 3) times {shape!s:9s}: gradient of shape {np.shape(by_hand)!s:9s} largest difference {gap:.0e}")


gradients_of_broadcast_products()

# %% [markdown]
# ## 9 · An engine that differentiates for you
#
# So far you derived every gradient. Now you write a program that does it, for any expression of numbers. It is
# the idea inside PyTorch, and it fits on a page (after A. Karpathy's micrograd; the method is *reverse-mode
# automatic differentiation*, Linnainmaa 1970).
#
# Every operation makes a node that remembers its operands, the *parents*, and its own derivative with respect to
# each of them. For $c = a \cdot b$ these are $\partial c/\partial a = b$ and $\partial c/\partial b = a$. When
# the final value is known, walk back through the nodes and apply (6):
#
# $$\text{parent.grad} \mathrel{+}=
# \frac{\partial\,\text{node}}{\partial\,\text{parent}} \cdot \text{node.grad}. \tag{15}$$
#
# Step through one neuron below. Then choose *diamond* and watch `x.grad`: where do its second and third parts
# come from?

# %% tags=["display-only"]
from course_utils.widgets import graph_player

graph_player()

# %% tags=["display-only"]
predict(
    "overwritten",
    "y = x·x + x at x = 3, so dy/dx = 2x + 1 = 7. An engine writes `grad =` instead of `grad +=`, "
    "and goes back through the sum first, then through the product. Which gradient of x does it report?",
    ["7", "6", "4", "3"],
)


# %% tags=["display-only"]
def overwriting_engine():
    x = 3.0
    grad = {}
    grad["x·x"] = grad["x"] = 1.0  # y = (x·x) + x: both operands of the sum get 1
    grad["x"] = x * grad["x·x"]  # the left factor: overwrites the 1
    grad["x"] = x * grad["x·x"]  # the right factor: overwrites the left one's
    print("With grad = :", grad["x"])
    print("With grad +=:", 1.0 + x * 1.0 + x * 1.0)
    reveal(
        "overwritten", 3, "Only the last contribution survives. The chain rule wants the sum of all three: 1 + 3 + 3."
    )


overwriting_engine()

# %% [markdown]
# Two things must hold, then.
#
# - **Add.** A node used several times collects one contribution from each use.
# - **Order.** A node may pass its gradient on only when it is complete, after *every* node that uses it. So list
#   the nodes with parents always before what is computed from them: a *topological order*. A depth-first walk
#   that writes each node down after its parents makes such a list. Go through it from the end.
#
# In the class below, `parents` holds pairs (parent, local derivative), so that the backward rule stands beside
# its forward. Addition would be
#
# ```python
# def __add__(self, other):
#     other = Value.of(other)
#     return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])
# ```
#
# The rest of arithmetic follows from a few operations, and is there already. You may replace anything, `__init__`
# included.
#
# ### Exercise: `Value`


# %%
class Value:
    """A number that remembers how it was computed.

    data: its value, a float.
    grad: a float, 0.0 at first; after out.backward() the derivative ∂out/∂self.

    Operands are Values or plain numbers, on either side: a + b, a - b, a * b, a / b, -a. Further
    a ** n with a plain number n, and the methods tanh(), relu(), exp(). Each makes a new Value
    and leaves its operands' data alone.
    A Value may be used any number of times, also twice in one operation.
    No chain of operations is longer than 500, so recursion is fine.
    Left open: the slope of relu at 0, all other attributes, and what a second backward() through
    the same Values gives.
    """

    def __init__(self, data, parents=()):
        self.data = float(data)
        self.grad = 0.0
        self.parents = tuple(parents)  # pairs (parent, ∂self/∂parent)

    @staticmethod
    def of(number):
        """The number itself if it is a Value, else a new Value."""
        return number if isinstance(number, Value) else Value(number)

    def __add__(self, other):
        ### BEGIN SOLUTION
        other = Value.of(other)
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])
        ### END SOLUTION

    def __mul__(self, other):
        ### BEGIN SOLUTION
        other = Value.of(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])
        ### END SOLUTION

    def __pow__(self, exponent):
        ### BEGIN SOLUTION
        slope = exponent * self.data ** (exponent - 1) if exponent else 0.0
        return Value(self.data**exponent, [(self, slope)])
        ### END SOLUTION

    def tanh(self):
        ### BEGIN SOLUTION
        out = np.tanh(self.data)
        return Value(out, [(self, 1 - out**2)])
        ### END SOLUTION

    def relu(self):
        ### BEGIN SOLUTION
        return Value(max(self.data, 0.0), [(self, float(self.data > 0))])
        ### END SOLUTION

    def exp(self):
        ### BEGIN SOLUTION
        out = np.exp(self.data)
        return Value(out, [(self, out)])
        ### END SOLUTION

    def backward(self):
        """Set the grad of every Value that self was computed from, and self.grad = 1."""
        ### BEGIN SOLUTION
        order, seen = [], set()

        def visit(node):  # depth first: writes a node down after everything it was computed from
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        for node in order:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad
        ### END SOLUTION

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -Value.of(other)

    def __truediv__(self, other):
        return self * Value.of(other) ** -1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return Value.of(other) - self

    def __rtruediv__(self, other):
        return Value.of(other) / self

    def __repr__(self):
        return f"Value({self.data:.4g}, grad={self.grad:.4g})"


# %% points=12
check(Value)

# %% [markdown]
# Your engine can train what the perceptron could not learn. The network below has two inputs, three tanh units
# and one linear output, 13 parameters. It follows the slope of the squared error on the four corners of XOR, from
# ten random starts.


# %% tags=["display-only", "open"]
def xor_with_values(hidden=3, starts=10, steps=200, learning_rate=0.1, enough=0.01):
    Number = working("Value")
    examples = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]

    def network(p, x1, x2):
        out = p[-1]
        for k in range(hidden):
            w1, w2, bias, v = p[4 * k : 4 * k + 4]
            out = out + v * (w1 * x1 + w2 * x2 + bias).tanh()
        return out

    fig, (left, right) = figure(1, 2, size=(9.2, 3.6))
    unsolved = 0
    for seed in range(starts):
        numbers, losses = np.random.default_rng(seed).normal(size=4 * hidden + 1), []
        for step in range(steps + 1):
            parameters = [Number(number) for number in numbers]
            errors = [network(parameters, *x) - target for x, target in examples]
            loss = 0.5 * sum((e * e for e in errors), Number(0.0))
            loss.backward()
            losses.append(loss.data)
            if loss.data < enough or step == steps:
                break
            numbers = numbers - learning_rate * np.array([p.grad for p in parameters])
        solved = losses[-1] < enough
        unsolved += not solved
        name = "solved" if solved else "not solved"
        label = name if name not in left.get_legend_handles_labels()[1] else None  # each once in the legend
        left.plot(losses, "-" if solved else "--", color=palette.blue if solved else palette.vermillion, label=label)
        print(f"start {seed}: error {losses[-1]:.3f} after {step:3d} steps{'' if solved else ', not solved'}")
        if seed == 0:
            ticks = np.linspace(-0.25, 1.25, 25)
            parameters = [Number(number) for number in numbers]
            surface = [[network(parameters, x1, x2).data for x1 in ticks] for x2 in ticks]
            above = [str(x) for x, _ in examples if network(parameters, *x).data > 0.5]
    left.set(yscale="log", xlabel="step of gradient descent", ylabel="squared error, summed")
    left.set_title(f"Learning XOR, {starts} random starts")
    left.legend(loc="upper right")
    right.contourf(ticks, ticks, surface, levels=[0.5, 99], colors=[palette.sky], alpha=0.35)
    for (x1, x2), target in examples:
        fill = palette.black if target else "white"
        right.plot(x1, x2, "o", markersize=10, color=palette.black, markerfacecolor=fill)
    right.set(title="Start 0: output above ½ where shaded", xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    right.set(xticks=[0, 1], yticks=[0, 1])
    show(
        fig,
        alt=f"Left: the squared error on XOR against the step, for {starts} random starts. Solved (solid lines, which "
        f"fall below {enough}): {starts - unsolved}. Not solved (dashed lines, which end higher): {unsolved}. "
        f"Right: the output of start 0 is above one half at these corners: {' and '.join(above) or 'none'}.",
    )


xor_with_values()

# %% [markdown]
# Two layers do what one cannot, and the gradient found the weights, from eight of ten starts within 200 steps. One
# of the other two needs 482 steps. The last one is still at 0.25 after 20,000: it found a flat valley that is not
# the answer. Following the slope promises a way down, neither the best answer nor a fast one. Change the call to
# `xor_with_values(hidden=2)`, or to 6, and count again.
#
# One Python object per number is slow. Real networks record the same graph with whole arrays as nodes. That is
# the next section.

# %% [markdown]
# ## 10 · A whole network
#
# Put the layers together: affine, tanh, affine, softmax cross-entropy. For a batch $X$ of shape $(N, D)$, $H$
# hidden units and $C$ classes:
#
# | forward | shape | backward | shape |
# |---|---|---|---|
# | $A = \tanh(X W_1^T + b_1)$ | $(N, H)$ | $E_1 = (E_2 W_2) \odot (1 - A^2)$ | $(N, H)$ |
# | $Z = A W_2^T + b_2$ | $(N, C)$ | $E_2 = (P - Y)/N$ | $(N, C)$ |
# | $L$ = mean cross-entropy of $Z$ | one number | $\partial L/\partial L = 1$ | one number |
#
# Read the left half downwards and the right half upwards. $P$ holds the softmax probabilities, $Y$ a 1 for each
# right class, $\odot$ multiplies entry by entry. $E_2$ and $E_1$ are the errors (10) and (11) of all examples at
# once. The weights' gradients are (12), summed over the batch: $\partial L/\partial W_2 = E_2^T A$,
# $\;\partial L/\partial W_1 = E_1^T X$, and the biases' are the column sums of $E_2$ and $E_1$.
#
# ### Exercise: `mlp_gradients`


# %%
def mlp_gradients(parameters, x, labels):
    """Loss and gradients of a network with one hidden tanh layer.

    parameters: dict with weight1 (H, D), bias1 (H,), weight2 (C, H), bias2 (C,).
    x: (N, D) array. labels: (N,) array of integers from 0 to C − 1.

    Returns (loss, gradients): the mean cross-entropy, a number, and a dict with the same four keys,
    each holding ∂loss/∂parameter in that parameter's shape.
    The gradients are new arrays at every call. Nothing is carried over from one call to the next,
    and neither the parameters nor the data are changed.
    """
    ### BEGIN SOLUTION
    rows = np.arange(len(labels))
    # Forward.
    hidden = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])  # (N, H)
    logits = hidden @ parameters["weight2"].T + parameters["bias2"]  # (N, C)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # (N, C)
    loss = -np.mean(log_probabilities[rows, labels])
    # Backward: the errors of the two layers.
    error2 = np.exp(log_probabilities)
    error2[rows, labels] -= 1
    error2 /= len(labels)  # (N, C)
    error1 = (error2 @ parameters["weight2"]) * (1 - hidden**2)  # (N, H)
    return loss, {
        "weight1": error1.T @ x,
        "bias1": error1.sum(axis=0),
        "weight2": error2.T @ hidden,
        "bias2": error2.sum(axis=0),
    }
    ### END SOLUTION


# %% points=12
check(mlp_gradients)

# %% [markdown]
# You now have the gradient of a real classifier. The network below has 64 inputs, 32 hidden units and 10 classes,
# so $64\cdot 32 + 32 + 32\cdot 10 + 10 = 2410$ parameters. We compute its gradient on 100 digits twice: with your
# function, and numerically.

# %% tags=["display-only"]
predict(
    "cost",
    "Both give the same 2410 numbers. How much longer does the numerical gradient take than backpropagation?",
    ["about twice as long", "some fifty times as long", "a thousand times or so", "a million times or so"],
)


# %% tags=["display-only"]
def the_price_of_a_gradient():
    from time import perf_counter

    backprop, numerical = working("mlp_gradients"), working("numerical_gradient")
    rng = np.random.default_rng(0)
    x, labels = digits.train.features[:100], digits.train.labels[:100]
    shapes = {"weight1": (32, 64), "bias1": (32,), "weight2": (10, 32), "bias2": (10,)}
    start = {name: rng.normal(size=shape) / 8 for name, shape in shapes.items()}
    losses = 0

    def forward_loss(p):
        nonlocal losses
        losses += 1
        logits = np.tanh(x @ p["weight1"].T + p["bias1"]) @ p["weight2"].T + p["bias2"]
        logits -= logits.max(axis=1, keepdims=True)
        return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(x)), labels])

    def seconds(f, repeats):
        times = []
        for _ in range(repeats):
            begin = perf_counter()
            result = f()
            times.append(perf_counter() - begin)
        return np.median(times), result  # the median: other programs run on this computer too

    def move_everything():
        return {
            name: numerical(lambda moved, name=name: forward_loss({**start, name: moved}), start[name])
            for name in start
        }

    one_loss, _ = seconds(lambda: forward_loss(start), 500)
    _, by_hand = backprop(start, x, labels)  # untimed: the first call may load PyTorch
    back, _ = seconds(lambda: backprop(start, x, labels), 200)
    losses = 0
    slow, by_moving = seconds(move_everything, 1)
    for name in start:
        gap = np.linalg.norm(by_hand[name] - by_moving[name]) / np.linalg.norm(by_moving[name])
        print(f"{name:8s} relative difference {gap:.0e}")
    print(f"In units of one loss: backpropagation {back / one_loss:.1f}, numerical gradient {slow / one_loss:.0f}.")
    print(f"The numerical gradient computed {losses} losses and took {slow / back:.0f} times as long.")
    reveal(
        "cost",
        2,
        "The numerical gradient needs two losses for each of the 2410 parameters. "
        "Backpropagation costs a few losses, however many parameters there are.",
    )


the_price_of_a_gradient()

# %% [markdown]
# That is the point of backpropagation. A gradient costs a small constant times the function itself, whatever the
# number of parameters (Baur and Strassen, 1983). AlexNet, at the end of this course, has 60,965,224 of them.

# %% [markdown]
# ## 11 · Training
#
# The loss over all training examples is $L(\theta)$, with $\theta$ for all parameters together. Gradient descent
# repeats
#
# $$\theta \leftarrow \theta - \eta\,\nabla L(\theta). \tag{16}$$
#
# To first order, $L$ changes by $-\eta \lVert \nabla L \rVert^2$: downwards, if the learning rate $\eta$ is small
# enough. Below is the loss of a network with two weights, $v \tanh(w x)$, seen from above. The data are six points
# near $y = 2 \tanh(x)$; $L$ is half the mean squared error. Three things to try:
#
# - Raise the learning rate. Where does the walk begin to jump, and where does it no longer arrive?
# - Find a start that ends in the other valley. Both are equally low, since $-v \tanh(-w x) = v \tanh(w x)$.
# - Start at $w = v = 0$. The lecture says that a small enough rate leads to a minimum, possibly a local one. Does
#   it here?

# %% tags=["display-only"]
from course_utils.widgets import loss_surface

loss_surface()

# %% [markdown]
# At $w = v = 0$ the slope is zero, and the walk never leaves, although lower ground lies on two sides: a
# *saddle*, not a minimum. Weights that are all zero are a bad place to start.
#
# **Mini-batches.** The mean gradient over a few examples, drawn anew each time, points in the right direction on
# average and costs a fraction. Shuffle the training set, cut it into batches of $B$ examples, and make one step
# for each batch. A round over all of them is an *epoch*. (Bottou and Bousquet, "The Tradeoffs of Large Scale
# Learning", 2007.)
#
# The lecture writes the gradient of a batch as $\frac{1}{i_2 - i_1} \sum_{i=i_1}^{i_2} \nabla L_i$. Count the
# terms. Is it a mean?


# %% tags=["display-only"]
def count_the_terms():
    gradients = working("mlp_gradients")
    rng = np.random.default_rng(0)
    shapes = {"weight1": (32, 64), "bias1": (32,), "weight2": (10, 32), "bias2": (10,)}
    p = {name: rng.normal(size=shape) / 8 for name, shape in shapes.items()}

    def gradient(first, last):  # of weight1 on examples first to last, counted from 1, both included
        rows = slice(first - 1, last)
        return gradients(p, digits.train.features[rows], digits.train.labels[rows])[1]["weight1"]

    i1, i2 = 101, 150
    total = sum(gradient(i, i) for i in range(i1, i2 + 1))
    mean = gradient(i1, i2)
    for name, divisor in (("i2 − i1", i2 - i1), ("i2 − i1 + 1", i2 - i1 + 1)):
        ratio = np.linalg.norm(total / divisor) / np.linalg.norm(mean)
        print(f"sum divided by {name:11s}: {ratio:.4f} times the gradient of the mean loss")


count_the_terms()

# %% [markdown]
# A sum with both ends included has $i_2 - i_1 + 1$ terms. The printed formula is $50/49$ of the mean. It does no
# harm here, but slips like this one are how factors of $N$ go wrong.
#
# **Where to start.** With all weights equal, all hidden units would compute the same and learn the same. Draw
# them at random, with a standard deviation of about $1/\sqrt{\text{number of inputs}}$, so that a unit's input
# neither vanishes nor saturates its tanh (LeCun, Bottou, Orr and Müller, *Efficient BackProp*, 1998, §4.6).
# Biases may start at zero. The notebook on initialization comes back to this.
#
# ### Exercise: `train_classifier`


# %%
def train_classifier(x, labels, seed):
    """Train a network by gradient descent on the cross-entropy, and return it as a function.

    x: (N, D) array, one image per row, pixels in [0, 1].
    labels: (N,) array of integers from 0 to C − 1; every class occurs.
    seed: an integer. All randomness comes from it: the same seed gives the same network.

    Returns predict: a function that takes an (M, D) array and returns (M,) integer labels.

    Tried on digits (D = 64, C = 10) with three seeds: the median accuracy on unseen ones must
    reach 0.93.
    Tried too on narrower images of six classes (D = 48, C = 6), where it must reach 0.93 as well.
    Pixels and classes come in a shuffled order, the same in training and test; a network does not
    notice.
    All this together must take less than ten seconds of one CPU core; two seconds are plenty.
    NumPy only. x and labels must not be changed.
    Left open: the architecture, the initialization, the batch size, the learning rate, the number
    of epochs.
    """
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    hidden_units, batch_size, epochs, learning_rate = 32, 32, 40, 0.5
    classes = labels.max() + 1
    weight1 = rng.normal(size=(hidden_units, x.shape[1])) / np.sqrt(x.shape[1])
    weight2 = rng.normal(size=(classes, hidden_units)) / np.sqrt(hidden_units)
    bias1, bias2 = np.zeros(hidden_units), np.zeros(classes)
    targets = np.eye(classes)[labels]  # (N, C), a 1 for each right class
    for _ in range(epochs):
        shuffled = rng.permutation(len(x))
        for start in range(0, len(x), batch_size):
            batch = shuffled[start : start + batch_size]
            hidden = np.tanh(x[batch] @ weight1.T + bias1)  # (B, H)
            logits = hidden @ weight2.T + bias2  # (B, C)
            exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
            probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
            error2 = (probabilities - targets[batch]) / len(batch)
            error1 = (error2 @ weight2) * (1 - hidden**2)  # before weight2 moves
            weight2 -= learning_rate * error2.T @ hidden
            bias2 -= learning_rate * error2.sum(axis=0)
            weight1 -= learning_rate * error1.T @ x[batch]
            bias1 -= learning_rate * error1.sum(axis=0)

    def predict(images):
        return np.argmax(np.tanh(images @ weight1.T + bias1) @ weight2.T + bias2, axis=1)

    return predict
    ### END SOLUTION


# %% points=6
check(train_classifier)

# %% [markdown]
# Look at what your network still gets wrong. Could you do better?


# %% tags=["display-only"]
def what_it_gets_wrong(most=8):
    network = working("train_classifier")(digits.train.features, digits.train.labels, seed=0)
    answers, labels = network(digits.validation.features), digits.validation.labels
    wrong = np.flatnonzero(answers != labels)
    print(f"{len(labels) - len(wrong)} of {len(labels)} validation digits are right.")
    fig, axes = figure(1, most, size=(1.2 * most, 1.7), images=True)
    for ax, index in zip(axes, wrong, strict=False):
        ax.imshow(digits.validation.images[index, 0], cmap="gray_r", vmin=0, vmax=1)
        ax.set_title(f"{answers[index]}, not {labels[index]}", fontsize=9)
    captions = "; ".join(
        f"{answers[index]} for {'an' if labels[index] == 8 else 'a'} {labels[index]}" for index in wrong[:most]
    )
    show(fig, alt=f"Digits that the network gets wrong, with its answers: {captions}.")


what_it_gets_wrong()

# %% [markdown]
# ## 12 · Experiment: what the hidden layer is for
#
# Does the hidden layer matter on real data, or only for XOR? We train two networks on the digits, each from four
# random starts: one layer (softmax of an affine map) and two layers (32 tanh units between). We give them two
# tasks: *which digit is it*, and *is the digit odd*.

# %% tags=["display-only"]
predict(
    "odd or even",
    "Is the digit odd? Guessing is right half of the time. How often is the network without a hidden layer right, "
    "on digits it has not seen?",
    [
        "about 50 %, no better than guessing",
        "about 90 %, and the hidden layer makes it clearly better",
        "about 97 %, and the hidden layer makes no difference",
    ],
)


# %% tags=["display-only"]
def one_layer_against_two(starts=4, epochs=40, batch_size=64, learning_rate=0.5):
    two_layers = working("mlp_gradients")
    loss_of, affine_back = working("softmax_cross_entropy"), working("affine_backward")

    def one_layer(p, x, labels):
        loss, error = loss_of(x @ p["weight1"].T + p["bias1"], labels)
        _, grad_weight, grad_bias = affine_back(error, x, p["weight1"])
        return loss, {"weight1": grad_weight, "bias1": grad_bias}

    def accuracy(p, x, labels):
        out = x @ p["weight1"].T + p["bias1"]
        if "weight2" in p:
            out = np.tanh(out) @ p["weight2"].T + p["bias2"]
        return np.mean(out.argmax(axis=1) == labels)

    def learning_curve(sizes, gradients, train_labels, test_labels, seed):
        rng, x, p, curve = np.random.default_rng(seed), digits.train.features, {}, []
        for k in range(1, len(sizes)):
            p[f"weight{k}"] = rng.normal(size=(sizes[k], sizes[k - 1])) / np.sqrt(sizes[k - 1])
            p[f"bias{k}"] = np.zeros(sizes[k])
        for _ in range(epochs):
            shuffled = rng.permutation(len(x))
            for batch in np.split(shuffled, range(batch_size, len(x), batch_size)):
                _, grads = gradients(p, x[batch], train_labels[batch])
                p = {name: p[name] - learning_rate * grads[name] for name in p}
            curve.append(accuracy(p, digits.test.features, test_labels))
        return curve

    fig, axes = figure(1, 2, size=(10, 3.7), sharey=True)
    tasks = (("Which digit is it?", 10, lambda labels: labels), ("Is the digit odd?", 2, lambda labels: labels % 2))
    for ax, (title, classes, task) in zip(axes, tasks, strict=True):
        targets = task(digits.train.labels), task(digits.test.labels)
        for name, sizes, gradients, color, style in (
            ("one layer", (64, classes), one_layer, palette.orange, "o--"),
            ("two layers", (64, 32, classes), two_layers, palette.blue, "s-"),
        ):
            curves = np.array([learning_curve(sizes, gradients, *targets, seed) for seed in range(starts)])
            mean, spread = curves.mean(axis=0), curves.std(axis=0, ddof=1)
            at = np.arange(3, epochs, 4)
            ax.errorbar(at + 1, mean[at], spread[at], fmt=style, color=color, capsize=3, markersize=4, label=name)
            print(f"{title:19s} {name:10s} after {epochs} epochs: {mean[-1]:.3f} ± {spread[-1]:.3f}")
        ax.set(title=title, xlabel="epoch", ylim=(0.8, 1.0))
    axes[0].set_ylabel("accuracy on 300 test digits")
    axes[0].legend(loc="lower right")
    show(
        fig,
        alt="Accuracy on test digits against the epoch, mean and standard deviation of four starts. Which digit: one "
        "layer and two layers both end near 0.96. Odd or even: one layer ends near 0.91, two layers near 0.97.",
    )


one_layer_against_two()

# %% tags=["display-only"]
reveal(
    "odd or even",
    1,
    "No plane has all odd digits on one side: they are five different shapes, with the even ones between them. "
    "It is XOR again, on real data.",
)

# %% [markdown]
# Is there a plane with one class on one side and all others on the other? A linear program can decide whether such
# a plane exists. On the training images it does for nine of the ten digits (the 8 is the exception). For the odd
# digits against the even ones it does not. A hidden layer gains little where planes are enough, and much where a
# class is made of several parts.
#
# How sure is that? The bars are the spread over four starts. Which 300 digits happen to be in the test set adds
# an uncertainty of $\sqrt{a(1-a)/300}$ to an accuracy $a$: 0.011 on the left, up to 0.016 on the right. So the
# gap on the left, 0.007, is smaller than that: it shows nothing. The one on the right, 0.058, is real. The long bar
# at epoch 12 is a single start that fell to 0.82 for one epoch. One run tells you little: repeat, and show the
# spread.

# %% [markdown]
# ## 13 · Find the bug
#
# A colleague wrote this backward pass for a linear layer, `out = x @ weight.T + bias`, and tried it on square
# layers. It runs, and all shapes are right. Let the numerical gradient look at it.


# %%
def broken_linear_backward(grad_out, x, weight):
    grad_x = grad_out @ weight
    grad_weight = x.T @ grad_out
    grad_bias = grad_out.mean(axis=0)
    return grad_x, grad_weight, grad_bias


# %% tags=["display-only"]
def look_at_the_broken_one():
    numerical, rng = working("numerical_gradient"), np.random.default_rng(3)
    x, weight, bias, Q = (rng.normal(size=shape) for shape in ((6, 4), (4, 4), (4,), (6, 4)))
    claimed = broken_linear_backward(Q, x, weight)
    measured = (
        numerical(lambda moved: np.sum(Q * (moved @ weight.T + bias)), x),
        numerical(lambda moved: np.sum(Q * (x @ moved.T + bias)), weight),
        numerical(lambda moved: np.sum(Q * (x @ weight.T + moved)), bias),
    )
    for name, a, b in zip(("grad_x", "grad_weight", "grad_bias"), claimed, measured, strict=True):
        gap = np.linalg.norm(a - b) / np.linalg.norm(b)
        verdict = "agrees" if gap < 1e-6 else "DOES NOT AGREE"
        print(f"{name:11s} shape {a.shape!s:7s} relative difference {gap:.0e}   {verdict}")


look_at_the_broken_one()

# %% [markdown]
# Two of three are wrong, each in its own way. Copy the body here and mend it. Change as little as you can, and
# say to yourself which line of section 4 each repair follows.
#
# ### Exercise: `repaired_linear_backward`


# %%
def repaired_linear_backward(grad_out, x, weight):
    """The backward pass of out = x · weightᵀ + bias, mended.

    grad_out: (N, M) array, ∂L/∂out. x: (N, D) array. weight: (M, D) array, (out, in).

    Returns (grad_x, grad_weight, grad_bias), of shapes (N, D), (M, D) and (M,).
    """
    ### BEGIN SOLUTION
    grad_x = grad_out @ weight
    grad_weight = grad_out.T @ x  # (M, N) @ (N, D): was transposed, unseen while M = D
    grad_bias = grad_out.sum(axis=0)  # the mean, if any, is in grad_out already
    return grad_x, grad_weight, grad_bias
    ### END SOLUTION


# %% points=6
check(repaired_linear_backward)

# %% [markdown]
# Remember the trick that found it: a small random input, a loss $\sum Q \odot \text{out}$, central differences in
# float64. And test with a layer that is *not* square, where a transposed gradient cannot hide.

# %% [markdown]
# ## 14 · In your own words
#
# This question is read by a person. A few sentences with formulas are enough; you need no code.
#
# Let $s = x \cdot x$ and $y = s \cdot s + s$, at $x = 2$. Call the product $q = s \cdot s$, so $y = q + s$.
#
# 1. Why must the contributions that reach $s$ be *added*? Give $\partial y/\partial s$ and
#    $\partial y/\partial x$.
# 2. An engine adds correctly, but handles the nodes in the order $y, s, q, x$. Which `x.grad` does it report, and
#    why? Which order is right, and what property must an order have in general?

# %% [markdown] written="shared_nodes" points=4
# **Model answer.** A small change of $s$ changes $y$ along every path from $s$ to $y$: through the left factor of
# $q$, through its right factor, and directly. To first order these changes add up, which is the sum in the chain
# rule (6). With $s = 4$: $\partial y/\partial s = s + s + 1 = 9$ and $\partial y/\partial x = 9 \cdot 2x = 36$.
#
# In the order $y, s, q, x$, handling $y$ gives $q$ and $s$ a gradient of 1 each. Then $s$ passes on what it has,
# 1, so `x.grad` $= 1 \cdot (x + x) = 4$. Only afterwards does $q$ add $4 + 4$ to `s.grad`, which becomes 9, but
# $s$ is not handled again. The report is 4 instead of 36. The right order is $y, q, s, x$. In general every node
# must come after all nodes that use it: a topological order, read from its end. Then its gradient is complete
# before it is passed on.
#
# **Marking.** 1 point: contributions add because the chain rule sums over all paths (or uses). 1 point: 9 and 36.
# 1 point: 4, because $s$ passed its gradient on before $q$'s share had arrived. 1 point: $y, q, s, x$, with the
# general property. Accept "topological order" in either direction if the explanation is right. Follow-up errors
# cost nothing.

# %% [markdown]
# ## Where you are
#
# The exercises have 96 points, and 4 are for the written question, which a person marks.

# %% tags=["display-only"]
progress()

# %% [markdown]
# **The next notebook**, *The arithmetic of convolution*, replaces the affine layer by one whose weights are
# shared between many places of an image. It uses three things from here:
#
# - the chain rule as a sum over all uses (6), because a shared weight is used often;
# - the backward pass of the affine layer, because a convolution is one in disguise;
# - `numerical_gradient`, to judge it all.
#
# **To read next**
#
# - D. Rumelhart, G. Hinton, R. Williams, "Learning representations by back-propagating errors", *Nature* 323
#   (1986): four pages. You have derived their equations.
# - A. Karpathy, *micrograd* (2020): the engine of section 9 in 94 lines.
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning* (2016), chapter 6, for networks, and §6.5 for
#   backpropagation on graphs of arrays.
# - A. Griewank, A. Walther, *Evaluating Derivatives* (2008), for what automatic differentiation costs, with
#   proofs.
# - Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, "Efficient BackProp" (1998): what you need to know before the
#   notebooks on initialization and optimizers.
