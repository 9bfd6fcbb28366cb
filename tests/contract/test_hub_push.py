"""Uploads by the real Hub library to a Hub on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import huggingface_hub.constants
import pytest

from tcao_tui.clients.tinker_port import Outage
from tcao_tui.clients.weight_calls import Pushed, PushFolder
from tcao_tui.domain.checkpoint_listing import ListedCheckpoint
from tcao_tui.errors import BackendError, CredentialsError, NeedsInput, Refused, UsageError
from tcao_tui.probes import hub as pushing_probe
from tcao_tui.probes.server import Server
from tcao_tui.services.backends import resolve_profile
from tcao_tui.services.pushing import plan_push, push
from tcao_tui.settings import Settings
from tcao_tui.store.sqlite import open_store
from tcao_tui.tui.checkpoint_desk import ConsoleCheckpoints
from tests.fakes.hub_stub import TOKEN, Hub, hub
from tests.fakes.listed_checkpoints import listed, server
from tests.fakes.own_places import use_places

LOCAL = resolve_profile(Settings(), "local", {})


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    with hub() as running:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", running.url)
        monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lamp"
    folder.mkdir()
    for name in ("adapter_config.json", "README.md", "parity.json", "adapter.safetensors.part", ".hidden"):
        (folder / name).write_text(name)
    return folder


def an_export(folder: Path, *, source: str) -> None:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "export.json").write_text(json.dumps({"source": source, "parity": "holds"}))


def foreign_state() -> ListedCheckpoint:
    """A training state that no run of ours saved."""
    return listed(server("77f0aa12-cccc", "lamp"))


def pushed(folder: Path, repository: str = "me/lamp", *, private: bool = True) -> Pushed:
    order = PushFolder(folder=str(folder), repository=repository, private=private)
    return asyncio.run(pushing_probe.push(Server("local", "test"), order.model_dump(), print))


def test_a_folder_is_uploaded_to_a_new_private_repository_without_what_is_private(stub: Hub, folder: Path) -> None:
    assert pushed(folder).url == f"{stub.url}/me/lamp"
    assert stub.private == {"me/lamp": True}
    assert stub.files["me/lamp"] == {name: name.encode() for name in ("adapter_config.json", "README.md")}


def test_a_public_repository_is_made_only_when_asked_for(stub: Hub, folder: Path) -> None:
    pushed(folder, private=False)
    assert stub.private == {"me/lamp": False}


def test_what_is_to_be_private_never_goes_to_a_repository_that_is_public(stub: Hub, folder: Path) -> None:
    stub.private["me/lamp"] = False
    with pytest.raises(UsageError, match="exists and is public"):
        pushed(folder)
    assert stub.files == {}


def test_a_token_without_the_right_is_said_and_not_repeated(stub: Hub, folder: Path) -> None:
    stub.refusal = 403
    with pytest.raises(CredentialsError, match="403") as refused:
        pushed(folder)
    assert TOKEN not in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_no_token_says_what_helps(stub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(CredentialsError) as refused:
        pushed(folder)
    assert "hf auth login" in refused.value.next_step


def test_a_hub_that_fails_is_said(stub: Hub, folder: Path) -> None:
    stub.refusal = 422
    with pytest.raises(BackendError, match="422"):
        pushed(folder)


def test_a_hub_that_is_not_there_is_said(stub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Outage, match="does not answer"):
        pushed(folder)


def test_a_name_that_is_none_is_refused(stub: Hub, folder: Path) -> None:
    with pytest.raises(UsageError):
        pushed(folder, "me/lamp/../x")
    for name in ("lamp", "/lamp", "me/", "a/b/c"):
        with pytest.raises(UsageError, match="is no repository"):
            plan_push(folder, name, private=True)


def test_publishing_for_everybody_has_to_be_typed(folder: Path) -> None:
    class Nobody:
        def call(self, *_: object) -> Pushed:
            raise AssertionError("uploaded without consent")

    plan = plan_push(folder, "me/lamp", private=False)
    assert plan.confirm == "me/lamp"
    assert any("everybody in the world" in line for line in plan.consequences)
    with pytest.raises(NeedsInput, match="typing the name"):
        push(Nobody(), plan, typed="me/lam")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no adapter and no model"):
        plan_push(tmp_path, "me/lamp", private=True)


def test_the_browser_publishes_an_export_by_a_helper_and_only_what_it_shows(
    stub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_places(monkeypatch, tmp_path)
    monkeypatch.setenv("TCAO_EXPORTS_DIR", str(tmp_path / "exports"))
    monkeypatch.setenv("HF_ENDPOINT", stub.url)
    checkpoint = foreign_state()
    source = ConsoleCheckpoints(open_store(tmp_path / "runs"), tmp_path / "runs", LOCAL)
    offer = source.plan_push(checkpoint, "peft")
    assert not offer.is_there
    assert "of unknown size" in offer.push.what
    an_export(offer.export.folder, source=checkpoint.path)
    offer = source.plan_push(checkpoint, "peft")
    assert offer.is_there
    assert offer.push.proved
    told: list[str] = []
    try:
        with pytest.raises(NeedsInput, match="typing the name"):
            source.push(offer, replace(offer.push, repository="me/lamp", private=False, typed="me/lam"), told.append)
        assert stub.files == {}
        said = source.push(offer, replace(offer.push, repository="me/lamp"), told.append)
    finally:
        source.close()
    assert said == f"Private on the Hub: {stub.url}/me/lamp"
    assert stub.private == {"me/lamp": True}
    assert "adapter_config.json" in stub.files["me/lamp"]
    assert told == ["uploading"]


def test_an_export_of_other_weights_is_not_published_in_the_place_of_these(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_places(monkeypatch, tmp_path)
    monkeypatch.setenv("TCAO_EXPORTS_DIR", str(tmp_path / "exports"))
    source = ConsoleCheckpoints(open_store(tmp_path / "runs"), tmp_path / "runs", LOCAL)
    try:
        an_export(source.plan_push(foreign_state(), "peft").export.folder, source="tinker://other/weights/1")
        with pytest.raises(Refused, match="an export of other weights"):
            source.plan_push(foreign_state(), "peft")
    finally:
        source.close()
