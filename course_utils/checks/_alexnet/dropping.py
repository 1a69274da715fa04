"""Where dropout acts in AlexNet: read off networks whose units all have one known value.

From the probed layer on, every layer hands its units on unchanged, so each logit is 0 where a mask dropped it, and
otherwise the known value times a factor for every mask on its way. The zeros are counted as `masks` says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_utils.checks.compare import number_text
from course_utils.checks.masks import fault, fits

FEATURES = "the flattened maps"
SITES = {FEATURES: "conv5", "fc6": "fc6", "fc7": "fc7"}  # what is probed, and the layer whose bias sets its value
ORDER = (FEATURES, "fc6", "fc7", "logits")
SHARE = 0.5  # of the units that are kept


@dataclass(frozen=True)
class Probe:
    """Units of a known value, from the site (one of `SITES`) to the logits."""

    site: str
    value: float


@dataclass(frozen=True)
class Dropping:
    """An idea of dropout: after which of `ORDER` units are dropped, and whether those kept are doubled."""

    after: tuple[str, ...] = ("fc6", "fc7")
    doubled: bool = True

    def seen(self, probe):
        """How many masks lie between the probed units and the logits."""
        return sum(ORDER.index(site) >= ORDER.index(probe.site) for site in self.after)

    def kept(self, probe):
        """The share of logits that are not dropped, and their value."""
        masks = self.seen(probe)
        return SHARE**masks, probe.value / SHARE ** (masks if self.doubled else 0)


PAPER = Dropping()


def _has_value(logits, value):
    return bool(np.all(np.isclose(logits[logits != 0], value, rtol=1e-6)))


def may_be(probe, idea, logits):
    """Whether logits (N, classes) may well come from dropout as `idea` says."""
    share, value = idea.kept(probe)
    return _has_value(logits, value) and fits(logits != 0, share)


def dropping_fault(probe, first, second):
    """What is wrong with the logits of two calls in training mode, as a sentence; None if nothing is."""
    share, value = PAPER.kept(probe)
    for logits in (first, second):
        if logits.shape != first.shape or not np.isfinite(logits).all():
            return "some logits are NaN or infinite, or their shape changes from call to call"
        if (found := fault(logits != 0, share, f"units from {probe.site} to the logits")) is not None:
            return found
        if not _has_value(logits, value):
            wrong = logits[(logits != 0) & ~np.isclose(logits, value, rtol=1e-6)][0]
            return (
                f"the units of {probe.site} are {number_text(probe.value)}; one that is kept arrives at the logits as "
                f"{number_text(wrong)}, should be {number_text(value)}"
            )
    if np.array_equal(first, second):
        return "two calls in training mode drop the same units, should draw new ones"
    return None
