"""The exercises of 07_augmentation, by subject."""
