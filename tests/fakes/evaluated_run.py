"""A trained run with evaluations over three layers in a real store: what reports and commands are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tcao_tui.domain.eval_matrix import CellView
from tcao_tui.domain.evaluation import ItemResult, Usage
from tcao_tui.domain.events import Finished
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.transcript import GivenScore, Transcript, Turn
from tcao_tui.store.plan_file import write_plan
from tcao_tui.store.run_dir import RunDir
from tcao_tui.store.sqlite import SqliteStore
from tests.fakes import known_facts, run_records
from tests.fakes.evaluated import evaluated, items, task

TASKS = (
    task("loss on held-out rows", 1, harness="held_out", higher_is_better=False, is_guardrail=True),
    task("inspect_evals/mmlu_0_shot", 2, limit=200, generate={"temperature": 0.0}, version="2-A"),
    task("tickets", judge="anthropic/judge", content="c" * 64),
)


def losses(mean: float) -> list[ItemResult]:
    return [ItemResult(item=str(n), value=mean + n / 100 + (n * 7919 % 11) / 50 * mean) for n in range(60)]


def evaluated_run(root: Path, store: SqliteStore, *, right: Sequence[int] = (20, 90, 160, 158)) -> None:
    """Run `r` of 8 steps, with base and checkpoints 20, 40, 60; `right` tickets of each are right."""
    store.create_run(run_records.new_run("r", name="tickets"))
    writer = store.writer("r")
    run_records.launch(writer)
    for step in range(1, 9):
        writer.commit(metrics=[run_records.row(step, train_mean_nll=3 / step)])
    writer.commit(metrics=[run_records.validation(step, 3 / step + 0.1) for step in (2, 4, 8)])
    writer.commit(events=[Finished(outcome="completed", exit_code=0)])
    directory = RunDir(root, "r").path
    directory.mkdir(parents=True)
    write_plan(directory, Plan.model_validate(known_facts.values()))
    names = ["tiny", "r@20", "r@40", "r@60"]
    answers = {
        TASKS[0].name: {name: losses(mean) for name, mean in zip(names, (3.0, 1.6, 1.2, 1.19), strict=True)},
        TASKS[1].name: {name: items(count) for name, count in zip(names, (100, 101, 99, 98), strict=True)},
        TASKS[2].name: {name: items(count, lost=1) for name, count in zip(names, right, strict=True)},
    }
    evaluated(store.evaluations, TASKS, answers)
    for cell in store.evaluations.cells("e"):
        usage = Usage(input_tokens=2_000, output_tokens=900, usd=0.02, judge_tokens=500, judge_usd=0.001)
        logged = cell.model_copy(update={"log": "log.eval", "usage": usage, "numbers": {"perplexity": 3.5}})
        store.evaluations.write_cell("e", logged, at=9.0)


def transcript(cell: CellView, item: str) -> Transcript:
    """What the subject of a cell said."""
    return Transcript(
        item=item,
        epoch=1,
        target=f"wanted {item}",
        turns=(Turn(role="user", text=f"question {item}"), Turn(role="assistant", text=f"{cell.record.subject} says")),
        scores=(GivenScore(scorer="exact", value="C", explanation="as wanted"),),
    )
