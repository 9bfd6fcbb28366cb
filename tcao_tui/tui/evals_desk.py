"""The evaluations wired to the services; like `wiring`, a part of the TUI that calls them."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tcao_tui.domain.eval_matrix import EvalMatrix
from tcao_tui.domain.evaluation import CellKey, CellState, ItemResult
from tcao_tui.domain.transcript import SamplePreview, Transcript
from tcao_tui.errors import Refused, UsageError
from tcao_tui.services import eval_choice, evaluations
from tcao_tui.services.backends import ensure_engine, resolve_profile
from tcao_tui.services.eval_reference import follow_evaluations
from tcao_tui.services.eval_report import write_report
from tcao_tui.services.eval_transcripts import transcripts_below
from tcao_tui.services.evaluation_view import EvaluationFollower
from tcao_tui.services.log_matrix import LogMatrix, log_files, log_matrix
from tcao_tui.services.transcripts import TranscriptReader
from tcao_tui.settings import Settings
from tcao_tui.store.evaluation_dir import EVALS_DIR, evaluation_dir
from tcao_tui.store.sqlite import SqliteStore, open_store
from tcao_tui.tui.evals_port import (
    CellItems,
    EvalChoice,
    EvalOffer,
    EvalProposal,
    EvalsWanted,
    EvaluationsPort,
    EvalVerb,
)
from tcao_tui.tui.evals_starting import EvalStarter

_NO_LOGS = "This harness keeps no transcripts: what it measured is in the table."
_ELSEWHERE = "These logs were made elsewhere; only evaluations of a run can be steered here."


def open_evaluations(
    runs_root: Path, load_settings: Callable[[], Settings], wanted: EvalsWanted, *, by: str
) -> EvaluationsPort:
    """What a person wants to see. Raises `UsageError` when there is no such run or evaluation."""
    if wanted.logs:
        return OpenedLogs(wanted.logs)
    store = open_store(runs_root)
    try:
        follower = follow_evaluations(store, runs_root, wanted.ref)
    except UsageError:
        store.close()
        raise
    return StoredEvaluations(store, runs_root, load_settings, follower, by=by)


class StoredEvaluations:
    """The evaluations of a run, or one; see `evals_port.EvaluationsPort`.

    Args:
        store: The run store, closed with it.
        runs_root: Its root.
        load_settings: Reads the person's settings.
        follower: Watches them.
        by: Who asks.
    """

    def __init__(
        self,
        store: SqliteStore,
        runs_root: Path,
        load_settings: Callable[[], Settings],
        follower: EvaluationFollower,
        *,
        by: str,
    ) -> None:
        self._store, self._runs_root, self._load_settings, self._by = store, runs_root, load_settings, by
        self._follower = follower
        self._run_id = follower.run_id if follower.is_of_run else ""
        self._reader = TranscriptReader([runs_root / EVALS_DIR])
        self._starter = EvalStarter(store, runs_root, load_settings, self._run_id, by)
        self._matrix: EvalMatrix | None = None

    def poll(self) -> EvalMatrix:
        """As they stand."""
        self._matrix = self._follower.poll()
        return self._matrix

    @property
    def _known(self) -> EvalMatrix:
        return self._matrix or self.poll()

    def why_not(self, act: str) -> str:
        """Why something cannot be done here."""
        match act:
            case "start" if not self._run_id:
                return "Only checkpoints of a run are evaluated from here; see tcao eval PATH in a shell."
            case "drain" | "cancel" if not self._live():
                return "Nothing is under way."
            case "resume" if not self._unfinished():
                return "Nothing is left to go on with."
            case "choose" | "report" if self._matrix is None or not self._matrix.cells:
                return "Nothing is evaluated yet."
            case _:
                return ""

    def _ids(self, wanted: Callable[[CellState], bool]) -> list[str]:
        cells = self._matrix.cells.values() if self._matrix is not None else ()
        return list(dict.fromkeys(cell.evaluation_id for cell in cells if wanted(cell.record.state)))

    def _live(self) -> list[str]:
        return self._ids(lambda state: not state.is_over) if self._matrix is None or self._matrix.is_driven else []

    def _unfinished(self) -> list[str]:
        unfinished = self._ids(lambda state: state is not CellState.DONE)
        return [one for one in unfinished if not evaluations.is_driven(self._runs_root, one)]

    def items(self, cell: CellKey) -> CellItems:
        """Results of a cell and of the base's."""
        base = CellKey(cell.task, self._known.base)
        return CellItems(self._items(cell), self._items(base) if base != cell else ())

    def _items(self, cell: CellKey) -> tuple[ItemResult, ...]:
        view = self._known.cells.get(cell)
        if view is None:
            return ()
        key = view.record.key
        return tuple(self._store.evaluations.items(view.evaluation_id, [key]).get(key, ()))

    def _log(self, cell: CellKey) -> Path | None:
        view = self._known.cells.get(cell)
        if view is None or not view.record.log:
            return None
        return evaluation_dir(self._runs_root, view.evaluation_id) / view.record.log

    def previews(self, cell: CellKey) -> Sequence[SamplePreview]:
        """How its samples begin; nothing while the log is not there."""
        log = self._log(cell)
        return self._reader.previews(log) if log is not None and log.is_file() else ()

    def transcript(self, cell: CellKey, item: str, epoch: int) -> Transcript:
        """One sample in full."""
        if (log := self._log(cell)) is None:
            raise UsageError(_NO_LOGS)
        return self._reader.transcript(log, item, epoch)

    def offers(self) -> EvalOffer:
        """What can be evaluated."""
        return self._starter.offers()

    def propose(self, wanted: EvalChoice) -> EvalProposal:
        """Judge it; spends nothing."""
        return self._starter.propose(wanted)

    def start(self, proposal: EvalProposal) -> str:
        """Start what was consented to."""
        return self._starter.start(proposal)

    def control(self, verb: EvalVerb) -> str:
        """Drain, cancel or resume all of them."""
        found = self._unfinished() if verb == "resume" else self._live()
        for one in found:
            if verb == "resume":
                profile = self._store.evaluations.evaluation(one).spec.profile
                ensure_engine(resolve_profile(self._load_settings(), profile))
                evaluations.resume_evaluation(self._runs_root, one, by=self._by)
            else:
                evaluations.end_evaluation(self._store.evaluations, self._runs_root, one, verb, by=self._by)
        if not found:
            raise Refused("there is nothing to " + verb, next_step="tcao eval ls")
        return "It goes on." if verb == "resume" else f"Asked to {verb}."

    def choose(self, subject: str, reason: str) -> str:
        """Record a person's word."""
        run_id = self._follower.run_id
        eval_choice.choose(self._store.evaluations, self._known, subject, reason, run_id=run_id, by=self._by)
        return f"{subject} is chosen."

    def report(self) -> str:
        """Write the report."""
        with transcripts_below(self._runs_root) as read:
            return f"Written to {write_report(self._store, self._runs_root, self._known, read).report}"

    def commands(self) -> dict[str, str]:
        """The same in a shell."""
        ids = self._ids(lambda _state: True)
        ref = self._run_id or next(iter(ids), "latest")
        one = next(iter(self._live() or self._unfinished() or ids), "latest")
        told = {verb: f"tcao eval {verb} {one}" for verb in ("drain", "cancel", "resume")}
        told |= {"choose": f"tcao eval choose {ref} ...", "report": f"tcao eval report {ref}"}
        logs = [cell.evaluation_id for cell in self._matrix.cells.values() if cell.record.log] if self._matrix else []
        if logs:
            place = self._runs_root / EVALS_DIR if len({*logs}) > 1 else evaluation_dir(self._runs_root, logs[0])
            told["view"] = f"inspect view --log-dir {shlex.quote(str(place))}"
        return told

    def close(self) -> None:
        """Let go in the background, since a helper may be amid its imports."""
        threading.Thread(target=self._end, name="close evaluations", daemon=True).start()

    def _end(self) -> None:
        self._reader.close()
        self._store.close()


