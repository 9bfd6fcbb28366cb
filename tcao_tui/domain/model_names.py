"""What the names of models tell: sizes such as 35B-A3B, families such as qwen3.6, and which ones stand near."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from tcao_tui.domain.capabilities import ModelInfo

_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)([MBT])(?:-A(\d+(?:\.\d+)?)B)?(?![\w.])", re.IGNORECASE)
_SCALE = {"m": 1e6, "b": 1e9, "t": 1e12}


def parameters_in(name: str) -> tuple[int, int] | None:
    """Parameters in all and active per token that a name or size such as "35B-A3B" states; None when it states none."""
    found = _SIZE.search(name)
    if found is None:
        return None
    total = round(float(found[1]) * _SCALE[found[2].lower()])
    return total, total if found[3] is None else round(float(found[3]) * 1e9)


def size_text(model: ModelInfo) -> str:
    """`8B`, `35B, 3B active`, `0.6M`; "" when unknown."""
    total, active = model.total_parameters, model.active_parameters
    if total is None:
        return ""
    return _short(total) if active is None or active == total else f"{_short(total)}, {_short(active)} active"


def family_of(name: str) -> str:
    """`Qwen/Qwen3.6-35B-A3B` is of "qwen3.6": the name without its maker, its size and what follows."""
    base = base_name(name).rpartition("/")[2].lower()
    size = _SIZE.search(base)
    return (base[: size.start()] if size else base).removeprefix("nvidia-").strip("-_ ")


def base_name(name: str) -> str:
    """The name without a variant such as `:peft:262144`."""
    return name.split(":", 1)[0]


def nearest_models(name: str, offered: Iterable[ModelInfo], *, count: int = 3) -> tuple[ModelInfo, ...]:
    """Models that stand in best for one that is not offered, nearest first: by family, size and spelling."""
    return tuple(distinct(sorted(offered, key=lambda model: _distance(name, model)))[:count])


def distinct(models: Iterable[ModelInfo]) -> list[ModelInfo]:
    """One variant of each model, the first."""
    return list({base_name(model.name): model for model in reversed(list(models))}.values())[::-1]


def _distance(name: str, model: ModelInfo) -> tuple[float, str]:
    family, size = family_of(name), parameters_in(name)
    spelling = 1 - SequenceMatcher(None, base_name(name).lower(), base_name(model.name).lower()).ratio()
    kin = 1 - SequenceMatcher(None, family, model.family or family_of(model.name)).ratio()
    growth = 1.0
    if size is not None and model.total_parameters:
        growth = min(1.0, abs(math.log2(model.total_parameters / size[0])) / 4)
    return spelling + kin + growth, model.name


def _short(count: int) -> str:
    for unit, scale in (("T", 1e12), ("B", 1e9)):
        if count >= scale:
            return f"{count / scale:.3g}{unit}"
    return f"{count / 1e6:.3g}M"
