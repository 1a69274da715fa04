"""Changes of one line that make a normalization's forward pass wrong, whatever it normalizes over."""

CENTRED, SPREAD, AFFINE = "x - mean", "np.sqrt(variance + epsilon)", "gamma * x_hat + beta"


def shared_mistakes(around):
    """Rows (misconception, change of a line); `around` is how the source writes axes and keepdims."""
    squares = f"np.mean((x - mean) ** 2, {around})"
    return (
        ("epsilon beside the root", (SPREAD, "(np.sqrt(variance) + epsilon)")),
        ("epsilon left out", (SPREAD, "np.sqrt(variance)")),
        ("epsilon fixed", (SPREAD, "np.sqrt(variance + 1e-5)")),
        ("divided by the variance", (SPREAD, "(variance + epsilon)")),
        ("unbiased variance", (squares, f"np.var(x, {around}, ddof=1)")),
        ("mean of x² for the variance", (squares, f"np.mean(x**2, {around})")),
        ("mean not subtracted", (f"centred = {CENTRED}", "centred = x")),
        ("gamma left out", (AFFINE, "x_hat + beta")),
        ("beta left out", (AFFINE, "gamma * x_hat")),
        ("gamma and beta left out", (AFFINE, "x_hat")),
        ("gamma and beta swapped", (AFFINE, "beta * x_hat + gamma")),
        ("beta scaled too", (AFFINE, "gamma * (x_hat + beta)")),
        ("gamma read as the variance", (AFFINE, "np.sqrt(gamma) * x_hat + beta")),
    )
