"""The tool that leaves bad rows out: a copy with the rows that can be used; the file itself stays as it is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from tcao_tui.data.clean import Cleaned, clean
from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.domain.draft import Filled
from tcao_tui.domain.interview import SlotFilled
from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import UsageError
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.port import Interview, Tool, ToolOutcome
from tcao_tui.planner.tools.reading import readable

_FILE_KEYS = ("training.train_file", "training.val_file", "evals.score.file")


class CleanData(Tool):
    """Write a copy of a data file without the rows that cannot be used, and plan with the copy.

    Only when the person asked for it: they may rather correct the rows.
    """

    name: ClassVar[str] = "clean_data"

    path: str = Field(description="Data file of the plan, inspected before.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Write the copy. Raises `TcaoError` when the file may not be read or holds no good row."""
        path = readable(interview, self.path)
        profile = interview.state.facts.profile(path)
        if profile is None:
            raise UsageError("the file was not inspected yet", where="path", next_step="inspect_data first")
        target = desk.work_dir / f"cleaned-{profile.sha256[:8]}" / f"{path.stem[:40]}.jsonl"
        done = await asyncio.to_thread(_copy, path, target, profile.fields)
        keys = [
            key for key in _FILE_KEYS if key in interview.sheet.draft and interview.sheet.draft[key].value == str(path)
        ]
        result = {"ok": True, "rows_kept": done.rows, "rows_left_out": done.left_out}
        return ToolOutcome(result, entries=tuple(_entry(key, done) for key in keys))


def _copy(path: Path, target: Path, fields: FieldMap) -> Cleaned:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    target.unlink(missing_ok=True)  # ours, of the same content: an earlier console died before it could say so
    return clean(path, target, fields)


def _entry(key: str, done: Cleaned) -> SlotFilled:
    name = one_line(done.source.name)
    reason = f"the {done.rows:,} rows of {name} that can be used; {done.left_out:,} that cannot are left out"
    return SlotFilled(
        path=key, filled=Filled(value=str(done.target), by="data", reason=reason, source="tcao data clean")
    )
