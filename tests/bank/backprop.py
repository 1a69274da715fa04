"""What students write in 01_backprop: correct in other styles, and wrong in the ways the bank knows."""

import numpy as np

from tests.bank import value_stub
from tests.bank.registry import alternative, mistaken, mistaken_sources

# --- perceptron_step --------------------------------------------------------------------------------------------


@alternative("perceptron_step", "if and else")
def perceptron_step(weights, bias, x, target, learning_rate):
    fired = np.dot(weights, x) + bias > 0
    if target == 1 and not fired:
        return weights + learning_rate * x, bias + learning_rate
    if target == 0 and fired:
        return weights - learning_rate * x, bias - learning_rate
    return weights, bias


@alternative("perceptron_step", "loops over Python floats")
def perceptron_step(weights, bias, x, target, learning_rate):
    total = bias
    for w, v in zip(weights, x):
        total += w * v
    error = target - (1 if total > 0 else 0)
    new = [w + learning_rate * error * v for w, v in zip(weights, x)]
    return np.array(new), bias + learning_rate * error


@alternative("perceptron_step", "bias as one more weight, float32")
def perceptron_step(weights, bias, x, target, learning_rate):
    w = np.append(weights, bias).astype(np.float32)
    v = np.append(x, 1).astype(np.float32)
    w = w + learning_rate * (target - np.heaviside(w @ v, 0)) * v
    return w[:-1], w[-1]


@mistaken("perceptron_step", "fires at zero")
def perceptron_step(weights, bias, x, target, learning_rate):
    y = int(weights @ x + bias >= 0)
    step = learning_rate * (target - y)
    return weights + step * x, bias + step


@mistaken("perceptron_step", "bias not updated")
def perceptron_step(weights, bias, x, target, learning_rate):
    y = 1 if weights @ x + bias > 0 else 0
    return weights + learning_rate * (target - y) * x, bias


@mistaken("perceptron_step", "learning rate forgotten")
def perceptron_step(weights, bias, x, target, learning_rate):
    y = 1 if weights @ x + bias > 0 else 0
    error = target - y
    return weights + error * x, bias + error


@mistaken("perceptron_step", "sign reversed")
def perceptron_step(weights, bias, x, target, learning_rate):
    y = 1 if weights @ x + bias > 0 else 0
    return weights + learning_rate * (y - target) * x, bias + learning_rate * (y - target)


@mistaken("perceptron_step", "error without its sign")
def perceptron_step(weights, bias, x, target, learning_rate):
    y = 1 if weights @ x + bias > 0 else 0
    if y != target:
        weights = weights + learning_rate * x
        bias = bias + learning_rate
    return weights, bias


@mistaken("perceptron_step", "error of the sum, not of the output")
def perceptron_step(weights, bias, x, target, learning_rate):
    output = np.sum(weights * x) + bias
    error = target - output
    return weights + learning_rate * error * x, bias + learning_rate * error


@mistaken("perceptron_step", "moves without a mistake")
def perceptron_step(weights, bias, x, target, learning_rate):
    if target == 1:
        return weights + learning_rate * x, bias + learning_rate
    return weights - learning_rate * x, bias - learning_rate


@mistaken("perceptron_step", "bias left out of the decision")
def perceptron_step(weights, bias, x, target, learning_rate):
    y = 1 if weights @ x > 0 else 0
    error = target - y
    return weights + learning_rate * error * x, bias + learning_rate * error


# --- relu_interpolation -----------------------------------------------------------------------------------------


@alternative("relu_interpolation", "running slope")
def relu_interpolation(knots, values):
    coefficients, slope = [], 0.0
    for i in range(len(knots) - 1):
        wanted = (values[i + 1] - values[i]) / (knots[i + 1] - knots[i])
        coefficients.append(wanted - slope)
        slope = wanted
    return np.array(coefficients)


@alternative("relu_interpolation", "differences of differences")
def relu_interpolation(knots, values):
    slopes = np.diff(values) / np.diff(knots)
    return np.diff(slopes, prepend=0.0)


@alternative("relu_interpolation", "least squares over all knots")
def relu_interpolation(knots, values):
    features = np.maximum(knots[:, None] - knots[None, :-1], 0)
    return np.linalg.lstsq(features.astype(float), values - values[0], rcond=None)[0]


@alternative("relu_interpolation", "one coefficient after the other, float32")
def relu_interpolation(knots, values):
    knots, values = knots.astype(np.float32), values.astype(np.float32)
    c = np.zeros(len(knots) - 1, dtype=np.float32)
    for j in range(1, len(knots)):
        so_far = values[0] + sum(c[i] * max(knots[j] - knots[i], 0) for i in range(j - 1))
        c[j - 1] = (values[j] - so_far) / (knots[j] - knots[j - 1])
    return c


@mistaken("relu_interpolation", "slopes instead of slope changes")
def relu_interpolation(knots, values):
    return np.array([(values[i + 1] - values[i]) / (knots[i + 1] - knots[i]) for i in range(len(knots) - 1)])


@mistaken("relu_interpolation", "spacing of the knots forgotten")
def relu_interpolation(knots, values):
    rises = values[1:] - values[:-1]
    c = np.zeros(len(rises))
    c[0] = rises[0]
    c[1:] = rises[1:] - rises[:-1]
    return c


@mistaken("relu_interpolation", "slope change reversed")
def relu_interpolation(knots, values):
    slopes = np.diff(values) / np.diff(knots)
    c = slopes.copy()
    for i in range(1, len(c)):
        c[i] = slopes[i - 1] - slopes[i]
    return c


@mistaken("relu_interpolation", "starting value ignored")
def relu_interpolation(knots, values):
    n = len(knots) - 1
    matrix = np.zeros((n, n))
    for row in range(n):
        for column in range(row + 1):
            matrix[row, column] = knots[row + 1] - knots[column]
    return np.linalg.inv(matrix) @ values[1:]


@mistaken("relu_interpolation", "first slope left out")
def relu_interpolation(knots, values):
    slopes = np.diff(values) / np.diff(knots)
    c = np.zeros(len(knots) - 1)
    c[1:] = slopes[1:] - slopes[:-1]
    return c


@mistaken("relu_interpolation", "rounded to whole numbers")
def relu_interpolation(knots, values):
    c = np.zeros_like(values[1:])
    slopes = np.diff(values) / np.diff(knots)
    c[0] = slopes[0]
    for i in range(1, len(slopes)):
        c[i] = slopes[i] - slopes[i - 1]
    return c


@mistaken("relu_interpolation", "last coefficient subtracted, not the last slope")
def relu_interpolation(knots, values):
    c = np.zeros(len(knots) - 1)
    previous = 0.0
    for i in range(len(c)):
        slope = (values[i + 1] - values[i]) / (knots[i + 1] - knots[i])
        c[i] = slope - previous
        previous = c[i]
    return c


@mistaken("relu_interpolation", "one coefficient too few")
def relu_interpolation(knots, values):
    slopes = (values[1:] - values[:-1]) / (knots[1:] - knots[:-1])
    return slopes[1:] - slopes[:-1]


# --- numerical_gradient -----------------------------------------------------------------------------------------


@alternative("numerical_gradient", "in place, value put back")
def numerical_gradient(f, x, step=1e-5):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + step
        above = f(x)
        x[index] = old - step
        below = f(x)
        x[index] = old
        gradient[index] = (above - below) / (2 * step)
    return gradient


@alternative("numerical_gradient", "unit vectors")
def numerical_gradient(f, x, step=1e-5):
    bumps = step * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([(f(x + b) - f(x - b)) / (2 * step) for b in bumps]).reshape(x.shape)


@alternative("numerical_gradient", "up, down and up again")
def numerical_gradient(f, x, step=1e-5):
    gradient = np.zeros_like(x)
    for i in range(x.size):
        x.flat[i] += step
        above = f(x)
        x.flat[i] -= 2 * step
        below = f(x)
        x.flat[i] += step  # not exactly the old value, but within rounding
        gradient.flat[i] = (above - below) / step / 2
    return gradient


@alternative("numerical_gradient", "nditer over a float64 copy")
def numerical_gradient(f, x, step=1e-5):
    z = np.array(x, dtype=np.float64)
    gradient = np.empty_like(z)
    walk = np.nditer(z, flags=["multi_index"])
    for value in walk:
        i, keep = walk.multi_index, float(value)
        z[i] = keep + step
        gradient[i] = f(z)
        z[i] = keep - step
        gradient[i] -= f(z)
        z[i] = keep
    return gradient / (2 * step)


@mistaken("numerical_gradient", "one-sided difference")
def numerical_gradient(f, x, step=1e-5):
    gradient = np.zeros_like(x)
    start = f(x)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + step
        gradient[index] = (f(x) - start) / step
        x[index] = old
    return gradient


@mistaken("numerical_gradient", "divided by h instead of 2h")
def numerical_gradient(f, x, step=1e-5):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (f(up) - f(down)) / step
    return gradient


@mistaken("numerical_gradient", "x not put back")
def numerical_gradient(f, x, step=1e-5):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        x[index] += step
        above = f(x)
        x[index] -= 2 * step
        below = f(x)
        gradient[index] = (above - below) / (2 * step)
    return gradient


@mistaken("numerical_gradient", "all entries moved at once")
def numerical_gradient(f, x, step=1e-5):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        gradient[index] = (f(x + step) - f(x - step)) / (2 * step)
    return gradient


