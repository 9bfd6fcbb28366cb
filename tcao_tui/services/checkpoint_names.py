"""The checkpoint that a person means: RUN, RUN:STEP, or a `tinker://` path. Reads the store only, never the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tcao_tui.domain.checkpoint_listing import training_run_of
from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.errors import UsageError
from tcao_tui.services.checkpoint_places import CheckpointPlaces
from tcao_tui.services.runs import find_run, list_runs
from tcao_tui.store.port import RunStore

Use = Literal["training", "sampler"]
"""What the checkpoint is wanted for: to train on from it, or to sample from it."""

SCHEME = "tinker://"
_NAMED_IN_ERRORS = 8
_COMPLETED_RUNS = 50


def resolve_checkpoint(store: RunStore, text: str, *, use: Use = "training") -> str:
    """The `tinker://` path that is meant.

    Args:
        store: The run store.
        text: A path, which is taken as it is; RUN for its final or furthest weights; RUN:STEP for those of a step, or
            RUN:NAME for those of a checkpoint's name. RUN is an id, the beginning of one, a name, or `latest`.
        use: Which of a checkpoint's two paths.

    Raises:
        UsageError: Nothing is meant; says what there is.
    """
    if text.startswith(SCHEME):
        if not training_run_of(text):
            raise UsageError(
                f"{text} is no checkpoint", next_step="tinker://RUN/weights/NAME; `tcao ckpt ls` lists them"
            )
        return text
    reference, _, place = text.partition(":")
    run = find_run(store, reference)
    places = CheckpointPlaces(store).of_run(run)
    if place:
        return _path(_named([*places.all_records()], run.run_id, place), use)
    if not (usable := places.records()):
        raise UsageError(f"{run.run_id} has no checkpoint", next_step=f"tcao show {run.run_id}")
    finals = [record for record in usable if record.reason == "final"]
    return _path((finals or usable)[-1], use)


def _named(records: Sequence[CheckpointRecord], run_id: str, place: str) -> CheckpointRecord:
    """By name, or by step: of several attempts the last one's, whose weights the run goes on with."""
    found = [r for r in records if r.name == place or (place.isdecimal() and r.step == int(place))]
    if found:
        return max(found, key=lambda r: r.attempt)
    steps = sorted({r.step for r in records})
    shown = ", ".join(map(str, steps[-_NAMED_IN_ERRORS:])) or "none"
    earlier = "..., " if len(steps) > _NAMED_IN_ERRORS else ""
    raise UsageError(
        f"{run_id} has no checkpoint {place}; there are those of steps {earlier}{shown}",
        next_step=f"tcao show {run_id}",
    )


def _path(record: CheckpointRecord, use: Use) -> str:
    if use == "training":
        return record.state_path
    if record.sampler_path is None:
        raise UsageError(f"{record.name} has no weights to sample from, only training state", where=record.state_path)
    return record.sampler_path


def completions(store: RunStore, begun: str) -> list[tuple[str, str]]:
    """What may be meant by the beginning of a name, each with a word about it; of the newest runs only."""
    reference, _, _ = begun.partition(":")
    by_path = SCHEME.startswith(begun[: len(SCHEME)])
    found: list[tuple[str, str]] = []
    for run in list_runs(store, limit=_COMPLETED_RUNS):
        if not by_path and reference not in (run.run_id, run.name):
            continue
        for record in reversed(CheckpointPlaces(store).of_run(run).records()):
            said = f"{run.name} step {record.step} {record.reason}"
            names = (record.state_path, record.sampler_path or "") if by_path else (f"{reference}:{record.step}",)
            found += [(name, said) for name in names if name and name.startswith(begun)]
    return found
