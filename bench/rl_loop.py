"""Our RL loop against the cookbook's `rl.train` on one engine, model and data, taken in turn. Prints JSON.

    .venv/bin/python bench/rl_loop.py [rounds] [steps] [batch_problems] [steps_off_policy]

Goal: at least 1.0 x its steps per second, with as many tokens trained. Each side runs as it does by default: both write
their rollouts, ours with their texts, the cookbook's with an HTML page of some. Answers are drawn at random by a model
that never ends one, so both do the same work. Start-up and the first steps are left out.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.sft_loop import MODEL, RENDERER, compare, one_side

if TYPE_CHECKING:
    from tinker_cookbook.rl.types import EnvGroupBuilder, RLDataset, RLDatasetBuilder

PROBLEMS = "problems.jsonl"
GROUP, TOKENS, RATE = 8, 8, 1e-5
AHEAD = "BENCH_STEPS_OFF_POLICY"


def ours(url: str, key: str, scratch: Path, steps: int, batch: int) -> list[float]:
    """Our method, with a context that only remembers; returns the tokens trained in each step."""
    from tcao_tui.clients.prices import price_quote
    from tcao_tui.clients.tinker_sdk import connect
    from tcao_tui.domain.method_params import RlParams
    from tcao_tui.domain.plan import Plan
    from tcao_tui.domain.training_config import TrainingConfig
    from tcao_tui.methods import METHODS
    from tests.fakes.recording_context import RecordingContext

    config = TrainingConfig(
        base_model=MODEL,
        run_name="bench",
        train_file=scratch / PROBLEMS,
        lora_rank=16,
        max_seq_len=256,
        train_batch_size=batch,
        num_steps=steps,
        eval_every=0,
        save_every=0,
        learning_rate=RATE,
        renderer_name=RENDERER,
    )
    params = RlParams(
        grader="python:tests.fakes.own_grader:even_length",
        group_size=GROUP,
        max_tokens=TOKENS,
        max_steps_off_policy=int(os.environ[AHEAD]),
    )

    async def carry_out() -> list[float]:
        quote = price_quote("engine", url, MODEL)
        backend = await connect(
            base_url=url, api_key=key, quote=quote, run_metadata={"tcao_run": "bench"}, on_waiting=lambda *_: None
        )
        run_dir = Path(tempfile.mkdtemp(dir=scratch))
        context = RecordingContext(Plan(method="rl", rl=params, training=config), backend, run_dir=run_dir)
        await METHODS.load("rl")(context)
        await backend.close("success")
        return list(context.series("num_tokens").values())

    return asyncio.run(carry_out())


def in_our_order(scratch: Path, batch: int) -> RLDatasetBuilder:
    """The cookbook's own environments over the problems, in our order and with our reward."""
    import chz
    from tinker_cookbook.renderers import get_renderer
    from tinker_cookbook.rl.problem_env import ProblemEnv, ProblemGroupBuilder
    from tinker_cookbook.rl.types import RLDataset, RLDatasetBuilder
    from tinker_cookbook.tokenizer_utils import get_tokenizer

    from tcao_tui.data.order import BatchOrder
    from tcao_tui.domain.checkpoints import DataCursor

    renderer = get_renderer(RENDERER, get_tokenizer(MODEL))

    class Asked(ProblemEnv):
        def __init__(self, row: dict[str, str]) -> None:
            super().__init__(renderer, format_coef=0.0)
            self.row = row

        def get_question(self) -> str:
            return self.row["problem"]

        def check_answer(self, sample_str: str) -> bool:
            return len(sample_str) % 2 == 0

        def check_format(self, sample_str: str) -> bool:
            return True

        def get_reference_answer(self) -> str:
            return self.row["answer"]

    class Problems(RLDataset):
        def __init__(self) -> None:
            self.rows = [json.loads(line) for line in (scratch / PROBLEMS).read_text().splitlines()]
            self.order = BatchOrder(len(self.rows), batch, 0)

        def get_batch(self, index: int) -> Sequence[EnvGroupBuilder]:
            rows = self.order.batch(DataCursor(epoch=0, batch=index))
            return [ProblemGroupBuilder(lambda row=row: Asked(self.rows[row]), GROUP) for row in rows]

        def __len__(self) -> int:
            return self.order.batches_per_epoch

    @chz.chz
    class Ordered(RLDatasetBuilder):
        async def __call__(self) -> tuple[RLDataset, None]:
            return Problems(), None

    return Ordered()


def cookbooks(url: str, key: str, scratch: Path, steps: int, batch: int) -> list[float]:
    """`tinker_cookbook.rl.train` with our LoRA seed; returns the tokens trained in each step."""
    import tinker
    from tinker_cookbook import tokenizer_utils
    from tinker_cookbook.rl import train
    from tinker_cookbook.utils import cost_estimation
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(scratch / "model")
    tokenizer_utils.register_tokenizer(MODEL, lambda: tokenizer)
    os.environ["TINKER_API_KEY"] = key
    create: Callable[..., Any] = tinker.ServiceClient.create_lora_training_client
    setattr(tinker.ServiceClient, create.__name__, lambda self, *given, **named: create(self, *given, seed=0, **named))
    # It asks the network for prices, which is not what is measured.
    setattr(train, cost_estimation.fetch_model_pricing.__name__, lambda name: None)

    log_path = tempfile.mkdtemp(dir=scratch)
    ahead = int(os.environ[AHEAD])
    config = train.Config(
        log_path=log_path,
        model_name=MODEL,
        recipe_name="bench",
        renderer_name=RENDERER,
        dataset_builder=in_our_order(scratch, batch),
        learning_rate=RATE,
        max_tokens=TOKENS,
        max_steps=steps,
        lora_rank=16,
        save_every=0,
        eval_every=0,
        base_url=url,
        async_config=train.AsyncConfig(
            max_steps_off_policy=ahead, groups_per_batch=batch, loss_fn="importance_sampling"
        )
        if ahead
        else None,
    )
    asyncio.run(train.main(config))
    rows = [json.loads(line) for line in (Path(log_path) / "metrics.jsonl").read_text().splitlines()]
    return [row["tokens/trained"] for row in rows if "tokens/trained" in row]


def write_problems(path: Path, count: int) -> None:
    """Sums of two digits each, so that all prompts are of one length."""
    numbers = random.Random(1)
    drawn = [(numbers.randrange(10, 50), numbers.randrange(10, 50)) for _ in range(count)]
    rows = [{"problem": f"add {a} {b}", "answer": str(a + b)} for a, b in drawn]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def main(rounds: int, steps: int, batch: int, ahead: int) -> None:
    """Measure `rounds` rounds of both sides, on policy or up to `ahead` steps off it."""
    os.environ[AHEAD] = str(ahead)
    compare(
        __file__, lambda folder: write_problems(folder / PROBLEMS, batch * steps), rounds, steps, batch, what="token"
    )


if __name__ == "__main__":
    if sys.argv[1:2] in (["ours"], ["cookbook"]):
        one_side({"ours": ours, "cookbook": cookbooks}[sys.argv[1]], *sys.argv[2:])
    else:
        given = [int(argument) for argument in sys.argv[1:]]
        main(*(given + [3, 30, 8, 0][len(given) :]))
