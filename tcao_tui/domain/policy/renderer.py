"""The renderer: a recommended one of the model, thinking or not as the rows are."""

from __future__ import annotations

from collections.abc import Mapping

from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.policy.situation import INSPECTED, Situation, filled

RECOMMENDED = "cookbook model_info"

_PLAIN_ENDINGS = ("_disable_thinking", "_instruct", "_no_reasoning_effort")
_PLAIN = ("llama3", "role_colon", "deepseekv3", "gpt_oss_no_sysprompt", "tml_v0")


def thinks(renderer: str) -> bool:
    """Whether answers begin with thinking in this chat format, as far as its name tells; "" does not."""
    return bool(renderer) and renderer not in _PLAIN and not renderer.endswith(_PLAIN_ENDINGS)


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`training.renderer_name`, for models whose renderers are known."""
    model = situation.model
    if model is None or not model.renderers:
        return {}
    has_thinking = situation.train is not None and situation.train.has_thinking
    fitting = [name for name in model.renderers if thinks(name) is has_thinking]
    chosen = fitting[0] if fitting else model.renderers[0]
    others = tuple(Alternative(value=name, label=name, why=_about(name)) for name in model.renderers if name != chosen)
    reason = _reason(has_thinking, bool(fitting), len(model.renderers))
    return {"training.renderer_name": filled(chosen, reason, f"{RECOMMENDED}, {INSPECTED}", alternatives=others)}


def _reason(has_thinking: bool, fits: bool, offered: int) -> str:
    rows = "the rows hold thinking" if has_thinking else "the rows hold no thinking"
    if offered == 1:
        only = "the only chat format recommended for this model"
        return only if fits else f"{only}; {rows}, and it is made for the opposite: look at rows with preview"
    if fits:
        return f"{rows}, so the recommended format {'with' if has_thinking else 'without'} it"
    return f"{rows}, but no recommended format of this model is made for that: look at rows with preview"


def _about(name: str) -> str:
    if name.endswith("_preserve_thinking"):
        return "keeps the thinking of earlier turns, for long conversations that think"
    return "answers begin with thinking" if thinks(name) else "answers without thinking"
