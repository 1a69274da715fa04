"""What students write for repaired_conv2d_backward."""

import numpy as np

from tests.bank.registry import alternative, mistaken_sources

# The broken function that the notebook shows, under the name of the repaired one.
BROKEN = """def repaired_conv2d_backward(grad_out, x, weight, stride=1, padding=0):
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
"""
ADDED = BROKEN.replace("grad_padded[touched] =", "grad_padded[touched] +=")
SORTED = ("grad_out.reshape(", "grad_out.transpose(1, 0, 2, 3).reshape(")


@alternative("repaired_conv2d_backward", "einsum for the product of reshaped arrays")
def repaired_conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (N, C, H, W), (kh, kw), (OH, OW) = x.shape, weight.shape[2:], grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    for i in range(kh):
        for j in range(kw):
            touched = np.s_[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]
            grad_weight[:, :, i, j] = np.einsum("nohw,nchw->oc", grad_out, padded[touched])
            share = np.einsum("nohw,oc->nchw", grad_out, weight[:, :, i, j])
            grad_padded[touched] = grad_padded[touched] + share
    grad_x = grad_padded[:, :, ph : ph + H, pw : pw + W]
    return grad_x, grad_weight, grad_out.sum(axis=(0, 2, 3))


@alternative("repaired_conv2d_backward", "the pixels turned instead, float32")
def repaired_conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    grad_out, x, weight = (a.astype(np.float32) for a in (grad_out, x, weight))
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (N, C, H, W), (kh, kw), (OH, OW) = x.shape, weight.shape[2:], grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    grad_rows = grad_out.swapaxes(0, 1).reshape(len(weight), -1)
    grad_padded, grad_weight = np.zeros_like(padded), np.zeros_like(weight)
    for i in range(kh):
        for j in range(kw):
            touched = np.s_[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw]
            grad_weight[:, :, i, j] = grad_rows @ padded[touched].swapaxes(0, 1).reshape(C, -1).T
            grad_padded[touched] += np.tensordot(grad_out, weight[:, :, i, j], axes=(1, 0)).transpose(0, 3, 1, 2)
    return grad_padded[:, :, ph : ph + H, pw : pw + W], grad_weight, grad_out.sum(axis=(0, 2, 3))


@alternative("repaired_conv2d_backward", "one image at a time")
def repaired_conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    (H, W), (kh, kw) = x.shape[2:], weight.shape[2:]
    grad_x, grad_weight = np.zeros(x.shape), np.zeros(weight.shape)
    for n in range(len(x)):
        padded = np.pad(x[n], ((0, 0), (ph, ph), (pw, pw)))
        grad_padded = np.zeros(padded.shape)
        for o, r, s in np.ndindex(grad_out.shape[1:]):
            window = np.s_[:, r * sh : r * sh + kh, s * sw : s * sw + kw]
            grad_weight[o] += grad_out[n, o, r, s] * padded[window]
            grad_padded[window] += grad_out[n, o, r, s] * weight[o]
        grad_x[n] = grad_padded[:, ph : ph + H, pw : pw + W]
    return grad_x, grad_weight, grad_out.sum(axis=(0, 2, 3))


mistaken_sources(
    __name__,
    "repaired_conv2d_backward",
    [
        ("both bugs still there", BROKEN),
        ("overlaps still overwritten", BROKEN.replace(*SORTED)),
        ("images and channels still mixed up", ADDED),
        (
            "pixels in another order than the gradients",
            ADDED.replace("grad_out.reshape(", "grad_out.transpose(1, 2, 3, 0).reshape("),
        ),
        ("averaged over the batch", ADDED.replace(*SORTED).replace("grad_rows @ columns", "grad_rows @ columns / N")),
    ],
)
