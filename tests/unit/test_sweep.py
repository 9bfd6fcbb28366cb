from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.stages import Stage
from tcao_tui.domain.sweep import (
    Cell,
    expand,
    grid,
    listed,
    parse_setting,
    shares,
    sweep_hash,
    value_text,
    varied,
    words,
)
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid, TcaoError, UsageError


def plan(**changes: Any) -> Plan:
    config = TrainingConfig(base_model="tiny", run_name="toy", train_file=Path("/data/train.jsonl"), learning_rate=1e-3)
    return Plan(training=config, **changes)


def cells(*settings: str, of: Plan | None = None) -> tuple[Cell, ...]:
    base = (of or plan()).model_dump(mode="json")
    return expand(base, grid([parse_setting(setting) for setting in settings]), name="try")


def test_a_grid_is_every_combination_with_the_last_setting_varying_fastest() -> None:
    found = cells("training.learning_rate=1e-4,3e-4", "training.lora_rank=8,32")
    assert [(c.plan.training.learning_rate, c.plan.training.lora_rank) for c in found] == [
        (1e-4, 8),
        (1e-4, 32),
        (3e-4, 8),
        (3e-4, 32),
    ]
    assert [c.plan.training.run_name for c in found] == ["try-01", "try-02", "try-03", "try-04"]
    assert [c.index for c in found] == [1, 2, 3, 4]


def test_a_cell_keeps_everything_else_of_the_plan() -> None:
    base = plan(goal="Be good.")
    [one] = cells("training.lora_rank=8", of=base)
    assert one.plan.model_copy(update={"training": base.training}) == base


@pytest.mark.parametrize(
    ("text", "path", "values"),
    [
        ("training.learning_rate=1e-4,3e-4", "training.learning_rate", (1e-4, 3e-4)),
        ("training.lr_schedule=constant,cosine", "training.lr_schedule", ("constant", "cosine")),
        ('evals.sample_prompts=[],["a,b"]', "evals.sample_prompts", ([], ["a,b"])),
        ("training.train_mlp=true, false", "training.train_mlp", (True, False)),
        (" training.seed = 1 , 2", "training.seed", (1, 2)),
        ("training.batch_tokens=null,512", "training.batch_tokens", (None, 512)),
    ],
)
def test_values_are_json_and_text_where_they_are_not(text: str, path: str, values: tuple[object, ...]) -> None:
    assert parse_setting(text) == (path, values)


@pytest.mark.parametrize(
    "text", ["", "training.seed", "training.seed=", "=1", "training.seed=1,1", "training.seed=1,1.0"]
)
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_setting(text)


@pytest.mark.parametrize(
    ("settings", "said", "next_step"),
    [
        (["training.learning_rat=1"], "learning_rate", "rename it to learning_rate"),
        (["lora_rank=8"], "training.lora_rank", "move it to training.lora_rank"),
        (["training.run_name=a"], "cannot be swept", "training.seed"),
        (["data.train_file=a"], "cannot be swept", "training.seed"),
        (["training=1"], "cannot be swept", "training.seed"),
        (["stages[0].start=base"], "holds nothing", ""),
        (["training.seed=1", "training.seed=2"], "given twice", "--set training.seed=VALUE,VALUE"),
    ],
)
def test_a_key_path_that_is_none_is_named_with_what_it_should_have_been(
    settings: list[str], said: str, next_step: str
) -> None:
    with pytest.raises(UsageError) as raised:
        cells(*settings)
    assert said in raised.value.what
    assert next_step in raised.value.next_step


def test_a_value_that_makes_no_plan_names_its_cell() -> None:
    with pytest.raises(PlanInvalid) as raised:
        cells("training.lora_rank=8,9")
    assert raised.value.where == "cell 2 (lora_rank 9)"
    assert "power of two" in raised.value.what


def test_more_than_64_cells_are_a_mistake() -> None:
    with pytest.raises(UsageError, match="65 cells"):
        cells("training.seed=" + ",".join(map(str, range(65))))
    assert len(cells("training.seed=" + ",".join(map(str, range(64))))) == 64


