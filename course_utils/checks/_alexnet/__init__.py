"""The exercises of 08_alexnet, by subject."""
