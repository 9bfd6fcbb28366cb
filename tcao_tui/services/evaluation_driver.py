"""The driver of an evaluation: begins cells, some at a time, follows their processes, and writes what they found.

It holds the evaluation's lock and is the only writer of its cells. It can be killed at any moment and started again:
processes of cells that live on are followed again from their first line, those that died are started again, and what
was answered before is never asked for twice.
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tcao_tui.domain.eval_cost import spent_usd
from tcao_tui.domain.eval_job import Job
from tcao_tui.domain.evaluation import CellKey, CellRecord, CellState, EvalTask, EvaluationSpec, ItemResult
from tcao_tui.domain.wording import money_text
from tcao_tui.services.backends import Profile
from tcao_tui.services.driver_start import driving
from tcao_tui.services.eval_preflight import environment
from tcao_tui.services.eval_sizes import TOKENS_BY_DEFAULT
from tcao_tui.services.evaluation_cells import LiveCell
from tcao_tui.services.evaluation_reuse import find_finished
from tcao_tui.store.evaluation_dir import Ask, cell_dir, evaluation_dir, last_asked
from tcao_tui.store.evaluation_rows import places
from tcao_tui.store.evaluations import EvaluationStore

POLL_SECONDS = 0.5
MOST_DEATHS = 3
"""Processes of a cell that may die one after another without an answer before a driver gives the cell up."""


class EvaluationDriver:
    """Carries one evaluation out.

    Args:
        store: The evaluations.
        runs_root: Root of the run store.
        evaluation_id: The evaluation.
        profile: Its server.
        report: Is told what happens, a line each.
        at_once: Cells at a time.
        environ: Of the cells' processes; ours when None.
        clock: Unix seconds.
        sleep: Waits.
    """

    def __init__(
        self,
        store: EvaluationStore,
        runs_root: Path,
        evaluation_id: str,
        *,
        profile: Profile,
        report: Callable[[str], None],
        at_once: int = 1,
        environ: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._id = store, evaluation_id
        self._place = evaluation_dir(runs_root, evaluation_id)
        self._profile, self._report, self._at_once = profile, report, at_once
        self._environ = dict(os.environ if environ is None else environ)
        self._clock, self._sleep = clock, sleep
        self._record = store.evaluation(evaluation_id)
        self._numbers = places(self._record.spec)
        self._cells: dict[CellKey, CellRecord] = {}
        self._live: dict[CellKey, LiveCell] = {}
        self._waiting: list[CellKey] = []
        self._deaths: Counter[tuple[CellKey, int]] = Counter()
        self._told_cap = False

    def run(self) -> list[CellRecord]:
        """Go on with every cell that is not done, until none is live; returns the cells.

        Raises:
            Refused: Another driver has the evaluation.
        """
        self._place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with driving(self._place, what=f"evaluation {self._id}", next_step=f"tcao eval show {self._id}"):
            return self._drive()

    def _drive(self) -> list[CellRecord]:
        self._cells = {cell.key: cell for cell in self._store.cells(self._id)}
        for key in order(self._record.spec):
            self._take_up(self._cells[key])
        while True:
            asked = self._asked()
            for live in list(self._live.values()):
                live.hear(asked)
                self._look_at(live)
            if asked == "cancel":
                self._cancel_waiting()
            goes_on = asked == "go" and bool(self._waiting)
            if goes_on and len(self._live) < self._at_once:
                self._begin(self._waiting.pop(0))
            elif self._live or goes_on:
                self._sleep(POLL_SECONDS)
            else:
                return list(self._cells.values())

    def _asked(self) -> Ask:
        asked, cap = last_asked(self._place).verb, self._record.spec.max_cost_usd
        spent = spent_usd(cell.usage for cell in self._cells.values())
        if asked != "go" or not cap or spent < cap:
            return asked
        if not self._told_cap:
            self._report(f"stopped at its cap: {money_text(spent)} of {money_text(cap)} are spent")
        self._told_cap = True
        return "drain"

    def _take_up(self, cell: CellRecord) -> None:
        """A cell as an earlier driver left it: one that was live is looked at, others are begun in their turn."""
        if cell.state.is_live or cell.state is CellState.LOST:
            self._live[cell.key] = LiveCell(cell, self._directory(cell), self._record.quote)
        elif cell.state is not CellState.DONE:
            self._waiting.append(cell.key)

    def _begin(self, key: CellKey) -> None:
        cell, spec = self._cells[key], self._record.spec
        if cell.tried == 0 and (found := find_finished(self._store, self._record, key)) is not None:
            self._report(f"{key.task} over {key.subject}: done before, in {found.evaluation_id}")
            self._save(found.record, found.items)
            return
        live = LiveCell(cell, self._directory(cell), self._record.quote)
        job = Job(
            task=next(task for task in spec.tasks if task.name == key.task),
            subject=next(subject for subject in spec.subjects if subject.name == key.subject),
            profile=spec.profile,
            directory=self._directory(cell),
        )
        environ = self._environ | environment(job.task, self._profile, self._environ)
        live.start(job, environ=environ, now=self._clock())
        self._live[key] = live
        self._save(live.record)
        self._report(f"{key.task} over {key.subject}: started")

    def _look_at(self, live: LiveCell) -> None:
        """Write down what a cell's process told; one that died is begun again, a few times."""
        before = live.record
        items, gone = live.look(self._clock())
        if gone:
            live.close()
            del self._live[before.key]
            live.record = self._after_death(live.record)
        if live.record != before or items:
            self._save(live.record, items)

    def _after_death(self, cell: CellRecord) -> CellRecord:
        again = f"tcao eval resume {self._id}"
        if cell.state is CellState.LOST:
            place = cell.key, cell.usage.output_tokens
            self._deaths[place] += 1
            if self._deaths[place] < MOST_DEATHS:
                self._report(f"{cell.task} over {cell.subject}: {cell.problem}; it is started again")
                self._waiting.insert(0, cell.key)
                return cell
            cell = cell.model_copy(update={"state": CellState.FAILED})
        self._report(f"{cell.task} over {cell.subject}: {cell.state}{f', {cell.problem}' if cell.problem else ''}")
        needs_step = cell.state is not CellState.DONE and not cell.next_step
        return cell.model_copy(update={"next_step": again}) if needs_step else cell

    def _cancel_waiting(self) -> None:
        for key in self._waiting:
            self._save(self._cells[key].model_copy(update={"state": CellState.CANCELLED}))
        self._waiting.clear()

    def _directory(self, cell: CellRecord) -> Path:
        return cell_dir(self._place, self._numbers[cell.key], cell.task, cell.subject)

    def _save(self, cell: CellRecord, items: Sequence[ItemResult] = ()) -> None:
        self._cells[cell.key] = cell
        self._store.write_cell(self._id, cell, items, at=self._clock())


def order(spec: EvaluationSpec) -> list[CellKey]:
    """Cells in the order in which they are begun: small tasks first, and the base first, to have comparisons early."""

    def size(task: EvalTask) -> float:
        written = task.generate.get("max_tokens")
        each = written if isinstance(written, int) else TOKENS_BY_DEFAULT
        return 0 if task.harness == "held_out" else (task.limit or math.inf) * task.epochs * each

    return [CellKey(task.name, subject.name) for task in sorted(spec.tasks, key=size) for subject in spec.subjects]
