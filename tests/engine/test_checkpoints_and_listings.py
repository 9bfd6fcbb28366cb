from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import pytest
import tinker
from peft import PeftModel
from tinker import types
from transformers import AutoModelForCausalLM

from tests.engine.conftest import MODEL
from tests.fakes.tinker_data import datum, random_tokens

DATA = [datum(random_tokens(1, 12))]


@pytest.fixture
def client(service: tinker.ServiceClient) -> tinker.TrainingClient:
    return service.create_lora_training_client(MODEL, rank=4, seed=1, user_metadata={"who": "test"}).result()


def _train(client: tinker.TrainingClient, steps: int) -> list[float]:
    pending = []
    for _ in range(steps):
        pending.append(client.forward_backward(DATA, "cross_entropy"))
        client.optim_step(types.AdamParams(learning_rate=3e-3))
    return [future.result().metrics["loss:sum"] for future in pending]


def _post(engine: object, verb: str, body: dict[str, object], key: str | None = None) -> httpx.Response:
    headers = {"X-API-Key": engine.key if key is None else key}
    return httpx.post(f"{engine.url}/api/v1/{verb}", json=body, headers=headers, timeout=30)


def test_a_checkpoint_with_optimizer_goes_on_exactly_and_without_it_starts_adam_anew(
    service: tinker.ServiceClient, client: tinker.TrainingClient
) -> None:
    _train(client, 3)
    path = client.save_state("middle").result().path
    straight = _train(client, 3)
    exact = service.create_training_client_from_state_with_optimizer(path).result()
    assert exact.model_id != client.model_id
    assert _train(exact, 3) == straight
    fresh = _train(service.create_training_client_from_state(path).result(), 3)
    assert fresh[0] == straight[0]
    assert fresh[1:] != straight[1:]


def test_saved_metadata_size_and_expiry_are_listed(
    service: tinker.ServiceClient, client: tinker.TrainingClient, rest: tinker.RestClient
) -> None:
    saved = client.save_state("000-1", ttl_seconds=7200, user_metadata={"step": "1"}).result().path
    sampled = client.save_weights_for_sampler("000-1").result().path
    found = {one.tinker_path: one for one in rest.list_checkpoints(client.model_id).result().checkpoints}
    assert found.keys() == {saved, sampled}
    assert found[saved].user_metadata == {"step": "1"}
    assert found[saved].size_bytes > found[sampled].size_bytes > 0
    assert (found[saved].expires_at - found[saved].time).total_seconds() == pytest.approx(7200)
    rest.set_checkpoint_ttl_from_tinker_path(saved, None).result()
    rest.publish_checkpoint_from_tinker_path(saved).result()
    listed = next(one for one in rest.list_user_checkpoints(limit=100).result().checkpoints if one.tinker_path == saved)
    assert (listed.expires_at, listed.public) == (None, True)
    rest.unpublish_checkpoint_from_tinker_path(saved).result()
    assert not rest.list_checkpoints(client.model_id).result().checkpoints[0].public
    info = rest.get_weights_info_by_tinker_path(saved).result()
    assert (info.base_model, info.lora_rank, info.train_mlp) == (MODEL, 4, True)
    run = rest.get_training_run_by_tinker_path(saved).result()
    assert (run.last_checkpoint.tinker_path, run.user_metadata) == (saved, {"who": "test"})
    rest.delete_checkpoint_from_tinker_path(saved).result()
    with pytest.raises(tinker.NotFoundError):
        rest.delete_checkpoint_from_tinker_path(saved).result()
    with pytest.raises(tinker.NotFoundError):
        service.create_training_client_from_state(saved).result()


def test_listings_are_paged(client: tinker.TrainingClient, rest: tinker.RestClient) -> None:
    for number in range(3):
        client.save_weights_for_sampler(f"page-{number}").result()
    page = rest.list_user_checkpoints(limit=2, offset=1).result()
    assert [one.checkpoint_id for one in page.checkpoints] == ["sampler_weights/page-1", "sampler_weights/page-0"]
    assert page.cursor.total_count >= 3
    runs = rest.list_training_runs(limit=1).result()
    assert runs.training_runs[0].training_run_id == client.model_id
    assert runs.cursor.total_count >= 1


def test_a_taken_name_is_409_unless_it_is_to_be_overwritten(engine: object, client: tinker.TrainingClient) -> None:
    client.save_state("once", user_metadata={"try": "1"}).result()
    body = {"model_id": client.model_id, "path": "once", "seq_id": 90}
    assert _post(engine, "save_weights", body).status_code == 409
    client.save_state("once", overwrite=True).result()
    assert client.save_state("other").result().path.endswith("/other")


@pytest.mark.parametrize("name", ["../up", "a/b", "/etc/passwd", "..", ".hidden", "a\x00b", "", "x" * 300, "a b"])
def test_a_name_that_could_be_a_path_is_refused_and_training_goes_on(client: tinker.TrainingClient, name: str) -> None:
    with pytest.raises(tinker.BadRequestError, match="not a checkpoint name"):
        client.save_state(name).result()
    assert client.forward(DATA, "cross_entropy").result().metrics["loss:sum"] > 0


