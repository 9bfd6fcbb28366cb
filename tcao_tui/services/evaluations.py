"""Evaluations on their way: judged, consented to, made known, handed to a driver, and what is asked of it later.

The driver is `evaluation_driver`, a process of its own; what it finds is read by `evaluation_view`.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tcao_tui.clients.prices import planning_quote
from tcao_tui.domain.cost import CostRange
from tcao_tui.domain.eval_cost import TaskSize, expected_cost
from tcao_tui.domain.evaluation import CellState, EvaluationRecord, EvaluationSpec
from tcao_tui.domain.judges import OUR_PROVIDER
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.errors import BudgetExceeded, UsageError
from tcao_tui.services.approve import require_consent
from tcao_tui.services.backends import Profile
from tcao_tui.services.driver_start import start_driver
from tcao_tui.store.evaluation_dir import LOG_NAME, Ask, Asked, ask, evaluation_dir
from tcao_tui.store.evaluations import EvaluationStore
from tcao_tui.store.lease import RunLock

_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")

How = Literal["typed", "hash", "auto"]


@dataclass(frozen=True, slots=True)
class EvaluationProposal:
    """What a person consents to.

    Attributes:
        cost: Of all cells; unknown as soon as one of them is.
        hash: What consent is bound to.
    """

    spec: EvaluationSpec
    profile: Profile
    quote: PriceQuote
    cost: CostRange
    hash: str

    @property
    def is_free(self) -> bool:
        """Whether nothing can cost anything: neither the subjects' answers nor a judge's."""
        ours = all(not task.judge or task.judge.startswith(OUR_PROVIDER) for task in self.spec.tasks)
        return self.quote.is_free and ours

    def consent(self, given: str | None, *, typed: bool = False) -> How:
        """How consent was given, when `given` is the hash, or "auto" where nothing can cost anything.

        Raises:
            NeedsInput: Consent is missing or for something else.
        """
        how = require_consent(
            given,
            self.hash,
            is_free=self.is_free,
            what="this evaluation at these prices",
            other="another evaluation or other prices",
            details={"cost": asdict(self.cost)},
        )
        return "typed" if typed and how == "hash" else how


def propose_evaluation(
    spec: EvaluationSpec, profile: Profile, sizes: Mapping[str, TaskSize], *, quote: PriceQuote | None = None
) -> EvaluationProposal:
    """Judge what it may cost; spends nothing.

    Args:
        spec: The evaluation.
        profile: Its server.
        sizes: Of its tasks, by name; a task that is missing makes the cost unknown.
        quote: Prices; looked up when None.

    Raises:
        UsageError: Two tasks or two subjects have one name.
        BudgetExceeded: The cap cannot hold what it is expected to cost.
    """
    for what, names in (
        ("tasks", [task.name for task in spec.tasks]),
        ("subjects", [subject.name for subject in spec.subjects]),
    ):
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UsageError(f"two {what} are called {', '.join(twice)}", next_step="evaluate them one after another")
    prices = quote or planning_quote(profile.kind, profile.base_url, spec.subjects[0].base_model)
    cost, cap = expected_cost(spec, sizes, prices), spec.max_cost_usd
    if cap is not None and cost.expected_usd is not None and cost.expected_usd > cap:
        raise BudgetExceeded(
            f"it is expected to cost ${cost.expected_usd:.2f}, and its cap is ${cap:.2f}",
            where="--max-cost",
            next_step="raise the cap, or evaluate fewer checkpoints, tasks or samples",
        )
    return EvaluationProposal(spec, profile, prices, cost, spec.approval_hash(prices))


def make_evaluation(
    store: EvaluationStore,
    proposal: EvaluationProposal,
    how: How,
    *,
    by: str,
    clock: Callable[[], float] = time.time,
) -> EvaluationRecord:
    """Make an approved evaluation known; nothing runs yet."""
    now = clock()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    title = _NO_NAME.sub("-", proposal.spec.title).strip("-.")[:48] or "eval"
    record = EvaluationRecord(
        evaluation_id=f"{stamp}-{title}-{secrets.token_hex(2)}",
        spec=proposal.spec,
        approval_hash=proposal.hash,
        approved_by=by,
        approved_how=how,
        quote=proposal.quote,
        created_at=now,
    )
    store.create_evaluation(record)
    return record


def start_evaluation(
    runs_root: Path, evaluation_id: str, *, at_once: int = 1, environ: Mapping[str, str] | None = None
) -> int:
    """Spawn a driver that carries out what is unfinished, and wait until it has the evaluation; returns its pid.

    Raises:
        Refused: A driver has it already.
        TcaoError: It ended before it took the evaluation; says why.
    """
    place = evaluation_dir(runs_root, evaluation_id)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    argv = [sys.executable, "-m", "tcao_tui", "--runs-dir", str(runs_root)]
    return start_driver(
        [*argv, "eval", "resume", evaluation_id, "--foreground", "--parallel", str(at_once)],
        place,
        place / LOG_NAME,
        what=f"evaluation {evaluation_id}",
        next_step=f"tcao eval show {evaluation_id}",
        environ=os.environ if environ is None else environ,
    )


def resume_evaluation(
    runs_root: Path, evaluation_id: str, *, by: str, at_once: int = 1, environ: Mapping[str, str] | None = None
) -> int:
    """Take back what was asked before, and spawn a driver. Raises as `start_evaluation` does."""
    post(runs_root, evaluation_id, "go", by=by)
    return start_evaluation(runs_root, evaluation_id, at_once=at_once, environ=environ)


def post(runs_root: Path, evaluation_id: str, verb: Ask, *, by: str) -> None:
    """Ask something of an evaluation's driver, be it there or not."""
    ask(evaluation_dir(runs_root, evaluation_id), Asked(verb, by, time.time()))


def end_evaluation(
    store: EvaluationStore,
    runs_root: Path,
    evaluation_id: str,
    verb: Literal["drain", "cancel"],
    *,
    by: str,
    environ: Mapping[str, str] | None = None,
) -> bool:
    """Ask for an end; where no driver is left to hear it, one is started that does.

    Returns:
        Whether anything is left to end.

    Raises:
        UsageError: There is no such evaluation.
        TcaoError: No driver could be started.
    """
    cells = store.cells(evaluation_id)
    post(runs_root, evaluation_id, verb, by=by)
    if is_driven(runs_root, evaluation_id):
        return True
    if not any(cell.state.is_live or (verb == "cancel" and cell.state is CellState.WAITING) for cell in cells):
        return False
    start_evaluation(runs_root, evaluation_id, environ=environ)
    return True


def is_driven(runs_root: Path, evaluation_id: str) -> bool:
    """Whether a process carries it out."""
    return RunLock.probe(evaluation_dir(runs_root, evaluation_id))


def find_evaluation(store: EvaluationStore, reference: str) -> str:
    """The id of the evaluation that is meant by an id, the beginning of exactly one, or `latest`.

    Raises:
        UsageError: None or several are meant.
    """
    known = [summary.evaluation_id for summary in store.evaluations()]
    if reference in known:
        return reference
    if reference == "latest" and known:
        return known[0]
    begun: Sequence[str] = [one for one in known if reference and one.startswith(reference)]
    if len(begun) > 1:
        raise UsageError(f"{reference} is the beginning of several: {', '.join(begun[:5])}", next_step="tcao eval ls")
    return begun[0] if begun else store.evaluation(reference).evaluation_id
