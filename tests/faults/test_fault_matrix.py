"""Every request of a run meets every fault: the numbers are those of a run that nothing happened to.

Real SDK, real engine with `--faults`, real worker. In one run each of its verbs meets the same fault once, so a run is
a row of the matrix and the engine's log says that every cell of it took place. Shortened are only the SDK's wait for an
answer (in the row of timeouts) and, by the engine's client flags, its patience without credit.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from tcao_tui.domain.events import Finished, LogLine
from tcao_tui.domain.plan import EvalPlan, Plan
from tcao_tui.errors import ExitCode
from tests.fakes.real_lab import RealLab, preference_rows, real_lab, sft_rows

pytestmark = pytest.mark.timeout(900)

FRESH = {
    "create_session": 1,
    "create_model": 1,
    "get_info": 1,
    "forward": 1,
    "forward_backward": 2,
    "optim_step": 3,
    "asample": 2,
    "save_weights": 1,
    "save_weights_for_sampler": 2,
    "retrieve_future": 5,
    "checkpoint_delete": 1,
    "session_finish": 1,
}
"""Verbs of an SFT run with validation, samples and more checkpoints than it keeps; which call of each is struck."""

RESUMED = {
    "user_checkpoints": 1,
    "create_session": 1,
    "load_weights": 1,
    "create_sampling_session": 1,
    "compute_logprobs": 2,
    "forward": 2,
    "forward_backward": 1,
    "optim_step": 1,
    "save_weights": 1,
    "retrieve_future": 9,
}
"""Verbs of a DPO run that goes on after a death."""

FAULTS: dict[str, dict[str, object]] = {
    "429": {"status": 429, "retry_after_seconds": 0.2},
    "500": {"status": 500},
    "502": {"status": 502},
    "504": {"status": 504},
    "reset": {"drop": "before"},
    "lost answer": {"drop": "after"},
    "truncated": {"truncate_body": True},
    "slow": {"slow_seconds": 1.0},
    "timeout": {"delay_seconds": 4.0},
}
QUICK = ("429",)
ROWS = [pytest.param(fault, marks=() if fault in QUICK else pytest.mark.slow) for fault in FAULTS]
SHORT_PATIENCE = '{"billing_exception_max_pause_duration_sec": 0}'


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealLab]:
    with real_lab(tmp_path_factory.mktemp("matrix") / "lab", options=["--client-config", SHORT_PATIENCE]) as found:
        yield found


def sft_plan(lab: RealLab) -> Plan:
    return lab.real_plan(
        evals=EvalPlan(sample_prompts=("hi",), sample_max_tokens=4),
        val_file=lab.file("val.jsonl", sft_rows(10, first=8)),
        eval_every=2,
        save_every=1,
    )


def dpo_plan(lab: RealLab) -> Plan:
    return lab.real_plan("dpo", val_file=lab.file("pairs.jsonl", preference_rows(10, first=8)), eval_every=2)


@pytest.fixture(scope="module")
def clean(lab: RealLab) -> Mapping[str, Sequence[float]]:
    """Numbers of runs that nothing happens to."""
    lab.faults()
    found: dict[str, Sequence[float]] = {}
    for plan, key in ((sft_plan(lab), "train_mean_nll"), (dpo_plan(lab), "dpo_loss")):
        run_id = lab.create_real(plan)
        assert lab.attempt(run_id) == ExitCode.OK, lab.log(run_id)
        found[plan.method] = lab.series(run_id, key)
        lab.check_real(run_id, found[plan.method], key)
    return found


def strike(lab: RealLab, calls: Mapping[str, int], fault: str) -> Mapping[str, object]:
    """Let each verb meet the fault at its given call; returns what the worker's environment needs for it."""
    lab.faults(*({"verb": verb, "nth": nth, **FAULTS[fault]} for verb, nth in calls.items()))
    return {"SDK_TIMEOUT_SECONDS": 2} if fault == "timeout" else {}


def struck(lab: RealLab, log_before: int) -> set[str]:
    """Verbs that met their fault since then."""
    lines = [line for line in lab.engine.log()[log_before:].splitlines() if "fault script:" in line]
    return {line.partition("verb='")[2].partition("'")[0] for line in lines}


