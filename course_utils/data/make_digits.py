"""How ``digits.npz`` was made: ``python -m course_utils.data.make_digits`` writes it again (needs scikit-learn).

The file keeps the shuffled order itself, because NumPy does not promise that a seed shuffles
alike in every release, and the split must stay the same for every student.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

SEED = 2012  # leaves every digit with at least 24 of 300 in validation and in test


def make_digits(path: Path) -> None:
    """Write scikit-learn's digits, shuffled once, to `path`.

    The file holds `images` (1797, 8, 8) uint8 with values 0 to 16, `labels` (1797,) uint8, and `index` (1797,) uint16,
    each image's position in scikit-learn's own order.
    Source: the test set of the UCI ML hand-written digits data (Alpaydin & Kaynak, 1998), CC BY 4.0.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    index = np.random.default_rng(SEED).permutation(len(digits.target))
    np.savez_compressed(
        path,
        images=digits.images[index].astype(np.uint8),
        labels=digits.target[index].astype(np.uint8),
        index=index.astype(np.uint16),
    )


if __name__ == "__main__":
    make_digits(Path(__file__).with_name("digits.npz"))
