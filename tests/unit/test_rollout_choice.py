from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.domain.rollout_choice import Only, Order, RolloutChoice
from tcao_tui.domain.training_events import RolloutsTaken
from tcao_tui.errors import ExitCode
from tcao_tui.store.rollout_files import read_rollout_file, write_rollouts
from tcao_tui.store.sqlite import open_store
from tests.fakes.method_views import rollouts
from tests.fakes.run_records import launch, new_run


def shown(choice: RolloutChoice) -> list[tuple[int, list[float]]]:
    return [(each.group.group, [a.reward for a in each.answers]) for each in choice.of(rollouts(10))]


def test_best_and_worst_order_groups_and_the_answers_in_them() -> None:
    assert shown(RolloutChoice()) == [(0, [1.0, 0.0, 1.0]), (1, [1.0, 1.0]), (2, [0.0, 0.0])]
    assert shown(RolloutChoice(Order.BEST)) == [(0, [1.0, 1.0, 0.0]), (1, [1.0, 1.0]), (2, [0.0, 0.0])]
    assert [group for group, _ in shown(RolloutChoice(Order.WORST))] == [0, 2, 1]


def test_groups_without_signal_and_answers_cut_off_can_be_had_alone() -> None:
    assert shown(RolloutChoice(only=Only.NO_SIGNAL)) == [(1, [1.0, 1.0]), (2, [0.0, 0.0])]
    assert shown(RolloutChoice(only=Only.CUT_OFF)) == [(2, [0.0])]


def test_a_search_finds_answers_and_whole_groups_by_their_prompt_in_any_case() -> None:
    assert shown(RolloutChoice(search="STEP BY STEP")) == [(0, [1.0])]
    assert shown(RolloutChoice(search="what is 2")) == [(1, [1.0, 1.0])]
    assert shown(RolloutChoice(search="nowhere")) == []
    assert not RolloutChoice(search="step by step").of(rollouts(1))[0].group.advantage_free


def test_a_file_outside_the_run_is_not_read_even_if_an_event_names_it(tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text("{}\n")
    (tmp_path / "run").mkdir()
    with pytest.raises(PermissionError):
        list(read_rollout_file(tmp_path / "run", "../secret.jsonl"))


@pytest.fixture
def console(tmp_path: Path) -> CliContext:
    """A store with one run of RL that has rollouts of two steps, and one of SFT without."""
    runs = tmp_path / "runs"
    store = open_store(runs)
    store.create_run(new_run("rl-1", name="rl"))
    store.create_run(new_run("sft-1", name="sft", created_at=0.0))
    writer = store.writer("rl-1")
    launch(writer)
    for step in (10, 20):
        (runs / "rl-1").mkdir(exist_ok=True)
        file = write_rollouts(runs / "rl-1", step, rollouts(step))
        writer.commit(events=[RolloutsTaken(step=step, file=file, groups=3, answers=7, mean_reward=0.4)])
    store.close()
    return CliContext(runs_root=runs)


def test_the_newest_step_is_shown_unless_one_is_named(console: CliContext, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["rollouts", "rl", "--output", "json"], console) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["step"], told["steps"], len(told["groups"])) == (20, [10, 20], 3)
    assert [group["advantage_free"] for group in told["groups"]] == [False, True, True]
    assert (
        main.run(["rollouts", "rl", "--step", "10", "--worst"], CliContext(runs_root=console.runs_root)) == ExitCode.OK
    )
    text = capsys.readouterr().out
    assert text.startswith("step 10: 7 answers to 3 prompts")
    assert "no signal" in text
    assert "[bold]9[/bold]" in text
    assert "\x1b" not in text


def test_what_is_not_there_is_told_with_the_nearest_that_is(
    console: CliContext, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["rollouts", "rl", "--step", "19"], console) == ExitCode.USAGE
    assert "tcao rollouts rl-1 --step 20" in capsys.readouterr().err
    assert main.run(["rollouts", "sft"], console) == ExitCode.USAGE
    assert "has no rollouts" in capsys.readouterr().err
    (console.runs_root / "rl-1" / "rollouts" / "step-000020.jsonl").unlink()
    assert main.run(["rollouts", "rl"], console) == ExitCode.USAGE
    assert "cannot read the rollouts of step 20" in capsys.readouterr().err
