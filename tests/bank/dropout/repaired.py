"""What students write for repaired_dropout_backward."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("repaired_dropout_backward", "the loop over examples kept")
def repaired_dropout_backward(grad_out, keep_mask, drop_probability):
    grad_x = np.zeros_like(grad_out)
    for n in range(len(grad_out)):
        kept = np.flatnonzero(keep_mask[n])
        grad_x[n, kept] = grad_out[n, kept] / (1 - drop_probability)
    return grad_x


@alternative("repaired_dropout_backward", "one product")
def repaired_dropout_backward(grad_out, keep_mask, drop_probability):
    return grad_out * (keep_mask / (1 - drop_probability))


@alternative("repaired_dropout_backward", "rows and columns of what is kept, float32")
def repaired_dropout_backward(grad_out, keep_mask, drop_probability):
    grad_x = np.zeros(grad_out.shape, dtype=np.float32)
    rows, columns = np.nonzero(keep_mask)
    grad_x[rows, columns] = grad_out[rows, columns] / (1 - drop_probability)
    return grad_x


# The broken function that the notebook shows, under the name of the repaired one.
BROKEN = """def repaired_dropout_backward(grad_out, keep_mask, drop_probability):
    kept = np.flatnonzero(keep_mask[0])  # the units that were kept
    grad_x = np.zeros_like(grad_out)
    grad_x[:, kept] = grad_out[:, kept] / drop_probability
    return grad_x
"""
FIRST, ASSIGNED = "np.flatnonzero(keep_mask[0])", "grad_x[:, kept] = grad_out[:, kept]"
MASK = (FIRST, "keep_mask == 1"), (ASSIGNED, "grad_x[kept] = grad_out[kept]")
NEW = "np.random.rand(*grad_out.shape)"
SCALE = ("/ drop_probability", "/ (1 - drop_probability)")

mistaken_changes(
    __name__,
    "repaired_dropout_backward",
    BROKEN,
    (
        ("both bugs still there",),
        ("scale mended, mask not", SCALE),
        ("mask mended, scale not", *MASK),
        ("scale removed", *MASK, (" / drop_probability", "")),
        ("multiplied by 1 − p", *MASK, ("/ drop_probability", "* (1 - drop_probability)")),
        ("mask removed", (ASSIGNED, "grad_x = grad_out"), SCALE),
        ("units that any example keeps", (FIRST, "np.flatnonzero(keep_mask.any(axis=0))"), SCALE),
        ("backward draws a new mask", *MASK, SCALE, ("keep_mask == 1", f"{NEW} >= drop_probability")),
    ),
)
