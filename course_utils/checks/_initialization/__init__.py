"""The exercises of 03_initialization, by subject."""
