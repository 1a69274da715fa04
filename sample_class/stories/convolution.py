"""02_convolution: seven of the students, one story each. README.md says what each of them is worth.

The code comes from `tests/bank`, what no bank file has stands below.
"""

from __future__ import annotations

from sample_class.stories.handing_in import Assignment
from tests.bank import convolution

ASSIGNMENT = Assignment("02_convolution", "convolution.ipynb", written="shared_weights", bank=convolution)
alternatives, mistake = ASSIGNMENT.alternatives, ASSIGNMENT.mistake

# -- one student's own code: the counting exercises call each other, the layers share three small helpers ----------

OWN_HELPERS = {
    "fits_exactly": """
def fits_exactly(size, kernel, stride, padding):
    try:
        places = conv_output_size(size, kernel, stride, padding)
    except ValueError:
        return False
    return (places - 1) * stride + kernel == size + 2 * padding
""",
    "conv_macs": """
def conv_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    weights = conv_parameters(in_channels, out_channels, kernel, bias=False, groups=groups)
    return weights * out_height * out_width
""",
    "layer_table": """
def layer_table(layers, input_shape):
    rows, shape = [], tuple(input_shape)
    for layer in layers:
        name, kind, cost = layer["name"], layer["kind"], (0, 0)
        try:
            if kind in ("conv", "pool"):
                settings = layer["kernel"], layer.get("stride", 1), layer.get("padding", 0)
                places = [conv_output_size(size, *settings) for size in shape[1:]]
                if kind == "conv":
                    sizes = shape[0], layer["out"], layer["kernel"]
                    groups = layer.get("groups", 1)
                    cost = conv_parameters(*sizes, groups=groups), conv_macs(*sizes, *places, groups=groups)
                shape = (layer.get("out", shape[0]), *places)
        except ValueError as error:
            raise ValueError(f"{name}: {error}")
        if kind == "fc":  # a 1 x 1 convolution of one pixel
            sizes = int(np.prod(shape)), layer["out"], 1
            cost, shape = (conv_parameters(*sizes), conv_macs(*sizes, 1, 1)), (layer["out"],)
        rows.append((name, shape, *cost))
    return rows
""",
    "lenet5_accounting": """
def layer(maps, seen, size):
    parameters = sum(conv_parameters(n, m, 5) for m, n in zip(maps, seen))
    return parameters, parameters * size * size


def lenet5_accounting():
    sizes = [32]
    for kernel, stride in [(5, 1), (2, 2), (5, 1), (2, 2)]:
        sizes.append(conv_output_size(sizes[-1], kernel, stride))
    c1, s2, c3, s4 = sizes[1:]
    f6 = conv_parameters(120, 84, 1)
    return {
        "C1": layer([6], [1], c1),
        "S2": (2 * 6, 5 * 6 * s2**2),
        "C3": layer([6, 9, 1], [3, 4, 6], c3),
        "S4": (2 * 16, 5 * 16 * s4**2),
        "C5": layer([120], [16], 1),
        "F6": (f6, f6),
    }
""",
    "conv2d_forward": """
def both(value):
    return (value, value) if np.isscalar(value) else tuple(value)


def all_windows(x, kernel, stride, padding, fill=0.0):
    (kh, kw), (sh, sw), (ph, pw) = both(kernel), both(stride), both(padding)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]


def conv2d_forward(x, weight, bias, stride=1, padding=0):
    windows = all_windows(x, weight.shape[2:], stride, padding)
    return np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2) + bias[:, None, None]
""",
    "im2col": """
def im2col(x, kernel, stride=1, padding=0):
    windows = all_windows(x, kernel, stride, padding)
    n, c, rows, columns, kh, kw = windows.shape
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(n, c * kh * kw, rows * columns)
""",
    "conv2d_backward": """
def col2im(columns, shape, kernel, stride, padding, places):
    # what im2col copied from one pixel is added up there
    (kh, kw), (sh, sw), (ph, pw) = both(kernel), both(stride), both(padding)
    n, c, h, w = shape
    taps = columns.reshape(n, c, kh, kw, *places)
    out = np.zeros((n, c, h + 2 * ph, w + 2 * pw))
    for i in range(kh):
        for j in range(kw):
            out[:, :, i : i + sh * places[0] : sh, j : j + sw * places[1] : sw] += taps[:, :, i, j]
    return out[:, :, ph : ph + h, pw : pw + w]


def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    rows = grad_out.reshape(*grad_out.shape[:2], -1)  # (N, O, L)
    kernel, flat = weight.shape[2:], weight.reshape(len(weight), -1)
    grad_weight = np.einsum("nol,nkl->ok", rows, im2col(x, kernel, stride, padding)).reshape(weight.shape)
    grad_x = col2im(flat.T @ rows, x.shape, kernel, stride, padding, grad_out.shape[2:])
    return grad_x, grad_weight, rows.sum(axis=(0, 2))
""",
    "max_pool2d_forward": """
def max_pool2d_forward(x, kernel, stride, padding=0):
    return all_windows(x, kernel, stride, padding, fill=-np.inf).max(axis=(4, 5))
""",
    "avg_pool2d_forward": """
def avg_pool2d_forward(x, kernel, stride, padding=0):
    windows = im2col(x, kernel, stride, padding).reshape(*x.shape[:2], np.prod(both(kernel)), -1)
    rows = conv_output_size(x.shape[2], *(both(v)[0] for v in (kernel, stride, padding)))
    return windows.mean(axis=2).reshape(*x.shape[:2], rows, -1)
""",
    "max_pool2d_backward": """
def max_pool2d_backward(grad_out, x, kernel, stride, padding=0):
    windows = all_windows(x, kernel, stride, padding, fill=-np.inf)
    flat = windows.reshape(*grad_out.shape, -1)
    winner = np.eye(flat.shape[-1])[flat.argmax(axis=-1)]  # a one where the maximum is
    columns = np.moveaxis(winner * grad_out[..., None], -1, 2)
    return col2im(columns, x.shape, kernel, stride, padding, grad_out.shape[2:])
""",
    "repaired_conv2d_backward": """
def repaired_conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    (sh, sw), (ph, pw) = both(stride), both(padding)
    (N, C, H, W), (kh, kw), (OH, OW) = x.shape, weight.shape[2:], grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    grad_rows = np.moveaxis(grad_out, 1, 0).reshape(len(weight), N * OH * OW)
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    for i in range(kh):
        for j in range(kw):
            touched = np.s_[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]
            columns = padded[touched].transpose(0, 2, 3, 1).reshape(N * OH * OW, C)
            grad_weight[:, :, i, j] = grad_rows @ columns
            grad_padded[touched] += np.einsum("nohw,oc->nchw", grad_out, weight[:, :, i, j])
    return grad_padded[:, :, ph : ph + H, pw : pw + W], grad_weight, grad_out.sum(axis=(0, 2, 3))
""",
}

