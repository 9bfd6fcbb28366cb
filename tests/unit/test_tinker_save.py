"""A refused save counts as done only when the server shows that it was ours."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import tinker
from tinker.types import Checkpoint

from tcao_tui.clients.tinker_rest import SdkCheckpoints
from tcao_tui.clients.tinker_trainer import SdkTrainer
from tcao_tui.clients.tinker_waiting import WaitWatch
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import BackendError

NOTES = {"tcao_run": "r", "attempt": "1", "step": "20"}
REQUEST = httpx.Request("POST", "http://server")


class Answer:
    """A future of the SDK: a value or an error."""

    def __init__(self, value: Any) -> None:
        self.value = value

    async def result_async(self, *_: float | None) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    def __await__(self) -> Any:
        return self.result_async().__await__()


def conflict() -> Exception:
    return tinker.ConflictError("taken", httpx.Response(409, request=REQUEST), {"detail": "the name is taken"})


class Client:
    model_id = "session:train:0"

    def __init__(self, state: Any, weights: Any) -> None:
        self.state, self.weights = state, weights

    def save_state(self, name: str, **_: object) -> Answer:
        return Answer(self.state)

    def save_weights_for_sampler(self, name: str, **_: object) -> Answer:
        return Answer(self.weights)


def listed(kind: str, metadata: dict[str, str] | None) -> Checkpoint:
    folder = {"training": "weights", "sampler": "sampler_weights"}[kind]
    return Checkpoint(
        checkpoint_id=f"{folder}/001-000020",
        checkpoint_type=kind,
        time=datetime(2026, 1, 1, tzinfo=UTC),
        tinker_path=f"tinker://session:train:0/{folder}/001-000020",
        user_metadata=metadata,
    )


def trainer_of(state: Any, weights: Any, checkpoints: list[Checkpoint]) -> SdkTrainer:
    rest: Any = SimpleNamespace(list_checkpoints=lambda run: Answer(SimpleNamespace(checkpoints=checkpoints)))
    config = TrainingConfig(base_model="m", run_name="r", train_file=Path("t"), learning_rate=1e-3)

    async def healthy() -> bool:
        return True

    client: Any = Client(state, weights)
    return SdkTrainer(client, config, WaitWatch(lambda *_: None, healthy), SdkCheckpoints(rest))


async def save(trainer: SdkTrainer) -> tuple[str, str | None]:
    saved = await trainer.save("001-000020", ttl_seconds=None, metadata=NOTES)
    return saved.state_path, saved.sampler_path


async def test_paths_are_those_the_server_answers() -> None:
    trainer = trainer_of(SimpleNamespace(path="a"), SimpleNamespace(path="b"), [])
    assert await save(trainer) == ("a", "b")


async def test_a_taken_name_with_our_own_metadata_is_a_save_whose_reply_was_lost() -> None:
    trainer = trainer_of(conflict(), conflict(), [listed("sampler", NOTES), listed("training", NOTES)])
    assert await save(trainer) == (
        "tinker://session:train:0/weights/001-000020",
        "tinker://session:train:0/sampler_weights/001-000020",
    )


@pytest.mark.parametrize("metadata", [None, {}, {**NOTES, "step": "19"}, {**NOTES, "attempt": "2"}])
async def test_a_taken_name_with_other_metadata_is_an_error(metadata: dict[str, str] | None) -> None:
    trainer = trainer_of(conflict(), SimpleNamespace(path="b"), [listed("training", metadata)])
    with pytest.raises(BackendError):
        await save(trainer)


async def test_another_failure_is_never_explained_away() -> None:
    failure = tinker.BadRequestError("bad", httpx.Response(400, request=REQUEST), {"detail": "disk full"})
    trainer = trainer_of(failure, SimpleNamespace(path="b"), [listed("training", NOTES)])
    with pytest.raises(BackendError, match="disk full"):
        await save(trainer)
