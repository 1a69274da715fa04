"""Comparisons, as ratios measured side by side in one run. Tests never look at a clock; these do nothing else."""
