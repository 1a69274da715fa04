"""BatchNorm: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources


@alternative("BatchNorm", "moving by a share of the difference")
class BatchNorm:
    def __init__(self, num_features, epsilon=1e-5, momentum=0.1):
        self.eps = epsilon
        self.momentum = momentum
        self.training = True
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)

    def __call__(self, x):
        n = x.shape[0]
        if not self.training:
            x_hat = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)
            return x_hat * self.weight + self.bias
        if n == 1:
            raise ValueError("expected more than 1 example in training, got 1")
        mu = x.mean(axis=0)
        var = ((x - mu) ** 2).mean(axis=0)
        self.running_mean = self.running_mean + self.momentum * (mu - self.running_mean)
        self.running_var = self.running_var + self.momentum * (var * n / (n - 1) - self.running_var)
        return self.weight * (x - mu) / np.sqrt(var + self.eps) + self.bias


@alternative("BatchNorm", "changed in place, one scale and one shift")
class BatchNorm:
    def __init__(self, num_features, epsilon=1e-5, momentum=0.1):
        self.settings = (epsilon, momentum)
        self.weight, self.running_var = np.ones((2, num_features))
        self.bias, self.running_mean = np.zeros((2, num_features))
        self.training = True

    def statistics(self, x):
        if len(x) < 2:
            raise ValueError(f"{len(x)} example is too few")
        centred = x - np.einsum("nd->d", x) / len(x)
        squares = np.einsum("nd,nd->d", centred, centred)
        share = self.settings[1]
        for running, new in ((self.running_mean, x[0] - centred[0]), (self.running_var, squares / (len(x) - 1))):
            running *= 1 - share
            running += share * new
        return x[0] - centred[0], squares / len(x)

    def __call__(self, x):
        mean, var = self.statistics(x) if self.training else (self.running_mean, self.running_var)
        scale = self.weight / np.sqrt(var + self.settings[0])
        return x * scale + (self.bias - mean * scale)


@alternative("BatchNorm", "column by column")
class BatchNorm:
    def __init__(self, num_features, epsilon=1e-5, momentum=0.1):
        self.weight = np.array([1.0 for _ in range(num_features)])
        self.bias = self.weight * 0
        self.running_mean, self.running_var = self.bias.copy(), self.weight.copy()
        self.training, self.e, self.m = True, epsilon, momentum

    def __call__(self, x):
        out = np.empty(x.shape)
        N, D = x.shape
        if self.training and N == 1:
            raise ValueError("N = 1 in training")
        for d in range(D):
            if self.training:
                mean = sum(x[:, d]) / N
                total = sum((v - mean) ** 2 for v in x[:, d])
                var = total / N
                self.running_mean[d] = self.running_mean[d] * (1 - self.m) + mean * self.m
                self.running_var[d] = self.running_var[d] * (1 - self.m) + total / (N - 1) * self.m
            else:
                mean, var = self.running_mean[d], self.running_var[d]
            for n in range(N):
                out[n, d] = self.weight[d] * (x[n, d] - mean) / (var + self.e) ** 0.5 + self.bias[d]
        return out


RIGHT = """class BatchNorm:
    def __init__(self, num_features, epsilon=1e-5, momentum=0.1):
        self.epsilon, self.momentum, self.training = epsilon, momentum, True
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.batches = 0

    def __call__(self, x):
        if self.training and len(x) < 2:
            raise ValueError(f"{len(x)} example")
        if self.training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            self.batches += 1
            keep, take = 1 - self.momentum, self.momentum
            self.running_mean = keep * self.running_mean + take * mean
            self.running_var = keep * self.running_var + take * x.var(axis=0, ddof=1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (x - mean) / np.sqrt(var + self.epsilon)
        return self.weight * x_hat + self.bias
"""
BATCH = "mean, var = x.mean(axis=0), x.var(axis=0)\n"
NEW_VAR = "take * x.var(axis=0, ddof=1)"
SHARES = "keep, take = 1 - self.momentum, self.momentum"
UNBIASED_FROM_TWO = "take * x.var(axis=0) * len(x) / max(len(x) - 1, 1)"
FIXED = "mean, var = self.running_mean, self.running_var"
SPREAD, AFFINE = "np.sqrt(var + self.epsilon)", "self.weight * x_hat + self.bias"
REFUSAL = '        if self.training and len(x) < 2:\n            raise ValueError(f"{len(x)} example")\n'
WHOLE = "keep, take = (keep, take) if self.batches > 1 else (0, 1)"
UPDATE = f"""            self.running_mean = keep * self.running_mean + take * mean
            self.running_var = keep * self.running_var + {NEW_VAR}
"""
ALWAYS = f"""        {SHARES}
        self.running_mean = keep * self.running_mean + take * x.mean(axis=0)
        self.running_var = keep * self.running_var + {NEW_VAR}
        x_hat"""
FIRST = f"{ALWAYS.removesuffix('        x_hat')}        if self.training:"
BEFORE = "\n        if self.training:\n            mean, var = x.mean"

mistaken_sources(
    __name__,
    "BatchNorm",
    [
        (name, changed(RIGHT, *changes))
        for name, *changes in (
            ("biased running variance", (NEW_VAR, "take * var")),
            ("unbiased variance in the output", (BATCH, BATCH.replace("x.var(axis=0)", "x.var(axis=0, ddof=1)"))),
            (
                "both variances the wrong way round",
                (NEW_VAR, "take * x.var(axis=0)"),
                (BATCH, BATCH.replace("x.var(axis=0)", "x.var(axis=0, ddof=1)")),
            ),
            ("momentum the other way round", (SHARES, "take, keep = 1 - self.momentum, self.momentum")),
            ("momentum fixed", (SHARES, "keep, take = 0.9, 0.1")),
            ("old value kept whole", (SHARES, "keep, take = 1, self.momentum")),
            ("last batch alone", (SHARES, "keep, take = 0, 1")),
            ("first batch taken whole", (SHARES, f"{SHARES}\n            {WHOLE}")),
            ("plain average of the batches", (SHARES, "take = 1 / self.batches\n            keep = 1 - take")),
            (
                "running variance starts at 0",
                ("np.zeros(num_features), np.ones(num_features)", "np.zeros((2, num_features))"),
            ),
            ("never updated", (UPDATE, "")),
            ("standard deviation remembered", (NEW_VAR, "take * x.std(axis=0, ddof=1)")),
            ("updates in evaluation", (UPDATE, ""), ("        x_hat", ALWAYS)),
            ("updates in evaluation", (UPDATE, ""), (BEFORE, f"\n{FIRST}\n            mean, var = x.mean")),
            (
                "updates in evaluation",
                (UPDATE, ""),
                (BEFORE, f"\n{FIRST}\n            mean, var = x.mean".replace(NEW_VAR, UNBIASED_FROM_TWO)),
            ),
            ("batch statistics in evaluation", (FIXED, BATCH.strip())),
            (
                "running statistics in training",
                (
                    f"            {SHARES}",
                    f"            old = self.running_mean, self.running_var\n            {SHARES}",
                ),
                (UPDATE, UPDATE + "            mean, var = old\n"),
            ),
            ("just updated statistics in training", (UPDATE, f"{UPDATE}            {FIXED}\n")),
            ("epsilon beside the root", (SPREAD, "(np.sqrt(var) + self.epsilon)")),
            ("epsilon fixed", (SPREAD, "np.sqrt(var + 1e-5)")),
            ("variance without a root", (SPREAD, "(var + self.epsilon)")),
            ("weight and bias not used", (AFFINE, "x_hat")),
            ("weight and bias only in training", (AFFINE, f"{AFFINE} if self.training else x_hat")),
            ("along axis 1", (NEW_VAR, "take * var"), ("axis=0", "axis=1, keepdims=True")),
            ("a batch of one accepted in training", (REFUSAL, "")),
            ("a batch of one refused in evaluation", ("self.training and len", "len")),
            ("divided by N − 1 = 0", (REFUSAL, ""), (NEW_VAR, "take * var * (len(x) / (len(x) - 1))")),
        )
    ],
)
