"""Prompts of the LLM planner: markdown files in `prompts/`, with the tables that are data filled in."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from tcao_tui import paths
from tcao_tui.domain.slots import SLOTS
from tcao_tui.planner.plan_keys import described_paths


class Prompt(StrEnum):
    """One file each."""

    INTERVIEW = "interview"
    ASKING = "asking"
    HEADLESS = "headless"


def read_prompt(prompt: Prompt) -> str:
    """The text of a prompt, placeholders and all."""
    return (paths.prompts_dir() / f"{prompt}.md").read_text(encoding="utf-8")


def system_prompt(*, can_ask: bool) -> str:
    """What the model is told at the beginning; the same for every interview, so that it can be cached."""
    base = read_prompt(Prompt.INTERVIEW)
    filled = base.replace("{slots}", "\n".join(_slots())).replace("{keys}", "\n".join(_keys()))
    return f"{filled}\n{read_prompt(Prompt.ASKING if can_ask else Prompt.HEADLESS)}"


def _slots() -> Iterator[str]:
    yield "| slot | keys | need | question | why |"
    yield "|---|---|---|---|---|"
    for slot in SLOTS:
        yield f"| {slot.name} | {', '.join(slot.paths)} | {slot.need} | {slot.question} | {slot.why} |"


def _keys() -> Iterator[str]:
    for path, description in described_paths():
        yield f"- `{path}`: {description}"