# -- right, but it stands on what is wrong ---------------------------------------------------------------------------

BACKWARD_BY_COLUMNS = """
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (N, C, H, W), (kh, kw), (OH, OW) = x.shape, weight.shape[2:], grad_out.shape[2:]
    columns = im2col(x, (kh, kw), stride, padding)
    grad_weight = sum(grad_out[n].reshape(len(weight), -1) @ columns[n].T for n in range(N))
    grad_padded = np.zeros((N, C, H + 2 * ph, W + 2 * pw))
    for r in range(OH):
        for s in range(OW):
            share = np.tensordot(grad_out[:, :, r, s], weight, axes=1)
            grad_padded[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw] += share
    grad_x = grad_padded[:, :, ph : ph + H, pw : pw + W]
    return grad_x, grad_weight.reshape(weight.shape), grad_out.sum(axis=(0, 2, 3))
"""

# -- too many rounds: one loop that does not end, and seven that do ---------------------------------------------------

ENDLESS_LOOP = """
def same_padding(kernel, dilation=1):
    padding = 0
    while 2 * padding != dilation * (kernel - 1):
        padding += 1
    return padding
"""

SEVEN_LOOPS = """
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    if type(stride) == int:
        stride = (stride, stride)
    if type(padding) == int:
        padding = (padding, padding)
    N, C, H, W = x.shape
    O, C, kh, kw = weight.shape
    rows = (H + 2 * padding[0] - kh) // stride[0] + 1
    columns = (W + 2 * padding[1] - kw) // stride[1] + 1
    out = np.zeros((N, O, rows, columns))
    for n in range(N):
        for o in range(O):
            for r in range(rows):
                for s in range(columns):
                    out[n, o, r, s] = bias[o]
                    for c in range(C):
                        for i in range(kh):
                            for j in range(kw):
                                row = r * stride[0] + i - padding[0]
                                column = s * stride[1] + j - padding[1]
                                if 0 <= row < H and 0 <= column < W:
                                    out[n, o, r, s] += x[n, c, row, column] * weight[o, c, i, j]
    return out
"""

