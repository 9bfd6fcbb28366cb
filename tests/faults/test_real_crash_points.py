"""The same deaths with the real SDK, the real engine and every real method, each attempt forked from a warm process.

Where a method is exact, the numbers of every step have to be those of a run that nobody killed: weights, optimiser and
row order come back. RL and distillation draw their answers anew after a death; there each batch is trained once, in
order, by as many optimiser steps as the run has. SFT dies at every side effect, the longer methods at every fourth to
sixteenth one and at all of those around a save, a load and the end.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tcao_tui.domain.method_params import DistillParams
from tcao_tui.domain.plan import Plan
from tests.fakes.real_lab import RealLab, real_lab
from tests.fakes.run_lab import until

pytestmark = pytest.mark.timeout(3600)
KILLED = -signal.SIGKILL
DELICATE = ("remote.save", "remote.open_trainer", "remote.delete", "remote.close")
STRIDE = 4


@dataclass(frozen=True)
class Case:
    """A method as it is killed.

    Attributes:
        method: Its name.
        key: A metric that every step records.
        is_exact: Whether its numbers come back after a death.
        stride: Distance of the side effects that it dies at.
        settings: Changes to the lab's plan.
        section: The method's own, where it is another than the lab's.
    """

    method: str
    key: str = "train_mean_nll"
    is_exact: bool = True
    stride: int = STRIDE
    settings: dict[str, Any] = field(default_factory=lambda: {"num_steps": 3})
    section: DistillParams | None = None

    @property
    def name(self) -> str:
        return self.method if self.section is None else f"{self.method}-{self.section.mode}"

    def plan(self, lab: RealLab) -> Plan:
        return lab.real_plan(self.method, section=self.section, **self.settings)

    def check(self, lab: RealLab, run_id: str, clean: Sequence[float]) -> None:
        """The run is whole; exact methods have the numbers of a run that nobody killed."""
        lab.check_real(run_id, clean if self.is_exact else lab.series(run_id, self.key), self.key)


CASES = [
    Case("sft", stride=1, settings={}),
    Case("dpo", "dpo_loss"),
    Case("preference_model", settings={"num_steps": 3, "max_seq_len": 384}),
    Case("rl", "reward_mean", is_exact=False, stride=8),
    Case("distill", "teacher_kl", is_exact=False, stride=8),
    Case("distill", stride=8, section=DistillParams(mode="off_policy", teacher_model="random", max_tokens=3)),
    Case("pipeline", "loss:sum", stride=8, settings={"num_steps": 2}),
    Case("rlhf", "learning_rate", is_exact=False, stride=16, settings={"num_steps": 2, "max_seq_len": 384}),
]
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
QUICK = ("sft", "dpo", "rl", "pipeline")
"""Methods that die once in `make test` as well; of each kind of resume one."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealLab]:
    with real_lab(tmp_path_factory.mktemp("real") / "lab") as found:
        yield found


@dataclass(frozen=True)
class CleanRun:
    """A run that nobody killed: its numbers, and its side effects in their order."""

    numbers: Sequence[float]
    points: Sequence[str]

    def deadly(self, stride: int) -> list[int]:
        """Numbers of the side effects to die at, from 1.

        The mirror is no truth: a death there is the death before the next side effect.
        """
        delicate = {number for number, name in enumerate(self.points, start=1) if name in DELICATE}
        near = {number + by for number in delicate for by in (0, 1, 2)}
        numbers = range(1, len(self.points) + 1)
        return [n for n in numbers if self.points[n - 1] != "mirror.write" and (n % stride == 0 or n in near)]


def clean_run(lab: RealLab, case: Case) -> CleanRun:
    run_id, points = lab.undisturbed(case.plan(lab))
    clean = lab.series(run_id, case.key)
    case.check(lab, run_id, clean)
    return CleanRun(clean, points)


def die_and_recover(lab: RealLab, case: Case, clean: CleanRun, *deaths: int) -> None:
    run_id = lab.create_real(case.plan(lab))
    for number in deaths:
        if lab.attempt(run_id, TCAO_CRASH_AT=number) != KILLED:
            # A recovery may be over before its own death.
            assert number != deaths[0], (number, lab.log(run_id))
    if lab.view(run_id).status != "completed":
        assert lab.attempt(run_id) == 0, (deaths, lab.log(run_id))
    case.check(lab, run_id, clean.numbers)


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=c.name, marks=() if c.name in QUICK else pytest.mark.slow) for c in CASES]
)
def test_a_death_between_a_save_and_its_commit_is_survived_by_every_method(lab: RealLab, case: Case) -> None:
    clean = clean_run(lab, case)
    die_and_recover(lab, case, clean, clean.points.index("remote.save") + 2)


@pytest.mark.slow
@EACH
def test_the_real_worker_survives_a_death_at_its_side_effects(lab: RealLab, case: Case) -> None:
    clean = clean_run(lab, case)
    for number in clean.deadly(case.stride):
        die_and_recover(lab, case, clean, number)


@pytest.mark.slow
@EACH
def test_a_second_death_during_the_real_recovery_is_survived(lab: RealLab, case: Case) -> None:
    clean = clean_run(lab, case)
    first_save = clean.points.index("remote.save") + 1
    for by, second in ((-2, 7), (2, 9), (4, 12), (8, 15)):
        die_and_recover(lab, case, clean, first_save + by, second)


@pytest.mark.slow
def test_a_killed_engine_is_waited_for_and_nothing_is_trained_twice(lab: RealLab) -> None:
    long = Case("sft", settings={"num_steps": 60})
    clean = clean_run(lab, long)
    run_id = lab.create_real(long.plan(lab))
    codes: list[int] = []
    attempt = threading.Thread(target=lambda: codes.append(lab.attempt(run_id)))
    attempt.start()
    until(lambda: lab.store.run(run_id).step >= 7, 60)
    lab.engine.kill()
    until(lambda: (wait := lab.view(run_id).waiting) is not None and wait.reason == "outage", 60)
    lab.engine.restart()
    attempt.join(300)
    assert codes == [0], lab.log(run_id)
    assert lab.view(run_id).waiting is None
    long.check(lab, run_id, clean.numbers)
