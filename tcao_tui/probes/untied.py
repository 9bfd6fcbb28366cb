"""A base model whose unembedding is a matrix of its own, for merging an adapter that changes it.

Many small models share one matrix between embedding and unembedding (`tie_word_embeddings`), and their files have no
`lm_head.weight`: a change of the unembedding alone can be merged only once the two are apart.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from safetensors import safe_open
from safetensors.torch import save_file

_CONFIG, _INDEX, _HEAD = "config.json", "model.safetensors.index.json", "lm_head.weight"
_HEAD_FILE = "model-lm-head.safetensors"
_EMBEDDING = "embed_tokens.weight"


def is_tied(base: Path) -> bool:
    """Whether a model's configuration shares the two."""
    config = _json(base / _CONFIG)
    parts = (config, config.get("text_config") or {})
    return any(part.get("tie_word_embeddings") is True for part in parts)


def local_folder(base: str) -> Path:
    """The folder of a model, fetched from the Hub when it is none. Raises `OSError`."""
    return Path(base) if Path(base).is_dir() else Path(snapshot_download(base))


def untie(base: Path, folder: Path) -> None:
    """Make `folder` that model with both apart: links to its files, and one more file for the unembedding.

    Raises:
        KeyError: It has no embedding under a known name.
        OSError: A file cannot be read or written.
    """
    folder.mkdir(parents=True)
    for path in base.iterdir():
        if path.name not in (_CONFIG, _INDEX):
            (folder / path.name).symlink_to(path.resolve())
    config = _json(base / _CONFIG)
    for part in (config, config.get("text_config")):
        if isinstance(part, dict):
            part["tie_word_embeddings"] = False
    (folder / _CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")
    places = _places(base)
    if _HEAD not in places:
        name = next((key for key in places if key.endswith(_EMBEDDING)), None)
        if name is None:
            raise KeyError(f"no {_EMBEDDING}")
        with safe_open(base / places[name], framework="pt") as file:
            save_file({_HEAD: file.get_tensor(name).clone()}, folder / _HEAD_FILE, metadata={"format": "pt"})
        places[_HEAD] = _HEAD_FILE
    (folder / _INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}), encoding="utf-8")


def _places(base: Path) -> dict[str, str]:
    """File of each tensor."""
    if (base / _INDEX).is_file():
        return dict(_json(base / _INDEX)["weight_map"])
    found: dict[str, str] = {}
    for path in sorted(base.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            found |= dict.fromkeys(file.keys(), path.name)
    return found


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
