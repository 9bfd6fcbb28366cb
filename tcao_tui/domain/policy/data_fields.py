"""How the rows are read, and which files of a split measure: both are read off the data."""

from __future__ import annotations

from collections.abc import Mapping

from tcao_tui.domain.draft import Filled, KeyPath
from tcao_tui.domain.policy.situation import INSPECTED, Situation, counted, filled


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """Format and columns of the training file; the validation file of the split that wrote it."""
    return {**_fields(situation), **_validation(situation)}


def _fields(situation: Situation) -> dict[KeyPath, Filled]:
    train = situation.train
    if train is None or train.kind is None:
        return {}
    fields, found = train.fields, f"{counted(train.rows, 'row is', 'rows are')} read so"
    bad = f", {train.bad_rows:,} cannot be" if train.bad_rows else ""
    columns = {"training.data_format": fields.data_format}
    if train.kind == "preference":
        columns |= {"training.chosen_field": fields.chosen_field, "training.rejected_field": fields.rejected_field}
    else:
        columns |= {"training.input_field": fields.input_field, "training.output_field": fields.output_field}
    return {path: filled(value, found + bad, INSPECTED, by="data") for path, value in columns.items()}


def _validation(situation: Situation) -> dict[KeyPath, Filled]:
    train = situation.text("training.train_file")
    split = next((s for s in situation.facts.splits if train and str(s.train) == train), None)
    if split is None or split.validation is None:
        return {}
    reason = f"{counted(split.rows[1], 'row')} that the split kept from training"
    return {"training.val_file": filled(str(split.validation), reason, split.method, by="data")}
