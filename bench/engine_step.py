"""A training step through the engine (SDK, wire, queue, LoRA, Adam) against torch + PEFT alone, in turn. Prints JSON.

    .venv/bin/python bench/engine_step.py [steps]

32 rows of 24 tokens, rank 16 on all linear layers, two batches submitted ahead. Goal: at most 1.2 x. The engine
computes small models on one thread and leaves the other cores to its clients, so torch is timed on one and on all.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["TINKER_TELEMETRY"] = "0"

from tcao_tui.paths import TINY_MODEL, TINY_MODEL_NAME
from tests.fakes import engine_process

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ROWS, TOKENS, RANK, WARM_UP, ROUNDS = 32, 24, 16, 10, 5


def token_rows() -> list[list[int]]:
    """Rows of `TOKENS` + 1 byte tokens."""
    text = b"user: my parcel never came, where is it now? "
    return [[text[(row * 7 + i) % len(text)] for i in range(TOKENS + 1)] for row in range(ROWS)]


def through_engine(url: str, key: str) -> Callable[[int], None]:
    """A function that trains n steps through the real SDK."""
    import tinker

    service = tinker.ServiceClient(base_url=url, api_key=key)
    trainer: Any = service.create_lora_training_client(TINY_MODEL_NAME, rank=RANK, seed=0).result()
    batch = [
        tinker.Datum(
            model_input=tinker.ModelInput.from_ints(row[:-1]),
            loss_fn_inputs={
                "target_tokens": tinker.TensorData(data=row[1:], dtype="int64", shape=[TOKENS]),
                "weights": tinker.TensorData(data=[1.0] * TOKENS, dtype="float32", shape=[TOKENS]),
            },
        )
        for row in token_rows()
    ]
    params = tinker.AdamParams(learning_rate=1e-4)

    def train(steps: int) -> None:
        pending: deque[tuple[Any, Any]] = deque()
        for _ in range(steps):
            pending.append((trainer.forward_backward(batch, "cross_entropy"), trainer.optim_step(params)))
            if len(pending) > 2:
                [future.result() for future in pending.popleft()]
        for pair in pending:
            [future.result() for future in pair]

    return train


def alone(threads: int) -> Callable[[int], None]:
    """A function that trains n steps with torch and PEFT in this process, on so many threads."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base: Any = AutoModelForCausalLM.from_pretrained(TINY_MODEL, dtype=torch.float32)
    model: Any = get_peft_model(base, LoraConfig(r=RANK, lora_alpha=32, target_modules=[*LINEAR, "lm_head"]))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, fused=True)
    rows = torch.tensor(token_rows())

    def train(steps: int) -> None:
        torch.set_num_threads(threads)
        for _ in range(steps):
            logits = model(input_ids=rows[:, :-1], use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten(), reduction="sum")
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            loss.item()

    return train


def main(steps: int) -> None:
    """Measure `ROUNDS` rounds of `steps` steps of each, in turn."""
    with tempfile.TemporaryDirectory() as scratch:
        engine = engine_process.start(Path(scratch) / "engine")
        try:
            cores = os.cpu_count() or 1
            runs = {
                "engine": through_engine(engine.url, engine.key),
                "torch_peft_one_thread": alone(1),
                "torch_peft_all_threads": alone(cores),
            }
            milliseconds: dict[str, list[float]] = {name: [] for name in runs}
            for train in runs.values():
                train(WARM_UP)
            for _ in range(ROUNDS):
                for name, train in runs.items():
                    start = time.perf_counter()
                    train(steps)
                    milliseconds[name].append((time.perf_counter() - start) / steps * 1e3)
        finally:
            engine.stop()
    medians = {name: statistics.median(values) for name, values in milliseconds.items()}
    ratios = {n: round(medians["engine"] / v, 2) for n, v in medians.items() if n != "engine"}
    print(json.dumps({"ms_per_step": {n: round(v, 1) for n, v in medians.items()}, "engine_over": ratios}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