@mistaken("numerical_gradient", "a flattened copy is moved")
def numerical_gradient(f, x, step=1e-5):
    flat = x.reshape(-1)
    gradient = np.zeros(x.size)
    for i in range(x.size):
        old = flat[i]
        flat[i] = old + step
        above = f(x)
        flat[i] = old - step
        below = f(x)
        flat[i] = old
        gradient[i] = (above - below) / (2 * step)
    return gradient.reshape(x.shape)


@mistaken("numerical_gradient", "step ignored")
def numerical_gradient(f, x, step=1e-5):
    eps = 1e-5
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + eps
        above = f(x)
        x[index] = old - eps
        below = f(x)
        x[index] = old
        gradient[index] = (above - below) / (2 * eps)
    return gradient


@mistaken("numerical_gradient", "a step too small for float32")
def numerical_gradient(f, x, step=1e-5):
    h = 1e-8
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + h
        above = f(x)
        x[index] = old - h
        below = f(x)
        x[index] = old
        gradient[index] = (above - below) / (2 * h)
    return gradient


@mistaken("numerical_gradient", "multiplied by the step")
def numerical_gradient(f, x, step=1e-5):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + step
        above = f(x)
        x[index] = old - step
        below = f(x)
        x[index] = old
        gradient[index] = (above - below) / 2 * step
    return gradient


@mistaken("numerical_gradient", "all entries moved at once")
def numerical_gradient(f, x, step=1e-5):
    return (f(x + step) - f(x - step)) / (2 * step)


@mistaken("numerical_gradient", "only the first axis is walked")
def numerical_gradient(f, x, step=1e-5):
    gradient = np.zeros_like(x)
    for i in range(len(x)):
        up, down = x.copy(), x.copy()
        up[i] += step
        down[i] -= step
        gradient[i] = (f(up) - f(down)) / (2 * step)
    return gradient


@mistaken("numerical_gradient", "one entry for each row")
def numerical_gradient(f, x, step=1e-5):
    gradient = np.zeros(len(x))
    for i in range(len(x)):
        x[i] += step
        above = f(x)
        x[i] -= 2 * step
        below = f(x)
        x[i] += step
        gradient[i] = (above - below) / (2 * step)
    return gradient


@mistaken("numerical_gradient", "the old row moves along")
def numerical_gradient(f, x, step=1e-5):
    gradient = np.zeros_like(x)
    for i in range(len(x)):
        old = x[i]
        x[i] = old + step
        above = f(x)
        x[i] = old - step
        below = f(x)
        x[i] = old
        gradient[i] = (above - below) / (2 * step)
    return gradient


# --- affine_forward ---------------------------------------------------------------------------------------------


@alternative("affine_forward", "einsum")
def affine_forward(x, weight, bias):
    return np.einsum("ni,oi->no", x, weight) + bias


@alternative("affine_forward", "three loops")
def affine_forward(x, weight, bias):
    out = np.zeros((x.shape[0], weight.shape[0]))
    for n in range(x.shape[0]):
        for o in range(weight.shape[0]):
            for i in range(x.shape[1]):
                out[n, o] += x[n, i] * weight[o, i]
            out[n, o] += bias[o]
    return out


@alternative("affine_forward", "bias as one more column, float32")
def affine_forward(x, weight, bias):
    ones = np.ones((len(x), 1), dtype=np.float32)
    longer = np.concatenate([x.astype(np.float32), ones], axis=1)
    return longer @ np.column_stack([weight, bias]).astype(np.float32).T


@alternative("affine_forward", "transposed at the end")
def affine_forward(x, weight, bias):
    return (weight @ x.T + bias[:, None]).T


@mistaken("affine_forward", "weight not transposed")
def affine_forward(x, weight, bias):
    return x @ weight + bias


@mistaken("affine_forward", "weight reshaped instead of transposed")
def affine_forward(x, weight, bias):
    return np.dot(x, weight.reshape(x.shape[1], -1)) + bias


@mistaken("affine_forward", "bias forgotten")
def affine_forward(x, weight, bias):
    return x @ weight.T


@mistaken("affine_forward", "bias subtracted")
def affine_forward(x, weight, bias):
    return x @ weight.T - bias


@mistaken("affine_forward", "bias added once per input")
def affine_forward(x, weight, bias):
    out = np.zeros((len(x), len(weight)))
    for n in range(len(x)):
        for o in range(len(weight)):
            for i in range(x.shape[1]):
                out[n, o] += x[n, i] * weight[o, i] + bias[o]
    return out


@mistaken("affine_forward", "weight in front of x")
def affine_forward(x, weight, bias):
    return weight @ x + bias


@mistaken("affine_forward", "one column for each example")
def affine_forward(x, weight, bias):
    return np.dot(weight, x.T) + bias


# --- affine_backward --------------------------------------------------------------------------------------------


@alternative("affine_backward", "einsum")
def affine_backward(grad_out, x, weight):
    grad_x = np.einsum("no,oi->ni", grad_out, weight)
    grad_weight = np.einsum("no,ni->oi", grad_out, x)
    return grad_x, grad_weight, np.einsum("no->o", grad_out)


@alternative("affine_backward", "example by example")
def affine_backward(grad_out, x, weight):
    grad_x = np.zeros(x.shape)
    grad_weight = np.zeros(weight.shape)
    grad_bias = np.zeros(weight.shape[0])
    for n in range(len(x)):
        grad_x[n] = weight.T @ grad_out[n]
        grad_weight += np.outer(grad_out[n], x[n])
        grad_bias += grad_out[n]
    return [grad_x, grad_weight, grad_bias]


@alternative("affine_backward", "products transposed, float32")
def affine_backward(grad_out, x, weight):
    g = grad_out.astype(np.float32)
    ones = np.ones(len(g), dtype=np.float32)
    return (weight.T.astype(np.float32) @ g.T).T, (x.T.astype(np.float32) @ g).T, ones @ g


@mistaken("affine_backward", "weight read as (in, out)")
def affine_backward(grad_out, x, weight):
    return grad_out @ weight.T, x.T @ grad_out, grad_out.sum(axis=0)


@mistaken("affine_backward", "weight gradient transposed")
def affine_backward(grad_out, x, weight):
    return np.dot(grad_out, weight), np.dot(x.T, grad_out), np.sum(grad_out, 0)


@mistaken("affine_backward", "bias gradient summed to one number")
def affine_backward(grad_out, x, weight):
    return grad_out @ weight, grad_out.T @ x, np.sum(grad_out)


@mistaken("affine_backward", "bias gradient left broadcast")
def affine_backward(grad_out, x, weight):
    db = grad_out * np.ones(weight.shape[0])
    return grad_out @ weight, grad_out.T @ x, db


@mistaken("affine_backward", "bias gradient summed along the wrong axis")
def affine_backward(grad_out, x, weight):
    return grad_out @ weight, grad_out.T @ x, np.sum(grad_out, axis=-1)


@mistaken("affine_backward", "bias gradient keeps its batch axis")
def affine_backward(grad_out, x, weight):
    return grad_out @ weight, grad_out.T @ x, np.ones((1, len(x))) @ grad_out


@mistaken("affine_backward", "averaged over the batch")
def affine_backward(grad_out, x, weight):
    n = x.shape[0]
    dw = np.zeros(weight.shape)
    db = np.zeros(weight.shape[0])
    for i in range(n):
        dw += np.outer(grad_out[i], x[i]) / n
        db += grad_out[i] / n
    return grad_out @ weight, dw, db


@mistaken("affine_backward", "only the bias gradient averaged")
def affine_backward(grad_out, x, weight):
    return grad_out @ weight, grad_out.T @ x, np.mean(grad_out, axis=0)


@mistaken("affine_backward", "averaged over the batch")
def affine_backward(grad_out, x, weight):
    grad_out /= len(x)
    return grad_out @ weight, grad_out.T @ x, grad_out.sum(axis=0)


@mistaken("affine_backward", "averaged over the batch")
def affine_backward(grad_out, x, weight):
    n = len(x)
    return grad_out @ weight / n, grad_out.T @ x / n, grad_out.sum(axis=0) / n


@mistaken("affine_backward", "right values, other order")
def affine_backward(grad_out, x, weight):
    return grad_out.T @ x, grad_out.sum(axis=0), grad_out @ weight


@mistaken("affine_backward", "right values, other order")
def affine_backward(grad_out, x, weight):
    return grad_out.T @ x, grad_out @ weight, grad_out.sum(axis=0)


@mistaken("affine_backward", "rounded to whole numbers")
def affine_backward(grad_out, x, weight):
    grad_x, grad_weight, grad_bias = np.zeros_like(x), np.zeros_like(weight), np.zeros(len(weight))
    for n in range(x.shape[0]):
        for o in range(weight.shape[0]):
            grad_bias[o] += grad_out[n, o]
            for i in range(x.shape[1]):
                grad_x[n, i] += grad_out[n, o] * weight[o, i]
                grad_weight[o, i] += grad_out[n, o] * x[n, i]
    return grad_x, grad_weight, grad_bias


@mistaken("affine_backward", "rounded to whole numbers")
def affine_backward(grad_out, x, weight):
    grad_x = np.empty_like(x)
    for n in range(len(x)):
        grad_x[n] = grad_out[n] @ weight
    return grad_x, grad_out.T @ x, grad_out.sum(axis=0)


@mistaken("affine_backward", "floats added into integers")
def affine_backward(grad_out, x, weight):
    grad_weight = np.zeros_like(weight)
    for n in range(len(x)):
        grad_weight += np.outer(grad_out[n], x[n])
    return grad_out @ weight, grad_weight, grad_out.sum(axis=0)


