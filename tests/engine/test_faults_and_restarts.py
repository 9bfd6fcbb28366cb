from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import tinker
from tinker import types

from tcao_tui.engine.__main__ import listen
from tcao_tui.engine.faults import Faults, read_script
from tcao_tui.errors import UsageError
from tests.engine.conftest import MODEL
from tests.fakes.engine_process import EngineProcess
from tests.fakes.tinker_data import datum, random_tokens

DATA = [datum(random_tokens(1, 12))]
ADAM = types.AdamParams(learning_rate=3e-3)


class Faulty:
    """An engine and its fault script."""

    def __init__(self, engine: EngineProcess, script: Path) -> None:
        self.engine = engine
        self._script = script

    def script(self, *rules: dict[str, object], keep_counts: bool = False) -> None:
        self._script.write_text(json.dumps({"keep_counts": keep_counts, "rules": rules}))

    def service(self) -> tinker.ServiceClient:
        return tinker.ServiceClient(base_url=self.engine.url, api_key=self.engine.key)

    def post(self, verb: str, body: dict[str, object]) -> httpx.Response:
        headers = {"X-API-Key": self.engine.key}
        return httpx.post(f"{self.engine.url}/api/v1/{verb}", json=body, headers=headers, timeout=30)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[Faulty]:
    folder = tmp_path_factory.mktemp("faulty")
    engine = EngineProcess(
        folder / "state",
        model_dirs=[f"{MODEL}={model_dir}"],
        faults=folder / "faults.yaml",
        options=["--session-timeout-seconds", "60"],
    )
    yield Faulty(engine, folder / "faults.yaml")
    engine.stop()


def _until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)


