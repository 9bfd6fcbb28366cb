"""Layer 1 by the real SDK from the engine, held against transformers itself."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tcao_tui import paths
from tcao_tui.domain.eval_job import RESULTS, Job
from tcao_tui.domain.evaluation import EvalTask, Subject
from tcao_tui.domain.held_out_task import HELD_OUT, TRAINED_ON, held_out_tasks
from tcao_tui.domain.plan import DataHashes, Plan
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import ExitCode
from tcao_tui.probes import held_out

pytestmark = pytest.mark.usefixtures("engine_places")

ROWS = [{"input": f"What is {n} and one?", "output": f"It is {n + 1}, I think."} for n in range(12)]


def job(root: Path, **changes: Any) -> Job:
    rows = root / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    directory = root / "cell"
    directory.mkdir(exist_ok=True)
    arguments = {"fields": None, "train_on_what": "all_assistant_messages", "max_seq_len": 512, "renderer": ""}
    task = EvalTask(name=HELD_OUT, layer=1, harness="held_out", target=str(rows), arguments=arguments)
    subject = Subject(name="base", base_model=paths.TINY_MODEL_NAME)
    made = Job(task=task.model_copy(update=changes), subject=subject, profile="local", directory=directory)
    (directory / "job.json").write_text(made.model_dump_json(), encoding="utf-8")
    return made


def measured(made: Job) -> list[dict[str, Any]]:
    assert held_out.main(str(made.directory / "job.json")) == ExitCode.OK
    return written(made)


def written(made: Job) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (made.directory / RESULTS).read_text(encoding="utf-8").splitlines()]


def items_of(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["item"]: item for line in lines if line["kind"] == "found" for item in line["items"]}


def expected_nats(row: dict[str, str]) -> tuple[float, int, int]:
    """Summed loss, tokens and bytes of an answer by transformers, from the model's own chat template."""
    tokenizer: Any = AutoTokenizer.from_pretrained(paths.TINY_MODEL)
    model: Any = AutoModelForCausalLM.from_pretrained(paths.TINY_MODEL, dtype=torch.float32)
    asked = f"<|im_start|>user\n{row['input']}<|im_end|>\n<|im_start|>assistant\n"
    prompt, answer = (
        tokenizer.encode(text, add_special_tokens=False) for text in (asked, f"{row['output']}<|im_end|>")
    )
    tokens = torch.tensor([[*prompt, *answer]])
    with torch.no_grad():
        logprobs = torch.log_softmax(model(tokens).logits[0, :-1].double(), -1)
    picked = logprobs.gather(1, tokens[0, 1:, None])[len(prompt) - 1 :, 0]
    return -float(picked.sum()), len(answer), len(f"{row['output']}<|im_end|>".encode())


def test_the_loss_is_the_one_that_transformers_gives(tmp_path: Path) -> None:
    lines = measured(job(tmp_path))
    items = items_of(lines)
    assert len(items) == len(ROWS)
    known = [expected_nats(row) for row in ROWS]
    for number, (nats, tokens, _) in enumerate(known, 1):
        assert items[str(number)]["tokens"] == tokens
        assert items[str(number)]["value"] == pytest.approx(nats / tokens, rel=1e-4)
    nats, tokens, size = (math.fsum(part) for part in zip(*known, strict=True))
    numbers = lines[-1]["numbers"]
    assert numbers["mean_nll"] == pytest.approx(nats / tokens, rel=1e-4)
    assert numbers["perplexity"] == pytest.approx(math.exp(nats / tokens), rel=1e-4)
    assert numbers["bits_per_byte"] == pytest.approx(nats / math.log(2) / size, rel=1e-4)


def test_a_killed_measurement_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    made = job(tmp_path)
    whole = measured(made)
    results = made.directory / RESULTS
    kept = b"".join(line for line in results.read_bytes().splitlines(keepends=True)[:5])
    results.write_bytes(kept + b'{"kind":"found","items":[{"ite')
    again = measured(made)
    assert again[:5] == whole[:5]
    assert len(again) == len(whole)
    for number, item in items_of(whole).items():
        assert items_of(again)[number]["value"] == pytest.approx(item["value"], rel=1e-5)
    assert again[-1]["numbers"] == pytest.approx(whole[-1]["numbers"], rel=1e-5)


def test_the_same_rows_are_chosen_for_all_weights(tmp_path: Path) -> None:
    chosen = set(items_of(measured(job(tmp_path, limit=5, seed=3))))
    assert chosen == {str(place + 1) for place in random.Random(3).sample(range(len(ROWS)), 5)}


def test_a_file_that_changed_after_the_approval_is_not_measured(tmp_path: Path) -> None:
    made = job(tmp_path, content="0" * 64)
    assert held_out.main(str(made.directory / "job.json")) == ExitCode.PLAN_INVALID
    assert "changed since" in written(made)[-1]["problem"]


def plan(method: str = "sft", **changes: Any) -> Plan:
    training = TrainingConfig(
        base_model="m", run_name="r", train_file=Path("t.jsonl"), val_file=Path("v.jsonl"), learning_rate=1e-4
    )
    hashes = DataHashes(train_file="1" * 64, val_file="2" * 64)
    return Plan(method=method, training=training, data=hashes, **changes)


def test_a_plan_gives_the_loss_on_both_of_its_files() -> None:
    tasks = {task.name: task for task in held_out_tasks(plan())}
    assert set(tasks) == {HELD_OUT, TRAINED_ON}
    assert tasks[HELD_OUT].content == "2" * 64
    assert (tasks[HELD_OUT].is_guardrail, tasks[TRAINED_ON].is_guardrail) == (True, False)
    assert not tasks[HELD_OUT].higher_is_better


def test_problems_have_no_answers_whose_loss_could_be_measured() -> None:
    assert held_out_tasks(plan("rl")) == ()
