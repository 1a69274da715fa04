"""The exercises of 02_convolution, by subject."""
