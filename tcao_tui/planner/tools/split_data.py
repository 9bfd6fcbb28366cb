"""The tool that sets rows aside: a seeded split of the training file; the file itself stays as it is."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pydantic import Field

from tcao_tui.domain.data_profile import Split
from tcao_tui.domain.draft import Filled
from tcao_tui.domain.interview import SlotFilled
from tcao_tui.domain.plain_text import one_line
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.port import Interview, Tool, ToolOutcome
from tcao_tui.planner.tools.reading import readable


class SplitData(Tool):
    """Write a seeded, stratified split of a training file into new files and train on its train part.

    Duplicates of a row stay together, so that no held-out row was trained on. Tell the person before you split.
    """

    name: ClassVar[str] = "split_data"

    path: str = Field(description="Training file, inspected before.")
    validation: int = Field(ge=0, description="Rows for validation loss; 0: none.")
    test: int = Field(ge=0, description="Rows for the application's own eval; 0: none.")
    seed: int = Field(default=0, description="Which rows; the same seed gives the same split.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Split. Raises `TcaoError` when the file may not be read or has too few rows."""
        path = readable(interview, self.path)
        profile = interview.state.facts.profile(path)
        split = await asyncio.to_thread(
            desk.split,
            path,
            # Another split is another folder: a file that a plan names never changes under it.
            desk.work_dir / f"split-{path.stem[:40]}-{self.seed}-{self.validation}-{self.test}",
            validation=self.validation,
            test=self.test,
            seed=self.seed,
            fields=None if profile is None else profile.fields,
        )
        result = {"ok": True, "rows": list(split.rows), "seed": split.seed, "method": split.method}
        return ToolOutcome(result, facts=(split,), entries=(_train_part(split),))


def _train_part(split: Split) -> SlotFilled:
    train, validation, test = split.rows
    reason = (
        f"{train:,} rows of {one_line(split.source.name)}; {validation:,} are kept for validation, {test:,} for evals"
    )
    return SlotFilled(
        path="training.train_file", filled=Filled(value=str(split.train), by="data", reason=reason, source=split.method)
    )
