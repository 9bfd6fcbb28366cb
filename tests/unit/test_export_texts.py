from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tcao_tui.domain.model_card import CardFacts, model_card, verdict
from tcao_tui.domain.parity import TOLERANCES, Parity
from tcao_tui.domain.plan import EvalPlan, Plan, ScoreSpec
from tcao_tui.domain.serving import Served, servers, serving_markdown, warnings
from tcao_tui.domain.training_config import TrainingConfig

PLAN = Plan(
    goal="File\x1b[2J messages | well",
    training=TrainingConfig(
        base_model="tiny",
        run_name="demo",
        train_file=Path("/home/ann/secret/train.jsonl"),
        val_file=Path("/home/ann/secret/val.jsonl"),
        learning_rate=1e-4,
    ),
    evals=EvalPlan(score=ScoreSpec(file=Path("/home/ann/secret/test.jsonl"))),
)
HOLDS = Parity(
    ready_to_serve=True,
    failures=(),
    tolerance=TOLERANCES["float32"],
    prompts=2,
    compared_tokens=10,
    mean_nats=1e-6,
    max_nats=1e-5,
    greedy_tokens=6,
    greedy_agreed=6,
    greedy_ties=0,
    worst=None,
)
FACTS = CardFacts(
    name="demo-000080-peft",
    form="peft",
    base_model='evil": x\nlicense: mit',
    source="tinker://r/weights/1",
    rank=8,
    alpha=32,
    target_modules=("q_proj", "lm_head"),
    plan=PLAN,
    run_id="r-1",
    step=80,
    scores={"exact": (0.0, 0.96), "val_mean_nll": (None, 0.25)},
    parity=HOLDS,
)
SERVED = Served("demo", "peft", "./a folder", "Qwen/Qwen3-8B", rank=24, has_unembedding=True)


def front_matter(card: str) -> dict[str, object]:
    return yaml.safe_load(card.split("---\n")[1])


def test_the_card_tells_goal_data_evals_and_licence_and_no_place_of_this_machine() -> None:
    card = model_card(FACTS)
    for told in ("File messages", "train.jsonl", "val.jsonl", "test.jsonl", "96.0%", "0.25", "## Licence", "r-1", "80"):
        assert told in card
    assert "/home" not in card
    assert "\x1b" not in card


def test_a_hostile_name_cannot_add_keys_to_the_front_matter() -> None:
    told = front_matter(model_card(FACTS))
    assert told["base_model"] == 'evil": x\nlicense: mit'
    assert set(told) == {"base_model", "library_name", "pipeline_tag", "tags"}
    assert told["library_name"] == "peft"


def test_the_card_of_foreign_weights_says_what_is_not_known() -> None:
    card = model_card(replace(FACTS, plan=None, run_id="", step=None, scores=None, parity=None))
    assert "Not known" in card
    assert "None are known" in card
    assert "Not proved ready to serve" in card


def test_a_failed_proof_is_the_first_thing_said() -> None:
    failed = HOLDS.model_copy(update={"ready_to_serve": False, "failures": ("token 3 is another",)})
    assert verdict(failed).startswith("**NOT ready to serve.**")
    assert "- token 3 is another" in verdict(failed)


def test_commands_of_an_adapter_quote_its_folder_and_round_the_rank_up() -> None:
    text = serving_markdown(SERVED, "fine", blocked=False)
    assert "vllm serve Qwen/Qwen3-8B --enable-lora --max-lora-rank 32 --lora-modules 'demo=./a folder'" in text
    assert "--lora-paths 'demo=./a folder' --max-lora-rank 24 --lora-target-modules all" in text


@pytest.mark.parametrize(
    ("form", "unembedding", "warned"), [("peft", True, 1), ("peft", False, 0), ("merged", True, 0)]
)
def test_only_an_adapter_with_an_unembedding_is_warned_of(form: str, unembedding: bool, warned: int) -> None:
    assert len(warnings(replace(SERVED, form=form, has_unembedding=unembedding))) == warned


def test_a_merged_model_needs_no_lora_options_and_has_a_way_to_ollama() -> None:
    ways = {way.name: "\n".join(way.commands) for way in servers(replace(SERVED, form="merged"))}
    assert "lora" not in ways["vLLM"]
    assert "convert_hf_to_gguf.py './a folder' --outtype bf16 --outfile demo.gguf" in ways["llama.cpp"]
    assert "ollama create demo" in ways["Ollama"]
