"""The training loop: steps, epochs, and what a checkpoint holds of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_utils._training.checkpoint import check_weights, save_checkpoint
from course_utils._training.diagnosis import not_a_number
from course_utils._training.distributed import Team, without_exchange
from course_utils._training.errors import TrainingError, TrainingInterrupted
from course_utils._training.evaluation import measure
from course_utils._training.interrupt import StopRequest
from course_utils._training.loading import Batch, HostImages, ResidentImages
from course_utils._training.pixels import Pixels
from course_utils._training.plan import EpochPlan, Piece
from course_utils._training.precision import Precision
from course_utils._training.progress import Quiet
from course_utils._training.schedule import EarlyStopping, PlateauRule
from course_utils._training.sets import ImageSet
from course_utils._training.settings import Settings
from course_utils._training.sgd import AlexNetSGD
from course_utils._training.watch import Watch

LATEST, BEST = "checkpoint.pt", "best.pt"


@dataclass
class Position:
    """How far a run has come: whole epochs, steps of the one after them, and the sums over these steps."""

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    wrong: float = 0.0
    images: int = 0
    seconds: float = 0.0


@dataclass
class Loop:
    """A run: everything `fit` has put together. `run` trains; `restore` takes a checkpoint up first."""

    model: nn.Module
    sets: dict[str, ImageSet]
    images: ResidentImages | HostImages
    pixels: Pixels
    precision: Precision
    team: Team
    settings: Settings
    shown: Quiet
    folder: Path | None
    position: Position = field(default_factory=Position)
    history: list[dict[str, float]] = field(default_factory=list)
    best: float = float("inf")

    def __post_init__(self) -> None:
        settings = self.settings
        self.optimizer = AlexNetSGD(
            self.model.parameters(), settings.learning_rate, settings.momentum, settings.weight_decay
        )
        self.plateau = None if settings.patience is None else PlateauRule(settings.patience)
        self.stopping = None if settings.early_stopping is None else EarlyStopping(settings.early_stopping)
        self._exchanging = self.team.wrap(self.model)
        self._forward = self._exchanging
        if settings.compile:
            backend = settings.compile if isinstance(settings.compile, str) else "inductor"
            self._forward = torch.compile(self._exchanging, backend=backend)
        self._watch = Watch(self.team, self.model)
        self._saved = monotonic()

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self.optimizer.param_groups[0]["lr"]

    def run(self) -> list[dict[str, float]]:
        """Train to the end. Raises `TrainingInterrupted` and `TrainingError` as `fit` does."""
        with StopRequest() as stop:
            while self.position.epoch < self.settings.epochs:
                if self.history and self.history[-1].get("stopped_early"):
                    break
                self._train_epoch(stop)
                self._finish_epoch()
                if self.team.world == 1 and self.position.epoch < self.settings.epochs:
                    self._interrupt_if(stop.wanted)
        return self.history

    def _train_epoch(self, stop: StopRequest) -> None:
        position, settings = self.position, self.settings
        plan = EpochPlan(
            len(self.sets["train"]), settings.batch_size, settings.seed, position.epoch, settings.augment is not None
        )
        self.model.train()
        started, before = perf_counter(), position.seconds
        for batch, pieces in self._batches(plan):
            self._step(batch, pieces)
            position.step += 1
            last = position.step == plan.steps
            if not (self._watch.due or last):
                continue
            overdue = self.folder is not None and monotonic() - self._saved > 60 * settings.save_minutes
            losses, wrong, (stopping, saving) = self._watch.look((bool(stop.wanted), overdue))
            self._take(losses, wrong, plan)
            position.seconds = before + perf_counter() - started
            speed = position.images / max(position.seconds, 1e-9)
            self.shown.step(position.epoch + 1, settings.epochs, position.step, plan.steps, losses[-1], speed)
            if saving:
                self.save()
            if stopping and not last:
                self._interrupt_if(stop.wanted or "a signal to another process")

    def _batches(self, plan: EpochPlan) -> Iterator[tuple[Iterable[Batch], int]]:
        """For each step the batches of its pieces, which must be taken before the next step's, and their number."""
        team = self.team
        steps = list(plan.pieces(self.position.step, team.rank, team.world, self.settings.accumulate))
        arriving = iter(self.images.batches("train", chain.from_iterable(steps)))
        for pieces in steps:
            yield (next(arriving) for _ in pieces), len(pieces)

    def _step(self, batches: Iterable[Batch], pieces: int) -> None:
        """One update, from one batch in `pieces` pieces: the gradient of the mean loss over all processes' images."""
        total = wrong = torch.zeros((), device=self.team.device)
        self.optimizer.zero_grad(set_to_none=True)
        for number, (stored, labels, piece) in enumerate(batches, start=1):
            if number < pieces:
                with without_exchange(self._exchanging):
                    loss, missed = self._backward(stored, labels, piece)
            else:
                loss, missed = self._backward(stored, labels, piece)
            total, wrong = total + loss, wrong + missed
        self.precision.scaler.step(self.optimizer)
        self.precision.scaler.update()
        self._watch.add(total, wrong)

    def _backward(self, stored: Tensor, labels: Tensor, piece: Piece) -> tuple[Tensor, Tensor]:
        x = self.pixels.prepare(stored, piece, self.settings.augment)  # (k, C, H, W)
        with self.precision.autocast():
            logits = self._forward(x)  # (k, classes)
            summed = functional.cross_entropy(logits, labels, reduction="sum")
        # The mean over the whole batch, whose parts are of different sizes; a stand-in counts for nothing.
        loss = summed * ((1.0 if piece.counted else 0.0) / piece.batch)
        # DistributedDataParallel divides by the number of processes, and the loss is a sum over them.
        self.precision.scaler.scale(loss * self.team.world).backward()
        missed = (logits.detach().argmax(dim=1) != labels).sum() * (1 if piece.counted else 0)
        return loss.detach(), missed

    def _take(self, losses: list[float], wrong: float, plan: EpochPlan) -> None:
        """Add what a look has brought to the epoch's sums."""
        position = self.position
        first = position.step - len(losses)
        bad = self._watch.note(losses, position.step)
        if bad is not None:
            raise TrainingError(
                not_a_number(
                    first + bad + 1,
                    position.epoch + 1,
                    self.rate,
                    self._watch.recent,
                    self._watch.gradient,
                    self.precision.name,
                    self.settings.normalize,
                    self._older_checkpoint(),
                )
            )
        for step, loss in enumerate(losses, start=first):
            count = min(plan.batch_size, plan.count - step * plan.batch_size)
            position.loss += loss * count
            position.images += count
        position.wrong += wrong

    def _finish_epoch(self) -> None:
        """Validate, let the rules decide, and save."""
        position = self.position
        record: dict[str, float] = {
            "epoch": position.epoch + 1,
            "learning_rate": self.rate,
            "train_loss": position.loss / position.images,
            "train_error": position.wrong / position.images,
            "seconds": position.seconds,
            "images_per_second": position.images / max(position.seconds, 1e-9),
        }
        if "validation" in self.sets:
            record |= {f"validation_{name}": value for name, value in self.evaluate("validation").items()}
            self._apply_rules(record)
        self.history.append(record)
        self.position = Position(epoch=position.epoch + 1)
        self.shown.epoch(record, self.settings.epochs)
        if record["learning_rate"] != self.rate:
            self.shown.say(f"The validation error has stopped improving: the learning rate is now {self.rate:g}.")
        if record.get("stopped_early"):
            self.shown.say(f"Stopped early: no better validation error in {self.settings.early_stopping} epochs.")
        self.save()

    def _apply_rules(self, record: dict[str, float]) -> None:
        error = record["validation_error"]
        if self.plateau is not None and (divisor := self.plateau.update(error)) != 1:
            for group in self.optimizer.param_groups:
                group["lr"] /= divisor
        if self.stopping is not None and self.stopping.update(error):
            record["stopped_early"] = True
        if error < self.best:
            self.best = error
            if self.folder is not None and self.team.leads:
                save_checkpoint(self.folder / BEST, {"model": self.model.state_dict(), "record": record})

    def evaluate(self, name: str) -> dict[str, float]:
        """Loss and errors on one of the sets."""
        settings, team = self.settings, self.team
        plan = EpochPlan.in_order(len(self.sets[name]), settings.batch_size)
        pieces = chain.from_iterable(plan.pieces(0, team.rank, team.world, settings.accumulate))
        return measure(self.model, self.images.batches(name, pieces), self.pixels, self.precision, team)

    def _interrupt_if(self, signal: str) -> None:
        """Save and end where a signal asks for it."""
        if not signal:
            return
        position = self.position
        where = f"Stopped by {signal} in epoch {position.epoch + 1} after {position.step} steps."
        if not position.step:
            where = f"Stopped by {signal} after epoch {position.epoch}."
        if self.folder is None:
            message = f"{where} Nothing was saved, as there was no out=FOLDER; the model keeps what it has learned."
        else:
            self.save()
            path = self.folder / LATEST
            message = f"{where} To go on, run the same with resume={str(path)!r} (in a terminal --resume {path})."
        raise TrainingInterrupted(message, self.history)

    def _older_checkpoint(self) -> str:
        if self.folder is None or not (self.folder / LATEST).exists():
            return ""
        return f"The checkpoint {self.folder / LATEST} is from before."

    def save(self) -> None:
        """Write the checkpoint, in the leading process; all processes give it their random states."""
        if self.folder is None:
            return
        states = self.team.gather(_random_state(self.team.device))
        self._saved = monotonic()
        if self.team.leads:
            save_checkpoint(self.folder / LATEST, self.state() | {"random": states})
        self.team.wait()  # nobody goes on, or reads it, before it is there

    def state(self) -> dict[str, Any]:
        """All that the rest of the run depends on, save the random states."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.precision.scaler.state_dict(),
            "plateau": self.plateau and self.plateau.state(),
            "stopping": self.stopping and self.stopping.state(),
            "statistics": self.pixels.statistics.state(),
            "position": asdict(self.position),
            "history": self.history,
            "best": self.best,
            "settings": self.settings.of_the_images(len(self.sets["train"])),
        }

    def restore(self, state: dict[str, Any], path: str | Path) -> None:
        """Take a checkpoint up. Raises `TrainingError` where it is another run's; nothing is changed then."""
        check_weights(self.model, state["model"], path)
        for name, here in self.settings.of_the_images(len(self.sets["train"])).items():
            there = state["settings"].get(name)
            if there != here:
                raise TrainingError(f"The {name} is another one in {path}: {there} there, {here} here.")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if state["scaler"] and self.precision.scaler.is_enabled():
            self.precision.scaler.load_state_dict(state["scaler"])
        for rule, kept in ((self.plateau, state["plateau"]), (self.stopping, state["stopping"])):
            if rule is not None and kept is not None:
                rule.restore(kept)
        self.position, self.history, self.best = Position(**state["position"]), state["history"], state["best"]
        if len(state["random"]) == self.team.world:
            _set_random_state(state["random"][self.team.rank], self.team.device)
        else:
            self.shown.say(f"The checkpoint is from {len(state['random'])} processes: dropout takes other draws here.")


def _random_state(device: torch.device) -> dict[str, Tensor]:
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def _set_random_state(state: dict[str, Tensor], device: torch.device) -> None:
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
