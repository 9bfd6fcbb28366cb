"""The planner's tool that mixes training files, on a real session with the real inspection."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from tcao_tui.planner.open import new_interview
from tcao_tui.planner.port import ToolOutcome
from tcao_tui.planner.session import Session
from tcao_tui.planner.tools import TOOLS
from tcao_tui.store.memory_interviews import MemoryInterviews
from tests.fakes.interview_desk import LabDesk
from tests.fakes.llm_lab import ParkedRules

FILES = [{"path": "chat.jsonl", "weight": 3}, {"path": "code.jsonl"}]


def session(folder: Path) -> Session:
    rows = {"chat.jsonl": ("question", "answer", 30), "code.jsonl": ("prompt", "completion", 5)}
    for name, (asked, answered, count) in rows.items():
        lines = (json.dumps({asked: f"{name} {n}", answered: f"so {n}"}) for n in range(count))
        (folder / name).write_text("".join(f"{line}\n" for line in lines))
    store = MemoryInterviews()
    interview_id = new_interview(store, profile="lab", directory=folder, planner="rules", clock=lambda: 1.0)
    desk = LabDesk(folder / "work").desk()
    return Session(
        store, interview_id, desk=desk, planners={"rules": ParkedRules()}, tools=TOOLS, facts=(), clock=lambda: 1.0
    )


def run(held: Session, tool: str, **arguments: Any) -> ToolOutcome:
    return asyncio.run(held.call(tool, arguments))


def test_inspected_files_become_one_training_file_that_can_be_inspected_and_made_again(tmp_path: Path) -> None:
    held = session(tmp_path)
    for file in FILES:
        assert run(held, "inspect_data", path=file["path"]).ok
    mixed = run(held, "mix_data", files=FILES, rows=40)
    assert mixed.result["files"] == [{"rows": 30, "taken": 30, "times": 1.0}, {"rows": 5, "taken": 10, "times": 2.0}]
    filled = held.state.draft["training.train_file"]
    assert (filled.by, filled.reason) == ("data", "30 rows of chat.jsonl and 10 rows of code.jsonl")
    assert len(Path(str(filled.value)).read_text().splitlines()) == 40
    assert run(held, "inspect_data", path=str(filled.value)).ok
    assert run(held, "mix_data", files=FILES, rows=40).ok


def test_a_file_that_nobody_looked_at_is_not_mixed(tmp_path: Path) -> None:
    outcome = run(session(tmp_path), "mix_data", files=FILES)
    assert not outcome.ok
    assert "not inspected" in outcome.result["errors"][0]["got"]
    assert not (tmp_path / "work").exists()
