"""What an interview must find out: one table that both planners, the plan card and replay use.

A slot covers key paths of the plan. Required ones only a person can answer; others have a default from `policy`, and
some a tool infers. The texts are what the rules planner asks; the LLM planner sees the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tcao_tui.domain.draft import Draft, KeyPath


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing to find out.

    Attributes:
        name: Id of its question.
        title: Label on the plan card.
        paths: Key paths that it covers, the one that decides whether it is filled first.
        need: "required" only a person can tell; "default" policy fills it; "inferred" a tool finds it out.
        question, why: What is asked, and the reason that is shown with it.
    """

    name: str
    title: str
    paths: tuple[KeyPath, ...]
    need: Literal["required", "default", "inferred"]
    question: str
    why: str


SLOTS: tuple[Slot, ...] = (
    Slot(
        "goal",
        "Goal",
        ("goal", "use_case"),
        "required",
        "After training, what should the model do that it does not do now, and for whom?",
        "Method, evals and what counts as success follow from it.",
    ),
    Slot(
        "data",
        "Training data",
        ("training.train_file", "training.data_format", "training.input_field", "training.output_field"),
        "required",
        "Which file holds the rows to learn from?",
        "Its rows decide the method, the model's size and the cost.",
    ),
    Slot(
        "method",
        "Method",
        ("method", "start_from", "rl.grader", "distill.teacher_model"),
        "inferred",
        "How should it learn from these rows?",
        "The shape of the rows allows more than one method.",
    ),
    Slot(
        "evals",
        "Evals",
        ("evals.score.file", "evals.score.grader", "evals.benchmarks"),
        "default",
        "Which rows, never trained on, show whether it does what you want?",
        "Without an eval of your own task nobody can say whether the model became better.",
    ),
    Slot(
        "success",
        "Success",
        ("success.threshold", "success.metric", "success.must_not_regress"),
        "required",
        "Which score would make you use it, and what must not get worse?",
        "A threshold set after the fact proves nothing.",
    ),
    Slot(
        "model",
        "Base model",
        ("training.base_model", "training.renderer_name"),
        "default",
        "Which base model should it start from?",
        "It decides quality, cost per step and what serving costs later.",
    ),
    Slot(
        "budget",
        "Budget",
        ("budget.max_cost_usd",),
        "required",
        "What may this cost at most, in US dollars?",
        "The worker stops with a checkpoint at this amount; there is no default above $0.",
    ),
    Slot(
        "schedule",
        "Steps",
        ("training.num_steps", "training.train_batch_size", "training.max_seq_len", "training.eval_every"),
        "default",
        "How long should it train?",
        "A pilot shows within a fraction of the cost whether the full run is worth it.",
    ),
    Slot(
        "lora",
        "LoRA and learning rate",
        ("training.lora_rank", "training.learning_rate", "training.train_mlp", "training.train_attn"),
        "default",
        "Which LoRA rank and learning rate?",
        "Only worth an answer if you know better than the rule.",
    ),
    Slot(
        "run_name",
        "Name",
        ("training.run_name",),
        "default",
        "What should the run be called?",
        "It labels the run in every list.",
    ),
)


def slot_named(name: str) -> Slot | None:
    """The slot of a question id."""
    return next((slot for slot in SLOTS if slot.name == name), None)


def is_filled(slot: Slot, draft: Draft) -> bool:
    """Whether somebody, not policy, decided the slot."""
    filled = draft.get(slot.paths[0])
    return filled is not None and filled.by != "policy"
