"""The plan's own eval: answers to held-out prompts, graded against the wanted answers. Prints JSON.

    python eval_offline.py                                  the base model
    MODEL_PATH=tinker://... python eval_offline.py          a checkpoint (its sampler weights)
    python eval_offline.py --answers answers.jsonl          also write each answer and its grade

Needs `pip install tinker tinker-cookbook`. Key and server come from the environment (TINKER_API_KEY, TINKER_BASE_URL).
Prompts, greedy sampling and grader are those of `tcao run` on the same plan; grader.py is a copy, to read and change.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import tinker
from tinker_cookbook.eval.evaluators import SamplingClientEvaluator
from tinker_cookbook.renderers import Renderer, get_text_content

from answers import final_answer
from grader import Grader
from plan import PLAN_DIR, Conversation, Values, conversations, load_renderer, load_tokenizer, read_yaml

Pair = tuple[Conversation, str]


@dataclass
class Answer:
    """One row: `grade` None means that it could not be graded, which is neither right nor wrong."""

    prompt: str
    answer: str
    reference: str
    grade: bool | None
    truncated: bool


class OfflineEvaluator(SamplingClientEvaluator):
    """Answers prompts and grades them; the cookbook's loops take it as one of their `evaluator_builders`."""

    def __init__(self, pairs: Sequence[Pair], renderer: Renderer, *, max_tokens: int, seed: int) -> None:
        self.pairs = pairs
        self.renderer = renderer
        self.sampling = tinker.SamplingParams(
            max_tokens=max_tokens, temperature=0.0, seed=seed, stop=renderer.get_stop_sequences()
        )
        self.answers: list[Answer] = []

    async def __call__(self, sampling_client: tinker.SamplingClient) -> dict[str, float]:
        """Counts, and the share of right answers among those that could be graded."""
        self.answers = await asyncio.gather(*(self.answer(sampling_client, *pair) for pair in self.pairs))
        grades = [answer.grade for answer in self.answers if answer.grade is not None]
        return {
            "n": len(self.answers),
            "correct": sum(grades),
            "unscored": len(self.answers) - len(grades),
            "truncated": sum(answer.truncated for answer in self.answers),
            "score": sum(grades) / len(grades) if grades else math.nan,
        }

    async def answer(self, sampling_client: tinker.SamplingClient, prompt: Conversation, reference: str) -> Answer:
        """Sample one answer and grade it."""
        rendered = self.renderer.build_generation_prompt(prompt)
        sequence = (await sampling_client.sample(rendered, 1, self.sampling)).sequences[0]
        text = get_text_content(self.renderer.parse_response(sequence.tokens)[0])
        return Answer(
            prompt=get_text_content(prompt[-1]),
            answer=text,
            reference=reference,
            grade=Grader().grade(text, reference),
            truncated=sequence.stop_reason == "length",
        )


def wilson_interval(correct: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """95% interval of a share; unlike one made of the standard error, honest at 0 and 1 and for few rows."""
    if n == 0:
        return 0.0, 1.0
    share, shrink = correct / n, 1 + z * z / n
    middle = (share + z * z / (2 * n)) / shrink
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / shrink
    return max(0.0, middle - half), min(1.0, middle + half)


def parse_arguments(score: Values) -> argparse.Namespace:
    """Command line; what is left out is taken from the plan."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model-path", default=os.environ.get("MODEL_PATH"), help="sampler weights, tinker://...")
    parser.add_argument("--file", type=Path, default=score.get("file"), help="rows with the wanted answers")
    parser.add_argument("--max-rows", type=int, default=score.get("max_rows", 100), help="rows, from the top")
    parser.add_argument("--max-tokens", type=int, default=score.get("max_tokens", 64), help="tokens per answer")
    parser.add_argument("--answers", type=Path, help="write each row with its answer and grade as JSONL")
    arguments = parser.parse_args()
    if arguments.file is None:
        parser.error("the plan names no eval of its own: give --file")
    return arguments


def read_pairs(path: Path, config: Values, score: Values, renderer: Renderer, max_rows: int) -> list[Pair]:
    """Prompts and wanted answers, read by the eval's own field names where it has any, else as the training rows."""
    own = {key: score[key] for key in ("input_field", "output_field") if score.get(key)}
    if own or config["data_format"] == "preference":
        config = config | {"data_format": None, "input_field": "input", "output_field": "output"} | own
    pairs: list[Pair] = []
    rows = itertools.islice(conversations(path, config, renderer), max_rows)
    for number, (*prompt, wanted) in enumerate(rows, 1):
        if not prompt or wanted["role"] != "assistant":
            sys.exit(f"{path}, row {number}: must be a prompt and the wanted answer")
        text = get_text_content(wanted)
        is_worked_out = config["data_format"] == "problem"
        pairs.append((prompt, (final_answer(text) or text.strip()) if is_worked_out else text))
    return pairs


def main() -> None:
    """Evaluate the base model or a checkpoint and print one JSON object."""
    score = read_yaml(PLAN_DIR / "plan.yaml")["evals"]["score"] or {}
    arguments = parse_arguments(score)
    config = read_yaml(PLAN_DIR / "training-config.yaml")
    model, path = config["base_model"], arguments.model_path or None
    with tinker.ServiceClient() as service:
        tokenizer = load_tokenizer(model, lambda: service.create_lora_training_client(model, rank=1).result())
        renderer = load_renderer(config, tokenizer)
        pairs = read_pairs(Path(arguments.file), config, score, renderer, arguments.max_rows)
        evaluator = OfflineEvaluator(pairs, renderer, max_tokens=arguments.max_tokens, seed=config["seed"])
        client = service.create_sampling_client(model_path=path, base_model=None if path else model).result()
        result = asyncio.run(evaluator(client))
    if arguments.answers is not None:
        rows = [json.dumps(asdict(answer)) for answer in evaluator.answers]
        arguments.answers.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    graded = int(result["n"] - result["unscored"])
    interval = wilson_interval(int(result["correct"]), graded)
    if not graded:
        result["score"] = None
    print(json.dumps({"model": path or model, "grader": Grader.name, **result, "wilson_95": interval}))


if __name__ == "__main__":
    main()
