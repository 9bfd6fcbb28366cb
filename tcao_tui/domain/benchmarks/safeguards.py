"""Benchmarks of safety: Inspect Evals' group Safeguards. Scorers and arguments were read in its source, version 0.26.

Where an answer is harmful or an attack comes through, lower is better: the direction is that of the number named here.
"""

from __future__ import annotations

from tcao_tui.domain.benchmarks.entry import (
    JUDGE,
    NO_SANDBOX,
    TEMPERATURE,
    TEMPERATURE_AND_LENGTH,
    Benchmark,
    Helper,
)

_HARM_JUDGES = tuple(
    Helper(argument=name, default=("openai/gpt-4o-2024-08-06",)) for name in ("refusal_judge", "semantic_judge")
)
_GRADERS = (Helper(argument="grader_models", takes_list=True),)
_IDLE_IS_SAFE = "A model that does nothing is safe: look at what it gets done too."
_KNOWLEDGE = "Falls as well when the model forgets everything: look at MMLU beside it."
_MEMORY_JUDGE = (Helper(role="grader", default=("openrouter/moonshotai/kimi-k2-thinking",)),)


def _threat(form: str, samples: int, about: str) -> Benchmark:
    return Benchmark(
        f"agent_threat_bench_{form}", samples, about, 3_000, 400, "agent_threat_bench_scorer/security",
        "share not led astray", caveat=f"{_IDLE_IS_SAFE} {samples} items tell little.",
    )  # fmt: skip


def _harm(task: str, about: str, metric: str, *, higher_is_better: bool) -> Benchmark:
    return Benchmark(
        task, 176, about, 6_000, 900, "combined_scorer/score", metric, higher_is_better, _HARM_JUDGES,
        needs="two judge models", fixes=TEMPERATURE_AND_LENGTH,
    )  # fmt: skip


def _hazard(field: str, samples: int) -> Benchmark:
    return Benchmark(
        f"wmdp_{field}", samples, f"Multiple-choice knowledge that helps misuse in {field}: it should not grow.",
        130, 8, "choice", higher_is_better=False, caveat=_KNOWLEDGE,
    )  # fmt: skip


def _memory(form: str, samples: int, about: str, *, higher_is_better: bool) -> Benchmark:
    return Benchmark(
        f"persistbench_{form}", samples, about, 900, 400, "persistbench_judge", "mean of 1 to 5", higher_is_better,
        _MEMORY_JUDGE, needs=JUDGE, epochs=1 if higher_is_better else 3,
        caveat="The judge must answer with JSON: an answer of another form is an error.",
    )  # fmt: skip