# --- relu_backward ----------------------------------------------------------------------------------------------


@alternative("relu_backward", "where")
def relu_backward(grad_out, x):
    return np.where(x > 0, grad_out, 0)


@alternative("relu_backward", "copy and clear, slope 1 at 0")
def relu_backward(grad_out, x):
    grad = grad_out.copy()
    grad[x < 0] = 0
    return grad


@alternative("relu_backward", "half at 0, float32")
def relu_backward(grad_out, x):
    return (grad_out * (np.sign(x) + 1) / 2).astype(np.float32)


@alternative("relu_backward", "loop over a flat view")
def relu_backward(grad_out, x):
    grad = np.zeros(x.shape)
    for i, value in enumerate(x.flat):
        if value > 0:
            grad.flat[i] = grad_out.flat[i]
    return grad


@mistaken("relu_backward", "upstream gradient forgotten")
def relu_backward(grad_out, x):
    return np.where(x > 0, 1.0, 0.0)


@mistaken("relu_backward", "upstream gradient forgotten")
def relu_backward(grad_out, x):
    return x > 0


@mistaken("relu_backward", "the gradient decides, not the input")
def relu_backward(grad_out, x):
    grad = grad_out.copy()
    grad[grad < 0] = 0
    return grad


@mistaken("relu_backward", "both must be positive")
def relu_backward(grad_out, x):
    return np.where((x > 0) & (grad_out > 0), grad_out, 0.0)


@mistaken("relu_backward", "multiplied by the output, not by the slope")
def relu_backward(grad_out, x):
    out = x * (x > 0)
    return grad_out * out


@mistaken("relu_backward", "open and shut swapped")
def relu_backward(grad_out, x):
    return np.where(x > 0, 0.0, grad_out)


@mistaken("relu_backward", "0 / 0 at zero")
def relu_backward(grad_out, x):
    return grad_out * np.maximum(0, x) / x


# --- tanh_backward ----------------------------------------------------------------------------------------------


@alternative("tanh_backward", "two factors")
def tanh_backward(grad_out, out):
    return grad_out * (1 - out) * (1 + out)


@alternative("tanh_backward", "number by number")
def tanh_backward(grad_out, out):
    pairs = zip(grad_out.ravel(), out.ravel())
    return np.array([g - g * y * y for g, y in pairs]).reshape(out.shape)


@alternative("tanh_backward", "float32")
def tanh_backward(grad_out, out):
    y = out.astype(np.float32)
    return grad_out.astype(np.float32) * (1 - np.square(y))


@mistaken("tanh_backward", "tanh applied a second time")
def tanh_backward(grad_out, out):
    y = np.tanh(out)
    return grad_out * (1 - y * y)


@mistaken("tanh_backward", "upstream gradient forgotten")
def tanh_backward(grad_out, out):
    return 1 - np.square(out)


@mistaken("tanh_backward", "square forgotten")
def tanh_backward(grad_out, out):
    return grad_out - grad_out * out


@mistaken("tanh_backward", "derivative of the sigmoid")
def tanh_backward(grad_out, out):
    return (out - out**2) * grad_out


# --- softmax_cross_entropy --------------------------------------------------------------------------------------


@alternative("softmax_cross_entropy", "one example at a time")
def softmax_cross_entropy(logits, labels):
    import math

    n, classes = logits.shape
    loss, grad = 0.0, np.zeros((n, classes))
    for i in range(n):
        top = max(logits[i])
        norm = sum(math.exp(z - top) for z in logits[i])
        loss += math.log(norm) - (logits[i, labels[i]] - top)
        for j in range(classes):
            grad[i, j] = math.exp(logits[i, j] - top) / norm / n
        grad[i, labels[i]] -= 1 / n
    return loss / n, grad


@alternative("softmax_cross_entropy", "logaddexp and one-hot")
def softmax_cross_entropy(logits, labels):
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    one_hot = labels[:, None] == np.arange(logits.shape[1])
    loss = -log_p[one_hot].mean()
    return loss, (np.exp(log_p) - one_hot) / len(labels)


@alternative("softmax_cross_entropy", "through the Jacobian of softmax")
def softmax_cross_entropy(logits, labels):
    n, c = logits.shape
    z = logits - logits.max(axis=1, keepdims=True)
    sums = np.exp(z).sum(axis=1, keepdims=True)
    rows = np.arange(n)
    # d(log p[label]) / dz, one row of the Jacobian of log-softmax per example
    jacobian = np.eye(c)[None] - (np.exp(z) / sums)[:, None, :]
    return np.mean(np.log(sums[:, 0]) - z[rows, labels]), -jacobian[rows, labels] / n


@alternative("softmax_cross_entropy", "float32")
def softmax_cross_entropy(logits, labels):
    z = (logits - logits.max(axis=1, keepdims=True)).astype(np.float32)
    log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    grad = np.exp(log_p)
    grad[np.arange(len(z)), labels] -= 1
    return np.float32(-log_p[np.arange(len(z)), labels].mean()), grad / np.float32(len(z))


@mistaken("softmax_cross_entropy", "exponential overflows")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(n), labels]).mean()
    p[np.arange(n), labels] -= 1
    return loss, p / n


@mistaken("softmax_cross_entropy", "logarithm of a vanished probability")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(n), labels]).mean()
    p[np.arange(n), labels] -= 1
    return loss, p / n


@mistaken("softmax_cross_entropy", "a small number inside the logarithm")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.zeros_like(p)
    y[np.arange(n), labels] = 1
    return -np.sum(y * np.log(p + 1e-12)) / n, (p - y) / n


@mistaken("softmax_cross_entropy", "summed over the batch")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    z = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = np.eye(logits.shape[1])[labels]
    return -np.log(p[np.arange(n), labels]).sum(), p - y


@mistaken("softmax_cross_entropy", "gradient not divided by N")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    grad = np.exp(log_p)
    grad[range(n), labels] -= 1
    return -log_p[range(n), labels].mean(), grad


@mistaken("softmax_cross_entropy", "gradient divided by N twice")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    y = np.eye(logits.shape[1])[labels]
    grad = (np.exp(log_p) - y) / n
    return -(y * log_p).sum() / n, grad / n


@mistaken("softmax_cross_entropy", "one-hot label forgotten")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(n), labels].mean(), np.exp(log_p) / n


@mistaken("softmax_cross_entropy", "gradient times p(1 − p)")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(logits.shape[1])[labels]
    return -np.log(p[np.arange(n), labels]).mean(), (p - y) * p * (1 - p) / n


@mistaken("softmax_cross_entropy", "sign reversed")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    y = np.eye(logits.shape[1])[labels]
    return -np.sum(y * log_p) / n, (y - np.exp(log_p)) / n


@mistaken("softmax_cross_entropy", "averaged over the classes as well")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(logits.shape[1])[labels]
    return np.mean(-y * np.log(p)), (p - y) / n


@mistaken("softmax_cross_entropy", "softmax over the batch")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    e = np.exp(logits - logits.max(axis=0))
    p = e / e.sum(axis=0)
    y = np.eye(logits.shape[1])[labels]
    return -np.log(p[np.arange(n), labels]).mean(), (p - y) / n


@mistaken("softmax_cross_entropy", "one maximum for the whole batch")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    z = logits - logits.max()
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    grad = np.exp(log_p)
    grad[np.arange(n), labels] -= 1
    return -log_p[np.arange(n), labels].mean(), grad / n


@mistaken("softmax_cross_entropy", "one maximum for the whole batch")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    e = np.exp(logits - np.max(logits))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(logits.shape[1])[labels]
    return -np.log(p[np.arange(n), labels]).mean(), (p - y) / n


@mistaken("softmax_cross_entropy", "one maximum for the whole batch")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    e = np.exp(logits - logits.max())
    y = np.eye(logits.shape[1])[labels]
    log_p = logits - logits.max() - np.log(e.sum(axis=1, keepdims=True))
    return -np.sum(y * log_p) / n, (e / e.sum(axis=1, keepdims=True) - y) / n


@mistaken("softmax_cross_entropy", "exponential overflows")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    e = np.exp(logits)
    sums = e.sum(axis=1, keepdims=True)
    y = np.eye(logits.shape[1])[labels]
    return np.mean(np.log(sums[:, 0]) - logits[np.arange(n), labels]), (e / sums - y) / n


@mistaken("softmax_cross_entropy", "every label's column for every example")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    grad = np.exp(log_p)
    grad[:, labels] -= 1
    return -log_p[:, labels].mean(), grad / n


@mistaken("softmax_cross_entropy", "every label's column for every example")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    z = logits - logits.max(axis=1, keepdims=True)
    loss = np.log(np.exp(z).sum(axis=1, keepdims=True)) - z[:, labels]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return loss.mean(), (p - np.eye(z.shape[1])[labels]) / n


@mistaken("softmax_cross_entropy", "every label's column for every example")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    z = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss = -np.log(p[:, labels]).mean()
    p[:, labels] -= 1
    return loss, p / n


@mistaken("softmax_cross_entropy", "gradient only at the label")
def softmax_cross_entropy(logits, labels):
    n = len(labels)
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    grad = np.zeros(z.shape)
    for i in range(n):
        grad[i, labels[i]] = (np.exp(log_p[i, labels[i]]) - 1) / n
    return -log_p[np.arange(n), labels].mean(), grad


# --- unbroadcast ------------------------------------------------------------------------------------------------


@alternative("unbroadcast", "one axis after the other")
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


