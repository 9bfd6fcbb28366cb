"""Python code that a plan names: found without running it, bound by the approval, checked before each attempt."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from tcao_tui.domain.checks.plan_check import check
from tcao_tui.domain.code_hash import CodeHash
from tcao_tui.domain.draft import flat
from tcao_tui.domain.gates import Gate
from tcao_tui.domain.interview import StoredEntry
from tcao_tui.domain.interview_state import InterviewState, fold
from tcao_tui.domain.method_params import RlParams
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import EvalPlan, Plan, ScoreSpec, approval_hash, config_hash
from tcao_tui.domain.plan_code import all_code, named_code
from tcao_tui.domain.planning import sheet_of
from tcao_tui.domain.stages import Stage
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid
from tcao_tui.planner import calls
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.port import Interview
from tcao_tui.planner.rules.case import Case
from tcao_tui.planner.rules.data import look_for_code
from tcao_tui.planner.rules.moves import UseTool
from tcao_tui.planner.tools import TOOLS
from tcao_tui.services import facts as measuring
from tcao_tui.services.approve import approve
from tcao_tui.services.plans import changed_data
from tcao_tui.services.user_code import code_hash
from tcao_tui.store.plan_file import read_plan, write_plan
from tests.fakes import known_facts as known
from tests.fakes.known_facts import FREE
from tests.fakes.measured import Measured
from tests.fakes.plans import resolve
from tests.unit.test_plans_and_approval import ESTIMATE

CODE = "raise SystemExit('never run')\ndef grade(answer, reference): return answer == reference\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_rewards.py").write_text(CODE)
    (tmp_path / "rows.jsonl").write_text('{"input": "a", "output": "b"}\n')
    return tmp_path


def plan_of(here: Path, **rl: object) -> Plan:
    config = TrainingConfig(base_model="m", run_name="r", train_file=here / "rows.jsonl", learning_rate=1e-4)
    evals = EvalPlan(score=ScoreSpec(file=here / "rows.jsonl", grader="python:my_rewards:grade"))
    return resolve(Plan(method="rl", training=config, evals=evals, rl=RlParams.model_validate(rl)))


def test_a_module_beside_the_person_is_found_and_not_run(here: Path) -> None:
    before = code_hash("my_rewards")
    (here / "my_rewards.py").write_text(CODE + "#")
    assert code_hash("my_rewards").sha256 != before.sha256
    (here / "my_rewards.py").write_text(CODE)
    assert code_hash("my_rewards") == before


def test_the_worker_started_from_here_would_import_what_was_hashed(here: Path) -> None:
    (here / "json").mkdir()
    (here / "json" / "__init__.py").write_text("grade = print\n")
    asked = [sys.executable, "-m", "my_probe"]
    (here / "my_probe.py").write_text("import json; print(json.__file__)\n")
    there = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=here).stdout.strip()
    assert Path(there).parent == here / "json"
    beside = code_hash("json")
    os.chdir("/")
    assert code_hash("json") != beside


def test_of_a_package_every_source_file_counts_and_nothing_else(here: Path) -> None:
    package = here / "pack" / "rewards"
    package.mkdir(parents=True)
    for file in ("__init__.py", "rewards/__init__.py", "rewards/maths.py", "help.py", "notes.txt"):
        (here / "pack" / file).write_text(f"# {file}\n")
    before = code_hash("pack.rewards.maths")
    (here / "pack" / "notes.txt").write_text("more\n")
    assert code_hash("pack.rewards.maths") == before
    (here / "pack" / "help.py").write_text("# other\n")
    assert code_hash("pack.rewards.maths").sha256 != before.sha256


def test_a_directory_without_init_is_only_a_place_for_modules(here: Path) -> None:
    (here / "place" / "deep").mkdir(parents=True)
    for name in ("one", "two"):
        (here / "place" / "deep" / f"{name}.py").write_text(f"# {name}\n")
    before = code_hash("place.deep.one")
    (here / "place" / "deep" / "two.py").write_text("# other\n")
    assert code_hash("place.deep.one") == before


@pytest.mark.parametrize(
    "module", ["no_such_module", "my_rewards.deeper", "json.no_such", "__main__", "", "a..b", "a\0b"]
)
def test_what_is_no_module_is_told(here: Path, module: str) -> None:
    with pytest.raises(PlanInvalid):
        code_hash(module)


def test_a_plan_names_the_code_of_its_eval_and_of_its_reward_or_environment(here: Path) -> None:
    (here / "games.py").write_text("")
    graded = named_code(plan_of(here, grader="python:my_rewards:grade"))
    assert [(code.key, code.module) for code in graded] == [
        ("evals.score.grader", "my_rewards"),
        ("rl.grader", "my_rewards"),
    ]
    played = named_code(plan_of(here, environment="games:build", grader="python:unused:grade"))
    assert {code.key for code in played} == {"evals.score.grader", "rl.environment"}
    assert all(code.recorded for code in (*graded, *played))
    assert not named_code(Plan(training=plan_of(here).training))


def test_other_code_is_another_plan_and_refused_before_an_attempt(here: Path) -> None:
    plan = plan_of(here)
    assert changed_data(plan) == []
    (here / "my_rewards.py").write_text(CODE + "#")
    assert changed_data(plan) == [
        "evals.score.grader: the code of my_rewards is not what was approved (its SHA-256 differs)"
    ]
    assert config_hash(resolve(plan)) != config_hash(plan)
    (here / "my_rewards.py").unlink()
    (problem,) = changed_data(plan)
    assert problem.endswith("is not found: there is no module my_rewards")


def test_code_of_a_stage_is_bound_to_the_stage(here: Path) -> None:
    base = plan_of(here)
    stage = Stage(name="rl", method="rl", set={"rl": {"grader": "python:my_rewards:grade"}, "evals.score": None})
    plan = resolve(base.model_copy(update={"method": "pipeline", "rl": None, "evals": EvalPlan(), "stages": (stage,)}))
    assert [(code.key, bool(code.recorded)) for code in all_code(plan)] == [("stages.0.set.rl.grader", True)]
    assert stage_plans(plan)[0].plan.data.code == plan.stage_data[0].code
    (here / "my_rewards.py").write_text(CODE + "#")
    assert len(changed_data(plan)) == 1


def test_an_approval_covers_code_or_is_not_given(here: Path) -> None:
    plan = plan_of(here)
    bare = plan.model_copy(update={"data": plan.data.model_copy(update={"code": ()})})
    for one in (plan, bare):
        wanted = approval_hash(one, FREE)
        if one is plan:
            assert approve(one, FREE, given=wanted, by="me", at=1.0, cost=ESTIMATE).approval_hash == wanted
        else:
            with pytest.raises(PlanInvalid, match="code is not hashed"):
                approve(one, FREE, given=wanted, by="me", at=1.0, cost=ESTIMATE)


def test_a_plan_with_code_is_read_back_as_it_was_written(here: Path) -> None:
    plan = plan_of(here)
    (here / "run").mkdir()
    write_plan(here / "run", plan)
    assert read_plan(here / "run" / "plan.yaml") == plan


def test_a_plan_without_code_has_the_hash_it_always_had(here: Path) -> None:
    assert "code" not in Plan(training=plan_of(here).training).canonical()["data"]


def judged(recorded: list[dict[str, str]] | None = None, **facts: Any) -> tuple[str, list[str], str]:
    """Status of the gate of data, its findings about the grader's code, and why it is open."""
    more = {} if recorded is None else {"data.code": recorded}
    values = known.values({"evals.score.grader": "python:my_rewards:grade", **more})
    sheet = check(flat(values), known.facts(graders=("exact", "python"), **facts))
    gate = next(gate for gate in sheet.gates if gate.gate is Gate.DATA)
    about = [finding.got for finding in gate.findings if finding.path == "evals.score.grader"]
    return gate.status, about, gate.why_open