def test_cells_that_come_to_the_same_plan_are_refused() -> None:
    rows = listed([{"training.seed": 1}, {"training": {"seed": 1}}])
    with pytest.raises(UsageError, match="cells 1 and 2 are the same"):
        expand(plan().model_dump(mode="json"), rows, name="try")


def test_a_list_may_vary_other_keys_in_each_cell() -> None:
    rows = listed([{"training.seed": 1}, {"training.lora_rank": 8, "training": {"seed": 2}}])
    found = expand(plan().model_dump(mode="json"), rows, name="try")
    assert [(c.plan.training.seed, c.plan.training.lora_rank) for c in found] == [(1, 32), (2, 8)]


@pytest.mark.parametrize("rows", [None, [], {"a": 1}, [1], [{}]])
def test_what_is_no_list_of_cells_is_refused(rows: object) -> None:
    with pytest.raises(UsageError):
        listed(rows)


def test_an_absent_section_is_made_when_a_key_in_it_is_swept() -> None:
    pilots = [cell.plan.pilot for cell in cells("pilot.steps=5,9")]
    assert [pilot.steps for pilot in pilots if pilot is not None] == [5, 9]


def test_rules_and_stages_are_swept_by_the_keys_of_their_mappings() -> None:
    [watched] = cells("watch.actions.plateau=stop")
    assert watched.plan.watch.actions == {"plateau": "stop"}
    staged = plan(method="pipeline", stages=(Stage(name="first", method="sft"),))
    [changed] = cells("stages[0].set.training.learning_rate=0.5", of=staged)
    assert changed.plan.stages[0].set == {"training.learning_rate": 0.5}


def test_a_sweep_needs_a_name_that_is_a_directory_and_the_beginning_of_run_names() -> None:
    for name in ("../x", "", "a/b", "a" * 60):
        with pytest.raises(UsageError, match="cannot name a sweep"):
            expand(plan().model_dump(mode="json"), grid([("training.seed", [1])]), name=name)


def test_data_files_that_cells_name_lie_where_the_person_is() -> None:
    base = plan().model_dump(mode="json")
    rows = grid([("training.train_file", ["a.jsonl", "/data/b.jsonl"])])
    found = expand(base, rows, name="try", files_from=Path("/home/me"))
    assert [str(cell.plan.training.train_file) for cell in found] == ["/home/me/a.jsonl", "/data/b.jsonl"]


def test_only_what_differs_is_told() -> None:
    rows = grid([("training.learning_rate", [1e-4, 3e-4]), ("training.num_steps", [20])])
    assert varied(rows) == ("training.learning_rate",)
    assert words(rows[1], varied(rows)) == "learning_rate 0.0003"
    assert varied(rows[:1]) == ("training.learning_rate", "training.num_steps")


def test_values_are_made_safe_to_show() -> None:
    assert "\x1b" not in value_text(["\x1b[2J"])
    assert value_text(3e-4) == "0.0003"


def test_consent_to_a_sweep_is_bound_to_every_cell_and_their_order() -> None:
    assert sweep_hash(["a", "b"]) == sweep_hash(["a", "b"])
    assert len({sweep_hash(["a", "b"]), sweep_hash(["b", "a"]), sweep_hash(["a"]), sweep_hash(["a", "c"])}) == 4


@example(0.5, [5e-324])
@given(st.floats(0.01, 1e6), st.lists(st.one_of(st.none(), st.floats(0, 1e5)), min_size=1, max_size=64))
def test_shares_never_come_to_more_than_the_cap(total: float, expected: list[float | None]) -> None:
    found = shares(total, expected)
    assert sum(found) == pytest.approx(total)
    assert len(found) == len(expected)
    assert all(share >= 0 for share in found)


def test_a_dearer_cell_gets_a_larger_share() -> None:
    assert shares(9.0, [1.0, 2.0]) == pytest.approx((3.0, 6.0))
    assert shares(9.0, [1.0, None]) == (4.5, 4.5)
    assert shares(9.0, [0.0, 0.0]) == (4.5, 4.5)


@given(st.text(max_size=40))
def test_any_text_is_a_setting_or_a_plain_error(text: str) -> None:
    with suppress(TcaoError):
        path, values = parse_setting(text)
        assert path
        assert values
        assert cells(text)
