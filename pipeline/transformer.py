"""The encoder of the transformer variant: spacy-transformers, with three differences.

- A window holds a number of pieces, not of tokens, so that nothing of it is cut off.
- On a processor every window is computed by itself: the same article gives the same numbers
  whatever stands beside it in a batch, and nothing is padded.
- The weights are stored in half precision as safetensors, which holds no code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import spacy
import srsly
import torch
from safetensors import torch as safetensors
from spacy.tokens import Doc, Span
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_shim import HFShim
from spacy_transformers.layers.transformer_model import TransformerModel
from thinc.api import ArgsKwargs, Model, get_torch_default_device
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.pre_tokenizers import Metaspace, WhitespaceSplit
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.modeling_outputs import BaseModelOutput

from pipeline.errors import ModelError

Windows = Callable[[Sequence[Doc]], list[list[Span]]]

_SPECIAL = 2
"""Pieces that the tokenizer puts around a window."""


class _Shim(HFShim):  # type: ignore[misc]  # spacy-transformers carries no types
    """Runs the encoder, in mixed precision (bfloat16) if ``mixed`` says so."""

    mixed = False

    def predict(self, inputs: ArgsKwargs) -> BaseModelOutput:
        """The vectors of each piece of each window; no gradients."""
        self._model.eval()
        with torch.inference_mode(), self._precision(), _one_thread():
            return self._run(inputs)

    def begin_update(
        self, inputs: ArgsKwargs
    ) -> tuple[BaseModelOutput, Callable[[ArgsKwargs], None]]:
        """The same with dropout, and the callback that adds up the gradients."""
        self._model.train()
        with self._precision():
            output = self._run(inputs)

        def backprop(gradients: ArgsKwargs) -> None:
            torch.autograd.backward(*gradients.args, **gradients.kwargs)

        return output, backprop

    def _precision(self) -> AbstractContextManager[object]:
        mixed: AbstractContextManager[object] = torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.mixed
        )
        return mixed

    def _run(self, inputs: ArgsKwargs) -> BaseModelOutput:
        given = inputs.kwargs
        if self.device.type != "cpu":
            hidden = self._model(**given).last_hidden_state
        else:
            lengths = given["attention_mask"].sum(dim=1).int().tolist()
            rows = [
                self._model(
                    **{name: value[row : row + 1, :length] for name, value in given.items()}
                ).last_hidden_state[0]
                for row, length in enumerate(lengths)
            ]
            hidden = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        return BaseModelOutput(last_hidden_state=hidden.float())

    def to_bytes(self) -> bytes:
        """Configuration, tokenizer and weights, the latter in half precision."""
        if self._model is None:
            return super().to_bytes()  # type: ignore[no-any-return]
        with TemporaryDirectory() as folder:
            self._hfmodel.tokenizer.save_pretrained(folder, legacy_format=False)
            files = {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
        state = {
            name: tensor.detach().to("cpu", torch.float16).contiguous()
            for name, tensor in self._model.state_dict().items()
        }
        message = {
            "config": self._model.config.to_dict(),
            "files": files,
            "weights": safetensors.save(state),
        }
        packed: bytes = srsly.msgpack_dumps(message)
        return packed

    def from_bytes(self, data: bytes) -> _Shim:
        """Takes what :meth:`to_bytes` wrote."""
        message = srsly.msgpack_loads(data)
        if "weights" not in message:
            return super().from_bytes(data)  # type: ignore[no-any-return]
        with TemporaryDirectory() as folder:
            for name, content in message["files"].items():
                Path(folder, name).write_bytes(content)
            tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True)
        settings = dict(message["config"])
        model = AutoModel.from_config(AutoConfig.for_model(**settings))
        model.load_state_dict(safetensors.load(message["weights"]))
        model.to(get_torch_default_device())
        self._hfmodel = HFObjects(tokenizer, model, None)
        self._model = model
        return self


@contextmanager
def _one_thread() -> Iterator[None]:
    """A block in which torch takes one thread: more of them add up in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@spacy.registry.architectures("fr_deals.Transformer.v1")
