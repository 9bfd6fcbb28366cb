"""Outages, queues and signals in the middle of real work: real SDK, real engine, real worker.

In the outage the SDK's own clock runs a hundred times as fast, so that its five minutes of patience are three seconds;
everything it does then, and all of the worker, is as in earnest.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

import pytest

from tcao_tui.domain.events import Finished, LogLine, WaitReason
from tcao_tui.domain.plan import EvalPlan
from tcao_tui.errors import ExitCode
from tests.fakes.real_lab import RealLab, real_lab
from tests.fakes.run_lab import until

pytestmark = pytest.mark.timeout(600)
STEPS = 30
HUNDRED_TIMES = 100


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealLab]:
    with real_lab(tmp_path_factory.mktemp("outages") / "lab") as found:
        yield found


@pytest.fixture(scope="module")
def clean(lab: RealLab) -> Sequence[float]:
    """The numbers of a run of 30 steps that nothing happens to."""
    lab.faults()
    run_id = lab.create_real(lab.real_plan(num_steps=STEPS))
    assert lab.attempt(run_id) == ExitCode.OK
    return lab.series(run_id)


@contextmanager
def working(lab: RealLab, run_id: str, **env: int) -> Generator[list[int]]:
    """An attempt beside the test; its exit code is there at the end."""
    codes: list[int] = []
    attempt = threading.Thread(target=lambda: codes.append(lab.attempt(run_id, **env)))
    attempt.start()
    try:
        yield codes
    finally:
        lab.faults()
        attempt.join(300)


def waits_for(lab: RealLab, run_id: str, reason: WaitReason) -> bool:
    waiting = lab.view(run_id).waiting
    return waiting is not None and waiting.reason == reason


def gave_up(lab: RealLab, run_id: str) -> bool:
    said = [e.event.message for e in lab.events(run_id) if isinstance(e.event, LogLine)]
    return any("going on from the last checkpoint" in message for message in said)


@pytest.mark.slow
@pytest.mark.parametrize(
    "verbs",
    [
        pytest.param(("*",), id="all of the server"),
        pytest.param(("forward_backward", "optim_step", "create_session"), id="all but its health"),
    ],
)
def test_an_outage_that_outlasts_the_sdk_is_waited_out_and_costs_nothing(
    lab: RealLab, clean: Sequence[float], verbs: Sequence[str]
) -> None:
    run_id = lab.create_real(lab.real_plan(num_steps=STEPS))
    with working(lab, run_id, SDK_CLOCK_RATE=HUNDRED_TIMES) as codes:
        until(lambda: lab.store.run(run_id).step >= 5, 60)
        lab.faults(*({"verb": verb, "status": 503} for verb in verbs))
        until(lambda: gave_up(lab, run_id), 120)
        tokens, steps = lab.view(run_id).tokens, lab.store.run(run_id).step
        until(lambda: waits_for(lab, run_id, "outage"), 60)
        assert (lab.view(run_id).tokens, lab.store.run(run_id).step) == (tokens, steps)
    assert codes == [ExitCode.OK], lab.log(run_id)
    assert lab.view(run_id).attempt > 1
    assert lab.view(run_id).waiting is None
    lab.check_real(run_id, clean)


@pytest.mark.parametrize(
    ("reason", "rule"),
    [
        ("capacity", {"verb": "retrieve_future", "paused": "capacity", "delay_seconds": 0.2}),
        pytest.param(
            "rate_limit",
            {"verb": "retrieve_future", "paused": "rate_limit", "delay_seconds": 0.2},
            marks=pytest.mark.slow,
        ),
        ("billing", {"verb": "optim_step", "status": 402}),
        pytest.param("rate_limit", {"verb": "optim_step", "status": 429}, marks=pytest.mark.slow),
        pytest.param("outage", {"verb": "save_weights", "status": 502}, marks=pytest.mark.slow),
    ],
)
def test_why_nothing_moves_is_seen_while_the_sdk_waits_in_silence(
    lab: RealLab, clean: Sequence[float], reason: WaitReason, rule: dict[str, object]
) -> None:
    run_id = lab.create_real(lab.real_plan(num_steps=STEPS))
    with working(lab, run_id) as codes:
        until(lambda: lab.store.run(run_id).step >= 3, 60)
        lab.faults(rule)
        until(lambda: waits_for(lab, run_id, reason), 60)
    assert codes == [ExitCode.OK], lab.log(run_id)
    assert lab.view(run_id).waiting is None
    assert lab.view(run_id).attempt == 1
    lab.check_real(run_id, clean)


@pytest.mark.parametrize(
    ("method", "key", "stuck"),
    [
        pytest.param("sft", "train_mean_nll", {"verb": "asample", "nth": 1}, id="sft in its samples"),
        pytest.param(
            "dpo",
            "dpo_loss",
            {"verb": "compute_logprobs", "nth": 8},
            marks=pytest.mark.slow,
            id="dpo in its reference",
        ),
        pytest.param("rl", "reward_mean", {"verb": "asample", "nth": 8}, id="rl in its answers"),
    ],
)
def test_a_signal_amid_work_that_does_not_end_leaves_a_resumable_run_and_an_interrupted_session(
    lab: RealLab, method: str, key: str, stuck: dict[str, object]
) -> None:
    evals = EvalPlan(sample_prompts=("hi",), sample_max_tokens=4) if method == "sft" else None
    plan = lab.real_plan(method, evals=evals, num_steps=4, eval_every=2)
    run_id = lab.create_real(plan)
    lab.faults({**stuck, "delay_seconds": 60})
    before = len(lab.engine.log())
    with working(lab, run_id) as codes:
        until(lambda: "fault script:" in lab.engine.log()[before:], 60)
        lease = lab.store.lease(run_id)
        assert lease is not None
        assert lease.pid is not None
        os.kill(lease.pid, signal.SIGTERM)
        until(lambda: bool(codes), 60)
    assert codes == [ExitCode.RESUMABLE], lab.log(run_id)
    ended = next(e.event for e in reversed(lab.events(run_id)) if isinstance(e.event, Finished))
    assert (ended.outcome, ended.next_step) == ("interrupted", f"tcao resume {run_id}")
    assert lab.session_ends(run_id) == ["interrupted"]
    assert lab.attempt(run_id) == ExitCode.OK, lab.log(run_id)
    lab.check_real(run_id, lab.series(run_id, key), key)
