"""Whatever a model writes, it comes to no approval, no run, no value in a person's name and no file outside."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcao_tui.clients.llm_port import LlmPart, LlmRequest, LlmTurn, LlmUsage, TextPart
from tcao_tui.domain.interview import SlotFilled, ToolEnded, ToolStarted
from tcao_tui.errors import Refused
from tcao_tui.planner import plan_keys
from tcao_tui.planner.consent import standing_approval
from tcao_tui.planner.llm.planner import LlmPlanner
from tcao_tui.planner.open import new_interview
from tcao_tui.planner.scrubber import Scrubber
from tcao_tui.planner.session import Session
from tcao_tui.planner.tools import TOOLS
from tcao_tui.settings import PlannerSettings
from tcao_tui.store.memory_interviews import MemoryInterviews
from tests.fakes.anthropic_rules import ApiRules
from tests.fakes.llm_lab import LabDesk, ParkedRules, installed

HOSTILE = ("start_run", "approve", "launch", "bash", "read_file", "set_approval", "Session.approve", "", "../ask_user")
PERSONS_ACTS = {"approved", "plan_written", "run_started", "answered"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2_000_000) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
paths = st.sampled_from([*plan_keys.known_paths(), "approved", "data.train_file", "decisions", "training"])
values = st.sampled_from(
    [1, 32, 99_999.0, "sft", "dpo", "lab/large-8b", "train.jsonl", "/etc/passwd", "~/.ssh/id_rsa", True, None]
)
files = st.sampled_from(["train.jsonl", "test.jsonl", "/etc/passwd", "~/.ssh/id_rsa", ".env", "../../etc/shadow"])
changes = st.fixed_dictionaries({"path": paths, "value": values | json_values, "reason": st.text(max_size=20)})
option = st.fixed_dictionaries({"label": st.text(min_size=1, max_size=20), "value": values})
question = st.fixed_dictionaries(
    {"question": st.text(min_size=1, max_size=20), "header": paths | st.sampled_from(["budget", "data", "model"])},
    optional={"options": st.lists(option | st.text(min_size=1, max_size=9), max_size=3), "multiple": st.booleans()},
)
likely = st.one_of(
    changes.map(lambda change: ("set_slot", change)),
    st.lists(changes, max_size=3).map(lambda many: ("propose_config", {"changes": many})),
    st.fixed_dictionaries({"score_file": files, "grader": values}).map(lambda given: ("propose_evals", given)),
    st.lists(question, max_size=4).map(lambda many: ("ask_user", {"questions": many})),
    files.map(lambda path: ("inspect_data", {"path": path})),
    st.tuples(files, files).map(lambda two: ("compare_files", {"trained": two[0], "measured": two[1]})),
    st.sampled_from(["list_models", "check_plan", "estimate_cost", "suggest_hyperparameters", "read_run"]).map(
        lambda t: (t, {})
    ),
)
unlikely = st.tuples(
    st.sampled_from([*TOOLS.names(), *HOSTILE]), st.dictionaries(st.text(max_size=12), json_values, max_size=3)
)


@st.composite
def turns(draw: st.DrawFn) -> LlmTurn:
    calls = draw(st.lists(likely | unlikely, max_size=4))
    content: list[dict[str, Any]] = [
        {"type": "text", "text": t} for t in draw(st.lists(st.text(max_size=30), max_size=1))
    ]
    written: dict[int, str] = {}
    for place, (tool, arguments) in enumerate(calls):
        raw = json.dumps(arguments)
        written[len(content)] = raw[: len(raw) - draw(st.sampled_from([0, 0, 0, 1, 2]))]
        call_id = draw(st.sampled_from([f"call-{place}", "same", ""]))
        content.append({"type": "tool_use", "id": call_id, "name": tool, "input": arguments})
    stop = draw(st.sampled_from(["tool_use", "tool_use", "end_turn", "max_tokens", "refusal", "pause_turn", "odd"]))
    return LlmTurn(tuple(content), written, stop, LlmUsage(10, 0, 0, 5), "fake")


class ScriptedLlm:
    """A model that says what a test wrote, held to the rules of the real API."""

    def __init__(self, script: list[LlmTurn]) -> None:
        self._script, self._rules, self.refused = iter(script), ApiRules(), list[str]()

    async def stream(self, request: LlmRequest, on_part: Callable[[LlmPart], None]) -> LlmTurn:
        self.refused += self._rules.problems({"messages": list(request.messages), "system": request.system})
        on_part(TextPart("…"))
        end = LlmTurn(({"type": "text", "text": "done"},), {}, "end_turn", LlmUsage(1, 0, 0, 1), "fake")
        return next(self._script, end)

    async def close(self) -> None:
        pass


async def interview(folder: Path, llm: ScriptedLlm, desk: LabDesk) -> Session:
    for name in ("train.jsonl", "test.jsonl", ".env"):
        (folder / name).write_text("{}\n")
    store = MemoryInterviews()
    interview_id = new_interview(store, profile="lab", directory=folder, planner="llm", clock=lambda: 1.0)
    planner = LlmPlanner(lambda: llm, TOOLS, PlannerSettings(max_requests=12), Scrubber({}))
    session = Session(
        store,
        interview_id,
        desk=desk.as_desk(),
        planners={"rules": ParkedRules(), "llm": planner},
        tools=TOOLS,
        facts=installed(),
        clock=lambda: 1.0,
    )
    await session.say("the budget is $20; rows in train.jsonl, which answer like our support team")
    session.switch_planner("llm")
    await session.go_on()
    return session


@given(st.lists(turns(), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_no_model_approves_launches_speaks_for_the_person_or_leaves_the_project(script: list[LlmTurn]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        desk, llm = LabDesk(folder / "work"), ScriptedLlm(script)
        session = asyncio.run(interview(folder, llm, desk))
        state, entries = session.state, [stored.entry for stored in session.state.transcript]
        assert llm.refused == []
        assert not PERSONS_ACTS & {entry.kind for entry in entries}
        assert state.approved is None
        assert state.run_id == ""
        with pytest.raises(Refused):
            standing_approval(state, session.sheet)
        assert {e.filled.value for e in entries if isinstance(e, SlotFilled) and e.path == "budget.max_cost_usd"} <= {
            20.0,
            None,
        }
        assert state.draft["budget.max_cost_usd"].by == "you"
        started = [e.call_id for e in entries if isinstance(e, ToolStarted)]
        assert sorted(started) == sorted(e.call_id for e in entries if isinstance(e, ToolEnded))
        assert len(set(started)) == len(started)
        assert not [
            asked for asked in desk.asked if any(name in asked for name in ("passwd", "id_rsa", ".env", "shadow"))
        ]
