"""The model card of an export: what it is, how it was trained, on what, how well it does, and on whose terms. Pure.

Names of files are told without their folders: a card is published, and a machine's paths are nobody's business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tcao_tui.domain.parity import Parity
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.plan_data import data_files
from tcao_tui.domain.wording import number_text, share_text

LIBRARIES = {"peft": "peft", "merged": "transformers"}
_TAGS = ("tinker", "tcao")


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What is known of an export.

    Attributes:
        form: "peft" or "merged".
        plan: The run's; None for weights of another origin.
        step: Updates applied; None when not known.
        scores: Name of a measurement to what it was before and after training; None is not measured.
        parity: None when it was not proved.
    """

    name: str
    form: str
    base_model: str
    source: str
    rank: int
    alpha: float
    target_modules: Sequence[str]
    plan: Plan | None = None
    run_id: str = ""
    step: int | None = None
    scores: Mapping[str, tuple[float | None, float | None]] | None = None
    parity: Parity | None = None


def model_card(facts: CardFacts) -> str:
    """`README.md`, with the front matter that the Hugging Face Hub reads."""
    sections = [
        _front_matter(facts),
        f"# {one_line(facts.name, 100)}\n\n{_about(facts)}",
        f"## Readiness\n\n{verdict(facts.parity)}\n\nCommands that serve it are in SERVING.md.",
        _training(facts),
        _data(facts),
        _evals(facts),
        _licence(facts),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def verdict(parity: Parity | None) -> str:
    """What the parity proof found, in a sentence or a few lines."""
    if parity is None:
        return "**Not proved ready to serve**: these weights were not held against the backend (`--no-parity`)."
    told = (
        f"{parity.compared_tokens:,} tokens of {parity.prompts} prompts: logprobs "
        f"{parity.mean_nats:.2g} nats apart on average and {parity.max_nats:.2g} at most "
        f"(allowed: {parity.tolerance.mean_nats:g} and {parity.tolerance.max_nats:g}; {parity.tolerance.why}); "
        f"{parity.greedy_agreed} of {parity.greedy_tokens} greedy tokens are the same"
        + (f", {parity.greedy_ties} more are ties" if parity.greedy_ties else "")
    )
    if parity.ready_to_serve:
        return f"Ready to serve: it answers as the backend did. {told}."
    return "\n".join([f"**NOT ready to serve.** {told}.", "", *(f"- {failure}" for failure in parity.failures)])


def _front_matter(facts: CardFacts) -> str:
    tags = [*_TAGS, *(["lora"] if facts.form == "peft" else []), *([facts.plan.method] if facts.plan else [])]
    entries: dict[str, object] = {
        "base_model": facts.base_model,
        "library_name": LIBRARIES[facts.form],
        "pipeline_tag": "text-generation",
        "tags": tags,
    }
    # JSON is YAML, and quotes what a name may hold.
    return "\n".join(["---", *(f"{key}: {json.dumps(value)}" for key, value in entries.items()), "---"])


def _about(facts: CardFacts) -> str:
    what = "LoRA adapter (PEFT)" if facts.form == "peft" else "Whole model with a LoRA merged in"
    goal = one_line(facts.plan.goal, 500) if facts.plan else ""
    return "\n\n".join(
        part for part in (goal, f"{what}, trained from `{_code(facts.base_model)}` over the Tinker API.") if part
    )


def _training(facts: CardFacts) -> str:
    rows = [("Source", facts.source)]
    if facts.run_id:
        rows.append(("Run", facts.run_id))
    if facts.step is not None:
        rows.append(("Steps", f"{facts.step:,}"))
    rows.append(("LoRA", f"rank {facts.rank}, alpha {facts.alpha:g}, on {', '.join(facts.target_modules)}"))
    if facts.plan is not None:
        config = facts.plan.training
        rows += [
            ("Method", facts.plan.method),
            (
                "Learning rate",
                f"{config.learning_rate:g}, {config.lr_schedule}, {config.warmup_steps} steps of warm-up",
            ),
            ("Batch", config.step_size),
            ("Longest row", f"{config.max_seq_len:,} tokens"),
            ("Seed", str(config.seed)),
        ]
    return "## Training\n\n" + _table(("", ""), rows)


def _data(facts: CardFacts) -> str:
    if facts.plan is None:
        return "## Data\n\nNot known: these weights are not of a run of this store."
    rows = [
        (file.field.removesuffix("_file"), file.path.name, file.recorded[:16] or "-") for file in data_files(facts.plan)
    ]
    return "## Data\n\n" + _table(("use", "file", "sha256 begins"), rows)


def _evals(facts: CardFacts) -> str:
    if not facts.scores:
        return "## Evals\n\nNone are known for this checkpoint."
    rows = [
        (name, *(number_text(value) if "nll" in name else share_text(value) for value in values))
        for name, values in facts.scores.items()
    ]
    return "## Evals\n\n" + _table(("measured", "base model", "this checkpoint"), rows)


def _licence(facts: CardFacts) -> str:
    made = "contains the base model's weights, changed" if facts.form == "merged" else "is made for the base model"
    return (
        "## Licence\n\n"
        f"No licence is stated here yet. This export {made}, so the licence of `{_code(facts.base_model)}` and its "
        "conditions of use go with it: read them on its page, and name them in `license:` above. The training data may "
        "have conditions of their own, also on what a model that learned from them may be used for: whoever publishes "
        "this has to check them."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return one_line(text, 300).replace("|", "\\|")


def _code(text: str) -> str:
    return one_line(text, 200).replace("`", "'")
