"""What distillation is, for anyone who lists or draws it; imports nothing heavy."""

from __future__ import annotations

from typing import ClassVar


class DistillSpec:
    """A student learns from what a teacher makes likely.

    On policy, `teacher_kl` is the reverse KL of student and teacher, nats per token, estimated on the answers that the
    update learned from: mean of log p(student) - log p(teacher); `teacher_kl/dataset_1` is that of the second teacher.
    `val_teacher_kl` is the same on held-out prompts, by the first teacher, of one answer each that the student gives
    at the plan's temperature, always from the same seeds.

    Off policy, the teacher answers every prompt once, and losses are those of supervised training on these answers;
    `val_mean_nll` is that of the teacher's answers to held-out prompts.
    """

    name: ClassVar[str] = "distill"
    summary: ClassVar[str] = "Distillation: learn from a teacher, who scores the student's answers or gives its own."
    metrics: ClassVar[tuple[str, ...]] = (
        "teacher_kl",
        "val_teacher_kl",
        "train_mean_nll",
        "val_mean_nll",
        "answer_tokens",
        "truncated_share",
        "learning_rate",
        "tokens_per_second",
        "step_seconds",
        "sampled_tokens",
        "num_tokens",
        "epoch",
    )
