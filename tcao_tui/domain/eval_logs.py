"""What is read of an Inspect log, and what must agree before two of them are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict

from tcao_tui.domain.evaluation import ItemResult
from tcao_tui.domain.statistics.paired import ItemScore
from tcao_tui.domain.statistics.verdict import Task


class EvalLogSummary(BaseModel):
    """One log, as far as a comparison needs it.

    Attributes:
        path: The file.
        task: Name of the task; `version` is its own.
        model: Name of the model, which for ours has the run and step in it.
        checkpoint: `tinker://` path; empty for a base model or a model of others.
        status: Inspect's own word, which says nothing of single samples.
        scorer: The scorer whose values these are.
        settings: What changes the meaning of a score: task arguments and effective generation settings, as JSON.
        planned: Samples that were to be run.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    task: str
    version: str
    model: str
    checkpoint: str = ""
    status: str
    scorer: str
    settings: str
    planned: int
    items: tuple[ItemResult, ...]

    @property
    def unusable(self) -> float:
        """Share of planned samples that errored, have no grade, were cut off or never ran, 0 to 1."""
        usable = sum(item.value is not None and not item.truncated for item in self.items)
        return 1 - usable / self.planned if self.planned else 1.0

    @property
    def counts(self) -> str:
        """`200 items, 3 unscored, 5 cut off`; what is zero is left out."""
        unscored = sum(item.value is None for item in self.items)
        cut = sum(item.truncated for item in self.items)
        missing = self.planned - len(self.items)
        more = ((unscored, "unscored"), (cut, "cut off"), (missing, "not run"))
        return ", ".join([f"{len(self.items):,} items", *(f"{count:,} {word}" for count, word in more if count > 0)])


def disagreements(logs: Sequence[EvalLogSummary]) -> Iterator[str]:
    """Why the scores of these logs do not mean the same; nothing when they do."""
    first = logs[0]
    for log in logs[1:]:
        for name in ("task", "version", "scorer", "settings"):
            if (ours := getattr(log, name)) != (theirs := getattr(first, name)):
                yield f"{log.path}: {name} is {ours}, and {theirs} in {first.path}"
        if not {item.item for item in log.items} & {item.item for item in first.items}:
            yield f"{log.path}: has no item in common with {first.path}"


def as_task(logs: Sequence[EvalLogSummary], names: Sequence[str], *, higher_is_better: bool = True) -> Task:
    """The logs as one task over checkpoints, each under its name."""
    return Task(
        name=logs[0].task,
        scores={
            name: {item.item: ItemScore(item.value) for item in log.items}
            for name, log in zip(names, logs, strict=True)
        },
        unusable={name: log.unusable for name, log in zip(names, logs, strict=True)},
        higher_is_better=higher_is_better,
    )
