"""The tiny model's tokenizer: byte-level BPE with few merges, plus the markers of Qwen3's chat format.

The id of a byte is its value, so every UTF-8 text round-trips; about 500 merges learned from the model's own corpus
make a customer message 20 tokens long instead of 60, which is what lets half a million parameters read it. Digits stay
single, as in Qwen3. Compact encoding of any other text is out of scope: it simply takes more tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode

TURN_START: Final = "<|im_start|>"
TURN_END: Final = "<|im_end|>"
TEXT_END: Final = "<|endoftext|>"
SPECIAL_TOKENS: Final = (TURN_START, TURN_END, TEXT_END)
"""Framing; left out when text is decoded with `skip_special_tokens`."""

BLOCK_TOKENS: Final = ("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
"""Content that parsers look for, so it stays in decoded text, as in Qwen3's own tokenizer."""

VOCABULARY_SIZE: Final = 768
"""Bytes, merges, special and block tokens together."""

CONTEXT_TOKENS: Final = 4096
"""Longest sequence the model accepts; rotary positions cost nothing, the longest GSM8K rows need about 1,500."""

_CHAT_TEMPLATE: Final = Path(__file__).with_name("chat_template.jinja")
_PIECES: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Where Qwen3's tokenizer cuts text before merging (its `tokenizer.json`)."""


def learn_merges(texts: Iterable[str]) -> list[tuple[str, str]]:
    """The most frequent merges of `texts`, as many as fit into `VOCABULARY_SIZE`."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = _cutter()
    added = len(SPECIAL_TOKENS) + len(BLOCK_TOKENS)
    alphabet = list(bytes_to_unicode().values())
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY_SIZE - added, initial_alphabet=alphabet, show_progress=False)
    learner.train_from_iterator(texts, trainer)
    return [(left, right) for left, right in json.loads(learner.to_str())["model"]["merges"]]


def build_tokenizer(merges: list[tuple[str, str]]) -> PreTrainedTokenizerFast:
    """A tokenizer of 256 bytes, the merges, three special tokens and six block tokens, with the chat template."""
    pieces = [*bytes_to_unicode().items(), *enumerate((left + right for left, right in merges), start=256)]
    backend = Tokenizer(models.BPE(vocab={piece: token for token, piece in pieces}, merges=merges))
    backend.pre_tokenizer = _cutter()
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL_TOKENS])
    backend.add_tokens([AddedToken(text, special=False, normalized=False) for text in BLOCK_TOKENS])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token=TURN_END,
        pad_token=TEXT_END,
        additional_special_tokens=[TURN_START],
        clean_up_tokenization_spaces=False,
        model_max_length=CONTEXT_TOKENS,
        chat_template=_CHAT_TEMPLATE.read_text("utf-8"),
    )


def _cutter() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
