"""The tool that shows one row as the model will see it."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pydantic import Field

from tcao_tui.errors import UsageError
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.envelope import enveloped
from tcao_tui.planner.port import Interview, Tool, ToolOutcome
from tcao_tui.planner.tools.reading import readable

_SHOWN_CHARACTERS = 2_000


class PreviewRow(Tool):
    """Show one row rendered for a model: which text carries loss, what is cut, whether the chat template agrees."""

    name: ClassVar[str] = "preview_row"

    path: str = Field(description="Inspected data file.")
    row: int = Field(default=1, ge=1, description="Number of the row, from 1.")
    model: str = Field(description="Model, as list_models names it.")
    renderer: str | None = Field(default=None, description="Renderer; empty: the model's recommended one.")
    max_seq_len: int = Field(default=4096, ge=1, description="Tokens per row.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Preview. Raises `TcaoError` when the row cannot be rendered."""
        path = readable(interview, self.path)
        facts = interview.state.facts
        model, profile = facts.model(self.model), facts.profile(path)
        if model is None:
            raise UsageError(f"no model {self.model} is known", where="model", next_step="list_models first")
        preview = await asyncio.to_thread(
            desk.preview,
            path,
            self.row,
            fields=None if profile is None else profile.fields,
            model=model,
            renderer=self.renderer,
            max_seq_len=self.max_seq_len,
        )
        trained = "".join(token.text for token in preview.tokens if token.trained and not token.cut)
        shown = "".join(token.text for token in preview.tokens if not token.cut)
        result = {
            "ok": True,
            "tokens": len(preview.tokens),
            "trained_tokens": sum(token.trained and not token.cut for token in preview.tokens),
            "cut_tokens": sum(token.cut for token in preview.tokens),
            "template": preview.template,
            "text": enveloped("one row of the file", {"all": _middle_cut(shown), "trained": _middle_cut(trained)}),
        }
        return ToolOutcome(result)


def _middle_cut(text: str) -> list[str]:
    """Beginning and end of a long text."""
    half = _SHOWN_CHARACTERS // 2
    return [text] if len(text) <= _SHOWN_CHARACTERS else [text[:half], text[-half:]]
