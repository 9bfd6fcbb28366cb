"""Builds an export from downloaded weights, `weights.build`; the cookbook knows how each family names its layers."""

from __future__ import annotations

import json
import logging
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from tinker_cookbook import weights
from tinker_cookbook.exceptions import TinkerCookbookError

from tcao_tui.clients.backend_calls import Shape
from tcao_tui.clients.tinker_errors import clean
from tcao_tui.clients.tinker_sdk import in_daemon_thread
from tcao_tui.clients.weight_calls import BuildExport, Built, Progress
from tcao_tui.errors import TcaoError
from tcao_tui.probes.server import Server
from tcao_tui.probes.tokenizers import go_offline_if_needed
from tcao_tui.probes.untied import is_tied, local_folder, untie
from tcao_tui.store.atomic_file import write_text
from tcao_tui.store.checksums import verify_sums

_COARSER = ("F32", "F16", "BF16")
_DTYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_BESIDE_WEIGHTS = ("generation_config.json", "chat_template.jinja", "tokenizer.model", "vocab.json", "merges.txt")
"""Small files of a base model that serve a merged one, and that the cookbook does not copy."""

_LARGEST_HEADER_BYTES = 100 << 20
"""The limit of the safetensors library."""


class BuildFailed(TcaoError):
    """These weights cannot be made into that kind of export."""

    title = "Export failed"


async def build(server: Server, arguments: JsonValue, tell: Callable[[Shape], None]) -> Built:
    """`weights.build`.

    Raises:
        Altered: The downloaded files are not what was received.
        BuildFailed: They are no adapter of this base model, or the base model is not to be had.
    """
    asked = BuildExport.model_validate(arguments)
    tell(Progress(doing="checking the downloaded files"))
    await in_daemon_thread(partial(verify_sums, Path(asked.adapter)))
    tell(Progress(doing="making the adapter" if asked.form == "peft" else "merging the adapter into the base model"))
    return await in_daemon_thread(partial(_build, asked))


def _build(asked: BuildExport) -> Built:
    logging.getLogger("tinker_cookbook").setLevel(logging.ERROR)
    go_offline_if_needed(asked.base)
    config = adapter_config(Path(asked.adapter))
    try:
        if asked.form == "peft":
            weights.build_lora_adapter(base_model=asked.base, adapter_path=asked.adapter, output_path=asked.folder)
        else:
            _merge(asked, has_unembedding="lm_head" in config["target_modules"])
    except (TinkerCookbookError, OSError, ValueError, KeyError, RuntimeError, NotImplementedError) as error:
        raise BuildFailed(
            f"{asked.form} cannot be made: {clean(str(error)) or type(error).__name__}",
            where=asked.base_name,
            next_step="is the base model in the Hugging Face cache? try the other form, --as peft or --as merged",
        ) from error
    folder = Path(asked.folder)
    if asked.form == "peft":
        config = adapter_config(folder)
        # A path of this machine would be of no use elsewhere, and is published with the adapter.
        written = json.dumps({**config, "base_model_name_or_path": asked.base_name}, indent=2)
        write_text(folder / "adapter_config.json", written + "\n")
    else:
        _copy_beside(local_folder(asked.base), folder)
    modules = tuple(sorted(str(module) for module in config["target_modules"]))
    return Built(
        dtype=coarsest_dtype(folder.glob("*.safetensors")),
        rank=config["r"],
        alpha=config["lora_alpha"],
        target_modules=modules,
        has_unembedding="lm_head" in modules,
    )


def _merge(asked: BuildExport, *, has_unembedding: bool) -> None:
    base = local_folder(asked.base)
    if not has_unembedding or not is_tied(base):
        weights.build_hf_model(base_model=str(base), adapter_path=asked.adapter, output_path=asked.folder)
        return
    with tempfile.TemporaryDirectory(dir=Path(asked.folder).parent, prefix=".untied.") as place:
        apart = Path(place) / "base"
        untie(base, apart)
        weights.build_hf_model(base_model=str(apart), adapter_path=asked.adapter, output_path=asked.folder)


def adapter_config(folder: Path) -> dict[str, Any]:
    """`adapter_config.json` of a folder. Raises `BuildFailed` when it is none."""
    path = folder / "adapter_config.json"
    try:
        config: Any = json.loads(path.read_text(encoding="utf-8"))
        modules, rank, alpha = config["target_modules"], config["r"], config["lora_alpha"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BuildFailed("this is not the configuration of a LoRA adapter", where=str(path)) from error
    if not (isinstance(modules, list) and isinstance(rank, int) and isinstance(alpha, int | float)):
        raise BuildFailed("this is not the configuration of a LoRA adapter", where=str(path))
    return config


def coarsest_dtype(files: Iterable[Path]) -> str:
    """The coarsest number type of tensors in safetensors files; "unknown" where there are others only."""
    found = {str(tensor.get("dtype")) for file in files for tensor in _header(file).values()}
    return _DTYPES.get(max((name for name in found if name in _DTYPES), key=_COARSER.index, default=""), "unknown")


def _header(path: Path) -> dict[str, dict[str, Any]]:
    with path.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header: dict[str, dict[str, Any]] = json.loads(file.read(min(size, _LARGEST_HEADER_BYTES)))
    header.pop("__metadata__", None)
    return header


def _copy_beside(base: Path, folder: Path) -> None:
    for name in _BESIDE_WEIGHTS:
        if (base / name).is_file() and not (folder / name).exists():
            shutil.copyfile(base / name, folder / name)