@alternative("unbroadcast", "one sum and a reshape")
def unbroadcast(grad, shape):
    padded = (1,) * (grad.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, n in enumerate(padded) if n == 1)
    return grad.sum(axis=axes).reshape(shape)


@alternative("unbroadcast", "element by element, float32")
def unbroadcast(grad, shape):
    out = np.zeros(shape, dtype=np.float32)
    for index in np.ndindex(grad.shape):
        target = tuple(0 if n == 1 else i for n, i in zip(shape[::-1], index[::-1]))[::-1]
        out[target] += grad[index]
    return out


@mistaken("unbroadcast", "leading axes not summed")
def unbroadcast(grad, shape):
    axes = tuple(i for i in range(len(shape)) if shape[i] == 1)
    return np.sum(grad, axis=axes, keepdims=True) if axes else grad


@mistaken("unbroadcast", "stretched axes not summed")
def unbroadcast(grad, shape):
    while len(grad.shape) > len(shape):
        grad = grad.sum(0)
    return grad


@mistaken("unbroadcast", "axes of one dropped")
def unbroadcast(grad, shape):
    extra = grad.ndim - len(shape)
    axes = list(range(extra))
    for i, n in enumerate(shape):
        if n == 1:
            axes.append(extra + i)
    return np.sum(grad, axis=tuple(axes))


@mistaken("unbroadcast", "averaged instead of summed")
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.mean(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            grad = grad.mean(axis=axis, keepdims=True)
    return grad


@mistaken("unbroadcast", "one copy kept, the others dropped")
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad[0]
    for axis, n in enumerate(shape):
        if n == 1:
            grad = np.take(grad, [0], axis=axis)
    return grad


@mistaken("unbroadcast", "axes matched from the left")
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=-1)
    for axis, n in enumerate(shape):
        if n == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


@mistaken("unbroadcast", "axes of one move up while they are summed")
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for i, n in enumerate(shape):
        if n == 1:
            grad = grad.sum(axis=i)
    return grad


@mistaken("unbroadcast", "new axes move up while they are summed")
def unbroadcast(grad, shape):
    for axis in range(grad.ndim - len(shape)):
        grad = grad.sum(axis=axis)
    for axis, n in enumerate(shape):
        if n == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


@mistaken("unbroadcast", "all axes move up while they are summed")
def unbroadcast(grad, shape):
    for axis in range(grad.ndim - len(shape)):
        grad = np.sum(grad, axis=axis)
    for axis in range(len(shape)):
        if shape[axis] == 1:
            grad = np.sum(grad, axis=axis)
    return grad


# --- Value ------------------------------------------------------------------------------------------------------


@alternative("Value", "closures and a recursive sort")
class Value:
    def __init__(self, data, operands=()):
        self.data = data
        self.grad = 0.0
        self.operands = set(operands)
        self.pass_on = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def pass_on():
            self.grad += out.grad
            other.grad += out.grad

        out.pass_on = pass_on
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def pass_on():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.pass_on = pass_on
        return out

    def __pow__(self, n):
        out = Value(self.data**n, (self,))

        def pass_on():
            self.grad += n * self.data ** (n - 1) * out.grad

        out.pass_on = pass_on
        return out

    def tanh(self):
        out = Value(np.tanh(self.data), (self,))

        def pass_on():
            self.grad += (1 - out.data**2) * out.grad

        out.pass_on = pass_on
        return out

    def relu(self):
        out = Value(max(0, self.data), (self,))

        def pass_on():
            self.grad += (out.data > 0) * out.grad

        out.pass_on = pass_on
        return out

    def exp(self):
        out = Value(np.exp(self.data), (self,))

        def pass_on():
            self.grad += out.data * out.grad

        out.pass_on = pass_on
        return out

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for w in v.operands:
                    visit(w)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            v.pass_on()

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return self**-1 * other


@alternative("Value", "one tape for all, played backwards")
class Value:
    tape = []

    def __init__(self, data, rule=None):
        self.data, self.grad, self.rule = float(data), 0.0, rule
        Value.tape.append(self)

    @staticmethod
    def lift(v):
        return v if isinstance(v, Value) else Value(v)

    def __add__(self, other):
        other = Value.lift(other)
        return Value(self.data + other.data, lambda g: ((self, g), (other, g)))

    def __sub__(self, other):
        other = Value.lift(other)
        return Value(self.data - other.data, lambda g: ((self, g), (other, -g)))

    def __mul__(self, other):
        other = Value.lift(other)
        return Value(self.data * other.data, lambda g: ((self, g * other.data), (other, g * self.data)))

    def __truediv__(self, other):
        other = Value.lift(other)
        q = self.data / other.data
        return Value(q, lambda g: ((self, g / other.data), (other, -g * q / other.data)))

    def __pow__(self, n):
        return Value(self.data**n, lambda g: ((self, g * n * self.data ** (n - 1)),))

    def __rsub__(self, other):
        return Value.lift(other) - self

    def __rtruediv__(self, other):
        return Value.lift(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def tanh(self):
        t = float(np.tanh(self.data))
        return Value(t, lambda g: ((self, g * (1 - t * t)),))

    def relu(self):
        return Value(max(self.data, 0.0), lambda g: ((self, g if self.data >= 0 else 0.0),))

    def exp(self):
        e = float(np.exp(self.data))
        return Value(e, lambda g: ((self, g * e),))

    def backward(self):
        self.grad = 1.0
        for v in reversed(Value.tape[: Value.tape.index(self) + 1]):
            if v.rule is not None and v.grad != 0:
                for operand, g in v.rule(v.grad):
                    operand.grad += g


@alternative("Value", "slopes kept, users counted")
class Value:
    def __init__(self, data, edges=()):
        self.data = data
        self.edges = edges
        self.grad = 0

    def _two(self, other, forward, slopes):
        if not isinstance(other, Value):
            other = Value(other)
        a, b = self.data, other.data
        da, db = slopes(a, b)
        return Value(forward(a, b), ((self, da), (other, db)))

    def __add__(self, other):
        return self._two(other, lambda a, b: a + b, lambda a, b: (1, 1))

    __radd__ = __add__

    def __mul__(self, other):
        return self._two(other, lambda a, b: a * b, lambda a, b: (b, a))

    __rmul__ = __mul__

    def __sub__(self, other):
        return self._two(other, lambda a, b: a - b, lambda a, b: (1, -1))

    def __rsub__(self, other):
        return self._two(other, lambda a, b: b - a, lambda a, b: (-1, 1))

    def __truediv__(self, other):
        return self._two(other, lambda a, b: a / b, lambda a, b: (1 / b, -a / b**2))

    def __rtruediv__(self, other):
        return self._two(other, lambda a, b: b / a, lambda a, b: (-b / a**2, 1 / a))

    def __pow__(self, n):
        return Value(self.data**n, ((self, n * self.data ** (n - 1)),))

    def tanh(self):
        y = np.tanh(self.data)
        return Value(y, ((self, 1 - y * y),))

    def relu(self):
        return Value(self.data if self.data > 0 else 0.0, ((self, 1.0 if self.data > 0 else 0.0),))

    def exp(self):
        y = np.exp(self.data)
        return Value(y, ((self, y),))

    def backward(self):
        waiting_for, todo, met = {}, [self], {id(self)}
        while todo:
            for operand, _ in todo.pop().edges:
                waiting_for[id(operand)] = waiting_for.get(id(operand), 0) + 1
                if id(operand) not in met:
                    met.add(id(operand))
                    todo.append(operand)
        self.grad, ready = 1.0, [self]
        while ready:
            v = ready.pop()
            for operand, slope in v.edges:
                operand.grad = operand.grad + slope * v.grad
                waiting_for[id(operand)] -= 1
                if waiting_for[id(operand)] == 0:
                    ready.append(operand)


@mistaken("Value", "gradient overwritten")
class Value:
    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad = out.grad
            other.grad = out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad = other.data * out.grad
            other.grad = self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, n):
        out = Value(self.data**n, (self,))

        def _backward():
            self.grad = n * self.data ** (n - 1) * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        out = Value(np.tanh(self.data), (self,))

        def _backward():
            self.grad = (1 - out.data**2) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        out = Value(max(self.data, 0.0), (self,))

        def _backward():
            self.grad = (self.data > 0) * out.grad

        out._backward = _backward
        return out

    def exp(self):
        out = Value(np.exp(self.data), (self,))

        def _backward():
            self.grad = out.data * out.grad

        out._backward = _backward
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return (-self) + other

    def __rtruediv__(self, other):
        return self**-1 * other

    def backward(self):
        order, seen = [], set()

        def build(v):
            if v not in seen:
                seen.add(v)
                for child in v.children:
                    build(child)
                order.append(v)

        build(self)
        self.grad = 1.0
        for v in reversed(order):
            v._backward()


@mistaken("Value", "no topological order")
class Value:
    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, n):
        out = Value(self.data**n, (self,))

        def _backward():
            self.grad += n * self.data ** (n - 1) * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        out = Value(np.tanh(self.data), (self,))

        def _backward():
            self.grad += (1 - out.data**2) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        out = Value(max(self.data, 0.0), (self,))

        def _backward():
            self.grad += (self.data > 0) * out.grad

        out._backward = _backward
        return out

    def exp(self):
        out = Value(np.exp(self.data), (self,))

        def _backward():
            self.grad += out.data * out.grad

        out._backward = _backward
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return (-self) + other

    def __rtruediv__(self, other):
        return self**-1 * other

    def backward(self):
        self.grad = 1.0
        seen = set()

        def walk(v):
            if v in seen:
                return
            seen.add(v)
            v._backward()
            for child in v.children:
                walk(child)

        walk(self)


