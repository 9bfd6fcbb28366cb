"""The same deaths with the real SDK, the real engine and the real method, each attempt forked from a warm process.

The numbers of every step have to be those of a run that nobody killed: weights, optimiser and row order come back.
"""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from tcao_tui.clients.tinker_port import RemoteCheckpoint
from tcao_tui.domain.plan import Plan, approval_hash
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.services.launch import create_run
from tcao_tui.services.verify import verify
from tcao_tui.store.port import Approval
from tcao_tui.worker.connect import ProfileConnector
from tests.fakes.engine_process import EngineProcess
from tests.fakes.fake_tinker import FREE
from tests.fakes.plans import resolve
from tests.fakes.random_model import write_random_model
from tests.fakes.run_lab import Lab, Zygote, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
KILLED = -signal.SIGKILL
STEPS = 5


class RealLab(Lab):
    """A lab whose server is the engine."""

    engine: EngineProcess

    def real_plan(self, steps: int = STEPS) -> Plan:
        rows = [{"input": f"say {n}", "output": str(n) * 2} for n in range(8)]
        data = self.place / "rows.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        config = TrainingConfig(
            base_model="random",
            run_name="real",
            train_file=data,
            lora_rank=4,
            max_seq_len=64,
            train_batch_size=3,
            num_steps=steps,
            eval_every=0,
            save_every=2,
            learning_rate=1e-2,
            renderer_name="qwen3_instruct",
        )
        return resolve(Plan(training=config))

    def create_real(self, steps: int = STEPS) -> str:
        plan = self.real_plan(steps)
        approval = Approval(approval_hash(plan, FREE), "auto", "test", time.time(), FREE.model_dump_json())
        return create_run(self.store, self.root, plan, profile_name="local", quote=FREE, approval=approval)

    def listed(self, run_id: str) -> Sequence[RemoteCheckpoint]:
        async def ask() -> Sequence[RemoteCheckpoint]:
            connector = ProfileConnector("local")
            backend = await connector.connect(self.real_plan(), None, metadata={}, on_waiting=lambda *_: None)
            try:
                return await backend.checkpoints_of(run_id)
            finally:
                await backend.close("success")

        return asyncio.run(ask())

    def losses(self, run_id: str) -> list[float]:
        series = self.view(run_id).series["train_mean_nll"]
        assert list(series.steps) == list(range(1, self.store.run(run_id).total_steps + 1))
        return list(series.values)

    def check_real(self, run_id: str, clean: Sequence[float]) -> None:
        assert self.view(run_id).status == "completed"
        assert self.losses(run_id) == pytest.approx(clean, abs=1e-4)
        report = verify(self.store, run_id, runs_root=self.root, remote=self.listed(run_id))
        assert report.ok, report.checks


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealLab]:
    place = tmp_path_factory.mktemp("real")
    (place / "state").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TCAO_STATE_DIR", str(place / "state"))
        patch.setenv("TCAO_CONFIG_DIR", str(place / "config"))
        engine = EngineProcess(place / "state" / "engine", model_dirs=[write_random_model(place / "random")])
        try:
            found = RealLab(place)
            found.engine = engine
            yield found
        finally:
            engine.stop()


@pytest.fixture(scope="module")
def zygote(lab: RealLab) -> Iterator[Zygote]:
    with Zygote(lab, "--real") as forking:
        yield forking


def test_the_real_worker_survives_a_death_at_every_side_effect_with_the_same_numbers(
    lab: RealLab, zygote: Zygote
) -> None:
    log = lab.place / "points"
    run_id = lab.create_real()
    assert zygote.attempt(run_id, TCAO_CRASH_LOG=log) == 0, (lab.root / run_id / "worker.log").read_text()
    clean = lab.losses(run_id)
    lab.check_real(run_id, clean)
    points = [line.split()[1] for line in log.read_text().splitlines()]
    for number, name in enumerate(points, start=1):
        if name == "mirror.write":
            # The mirror is no truth: a death there is the death before the next side effect.
            continue
        run_id = lab.create_real()
        assert zygote.attempt(run_id, TCAO_CRASH_AT=number) == KILLED, (number, name)
        if lab.view(run_id).status != "completed":
            assert zygote.attempt(run_id) == 0, (number, name, (lab.root / run_id / "worker.log").read_text())
        lab.check_real(run_id, clean)


def test_a_second_death_during_the_real_recovery_is_survived(lab: RealLab, zygote: Zygote) -> None:
    clean_id = lab.create_real()
    assert zygote.attempt(clean_id) == 0
    clean = lab.losses(clean_id)
    for first, second in ((16, 7), (24, 9), (30, 12), (36, 15), (41, 18)):
        run_id = lab.create_real()
        assert zygote.attempt(run_id, TCAO_CRASH_AT=first) == KILLED
        if zygote.attempt(run_id, TCAO_CRASH_AT=second) == KILLED:
            assert zygote.attempt(run_id) == 0
        lab.check_real(run_id, clean)


def test_a_killed_engine_is_waited_for_and_nothing_is_trained_twice(lab: RealLab, zygote: Zygote) -> None:
    clean_id = lab.create_real(60)
    assert zygote.attempt(clean_id) == 0
    run_id = lab.create_real(60)
    codes: list[int] = []
    attempt = threading.Thread(target=lambda: codes.append(zygote.attempt(run_id)))
    attempt.start()
    until(lambda: lab.store.run(run_id).step >= 7, 60)
    lab.engine.kill()
    until(lambda: (wait := lab.view(run_id).waiting) is not None and wait.reason == "outage", 60)
    lab.engine.restart()
    attempt.join(300)
    assert codes == [0], (lab.root / run_id / "worker.log").read_text()
    assert lab.view(run_id).waiting is None
    lab.check_real(run_id, lab.losses(clean_id))
