from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.errors import ExitCode
from tcao_tui.store.plan_file import read_plan
from tcao_tui.store.sqlite import open_store
from tests.fakes.interview_desk import LabDesk, paid_server
from tests.fakes.own_places import use_places
from tests.scenarios.rows import FileSpec, write

ANSWERS: dict[str, Any] = {"goal": "sort tickets by topic", "data": "tickets.jsonl", "success": 0.8}


class Terminal(CliContext):
    """A console that somebody sits at."""

    @property
    def is_interactive(self) -> bool:
        return not self.wants_json


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_places(monkeypatch, tmp_path)
    folder = tmp_path / "project"
    write(folder / "tickets.jsonl", FileSpec(rows="labels", count=120))
    monkeypatch.chdir(folder)
    desk = LabDesk(tmp_path / "work")
    monkeypatch.setattr("tcao_tui.planner.open.real_desk", lambda *_: desk.desk())
    return folder


@dataclass(frozen=True)
class Called:
    """What one call of `tcao plan` said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


type Plan = Callable[..., Called]


@pytest.fixture
def plan(project: Path, capsys: pytest.CaptureFixture[str]) -> Plan:
    def call(*arguments: str) -> Called:
        console = CliContext(runs_root=project.parent / "runs", environ={"HOME": str(project.parent)})
        code = main.run(["plan", *arguments], console)
        captured = capsys.readouterr()
        return Called(code, captured.out, captured.err)

    return call


def answers(project: Path, **given: object) -> str:
    path = project / "answers.yaml"
    path.write_text(yaml.safe_dump({**ANSWERS, **given}))
    return str(path)


def test_answers_come_to_a_plan_file_that_can_be_read(plan: Plan, project: Path) -> None:
    called = plan("--answers", answers(project, **{"training.num_steps": 120}), "-o", "plan.yaml")
    assert (called.code, called.out) == (ExitCode.OK, "plan.yaml\n")
    assert "--approve" in called.err
    written = read_plan(project / "plan.yaml")
    assert (written.goal, written.success.threshold, written.training.num_steps) == (ANSWERS["goal"], 0.8, 120)
    assert written.data.train_file


def test_a_question_without_an_answer_ends_with_code_4_and_names_its_slot(plan: Plan, project: Path) -> None:
    (project / "answers.yaml").write_text(yaml.safe_dump({"goal": "sort tickets", "data": "tickets.jsonl"}))
    called = plan("--answers", "answers.yaml", "-o", "plan.yaml")
    assert called.code == ExitCode.NEEDS_INPUT
    assert "no answer to success" in called.err
    assert "where: success" in called.err
    assert "next: --defaults" in called.err
    assert not (project / "plan.yaml").exists()


def test_a_required_answer_has_no_default(plan: Plan) -> None:
    called = plan("--defaults")
    assert called.code == ExitCode.NEEDS_INPUT
    assert "no answer to goal" in called.err
    assert "--defaults" not in called.err.rpartition("next:")[2]


def test_defaults_are_taken_where_they_are_asked_for(plan: Plan, project: Path) -> None:
    (project / "answers.yaml").write_text(yaml.safe_dump({"goal": "sort tickets", "data": "tickets.jsonl"}))
    assert plan("--answers", "answers.yaml", "--defaults", "-o", "plan.yaml").code == ExitCode.OK
    assert read_plan(project / "plan.yaml").success.threshold is None


@pytest.mark.parametrize(
    ("given", "code", "what"),
    [
        ({"gaol": "x"}, ExitCode.PLAN_INVALID, "did you mean goal"),
        ({"training.lora_rnk": 8}, ExitCode.PLAN_INVALID, "did you mean training.lora_rank"),
        ({"data": "none.jsonl"}, ExitCode.USAGE, "there is no file"),
        ({"method": "magic"}, ExitCode.USAGE, "no method 'magic'"),
        ({"success": "very good"}, ExitCode.USAGE, "is not one number"),
        ({"training.lora_rank": 48}, ExitCode.PLAN_INVALID, "set it to 32 or 64"),
    ],
)
def test_an_answer_that_cannot_be_is_told(
    given: dict[str, object], code: int, what: str, plan: Plan, project: Path
) -> None:
    called = plan("--answers", answers(project, **given))
    assert called.code == code
    assert what in called.err


@pytest.mark.parametrize(("text", "what"), [("- a\n- b\n", "a mapping of slot names"), ("a: [", "cannot be read")])
def test_answers_that_are_no_mapping_are_told(text: str, what: str, plan: Plan, project: Path) -> None:
    (project / "answers.yaml").write_text(text)
    called = plan("--answers", "answers.yaml")
    assert called.code == ExitCode.PLAN_INVALID
    assert what in called.err


def test_a_method_that_the_answers_insist_on_is_not_asked_back(plan: Plan, project: Path) -> None:
    write(project / "pairs.jsonl", FileSpec(rows="pairs", count=120))
    called = plan("--answers", answers(project, data="pairs.jsonl", method="sft"), "--output", "json")
    assert called.code == ExitCode.OK, called.err
    assert json.loads(called.out)["values"]["training.output_field"]["value"] == "chosen"


def test_the_result_as_json_says_everything_that_a_script_needs(plan: Plan, project: Path) -> None:
    result = json.loads(plan("--answers", answers(project), "--output", "json").out)
    assert (result["type"], result["ready"], result["approved"], result["questions"]) == ("result", True, False, 0)
    assert (result["backend"], result["planner"]) == ("local", "rules")
    assert len(result["approval_hash"]) == 16
    assert result["values"]["goal"]["by"] == "you"
    assert result["values"]["training.lora_rank"]["by"] == "policy"
    assert {gate["gate"] for gate in result["gates"]} >= {"schema", "data", "cost"}


def test_a_stream_begins_with_init_and_ends_with_the_result(plan: Plan, project: Path) -> None:
    first, *between, last = plan("--answers", answers(project), "--output", "stream-json").lines
    assert (first["type"], first["planner"]) == ("init", "rules")
    assert {line["type"] for line in between} == {"entry"}
    assert {"filled", "tool_started", "tool_ended", "learned", "said"} <= {line["kind"] for line in between}
    assert (last["type"], last["ready"]) == ("result", True)


def test_a_stream_that_fails_ends_with_its_result_too(plan: Plan) -> None:
    called = plan("sort tickets", "--output", "stream-json")
    last = called.lines[-1]
    assert called.code == last["error"]["exit_code"] == ExitCode.NEEDS_INPUT
    assert (last["type"], last["ready"], last["error"]["where"]) == ("result", False, "goal")


def made(plan: Plan, project: Path) -> dict[str, Any]:
    called = plan("--answers", answers(project), "--output", "json")
    assert called.code == ExitCode.OK, called.err
    return json.loads(called.out)


def test_an_interview_is_approved_later_by_its_hash_and_its_files_are_written(plan: Plan, project: Path) -> None:
    first = made(plan, project)
    resume = ["--resume", first["interview_id"][:-1], "--output", "json"]
    refused = plan(*resume, "--approve", "0" * 16)
    assert refused.code == ExitCode.NEEDS_INPUT
    assert first["approval_hash"] in refused.out
    approved = json.loads(plan(*resume, "--approve", first["approval_hash"]).out)
    assert (approved["approved"], approved["run_id"]) == (True, None)
    written = Path(approved["directory"])
    assert {"plan.yaml", "training-config.yaml", "one-pager.md"} <= {path.name for path in written.iterdir()}


def test_training_starts_only_from_an_approval(plan: Plan, project: Path) -> None:
    called = plan("--answers", answers(project), "--launch")
    assert called.code == ExitCode.NEEDS_INPUT
    assert "training starts only from an approved plan" in called.err


def test_interviews_are_listed_and_forked(plan: Plan, project: Path) -> None:
    assert "no interviews yet" in plan("--list").err
    first = made(plan, project)
    fork = json.loads(plan("--fork", "latest", "--output", "json").out)
    assert fork["interview_id"] != first["interview_id"]
    assert fork["approval_hash"] == first["approval_hash"]
    listed = {one["interview_id"] for one in json.loads(plan("--list", "--output", "json").out)}
    assert listed == {first["interview_id"], fork["interview_id"]}
    assert "sort tickets by topic" in plan("--list").out


def test_an_interview_stays_with_its_backend(plan: Plan, project: Path) -> None:
    first = made(plan, project)
    called = plan("--resume", first["interview_id"], "--backend", "tinker")
    assert called.code == ExitCode.REFUSED
    assert f"tcao plan --fork {first['interview_id']} --backend tinker" in called.err


def test_what_is_not_there_is_told(plan: Plan, project: Path) -> None:
    made(plan, project)
    called = plan("--resume", "19990101")
    assert called.code == ExitCode.USAGE
    assert "tcao plan --list" in called.err
    called = plan("--planner", "llm")
    assert called.code == ExitCode.REFUSED
    assert "no Anthropic key found" in called.err
    assert plan("--resume", "a", "--fork", "b").code == ExitCode.USAGE


def at_a_terminal(project: Path, typed: list[str], *arguments: str) -> tuple[int, str]:
    terminal = Terminal(runs_root=project.parent / "runs", environ={"HOME": str(project.parent), "NO_COLOR": "1"})
    with CliRunner().isolation(input="\n".join(typed) + "\n") as streams:
        code = main.run(["plan", "--plain", *arguments], terminal)
    return code, streams[-1].getvalue().decode()


def test_a_person_answers_line_by_line_and_approves(project: Path) -> None:
    typed = ["sort tickets by topic", "1", "/plan", "3", "approve", "n"]
    code, screen = at_a_terminal(project, typed)
    assert code == ExitCode.OK, screen
    assert "1) tickets.jsonl" in screen
    assert "why I ask:" in screen
    assert "at least 80% right" in screen
    assert "Approved: " in screen
    assert "train:  tcao run" in screen
    store = open_store(project.parent / "runs")
    assert store.interviews.interviews()[0].status == "approved"
    store.close()


def test_a_line_that_does_not_fit_is_asked_again(project: Path) -> None:
    typed = ["", "sort tickets", "none.jsonl", "tickets.jsonl", "very good", "80%", "/quit"]
    code, screen = at_a_terminal(project, typed)
    assert code == ExitCode.OK
    assert "only you can answer this one" in screen
    assert "there is no file" in screen
    assert "is not one number" in screen
    assert "go on: tcao plan --resume" in screen


def test_values_are_set_and_taken_back_by_hand(project: Path) -> None:
    opening = "It should sort tickets by topic, rows in tickets.jsonl. At least 80% correct."
    typed = ["/set training.lora_rank 64", "/set training.lora_rnk 1", "/clear training.lora_rank", "/dance", "/help"]
    code, screen = at_a_terminal(project, [*typed, "/planner llm", "/quit"], opening)
    assert code == ExitCode.OK
    assert "training.lora_rank: 64  [you] set by hand" in screen
    assert "did you mean training.lora_rank?" in screen
    assert "training.lora_rank: taken back" in screen
    assert "no command /dance" in screen
    assert "/defaults" in screen
    assert "there is no llm planner here" in screen


def test_a_plan_that_changed_is_shown_again_before_it_can_be_approved(project: Path) -> None:
    opening = "It should sort tickets by topic, rows in tickets.jsonl. At least 80% correct."
    code, screen = at_a_terminal(project, ["make it 111 steps", "approve", "/quit"], opening)
    assert code == ExitCode.OK
    assert "Approved" not in screen
    assert screen.count("hash: ") == 2


def test_the_end_of_input_leaves_the_interview_to_be_resumed(project: Path) -> None:
    code, screen = at_a_terminal(project, ["sort tickets by topic"])
    assert code == ExitCode.OK
    assert "go on: tcao plan --resume" in screen


def test_money_is_typed_before_a_paid_plan_is_approved(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paid = LabDesk(project.parent / "work", paid_server().model_copy(update={"profile": "tinker"}))
    monkeypatch.setattr("tcao_tui.planner.open.real_desk", lambda *_: paid.desk())
    opening = (
        "It should sort tickets, rows in tickets.jsonl. Budget is $20. 80% correct, 100 steps, from Qwen/Qwen3-8B."
    )
    code, screen = at_a_terminal(project, ["approve", "20", "n"], opening, "--backend", "tinker")
    assert code == ExitCode.OK, screen
    assert "Type the amount in US dollars" in screen
    assert "Approved: " in screen
