"""Which models the engine serves: Hugging Face folders on disk, described by their `config.json` alone.

Cheap on purpose: capabilities are answered before torch is loaded. Out of scope: loading weights (`models.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tcao_tui.engine.api_errors import ApiError
from tcao_tui.errors import UsageError

UNKNOWN_CONTEXT_TOKENS = 2048
"""Context length of a model whose config names none."""


@dataclass(frozen=True)
class ModelSource:
    """One servable model. `directory` doubles as its tokenizer id, which the SDK loads from disk."""

    name: str
    directory: Path
    architecture: str
    context_tokens: int


class Catalogue:
    """The models by name.

    Args:
        sources: In order; the first is loaded at the start, the others on first use.
    """

    def __init__(self, sources: Iterable[ModelSource]) -> None:
        self._sources = {source.name: source for source in sources}

    def find(self, name: str) -> ModelSource:
        """The model of this name.

        Raises:
            ApiError: 400, it is not served.
        """
        if name not in self._sources:
            served = ", ".join(self._sources) or "none"
            raise ApiError(400, f"model {name!r} is not served by this engine; it serves: {served}")
        return self._sources[name]

    def first(self) -> ModelSource | None:
        """The model to load at the start."""
        return next(iter(self._sources.values()), None)

    @property
    def folders(self) -> dict[str, Path]:
        """Folder of each model, by name."""
        return {source.name: source.directory for source in self._sources.values()}

    def capabilities(self) -> dict[str, Any]:
        """All models as `GetServerCapabilitiesResponse`."""
        models = [
            {
                "model_name": source.name,
                "max_context_length": source.context_tokens,
                "trainable": True,
                "sampleable": True,
            }
            for source in self._sources.values()
        ]
        return {"supported_models": models}


def read_source(text: str) -> ModelSource:
    """Read a `--model-dir` value, `DIR` (named like the folder) or `NAME=DIR`.

    Raises:
        UsageError: There is no readable `config.json`.
    """
    name, equals, rest = text.partition("=")
    directory = Path(rest if equals else text).expanduser().absolute()
    try:
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Hugging Face model in {directory}: {error}",
            where="--model-dir",
            next_step="give a folder with config.json, weights and tokenizer, or NAME=FOLDER",
        ) from error
    text_config = config.get("text_config", config)
    return ModelSource(
        name=name if equals else directory.name,
        directory=directory,
        architecture=(config.get("architectures") or ["unknown"])[0],
        context_tokens=int(text_config.get("max_position_embeddings", UNKNOWN_CONTEXT_TOKENS)),
    )
