"""What a person may call a checkpoint, and what is said when nothing is meant."""

from __future__ import annotations

import pytest

from tcao_tui.domain.events import CheckpointDeleted, CheckpointSaved, Resumed
from tcao_tui.errors import UsageError
from tcao_tui.services.checkpoint_names import resolve_checkpoint
from tcao_tui.store.memory import MemoryStore
from tests.fakes.run_records import checkpoint, finish, launch, new_run, record_resumed_run, train


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    record_resumed_run(store)
    return store


def test_a_run_is_its_final_weights(store: MemoryStore) -> None:
    assert resolve_checkpoint(store, "run-1") == "tinker://lora/weights/002-000010"
    assert resolve_checkpoint(store, "latest", use="sampler") == "tinker://lora/sampler_weights/002-000010"


def test_a_run_that_is_not_done_is_its_furthest_weights_on_the_lineage() -> None:
    store = MemoryStore()
    store.create_run(new_run())
    first = store.writer("run-1")
    launch(first)
    train(first, 1, 8, save_at=[2, 4, 8])
    second = store.writer("run-1")
    launch(second, Resumed(step=4, checkpoint=checkpoint(4).state_path))
    assert resolve_checkpoint(store, "demo") == "tinker://lora/weights/001-000004"


def test_a_step_or_a_name_after_a_colon_is_that_checkpoint(store: MemoryStore) -> None:
    assert resolve_checkpoint(store, "demo:5") == "tinker://lora/weights/001-000005"
    assert resolve_checkpoint(store, "demo:001-000005", use="sampler") == "tinker://lora/sampler_weights/001-000005"


def test_a_step_saved_by_two_attempts_is_the_later_ones() -> None:
    store = MemoryStore()
    store.create_run(new_run())
    for _ in range(2):
        writer = store.writer("run-1")
        launch(writer)
        train(writer, 1, 4, save_at=[4])
    assert resolve_checkpoint(store, "demo:4") == "tinker://lora/weights/002-000004"


def test_a_path_is_taken_as_it_is() -> None:
    path = "tinker://abc:train:0/weights/x"
    assert resolve_checkpoint(MemoryStore(), path) == path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tinker://abc/weights", "is no checkpoint"),
        ("tinker://a/b/c/d", "is no checkpoint"),
        ("demo:7", "there are those of steps 5, 10"),
        ("demo:no-name", "has no checkpoint no-name"),
        ("demi", "did you mean demo"),
    ],
)
def test_what_means_nothing_is_told_with_what_there_is(store: MemoryStore, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        resolve_checkpoint(store, text)


def test_deleted_checkpoints_and_missing_halves_are_told(store: MemoryStore) -> None:
    store.create_run(new_run("run-2", name="other", created_at=2.0))
    writer = store.writer("run-2")
    launch(writer)
    with pytest.raises(UsageError, match="run-2 has no checkpoint"):
        resolve_checkpoint(store, "other")
    only_state = checkpoint(3).model_copy(update={"sampler_path": None})
    writer.commit(events=[CheckpointSaved(checkpoint=only_state)])
    with pytest.raises(UsageError, match="no weights to sample from"):
        resolve_checkpoint(store, "other:3", use="sampler")
    writer.commit(events=[CheckpointDeleted(name=only_state.name)])
    with pytest.raises(UsageError, match="has no checkpoint 3"):
        resolve_checkpoint(store, "other:3")
    finish(writer, 10)
    assert resolve_checkpoint(store, "other").endswith("000010")
