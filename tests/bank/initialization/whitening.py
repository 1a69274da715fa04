"""pca_whiten: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources

WHITEN = """def pca_whiten(train, test, epsilon):
    mean = train.mean(axis=0)
    X, Y = train - mean, test - mean
    cov = X.T @ X / len(X)
    lam, U = np.linalg.eigh(cov)
    order = np.argsort(lam)[::-1]
    lam, U = lam[order].clip(0), U[:, order]
    scale = np.sqrt(lam + epsilon)
    return X @ U / scale, Y @ U / scale
"""


@alternative("pca_whiten", "singular values of the centred data")
def pca_whiten(train, test, epsilon):
    mean = np.mean(train, axis=0)
    _, s, vt = np.linalg.svd(train - mean, full_matrices=False)
    scale = np.sqrt(s**2 / len(train) + epsilon)
    return tuple(np.einsum("nd,kd->nk", rows - mean, vt) / scale for rows in (train, test))


@alternative("pca_whiten", "np.cov and the singular values of a symmetric matrix")
def pca_whiten(train, test, epsilon):
    u, lam, _ = np.linalg.svd(np.cov(train.T, bias=True))
    whitener = u @ np.diag((lam + epsilon) ** -0.5)
    a, b = train - train.mean(axis=0), test - train.mean(axis=0)
    return -(a @ whitener), -(b @ whitener)


@alternative("pca_whiten", "eig, sorted, first entry of each component positive")
def pca_whiten(train, test, epsilon):
    m = train.sum(axis=0) / len(train)
    C = sum(np.outer(row - m, row - m) for row in train) / len(train)
    values, vectors = np.linalg.eig(C)
    values, vectors = values.real, vectors.real
    pairs = sorted(zip(values, vectors.T), key=lambda pair: -pair[0])
    u = np.array([v if v[0] >= 0 else -v for _, v in pairs])
    root = np.array([np.sqrt(max(value, 0.0) + epsilon) for value, _ in pairs])
    return [(train - m) @ u.T / root, (test - m) @ u.T / root]


SCALE = "scale = np.sqrt(lam + epsilon)"
CENTRED = "X, Y = train - mean, test - mean"
RETURN = "return X @ U / scale, Y @ U / scale"

mistaken_sources(
    __name__,
    "pca_whiten",
    [
        (name, changed(WHITEN, change))
        for name, *change in (
            ("test set centred by itself", CENTRED, "X, Y = train - mean, test - test.mean(axis=0)"),
            ("not centred", CENTRED, "X, Y = train, test"),
            ("not centred", RETURN, "return train @ U / scale, test @ U / scale"),
            ("divided by λ", SCALE, "scale = lam + epsilon"),
            ("epsilon outside the root", SCALE, "scale = np.sqrt(lam) + epsilon"),
            ("epsilon left out", SCALE, "scale = np.sqrt(lam)"),
            ("rotated, not scaled", RETURN, "return X @ U, Y @ U"),
            ("components by rising variance", "np.argsort(lam)[::-1]", "np.argsort(lam)"),
            ("divided by n − 1", "cov = X.T @ X / len(X)", "cov = np.cov(train, rowvar=False)"),
            ("rows of U for its columns", RETURN, "return X @ U.T / scale, Y @ U.T / scale"),
            ("rows of U for its columns", "U[:, order]", "U[order].T"),
            (
                "eigenvalues reversed, eigenvectors not",
                "lam, U = lam[order].clip(0), U[:, order]",
                "lam = lam[order].clip(0)",
            ),
            ("not divided by N", "X.T @ X / len(X)", "X.T @ X"),
            ("singular value for eigenvalue", SCALE, "scale = np.sqrt(np.sqrt(lam * len(X)) + epsilon)"),
            ("singular value for eigenvalue", SCALE, "scale = np.sqrt(np.sqrt(lam * len(X)) / len(X) + epsilon)"),
            ("singular value for eigenvalue", SCALE, "scale = np.sqrt(np.sqrt(lam) + epsilon)"),
            ("test not centred", CENTRED, "X, Y = train - mean, test"),
            ("components dropped", SCALE, "keep = lam > 1e-9\n    lam, U = lam[keep], U[:, keep]\n    " + SCALE),
            ("components dropped", SCALE, "lam, U = lam[:1], U[:, :1]\n    " + SCALE),
            ("rotated back", RETURN, "return X @ U / scale @ U.T, Y @ U / scale @ U.T"),
        )
    ],
)


@mistaken("pca_whiten", "test set whitened by itself")
def pca_whiten(train, test, epsilon):
    def whiten(x):
        x = x - x.mean(axis=0)
        lam, u = np.linalg.eigh(x.T @ x / len(x))
        return (x @ u[:, ::-1]) / np.sqrt(np.maximum(lam[::-1], 0) + epsilon)

    return whiten(train), whiten(test)


@mistaken("pca_whiten", "statistics of train and test together")
def pca_whiten(train, test, epsilon):
    both = np.concatenate([train, test])
    centred = both - both.mean(axis=0)
    lam, u = np.linalg.eigh(centred.T @ centred / len(both))
    out = centred @ u[:, ::-1] / np.sqrt(np.maximum(lam[::-1], 0) + epsilon)
    return out[: len(train)], out[len(train) :]


@mistaken("pca_whiten", "components by rising variance")
def pca_whiten(train, test, epsilon):
    mean = train.mean(axis=0)
    lam, u = np.linalg.eigh((train - mean).T @ (train - mean) / len(train))
    lam = np.maximum(lam, 0)
    return (train - mean) @ u / np.sqrt(lam + epsilon), (test - mean) @ u / np.sqrt(lam + epsilon)


@mistaken("pca_whiten", "divided by n − 1")
def pca_whiten(train, test, epsilon):
    mean = train.mean(axis=0)
    _, s, vt = np.linalg.svd(train - mean, full_matrices=False)
    scale = np.sqrt(s**2 / (len(train) - 1) + epsilon)
    return (train - mean) @ vt.T / scale, (test - mean) @ vt.T / scale


@mistaken("pca_whiten", "every feature standardized first")
def pca_whiten(train, test, epsilon):
    mean, std = train.mean(axis=0), train.std(axis=0)
    std[std == 0] = 1
    x, y = (train - mean) / std, (test - mean) / std
    lam, u = np.linalg.eigh(x.T @ x / len(x))
    scale = np.sqrt(np.maximum(lam[::-1], 0) + epsilon)
    return x @ u[:, ::-1] / scale, y @ u[:, ::-1] / scale
