"""A tiny encoder with random weights, made on the fly: two layers, about a thousand pieces."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from math import log
from pathlib import Path

import pytest

pytest.importorskip(
    "spacy_transformers",
    reason='the transformer variant needs its extra: pip install "fr-deals[transformers]"',
)

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

torch.set_num_threads(1)

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
WIDTH = 32
POSITIONS = 128


def tokenizer_of(texts: Sequence[str], pieces: int = 1000) -> Tokenizer:
    """A unigram tokenizer like that of XLM-R: letters, and words cut after every fourth.

    It is counted out here because a trained one (UnigramTrainer) differs from run to run.
    """
    words = (f"▁{word}" for text in texts for word in unicodedata.normalize("NFKC", text).split())
    counts = Counter(
        piece
        for word in words
        for piece in (*word, *(word[at : at + 4] for at in range(0, len(word), 4)))
    )
    chosen = counts.most_common(pieces)
    told = [(piece, log(count / counts.total())) for piece, count in chosen]
    vocabulary = [*((piece, 0.0) for piece in SPECIAL), *told]
    tokenizer = Tokenizer(models.Unigram(vocabulary, SPECIAL.index("<unk>")))
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    numbers = [(piece, tokenizer.token_to_id(piece)) for piece in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair=None, special_tokens=numbers
    )
    return tokenizer


def save_encoder(folder: Path, texts: Sequence[str]) -> Path:
    """The folder of an encoder that ``AutoModel`` and ``AutoTokenizer`` load."""
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer_of(texts),
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=POSITIONS,
        model_input_names=["input_ids", "attention_mask"],
    )
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(fast),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=2 * WIDTH,
        max_position_embeddings=POSITIONS,
        pad_token_id=1,
    )
    BertModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
