"""Files that stages and teachers name: absolute from the plan, bound by content, looked at before each attempt."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.domain.checks.plan_check import check
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.domain.draft import flat, nested
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import DataHashes, Plan, config_hash
from tcao_tui.domain.plan_data import all_data_files
from tcao_tui.services.plans import changed_data
from tcao_tui.store.plan_file import read_plan, write_plan
from tests.fakes import known_facts as known
from tests.fakes.plans import resolve

PLAN = """
method: pipeline
training:
  base_model: m
  run_name: r
  learning_rate: 1.0e-3
  train_file: chat.jsonl
stages:
- name: imitate
  method: sft
- name: prefer
  method: dpo
  set:
    training.train_file: pairs.jsonl
    evals.score:
      file: scored.jsonl
- name: teach
  method: distill
  set:
    distill:
      teacher_model: big
      more_teachers:
      - model: other
        prompts_file: prompts.jsonl
"""
NAMES = ("chat", "pairs", "scored", "prompts")


def write(directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "plan.yaml").write_text(PLAN)
    for name in NAMES:
        (directory / f"{name}.jsonl").write_text(f'{{"input": "{name}", "output": "b"}}\n')
    return directory / "plan.yaml"


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return resolve(read_plan(write(tmp_path / "here")))


def test_files_of_stages_are_named_from_the_plan_that_names_them(plan: Plan, tmp_path: Path) -> None:
    files = {file.key: file.path for file in all_data_files(plan)}
    here = tmp_path / "here"
    assert files == {
        "stages.0.set.training.train_file": here / "chat.jsonl",
        "stages.1.set.training.train_file": here / "pairs.jsonl",
        "stages.1.set.evals.score.file": here / "scored.jsonl",
        "stages.2.set.training.train_file": here / "chat.jsonl",
        "stages.2.set.distill.more_teachers[0].prompts_file": here / "prompts.jsonl",
    }
    assert all(file.recorded for file in all_data_files(plan))


def test_the_same_stages_and_files_elsewhere_are_the_same_plan(plan: Plan, tmp_path: Path) -> None:
    assert config_hash(resolve(read_plan(write(tmp_path / "there")))) == config_hash(plan)
    assert "here" not in str(plan.canonical())


@pytest.mark.parametrize("name", NAMES)
def test_another_row_in_any_of_the_files_is_another_plan_and_is_noticed(plan: Plan, tmp_path: Path, name: str) -> None:
    with (tmp_path / "here" / f"{name}.jsonl").open("a") as file:
        file.write('{"input": "more", "output": "b"}\n')
    assert any(f"{name}.jsonl is not the file that was approved" in problem for problem in changed_data(plan))
    assert config_hash(resolve(plan)) != config_hash(plan)


def test_a_plan_of_stages_is_read_back_as_it_was_written(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write_plan(tmp_path / "run", plan)
    assert read_plan(tmp_path / "run" / "plan.yaml") == plan
    assert changed_data(read_plan(tmp_path / "run" / "plan.yaml")) == []


def test_a_file_that_nobody_hashed_has_no_content_to_be_named_by(plan: Plan) -> None:
    bare = plan.model_copy(update={"data": DataHashes(), "stage_data": ()})
    assert not any(file.recorded for file in all_data_files(bare))
    assert config_hash(bare) != config_hash(plan)


def test_what_is_wrong_for_one_stage_is_mended_for_that_stage_alone(plan: Plan) -> None:
    budget = plan.model_copy(update={"training": plan.training.model_copy(update={"batch_tokens": 9999})})
    sheet = check(flat(budget.model_dump(mode="json")), known.facts(methods=("sft", "dpo", "distill", "pipeline")))
    [error] = [f for gate in sheet.gates for f in gate.findings if f.path == "training.batch_tokens"]
    assert error.got == "stage prefer: a token budget for method dpo"
    assert error.fix.endswith("write training.batch_tokens for stage prefer alone, into stages.1.set")
    for stage in (1, 2):
        budget.stages[stage].set["training.batch_tokens"] = None
    assert [stage.plan.training.batch_tokens for stage in stage_plans(budget)] == [9999, None, None]


def test_two_stages_may_read_a_file_differently() -> None:
    asked = FieldMap(data_format="input_output", input_field="problem", output_field="answer")
    facts = known.facts().with_fact(known.profile(known.TRAIN, 2000, fields=FieldMap(data_format="messages")))
    facts = facts.with_fact(known.profile(known.TRAIN, 2000, fields=asked))
    said = {"data_format": "input_output", "input_field": "problem", "output_field": "answer"}
    read = {
        fmt: Plan.model_validate(nested(flat(known.values({f"training.{k}": v for k, v in values.items()}))))
        for fmt, values in (("input_output", said), ("messages", {"data_format": "messages"}))
    }
    found = {fmt: Subject(plan, facts).profile("train_file") for fmt, plan in read.items()}
    assert {fmt: profile and profile.fields.data_format for fmt, profile in found.items()} == {
        "input_output": "input_output",
        "messages": "messages",
    }
    changed = facts.with_fact(known.profile(known.TRAIN, 1, sha256="newer"))
    assert len(changed.profiles_of(known.TRAIN)) == 1
