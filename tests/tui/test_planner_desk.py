from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcao_tui.errors import PlanInvalid, Refused, UsageError
from tcao_tui.planner.port import Streamed
from tcao_tui.settings import Settings
from tcao_tui.store.plan_file import write_plan
from tcao_tui.tui.interview_desk import ConsoleInterview, InterviewDesk, save_text
from tcao_tui.tui.interview_port import InterviewWanted
from tests.fakes.listed_checkpoints import TICKETS, of_tickets
from tests.unit.test_export_texts import PLAN


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InterviewDesk:
    project = tmp_path / "project"
    project.mkdir()
    rows = [json.dumps({"input": f"{i} + 1", "output": f"{i + 1}"}) for i in range(40)]
    (project / "rows.jsonl").write_text("\n".join(rows))
    monkeypatch.chdir(project)
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "TINKER_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TCAO_BACKEND", "local")
    monkeypatch.setenv("TCAO_STATE_DIR", str(tmp_path / "state"))
    return InterviewDesk(tmp_path / "runs", Settings, lambda: "ada")


async def asked(desk: InterviewDesk) -> ConsoleInterview:
    """A new interview that waits for the answers to its first card."""
    interview = desk.open(InterviewWanted(planner="rules"))
    await interview.go_on()
    assert interview.state.open_card is not None
    return interview


async def test_an_interview_is_begun_left_and_gone_on_with(desk: InterviewDesk) -> None:
    interview = await asked(desk)
    changes: list[int] = []
    streamed: list[Streamed] = []
    interview.listen(lambda: changes.append(interview.state.seq), streamed.append)
    await interview.set_values({"goal": "add one"})
    assert changes[-1] == interview.state.seq
    interview.close()
    (summary,) = desk.interviews()
    again = desk.open(InterviewWanted(interview_id="latest"))
    assert again.state.interview_id == summary.interview_id
    assert again.state.draft["goal"].value == "add one"
    assert again.state.open_card is not None
    again.close()


async def test_a_value_is_taken_back_and_one_that_cannot_stand_is_refused(desk: InterviewDesk) -> None:
    interview = await asked(desk)
    await interview.set_values({"training.lora_rank": 64})
    assert interview.sheet.draft["training.lora_rank"].by == "you"
    await interview.set_values({"training.lora_rank": None})
    assert "training.lora_rank" not in interview.state.draft
    with pytest.raises(UsageError, match="lora_rank"):
        await interview.set_values({"training.lora_rank": "many"})
    interview.close()


async def test_a_fork_keeps_the_values_and_leaves_the_first_as_it_was(desk: InterviewDesk) -> None:
    interview = await asked(desk)
    await interview.set_values({"goal": "add one"})
    fork = desk.open(InterviewWanted(interview_id=interview.fork()))
    await fork.set_values({"goal": "add two"})
    assert fork.state.forked_from == interview.state.interview_id
    assert interview.state.draft["goal"].value == "add one"
    other = desk.open(InterviewWanted(forked_from=fork.state.interview_id))
    assert other.state.draft["goal"].value == "add two"
    for each in (interview, fork, other):
        each.close()


async def test_nothing_is_approved_while_a_gate_is_open(desk: InterviewDesk) -> None:
    interview = await asked(desk)
    with pytest.raises(PlanInvalid):
        await interview.approve("0" * 16, max_cost_usd=None)
    assert interview.state.approved is None
    interview.close()


async def test_two_consoles_never_write_the_same_interview(desk: InterviewDesk) -> None:
    first = await asked(desk)
    second = desk.open(InterviewWanted(interview_id="latest"))
    await first.set_values({"goal": "add one"})
    with pytest.raises(Refused):
        await second.set_values({"goal": "add two"})
    first.close()
    second.close()


def test_an_unknown_interview_and_a_planner_without_a_key_are_refused(desk: InterviewDesk) -> None:
    with pytest.raises(UsageError):
        desk.open(InterviewWanted(interview_id="nowhere"))
    with pytest.raises(Refused, match="LLM"):
        desk.open(InterviewWanted(planner="llm"))


def test_a_long_text_is_written_where_only_the_person_reads_it(desk: InterviewDesk) -> None:
    path = save_text("talk.md", "words")
    assert path.read_text() == "words"
    assert path.parent.stat().st_mode & 0o077 == 0


async def test_a_new_interview_begins_with_what_the_checkpoint_that_it_starts_from_was_trained_with(
    desk: InterviewDesk,
) -> None:
    checkpoint = of_tickets()[0]
    (desk.runs_root / TICKETS).mkdir(parents=True)
    write_plan(desk.runs_root / TICKETS, PLAN)
    interview = desk.open(InterviewWanted(planner="rules", start_from=checkpoint))
    await interview.go_on()
    draft = interview.sheet.draft
    assert (draft["start_from"].value, draft["start_from"].by) == (checkpoint.path, "you")
    assert draft["goal"].value == PLAN.goal
    assert draft["training.learning_rate"].value == PLAN.training.learning_rate
    assert draft["training.run_name"].value == f"{PLAN.training.run_name}-fork"
    interview.close()
