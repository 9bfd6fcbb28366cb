"""A plan with what is known about it, as the gates look at it; a measurement of something else counts as none."""

from __future__ import annotations

from dataclasses import dataclass

from tcao_tui.domain.capabilities import ModelInfo
from tcao_tui.domain.data_profile import DataProfile, FieldMap, Overlap, TokenStats
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.plan_data import DataFile, Place, application_files, data_files, teacher_files
from tcao_tui.domain.training_config import TrainingConfig


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged."""

    plan: Plan
    facts: Facts

    @property
    def config(self) -> TrainingConfig:
        """The plan's hyperparameters."""
        return self.plan.training

    @property
    def model(self) -> ModelInfo | None:
        """The base model, where the server offers it."""
        return self.facts.model(self.config.base_model)

    @property
    def renderer(self) -> str | None:
        """The plan's renderer, else the model's own; None when neither is known."""
        if self.config.renderer_name:
            return self.config.renderer_name
        return self.model.renderers[0] if self.model is not None and self.model.renderers else None

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The data files of the plan."""
        return data_files(self.plan)

    def file(self, place: Place) -> DataFile | None:
        """One of them."""
        return next((file for file in self.files if file.field == place), None)

    def profile(self, place: Place) -> DataProfile | None:
        """What an inspection that read the file as the plan says found out."""
        file = self.file(place)
        return None if file is None else self.profile_of(file)

    def profile_of(self, file: DataFile) -> DataProfile | None:
        """What an inspection that read a file as the plan says found out."""
        return next((profile for profile in self.facts.profiles_of(file.path) if file.is_read_as(profile)), None)

    @property
    def tokens(self) -> TokenStats | None:
        """Tokens of the training rows by this plan's model, renderer and cut."""
        profile = self.profile("train_file")
        tokens = profile.tokens if profile is not None else None
        if tokens is None or tokens.model != self.config.base_model or tokens.renderer != self.renderer:
            return None
        is_uncut = not tokens.truncated_rows and tokens.row.max <= self.config.max_seq_len
        return tokens if is_uncut or tokens.max_seq_len == self.config.max_seq_len else None

    def sha256(self, file: DataFile) -> str:
        """Hash of a file's content; empty when it was not inspected."""
        profile = self.profile_of(file)
        return "" if profile is None else profile.sha256

    def trained_on(self, file: DataFile) -> Overlap | None:
        """Rows of a file that stand in the training file, of the present content of both; None when not compared."""
        one, other = self.profile("train_file"), self.profile_of(file)
        if one is None or other is None:
            return None
        wanted = (one.sha256, other.sha256)
        return next((o for o in self.facts.overlaps if (o.left_sha256, o.right_sha256) == wanted), None)


@dataclass(frozen=True, slots=True)
class Inspection:
    """A file that must be inspected before the plan can be judged; `with_tokens` by the plan's model."""

    file: DataFile
    with_tokens: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two files that must be compared: rows of `right` that stand in `left`."""

    left: DataFile
    right: DataFile
    left_fields: FieldMap
    right_fields: FieldMap


def missing_inspections(subject: Subject) -> tuple[Inspection, ...]:
    """Files of which too little is known; those that cannot be read are left out."""
    found: list[Inspection] = []
    for file in (*subject.files, *application_files(subject.plan)):
        is_train = file.field == "train_file"
        is_short = subject.profile_of(file) is None or (is_train and subject.tokens is None)
        if is_short and str(file.path) not in subject.facts.missing:
            found.append(Inspection(file, with_tokens=is_train))
    for file in teacher_files(subject.plan):
        if subject.facts.profile(file.path) is None and str(file.path) not in subject.facts.missing:
            found.append(Inspection(file, with_tokens=False))
    return tuple(found)


def missing_comparisons(subject: Subject) -> tuple[Comparison, ...]:
    """Inspected files that were not compared with the training rows; the same content needs no comparison."""
    found: list[Comparison] = []
    train, train_profile = subject.file("train_file"), subject.profile("train_file")
    for file in (*subject.files[1:], *application_files(subject.plan)):
        profile = subject.profile_of(file)
        if train is None or train_profile is None or profile is None or profile.sha256 == train_profile.sha256:
            continue
        if profile.rows and train_profile.rows and subject.trained_on(file) is None:
            found.append(Comparison(train, file, train_profile.fields, profile.fields))
    return tuple(found)
