"""Benchmarks of knowledge, reasoning, code and plain answers.

Scorers, arguments and settings were read in the source of inspect_evals 0.26; tokens are our estimate from each task's
prompt form.
"""

from __future__ import annotations

from tcao_tui.domain.benchmarks.entry import (
    DOCKER,
    JUDGE,
    TEMPERATURE,
    TEMPERATURE_AND_LENGTH,
    Benchmark,
    Helper,
)

_SMALL = "30 items: even with four answers to each, a difference below 20 points may be chance."

KNOWLEDGE = (
    Benchmark(
        "mmlu_0_shot", 13937,
        "Multiple-choice knowledge over 57 subjects: says nothing about style, but falls when training overwrites what "
        "the model knew.", 160, 8, "choice", cap_argument="max_non_cot_tokens", fixes=TEMPERATURE,
        datasets=("cais/mmlu",),
    ),
    Benchmark(
        "mmlu_5_shot", 14015,
        "The same questions after five examples: for base models, which do not follow the form without them.",
        750, 8, "choice", cap_argument="max_non_cot_tokens", fixes=TEMPERATURE,
        datasets=("cais/mmlu",),
    ),
    Benchmark(
        "mmlu_pro", 12032,
        "Ten-choice questions that need steps of reasoning in 14 subjects: whether what was learned carries over "
        "beyond the training problems.", 330, 450, "choice",
    ),
    Benchmark(
        "truthfulqa", 817,
        "Questions that many people answer wrongly, as multiple choice: shows a model that learned to please "
        "rather than to be right.", 200, 8, "choice",
        caveat="Its answers are public and in many training sets.",
    ),
    Benchmark(
        "gpqa_diamond", 198,
        "Graduate questions in biology, physics and chemistry that searching does not answer: expert reasoning.",
        260, 600, "choice", epochs=4,
    ),
)  # fmt: skip

REASONING = (
    Benchmark(
        "gsm8k", 1319,
        "Grade-school word problems graded by the final number: multi-step arithmetic, and whether chains of thought "
        "still reach an end.", 1500, 220, "match", asks_hub=True,
    ),
    Benchmark(
        "arc_challenge", 1172,
        "Grade-school science as multiple choice: common-sense reasoning without arithmetic, which narrow "
        "training may cost.", 120, 8, "choice",
    ),
    Benchmark(
        "arc_easy", 2376, "The easier half of the same questions: for small models.", 120, 8, "choice",
    ),
    Benchmark(
        "math", 12500,
        "Competition mathematics compared as expressions: longer derivations than word problems ask for.",
        620, 600, "expression_exact_match_sympy", helpers=(Helper(argument="grader_model", decides=False),),
        needs="the extra inspect-evals[math]", fixes=TEMPERATURE,
        caveat="Of its three scorers the first lets the model under test grade itself; the symbolic one counts here.",
    ),
    Benchmark(
        "aime2025", 30, "Olympiad problems with whole-number answers: the hardest mathematics that is graded exactly.",
        180, 2500, "aime_scorer", epochs=4, caveat=_SMALL,
    ),
    Benchmark(
        "aime2026", 30, "The newest olympiad problems, which are least likely to have been trained on.",
        180, 2500, "aime_scorer", epochs=4, caveat=_SMALL,
    ),
    Benchmark(
        "bbh", 6509, "23 kinds of puzzle of logic, time, order and words: reasoning of many sorts, shallow in each.",
        900, 250, "bbh_scorer", fixes=TEMPERATURE,
    ),
    Benchmark(
        "mgsm", 2750,
        "The same word problems in 11 languages: shows which languages lag behind at one and the same task.",
        250, 260, "match", caveat="A problem in 11 languages is one item, not 11: intervals are wider than they look.",
    ),
)  # fmt: skip

CODE = (
    Benchmark(
        "humaneval", 164,
        "Python functions from their docstrings, run against tests: small self-contained code, not work in a "
        "repository.", 220, 250, "verify", needs=DOCKER, caveat="Its problems are in many training sets.",
    ),
    Benchmark(
        "mbpp", 257,
        "Short Python tasks from one sentence with tests: basic programming, close to what a chat user asks.",
        420, 160, "verify", needs=DOCKER, fixes=TEMPERATURE, epochs=5,
    ),
    Benchmark(
        "apps", 3000,
        "Interview-level programming problems run against hidden tests: algorithms in one file.",
        600, 450, "verify", needs=DOCKER, fixes=TEMPERATURE,
    ),
    Benchmark(
        "bigcodebench", 1140,
        "Tasks that call real libraries, run against tests: use of an ecosystem rather than algorithms.",
        300, 350, "verify", needs=DOCKER,
    ),
)  # fmt: skip

ANSWERS = (
    Benchmark(
        "ifeval", 541,
        "Instructions whose following a program can check, such as length and format: obedience to the letter.",
        60, 350, "instruction_following/prompt_level_strict", "prompts with every instruction followed",
        needs="the extra inspect-evals[ifeval], part of which only git has",
    ),
    Benchmark(
        "xstest", 250,
        "Harmless questions that look dangerous: shows a model that refuses too much.",
        40, 250, "model_graded_qa", "share answered",
        helpers=(Helper(argument="scorer_model", default=("openai/gpt-4o",)),), needs=JUDGE,
        gated="walledai/XSTest", fixes=TEMPERATURE_AND_LENGTH,
        caveat="The task's own metric is the refusal rate, 0 to 100, lower is better; what counts here is the "
        "share answered, a partial refusal one half.",
    ),
    Benchmark(
        "writingbench", 1000,
        "Long texts of many kinds, each judged by five criteria from 1 to 10: style and completeness.",
        400, 1500, "multi_scorer_wrapper", "mean of 1 to 10",
        helpers=(Helper(argument="judge_model", default=("anthropic/claude-3-5-haiku-latest",)),), needs=JUDGE,
        fixes=TEMPERATURE_AND_LENGTH, caveat="Judges like long answers.",
    ),
    Benchmark(
        "healthbench", 5000,
        "Medical conversations graded by physicians' criteria: completeness and caution in one field.",
        400, 600, "_scorer/healthbench_score", "share of points",
        helpers=(Helper(argument="judge_model", default=("openai/gpt-4o-mini",)),),
        needs=f"the extra inspect-evals[healthbench] and {JUDGE}",
        caveat="The judge is asked once for each criterion, about 11 times a sample.",
    ),
)  # fmt: skip
