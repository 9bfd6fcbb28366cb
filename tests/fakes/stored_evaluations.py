"""Evaluations for tests: a small spec and its record."""

from __future__ import annotations

from tcao_tui.domain.evaluation import EvalTask, EvaluationRecord, EvaluationSpec, Subject
from tcao_tui.domain.plan import PriceQuote

FREE = PriceQuote(backend="here", source="test", train_usd=0, prefill_usd=0, sample_usd=0, storage_usd_per_gb_month=0)


def subject(name: str, *, checkpoint: str = "") -> Subject:
    return Subject(name=name, base_model="tcao/tiny-qwen3", checkpoint=checkpoint)


BASE = subject("tcao/tiny-qwen3")
TRAINED = subject("run-1@20", checkpoint="tinker://a/sampler_weights/001-000020")


def small_spec(**changes: object) -> EvaluationSpec:
    """Two tasks over the base and a checkpoint."""
    tasks = tuple(EvalTask(name=name, layer=3, target=f"{name}.py@{name}") for name in ("greet", "add"))
    spec = EvaluationSpec(title="tiny", profile="local", run_id="run-1", subjects=(BASE, TRAINED), tasks=tasks)
    return spec.model_copy(update=changes)


def record(evaluation_id: str = "eval-1", *, at: float = 1.0, spec: EvaluationSpec | None = None) -> EvaluationRecord:
    """A record that was approved because nothing costs anything."""
    chosen = spec or small_spec()
    return EvaluationRecord(
        evaluation_id=evaluation_id,
        spec=chosen,
        approval_hash=chosen.approval_hash(FREE),
        approved_by="me",
        approved_how="auto",
        quote=FREE,
        created_at=at,
    )
