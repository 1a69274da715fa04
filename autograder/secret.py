"""The course's secret and the random generators it gives: the same for the whole class and at every regrade."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import numpy as np

from autograder import CourseError

FOLDER = ".autograder"
FILE = "secret"


def course_secret(course: Path) -> bytes:
    """The secret of the course directory `course`, made on first use, readable by its owner alone."""
    folder = course / FOLDER
    path = folder / FILE
    try:
        folder.mkdir(exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))
        text = path.read_text(encoding="ascii").strip()
        if len(text) < 32:
            raise ValueError
        return bytes.fromhex(text)
    except OSError as error:
        raise CourseError(f"The course's secret cannot be kept in {path}: {error.strerror}.") from None
    except ValueError:
        raise CourseError(f"{path} is damaged: delete it and regrade, which changes the secret inputs.") from None


def secret_rng(secret: bytes, exercise: str, index: int) -> np.random.Generator:
    """The generator for the `index`-th secret set of cases of an exercise."""
    digest = hmac.new(secret, f"{exercise}/{index}".encode(), hashlib.sha256).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))
