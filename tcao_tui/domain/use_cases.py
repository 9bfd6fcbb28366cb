"""Kinds of use, how a goal is recognised as one, and the few public benchmarks that bear on it.

Names and sizes are those of inspect_evals 0.26. Tokens per sample are our estimate from each task's prompt form, for
the cost estimate only. IFEval is left out: its extra cannot be installed from a package index.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcao_tui.domain.plan import UseCase

USE_CASES: dict[UseCase, str] = {
    "chat": "answers people in plain language",
    "code": "writes or changes programs",
    "tools": "calls functions or acts as an agent",
    "safety": "refuses what it should and nothing else",
    "reasoning": "works out an answer that can be checked",
    "multilingual": "works in more than one language",
}

GOAL_WORDS: dict[UseCase, tuple[str, ...]] = {
    "tools": ("tool call", "tool-call", "tool use", "use tools", "call tools", "function call", "function-call",
              "call functions", "call api", "call our api", "api calls", "agentic", "as an agent"),
    "code": ("code ", "coding", "python", "javascript", "typescript", "rust program", "sql", "programs ", "programming",
             "refactor", "unit test", "pull request", "compiler", "regex", "shell command", "bash "),
    "safety": ("harmful", "jailbreak", "refus", "unsafe request", "toxic", "content policy", "moderat"),
    "reasoning": ("math", "arithmetic", "reasoning", "word problem", "algebra", "geometry", "calculat", "proofs ",
                  "prove ", "logic ", "puzzle", "step by step", "step-by-step", "physics", "theorem"),
    "multilingual": ("translat", "multilingual", "languages", "bilingual", "german", "french", "spanish", "italian",
                     "portuguese", "japanese", "chinese", "korean", "arabic", "hindi", "russian", "polish ", "dutch",
                     "turkish", "swedish", "localis", "localiz"),
}  # fmt: skip
"""Beginnings of words, whole ones where a space follows; the most telling use first, chat is what is left."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A public benchmark.

    Attributes:
        name: Task of Inspect Evals.
        samples: How many it has.
        why: What it really measures and how that bears on the goal, one sentence.
        prompt_tokens, answer_tokens: Expected per sample, answers without thinking.
        needs: What it needs besides the model: "" nothing, else a judge model, Docker and the like.
    """

    name: str
    samples: int
    why: str
    prompt_tokens: int
    answer_tokens: int
    needs: str = ""


_MMLU = Benchmark(
    "inspect_evals/mmlu_0_shot", 13937,
    "Multiple-choice knowledge over 57 subjects: says nothing about style, but falls when training overwrites what "
    "the model knew.", 160, 8,
)  # fmt: skip
_GSM8K = Benchmark(
    "inspect_evals/gsm8k", 1319,
    "Grade-school word problems graded by the final number: multi-step arithmetic, and whether chains of thought still "
    "reach an end.", 1500, 220,
)  # fmt: skip
_XSTEST = Benchmark(
    "inspect_evals/xstest", 250,
    "Harmless questions that look dangerous, and real ones: shows a model that refuses too much or too little.",
    40, 250, "a judge model",
)  # fmt: skip

BENCHMARKS: dict[UseCase, tuple[Benchmark, ...]] = {
    "chat": (
        _MMLU,
        Benchmark(
            "inspect_evals/truthfulqa", 817,
            "Questions that many people answer wrongly, as multiple choice: shows a model that learned to please "
            "rather than to be right.", 200, 8,
        ),
    ),
    "code": (
        Benchmark(
            "inspect_evals/humaneval", 164,
            "Python functions from their docstrings, run against tests: small self-contained code, not work in a "
            "repository.", 220, 250, "Docker, where the answers are run",
        ),
        Benchmark(
            "inspect_evals/mbpp", 257,
            "Short Python tasks from one sentence with tests: basic programming, close to what a chat user asks.",
            420, 160, "Docker, where the answers are run",
        ),
        _MMLU,
    ),
    "tools": (
        Benchmark(
            "inspect_evals/bfcl", 4981,
            "Function calls compared with the wanted call: right function and right arguments, not whether a task "
            "gets done.", 900, 90, "the extra inspect-evals[bfcl] and a git clone",
        ),
        Benchmark(
            "inspect_evals/tau2_retail", 114,
            "Whole conversations of a shop's agent, graded by the final state of its database; doing nothing already "
            "scores about 0.2.", 60_000, 3_000, "a model that plays the customer",
        ),
        _MMLU,
    ),
    "safety": (
        Benchmark(
            "inspect_evals/strong_reject", 324,
            "Plainly harmful requests: how useful the answers would be to an attacker, lower is better.",
            60, 400, "a judge model",
        ),
        _XSTEST,
        _MMLU,
    ),
    "reasoning": (
        _GSM8K,
        Benchmark(
            "inspect_evals/mmlu_pro", 12032,
            "Ten-choice questions that need steps of reasoning in 14 subjects: whether what was learned carries over "
            "beyond the training problems.", 330, 450,
        ),
        Benchmark(
            "inspect_evals/arc_challenge", 1172,
            "Grade-school science as multiple choice: common-sense reasoning without arithmetic, which narrow "
            "training may cost.", 120, 8,
        ),
    ),
    "multilingual": (
        Benchmark(
            "inspect_evals/mgsm", 2750,
            "The same word problems in 11 languages: shows which languages lag behind at one and the same task.",
            250, 260,
        ),
        _MMLU,
    ),
}  # fmt: skip
"""At most three for each use: one or two that bear on it, one for what must not get worse."""


def benchmark_named(name: str) -> Benchmark | None:
    """The entry of a task, where we have one."""
    return next((b for group in BENCHMARKS.values() for b in group if b.name == name), None)