WRITTEN_ANSWERS = {
    "ada-first-style": """
1. With zeros at both ends there are $(5 - 3 + 2)/2 + 1 = 3$ outputs and
   $$M = \\begin{pmatrix} b & c & 0 & 0 & 0 \\\\ 0 & a & b & c & 0 \\\\ 0 & 0 & 0 & a & b \\end{pmatrix}.$$
   Window: everything outside the three places is 0 and stays 0. Sharing: all rows have the same $a, b, c$, each row
   moved by the stride.
2. $\\partial L/\\partial x = M^T G = (bG_0, cG_0 + aG_1, bG_1, cG_1 + aG_2, bG_2)$, a sum wherever an input is in two
   windows. $\\partial L/\\partial b = G_0x_0 + G_1x_2 + G_2x_4$, a sum because $b$ is used in every output.
3. Still 3 parameters. $(501 - 3 + 2)/2 + 1 = 251$ outputs, so $251 \\cdot 3 = 753$ multiply–accumulates instead of 9.
""",
    "bela-second-style": """
1. M has the rows (b, c, 0, 0, 0), (0, a, b, c, 0) and (0, 0, 0, a, b). A dense layer would have 15 free numbers.
   Looking through a window sets 8 of them to zero; sharing leaves only three different ones among the other 7.
2. dL/dx_j adds over the outputs that see x_j: bG0, cG0 + aG1, bG1, cG1 + aG2, bG2. dL/db adds over the places where b
   is used: G0 x0 + G1 x2 + G2 x4.
3. The parameters do not change (three). The multiply–accumulates grow with the length, from 9 to 753.
""",
    "chen-own-helpers": """
1. rows of M: b c 0 0 0 / 0 a b c 0 / 0 0 0 a b. Zeros = window, equal letters = sharing.
2. M.T @ G, so (b G0, c G0 + a G1, b G1, c G1 + a G2, b G2); for b every row gives G_i * x_2i, together
   G0 x0 + G1 x2 + G2 x4. Everything that is used more than once gets a sum.
3. 3 parameters as before, but 251 windows, 753 MACs.
""",
}


def students() -> dict[str, dict[str, str]]:
    """Student → the files handed in, by name."""
    first, second, third = (alternatives(number) for number in range(3))
    codes = {
        "ada-first-style": first,
        "bela-second-style": second,
        "chen-own-helpers": third | OWN_HELPERS,
        "fay-divided-by-n": second
        | mistake("conv2d_backward", "averaged over the batch")
        | mistake("avg_pool2d_forward", "divided by the pixels inside")
        | mistake("local_response_norm", "alpha divided by the size"),
        "ivo-lent-backward": first
        | mistake("receptive_field", "grows by k")
        | mistake("im2col", "columns before rows")
        | {"conv2d_backward": BACKWARD_BY_COLUMNS}
        | mistake("max_pool2d_backward", "ties counted twice"),
        "juno-untouched": {},
        "milo-endless-loop": second | {"same_padding": ENDLESS_LOOP, "conv2d_forward": SEVEN_LOOPS},
    }
    return ASSIGNMENT.files(
        {student: ASSIGNMENT.handed_in(code, WRITTEN_ANSWERS.get(student, "")) for student, code in codes.items()}
    )
