"""The exercises of 06_batchnorm, by subject."""
