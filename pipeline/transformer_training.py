"""Training the NER of the transformer variant, so that an interrupted training can go on.

Each :class:`Job` has a folder. After every epoch it holds all that the next one needs, and at the
end the answers; a job that is run again goes on from there, and one that is done is not repeated.
What is random in an epoch depends on the seed and the number of the epoch only, so that a
training that was interrupted ends with the same weights as one that was not.

One optimiser of torch, AdamW, moves both the encoder and the NER over it, whose arrays torch and
thinc share.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from spacy.language import Language
from spacy.training.batchers import minibatch_by_words
from spacy.util import fix_random_seed, load_config, load_model_from_config
from thinc.api import Model, require_gpu, xp2torch

from pipeline.corpus import Raw, example, fresh_example, ner_label
from pipeline.learning import fold_of
from pipeline.library import plain
from pipeline.markup import GoldArticle

Recognise = Callable[[Language, Sequence[str]], list[Raw]]

_STOPPING_FOLDS = 13
"""One fold of so many stops the training; it shares no factor with the folds of other stages."""

_STATE, _BEST, _SPANS = "state.safetensors", "best.safetensors", "spans.json"
PROGRESS = "progress.jsonl"
MODEL = "model"


@dataclass(frozen=True, slots=True)
class Job:
    """One NER to train in ``folder``: on ``learn``, then run over ``read``."""

    folder: Path
    learn: tuple[GoldArticle, ...]
    read: tuple[GoldArticle, ...]
    config: Path
    encoder: str
    seed: int
    threads: int
    gpu_id: int


@dataclass(frozen=True, slots=True)
class Settings:
    """The section ``[training]`` of the configuration; see there."""

    max_epochs: int
    patience: int
    batch_words: int
    accumulate_gradient: int
    dropout: float
    frozen_layers: int
    encoder_rate: float
    rate: float
    warmup_share: float
    weight_decay: float
    grad_clip: float

    def share(self, done: float) -> float:
        """Of the rates, when that share of the training is done: up to 1, and down to 0."""
        return min(done / self.warmup_share, (1 - done) / (1 - self.warmup_share))


@dataclass(slots=True)
class _Loop:
    """Where a training stands: epochs done, and the best of them by its score."""

    epoch: int = 0
    best: float = -1.0
    best_epoch: int = 0


def _spans(folder: Path) -> dict[str, Raw] | None:
    """What the NER of a job that is done found, by path; ``None`` of one that is not."""
    try:
        found = json.loads((folder / _SPANS).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return {path: Raw([tuple(span) for span in spans], None) for path, spans in found.items()}


def run(job: Job, recognise: Recognise) -> dict[str, Raw]:
    """Trains the NER of a job, or goes on where it was interrupted; what it then finds, by path.

    The NER with the best score on the stopping fold is kept in ``job.folder / "model"``.

    Raises:
        MarkupError: where a mark cuts a token.
        ModelError: where the encoder cannot be used.
    """
    if (done := _spans(job.folder)) is not None:
        return done
    job.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(job.threads)
    if job.gpu_id >= 0:
        require_gpu(job.gpu_id)
    training = _Training(job, recognise)
    training.go_on()
    # A trained model brings its encoder: where that came from on this machine is no one's business.
    training.nlp.get_pipe_config("transformer")["model"]["name"] = Path(job.encoder).name
    training.nlp.to_disk(job.folder / MODEL, exclude=["vectors"])
    raws = recognise(training.nlp, [article.text for article in job.read])
    found = {article.path: raw for article, raw in zip(job.read, raws, strict=True)}
    spans = {path: raw.spans for path, raw in found.items()}
    _write(job.folder / _SPANS, lambda path: path.write_text(json.dumps(spans), "utf-8"))
    (job.folder / _STATE).unlink()
    (job.folder / _BEST).unlink()
    return found


class _Training:
    """The NER of a job with its optimiser."""

    def __init__(self, job: Job, recognise: Recognise) -> None:
        import pipeline.transformer  # noqa: F401  (registers what the configuration names)

        fix_random_seed(job.seed)
        config = load_config(job.config)
        config["components"]["transformer"]["model"]["name"] = job.encoder
        self.job = job
        self.settings = Settings(**config["training"])
        self.recognise = recognise
        stopping = [a for a in job.learn if fold_of(a, _STOPPING_FOLDS) == 0]
        self.stopping = stopping if len(stopping) < len(job.learn) else []
        self.learn = [article for article in job.learn if article not in self.stopping]
        self.nlp = load_model_from_config(config, auto_fill=True)
        examples = [example(self.nlp, article) for article in job.learn]
        self.nlp.initialize(lambda: examples)
        pipes: dict[str, Any] = dict(self.nlp.pipeline)
        self.encoder: torch.nn.Module = pipes["transformer"].model.transformer
        self.ner: Model[Any, Any] = pipes["ner"].model
        _freeze(self.encoder, self.settings.frozen_layers)
        self.loop = _Loop()
        state = job.folder / _STATE
        if state.exists():
            self._restore(state)
        self.head = dict(_head(self.ner))
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in self.encoder.parameters() if p.requires_grad]},
                {"params": list(self.head.values())},
            ],
            weight_decay=self.settings.weight_decay,
        )
        if state.exists():
            self._restore_optimizer(state)

    def go_on(self) -> None:
        """Trains up to the last epoch or until nothing is gained, and takes the best weights."""
        settings, loop = self.settings, self.loop
        while loop.epoch < settings.max_epochs:
            if loop.best > 0 and loop.epoch - loop.best_epoch >= settings.patience:
                break
            began = time.monotonic()
            loss, words = self._epoch()
            loop.epoch += 1
            score = self._score() if self.stopping else float(loop.epoch)
            if score > loop.best:
                loop.best, loop.best_epoch = score, loop.epoch
                _save(self.job.folder / _BEST, self._weights(), loop)
            _save(self.job.folder / _STATE, {**self._weights(), **self._moments()}, loop)
            self._report(loss, words, score, time.monotonic() - began)
        self._restore(self.job.folder / _BEST)

    def _epoch(self) -> tuple[float, int]:
        """Loss of the NER and number of words."""
        settings, epoch = self.settings, self.loop.epoch
        fix_random_seed(self.job.seed + epoch)
        shuffler = random.Random(f"{self.job.seed}/{epoch}")
        fresh = [fresh_example(self.nlp, _plain(a), shuffler) for a in self.learn]
        shuffler.shuffle(fresh)
        batches = list(minibatch_by_words(fresh, size=settings.batch_words, tolerance=0.2))
        losses: dict[str, float] = {}
        for number, batch in enumerate(batches, 1):
            # False: gradients are added up, and no optimiser of spaCy's moves anything.
            self.nlp.update(batch, sgd=False, drop=settings.dropout, losses=losses)  # type: ignore[arg-type]
            if number % settings.accumulate_gradient == 0 or number == len(batches):
                self._step((epoch + number / len(batches)) / settings.max_epochs)
        return float(losses["ner"]), sum(len(one.x) for one in fresh)

    def _step(self, done: float) -> None:
        settings = self.settings
        for (node, name), tensor in self.head.items():
            tensor.grad = xp2torch(node.get_grad(name)) if node.has_grad(name) else None
        for group, rate in zip(
            self.optimizer.param_groups, (settings.encoder_rate, settings.rate), strict=True
        ):
            group["lr"] = rate * settings.share(done)
            torch.nn.utils.clip_grad_norm_(group["params"], settings.grad_clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        for node, name in self.head:
            if node.has_grad(name):
                node.get_grad(name).fill(0)

    def _score(self) -> float:
        """The F1 of spans with their labels on the stopping fold."""
        found = self.recognise(self.nlp, [article.text for article in self.stopping])
        right = of_both = 0
        for article, raw in zip(self.stopping, found, strict=True):
            gold = {(m.start, m.end, ner_label(m)) for m in article.mentions}
            predicted = {(start, end, label) for start, end, label, _ in raw.spans}
            right += len(gold & predicted)
            of_both += len(gold) + len(predicted)
        return 2 * right / of_both if of_both else 0.0

    def _report(self, loss: float, words: int, score: float, seconds: float) -> None:
        line = {
            "epoch": self.loop.epoch,
            "loss": round(loss, 1),
            "score": round(score, 4) if self.stopping else None,
            "tokens": words,
            "seconds": round(seconds, 1),
        }
        with (self.job.folder / PROGRESS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _weights(self) -> dict[str, torch.Tensor]:
        encoder = self.encoder.state_dict()
        ner = torch.frombuffer(bytearray(self.ner.to_bytes()), dtype=torch.uint8)
        return {"ner": ner, **{f"encoder/{name}": tensor for name, tensor in encoder.items()}}

    def _moments(self) -> dict[str, torch.Tensor]:
        states = self.optimizer.state_dict()["state"]
        return {
            f"moment/{number}/{name}": tensor
            for number, state in states.items()
            for name, tensor in state.items()
        }

    def _restore(self, path: Path) -> None:
        with safe_open(path, "pt") as file:
            names = [name for name in file.keys() if name.startswith("encoder/")]  # noqa: SIM118
            weights = {name.removeprefix("encoder/"): file.get_tensor(name) for name in names}
            self.encoder.load_state_dict(weights)
            self.ner.from_bytes(file.get_tensor("ner").numpy().tobytes())
            self.loop = _Loop(**json.loads(file.metadata()["loop"]))

    def _restore_optimizer(self, path: Path) -> None:
        states: dict[int, dict[str, torch.Tensor]] = {}
        with safe_open(path, "pt") as file:
            for key in file.keys():  # noqa: SIM118
                kind, _, rest = key.partition("/")
                if kind == "moment":
                    number, _, name = rest.partition("/")
                    states.setdefault(int(number), {})[name] = file.get_tensor(key)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": states, "param_groups": groups})


def _plain(article: GoldArticle) -> GoldArticle:
    """The article as the trained pipeline will read it; offsets stay."""
    return replace(article, text=plain(article.text))


def _freeze(encoder: Any, layers: int) -> None:
    """Takes the embeddings and the lowest layers out of the training."""
    count = encoder.config.num_hidden_layers
    stack = next(
        module
        for module in encoder.modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == count
    )
    for module in (encoder.embeddings, *stack[:layers]) if layers else ():
        module.requires_grad_(False)


def _head(model: Model[Any, Any]) -> Iterator[tuple[tuple[Model[Any, Any], str], torch.Tensor]]:
    """The arrays of the NER as tensors of the same memory, by layer and name."""
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name):
                yield (node, name), xp2torch(node.get_param(name), requires_grad=True)


def _save(path: Path, tensors: Mapping[str, torch.Tensor], loop: _Loop) -> None:
    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    notes = {"loop": json.dumps(asdict(loop))}
    _write(path, lambda target: save_file(whole, target, metadata=notes))


def _write(path: Path, write: Callable[[Path], object]) -> None:
    """Writes a file that is there whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    write(partial)
    os.replace(partial, path)
