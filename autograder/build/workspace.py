"""A learner's own copies: `make lab` fills `work/` from `notebooks/` and never writes over anything."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from autograder.build.generate import read_files

JUPYTERLAB = {
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


def copy_missing(notebooks: Path, work: Path) -> list[Path]:
    """Copy the files of `notebooks` that `work` does not have; the new paths. What is there stays as it is."""
    copied = []
    work.mkdir(parents=True, exist_ok=True)
    for name in read_files(notebooks):
        target = work / name
        if target.exists() or target.is_symlink():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(notebooks / name, target)
        copied.append(target)
    return copied


def settle_jupyterlab(prefix: Path = Path(sys.prefix)) -> None:
    """JupyterLab's defaults in this environment: widgets keep their last picture, and nothing asks for the network.

    Only defaults: what a learner chooses in the settings editor wins. A file that is there already stays as it is.
    """
    path = prefix / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(JUPYTERLAB, indent=2) + "\n", encoding="utf-8")


def main(notebooks: str, work: str) -> None:
    """Copy, and say what happened."""
    settle_jupyterlab()
    copied = copy_missing(Path(notebooks), Path(work))
    for path in copied:
        print(f"new: {path}")
    print(f"Your notebooks are in {work}/. What you change there is never written over.")


if __name__ == "__main__":
    main(*sys.argv[1:])
