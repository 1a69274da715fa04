"""The exercises of 04_optimizers, by subject."""
