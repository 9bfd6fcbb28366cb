"""Benchmarks of tools and agents; scorers and arguments were read in the source of inspect_evals 0.26."""

from __future__ import annotations

from tcao_tui.domain.benchmarks.entry import NO_SANDBOX, Benchmark, Helper

_CUSTOMER = (Helper(role="user"),)
_PLAYED = "a model that plays the customer"
_SANDBOX = "the extra inspect-evals[gaia], Docker, where the agent works, and the internet"
_ASSISTANT = "the extra inspect-evals[assistant_bench]"


def _tau2(domain: str, samples: int, about: str, nothing: str) -> Benchmark:
    return Benchmark(
        f"tau2_{domain}", samples, about, 60_000, 3_000, f"{domain}_scorer", helpers=_CUSTOMER, needs=_PLAYED,
        caveat=f"{nothing}; compare with the base model, and let one and the same model play the customer.",
    )  # fmt: skip


def _assistant(form: str, about: str, *, tokens: int, online: bool) -> Benchmark:
    searching = (Helper(argument="web_search_model", default=("openai/gpt-4o-mini",)),) if online else ()
    return Benchmark(
        f"assistant_bench_{form}", 33, about, tokens, 300, "assistant_bench_scorer/score", "mean score",
        helpers=searching, needs=f"{_ASSISTANT}, a model with web search, and the internet" if online else _ASSISTANT,
        spares=NO_SANDBOX if online else NO_SANDBOX | {"internet"},
        caveat="33 items: a difference below 25 points may be chance.",
    )  # fmt: skip


AGENTS = (
    Benchmark(
        "bfcl", 4981,
        "Function calls compared with the wanted call: right function and right arguments, not whether a task "
        "gets done.", 900, 90, "bfcl_scorer", needs="a git clone, and the extra inspect-evals[bfcl]",
    ),
    _tau2(
        "retail", 114, "Whole conversations of a shop's agent, graded by the final state of its database.",
        "Doing nothing already scores about 0.2",
    ),
    _tau2(
        "airline", 50, "Whole conversations of an airline's agent, graded by the final state of its database.",
        "Doing nothing already scores about 0.6",
    ),
    _tau2(
        "telecom", 114, "Troubleshooting with a customer who has to do things too, graded by the final state.",
        "Doing nothing may score above zero",
    ),
    _tau2(
        "banking", 97, "Whole conversations of a bank's agent who searches its rules, graded by the final state.",
        "Doing nothing may score above zero",
    ),
    *(
        Benchmark(
            name, samples, about, 40_000, 4_000, "gaia_scorer", needs=_SANDBOX, gated="gaia-benchmark/GAIA",
            caveat="Also measures the search engine: its key and its results change.",
        )
        for name, samples, about in (
            ("gaia", 165, "Questions that need searching, files and several tools: an assistant's whole work."),
            ("gaia_level1", 53, "The questions of it that need few steps."),
            ("gaia_level2", 86, "The questions of it that need several tools."),
            ("gaia_level3", 26, "The questions of it that need long plans."),
        )
    ),
    _assistant(
        "closed_book_zero_shot", "Web research questions answered from memory: mostly whether the model says so when "
        "it cannot know.", tokens=350, online=False,
    ),
    _assistant(
        "closed_book_one_shot", "The same after one example of the wanted form.", tokens=700, online=False,
    ),
    _assistant(
        "web_search_zero_shot", "The same questions with a search tool: asking, reading, and knowing when to stop.",
        tokens=9_000, online=True,
    ),
    _assistant(
        "web_search_one_shot", "With a search tool and one example.", tokens=10_000, online=True,
    ),
)  # fmt: skip
