"""What a report of a run says about it: findings with the numbers behind them, and what cannot be told yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

OVERFIT_RISE = 0.02
"""Validation loss that ends this share above its lowest value counts as rising."""

LITTLE_FALL = 0.01
"""Training loss that fell by less than this share counts as not falling."""

type Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunFinding:
    """One thing about a run: what, the numbers, and what to do."""

    what: str
    evidence: str
    do: str


def run_findings(report: Report) -> list[RunFinding]:
    """Findings, the gravest first; empty when nothing stands out."""
    rules: tuple[Callable[[Report], Iterator[RunFinding]], ...] = (
        _ended,
        _not_finite,
        _losses,
        _validation,
        _scores,
        _data,
    )
    return [finding for rule in rules for finding in rule(report)]


def not_there_yet(report: Report) -> list[str]:
    """What a judgement would need and the run does not have."""
    missing: list[str] = []
    if report.get("train_loss") is None:
        missing.append("no training loss yet")
    if report.get("val_loss") is None:
        missing.append("no validation loss: there is no val_file, or no validation has come")
    if len({score["step"] for score in report.get("scores", ())}) < 2:
        missing.append("no score before and after: nobody can say whether the model became better")
    if not report.get("checkpoints"):
        missing.append("no checkpoint is saved")
    return missing


def _ended(report: Report) -> Iterator[RunFinding]:
    finished, waiting = report.get("finished"), report.get("waiting")
    if report.get("status") == "lost":
        yield RunFinding(
            "the worker is gone", f"silent at step {report.get('step')}", "tcao resume goes on from a checkpoint"
        )
    if finished and finished.get("outcome") not in ("completed", None):
        place = f" ({finished['where']})" if finished.get("where") else ""
        yield RunFinding(
            f"the run ended as {finished['outcome']}",
            f"{finished.get('what', '')}{place}",
            finished.get("next_step", ""),
        )
    if waiting and not waiting.get("over"):
        yield RunFinding(
            "the run waits", f"{waiting.get('reason')}: {waiting.get('detail', '')}", "nothing; it goes on by itself"
        )


def _not_finite(report: Report) -> Iterator[RunFinding]:
    for name in ("train_loss", "val_loss"):
        loss = report.get(name) or {}
        if loss.get("not_finite"):
            evidence = f"{loss['not_finite']} of {loss['count']} values of {name} are not finite"
            yield RunFinding("the loss broke", evidence, "a smaller learning rate, or grad_clip_norm 1.0")


def _losses(report: Report) -> Iterator[RunFinding]:
    loss = report.get("train_loss") or {}
    if "first" in loss and loss["count"] > 10 and loss["last"][1] > loss["first"][1] * (1 - LITTLE_FALL):
        (first_step, first), (last_step, last) = loss["first"], loss["last"]
        evidence = f"training loss {first:.4g} at step {first_step}, {last:.4g} at step {last_step}"
        yield RunFinding("training loss does not fall", evidence, "check rows and loss mask, then the learning rate")


def _validation(report: Report) -> Iterator[RunFinding]:
    loss = report.get("val_loss") or {}
    if "lowest" in loss and loss["last"][1] > loss["lowest"][1] * (1 + OVERFIT_RISE):
        step, lowest = loss["lowest"]
        evidence = f"validation loss {lowest:.4g} at step {step}, {loss['last'][1]:.4g} at step {loss['last'][0]}"
        yield RunFinding(
            "it learns the rows by heart", evidence, f"use a checkpoint near step {step}; fewer steps next time"
        )


def _scores(report: Report) -> Iterator[RunFinding]:
    by_name: dict[str, list[Report]] = {}
    for score in report.get("scores", ()):
        by_name.setdefault(score["name"], []).append(score)
    for name, scores in by_name.items():
        first, last = scores[0], scores[-1]
        if last["step"] > first["step"] and last["value"] <= first["value"]:
            evidence = (
                f"{name}: {first['correct']} of {first['total']} at step {first['step']}, "
                f"{last['correct']} of {last['total']} at step {last['step']}"
            )
            yield RunFinding(
                "the score did not rise", evidence, "look at the samples: format first, then data and steps"
            )


def _data(report: Report) -> Iterator[RunFinding]:
    data = report.get("data") or {}
    if data.get("truncated_rows"):
        evidence = f"{data['truncated_rows']} of {data['train_rows']} rows were cut at max_seq_len"
        yield RunFinding("rows are cut", evidence, "raise training.max_seq_len, or shorten the rows")
