"""Checkpoints of a real engine through the helper process: listing, what each action does, what a server lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import tinker

from tcao_tui.clients.checkpoint_calls import AskOffers, DeleteCheckpoints, DescribeCheckpoint, SetTtl
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.domain.checkpoint_actions import Action, ActionRequest
from tcao_tui.domain.checkpoint_listing import CheckpointListing, SetExpiry
from tcao_tui.domain.checkpoints import CheckpointRecord, DataCursor, checkpoint_name
from tcao_tui.domain.events import CheckpointSaved
from tcao_tui.domain.pruning import PrunePolicy, prune
from tcao_tui.errors import BackendError, NeedsInput, Refused
from tcao_tui.services.backend_helper import BackendHelper
from tcao_tui.services.backends import resolve_profile
from tcao_tui.services.checkpoints import CheckpointDesk
from tcao_tui.settings import Settings
from tcao_tui.store.memory import MemoryStore
from tests.fakes.engine_process import EngineProcess
from tests.fakes.own_places import use_places
from tests.fakes.run_records import launch, new_run, train

DAY_SECONDS = 86400
NEVER = SetExpiry(0, -1)
LOCAL = resolve_profile(Settings(), "local", {})


@dataclass(frozen=True)
class Place:
    """An engine with the helper that asks it."""

    engine: EngineProcess
    helper: BackendHelper


def _place(root: Path, model_dir: Path, without: str) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as environment:
        use_places(environment, root)
        engine = EngineProcess(
            root / "state" / "engine", model_dirs=[f"random={model_dir}"], options=["--without", without]
        )
        with BackendHelper("local") as helper:
            yield Place(engine, helper)
    engine.stop()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[Place]:
    yield from _place(tmp_path_factory.mktemp("whole"), model_dir, "")


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[Place]:
    yield from _place(tmp_path_factory.mktemp("half"), model_dir, "listing,ttl,publish,delete,info,download")


def saved(place: Place, count: int, *, run_id: str = "", ttl_seconds: int | None = None) -> list[tuple[str, str]]:
    """State and sampler path of so many checkpoints of one LoRA."""
    service = tinker.ServiceClient(base_url=place.engine.url, api_key=place.engine.key)
    client = service.create_lora_training_client("random", rank=4, user_metadata={"tcao_run": run_id}).result()
    paths: list[tuple[str, str]] = []
    for step in range(1, count + 1):
        metadata = {"tcao_run": run_id, "attempt": "1", "step": str(step)} if run_id else None
        name = checkpoint_name(1, step)
        state = client.save_state(name, ttl_seconds=ttl_seconds, user_metadata=metadata).result().path
        sampler = client.save_weights_for_sampler(name, ttl_seconds=ttl_seconds, user_metadata=metadata).result().path
        paths.append((state, sampler))
    service.close("success").result()
    return paths


def recorded(store: MemoryStore, run_id: str, paths: list[tuple[str, str]]) -> None:
    """A run that was killed after it had saved these."""
    store.create_run(new_run(run_id, total_steps=20))
    writer = store.writer(run_id)
    launch(writer)
    train(writer, 1, len(paths))
    for step, (state, sampler) in enumerate(paths, start=1):
        record = CheckpointRecord(
            name=checkpoint_name(1, step),
            attempt=1,
            step=step,
            cursor=DataCursor.after(step, 4),
            reason="periodic",
            state_path=state,
            sampler_path=sampler,
        )
        writer.commit(events=[CheckpointSaved(checkpoint=record)])


def of_run(listing: CheckpointListing, run_id: str) -> dict[str, str]:
    return {c.path: c.server.kind for c in listing.checkpoints if c.own and c.own.run_id == run_id}


def test_ten_checkpoints_of_a_run_are_listed_with_what_the_run_knows_and_the_server_tells(whole: Place) -> None:
    store = MemoryStore()
    paths = saved(whole, 5, run_id="ten", ttl_seconds=2 * DAY_SECONDS)
    recorded(store, "ten", paths)
    pages: list[CheckpointListing] = []
    listing = CheckpointDesk(store, LOCAL, whole.helper).listing(pages.append)
    assert pages
    assert not pages[0].complete
    assert listing.complete
    assert len(of_run(listing, "ten")) == 10
    last = listing.at(paths[4][0])
    assert last is not None
    assert last.own is not None
    assert (last.own.run_name, last.own.step, last.own.attempt, last.own.reason) == ("demo", 5, 1, "periodic")
    assert (last.base_model, last.lora_rank, last.server.public) == ("random", 4, False)
    assert last.storage_usd_per_month == 0
    assert last.is_resume_point
    assert last.own.resume_points == tuple(state for state, _ in reversed(paths))
    assert last.server.expires_at is not None
    assert last.server.created_at is not None
    assert last.server.expires_at - last.server.created_at == pytest.approx(2 * DAY_SECONDS, abs=5)
    times = [c.server.created_at or 0 for c in listing.checkpoints]
    assert times == sorted(times, reverse=True)


def test_ttl_pin_publish_label_and_delete_do_what_they_say(whole: Place) -> None:
    store = MemoryStore()
    desk = CheckpointDesk(store, LOCAL, whole.helper)
    ((one, sampler), (two, _)) = saved(whole, 2, ttl_seconds=2 * DAY_SECONDS)
    first = desk.listing()
    rows = [row for path in (one, sampler, two) if (row := first.at(path)) is not None]

    assert desk.act(ActionRequest("ttl", ttl_seconds=DAY_SECONDS), rows[:1]).done == (one,)
    assert desk.act(ActionRequest("pin"), rows[1:2]).done == (sampler,)
    assert desk.act(ActionRequest("label", label="best"), rows[:2]).done == (one, sampler)
    assert desk.act(ActionRequest("publish", typed="publish"), rows[2:]).done == (two,)
    now = desk.listing()
    at = {path: row for path in (one, sampler, two) if (row := now.at(path)) is not None}
    assert (at[one].server.expires_at or 0) - now.taken_at == pytest.approx(DAY_SECONDS, abs=5)
    assert at[sampler].server.expires_at is None
    noted = [(note.label, note.pinned) for note in (at[one].note, at[sampler].note)]
    assert noted == [("best", False), ("best", True)]
    assert (at[one].note.expiry or NEVER).expires_at == pytest.approx(at[one].server.expires_at, abs=5)
    assert at[sampler].note.expiry is not None
    assert at[sampler].note.expiry.expires_at is None
    assert at[two].server.public

    with pytest.raises(Refused, match="is pinned"):
        desk.act(ActionRequest("delete", typed=rows[1].server.name), rows[1:2])
    with pytest.raises(NeedsInput, match="type delete 2"):
        desk.act(ActionRequest("delete", typed="yes"), [rows[0], rows[2]])
    heard: list[str] = []
    assert set(desk.act(ActionRequest("delete", typed="delete 2"), [rows[0], rows[2]], heard.append).done) == {one, two}
    assert set(heard) == {one, two}
    after = desk.listing()
    assert after.at(one) is None
    assert after.at(two) is None
    gone = store.checkpoint_notes.all()[one]
    assert (gone.label, gone.pinned, (gone.expiry or NEVER).expires_at) == ("", False, None)
    assert desk.act(ActionRequest("unpin"), [at[sampler]]).done == (sampler,)
    assert desk.act(ActionRequest("delete", typed=at[sampler].server.name), [at[sampler]]).done == (sampler,)


def test_a_prune_deletes_exactly_what_was_shown(whole: Place) -> None:
    store = MemoryStore()
    desk = CheckpointDesk(store, LOCAL, whole.helper)
    paths = saved(whole, 4, run_id="pruned")
    recorded(store, "pruned", paths)
    finished = store.run("pruned")
    listing = desk.listing()
    mine = [c for c in listing.checkpoints if c.own and c.own.run_id == "pruned"]
    shown = prune(mine, PrunePolicy(keep_last=1))
    # A run that was lost may go on from any of these, so none of its training states goes.
    assert {c.path for c in shown.delete} == {sampler for _, sampler in paths[:3]}
    with pytest.raises(NeedsInput, match="is not what was confirmed"):
        desk.prune(shown, digest="00000000")
    store.checkpoint_notes.write([paths[0][1]], pinned=True)
    with pytest.raises(Refused, match="needed by now"):
        desk.prune(shown, digest=shown.digest)
    store.checkpoint_notes.write([paths[0][1]], pinned=False)
    assert set(desk.prune(shown, digest=shown.digest).done) == {sampler for _, sampler in paths[:3]}
    assert of_run(desk.listing(), "pruned").keys() == {state for state, _ in paths} | {paths[3][1]}
    assert finished.run_id == "pruned"


def test_the_resume_point_of_a_run_that_is_down_is_kept_alive(whole: Place) -> None:
    store = MemoryStore()
    desk = CheckpointDesk(store, LOCAL, whole.helper)
    paths = saved(whole, 2, run_id="down", ttl_seconds=2 * DAY_SECONDS)
    recorded(store, "down", paths)
    assert set(desk.guard(desk.listing()).done) == set(paths[1])
    now = desk.listing()
    lives = {
        path: (row.server.expires_at or 0) - now.taken_at for pair in paths for path in pair if (row := now.at(path))
    }
    assert all(lives[path] == pytest.approx(14 * DAY_SECONDS, abs=5) for path in paths[1])
    assert all(lives[path] < 2 * DAY_SECONDS + 5 for path in paths[0])
    assert desk.guard(now).done == ()


def test_an_older_resume_point_takes_the_place_of_one_that_is_gone_from_the_server(whole: Place) -> None:
    store = MemoryStore()
    desk = CheckpointDesk(store, LOCAL, whole.helper)
    paths = saved(whole, 2, run_id="lost-one")
    recorded(store, "lost-one", paths)
    whole.helper.call(DeleteCheckpoints(paths=(paths[1][0],)))
    older = desk.listing().at(paths[0][0])
    assert older is not None
    assert older.is_resume_point
    assert older.own is not None
    assert older.own.resume_points == (older.path,)
    with pytest.raises(NeedsInput) as asked:
        desk.act(ActionRequest("delete"), [older])
    assert "leaves it no resume point" in asked.value.where


def test_weights_are_described_and_what_is_gone_is_told_as_gone(whole: Place) -> None:
    ((state, sampler),) = saved(whole, 1)
    info = whole.helper.call(DescribeCheckpoint(path=sampler))
    assert (info.base_model, info.is_lora, info.lora_rank, info.train_mlp) == ("random", True, 4, True)
    assert info.console_url == ""
    whole.helper.call(DeleteCheckpoints(paths=(state,)))
    whole.helper.call(DeleteCheckpoints(paths=(state,)))
    with pytest.raises(BackendError, match="was deleted or has expired") as gone:
        whole.helper.call(DescribeCheckpoint(path=state))
    assert not isinstance(gone.value, Unsupported)
    told: list[tuple[str, str]] = []
    whole.helper.call(
        SetTtl(paths=(state, sampler), ttl_seconds=DAY_SECONDS), lambda acted: told.append((acted.path, acted.error))
    )
    assert dict(told)[sampler] == ""
    assert "was deleted or has expired" in dict(told)[state]


def test_a_whole_server_lacks_nothing(whole: Place) -> None:
    assert whole.helper.call(AskOffers()).missing == ()


def test_a_server_with_half_of_the_addresses_is_listed_by_runs_and_says_what_it_lacks(half: Place) -> None:
    store = MemoryStore()
    desk = CheckpointDesk(store, LOCAL, half.helper)
    paths = saved(half, 2, run_id="kept")
    recorded(store, "kept", paths)
    listing = desk.listing()
    assert of_run(listing, "kept").keys() == {path for pair in paths for path in pair}
    assert listing.notes == ("this server lists checkpoints by training run only, so they come run by run",)
    assert listing.offers.why_not("ttl") == "this server has no TTL"
    assert listing.offers.missing.keys() == {"ttl", "publish", "delete", "describe", "download"}

    row = listing.at(paths[0][1])
    assert row is not None
    offered: list[tuple[Action, str]] = [("keep", ""), ("publish", "publish"), ("delete", row.server.name)]
    for action, typed in offered:
        with pytest.raises(Unsupported, match="this server"):
            desk.act(ActionRequest(action, typed=typed), [row])
    assert desk.act(ActionRequest("pin"), [row]).done == (row.path,)
    assert of_run(desk.listing(), "kept").keys() == {path for pair in paths for path in pair}
