from __future__ import annotations

import re
from pathlib import Path

import pytest

from tcao_tui import paths
from tcao_tui.domain.held_out import held_out_metrics
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.services.demo import demo_plan_path
from tcao_tui.services.plans import load_plan
from tests.fakes.plans import resolve


@pytest.mark.parametrize("name", ["training-config.yaml", "demo-plan.yaml"])
def test_a_template_reads_as_a_plan_on_data_that_is_there(name: str) -> None:
    plan = resolve(load_plan(paths.templates_dir() / name))
    assert plan.training.base_model == paths.TINY_MODEL_NAME
    assert plan.data.train_file != plan.data.val_file


@pytest.mark.parametrize("path", sorted(paths.templates_dir().glob("*-plan.yaml")), ids=lambda path: path.stem)
def test_a_template_is_a_plan_of_its_method_also_with_what_it_leaves_out_in_comments(
    path: Path, tmp_path: Path
) -> None:
    whole = tmp_path / path.name
    lines = path.read_text().splitlines()
    first = next((n for n, line in enumerate(lines) if line.startswith("# pilot:")), len(lines))
    whole.write_text("\n".join(line.removeprefix("# ") if n >= first else line for n, line in enumerate(lines)))
    for plan in (load_plan(path), load_plan(whole)):
        assert [stage.plan.method for stage in stage_plans(plan)]
        assert plan.method in path.stem or plan.method == "sft"
        early = plan.watch.early_stopping
        assert early is None or early.metric in held_out_metrics(plan.method)
    assert (load_plan(whole).pilot is None) == (first == len(lines))


def test_the_config_template_shows_every_field_once() -> None:
    text = (paths.templates_dir() / "training-config.yaml").read_text()
    shown = re.findall(r"^(?:# )?([a-z_0-9]+): ", text, re.MULTILINE)
    assert sorted(shown) == sorted(TrainingConfig.model_fields)


def test_the_demo_is_scored_on_rows_that_are_neither_trained_nor_validated_on() -> None:
    plan = resolve(load_plan(demo_plan_path()))
    assert plan.evals.score is not None
    assert len({plan.data.train_file, plan.data.val_file, plan.data.score_file}) == 3
    assert plan.evals.sample_prompts
