"""The generated script on the included model, on a CPU without 4 bits: it trains what the worker would, and resumes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import torch
import yaml
from peft import PeftModel
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer

from tcao_tui import paths
from tcao_tui.data.check import fields_of
from tcao_tui.data.order import BatchOrder
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import ChatRow
from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.token_rows import TokenRows
from tcao_tui.services.qlora import write_qlora
from tcao_tui.store.plan_file import read_plan
from tests.fakes.plans import resolve

pytestmark = pytest.mark.timeout(300)

ROWS, VALIDATION_ROWS = 20, 6
CHANGES = {"train_batch_size": 8, "num_steps": 6, "save_every": 3, "eval_every": 0, "max_seq_len": 900, "seed": 3}


class Home:
    """A directory that `tcao qlora` wrote for a few rows of the demo, and the script in this process."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        demo = read_plan(paths.templates_dir() / "demo-plan.yaml")
        files = {
            "train_file": (directory / "train.jsonl", ROWS),
            "val_file": (directory / "val.jsonl", VALIDATION_ROWS),
        }
        for key, (path, rows) in files.items():
            lines = Path(getattr(demo.training, key)).read_text().splitlines(keepends=True)
            path.write_text("".join(lines[:rows]))
        changes = CHANGES | {key: path for key, (path, _) in files.items()}
        self.plan = resolve(demo.model_copy(update={"training": demo.training.model_copy(update=changes)}))
        self.written = write_qlora(self.plan, directory / "home")
        self.config = self.written.files[0]

    def run(self, *arguments: str) -> str:
        """What the script prints on stdout."""
        script, told = self.written.files[-1], io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(told):
            patch.setattr(sys, "argv", [str(script), *arguments])
            patch.syspath_prepend(str(script.parent))
            patch.setenv("CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES", ""))
            patch.setenv("HF_HUB_OFFLINE", "1")
            try:
                run_path(str(script), run_name="__main__")
            finally:
                sys.modules.pop("plan", None)
        return told.getvalue()

    def metrics(self, output: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.directory / output / "metrics.jsonl").read_text().splitlines()]

    def loss_by_our_own_worker(self, path: Path, rows: list[int] | None) -> float:
        """Mean over rows of the base model, from rows, tokens and weights of the worker's own code."""
        training: TrainingConfig = self.plan.training.model_copy(update={"renderer_name": paths.TINY_MODEL_RENDERER})
        renderer = ChatRenderer(training, AutoTokenizer.from_pretrained(paths.TINY_MODEL))
        held = TokenRows(training.max_seq_len)
        for row in RowReader(path, fields_of(training), Problems(), kind="chat"):
            assert isinstance(row, ChatRow)
            renderer.add_row(row, held)
        model = AutoModelForCausalLM.from_pretrained(paths.TINY_MODEL, dtype=torch.float32).eval()
        losses: list[float] = []
        for datum in held.data(range(len(held)) if rows is None else rows):
            targets = torch.tensor(datum.loss_fn_inputs["target_tokens"].data)
            weights = torch.tensor(datum.loss_fn_inputs["weights"].data)
            with torch.no_grad():
                logits = model(torch.tensor([datum.model_input.to_ints()])).logits[0]
            losses.append(float((functional.cross_entropy(logits, targets, reduction="none") * weights).sum()))
        return sum(losses) / len(losses)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Home(tmp_path_factory.mktemp("qlora"))
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def adapter(home: Home) -> Path:
    """The adapter of a whole training, which was given up at step 3 and then resumed."""
    output = str(home.directory / "trained")
    home.run("--no-4bit", "--max-steps", "3", "--output", output)
    return Path(home.run("--no-4bit", "--output", output).strip().removeprefix("ADAPTER="))


def test_a_dry_run_builds_everything_and_shows_what_is_learned(home: Home) -> None:
    told = json.loads(home.run("--dry-run"))
    assert (told["rows"], told["steps"], told["adapted_layers"]) == (ROWS, 6, 22)
    assert told["batch_shape"][0] == 4  # rows of at most 900 tokens
    assert told["learned"].startswith("{")
    assert told["text"].endswith(told["learned"])
    assert "user" in told["text"]
    assert not (home.directory / "home" / "qlora").exists()


def test_the_first_losses_are_those_of_the_worker_on_the_same_rows(home: Home, adapter: Path) -> None:
    first = BatchOrder(ROWS, CHANGES["train_batch_size"], CHANGES["seed"]).batch(DataCursor(epoch=0, batch=0))
    metrics = home.metrics("trained")
    training = home.plan.training
    assert training.val_file is not None
    validation = next(row["val_mean_nll"] for row in metrics if "val_mean_nll" in row)
    assert validation == pytest.approx(home.loss_by_our_own_worker(training.val_file, None), rel=1e-4)
    trained = next(row["train_mean_nll"] for row in metrics if "train_mean_nll" in row)
    assert trained == pytest.approx(home.loss_by_our_own_worker(training.train_file, list(first)), rel=1e-4)


def test_it_learns_resumes_and_measures_at_the_end(home: Home, adapter: Path) -> None:
    losses = {row["step"]: row["train_mean_nll"] for row in home.metrics("trained") if "train_mean_nll" in row}
    assert list(losses) == [1, 2, 3, 4, 5, 6]
    assert losses[6] < losses[1] / 2
    validated = [(row["step"], row["val_mean_nll"]) for row in home.metrics("trained") if "val_mean_nll" in row]
    assert validated[-1][0] == 6
    assert validated[-1][1] < validated[0][1] / 2


def test_the_adapter_loads_with_peft_and_holds_nothing_but_the_lora(home: Home, adapter: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(paths.TINY_MODEL, dtype=torch.float32)
    before = base(torch.tensor([[1, 2, 3]])).logits
    model = PeftModel.from_pretrained(base, adapter)
    assert model.peft_config["default"].r == home.plan.training.lora_rank
    assert not torch.allclose(model(torch.tensor([[1, 2, 3]])).logits, before)
    adapted = sum(tensor.numel() for name, tensor in model.named_parameters() if "lora_" in name)
    assert (adapter / "adapter_model.safetensors").stat().st_size < adapted * 4 + 10_000
    assert AutoTokenizer.from_pretrained(adapter).vocab_size


@pytest.mark.parametrize(
    ("section", "key", "value", "said"),
    [
        ("data", "train_sha256", "0" * 64, "not the file of the run"),
        ("lora", "target_modules", ["q_proj", "wq"], "no layers wq; its linear layers: down_proj"),
        ("training", "gradient_accumulation_steps", 100, "do not fill one update of 400"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_trained(
    home: Home, tmp_path: Path, *, section: str, key: str, value: object, said: str
) -> None:
    config = yaml.safe_load(home.config.read_text())
    config[section][key] = value
    (tmp_path / "changed.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(SystemExit, match=said):
        home.run("--dry-run", "--config", str(tmp_path / "changed.yaml"))


def test_four_bits_are_refused_where_they_would_lose_gradients(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="4 bits need a GPU"):
        home.run("--output", str(home.directory / "refused"))
    assert not (home.directory / "refused").exists()


def test_numbers_as_people_write_them_are_numbers(home: Home, tmp_path: Path) -> None:
    text = home.config.read_text().replace("learning_rate: 0.002", "learning_rate: 2e-3")
    (tmp_path / "changed.yaml").write_text(text)
    assert json.loads(home.run("--dry-run", "--config", str(tmp_path / "changed.yaml")))["rows"] == ROWS
