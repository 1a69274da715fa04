"""Activations as students write them, and sources of which one line is changed."""

PHI = """
    def phi(z):
        if name == "sigmoid":
            return 1 / (1 + np.exp(-z))
        if name == "tanh":
            return np.tanh(z)
        if name == "relu":
            return np.maximum(z, 0)
        if name == "leaky_relu":
            return np.where(z > 0, z, 0.01 * z)
        return np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1)
"""

SLOPE = """
    def slope(z):
        if name == "sigmoid":
            return phi(z) * (1 - phi(z))
        if name == "tanh":
            return 1 - np.tanh(z) ** 2
        if name == "relu":
            return (z > 0) * 1.0
        if name == "leaky_relu":
            return np.where(z > 0, 1.0, 0.01)
        return np.where(z > 0, 1.0, np.exp(np.minimum(z, 0)))
"""


def changed(source: str, *changes: tuple[str, str]) -> str:
    """The source with each (old, new) replaced; every old must be there."""
    for old, new in changes:
        if old not in source:
            raise ValueError(f"{old!r} is not in the source")
        source = source.replace(old, new)
    return source