def test_paths_of_other_shapes_are_refused(engine: object) -> None:
    for path in ("tinker://a/weights/../x", "tinker://a/b/c", "file:///etc/passwd", "tinker://a/weights"):
        assert _post(engine, "weights_info", {"tinker_path": path}).status_code == 400


def test_external_weights_load_in_peft_and_links_cannot_be_forged(
    client: tinker.TrainingClient, rest: tinker.RestClient, model_dir: Path, tmp_path: Path
) -> None:
    _train(client, 2)
    path = client.save_weights_external("out").result().path
    urls = rest.get_external_weights_urls(path).result().urls
    for name, url in urls.items():
        (tmp_path / name).write_bytes(urllib.request.urlopen(url).read())
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model_dir), tmp_path)
    import torch

    logits = model(input_ids=torch.tensor([random_tokens(1, 12)[:-1]])).logits[0].log_softmax(-1)
    loss = -float(logits[range(11), random_tokens(1, 12)[1:]].sum())
    assert loss == pytest.approx(client.forward(DATA, "cross_entropy").result().metrics["loss:sum"], rel=1e-4)
    assert json.loads((tmp_path / "adapter_config.json").read_text())["lora_alpha"] == 32
    for forged in (
        url.replace("signature=", "signature=0"),
        url.replace("adapter_", "x"),
        url.replace("expires=", "expires=9"),
    ):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(forged)


def test_the_cookbook_downloads_and_merges_a_training_checkpoint(
    engine: object, client: tinker.TrainingClient, model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinker_cookbook import weights

    _train(client, 2)
    path = client.save_state("to-download").result().path
    monkeypatch.setenv("TINKER_API_KEY", engine.key)
    adapter = weights.download(tinker_path=path, output_dir=str(tmp_path / "adapter"), base_url=engine.url)
    assert {"adapter_config.json", "adapter_model.safetensors"} <= {file.name for file in Path(adapter).iterdir()}


def test_a_wrong_key_is_401_and_nothing_is_told_without_one(engine: object) -> None:
    for key in ("tml-local-wrong", ""):
        assert _post(engine, "create_session", {}, key).status_code == 401
        assert httpx.get(f"{engine.url}/api/v1/sessions", headers={"X-API-Key": key}).status_code == 401
    assert httpx.get(f"{engine.url}/api/v1/healthz").json()["status"] == "ok"
    me = httpx.get(f"{engine.url}/api/v1/auth/apikey/me", headers={"Authorization": f"Bearer {engine.key}"})
    assert me.status_code == 200


def test_sessions_say_how_they_ended_and_then_refuse_work(engine: object, rest: tinker.RestClient) -> None:
    service = tinker.ServiceClient({"run": "r1"}, display_name="night run", base_url=engine.url, api_key=engine.key)
    client = service.create_lora_training_client(MODEL, rank=4).result()
    session_id = client.holder.get_session_id()
    mine = types.SessionSearchRequest(user_metadata={"run": "r1"}, display_name="NIGHT")
    assert [found.status.type for found in rest.search_sessions(mine).result().sessions] == ["active"]
    service.close("interrupted", detail="ctrl-c").result()
    found = rest.search_sessions(mine).result().sessions[0]
    assert (found.session_id, found.status.reason.type, found.status.detail) == (session_id, "interrupted", "ctrl-c")
    assert rest.get_session(session_id).result().training_run_ids == [client.model_id]
    assert session_id in rest.list_sessions().result().sessions
    assert _post(engine, "session_heartbeat", {"session_id": session_id}).status_code == 410
    late = {"model_id": client.model_id, "path": "late", "seq_id": 5}
    assert _post(engine, "save_weights", late).status_code == 410


def test_capabilities_name_the_models(engine: object, rest: tinker.RestClient) -> None:
    models = rest.get_server_capabilities().result().supported_models
    assert MODEL in {model.model_name for model in models if model.trainable and model.max_context_length == 512}
    assert _post(engine, "weights_info", {}).status_code == 400
    assert _post(engine, "no_such_verb", {}).json()["detail"].startswith("the local engine has no POST")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (datum([3, 4, 9999]), "outside the vocabulary"),
        (datum([3, 4, 5], weights=[1.0]), "has shape"),
        (datum(random_tokens(1, 600)), "the model takes 512"),
    ],
)
def test_bad_data_fails_its_request_with_the_reason(
    client: tinker.TrainingClient, bad: types.Datum, reason: str
) -> None:
    with pytest.raises(tinker.RequestFailedError, match=reason) as caught:
        client.forward_backward([DATA[0], bad], "cross_entropy").result()
    assert "datum 1" in str(caught.value)
    assert caught.value.category == types.RequestErrorCategory.User