def transformer(
    name: str, window: int, overlap: int, mixed_precision: bool, settings: dict[str, Any]
) -> Model[Any, Any]:
    """The model of a ``transformer`` component.

    Args:
        name: The encoder: a folder, or a name on the Hugging Face Hub. It is read when training
            begins; a trained model brings its own.
        window: Pieces of a window, at most what the encoder takes less two.
        overlap: Pieces that two windows share; the vectors of their tokens are averaged.
        mixed_precision: Whether to multiply in bfloat16.
        settings: What to change in the configuration of the encoder, such as the number of
            layers to keep or the dropout.

    Raises:
        ModelError: when training begins, for an encoder that cannot be loaded, has no fast
            tokenizer or takes fewer pieces than ``window``.
    """

    def spans(docs: Sequence[Doc]) -> list[list[Span]]:
        return windows(shim._hfmodel.tokenizer, docs, window, overlap)

    model: Model[Any, Any] = TransformerModel(name, spans)
    shim = _Shim(HFObjects(None, None, None))
    shim.mixed = mixed_precision
    model.layers[0].shims[0] = shim
    model.init = lambda model, X=None, Y=None: _initialise(model, name, window, settings)
    return model


def _initialise(
    model: TransformerModel, name: str, window: int, settings: Mapping[str, Any]
) -> None:
    if model.attrs["has_transformer"]:
        return
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, use_fast=True)
        layers = AutoConfig.from_pretrained(name).num_hidden_layers
        config = AutoConfig.from_pretrained(name, **settings)
        encoder = AutoModel.from_pretrained(name, config=config)
    except (OSError, ValueError) as error:
        raise ModelError(f"the encoder {name} cannot be loaded: {error}") from error
    if config.num_hidden_layers > layers:
        raise ModelError(f"the encoder {name} has no more than {layers} layers")
    if not tokenizer.is_fast:
        raise ModelError(f"the encoder {name} has no fast tokenizer, which windows need")
    _part_words(tokenizer.backend_tokenizer)
    most = min(tokenizer.model_max_length, encoder.config.max_position_embeddings) - _SPECIAL
    if window > most:
        raise ModelError(f"the encoder {name} takes {most} pieces, and a window has {window}")
    encoder.to(get_torch_default_device())
    model.attrs["set_transformer"](model, HFObjects(tokenizer, encoder, None))


def _part_words(tokenizer: Tokenizer) -> None:
    """Takes the space before a word out of its first piece, which would belong to two tokens."""
    if isinstance(tokenizer.pre_tokenizer, Metaspace):
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([WhitespaceSplit(), Metaspace()])


def windows(tokenizer: Any, docs: Sequence[Doc], window: int, overlap: int) -> list[list[Span]]:
    """Each document in windows of at most ``window`` pieces; every token is in one of them.

    A token of more pieces than that has a window of its own, of which the encoder reads the
    start.
    """
    read = tokenizer(
        [doc.text for doc in docs],
        add_special_tokens=False,
        return_attention_mask=False,
        return_offsets_mapping=True,
        verbose=False,
    )
    return [
        [doc[start:end] for start, end in _cut(_pieces(doc, offsets), window, overlap)]
        for doc, offsets in zip(docs, read["offset_mapping"], strict=True)
    ]


def _pieces(doc: Doc, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """For each token, and for the end, how many pieces start before it."""
    starts = np.array([start for start, _ in offsets], dtype=np.int64)
    places = [token.idx for token in doc] + [len(doc.text)]
    found: list[int] = np.searchsorted(starts, places).tolist()
    return found


def _cut(before: Sequence[int], window: int, overlap: int) -> Iterator[tuple[int, int]]:
    """First token of each window and the one after its last."""
    tokens = len(before) - 1
    start = 0
    while start < tokens:
        end = start + 1
        while end < tokens and before[end + 1] - before[start] <= window:
            end += 1
        yield start, end
        if end == tokens:
            return
        again = end
        while (
            again - 1 > start
            and before[end] - before[again - 1] <= overlap
            and before[end + 1] - before[again - 1] <= window
        ):
            again -= 1
        start = again
