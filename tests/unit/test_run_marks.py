from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from tcao_tui.domain.marks import NO_MARKS
from tcao_tui.domain.run_view import RunView
from tcao_tui.tui.panes.training.header import facts_line, head_line, notice_lines
from tcao_tui.tui.panes.training.marks import alert_lines, chart_marks, legend_row, rail_line
from tcao_tui.tui.panes.training.metrics import chart_plans
from tcao_tui.tui.panes.training.specs import Look, plans_of
from tcao_tui.tui.widgets.line_view import Line
from tests.fakes import method_views, views


def text(lines: list[Line]) -> str:
    return "\n".join("".join(span for span, _ink in line) for line in lines)


def charts(view: RunView) -> list[list[str]]:
    return [[key for _label, key in plan.curves] for plan in plans_of(view, Look())]


def test_dpo_shows_margin_and_accuracy_with_their_held_out_values_first() -> None:
    first = charts(method_views.dpo())[:5]
    assert first == [
        ["reward_margin", "val_margin"],
        ["reward_accuracy", "val_accuracy"],
        ["chosen_reward", "rejected_reward"],
        ["dpo_loss", "val_dpo_loss"],
        ["kl_reference"],
    ]


def test_rl_shows_the_reward_and_the_groups_without_signal_first_and_the_cookbooks_many_keys_last() -> None:
    found = charts(method_views.rl())
    assert found[:4] == [["reward_mean", "val_reward"], ["zero_advantage_share"], ["reward_std"], ["entropy"]]
    assert all(keys[0].startswith("env/") for keys in found[-12:])


def test_a_pipeline_shows_what_its_present_stage_is_for_and_keeps_the_charts_of_the_others() -> None:
    found = charts(method_views.pipeline())
    assert found[0] == ["reward_mean"]
    assert ["train_mean_nll"] in found
    assert ["val_accuracy"] in found


@pytest.mark.parametrize("method", ["sft", "dpo", "rl", "distill", "preference_model", "rlhf", "unheard_of"])
def test_every_key_of_every_method_is_on_exactly_one_chart(method: str) -> None:
    keys = ["loss", "train_mean_nll", "val_mean_nll", "val_accuracy", "reward_accuracy", "chosen_mean_nll", "time/a"]
    plans = chart_plans([*keys, "teacher_kl", "reward_mean", "epoch"], method)
    assert sorted(key for plan in plans for _label, key in plan.curves) == sorted(
        [*keys, "teacher_kl", "reward_mean", "epoch"]
    )
    assert len({plan.name for plan in plans}) == len(plans)


def test_the_cookbooks_words_for_losses_share_a_chart_too() -> None:
    assert chart_plans(["test/nll", "train_mean_nll"])[0].curves == (
        ("train", "train_mean_nll"),
        ("validation", "test/nll"),
    )
    assert chart_plans(["a", "env/all/reward/total"])[0].name == "env/all/reward/total"


def test_alerts_stand_on_the_curve_and_the_legend_says_what_each_mark_is() -> None:
    marks = method_views.rl().marks
    assert [(mark.step, mark.symbol) for mark in chart_marks(marks)] == [(5, "◈"), (28, "△"), (37, "▲")]
    assert text([legend_row(marks, 100)]).split() == [
        "marks",
        "▲",
        "1",
        "critical",
        "△",
        "1",
        "warning",
        "◈",
        "pilot",
        "passed",
    ]
    assert legend_row(NO_MARKS, 100) == ()


def test_borders_of_stages_and_changed_settings_are_marked_at_their_steps() -> None:
    assert [mark.step for mark in chart_marks(method_views.pipeline().marks)] == [30, 50]
    marks = method_views.dpo().marks
    assert [mark.step for mark in chart_marks(marks)] == [25]
    assert "learning_rate 5.00e-05" in text([legend_row(marks, 100)])


def test_the_head_counts_alerts_and_tells_the_newest_critical_one_with_what_to_change() -> None:
    view = method_views.rl()
    assert "▲ 2 alerts" in text([head_line(view, 80)])
    told = text(notice_lines(view, 100))
    assert "entropy collapse at step 37" in told
    assert "rl.kl_penalty_coef: 0.05" in " ".join(told.split())
    assert "\x1b" not in told
    assert "zero advantage" not in told


def test_the_list_of_alerts_is_newest_first_with_evidence_action_and_suggestion() -> None:
    lines = text(alert_lines(method_views.rl().marks, 120))
    assert lines.index("entropy collapse") < lines.index("zero advantage")
    assert "(pause)" in lines
    assert "[bold]allowed[/bold]" in lines
    assert "→ rl.group_size: 16" in lines
    assert "\x1b" not in lines


def test_a_pilot_that_passed_is_a_fact_and_one_that_did_not_is_a_notice() -> None:
    assert "pilot passed: about $1.20" in text([facts_line(method_views.rl(), 200)])
    stopped = method_views.a_pilot_that_stopped_the_run()
    assert "The pilot of 5 steps did not pass" in text(notice_lines(stopped, 120))


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_rail_tells_done_now_and_to_come_without_colour_in_any_width(width: int) -> None:
    line = rail_line(method_views.pipeline(), width)
    assert cell_len(text([line])) <= width
    assert "▶ rl 21/50" in text([line])
    if width >= 80:
        assert "✓ preference" in text([line])


def test_the_rail_of_a_pipeline_that_is_over_has_only_ticks_and_other_runs_have_none() -> None:
    assert text([rail_line(method_views.pipeline(ended=True), 100)]).count("✓") == 3
    assert "○ 2 to come" in text([rail_line(method_views.amid_a_pipeline(), 80)])
    assert rail_line(views.running(), 80) == ()


def test_stages_to_come_are_named_where_the_plan_is_known_and_there_is_room() -> None:
    names = ("sft", "preference", "rl")
    assert "▶ sft 12/30 › ○ preference › ○ rl" in text([rail_line(method_views.amid_a_pipeline(), 80, names)])
    assert "○ 2 to come" in text([rail_line(method_views.amid_a_pipeline(), 30, names)])


def test_a_view_of_long_ago_without_marks_is_drawn_as_ever() -> None:
    view = replace(views.running(), marks=NO_MARKS)
    assert "alert" not in text([head_line(view, 120), facts_line(view, 120), *notice_lines(view, 120)])
