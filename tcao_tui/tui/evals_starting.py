"""Starting an evaluation of a run from the console: what its plan asks for, judged, priced and consented to."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.evaluation import EvalTask, EvaluationSpec
from tcao_tui.domain.policy.renderer import thinks
from tcao_tui.domain.wording import money_text
from tcao_tui.services import evaluations
from tcao_tui.services.backends import ensure_engine, resolve_profile
from tcao_tui.services.eval_preflight import preflight
from tcao_tui.services.eval_sizes import task_sizes
from tcao_tui.services.eval_subjects import Meant, subjects_meant
from tcao_tui.services.eval_tasks import Wanted, tasks_meant
from tcao_tui.settings import Settings
from tcao_tui.store.sqlite import SqliteStore
from tcao_tui.tui.evals_port import EvalChoice, EvalOffer, EvalProposal


@dataclass(frozen=True, slots=True)
class EvalStarter:
    """Of one run; `by` is who asks."""

    store: SqliteStore
    runs_root: Path
    load_settings: Callable[[], Settings]
    run_id: str
    by: str

    def _meant(self) -> Meant:
        return subjects_meant(self.store, self.runs_root, [self.run_id])

    def _tasks(self, meant: Meant, limit: int | None = None) -> list[EvalTask]:
        return tasks_meant(Wanted(limit=limit), meant.plan)

    def offers(self) -> EvalOffer:
        """The evals of the plan over the base and every checkpoint that was kept."""
        meant = self._meant()
        tasks = self._tasks(meant)
        return EvalOffer(
            tuple((task.name, f"layer {task.layer}" + _size(task)) for task in tasks),
            tuple((one.name, one.checkpoint or "the base model") for one in meant.subjects),
            EvalChoice(tuple(task.name for task in tasks), tuple(one.name for one in meant.subjects)),
        )

    def propose(self, wanted: EvalChoice) -> EvalProposal:
        """What it needs and may cost."""
        meant = self._meant()
        every = self._tasks(meant, wanted.limit)
        tasks = tuple(task for task in every if task.name in wanted.tasks)
        subjects = tuple(one for one in meant.subjects if one.name in wanted.subjects)
        profile = resolve_profile(self.load_settings(), meant.run.backend if meant.run else None)
        spec = EvaluationSpec(
            title=meant.run.name if meant.run else subjects[-1].name,
            profile=profile.name,
            run_id=self.run_id,
            subjects=subjects,
            tasks=tasks,
        )
        found = preflight(tasks, os.environ, thinks=thinks(subjects[0].renderer))
        proposal = evaluations.propose_evaluation(spec, profile, task_sizes(tasks))
        notes = [("note", f"{one.task}: {one.what}") for one in found if not one.blocks]
        facts = (
            ("weights", ", ".join(one.name for one in subjects)),
            ("evals", ", ".join(task.name for task in tasks)),
            ("cells", str(len(tasks) * len(subjects))),
            ("server", profile.name),
            ("cost", "nothing" if proposal.is_free else f"{money_text(proposal.cost.expected_usd)} expected"),
            *notes,
        )
        problems = tuple(f"{one.task}: {one.what}; {one.fix}" for one in found if one.blocks)
        is_whole = len(tasks) == len(every) and len(subjects) == len(meant.subjects)
        command = f"tcao eval {self.run_id} --approve {proposal.hash}" if is_whole else ""
        return EvalProposal(facts, problems, proposal.is_free, command, proposal)

    def start(self, proposal: EvalProposal) -> str:
        """Make it known and hand it to a driver."""
        wanted = proposal.handle
        assert isinstance(wanted, evaluations.EvaluationProposal)
        how = wanted.consent(wanted.hash, typed=True)
        ensure_engine(wanted.profile)
        record = evaluations.make_evaluation(self.store.evaluations, wanted, how, by=self.by)
        evaluations.start_evaluation(self.runs_root, record.evaluation_id)
        return f"Evaluation {record.evaluation_id} is on its way."


def _size(task: EvalTask) -> str:
    return f", {task.limit:,} samples" if task.limit else ""
