from __future__ import annotations

from typing import Any

import pytest

from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.plan_data import DataFile, data_files
from tests.fakes import known_facts as known


def files(changes: dict[str, Any]) -> dict[str, DataFile]:
    return {file.field: file for file in data_files(Plan.model_validate(known.values(changes)))}


def test_every_data_file_is_named_with_its_key() -> None:
    found = [(file.field, file.key, file.path) for file in data_files(Plan.model_validate(known.GOOD))]
    assert found == [
        ("train_file", "training.train_file", known.TRAIN),
        ("val_file", "training.val_file", known.VAL),
        ("score_file", "evals.score.file", known.SCORE),
    ]


def test_what_a_plan_does_not_say_is_left_to_detection() -> None:
    assert {file.field_map for file in files({}).values()} == {None}


@pytest.mark.parametrize(
    ("changes", "read_as"),
    [
        (
            {"training.input_field": "question", "training.output_field": "answer"},
            FieldMap(data_format="", input_field="question", output_field="answer"),
        ),
        (
            {"training.input_field": "question", "evals.score.output_field": "label"},
            FieldMap(data_format="", input_field="question", output_field="label"),
        ),
        ({"training.data_format": "messages"}, FieldMap(data_format="messages")),
        ({"method": "dpo", "training.data_format": "preference", "training.input_field": "prompt"}, None),
        (
            {"method": "dpo", "evals.score.input_field": "prompt", "evals.score.output_field": "chosen"},
            FieldMap(data_format="input_output", input_field="prompt", output_field="chosen"),
        ),
    ],
)
def test_eval_rows_are_read_by_their_own_fields_else_as_in_training_unless_these_are_pairs(
    changes: dict[str, Any], read_as: FieldMap | None
) -> None:
    assert files(changes)["score_file"].field_map == read_as


def test_an_inspection_counts_when_it_read_what_the_plan_says() -> None:
    file = files({"training.output_field": "label"})["train_file"]
    assert not file.is_read_as(known.profile(known.TRAIN, 10))
    assert file.is_read_as(known.profile(known.TRAIN, 10, fields={"data_format": "alpaca", "output_field": "label"}))