def test_the_gate_waits_for_the_code_and_names_what_is_wrong_with_it() -> None:
    assert judged() == ("open", [], "the code of evals.score.grader is not looked at yet")
    status, (got,), _ = judged(missing={"my_rewards": "there is no module my_rewards"})
    assert status == "fail"
    assert "there is no module" in got
    found = (CodeHash(module="my_rewards", sha256="ab"),)
    assert judged(code=found) == ("pass", [], "")
    status, (got,), _ = judged([{"module": "my_rewards", "sha256": "cd"}], code=found)
    assert status == "fail"
    assert "changed since the plan was written" in got


def test_code_is_looked_for_each_time_a_plan_is_judged(here: Path) -> None:
    stale = known.facts(code=(CodeHash(module="my_rewards", sha256="old"),))
    newer = Measured(known.facts(code=(CodeHash(module="my_rewards", sha256="new"),)))
    plan = plan_of(here)
    facts = measuring.gather(plan, stale, newer.sources())
    assert facts.code_hash("my_rewards") == "new"
    assert measuring.gather(plan, stale, Measured().sources()).missing["my_rewards"]


async def test_an_interview_looks_for_code_that_a_plan_names(here: Path) -> None:
    graded = {"evals.score.grader": "python:my_rewards:grade"}
    state = InterviewState("talk", draft=flat(known.values(graded)), facts=known.facts(graders=("exact", "python")))
    case = Case(state, sheet_of(state.draft, state.facts), ())
    assert look_for_code(case) == UseTool("inspect_code", {"module": "my_rewards"})
    tool = TOOLS.load("inspect_code").model_validate({"module": "my_rewards"})
    outcome = await tool.run(cast("Interview", None), cast("Desk", None), "call")
    for entry in calls.learned(outcome.facts):
        state = fold(state, StoredEntry(seq=1, interview_id="talk", at=1.0, entry=entry))
    assert state.facts.code == (code_hash("my_rewards"),)
    assert look_for_code(Case(state, sheet_of(state.draft, state.facts), ())) is None
