"""Weights of a real engine taken away: downloaded, exported in both forms, proved, and caught when they are damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import tinker
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from tinker.types import AdamParams, Datum, ModelInput, SamplingParams, TensorData
from transformers import AutoModelForCausalLM, AutoTokenizer

from tcao_tui import paths
from tcao_tui.clients.backend_calls import Call, Shape
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.clients.weight_calls import AskBackend, BuildExport, DownloadWeights, MeasureExport, Progress
from tcao_tui.domain.parity import TOLERANCES, compare
from tcao_tui.errors import BackendError, Refused, UsageError
from tcao_tui.services.backend_helper import BackendHelper, GivenUp, Ticket
from tcao_tui.services.backends import resolve_profile
from tcao_tui.services.exports import download, export
from tcao_tui.services.parity_prompts import parity_prompts
from tcao_tui.services.pushing import plan_push
from tcao_tui.services.weights_source import WeightsSource
from tcao_tui.settings import Settings
from tcao_tui.store.checksums import Altered, verify_sums
from tests.fakes.engine_process import EngineProcess
from tests.fakes.own_places import use_places

pytestmark = pytest.mark.timeout(300)

LOCAL = resolve_profile(Settings(), "local", {})
TINY = paths.TINY_MODEL_NAME
TEXT = "<|im_start|>user\nWhat is it?<|im_end|>\n<|im_start|>assistant\nIt is a lamp, and it shines.<|im_end|>"


@dataclass(frozen=True)
class Place:
    engine: EngineProcess
    helper: BackendHelper
    source: WeightsSource

    def export_paths(self) -> list[str]:
        rest = tinker.RestClient(base_url=self.engine.url, api_key=self.engine.key)
        return [
            c.tinker_path for c in rest.list_user_checkpoints().result().checkpoints if "/external_" in c.tinker_path
        ]


def trained(engine: EngineProcess, model: str = TINY, folder: Path = paths.TINY_MODEL) -> WeightsSource:
    """A LoRA that has learned one sentence, so that its weights matter."""
    service = tinker.ServiceClient(base_url=engine.url, api_key=engine.key)
    client = service.create_lora_training_client(model, rank=8, seed=1).result()
    tokens = AutoTokenizer.from_pretrained(folder).encode(TEXT)
    inputs = {
        "target_tokens": TensorData.from_torch(torch.tensor(tokens[1:])),
        "weights": TensorData.from_torch(torch.ones(len(tokens) - 1)),
    }
    datum = Datum(model_input=ModelInput.from_ints(tokens[:-1]), loss_fn_inputs=inputs)
    for _ in range(6):
        client.forward_backward([datum], "cross_entropy").result()
        client.optim_step(AdamParams(learning_rate=0.02)).result()
    state = client.save_state("001-000006").result().path
    sampler = client.save_weights_for_sampler("001-000006").result().path
    service.close("success").result()
    return WeightsSource(state, sampler, "lamp-000006")


def places(root: Path, model_dir: Path, without: str = "") -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as environment:
        use_places(environment, root)
        engine = EngineProcess(
            root / "state" / "engine", model_dirs=[f"random={model_dir}"], options=["--without", without]
        )
        with BackendHelper("local") as helper:
            yield Place(engine, helper, trained(engine))
    engine.stop()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[Place]:
    yield from places(tmp_path_factory.mktemp("exports"), model_dir)


@pytest.fixture(scope="module")
def adapter(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("adapter") / "lamp"
    report = export(place.helper, LOCAL, place.source, "peft", target, on_progress=print)
    assert report.ready_to_serve, report.parity
    return target


def test_an_adapter_loaded_with_peft_gives_the_same_greedy_answer_and_logprobs(place: Place, adapter: Path) -> None:
    service = tinker.ServiceClient(base_url=place.engine.url, api_key=place.engine.key)
    sampler = service.create_sampling_client(model_path=place.source.sampler_path).result()
    tokenizer = AutoTokenizer.from_pretrained(paths.TINY_MODEL)
    prompt = tokenizer.encode(TEXT)[:12]
    greedy = SamplingParams(max_tokens=16, temperature=0.0)
    answer = sampler.sample(ModelInput.from_ints(prompt), 1, greedy).result().sequences[0].tokens
    told = sampler.compute_logprobs(ModelInput.from_ints([*prompt, *answer])).result()
    service.close("success").result()

    base = AutoModelForCausalLM.from_pretrained(paths.TINY_MODEL, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, adapter).eval()
    with torch.inference_mode():
        said = model.generate(torch.tensor([prompt]), max_new_tokens=len(answer), do_sample=False)[0].tolist()
        scores = model(torch.tensor([[*prompt, *answer]])).logits[0].log_softmax(-1)
    assert said == [*prompt, *answer]
    own = [scores[at, token].item() for at, token in enumerate([*prompt, *answer][1:])]
    assert own == pytest.approx(told[1:], abs=TOLERANCES["float32"].max_nats)


def test_an_export_describes_itself_for_people_and_programs(place: Place, adapter: Path) -> None:
    told = json.loads((adapter / "export.json").read_text())
    assert (told["form"], told["base_model"], told["parity"], told["ready_to_serve"]) == ("peft", TINY, "holds", True)
    assert told["has_unembedding"]
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == TINY
    assert json.loads((adapter / "parity.json").read_text())["ready_to_serve"]
    texts = (adapter / "README.md").read_text() + (adapter / "SERVING.md").read_text()
    assert "lm_head" in texts
    assert str(paths.TINY_MODEL) not in texts
    assert str(adapter.parent) not in texts
    verify_sums(adapter)
    assert place.export_paths() == []
    assert [path.name for path in adapter.parent.iterdir()] == ["lamp"]


def test_a_merged_model_is_whole_and_proved(place: Place, tmp_path: Path) -> None:
    report = export(place.helper, LOCAL, place.source, "merged", tmp_path / "merged", on_progress=lambda _: None)
    assert report.ready_to_serve, report.parity
    assert report.parity is not None
    assert report.parity.tolerance.dtype == report.built.dtype == "float16"
    names = {path.name for path in report.folder.iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "README.md"} <= names


def test_a_changed_unembedding_that_the_base_shares_with_its_embedding_is_merged_apart_from_it(
    place: Place, model_dir: Path, tmp_path: Path
) -> None:
    assert json.loads((model_dir / "config.json").read_text())["tie_word_embeddings"]
    source = trained(place.engine, "random", model_dir)
    report = export(place.helper, LOCAL, source, "merged", tmp_path / "merged", on_progress=lambda _: None)
    assert report.ready_to_serve, report.parity
    assert not json.loads((report.folder / "config.json").read_text())["tie_word_embeddings"]
    tensors = {name: value for file in report.folder.glob("*.safetensors") for name, value in load_file(file).items()}
    assert not torch.equal(tensors["lm_head.weight"], tensors["model.embed_tokens.weight"])
    assert [path.name for path in tmp_path.iterdir()] == ["merged"]


def flip(tensors: dict[str, torch.Tensor]) -> None:
    name = next(name for name in tensors if name.endswith("q_proj.lora_B.weight"))
    tensors[name] = -tensors[name]


def lose(tensors: dict[str, torch.Tensor]) -> None:
    name = next(name for name in tensors if name.endswith("down_proj.lora_A.weight"))
    tensors[name] = torch.zeros_like(tensors[name])


def spoil(tensors: dict[str, torch.Tensor]) -> None:
    name = next(name for name in tensors if name.endswith("lora_B.weight"))
    tensors[name] = torch.full_like(tensors[name], float("nan"))


class Damaging:
    """A helper whose builds are damaged before they are proved."""

    def __init__(self, helper: BackendHelper, damage: Callable[[dict[str, torch.Tensor]], None]) -> None:
        self._helper, self._damage = helper, damage

    def call[PartT: Shape, ResultT: Shape](
        self, call: Call[PartT, ResultT], on_part: Callable[[PartT], None] | None = None, ticket: Ticket | None = None
    ) -> ResultT:
        result = self._helper.call(call, on_part, ticket)
        if isinstance(call, BuildExport):
            path = Path(call.folder) / "adapter_model.safetensors"
            tensors = load_file(path)
            self._damage(tensors)
            save_file(tensors, path)
        return result


@pytest.mark.parametrize(
    "damage", [flip, pytest.param(lose, marks=pytest.mark.slow), pytest.param(spoil, marks=pytest.mark.slow)]
)
def test_a_damaged_export_is_caught_and_said_and_never_ready(
    damage: Callable[[dict[str, torch.Tensor]], None], place: Place, tmp_path: Path
) -> None:
    report = export(
        Damaging(place.helper, damage), LOCAL, place.source, "peft", tmp_path / "lamp", on_progress=lambda _: None
    )
    assert report.failed
    assert not report.ready_to_serve
    told = json.loads((tmp_path / "lamp" / "parity.json").read_text())
    assert told["worst"]["nats"] > told["tolerance"]["max_nats"]
    assert told["worst"]["text"]
    assert "token " in told["failures"][0]
    assert "NOT ready to serve" in (tmp_path / "lamp" / "README.md").read_text()
    assert "vllm" not in (tmp_path / "lamp" / "SERVING.md").read_text()
    with pytest.raises(Refused, match="does not answer as the backend does"):
        plan_push(tmp_path / "lamp", "me/lamp", private=True)


def test_an_export_altered_after_its_proof_is_not_published(adapter: Path, tmp_path: Path) -> None:
    shutil.copytree(adapter, tmp_path / "copy")
    assert plan_push(tmp_path / "copy", "me/lamp", private=True).confirm == ""
    with (tmp_path / "copy" / "adapter_model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    with pytest.raises(Altered, match=r"adapter_model\.safetensors is not what was written"):
        plan_push(tmp_path / "copy", "me/lamp", private=True)


def test_without_its_proof_an_export_is_never_ready(place: Place, tmp_path: Path) -> None:
    report = export(
        place.helper, LOCAL, place.source, "peft", tmp_path / "lamp", proved=False, on_progress=lambda _: None
    )
    assert not report.ready_to_serve
    assert "Not proved" in (tmp_path / "lamp" / "README.md").read_text()
    assert "Nothing proves" in plan_push(tmp_path / "lamp", "me/lamp", private=True).consequences[-1]


def test_an_export_that_is_given_up_leaves_no_half_of_it_and_the_next_goes_on(place: Place, tmp_path: Path) -> None:
    ticket = Ticket()

    def stop(progress: Progress) -> None:
        if "backend" in progress.doing:
            ticket.cancel()

    with pytest.raises(GivenUp):
        export(place.helper, LOCAL, place.source, "peft", tmp_path / "lamp", on_progress=stop, ticket=ticket)
    assert [path.name for path in tmp_path.iterdir()] == [".lamp.download"]
    report = export(place.helper, LOCAL, place.source, "peft", tmp_path / "lamp", on_progress=lambda _: None)
    assert report.ready_to_serve
    assert [path.name for path in tmp_path.iterdir()] == ["lamp"]


def test_weights_are_downloaded_with_checksums_and_their_export_is_deleted(place: Place, tmp_path: Path) -> None:
    told: list[Progress] = []
    result = download(place.helper, place.source, tmp_path / "weights", told.append)
    assert set(result.files) == {"adapter_config.json", "adapter_model.safetensors"}
    assert [p for p in told if p.unit == "bytes"][-1].done == result.total_bytes
    verify_sums(tmp_path / "weights")
    assert place.export_paths() == []
    with pytest.raises(Refused, match="something already"):
        download(place.helper, place.source, tmp_path / "weights", told.append)


def test_an_export_of_the_server_is_downloaded_and_kept_there(place: Place, tmp_path: Path) -> None:
    service = tinker.ServiceClient(base_url=place.engine.url, api_key=place.engine.key)
    client = service.create_training_client_from_state(place.source.path).result()
    path = client.save_weights_external("mine").result().path
    service.close("success").result()
    download(place.helper, WeightsSource(path, None, "mine"), tmp_path / "weights", lambda _: None)
    assert place.export_paths() == [path]
    tinker.RestClient(base_url=place.engine.url, api_key=place.engine.key).delete_checkpoint_from_tinker_path(
        path
    ).result()
    with pytest.raises(Unsupported, match="or it is gone"):
        download(place.helper, WeightsSource(path, None, "mine"), tmp_path / "again", lambda _: None)


def test_what_is_not_there_or_cannot_be_downloaded_is_said(place: Place, tmp_path: Path) -> None:
    gone = place.source.path.replace("001-000006", "none")
    with pytest.raises(BackendError, match="no checkpoint"):
        place.helper.call(DownloadWeights(path=gone, folder=str(tmp_path / "a")))
    with pytest.raises(UsageError, match="cannot be downloaded"):
        place.helper.call(DownloadWeights(path=str(place.source.sampler_path), folder=str(tmp_path / "b")))


def test_training_state_alone_can_be_proved_too(place: Place, adapter: Path) -> None:
    question = AskBackend(
        path=place.source.path,
        tokenizer=str(paths.TINY_MODEL),
        model=TINY,
        prompts=parity_prompts(None)[:2],
        max_tokens=8,
    )
    answers = place.helper.call(question).answers
    order = MeasureExport(
        folder=str(adapter), form="peft", base=str(paths.TINY_MODEL), sequences=tuple(a.tokens for a in answers)
    )
    assert compare(answers, place.helper.call(order).sequences, TOLERANCES["float32"]).ready_to_serve


@pytest.mark.slow
def test_a_server_that_gives_no_weights_away_is_said_to(tmp_path: Path, model_dir: Path) -> None:
    for place in places(tmp_path, model_dir, "download"):
        with pytest.raises(Unsupported, match="gives weights away in no way"):
            download(place.helper, place.source, tmp_path / "weights", lambda _: None)
        assert not (tmp_path / "weights").exists()
