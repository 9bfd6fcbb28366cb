"""Our SFT loop against the cookbook's `supervised.train` on one engine, model and data, taken in turn. Prints JSON.

    .venv/bin/python bench/sft_loop.py [rounds] [steps] [batch_rows]

Goal: at least 1.25 x its steps per second, with equal losses. Each side runs with its own default `submit_ahead`;
start-up, loading and saving are left out: steps are timed from submission to submission, once they flow.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if TYPE_CHECKING:
    import tinker
    from tinker.lib.public_interfaces.api_future import APIFuture
    from tinker_cookbook.supervised.types import SupervisedDatasetBuilder
    from transformers import PreTrainedTokenizerBase

WARM_STEPS = 10
RENDERER = "qwen3_instruct"
MODEL = "random"


def timed_submissions() -> list[float]:
    """Note the time of every optim_step that this process submits, whoever does."""
    import tinker

    times: list[float] = []
    original = tinker.TrainingClient.optim_step

    def noted(client: tinker.TrainingClient, parameters: tinker.AdamParams) -> APIFuture[tinker.OptimStepResponse]:
        times.append(time.perf_counter())
        return original(client, parameters)

    setattr(tinker.TrainingClient, original.__name__, noted)
    return times


def ours(url: str, key: str, scratch: Path, steps: int, batch: int) -> list[float]:
    """Our method, with a context that only remembers; returns the losses."""
    from tcao_tui.clients.prices import price_quote
    from tcao_tui.clients.tinker_sdk import connect
    from tcao_tui.domain.plan import Plan
    from tcao_tui.domain.training_config import TrainingConfig
    from tcao_tui.methods import METHODS
    from tests.fakes.recording_context import RecordingContext

    config = TrainingConfig(
        base_model=MODEL,
        run_name="bench",
        train_file=scratch / "rows.jsonl",
        lora_rank=16,
        max_seq_len=512,
        train_batch_size=batch,
        num_steps=steps,
        eval_every=0,
        save_every=0,
        learning_rate=1e-3,
        renderer_name=RENDERER,
    )

    async def carry_out() -> list[float]:
        quote = price_quote("engine", url, MODEL)
        backend = await connect(
            base_url=url, api_key=key, quote=quote, run_metadata={"tcao_run": "bench"}, on_waiting=lambda *_: None
        )
        context = RecordingContext(Plan(training=config), backend)
        await METHODS.load("sft")(context)
        await backend.close("success")
        return list(context.series("train_mean_nll").values())

    return asyncio.run(carry_out())


def in_our_order(scratch: Path, tokenizer: PreTrainedTokenizerBase, batch: int) -> SupervisedDatasetBuilder:
    """The cookbook's own dataset over the rows, shuffled as we shuffle."""
    import chz
    import datasets
    from tinker_cookbook.renderers import get_renderer
    from tinker_cookbook.supervised.data import SupervisedDatasetFromHFDataset, conversation_to_datum
    from tinker_cookbook.supervised.types import SupervisedDataset, SupervisedDatasetBuilder

    from tcao_tui.data.order import epoch_order

    class OurOrder(SupervisedDatasetFromHFDataset):
        def set_epoch(self, seed: int = 0) -> None:
            self.shuffle_dataset = self.hf_dataset.select(list(epoch_order(len(self.hf_dataset), 0, seed)))

    @chz.chz
    class Rows(SupervisedDatasetBuilder):
        def __call__(self) -> tuple[SupervisedDataset, None]:
            renderer = get_renderer(RENDERER, tokenizer)
            rows = [json.loads(line) for line in (scratch / "rows.jsonl").read_text().splitlines()]
            turns = [
                [{"role": "user", "content": row["input"]}, {"role": "assistant", "content": row["output"]}]
                for row in rows
            ]
            return OurOrder(
                datasets.Dataset.from_list([{"messages": messages} for messages in turns]),
                batch_size=batch,
                map_fn=lambda row: conversation_to_datum(row["messages"], renderer, 512),
            ), None

    return Rows()


