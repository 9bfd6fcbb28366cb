"""An evaluation of one cell on a slow, counting engine, carried out by real processes that can be killed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tcao_tui import paths
from tcao_tui.domain.evaluation import CellKey, CellRecord, CellState, EvalTask, EvaluationSpec, ItemResult, Subject
from tcao_tui.services import detached
from tcao_tui.services.backends import Profile, resolve_profile
from tcao_tui.services.evaluations import is_driven, make_evaluation, propose_evaluation, resume_evaluation
from tcao_tui.settings import Settings
from tcao_tui.store.evaluation_dir import cell_dir, evaluation_dir
from tcao_tui.store.sqlite import SqliteStore, open_store
from tests.fakes.engine_process import EngineProcess
from tests.fakes.own_places import use_places
from tests.fakes.run_lab import until

TASK = Path(__file__).with_name("inspect_task.py")
CONNECTIONS = 4
PATIENCE_SECONDS = 240.0

SLOW_ANSWERS = "keep_counts: true\nrules:\n  - verb: asample\n    delay_seconds: 0.3\n"


def wait_for(what: Callable[[], bool], why: str) -> None:
    until(what, PATIENCE_SECONDS, why)


@dataclass
class Place:
    """An engine that answers slowly and counts, and a run store."""

    engine: EngineProcess
    runs: Path
    store: SqliteStore
    profile: Profile

    @property
    def asked(self) -> int:
        """How often the engine was asked for an answer."""
        counts = self.engine.state_dir / "fault-counts.json"
        return int(json.loads(counts.read_text())["counts"].get("asample", 0)) if counts.exists() else 0


@contextmanager
def slow_place(root: Path) -> Generator[Place]:
    """An engine of one's own below `root`."""
    faults = root / "faults.yaml"
    faults.write_text(SLOW_ANSWERS)
    engine = EngineProcess(root / "engine", faults=faults)
    with pytest.MonkeyPatch.context() as environment:
        use_places(environment, root, engine)
        store = open_store(root / "runs")
        yield Place(engine, root / "runs", store, resolve_profile(Settings(), "local", {}))
        store.close()
    engine.stop()


@dataclass
class LiveEvaluation:
    """One evaluation of one cell, and whoever carries it out."""

    place: Place
    samples: int
    title: str
    target: str = f"{TASK}@sums"
    version: str = ""
    driver: int = 0
    kills_while_asking: int = 0
    before: int = field(init=False)
    asked: int = 0

    def __post_init__(self) -> None:
        base = Subject(name="base", base_model=paths.TINY_MODEL_NAME)
        task = EvalTask(
            name="sums",
            layer=3,
            target=self.target,
            arguments={"samples": self.samples, "connections": CONNECTIONS},
            version=self.version or self.title,  # so that no evaluation takes over what another one found
        )
        spec = EvaluationSpec(title=self.title, profile="local", subjects=(base,), tasks=(task,))
        proposal = propose_evaluation(spec, self.place.profile, {})
        self.before = self.place.asked
        made = make_evaluation(self.place.store.evaluations, proposal, proposal.consent("auto"), by="test")
        self.id, self.key = made.evaluation_id, CellKey("sums", "base")
        self.directory = cell_dir(evaluation_dir(self.place.runs, self.id), 0, "sums", "base")
        self.resume()

    def resume(self) -> None:
        self.driver = resume_evaluation(self.place.runs, self.id, by="test")

    @property
    def cell(self) -> CellRecord:
        [found] = self.place.store.evaluations.cells(self.id)
        return found

    @property
    def answers(self) -> int:
        book = self.directory / "answers.jsonl"
        return book.read_bytes().count(b"\n") if book.exists() else 0

    @property
    def items(self) -> dict[str, ItemResult]:
        return {one.item: one for one in self.place.store.evaluations.items(self.id)[self.key]}

    def kill_cell(self) -> bool:
        process = self.cell.process
        if process is None or not detached.ProcessIdentity(process.pid, process.ticks).is_alive:
            return False
        os.kill(process.pid, signal.SIGKILL)
        self.kills_while_asking += 1
        wait_for(lambda: not detached.ProcessIdentity(process.pid, process.ticks).is_alive, "a killed process lives on")
        return True

    def kill_driver(self) -> bool:
        if not is_driven(self.place.runs, self.id):
            return False
        os.kill(self.driver, signal.SIGKILL)
        os.waitpid(self.driver, 0)
        return True

    def kill(self, what: str) -> int:
        """Returns how many processes were killed; a driver that is gone is started again."""
        killed = 0
        if what in ("driver", "both"):
            killed += self.kill_driver()
        if what in ("cell", "both"):
            killed += self.kill_cell()
        if not is_driven(self.place.runs, self.id):
            self.resume()
        return killed

    def wait_for_answers(self, count: int) -> None:
        """Until so many answers are there; a driver that gave up is started again, as a person would."""

        def are_there() -> bool:
            if (
                self.answers < count
                and self.cell.state is not CellState.DONE
                and not is_driven(self.place.runs, self.id)
            ):
                self.resume()
            return self.answers >= count

        wait_for(are_there, f"no {count} answers")

    def wait(self) -> None:
        """Until nobody carries it out."""
        wait_for(lambda: not is_driven(self.place.runs, self.id), "the evaluation does not end")

    def finish(self) -> None:
        """Go on until every cell is done."""
        for _ in range(3):
            self.wait()
            if self.cell.state is CellState.DONE:
                self.asked = self.place.asked - self.before
                return
            self.resume()
        pytest.fail(f"not done: {self.cell}")