@pytest.mark.parametrize("fault", ROWS)
def test_a_run_whose_every_request_fails_once_trains_every_step_once(
    lab: RealLab, clean: Mapping[str, Sequence[float]], fault: str
) -> None:
    run_id = lab.create_real(sft_plan(lab))
    before = len(lab.engine.log())
    code = lab.attempt(run_id, **strike(lab, FRESH, fault))
    assert code == ExitCode.OK, lab.log(run_id)
    assert struck(lab, before) == set(FRESH)
    lab.faults()
    lab.check_real(run_id, clean["sft"])


@pytest.mark.parametrize("fault", ROWS)
def test_a_resumed_run_whose_every_request_fails_once_trains_every_step_once(
    lab: RealLab, clean: Mapping[str, Sequence[float]], fault: str
) -> None:
    lab.faults()
    run_id = lab.create_real(dpo_plan(lab))
    assert lab.attempt(run_id, TCAO_CRASH_AT=40) == -signal.SIGKILL
    before = len(lab.engine.log())
    code = lab.attempt(run_id, **strike(lab, RESUMED, fault))
    assert code == ExitCode.OK, lab.log(run_id)
    assert struck(lab, before) == set(RESUMED)
    lab.faults()
    lab.check_real(run_id, clean["dpo"], "dpo_loss")


@dataclass(frozen=True)
class ForGood:
    """A refusal that trying again does not help; each verb meets it in an attempt of its own."""

    status: int
    verbs: Sequence[str]
    code: ExitCode = ExitCode.CREDENTIALS

    @property
    def calls(self) -> int:
        """How often it is met until the SDK gives up."""
        return 2 if self.status == 402 else 1


REFUSALS = [
    pytest.param(ForGood(401, ("optim_step",)), id="401"),
    pytest.param(ForGood(401, tuple(v for v in FRESH if v != "session_finish")), marks=pytest.mark.slow, id="401 all"),
    pytest.param(ForGood(403, ("save_weights", "asample")), marks=pytest.mark.slow, id="403"),
    pytest.param(
        ForGood(402, ("create_model", "forward_backward", "save_weights", "asample"), ExitCode.BACKEND),
        marks=pytest.mark.slow,
        id="402",
    ),
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_for_good_ends_with_the_reason_and_the_run_can_be_resumed(
    lab: RealLab, clean: Mapping[str, Sequence[float]], refusal: ForGood
) -> None:
    run_id = lab.create_real(sft_plan(lab))
    for verb in refusal.verbs:
        lab.faults({"verb": verb, "nth": list(range(1, refusal.calls + 1)), "status": refusal.status})
        assert lab.attempt(run_id) == refusal.code, (verb, lab.log(run_id))
        ended = next(e.event for e in reversed(lab.events(run_id)) if isinstance(e.event, Finished))
        assert ("billing" if refusal.status == 402 else str(refusal.status)) in ended.what, verb
        assert ended.next_step
    lab.faults()
    assert lab.attempt(run_id) == ExitCode.OK, lab.log(run_id)
    lab.check_real(run_id, clean["sft"])


def test_old_checkpoints_that_cannot_be_deleted_cost_only_storage(
    lab: RealLab, clean: Mapping[str, Sequence[float]]
) -> None:
    lab.faults({"verb": "checkpoint_delete", "nth": 1, "status": 400})
    run_id = lab.create_real(sft_plan(lab))
    assert lab.attempt(run_id) == ExitCode.OK, lab.log(run_id)
    lab.faults()
    said = [e.event.message for e in lab.events(run_id) if isinstance(e.event, LogLine)]
    assert any("could not delete" in message for message in said)
    lab.check_real(run_id, clean["sft"])


@pytest.mark.slow
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "timeout"])
def test_setting_an_expiry_outlives_every_fault(lab: RealLab, clean: Mapping[str, Sequence[float]], fault: str) -> None:
    lab.faults()
    run_id = lab.create_real()
    assert lab.attempt(run_id) == ExitCode.OK
    path = lab.listed(run_id)[0].path

    async def extend() -> None:
        backend = await lab.connect()
        await backend.set_ttl(path, 7200)
        await backend.close("success")

    strike(lab, {"checkpoint_ttl": 1}, fault)
    asyncio.run(extend())
    lab.faults()
    assert next(c.expires_at for c in lab.listed(run_id) if c.path == path) is not None
