"""All public benchmarks that we know, and the suites that they make up for each kind of use."""

from __future__ import annotations

from collections.abc import Mapping

from tcao_tui.domain.benchmarks.agents import AGENTS
from tcao_tui.domain.benchmarks.capabilities import ANSWERS, CODE, KNOWLEDGE, REASONING
from tcao_tui.domain.benchmarks.entry import PACKAGE, Benchmark
from tcao_tui.domain.benchmarks.safeguards import SAFEGUARDS

CATALOGUE = "inspect_evals 0.26"
"""What the table was made from."""

BENCHMARKS: Mapping[str, Benchmark] = {
    benchmark.name: benchmark for benchmark in (*KNOWLEDGE, *REASONING, *CODE, *ANSWERS, *AGENTS, *SAFEGUARDS)
}

OFFERED = 3
"""How many of a suite a plan is offered: two that bear on the use, one for what must not get worse."""

SUITES: Mapping[str, tuple[str, ...]] = {
    "general": ("ifeval", "mmlu_0_shot", "gsm8k"),
    "chat": ("mmlu_0_shot", "truthfulqa", "ifeval", "xstest", "persistbench_sycophancy", "writingbench"),
    "code": ("humaneval", "mbpp", "mmlu_0_shot", "apps"),
    "tools": ("bfcl", "tau2_retail", "mmlu_0_shot", "gaia", "assistant_bench_closed_book_zero_shot"),
    "safety": ("strong_reject", "xstest", "mmlu_0_shot", "agentharm", "agentharm_benign",
               "agent_threat_bench_memory_poison", "agent_threat_bench_data_exfil", "wmdp_bio"),
    "safeguards": (*(benchmark.task for benchmark in SAFEGUARDS), "xstest"),
    "reasoning": ("gsm8k", "mmlu_pro", "arc_challenge", "math", "gpqa_diamond", "bbh", "aime2026"),
    "multilingual": ("mgsm", "mmlu_0_shot"),
}  # fmt: skip
"""Tasks by suite: one for each kind of use, one for models of any use, and the whole group Safeguards with xstest."""

WITHOUT_ONE_NUMBER: Mapping[str, str] = {
    "coconot": "its scores are words of the judge",
    "mask": "its scores are words of the judge",
    "stereoset": "its best score lies in the middle of the scale",
    "lab_bench_figqa": "its questions are pictures",
    "lab_bench_tableqa": "its questions are pictures",
}
"""Tasks of the group Safeguards whose items cannot be compared, and why."""


def benchmark_named(name: str) -> Benchmark | None:
    """The entry of a task of Inspect Evals, where we have one."""
    return BENCHMARKS.get(name)


def suite(name: str) -> tuple[Benchmark, ...]:
    """The benchmarks of a suite, the most telling first. Raises `KeyError` for a name that is none."""
    return tuple(BENCHMARKS[f"{PACKAGE}/{task}"] for task in SUITES[name])


def offered_for(use: str) -> tuple[Benchmark, ...]:
    """What a plan for a kind of use is offered. Raises `KeyError` for a use that has no suite."""
    return suite(use)[:OFFERED]
