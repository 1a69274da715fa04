"""The exercises of 05_dropout, by subject."""
