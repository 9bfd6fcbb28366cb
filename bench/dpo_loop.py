"""Our DPO loop against the cookbook's `preference.train_dpo` on one engine, model and data, taken in turn. Prints JSON.

    .venv/bin/python bench/dpo_loop.py [rounds] [steps] [batch_pairs] [epochs]

Goal: at least 1.0 x its steps per second, with equal losses. Each side runs as it does by default: ours submits ahead
and asks the reference once for each pair, the cookbook awaits each step and asks again in each epoch. Start-up,
loading and saving are left out: steps are timed from submission to submission, once they flow.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.sft_loop import MODEL, RENDERER, compare, one_side

if TYPE_CHECKING:
    import datasets
    from tinker_cookbook.supervised.types import ChatDatasetBuilder, SupervisedDataset

PAIRS = "pairs.jsonl"
MAX_TOKENS = 512
RATE = 1e-4
BETA = 0.1


def ours(url: str, key: str, scratch: Path, steps: int, batch: int) -> list[float]:
    """Our method, with a context that only remembers; returns the losses."""
    from tcao_tui.clients.prices import price_quote
    from tcao_tui.clients.tinker_sdk import connect
    from tcao_tui.domain.method_params import DpoParams
    from tcao_tui.domain.plan import Plan
    from tcao_tui.domain.training_config import TrainingConfig
    from tcao_tui.methods import METHODS
    from tests.fakes.recording_context import RecordingContext

    config = TrainingConfig(
        base_model=MODEL,
        run_name="bench",
        train_file=scratch / PAIRS,
        lora_rank=16,
        max_seq_len=MAX_TOKENS,
        train_batch_size=batch,
        num_steps=steps,
        eval_every=0,
        save_every=0,
        learning_rate=RATE,
        renderer_name=RENDERER,
    )

    async def carry_out() -> list[float]:
        quote = price_quote("engine", url, MODEL)
        backend = await connect(
            base_url=url, api_key=key, quote=quote, run_metadata={"tcao_run": "bench"}, on_waiting=lambda *_: None
        )
        context = RecordingContext(Plan(method="dpo", dpo=DpoParams(beta=BETA), training=config), backend)
        await METHODS.load("dpo")(context)
        await backend.close("success")
        return list(context.series("dpo_loss").values())

    return asyncio.run(carry_out())


def in_our_order(scratch: Path, batch: int) -> ChatDatasetBuilder:
    """The cookbook's own dataset over the pairs, shuffled as we shuffle."""
    import chz
    import datasets
    from tinker_cookbook.preference.dpo_datasets import DPODatasetBuilderFromComparisons
    from tinker_cookbook.preference.preference_datasets import ComparisonDatasetBuilder
    from tinker_cookbook.preference.types import Comparison, LabeledComparison
    from tinker_cookbook.renderers import Message
    from tinker_cookbook.supervised.data import SupervisedDatasetFromHFDataset
    from tinker_cookbook.supervised.types import ChatDatasetBuilderCommonConfig

    from tcao_tui.data.order import epoch_order

    class OurOrder(SupervisedDatasetFromHFDataset):
        def set_epoch(self, seed: int = 0) -> None:
            self.shuffle_dataset = self.hf_dataset.select(list(epoch_order(len(self.hf_dataset), 0, seed)))

    @chz.chz
    class Pairs(ComparisonDatasetBuilder):
        def get_train_and_test_datasets(self) -> tuple[datasets.Dataset, None]:
            lines = (scratch / PAIRS).read_text().splitlines()
            return datasets.Dataset.from_list([json.loads(line) for line in lines]), None

        def example_to_labeled_comparison(self, example: dict[str, str]) -> LabeledComparison:
            prompt, chosen, rejected = (
                [Message(role=role, content=example[field])]
                for role, field in (("user", "prompt"), ("assistant", "chosen"), ("assistant", "rejected"))
            )
            return LabeledComparison(Comparison(prompt, chosen, rejected), "A")

    @chz.chz
    class Ordered(DPODatasetBuilderFromComparisons):
        def __call__(self) -> tuple[SupervisedDataset, None]:
            dataset, _ = super().__call__()
            assert isinstance(dataset, SupervisedDatasetFromHFDataset)
            return OurOrder(dataset.hf_dataset, batch, flatmap_fn=dataset.flatmap_fn), None

    common = ChatDatasetBuilderCommonConfig(
        model_name_for_tokenizer=MODEL, renderer_name=RENDERER, max_length=MAX_TOKENS, batch_size=batch
    )
    return Ordered(common_config=common, comparison_builder=Pairs())


def cookbooks(url: str, key: str, scratch: Path, steps: int, batch: int) -> list[float]:
    """`tinker_cookbook.preference.train_dpo` with our row order and our LoRA seed; returns the losses."""
    import tinker
    from tinker_cookbook import tokenizer_utils
    from tinker_cookbook.preference import train_dpo
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(scratch / "model")
    tokenizer_utils.register_tokenizer(MODEL, lambda: tokenizer)
    os.environ["TINKER_API_KEY"] = key
    create: Callable[..., Any] = tinker.ServiceClient.create_lora_training_client
    setattr(tinker.ServiceClient, create.__name__, lambda self, **named: create(self, seed=0, **named))

    log_path = tempfile.mkdtemp(dir=scratch)
    config = train_dpo.Config(
        log_path=log_path,
        model_name=MODEL,
        recipe_name="bench",
        renderer_name=RENDERER,
        dataset_builder=in_our_order(scratch, batch),
        learning_rate=RATE,
        lr_schedule="constant",
        num_epochs=10_000,
        max_steps=steps,
        dpo_beta=BETA,
        lora_rank=16,
        save_every=0,
        eval_every=0,
        infrequent_eval_every=0,
        base_url=url,
    )
    train_dpo.main(config)
    lines = (Path(log_path) / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["dpo_loss"] for line in lines]


def write_pairs(path: Path, count: int) -> None:
    """Short sums, right and wrong: about 32 tokens an answer with the byte tokenizer."""
    numbers = random.Random(1)
    drawn = [(numbers.randrange(100), numbers.randrange(100), numbers.randrange(1, 9)) for _ in range(count)]
    rows = [{"prompt": f"add {a} {b}", "chosen": str(a + b), "rejected": str(a + b + off)} for a, b, off in drawn]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def main(rounds: int, steps: int, batch: int, epochs: int) -> None:
    """Measure `rounds` rounds of both sides, over so many pairs that the steps are `epochs` passes."""
    pairs = batch * -(-steps // epochs)
    compare(__file__, lambda folder: write_pairs(folder / PAIRS, pairs), rounds, steps, batch)


if __name__ == "__main__":
    if sys.argv[1:2] in (["ours"], ["cookbook"]):
        one_side({"ours": ours, "cookbook": cookbooks}[sys.argv[1]], *sys.argv[2:])
    else:
        given = [int(argument) for argument in sys.argv[1:]]
        main(*(given + [3, 60, 16, 1][len(given) :]))