def test_status_and_retry_after_come_on_the_scripted_call_only(faulty: Faulty) -> None:
    rule = {"verb": "telemetry", "nth": 2, "status": 429, "retry_after_seconds": 7, "delay_seconds": 0.01}
    faulty.script(rule, {"verb": "sessions", "every": 2, "status": 418})
    answers = [faulty.post("telemetry", {}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 429, 200]
    assert answers[1].headers["retry-after"] == "7"
    faulty.script(rule)
    assert [faulty.post("telemetry", {}).status_code for _ in range(2)] == [200, 429]


def test_lost_and_broken_answers_do_not_do_the_work_twice(faulty: Faulty) -> None:
    faulty.script()
    with faulty.service() as service:
        client = service.create_lora_training_client(MODEL, rank=4, seed=1).result()
        plain = service.create_lora_training_client(MODEL, rank=4, seed=1).result()
        for one in (client, plain):
            if one is client:
                faulty.script(
                    {"verb": "forward_backward", "nth": 1, "truncate_body": True},
                    {"verb": "optim_step", "nth": 1, "drop": "after"},
                    {"verb": "retrieve_future", "nth": 1, "drop": "before"},
                    {"verb": "save_weights", "nth": [1, 2], "drop": "after"},
                )
            else:
                faulty.script()
            one.forward_backward(DATA, "cross_entropy")
            one.optim_step(ADAM).result()
            path = one.save_state("lost-answer").result().path
            assert path.endswith("/lost-answer")
        sums = [one.forward(DATA, "cross_entropy").result().metrics["loss:sum"] for one in (client, plain)]
    assert sums[0] == sums[1]


def test_killed_before_the_commit_there_is_no_checkpoint_and_after_it_there_is(faulty: Faulty) -> None:
    rest = tinker.RestClient(base_url=faulty.engine.url, api_key=faulty.engine.key)
    for when, expected in (("before", []), ("after", ["weights/point"])):
        faulty.script()
        service = faulty.service()
        client = service.create_lora_training_client(MODEL, rank=4, seed=1).result()
        client.forward_backward(DATA, "cross_entropy")
        client.optim_step(ADAM).result()
        loss = client.forward(DATA, "cross_entropy").result().metrics["loss:sum"]
        faulty.script({"verb": "save_weights", "nth": 1, "kill": when}, keep_counts=True)
        saving = client.save_state("point")
        assert faulty.engine.wait_dead() == -9
        faulty.engine.restart()
        with pytest.raises(tinker.APIStatusError) as caught:
            saving.result(timeout=90)
        assert caught.value.status_code == 410
        found = rest.list_checkpoints(client.model_id).result().checkpoints
        assert [one.checkpoint_id for one in found] == expected
        if found:
            again = service.create_training_client_from_state_with_optimizer(found[0].tinker_path).result()
            assert again.forward(DATA, "cross_entropy").result().metrics["loss:sum"] == loss
        service.close("success").result()
    assert not any(path.name.startswith("tmp-") for path in (faulty.engine.state_dir / "blobs").iterdir())


def test_what_was_saved_survives_a_restart_and_time_to_live_is_kept(faulty: Faulty) -> None:
    faulty.script()
    rest = tinker.RestClient(base_url=faulty.engine.url, api_key=faulty.engine.key)
    with faulty.service() as service:
        client = service.create_lora_training_client(MODEL, rank=4, seed=1).result()
        session_id = client.holder.get_session_id()
        kept = client.save_weights_for_sampler("kept", user_metadata={"a": "b"}).result().path
        client.save_state("short-lived", ttl_seconds=3600).result()
        sampler = service.create_sampling_client(model_path=kept).result()
        before = sampler.compute_logprobs(types.ModelInput.from_ints([5, 6, 7])).result()
        listed = rest.list_checkpoints(client.model_id).result().checkpoints
        assert faulty.engine.stop() == 0
        assert not (faulty.engine.state_dir / "engine.json").exists()
        faulty.engine.restart(options=["--clock-offset-seconds", "3601"])
        assert sampler.compute_logprobs(types.ModelInput.from_ints([5, 6, 7])).result() == before
        left = rest.list_checkpoints(client.model_id).result().checkpoints
        assert left == [one for one in listed if one.tinker_path == kept]
        with pytest.raises(tinker.NotFoundError):
            service.create_training_client_from_state(f"tinker://{client.model_id}/weights/short-lived").result()
        assert session_id in rest.list_sessions().result().sessions
        with pytest.raises(tinker.APIStatusError, match="saved checkpoint"):
            client.forward(DATA, "cross_entropy").result()


def test_a_silent_session_ends_and_its_state_is_unknown_not_finished(faulty: Faulty) -> None:
    faulty.script()
    faulty.engine.restart(options=["--session-timeout-seconds", "3"])
    session_id = faulty.post("create_session", {"tags": [], "sdk_version": "0.38.0"}).json()["session_id"]

    def status() -> object:
        query = {"session_id": session_id}
        return faulty.post("sessions/search", query).json()["sessions"][0]["status"]

    assert status() == {"type": "active"}
    _until(lambda: status() is None)
    assert faulty.post("session_heartbeat", {"session_id": session_id}).status_code == 410


def test_a_second_engine_on_the_same_directory_is_refused(faulty: Faulty) -> None:
    state = faulty.engine.state_dir
    assert stat.S_IMODE((state / "key").stat().st_mode) == 0o600
    entry = json.loads((state / "engine.json").read_text())
    assert (entry["url"], entry["pid"]) == (faulty.engine.url, faulty.engine.pid)
    command = [sys.executable, "-m", "tcao_tui.engine", "--state-dir", str(state)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ})
    assert second.returncode == 8
    assert "another engine is running" in second.stderr
    assert json.loads((state / "engine.json").read_text()) == entry


def test_a_wrong_script_is_an_error_that_names_the_verbs(tmp_path: Path) -> None:
    for rule, reason in (
        ("{verb: optim_stepp, status: 500}", "unknown verb 'optim_stepp'"),
        ("{verb: optim_step}", "exactly one of"),
        ("{verb: optim_step, status: 500, kill: after}", "exactly one of"),
        ("{verb: optim_step, status: 200}", "status"),
        ("{verb: optim_step, nth: 1, every: 2, status: 500}", "exclude"),
        ("{verb: optim_step, stat: 500}", "stat"),
    ):
        with pytest.raises(UsageError, match=reason):
            read_script(f"rules: [{rule}]", "faults.yaml")


def test_counts_start_anew_with_a_changed_script_and_go_on_after_a_restart_if_kept(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("keep_counts: true\nrules: [{verb: asample, nth: 2, status: 500}]")
    first = Faults(path, tmp_path / "counts.json")
    assert first.rule_for("asample") is None
    restarted = Faults(path, tmp_path / "counts.json")
    assert restarted.rule_for("asample") is not None
    path.write_text("rules: [{verb: '*', nth: 1, status: 503}]")
    assert restarted.rule_for("asample").status == 503
    assert Faults(None, tmp_path / "counts.json").rule_for("asample") is None


def test_answers_are_sent_at_once_and_only_on_loopback() -> None:
    with listen(0) as listener:
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert listener.getsockname()[0] == "127.0.0.1"
