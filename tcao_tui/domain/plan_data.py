"""The data files that a plan reads, and what it says of how they are to be read. Looking into them is a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tcao_tui.domain.data_profile import METHOD_KINDS, DataProfile, FieldMap, RowKind
from tcao_tui.domain.file_keys import HashField
from tcao_tui.domain.pipeline import PREFERENCE_REWARD, stage_plans
from tcao_tui.domain.plan import Plan, ScoreSpec
from tcao_tui.domain.training_config import TrainingConfig

Place = HashField
"""Name of a data file in `Plan.data`."""

PAIR_FORMATS = ("preference", "scored_completions")

_SCORE_FIELDS = ("input_field", "output_field")
_FIELDS = ("data_format", "input_field", "output_field", "chosen_field", "rejected_field")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file of a plan.

    Attributes:
        field: Its place in `Plan.data`.
        key: Its key path in the plan file.
        recorded: SHA-256 that the plan already has; empty when none.
        said: What the plan says of its format and fields; what it does not say is detected.
        likely_format: What it is read as where nothing is said; empty leaves it to detection.
    """

    field: Place
    key: str
    path: Path
    recorded: str
    said: Mapping[str, str]
    likely_format: str = ""

    @property
    def field_map(self) -> FieldMap | None:
        """How to read it, an empty format being detected; None leaves all to detection."""
        return FieldMap.model_validate({"data_format": self.likely_format, **self.said}) if self.said else None

    def is_read_as(self, profile: DataProfile) -> bool:
        """Whether an inspection read the file as the plan says."""
        return all(getattr(profile.fields, name) == wanted for name, wanted in self.said.items())


def data_files(plan: Plan) -> tuple[DataFile, ...]:
    """The data files that a plan names: training rows, then validation, then eval rows."""
    training, score = plan.training, plan.evals.score
    said = _said(training)
    found = [DataFile("train_file", "training.train_file", training.train_file, plan.data.train_file, said)]
    if training.val_file is not None:
        found.append(DataFile("val_file", "training.val_file", training.val_file, plan.data.val_file, said))
    if score is not None:
        found.append(_score_file(plan, score))
    return tuple(found)


def teacher_files(plan: Plan) -> tuple[DataFile, ...]:
    """Prompts of further teachers, read as training rows are."""
    said = _said(plan.training)
    more = plan.distill.more_teachers if plan.distill is not None else ()
    recorded = (*plan.data.teacher_files, *("" for _ in more))
    return tuple(
        DataFile("teacher_files", f"distill.more_teachers[{n}].prompts_file", teacher.prompts_file, recorded[n], said)
        for n, teacher in enumerate(more)
    )


def application_files(plan: Plan) -> tuple[DataFile, ...]:
    """Rows of further evals and answers to beat, read as their own fields say, else as in training."""
    found: list[DataFile] = []
    for number, each in enumerate(plan.evals.application):
        key = f"evals.application[{number}]"
        rows = _scored(plan, each.input_field, each.output_field)
        if each.kind == "rows" and each.file is not None:
            recorded = next(iter(plan.data.application_files[number:]), "")
            found.append(DataFile("application_files", f"{key}.file", each.file, recorded, *rows))
        if each.opponents is not None:
            recorded = next(iter(plan.data.opponent_files[number:]), "")
            found.append(DataFile("opponent_files", f"{key}.opponents", each.opponents, recorded, *rows))
    return tuple(found)


def kinds_of(plan: Plan) -> tuple[RowKind, ...] | None:
    """What training rows may be, the kind that they are read as first; None for a method that is not ours."""
    by_preference = plan.rl is not None and plan.rl.grader.partition(":")[0] == PREFERENCE_REWARD
    if by_preference or (plan.method == "sft" and plan.training.data_format in PAIR_FORMATS):
        return ("preference",)
    return METHOD_KINDS.get(plan.method)


def all_data_files(plan: Plan) -> tuple[DataFile, ...]:
    """Every file that a worker reads: of a plan of one stage its own; else the stages', with their keys and hashes."""
    if plan.method != "pipeline":
        return (*data_files(plan), *teacher_files(plan), *application_files(plan))
    return tuple(
        replace(file, key=f"stages.{stage.index}.set.{file.key}")
        for stage in stage_plans(plan)
        for file in (*data_files(stage.plan), *teacher_files(stage.plan), *application_files(stage.plan))
    )


def _score_file(plan: Plan, score: ScoreSpec) -> DataFile:
    said, likely = _scored(plan, score.input_field, score.output_field)
    return DataFile("score_file", "evals.score.file", score.file, plan.data.score_file, said, likely)


def _scored(plan: Plan, input_field: str | None, output_field: str | None) -> tuple[dict[str, str], str]:
    """Eval rows are read as their own fields say, the other one as in training; without any, unless these are pairs."""
    said = _said(plan.training)
    own = {name: text for name, text in zip(_SCORE_FIELDS, (input_field, output_field), strict=True) if text}
    if own:
        said = {name: text for name, text in said.items() if name in _SCORE_FIELDS} | own
    elif said.get("data_format") in PAIR_FORMATS:
        said = {}
    # Named columns of a file of pairs are a prompt and the answer to imitate, which detection would take for pairs.
    return said, "input_output" if own and (kinds_of(plan) or ("",))[0] == "preference" else ""


def _said(config: TrainingConfig) -> dict[str, str]:
    defaults = {name: field.default for name, field in TrainingConfig.model_fields.items()}
    given = {name: getattr(config, name) for name in _FIELDS}
    return {name: text for name, text in given.items() if text is not None and text != defaults[name]}