def cookbooks(url: str, key: str, scratch: Path, steps: int, batch: int) -> list[float]:
    """`tinker_cookbook.supervised.train` with our row order and our LoRA seed; returns the losses."""
    import tinker
    from tinker_cookbook import tokenizer_utils
    from tinker_cookbook.supervised import train
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(scratch / "model")
    tokenizer_utils.register_tokenizer(MODEL, lambda: tokenizer)
    os.environ["TINKER_API_KEY"] = key
    create: Callable[..., Any] = tinker.ServiceClient.create_lora_training_client
    setattr(tinker.ServiceClient, create.__name__, lambda self, **named: create(self, seed=0, **named))

    log_path = tempfile.mkdtemp(dir=scratch)
    config = train.Config(
        log_path=log_path,
        model_name=MODEL,
        recipe_name="bench",
        renderer_name=RENDERER,
        dataset_builder=in_our_order(scratch, tokenizer, batch),
        learning_rate=1e-3,
        lr_schedule="constant",
        num_epochs=10_000,
        max_steps=steps,
        lora_rank=16,
        save_every=0,
        eval_every=0,
        base_url=url,
    )
    asyncio.run(train.main(config))
    lines = (Path(log_path) / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["train_mean_nll"] for line in lines]


def write_rows(path: Path, rows: int) -> None:
    """Short sums: about 32 tokens a row with the byte tokenizer."""
    numbers = random.Random(1)
    pairs = [(numbers.randrange(100), numbers.randrange(100)) for _ in range(rows)]
    path.write_text("".join(json.dumps({"input": f"add {a} {b}", "output": str(a + b)}) + "\n" for a, b in pairs))


def compare(
    script: str, prepare: Callable[[Path], None], rounds: int, steps: int, batch: int, *, what: str = "loss"
) -> None:
    """Measure `rounds` rounds of both sides of a script, each side in a process of its own, and print ratio and losses.

    Args:
        script: Path of the bench; with "ours" or "cookbook" as its first argument it runs that side.
        prepare: Writes the data into a folder, where the model lies in `model`.
        rounds: Times that each side is run.
        steps: Updates of a run.
        batch: Rows per update.
        what: The numbers that both sides give for each update and that should be equal.
    """
    from tests.fakes.engine_process import EngineProcess
    from tests.fakes.random_model import write_random_model

    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        write_random_model(scratch / "model")
        prepare(scratch)
        engine = EngineProcess(scratch / "state", model_dirs=[f"{MODEL}={scratch / 'model'}"])
        rates: dict[str, list[float]] = {"ours": [], "cookbook": []}
        losses: dict[str, list[float]] = {}
        try:
            for _ in range(rounds):
                for side, found in rates.items():
                    command = [sys.executable, script, side, engine.url, engine.key, name, str(steps), str(batch)]
                    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
                    answer = json.loads(done.stdout.splitlines()[-1])
                    found.append(answer["steps_per_second"])
                    losses[side] = answer["losses"]
        finally:
            engine.stop()
    medians = {side: statistics.median(found) for side, found in rates.items()}
    difference = max(abs(a - b) for a, b in zip(losses["ours"], losses["cookbook"], strict=True))
    ratio = round(medians["ours"] / medians["cookbook"], 2)
    print(json.dumps({"steps_per_second": medians, "ratio": ratio, f"largest_{what}_difference": difference}))


type Side = Callable[[str, str, Path, int, int], list[float]]
"""URL, key, folder, steps and rows of a batch to losses."""


def one_side(carry_out: Side, url: str, key: str, *rest: str) -> None:
    """Run one side in this process and print what it did; `rest` is scratch folder, steps and rows of a batch."""
    os.environ["TINKER_TELEMETRY"] = "0"
    times = timed_submissions()
    losses = carry_out(url, key, Path(rest[0]), int(rest[1]), int(rest[2]))
    flowing = times[WARM_STEPS:]
    rate = (len(flowing) - 1) / (flowing[-1] - flowing[0])
    print(json.dumps({"steps_per_second": rate, "losses": losses}))


def main(rounds: int, steps: int, batch: int) -> None:
    """Measure `rounds` rounds of both sides."""
    compare(__file__, lambda folder: write_rows(folder / "rows.jsonl", batch * 20), rounds, steps, batch)


if __name__ == "__main__":
    if sys.argv[1:2] in (["ours"], ["cookbook"]):
        one_side({"ours": ours, "cookbook": cookbooks}[sys.argv[1]], *sys.argv[2:])
    else:
        numbers = [int(argument) for argument in sys.argv[1:]]
        main(*(numbers + [3, 80, 32][len(numbers) :]))