class OpenedLogs:
    """Inspect logs made by whoever; read once. See `evals_port.EvaluationsPort`.

    Args:
        paths: Files and directories, the base's first.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = log_files(paths)
        self._reader = TranscriptReader(named=self._files)
        self._found: LogMatrix | None = None

    @property
    def _known(self) -> LogMatrix:
        if self._found is None:
            self._found = log_matrix(self._files)
        return self._found

    def poll(self) -> EvalMatrix:
        """What they hold."""
        return self._known.matrix

    def why_not(self, act: str) -> str:
        """They can only be read."""
        return _ELSEWHERE if act not in ("logs", "view") else ""

    def items(self, cell: CellKey) -> CellItems:
        """Results of a log and of the base's."""
        known = self._known.items
        base = CellKey(cell.task, self._known.matrix.base)
        return CellItems(known.get(cell, ()), known.get(base, ()) if base != cell else ())

    def previews(self, cell: CellKey) -> Sequence[SamplePreview]:
        """How its samples begin."""
        return self._reader.previews(self._known.logs[cell])

    def transcript(self, cell: CellKey, item: str, epoch: int) -> Transcript:
        """One sample in full."""
        if (log := self._known.logs.get(cell)) is None:
            raise UsageError("there is no log of it", next_step="press o and name it")
        return self._reader.transcript(log, item, epoch)

    def offers(self) -> EvalOffer:
        """Nothing."""
        raise Refused(_ELSEWHERE)

    def propose(self, wanted: EvalChoice) -> EvalProposal:
        """Nothing."""
        raise Refused(_ELSEWHERE)

    def start(self, proposal: EvalProposal) -> str:
        """Nothing."""
        raise Refused(_ELSEWHERE)

    def control(self, verb: EvalVerb) -> str:
        """Nothing."""
        raise Refused(_ELSEWHERE)

    def choose(self, subject: str, reason: str) -> str:
        """Nothing."""
        raise Refused(_ELSEWHERE)

    def report(self) -> str:
        """Nothing."""
        raise Refused(_ELSEWHERE)

    def commands(self) -> dict[str, str]:
        """Inspect's own viewer."""
        return {"view": f"inspect view --log-dir {shlex.quote(str(self._files[0].parent))}"}

    def close(self) -> None:
        """End the helper in the background."""
        threading.Thread(target=self._reader.close, name="close logs", daemon=True).start()
