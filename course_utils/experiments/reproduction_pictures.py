"""Pictures of the two small reproductions, in the course's style: each function returns a figure for `show`."""

from __future__ import annotations

import numpy as np

from course_utils.experiments.activations import ACTIVATIONS, Race
from course_utils.experiments.reproduction import Ablation
from course_utils.plots import figure, palette

_LOOKS = {"relu": ("ReLU", "o-", palette.blue), "tanh": ("tanh", "s--", palette.orange)}


def draw_race(race: Race):
    """Left: the training error of each epoch with each activation's best rate. Right: epochs to the goal by rate.

    Where each activation has one rate only, there is nothing to compare on the right, and the left one stands alone.
    """
    if all(len(rates) == 1 for rates in race.rates.values()):
        fig, left = figure(size=(6.4, 3.8))
        _draw_curves(left, race)
        return fig
    fig, (left, right) = figure(1, 2, size=(10, 3.8))
    _draw_curves(left, race)
    _draw_search(right, race)
    return fig


def _draw_curves(axis, race: Race) -> None:
    most = 0
    for name in ACTIVATIONS:
        label, style, color = _LOOKS[name]
        best = race.best(name)
        for run, curve in enumerate(race.curves[name][best]):
            seen = curve[~np.isnan(curve)]
            most = max(most, len(seen))
            legend = f"{label}, rate {race.rates[name][best]:g}" if run == 0 else None
            axis.plot(np.arange(len(seen)) + 0.5, seen, style, color=color, markersize=4, linewidth=1.4, label=legend)
    axis.axhline(race.goal, color=palette.black, linestyle=":", linewidth=1.2)
    axis.annotate(f"goal: {100 * race.goal:g} %", (0.05, race.goal), va="bottom", fontsize=9)
    axis.set(title="Training error, each run", xlabel="epochs", ylabel="share of wrong answers", xlim=(0, most))
    axis.set_ylim(0)
    axis.legend(loc="lower left", frameon=False, fontsize=9)


def _draw_search(axis, race: Race) -> None:
    limit = race.curves["relu"].shape[-1]  # where the runs that did not get there are marked
    for name in ACTIVATIONS:
        label, style, color = _LOOKS[name]
        for rate, reached in zip(race.rates[name], race.reached[name], strict=True):
            there = reached[np.isfinite(reached)]
            at = rate * (0.97 if name == "relu" else 1.03)  # side by side, so that no point hides another
            axis.plot(np.full(len(there), at), there, style[0], color=color, markersize=6, alpha=0.8)
            if len(there) < len(reached):
                axis.plot(at, limit, "x", color=color, markersize=7, markeredgewidth=2)
        middle = np.median(race.reached[name], axis=1)
        known = np.isfinite(middle)
        axis.plot(np.array(race.rates[name])[known], middle[known], style[1:], color=color, label=f"{label}, median")
    axis.set(title=f"Epochs to the goal (×: not within {limit})", xlabel="learning rate", ylabel="epochs", xscale="log")
    axis.set_ylim(0, 1.05 * axis.get_ylim()[1])  # the topmost marks whole
    rates = sorted(set().union(*race.rates.values()))
    axis.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axis.set_xticks([], minor=True)
    axis.legend(loc="lower left", frameon=False, fontsize=9)


def draw_ablation(result: Ablation):
    """Left: each variant's test errors, mean and standard deviation. Right: our differences and the literature's."""
    fig, (left, right) = figure(1, 2, size=(10.5, 3.8), sharey=True)
    places = np.arange(len(result.rows))
    for place, row in zip(places, result.rows, strict=True):
        errors = 100 * row.test_errors
        left.plot(errors, np.full(len(errors), place), "o", color=palette.sky, markersize=5)
        left.errorbar(
            errors.mean(), place + 0.18, xerr=errors.std(ddof=1), fmt="D", color=palette.blue, capsize=3, markersize=5
        )
        if place == 0:
            continue
        mean, margin = result.difference(row)[0], result.margin(row)
        handle = right.errorbar(
            100 * mean, place + 0.12, xerr=100 * margin, fmt="D", color=palette.blue, capsize=3, markersize=5
        )
        handle.set_label("ours, 95 % interval" if place == 1 else None)
        if row.variant.paper is not None:
            (mark,) = right.plot(row.variant.paper, place - 0.12, "s", color=palette.vermillion, markersize=6)
            mark.set_label("ImageNet, from the literature" if place == 1 else None)
    right.axvline(0, color=palette.black, linewidth=1)
    left.set_yticks(places, [row.variant.name for row in result.rows])
    left.invert_yaxis()
    seeds = len(result.rows[0].test_errors)
    left.set(title=f"Test error, {seeds} seeds, mean and std", xlabel="per cent", xlim=0)
    right.set(title="More errors than the full network", xlabel="percentage points")
    fig.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return fig
