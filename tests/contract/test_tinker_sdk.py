"""The SDK behind our port on a real engine: sessions, refusals, upkeep of checkpoints, a server that went away."""

from __future__ import annotations

from pathlib import Path

import pytest
import tinker

from tcao_tui.clients.prices import price_quote
from tcao_tui.clients.tinker_port import Transient
from tcao_tui.clients.tinker_sdk import SdkBackend, connect
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import BackendError, CredentialsError
from tests.fakes.engine_process import EngineProcess

CONFIG = TrainingConfig(
    base_model="random", run_name="r", train_file=Path("t"), learning_rate=1e-2, lora_rank=4, train_batch_size=1
)
BATCH = [
    tinker.Datum(
        model_input=tinker.ModelInput.from_ints([1, 10, 11]),
        loss_fn_inputs={
            "weights": tinker.TensorData(data=[0.0, 1.0, 1.0], dtype="float32", shape=[3]),
            "target_tokens": tinker.TensorData(data=[10, 11, 12], dtype="int64", shape=[3]),
        },
    )
]


async def open_backend(engine: EngineProcess, run_id: str = "run", *, key: str = "", url: str = "") -> SdkBackend:
    return await connect(
        base_url=url or engine.url,
        api_key=key or engine.key,
        quote=price_quote("engine", engine.url, "random"),
        run_metadata={"tcao_run": run_id},
        on_waiting=lambda reason, over, detail: None,
    )


async def test_a_wrong_key_is_told_at_once(engine: EngineProcess) -> None:
    with pytest.raises(CredentialsError):
        await open_backend(engine, key="tml-wrong")


async def test_a_key_of_the_wrong_shape_is_told_at_once(engine: EngineProcess) -> None:
    with pytest.raises(CredentialsError):
        await open_backend(engine, key="sk-other")


async def test_nobody_at_the_address_is_transient(engine: EngineProcess) -> None:
    with pytest.raises(Transient):
        await open_backend(engine, url="http://127.0.0.1:1")


async def test_a_model_that_is_not_served_is_refused_with_those_that_are(engine: EngineProcess) -> None:
    backend = await open_backend(engine)
    with pytest.raises(BackendError, match="it serves") as caught:
        await backend.open_trainer(CONFIG.model_copy(update={"base_model": "no/such"}), state_path=None, metadata={})
    assert not isinstance(caught.value, Transient)
    await backend.close("errored", "no such model")


async def test_checkpoints_are_listed_by_run_extended_and_deleted(engine: EngineProcess) -> None:
    backend = await open_backend(engine, "listed")
    trainer = await backend.open_trainer(CONFIG, state_path=None, metadata={"method": "sft"})
    notes = {"tcao_run": "listed", "step": "1"}
    await trainer.submit_step(BATCH, learning_rate=1e-2).result()
    saved = await trainer.save("001-000001", ttl_seconds=7 * 24 * 3600, metadata=notes)
    await trainer.save("001-000002", ttl_seconds=None, metadata={"tcao_run": "another"})

    found = await backend.checkpoints_of("listed")
    assert {(c.path, c.name, c.kind) for c in found} == {
        (saved.state_path, "001-000001", "training"),
        (saved.sampler_path, "001-000001", "sampler"),
    }
    assert all(c.metadata == notes and c.expires_at is not None for c in found)

    await backend.set_ttl(saved.state_path, None)
    kept = {c.path: c.expires_at for c in await backend.checkpoints_of("listed")}
    assert kept[saved.state_path] is None

    for path in (saved.state_path, str(saved.sampler_path), saved.state_path):
        await backend.delete(path)
    assert await backend.checkpoints_of("listed") == []
    await backend.close("success")


async def test_a_checkpoint_that_is_gone_is_not_worth_another_try(engine: EngineProcess) -> None:
    backend = await open_backend(engine, "gone")
    trainer = await backend.open_trainer(CONFIG, state_path=None, metadata={})
    saved = await trainer.save("001-000000", ttl_seconds=None, metadata={})
    await backend.delete(saved.state_path)
    with pytest.raises(BackendError, match="no such checkpoint any more") as caught:
        await backend.open_trainer(CONFIG, state_path=saved.state_path, metadata={})
    assert not isinstance(caught.value, Transient)
    await backend.close("errored")


async def test_validation_is_the_loss_that_the_next_step_reports(engine: EngineProcess) -> None:
    backend = await open_backend(engine)
    trainer = await backend.open_trainer(CONFIG, state_path=None, metadata={})
    looked = await trainer.nll(BATCH)
    trained = await trainer.submit_step(BATCH, learning_rate=1e-2).result()
    assert looked.loss_sum == pytest.approx(trained.loss_sum, abs=1e-5)
    assert (trained.loss_tokens, trained.tokens) == (2.0, 3)
    await backend.close("success")


async def test_an_engine_that_was_killed_and_restarted_is_transient_and_a_new_session_goes_on(
    engine: EngineProcess,
) -> None:
    backend = await open_backend(engine, "restarted")
    trainer = await backend.open_trainer(CONFIG, state_path=None, metadata={})
    await trainer.submit_step(BATCH, learning_rate=1e-2).result()
    saved = await trainer.save("001-000001", ttl_seconds=None, metadata={"tcao_run": "restarted"})
    engine.kill()
    engine.restart()
    with pytest.raises(Transient):
        await trainer.submit_step(BATCH, learning_rate=1e-2).result()
    await backend.close("errored")

    again = await open_backend(engine, "restarted")
    resumed = await again.open_trainer(CONFIG, state_path=saved.state_path, metadata={})
    assert (await resumed.submit_step(BATCH, learning_rate=1e-2).result()).tokens == 3
    await again.close("success")
