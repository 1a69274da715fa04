"""Training, for the notebooks, for scripts and as a command: ``python -m course_utils.train --help``.

`fit` is the loop, docs/training.md its manual. NumPy and PyTorch are all it needs.
"""

from course_utils._training.augment import Augmentation
from course_utils._training.checkpoint import load_checkpoint, load_weights, save_checkpoint
from course_utils._training.command import main
from course_utils._training.distributed import leave
from course_utils._training.errors import TrainingError, TrainingInterrupted
from course_utils._training.fit import evaluate, fit
from course_utils._training.schedule import EarlyStopping, PlateauRule
from course_utils._training.sgd import AlexNetSGD

__all__ = [
    "AlexNetSGD",
    "Augmentation",
    "EarlyStopping",
    "PlateauRule",
    "TrainingError",
    "TrainingInterrupted",
    "evaluate",
    "fit",
    "load_checkpoint",
    "load_weights",
    "save_checkpoint",
]

if __name__ == "__main__":
    leave(main())
