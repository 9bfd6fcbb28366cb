"""Loads tokenizers without hanging: from a folder, from the Hugging Face cache, and from the hub only if it answers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tcao_tui import paths
from tcao_tui.clients.hugging_face import hub_address
from tcao_tui.clients.reaching import answers

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class TokenizerMissing(Exception):
    """A tokenizer cannot be loaded; the message says why and what helps."""


def place_of(name: str, tokenizer: str) -> str:
    """What to load the tokenizer of a model by: what the server says, the included folder, or the model's own name."""
    return tokenizer or (str(paths.TINY_MODEL) if name == paths.TINY_MODEL_NAME else name)


def go_offline_if_needed(place: str) -> None:
    """Switch the hub's client to its cache when the hub does not answer; its own retries would take a minute.

    To be called before anything imports the client, which reads the switch only once.
    """
    if not Path(place).is_dir() and not os.environ.get("HF_HUB_OFFLINE") and not answers(hub_address(os.environ)):
        os.environ["HF_HUB_OFFLINE"] = "1"


def load_tokenizer(place: str) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder or of a hub id.

    Raises:
        TokenizerMissing: It is not there, or cannot be used.
    """
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        if Path(place).is_dir():
            return AutoTokenizer.from_pretrained(place, local_files_only=True)
        from tinker_cookbook.tokenizer_utils import get_tokenizer

        tokenizer: Any = get_tokenizer(place)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError) as error:
        raise TokenizerMissing(_why_not(place, error)) from error
    return tokenizer


def _why_not(place: str, error: Exception) -> str:
    if Path(place).is_dir():
        return f"the tokenizer in {place} cannot be loaded ({type(error).__name__}): check the folder"
    if os.environ.get("HF_HUB_OFFLINE"):
        return (
            f"the tokenizer of {place} is not in the Hugging Face cache of this machine, and the hub does not answer: "
            f"connect once, or copy the cache (`hf download {place} --include 'tokenizer*'` fills it)"
        )
    reason = type(error).__name__
    return (
        f"the tokenizer of {place} cannot be loaded from the Hugging Face hub ({reason}): check the name, "
        "and `hf auth login` where the model asks for consent"
    )