SAFEGUARDS = (
    Benchmark(
        "strong_reject", 324,
        "Plainly harmful requests, judged by whether the model refuses: what training must not wear away.",
        60, 400, "strong_reject_scorer/refusal", "share refused",
        helpers=(Helper(argument="judge_llm", default=("openai/gpt-4o",)),), needs=JUDGE,
        fixes=TEMPERATURE_AND_LENGTH,
        caveat="The task's own metric is the jailbreak rate, lower is better, which is 1 minus this; look at xstest "
        "too, since a model that refuses everything has the best score.",
    ),
    _harm("agentharm", "Harmful jobs for an agent with tools: how far it carries them out.", "mean harm",
          higher_is_better=False),
    _harm("agentharm_benign", "Harmless jobs of the same form: what refusing too much would cost.", "mean score",
          higher_is_better=True),
    _threat("memory_poison", 10, "Instructions hidden in an agent's notes: whether it obeys them."),
    _threat("autonomy_hijack", 6, "Instructions hidden in an agent's mail: whether it obeys them."),
    _threat("data_exfil", 8, "Support tickets that ask for secrets: whether an agent sends them out."),
    Benchmark(
        "agentdojo", 1014, "Instructions hidden in what tools return: how often an agent carries them out.",
        9_000, 700, "injection_task_scorer/security", "share of attacks that came through", higher_is_better=False,
        needs="the extra inspect-evals[agentdojo]", arguments={"with_sandbox_tasks": "no"}, spares=NO_SANDBOX,
        caveat=_IDLE_IS_SAFE,
    ),
    _hazard("bio", 1273),
    _hazard("chem", 408),
    _hazard("cyber", 1987),
    _memory("cross_domain", 200, "Facts remembered of a person in a question that they do not belong to.",
            higher_is_better=False),
    _memory("sycophancy", 200, "Facts remembered of a person that tempt to please instead of to be right.",
            higher_is_better=False),
    _memory("beneficial_memory", 100, "Facts remembered of a person that should be used.", higher_is_better=True),
    Benchmark(
        "fortress_adversarial", 500, "Dangerous requests by experts, each with criteria of harm.", 350, 700,
        "fortress_scorer_adversarial", "mean harm", higher_is_better=False, needs="three judge models",
        helpers=(Helper(argument="grader_models", takes_list=True, default=(
            "openai/o3", "anthropic/claude-3-7-sonnet-20250219", "google/gemini-2.5-pro")),),
    ),
    Benchmark(
        "fortress_benign", 500, "Their harmless counterparts: how often the model refuses them.", 200, 500,
        "fortress_scorer_benign", "share refused", higher_is_better=False, needs=JUDGE,
        helpers=(Helper(argument="grader_model", default=("openai/gpt-4o-mini",)),),
    ),
    Benchmark(
        "anima", 115, "How much animals count in everyday advice.", 120, 500, "anima_scorer/overall", "mean score",
        helpers=_GRADERS, epochs=5, needs=f"the extra inspect-evals[anima] and {JUDGE}",
    ),
    Benchmark(
        "moru", 201, "Moral reasoning about beings of unsure standing.", 150, 500, "moru_scorer/overall", "mean score",
        helpers=_GRADERS, epochs=5, needs=JUDGE,
    ),
    Benchmark(
        "ape_eval", 600, "Whether the model tries to persuade people of harmful things when told to.", 900, 400,
        "ape_scorer/turn1_attempt", "share attempted", higher_is_better=False, fixes=TEMPERATURE,
        needs="three models that play and judge, and the internet",
        helpers=(Helper(role="persuadee", default=("openai/gpt-4o",)),
                 Helper(role="evaluator", default=("openai/gpt-4o",)),
                 Helper(role="refusal_judge", default=("openai/gpt-4o-mini",))),
        caveat="A share of its topics is harmless.",
    ),
    Benchmark(
        "b3", 630, "Attacks on the model inside an application: how far they get.", 1_200, 300, "b3_scorer",
        "mean of attacks", higher_is_better=False, fixes=TEMPERATURE, epochs=5,
        needs="the extra inspect-evals[b3]",
    ),
    Benchmark(
        "ipi_coding_agent", 45, "Instructions hidden in a repository that a coding agent works in.", 12_000, 1_500,
        "ipi_scorer/accuracy", "task done and attack resisted", helpers=(Helper(role="grader"),),
        needs=f"Docker, where the agent works, and {JUDGE}",
    ),
    *(
        Benchmark(
            f"lab_bench_{form}", samples, f"Multiple choice of a biology laboratory: {about}.", 250, 60,
            "precision_choice", caveat="Knowledge that helps and may harm: decide yourself which way is good.",
        )
        for form, samples, about in (
            ("litqa", 199, "what papers say"), ("suppqa", 82, "what their supplements say"),
            ("dbqa", 520, "what databases say"), ("protocolqa", 108, "what is wrong with a protocol"),
            ("seqqa", 600, "sequences"), ("cloning_scenarios", 33, "cloning"),
        )
    ),
    Benchmark(
        "make_me_pay", 20, "A con artist's talk: how much of $100 the model gets out of another one.", 3_000, 600,
        "make_me_pay_scorer", "mean donation, USD", higher_is_better=False,
        helpers=(Helper(role="mark", default=("google/gemini-2.5-flash-lite",)),), needs="a model that plays the mark",
        caveat="20 items tell little.",
    ),
    Benchmark(
        "makemesay", 189, "Getting another model to say a word without its noticing.", 4_000, 800,
        "makemesay_scorer/win", "share won", higher_is_better=False,
        helpers=(Helper(role="manipulatee"), Helper(role="judge")),
        needs="the extra inspect-evals[makemesay], and models that play and judge",
    ),
    Benchmark(
        "mind2web_sc", 200, "Whether a guard stops web actions that its rules forbid.", 3_000, 600,
        "guard_agent_scorer", needs="Docker, where the guard's code is run",
    ),
    *(
        Benchmark(
            task, 52, about, 5_000, 600, "tac_scorer/welfare", "share that harmed no animal",
            gated="CompassioninMachineLearning/tac", epochs=3, fixes=TEMPERATURE_AND_LENGTH, caveat=_IDLE_IS_SAFE,
        )
        for task, about in (
            ("tac", "Booking trips as an agent: whether it avoids what harms animals unasked."),
            ("tac_welfare", "The same where the instructions ask for it."),
        )
    ),
)  # fmt: skip
