from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from tcao_tui.domain.run_view import RunStatus, RunView
from tcao_tui.tui.keys import KEYS, bindings, senseless
from tcao_tui.tui.panes.training.header import head_line, heartbeat_text, notice_lines, progress_line
from tcao_tui.tui.panes.training.metrics import chart_plans
from tcao_tui.tui.panes.training.panel_lines import event_lines, log_lines, sample_lines
from tcao_tui.tui.widgets.line_view import Line, changed_runs
from tests.fakes import views


def text(lines: list[Line]) -> str:
    return "\n".join("".join(span for span, _ink in line) for line in lines)


def test_a_run_that_is_lost_is_never_called_alive() -> None:
    view = replace(views.lost(), heartbeat_age_seconds=1.0)
    assert heartbeat_text(view) == ""
    assert "The worker is gone" in text(notice_lines(view, 120))


def test_a_young_heartbeat_is_one_word_and_an_old_one_moves_in_steps() -> None:
    texts = {heartbeat_text(replace(views.running(), heartbeat_age_seconds=age / 10)) for age in range(50)}
    assert texts == {"alive"}
    assert heartbeat_text(replace(views.running(), heartbeat_age_seconds=7.0)) == "silent 6s"
    assert heartbeat_text(replace(views.running(), heartbeat_age_seconds=8.9)) == "silent 6s"


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("view", [views.running(), views.lost(), views.completed(), views.waiting()])
def test_the_head_fits_its_width(view: RunView, width: int) -> None:
    for line in (head_line(view, width), progress_line(view, width), *notice_lines(view, width)):
        assert cell_len("".join(span for span, _ink in line)) <= width


def test_an_unknown_cost_is_said() -> None:
    assert "cost unknown" in text([progress_line(replace(views.running(), cost_usd=None), 120)])


def test_foreign_text_reaches_no_line_with_control_characters() -> None:
    view = views.failed()
    lines = [*notice_lines(view, 100), *event_lines(view, 100), *sample_lines(view, 100, None)]
    assert "\x1b" not in text([*lines, *log_lines("a\x1b]0;evil\x07b\n\u202egnp.exe", 100)])
    assert "[bold]out of memory[/bold]" in text(notice_lines(view, 200))


def test_every_metric_is_on_exactly_one_chart() -> None:
    keys = ["zeta", "val_mean_nll", "learning_rate", "train_mean_nll", "env/all/reward/total"]
    plans = chart_plans(keys)
    assert sorted(key for plan in plans for _label, key in plan.curves) == sorted(keys)
    assert [plan.name for plan in plans][:3] == ["train_mean_nll", "env/all/reward/total", "learning_rate"]


def test_only_the_changed_cells_of_a_line_are_repainted() -> None:
    old: Line = (("step ", "muted"), ("12", "strong"), (" of a long line that stays", "text"), (" x", "text"))
    new: Line = (("step ", "muted"), ("13", "strong"), (" of a long line that stays", "text"), (" y", "text"))
    assert changed_runs(old, new, 80) == [(6, 7), (34, 35)]
    assert changed_runs(old, old, 80) == []
    assert changed_runs(old, (("日本", "text"),), 80) == [(0, 80)]


def test_every_key_has_an_id_a_help_and_a_place_of_its_own() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)
    assert all(key.help and key.shown for key in KEYS)
    for scope in {key.scope for key in KEYS}:
        actions = {(name, binding.action) for binding in bindings(scope) for name in binding.key.split(",")}
        names = [name for name, _action in actions]
        assert len(names) == len(set(names)), "a key that is shown under two words does one thing"


def test_a_finished_run_offers_no_stop_and_a_running_one_no_resume() -> None:
    assert {"run.stop", "run.pause", "run.resume"} <= senseless(RunStatus.COMPLETED)
    assert senseless(RunStatus.RUNNING) == {"run.resume"}
    assert "run.resume" not in senseless(RunStatus.PAUSED)
    assert "run.resume" not in senseless(RunStatus.LOST)
