from __future__ import annotations

import pytest

from tcao_tui.cli.render.text import runs_table
from tcao_tui.domain.headlines import told_by
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.tui.panes.run_list.table import COLUMNS, arranged, row_line
from tests.fakes.views import a_summary

NUMBERS = {
    "sft": {"train_mean_nll": 0.25, "val_mean_nll": 0.5},
    "dpo": {"reward_margin": 1.5, "reward_accuracy": 0.9, "val_accuracy": 0.875},
    "preference_model": {"train_mean_nll": 0.25, "val_accuracy": 0.875},
    "rl": {"reward_mean": 0.8, "zero_advantage_share": 0.1, "val_reward": 0.7},
    "distill": {"teacher_kl": 0.12, "val_teacher_kl": 0.2, "train_mean_nll": 1.0},
}
TOLD = {
    "sft": ("loss 0.25", "loss 0.5"),
    "dpo": ("margin 1.5", "accuracy 87.5%"),
    "preference_model": ("loss 0.25", "accuracy 87.5%"),
    "rl": ("reward 0.8", "reward 0.7"),
    "distill": ("KL 0.12", "KL 0.2"),
}


def texts(run: RunSummary) -> tuple[str, ...]:
    return tuple("" if told is None else told.text for told in told_by(run))


def a_run(method: str, **changes: object) -> RunSummary:
    return a_summary(method=method, train_loss=None, val_loss=None, numbers=NUMBERS.get(method, {}), **changes)


@pytest.mark.parametrize("method", NUMBERS)
def test_a_run_is_told_by_the_numbers_that_its_method_is_about(method: str) -> None:
    assert texts(a_run(method)) == TOLD[method]


@pytest.mark.parametrize("method", NUMBERS)
def test_a_pipeline_is_told_by_the_stage_that_its_numbers_are_of(method: str) -> None:
    stage = a_summary(method="pipeline", train_loss=0.1, val_loss=0.2, numbers=NUMBERS[method])
    assert texts(stage) == TOLD[method]


def test_a_distillation_that_imitates_is_told_by_its_losses() -> None:
    assert texts(a_summary(method="distill", numbers=NUMBERS["sft"])) == TOLD["sft"]


def test_a_run_of_an_older_store_is_told_by_its_losses_and_one_without_any_by_none() -> None:
    assert texts(a_summary(train_loss=0.25, val_loss=None)) == ("loss 0.25", "")
    assert texts(a_summary(method="rl", train_loss=None, val_loss=None)) == ("", "")


def test_lists_show_the_word_with_each_number() -> None:
    runs = [a_run(method, name=method) for method in NUMBERS]
    shown = "\n".join(runs_table(runs, 1.0, lambda text, *_a, **_k: text))
    lines = ["".join(text for text, _ink in row_line(run, 120, 1.0)) for run in runs]
    for (trained, held_out), line in zip(TOLD.values(), lines, strict=True):
        assert trained in shown
        assert held_out in shown
        assert trained in line
        assert held_out in line


def test_sorting_puts_the_best_of_each_metric_first_and_what_is_unknown_last() -> None:
    rewards = [a_summary(name=f"r{value}", method="rl", numbers={"reward_mean": value}) for value in (0.1, 0.9)]
    losses = [a_summary(name=f"l{value}", numbers={"train_mean_nll": value}) for value in (0.9, 0.1)]
    unknown = a_summary(name="none", train_loss=None, val_loss=None)
    broken = a_summary(name="nan", numbers={"train_mean_nll": float("nan")})
    place = next(i for i, column in enumerate(COLUMNS) if column.title == "training")
    found = arranged([unknown, broken, *rewards, *losses], wanted="", sorted_by=place, reverse=False)
    assert [run.name for run in found] == ["l0.1", "l0.9", "r0.9", "r0.1", "none", "nan"]


@pytest.mark.parametrize("width", [60, 80, 100, 118, 134, 160])
def test_rows_fit_whatever_the_numbers_are(width: int) -> None:
    long = {"reward_margin": -0.00001234, "val_accuracy": 0.875}
    for run in (*(a_run(method) for method in NUMBERS), a_summary(method="dpo", numbers=long)):
        assert len("".join(text for text, _ink in row_line(run, width, 1.0))) <= width
