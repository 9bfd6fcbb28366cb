"""The tool that puts several training files into one, in wanted shares; the files themselves stay as they are."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from tcao_tui.data.mix import Mixed, Source, mix
from tcao_tui.domain.draft import Filled
from tcao_tui.domain.interview import SlotFilled
from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import UsageError
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.port import Interview, Tool, ToolOutcome
from tcao_tui.planner.tools.reading import readable


class MixedFile(BaseModel):
    """One source of a mix."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(description="Training file, inspected before.")
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False, description="Its share of the rows against others.")


class MixData(Tool):
    """Write one training file out of several, in shares of their weights, and train on it.

    Rows of a file that is too small for its share are repeated; the result says how often. Tell the person before you
    mix, and never mix in a file that measures.
    """

    name: ClassVar[str] = "mix_data"

    files: list[MixedFile] = Field(min_length=2, max_length=20, description="Files of one kind of rows.")
    rows: int | None = Field(default=None, ge=1, description="Rows of the mix; empty: as many as the files have.")
    seed: int = Field(default=0, description="Which rows; the same seed gives the same mix.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Mix. Raises `TcaoError` when a file may not be read, was not inspected or holds bad rows."""
        sources: list[Source] = []
        known = hashlib.sha256(self.model_dump_json().encode())
        for file in self.files:
            path = readable(interview, file.path)
            profile = interview.state.facts.profile(path)
            if profile is None:
                raise UsageError(f"{file.path} was not inspected yet", where="files", next_step="inspect_data first")
            sources.append(Source(path, file.weight, profile.fields))
            known.update(profile.sha256.encode())
        target = desk.work_dir / f"mixed-{known.hexdigest()[:8]}" / "train.jsonl"
        done = await asyncio.to_thread(self._mix, sources, target)
        taken = [{"rows": share.rows, "taken": share.taken, "times": round(share.times, 2)} for share in done.shares]
        return ToolOutcome({"ok": True, "rows": done.rows, "files": taken, "seed": self.seed}, entries=(_entry(done),))

    def _mix(self, sources: Sequence[Source], target: Path) -> Mixed:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.unlink(missing_ok=True)  # ours, of the same rows: an earlier console died before it could say so
        return mix(sources, target, rows=self.rows, seed=self.seed)


def _entry(done: Mixed) -> SlotFilled:
    parts = [f"{share.taken:,} rows of {one_line(share.source.path.name)}" for share in done.shares]
    filled = Filled(value=str(done.target), by="data", reason=" and ".join(parts), source="tcao data mix")
    return SlotFilled(path="training.train_file", filled=filled)