@mistaken("Value", "no topological order")
class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.parents, self.slopes = data, parents, slopes
        self.grad = 0.0

    def lift(self, other):
        return other if isinstance(other, Value) else Value(other)

    def __add__(self, other):
        other = self.lift(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = self.lift(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = self.lift(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        other = self.lift(other)
        a, b = self.data, other.data
        return Value(a / b, (self, other), (1 / b, -a / b**2))

    def __pow__(self, n):
        return Value(self.data**n, (self,), (n * self.data ** (n - 1),))

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return self.lift(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return self.lift(other) / self

    def tanh(self):
        y = np.tanh(self.data)
        return Value(y, (self,), (1 - y**2,))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        y = np.exp(self.data)
        return Value(y, (self,), (y,))

    def backward(self):
        self.grad = 1.0
        queue = [self]
        while queue:
            v = queue.pop(0)
            for p, slope in zip(v.parents, v.slopes):
                p.grad += slope * v.grad
                queue.append(p)


@mistaken("Value", "no topological order")
class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.parents, self.slopes = data, parents, slopes
        self.grad = 0.0

    def lift(self, other):
        return other if isinstance(other, Value) else Value(other)

    def __add__(self, other):
        other = self.lift(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = self.lift(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = self.lift(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        other = self.lift(other)
        a, b = self.data, other.data
        return Value(a / b, (self, other), (1 / b, -a / b**2))

    def __pow__(self, n):
        return Value(self.data**n, (self,), (n * self.data ** (n - 1),))

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return self.lift(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return self.lift(other) / self

    def tanh(self):
        y = np.tanh(self.data)
        return Value(y, (self,), (1 - y**2,))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        y = np.exp(self.data)
        return Value(y, (self,), (y,))

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            v, finished = stack.pop()
            if finished:
                order.append(v)
            elif id(v) not in seen:
                seen.add(id(v))
                stack.append((v, True))
                for p in v.parents:
                    stack.append((p, False))
        self.grad = 1.0
        for v in order:
            for p, slope in zip(v.parents, v.slopes):
                p.grad += slope * v.grad


@mistaken("Value", "gradient not seeded")
class Value:
    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, n):
        out = Value(self.data**n, (self,))

        def _backward():
            self.grad += n * self.data ** (n - 1) * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        out = Value(np.tanh(self.data), (self,))

        def _backward():
            self.grad += (1 - out.data**2) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        out = Value(max(self.data, 0.0), (self,))

        def _backward():
            self.grad += (self.data > 0) * out.grad

        out._backward = _backward
        return out

    def exp(self):
        out = Value(np.exp(self.data), (self,))

        def _backward():
            self.grad += out.data * out.grad

        out._backward = _backward
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return (-self) + other

    def __rtruediv__(self, other):
        return self**-1 * other

    def backward(self):
        order, seen = [], set()

        def build(v):
            if v not in seen:
                seen.add(v)
                for child in v.children:
                    build(child)
                order.append(v)

        build(self)
        for v in reversed(order):
            v._backward()


@mistaken("Value", "upstream gradient forgotten")
class Value:
    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += 1.0
            other.grad += 1.0

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data
            other.grad += self.data

        out._backward = _backward
        return out

    def __pow__(self, n):
        out = Value(self.data**n, (self,))

        def _backward():
            self.grad += n * self.data ** (n - 1)

        out._backward = _backward
        return out

    def tanh(self):
        out = Value(np.tanh(self.data), (self,))

        def _backward():
            self.grad += 1 - out.data**2

        out._backward = _backward
        return out

    def relu(self):
        out = Value(max(self.data, 0.0), (self,))

        def _backward():
            self.grad += self.data > 0

        out._backward = _backward
        return out

    def exp(self):
        out = Value(np.exp(self.data), (self,))

        def _backward():
            self.grad += out.data

        out._backward = _backward
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return (-self) + other

    def __rtruediv__(self, other):
        return self**-1 * other

    def backward(self):
        order, seen = [], set()

        def build(v):
            if v not in seen:
                seen.add(v)
                for child in v.children:
                    build(child)
                order.append(v)

        build(self)
        self.grad = 1.0
        for v in reversed(order):
            v._backward()


@mistaken("Value", "operands of the product swapped")
class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.parents, self.slopes = data, parents, slopes
        self.grad = 0.0

    def lift(self, other):
        return other if isinstance(other, Value) else Value(other)

    def __add__(self, other):
        other = self.lift(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = self.lift(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = self.lift(other)
        return Value(self.data * other.data, (self, other), (self.data, other.data))

    def __truediv__(self, other):
        other = self.lift(other)
        a, b = self.data, other.data
        return Value(a / b, (self, other), (1 / b, -a / b**2))

    def __pow__(self, n):
        return Value(self.data**n, (self,), (n * self.data ** (n - 1),))

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return self.lift(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return self.lift(other) / self

    def tanh(self):
        y = np.tanh(self.data)
        return Value(y, (self,), (1 - y**2,))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        y = np.exp(self.data)
        return Value(y, (self,), (y,))

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            v, finished = stack.pop()
            if finished:
                order.append(v)
            elif id(v) not in seen:
                seen.add(id(v))
                stack.append((v, True))
                for p in v.parents:
                    stack.append((p, False))
        self.grad = 1.0
        for v in order[::-1]:
            for p, slope in zip(v.parents, v.slopes):
                p.grad += slope * v.grad


@mistaken("Value", "sign of the difference")
class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.parents, self.slopes = data, parents, slopes
        self.grad = 0.0

    def lift(self, other):
        return other if isinstance(other, Value) else Value(other)

    def __add__(self, other):
        other = self.lift(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = self.lift(other)
        return Value(self.data - other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.lift(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        other = self.lift(other)
        a, b = self.data, other.data
        return Value(a / b, (self, other), (1 / b, -a / b**2))

    def __pow__(self, n):
        return Value(self.data**n, (self,), (n * self.data ** (n - 1),))

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return self.lift(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return self.lift(other) / self

    def tanh(self):
        y = np.tanh(self.data)
        return Value(y, (self,), (1 - y**2,))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        y = np.exp(self.data)
        return Value(y, (self,), (y,))

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            v, finished = stack.pop()
            if finished:
                order.append(v)
            elif id(v) not in seen:
                seen.add(id(v))
                stack.append((v, True))
                for p in v.parents:
                    stack.append((p, False))
        self.grad = 1.0
        for v in order[::-1]:
            for p, slope in zip(v.parents, v.slopes):
                p.grad += slope * v.grad


@mistaken("Value", "exponent forgotten as a factor")
class Value:
    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, n):
        out = Value(self.data**n, (self,))

        def _backward():
            self.grad += self.data ** (n - 1) * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        out = Value(np.tanh(self.data), (self,))

        def _backward():
            self.grad += (1 - out.data**2) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        out = Value(max(self.data, 0.0), (self,))

        def _backward():
            self.grad += (self.data > 0) * out.grad

        out._backward = _backward
        return out

    def exp(self):
        out = Value(np.exp(self.data), (self,))

        def _backward():
            self.grad += out.data * out.grad

        out._backward = _backward
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return (-self) + other

    def __rtruediv__(self, other):
        return self**-1 * other

    def backward(self):
        order, seen = [], set()

        def build(v):
            if v not in seen:
                seen.add(v)
                for child in v.children:
                    build(child)
                order.append(v)

        build(self)
        self.grad = 1.0
        for v in reversed(order):
            v._backward()


@mistaken("Value", "exponent not lowered")
class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.parents, self.slopes = data, parents, slopes
        self.grad = 0.0

    def lift(self, other):
        return other if isinstance(other, Value) else Value(other)

    def __add__(self, other):
        other = self.lift(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = self.lift(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = self.lift(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        other = self.lift(other)
        a, b = self.data, other.data
        return Value(a / b, (self, other), (1 / b, -a / b**2))

    def __pow__(self, n):
        return Value(self.data**n, (self,), (n * self.data**n,))

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return self.lift(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return self.lift(other) / self

    def tanh(self):
        y = np.tanh(self.data)
        return Value(y, (self,), (1 - y**2,))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        y = np.exp(self.data)
        return Value(y, (self,), (y,))

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            v, finished = stack.pop()
            if finished:
                order.append(v)
            elif id(v) not in seen:
                seen.add(id(v))
                stack.append((v, True))
                for p in v.parents:
                    stack.append((p, False))
        self.grad = 1.0
        for v in order[::-1]:
            for p, slope in zip(v.parents, v.slopes):
                p.grad += slope * v.grad


@mistaken("Value", "slope of tanh from its input")
class Value:
    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, n):
        out = Value(self.data**n, (self,))

        def _backward():
            self.grad += n * self.data ** (n - 1) * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        out = Value(np.tanh(self.data), (self,))

        def _backward():
            self.grad += (1 - self.data**2) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        out = Value(max(self.data, 0.0), (self,))

        def _backward():
            self.grad += (self.data > 0) * out.grad

        out._backward = _backward
        return out

    def exp(self):
        out = Value(np.exp(self.data), (self,))

        def _backward():
            self.grad += out.data * out.grad

        out._backward = _backward
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return (-self) + other

    def __rtruediv__(self, other):
        return self**-1 * other

    def backward(self):
        order, seen = [], set()

        def build(v):
            if v not in seen:
                seen.add(v)
                for child in v.children:
                    build(child)
                order.append(v)

        build(self)
        self.grad = 1.0
        for v in reversed(order):
            v._backward()


@mistaken("Value", "tanh applied a second time")
class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.parents, self.slopes = data, parents, slopes
        self.grad = 0.0

    def lift(self, other):
        return other if isinstance(other, Value) else Value(other)

    def __add__(self, other):
        other = self.lift(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = self.lift(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = self.lift(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        other = self.lift(other)
        a, b = self.data, other.data
        return Value(a / b, (self, other), (1 / b, -a / b**2))

    def __pow__(self, n):
        return Value(self.data**n, (self,), (n * self.data ** (n - 1),))

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return self.lift(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return self.lift(other) / self

    def tanh(self):
        y = np.tanh(self.data)
        return Value(y, (self,), (1 - np.tanh(y) ** 2,))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        y = np.exp(self.data)
        return Value(y, (self,), (y,))

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            v, finished = stack.pop()
            if finished:
                order.append(v)
            elif id(v) not in seen:
                seen.add(id(v))
                stack.append((v, True))
                for p in v.parents:
                    stack.append((p, False))
        self.grad = 1.0
        for v in order[::-1]:
            for p, slope in zip(v.parents, v.slopes):
                p.grad += slope * v.grad


@mistaken("Value", "left and right operand swapped")
class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.parents, self.slopes = data, parents, slopes
        self.grad = 0.0

    def lift(self, other):
        return other if isinstance(other, Value) else Value(other)

    def __add__(self, other):
        other = self.lift(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = self.lift(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = self.lift(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        other = self.lift(other)
        a, b = self.data, other.data
        return Value(a / b, (self, other), (1 / b, -a / b**2))

    def __pow__(self, n):
        return Value(self.data**n, (self,), (n * self.data ** (n - 1),))

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return self - other

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return self / other

    def tanh(self):
        y = np.tanh(self.data)
        return Value(y, (self,), (1 - y**2,))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        y = np.exp(self.data)
        return Value(y, (self,), (y,))

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            v, finished = stack.pop()
            if finished:
                order.append(v)
            elif id(v) not in seen:
                seen.add(id(v))
                stack.append((v, True))
                for p in v.parents:
                    stack.append((p, False))
        self.grad = 1.0
        for v in order[::-1]:
            for p, slope in zip(v.parents, v.slopes):
                p.grad += slope * v.grad


@mistaken("Value", "left and right operand swapped")
class Value:
    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, n):
        out = Value(self.data**n, (self,))

        def _backward():
            self.grad += n * self.data ** (n - 1) * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        out = Value(np.tanh(self.data), (self,))

        def _backward():
            self.grad += (1 - out.data**2) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        out = Value(max(self.data, 0.0), (self,))

        def _backward():
            self.grad += (self.data > 0) * out.grad

        out._backward = _backward
        return out

    def exp(self):
        out = Value(np.exp(self.data), (self,))

        def _backward():
            self.grad += out.data * out.grad

        out._backward = _backward
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return self - other

    def __rtruediv__(self, other):
        return self**-1 * other

    def backward(self):
        order, seen = [], set()

        def build(v):
            if v not in seen:
                seen.add(v)
                for child in v.children:
                    build(child)
                order.append(v)

        build(self)
        self.grad = 1.0
        for v in reversed(order):
            v._backward()


mistaken_sources(__name__, "Value", value_stub.WRONG)


# --- squared_error_backward -------------------------------------------------------------------------------------


@alternative("squared_error_backward", "error first")
def squared_error_backward(grad_activation, pre_activation, prediction, target):
    error = np.subtract(prediction, target)
    return np.multiply(error, grad_activation(pre_activation))


@alternative("squared_error_backward", "minus times minus, float32")
def squared_error_backward(grad_activation, pre_activation, prediction, target):
    slope = grad_activation(pre_activation).astype(np.float32)
    return -slope * (target - prediction).astype(np.float32)


@alternative("squared_error_backward", "element by element")
def squared_error_backward(grad_activation, pre_activation, prediction, target):
    grad = np.empty(np.shape(prediction))
    for i in np.ndindex(grad.shape):
        grad[i] = (prediction[i] - target[i]) * grad_activation(pre_activation[i])
    return grad


@mistaken("squared_error_backward", "error reversed")
def squared_error_backward(grad_activation, pre_activation, prediction, target):
    return grad_activation(pre_activation) * (target - prediction)


@mistaken("squared_error_backward", "slope taken at the activated value")
def squared_error_backward(grad_activation, pre_activation, prediction, target):
    return (prediction - target) * grad_activation(prediction)


@mistaken("squared_error_backward", "slope left out")
def squared_error_backward(grad_activation, pre_activation, prediction, target):
    return prediction - target


@mistaken("squared_error_backward", "factor two")
def squared_error_backward(grad_activation, pre_activation, prediction, target):
    return 2 * (prediction - target) * grad_activation(pre_activation)


@mistaken("squared_error_backward", "averaged over the batch")
def squared_error_backward(grad_activation, pre_activation, prediction, target):
    n = prediction.shape[0]
    return (prediction - target) / n * grad_activation(pre_activation)


@mistaken("squared_error_backward", "the loss instead of its gradient")
def squared_error_backward(grad_activation, pre_activation, prediction, target):
    return np.sum((target - prediction) ** 2) / 2


@mistaken("squared_error_backward", "the loss instead of its gradient")
def squared_error_backward(grad_activation, pre_activation, prediction, target):
    return 0.5 * np.square(target - prediction)


# --- mlp_gradients ----------------------------------------------------------------------------------------------


@alternative("mlp_gradients", "one example at a time")
def mlp_gradients(parameters, x, labels):
    gradients = {key: np.zeros(np.shape(value)) for key, value in parameters.items()}
    loss = 0.0
    for row, label in zip(x, labels):
        hidden = np.tanh(parameters["weight1"] @ row + parameters["bias1"])
        z = parameters["weight2"] @ hidden + parameters["bias2"]
        z = z - z.max()
        p = np.exp(z) / np.exp(z).sum()
        loss -= np.log(p[label]) / len(x)
        d2 = p.copy()
        d2[label] -= 1
        d2 /= len(x)
        d1 = (1 - hidden**2) * (parameters["weight2"].T @ d2)
        gradients["weight2"] += np.outer(d2, hidden)
        gradients["bias2"] += d2
        gradients["weight1"] += np.outer(d1, row)
        gradients["bias1"] += d1
    return loss, gradients


@alternative("mlp_gradients", "einsum, mean taken at the end")
def mlp_gradients(parameters, x, labels):
    w1, b1, w2, b2 = (parameters[k] for k in ("weight1", "bias1", "weight2", "bias2"))
    a = np.tanh(np.einsum("ni,hi->nh", x, w1) + b1)
    logits = np.einsum("nh,ch->nc", a, w2) + b2
    log_p = logits - np.logaddexp.reduce(logits, axis=1)[:, None]
    y = np.eye(len(b2))[labels]
    d2 = np.exp(log_p) - y
    d1 = np.einsum("nc,ch,nh->nh", d2, w2, 1 - a * a)
    n = len(x)
    return -np.sum(log_p * y) / n, {
        "bias2": d2.mean(axis=0),
        "weight2": np.einsum("nc,nh->ch", d2, a) / n,
        "bias1": d1.mean(axis=0),
        "weight1": np.einsum("nh,ni->hi", d1, x) / n,
    }


@alternative("mlp_gradients", "helper functions, float32")
def mlp_gradients(parameters, x, labels):
    def back(grad, inputs):
        return grad.T @ inputs, grad.sum(axis=0)

    p = {key: value.astype(np.float32) for key, value in parameters.items()}
    x = x.astype(np.float32)
    a = np.tanh(x @ p["weight1"].T + p["bias1"])
    logits = a @ p["weight2"].T + p["bias2"]
    logits -= logits.max(axis=1, keepdims=True)
    e = np.exp(logits)
    d = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    loss = np.mean(np.log(e.sum(axis=1)) - logits[rows, labels])
    d[rows, labels] -= 1
    d /= len(x)
    g = dict(zip(("weight2", "bias2"), back(d, a)))
    g.update(zip(("weight1", "bias1"), back(d @ p["weight2"] * (1 - a**2), x)))
    return loss, g


@mistaken("mlp_gradients", "gradients summed, not averaged")
def mlp_gradients(parameters, x, labels):
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    z = a @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    loss = -np.log(p[rows, labels]).mean()
    d2 = p.copy()
    d2[rows, labels] -= 1
    d1 = d2 @ parameters["weight2"] * (1 - a**2)
    return loss, {"weight1": d1.T @ x, "bias1": d1.sum(0), "weight2": d2.T @ a, "bias2": d2.sum(0)}


@mistaken("mlp_gradients", "divided by N twice")
def mlp_gradients(parameters, x, labels):
    n = len(x)
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    z = a @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(n), labels]).mean()
    d2 = p.copy()
    d2[np.arange(n), labels] -= 1
    d2 /= n
    d1 = d2 @ parameters["weight2"] * (1 - a**2)
    return loss, {
        "weight1": d1.T @ x / n,
        "bias1": d1.sum(axis=0) / n,
        "weight2": d2.T @ a / n,
        "bias2": d2.sum(axis=0) / n,
    }


@mistaken("mlp_gradients", "divided by N twice")
def mlp_gradients(parameters, x, labels):
    n = len(x)
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    z = a @ parameters["weight2"].T + parameters["bias2"]
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    y = np.eye(z.shape[1])[labels]
    d2 = (np.exp(log_p) - y) / n
    d1 = d2 @ parameters["weight2"] * (1 - a**2)
    gradients = {"weight1": d1.T @ x, "bias1": d1.mean(axis=0), "weight2": d2.T @ a, "bias2": d2.mean(axis=0)}
    return -(y * log_p).sum() / n, gradients


@mistaken("mlp_gradients", "slope of tanh at the wrong value")
def mlp_gradients(parameters, x, labels):
    n = len(x)
    hidden = x @ parameters["weight1"].T + parameters["bias1"]
    out = np.tanh(hidden) @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(out - out.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(out.shape[1])[labels]
    d2 = (p - y) / n
    d1 = d2 @ parameters["weight2"] * (1 - hidden**2)
    gradients = {
        "weight1": d1.T @ x,
        "bias1": d1.sum(axis=0),
        "weight2": d2.T @ np.tanh(hidden),
        "bias2": d2.sum(axis=0),
    }
    return -np.log(p[y == 1]).mean(), gradients


@mistaken("mlp_gradients", "slope of tanh at the wrong value")
def mlp_gradients(parameters, x, labels):
    n = len(x)
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    out = a @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(out - out.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(out.shape[1])[labels]
    d2 = (p - y) / n
    d1 = d2 @ parameters["weight2"] * (1 - np.tanh(a) ** 2)
    gradients = {"weight1": d1.T @ x, "bias1": d1.sum(axis=0), "weight2": d2.T @ a, "bias2": d2.sum(axis=0)}
    return -np.log(p[y == 1]).mean(), gradients


@mistaken("mlp_gradients", "slope of tanh left out")
def mlp_gradients(parameters, x, labels):
    n = len(x)
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    out = a @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(out - out.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(out.shape[1])[labels]
    d2 = (p - y) / n
    d1 = d2 @ parameters["weight2"]
    gradients = {"weight1": d1.T @ x, "bias1": d1.sum(axis=0), "weight2": d2.T @ a, "bias2": d2.sum(axis=0)}
    return -np.log(p[y == 1]).mean(), gradients


@mistaken("mlp_gradients", "bias gradient left broadcast")
def mlp_gradients(parameters, x, labels):
    n = len(x)
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    out = a @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(out - out.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(out.shape[1])[labels]
    d2 = (p - y) / n
    d1 = d2 @ parameters["weight2"] * (1 - a**2)
    gradients = {"weight1": d1.T @ x, "bias1": d1, "weight2": d2.T @ a, "bias2": d2}
    return -np.log(p[y == 1]).mean(), gradients


@mistaken("mlp_gradients", "bias gradient summed to one number")
def mlp_gradients(parameters, x, labels):
    n = len(x)
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    out = a @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(out - out.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(out.shape[1])[labels]
    d2 = (p - y) / n
    d1 = d2 @ parameters["weight2"] * (1 - a**2)
    gradients = {"weight1": d1.T @ x, "bias1": d1.sum(), "weight2": d2.T @ a, "bias2": d2.sum()}
    return -np.log(p[y == 1]).mean(), gradients


@mistaken("mlp_gradients", "weight gradients transposed")
def mlp_gradients(parameters, x, labels):
    n = len(x)
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    out = a @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(out - out.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(out.shape[1])[labels]
    d2 = (p - y) / n
    d1 = d2 @ parameters["weight2"] * (1 - a**2)
    gradients = {"weight1": x.T @ d1, "bias1": d1.sum(axis=0), "weight2": a.T @ d2, "bias2": d2.sum(axis=0)}
    return -np.log(p[y == 1]).mean(), gradients


@mistaken("mlp_gradients", "softmax gradient times p(1 − p)")
def mlp_gradients(parameters, x, labels):
    n = len(x)
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    out = a @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(out - out.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(out.shape[1])[labels]
    d2 = (p - y) * p * (1 - p) / n
    d1 = d2 @ parameters["weight2"] * (1 - a**2)
    gradients = {"weight1": d1.T @ x, "bias1": d1.sum(axis=0), "weight2": d2.T @ a, "bias2": d2.sum(axis=0)}
    return -np.log(p[y == 1]).mean(), gradients


@mistaken("mlp_gradients", "one-hot label forgotten")
def mlp_gradients(parameters, x, labels):
    n = len(x)
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    out = a @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(out - out.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean([np.log(p[i, labels[i]]) for i in range(n)])
    d2 = p / n
    d1 = d2 @ parameters["weight2"] * (1 - a**2)
    return loss, {"weight1": d1.T @ x, "bias1": d1.sum(axis=0), "weight2": d2.T @ a, "bias2": d2.sum(axis=0)}


@mistaken("mlp_gradients", "gradients pile up over calls")
def mlp_gradients(parameters, x, labels, gradients={}):
    n = len(x)
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    out = a @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(out - out.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(out.shape[1])[labels]
    d2 = (p - y) / n
    d1 = d2 @ parameters["weight2"] * (1 - a**2)
    new = {"weight1": d1.T @ x, "bias1": d1.sum(axis=0), "weight2": d2.T @ a, "bias2": d2.sum(axis=0)}
    for key in new:
        if key not in gradients:
            gradients[key] = np.zeros_like(new[key])
        gradients[key] += new[key]
    return -np.log(p[y == 1]).mean(), gradients


@mistaken("mlp_gradients", "one set of arrays for all calls")
def mlp_gradients(parameters, x, labels, gradients={}):
    n = len(x)
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    out = a @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(out - out.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(out.shape[1])[labels]
    d2 = (p - y) / n
    d1 = d2 @ parameters["weight2"] * (1 - a**2)
    gradients["weight1"] = d1.T @ x
    gradients["bias1"] = d1.sum(axis=0)
    gradients["weight2"] = d2.T @ a
    gradients["bias2"] = d2.sum(axis=0)
    return -np.log(p[y == 1]).mean(), gradients


@mistaken("mlp_gradients", "input changed in place")
def mlp_gradients(parameters, x, labels):
    n = len(x)
    a = np.tanh(x @ parameters["weight1"].T + parameters["bias1"])
    out = a @ parameters["weight2"].T + parameters["bias2"]
    e = np.exp(out - out.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    y = np.eye(out.shape[1])[labels]
    d2 = (p - y) / n
    d1 = d2 @ parameters["weight2"] * (1 - a**2)
    gradients = {"weight1": d1.T @ x, "bias1": d1.sum(axis=0), "weight2": d2.T @ a, "bias2": d2.sum(axis=0)}
    for key in gradients:
        parameters[key] -= 0.1 * gradients[key]
    return -np.log(p[y == 1]).mean(), gradients


# --- train_classifier -------------------------------------------------------------------------------------------


@alternative("train_classifier", "tanh, mini-batches, plain gradient descent")
def train_classifier(x, labels, seed):
    rng = np.random.default_rng(seed)
    classes = labels.max() + 1
    w1 = rng.normal(size=(64, x.shape[1])) / np.sqrt(x.shape[1])
    b1 = np.zeros(64)
    w2 = rng.normal(size=(classes, 64)) / 8
    b2 = np.zeros(classes)
    for epoch in range(30):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            rows = order[start : start + 32]
            a = np.tanh(x[rows] @ w1.T + b1)
            z = a @ w2.T + b2
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(rows)), labels[rows]] -= 1
            d2 = p / len(rows)
            d1 = d2 @ w2 * (1 - a**2)
            w1 -= 0.5 * d1.T @ x[rows]
            b1 -= 0.5 * d1.sum(axis=0)
            w2 -= 0.5 * d2.T @ a
            b2 -= 0.5 * d2.sum(axis=0)

    def predict(images):
        return np.argmax(np.tanh(images @ w1.T + b1) @ w2.T + b2, axis=1)

    return predict


@alternative("train_classifier", "the whole batch, momentum, one-hot matrices")
def train_classifier(x, labels, seed):
    rng = np.random.RandomState(seed)
    y = np.eye(int(labels.max()) + 1)[labels]
    parameters = [rng.randn(x.shape[1], 40) * 0.2, np.zeros(40), rng.randn(40, y.shape[1]) * 0.2, np.zeros(y.shape[1])]
    velocity = [np.zeros_like(p) for p in parameters]
    for step in range(400):
        hidden = np.tanh(x @ parameters[0] + parameters[1])
        scores = hidden @ parameters[2] + parameters[3]
        scores -= scores.max(axis=1, keepdims=True)
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        d2 = (p - y) / len(x)
        d1 = (d2 @ parameters[2].T) * (1 - hidden**2)
        for i, g in enumerate([x.T @ d1, d1.sum(0), hidden.T @ d2, d2.sum(0)]):
            velocity[i] = 0.9 * velocity[i] - 0.3 * g
            parameters[i] += velocity[i]
    return lambda images: (np.tanh(images @ parameters[0] + parameters[1]) @ parameters[2] + parameters[3]).argmax(1)


@alternative("train_classifier", "ReLU, falling learning rate, a class, float32")
def train_classifier(x, labels, seed):
    class Network:
        def __init__(self, sizes, rng):
            self.weights = [(rng.normal(size=s) * np.sqrt(2 / s[0])).astype(np.float32) for s in zip(sizes, sizes[1:])]

        def forward(self, h):
            self.kept = [np.column_stack([h, np.ones(len(h), np.float32)])]
            for w in self.weights[:-1]:
                h = np.maximum(self.kept[-1] @ w, 0)
                self.kept.append(h)
            return self.kept[-1] @ self.weights[-1]

        def step(self, grad, rate):
            for i in reversed(range(len(self.weights))):
                change = self.kept[i].T @ grad
                grad = grad @ self.weights[i].T * (self.kept[i] > 0)
                self.weights[i] -= rate * change

    rng = np.random.default_rng(seed)
    x = x.astype(np.float32)
    net = Network((x.shape[1] + 1, 50, int(labels.max()) + 1), rng)
    for epoch in range(25):
        shuffled = rng.permutation(len(x))
        for rows in np.array_split(shuffled, len(x) // 20):
            z = net.forward(x[rows])
            p = np.exp(z - z.max(axis=1)[:, None])
            p /= p.sum(axis=1)[:, None]
            p[range(len(rows)), labels[rows]] -= 1
            net.step(p / len(rows), 0.3 / (1 + epoch / 10))
    return lambda images: net.forward(images.astype(np.float32)).argmax(axis=1).tolist()


@mistaken("train_classifier", "scores instead of labels")
def train_classifier(x, labels, seed):
    rng = np.random.default_rng(seed)
    classes = labels.max() + 1
    w = rng.normal(size=(x.shape[1], classes)) * 0.1
    b = np.zeros(classes)
    y = np.eye(classes)[labels]
    for step in range(300):
        z = x @ w + b
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        w -= 2.0 * x.T @ (p - y) / len(x)
        b -= 2.0 * (p - y).mean(axis=0)

    def predict(images):
        return images @ w + b

    return predict


@mistaken("train_classifier", "always the same class")
def train_classifier(x, labels, seed):
    rng = np.random.default_rng(seed)
    classes = labels.max() + 1
    w1, b1 = np.zeros((32, x.shape[1])), np.zeros(32)
    w2, b2 = np.zeros((classes, 32)), np.zeros(classes)
    for step in range(300):
        rows = rng.integers(len(x), size=32)
        a = np.tanh(x[rows] @ w1.T + b1)
        z = a @ w2.T + b2
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        d2 = (p - np.eye(classes)[labels[rows]]) / 32
        d1 = d2 @ w2 * (1 - a**2)
        w1 -= 0.5 * d1.T @ x[rows]
        b1 -= 0.5 * d1.sum(axis=0)
        w2 -= 0.5 * d2.T @ a
        b2 -= 0.5 * d2.sum(axis=0)
    return lambda images: np.argmax(np.tanh(images @ w1.T + b1) @ w2.T + b2, axis=1)


@mistaken("train_classifier", "no better than guessing")
def train_classifier(x, labels, seed):
    rng = np.random.default_rng(seed)
    classes = labels.max() + 1
    w1, b1 = rng.normal(size=(32, x.shape[1])) / 8, np.zeros(32)
    w2, b2 = rng.normal(size=(classes, 32)) / 6, np.zeros(classes)
    for epoch in range(15):
        x = rng.permutation(x)
        labels = rng.permutation(labels)
        for i in range(0, len(x), 32):
            a = np.tanh(x[i : i + 32] @ w1.T + b1)
            z = a @ w2.T + b2
            p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            d2 = (p - np.eye(classes)[labels[i : i + 32]]) / len(a)
            d1 = d2 @ w2 * (1 - a**2)
            w1 -= 0.5 * d1.T @ x[i : i + 32]
            b1 -= 0.5 * d1.sum(axis=0)
            w2 -= 0.5 * d2.T @ a
            b2 -= 0.5 * d2.sum(axis=0)
    return lambda images: np.argmax(np.tanh(images @ w1.T + b1) @ w2.T + b2, axis=1)


@mistaken("train_classifier", "stopped too early")
def train_classifier(x, labels, seed):
    rng = np.random.default_rng(seed)
    classes = labels.max() + 1
    w1, b1 = rng.normal(size=(32, x.shape[1])) / 8, np.zeros(32)
    w2, b2 = rng.normal(size=(classes, 32)) / 6, np.zeros(classes)
    for step in range(40):
        a = np.tanh(x @ w1.T + b1)
        z = a @ w2.T + b2
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        d2 = (p - np.eye(classes)[labels]) / len(x)
        d1 = d2 @ w2 * (1 - a**2)
        w1 -= 0.2 * d1.T @ x
        b1 -= 0.2 * d1.sum(axis=0)
        w2 -= 0.2 * d2.T @ a
        b2 -= 0.2 * d2.sum(axis=0)
    return lambda images: np.argmax(np.tanh(images @ w1.T + b1) @ w2.T + b2, axis=1)


@mistaken("train_classifier", "randomness of its own")
def train_classifier(x, labels, seed):
    rng = np.random.default_rng()
    classes = labels.max() + 1
    w1, b1 = rng.normal(size=(48, x.shape[1])) / 8, np.zeros(48)
    w2, b2 = rng.normal(size=(classes, 48)) / 7, np.zeros(classes)
    for epoch in range(30):
        order = rng.permutation(len(x))
        for rows in np.array_split(order, len(x) // 30):
            a = np.tanh(x[rows] @ w1.T + b1)
            z = a @ w2.T + b2
            p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            d2 = (p - np.eye(classes)[labels[rows]]) / len(rows)
            d1 = d2 @ w2 * (1 - a**2)
            w1 -= 0.5 * d1.T @ x[rows]
            b1 -= 0.5 * d1.sum(axis=0)
            w2 -= 0.5 * d2.T @ a
            b2 -= 0.5 * d2.sum(axis=0)
    return lambda images: np.argmax(np.tanh(images @ w1.T + b1) @ w2.T + b2, axis=1)


@mistaken("train_classifier", "input changed in place")
def train_classifier(x, labels, seed):
    rng = np.random.default_rng(seed)
    classes = labels.max() + 1
    w1, b1 = rng.normal(size=(48, x.shape[1])) / 8, np.zeros(48)
    w2, b2 = rng.normal(size=(classes, 48)) / 7, np.zeros(classes)
    for epoch in range(30):
        order = rng.permutation(len(x))
        x[:], labels[:] = x[order], labels[order]
        for i in range(0, len(x), 30):
            rows = slice(i, i + 30)
            a = np.tanh(x[rows] @ w1.T + b1)
            z = a @ w2.T + b2
            p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            d2 = (p - np.eye(classes)[labels[rows]]) / len(a)
            d1 = d2 @ w2 * (1 - a**2)
            w1 -= 0.5 * d1.T @ x[rows]
            b1 -= 0.5 * d1.sum(axis=0)
            w2 -= 0.5 * d2.T @ a
            b2 -= 0.5 * d2.sum(axis=0)
    return lambda images: np.argmax(np.tanh(images @ w1.T + b1) @ w2.T + b2, axis=1)


# --- repaired_linear_backward -----------------------------------------------------------------------------------


@alternative("repaired_linear_backward", "both mended in place")
def repaired_linear_backward(grad_out, x, weight):
    grad_x = grad_out @ weight
    grad_weight = grad_out.T @ x
    grad_bias = grad_out.sum(axis=0)
    return grad_x, grad_weight, grad_bias


@alternative("repaired_linear_backward", "transposed afterwards, mean times N")
def repaired_linear_backward(grad_out, x, weight):
    grad_x = grad_out @ weight
    grad_weight = (x.T @ grad_out).T
    grad_bias = grad_out.mean(axis=0) * len(grad_out)
    return grad_x, grad_weight, grad_bias


@alternative("repaired_linear_backward", "written anew with loops")
def repaired_linear_backward(grad_out, x, weight):
    n, outputs = grad_out.shape
    grad_x, grad_weight, grad_bias = np.zeros(x.shape), np.zeros(weight.shape), np.zeros(outputs)
    for k in range(n):
        for o in range(outputs):
            grad_bias[o] += grad_out[k, o]
            for i in range(x.shape[1]):
                grad_x[k, i] += grad_out[k, o] * weight[o, i]
                grad_weight[o, i] += grad_out[k, o] * x[k, i]
    return grad_x, grad_weight, grad_bias


@mistaken("repaired_linear_backward", "both bugs still there")
def repaired_linear_backward(grad_out, x, weight):
    grad_x = grad_out @ weight
    grad_weight = x.T @ grad_out
    grad_bias = grad_out.mean(axis=0)
    return grad_x, grad_weight, grad_bias


@mistaken("repaired_linear_backward", "weight gradient still transposed")
def repaired_linear_backward(grad_out, x, weight):
    grad_x = grad_out @ weight
    grad_weight = x.T @ grad_out
    grad_bias = grad_out.sum(axis=0)
    return grad_x, grad_weight, grad_bias


@mistaken("repaired_linear_backward", "bias gradient still averaged")
def repaired_linear_backward(grad_out, x, weight):
    grad_x = grad_out @ weight
    grad_weight = grad_out.T @ x
    grad_bias = grad_out.mean(axis=0)
    return grad_x, grad_weight, grad_bias


@mistaken("repaired_linear_backward", "weight gradient reshaped instead of transposed")
def repaired_linear_backward(grad_out, x, weight):
    grad_x = grad_out @ weight
    grad_weight = np.reshape(x.T @ grad_out, weight.shape)
    grad_bias = grad_out.sum(axis=0)
    return grad_x, grad_weight, grad_bias


@mistaken("repaired_linear_backward", "both gradients averaged")
def repaired_linear_backward(grad_out, x, weight):
    grad_x = grad_out @ weight
    grad_weight = grad_out.T @ x / x.shape[0]
    grad_bias = grad_out.mean(axis=0)
    return grad_x, grad_weight, grad_bias
