"""Sections of the one-page summary that say what a plan is: its data, method, model, and how success is measured."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tcao_tui.domain.data_profile import DataProfile, Overlap, Spread
from tcao_tui.domain.draft import Draft, Filled, KeyPath, Provenance
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.markdown import bullets, inline, table
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.plan_data import data_files
from tcao_tui.domain.wording import count_text, share_text
from tcao_tui.graders import GRADERS

PEOPLE: dict[Provenance, str] = {"you": "you", "data": "the data", "model": "the LLM planner", "policy": "our rules"}
"""Who decides, in the order of their say."""

_ROLES = {"train_file": "training", "val_file": "validation", "score_file": "own eval"}
_MODEL_PATHS = (
    "training.base_model",
    "start_from",
    "training.renderer_name",
    "training.lora_rank",
    "training.train_mlp",
    "training.train_attn",
    "training.train_unembed",
    "training.learning_rate",
    "training.train_batch_size",
    "training.num_steps",
    "training.max_seq_len",
)
_SHOWN_VALUE = 160
_ALTERNATIVES_SHOWN = 3


def data_section(plan: Plan, facts: Facts) -> str:
    """Files with their statistics, how they were split, what they share, what they may hold."""
    rows = (_file_row(_ROLES[file.field], file.path, facts.profile(file.path)) for file in data_files(plan))
    header = ("Use", "File", "Rows", "Tokens per row p50 / p95 / max", "Tokens trained", "Cut", "Repeated")
    return f"{table(header, rows)}\n\n{bullets(_data_notes(plan, facts))}".rstrip()


def _file_row(role: str, path: Path, profile: DataProfile | None) -> tuple[str, ...]:
    if profile is None:
        return role, _short(path), "not inspected", "", "", "", ""
    tokens = profile.tokens
    repeated = profile.exact_duplicates + profile.near_duplicates
    bad = f", {profile.bad_rows:,} bad" if profile.bad_rows else ""
    return (
        role,
        _short(path),
        f"{profile.rows:,}{bad}",
        "not measured" if tokens is None else _spread(tokens.row),
        "" if tokens is None else count_text(tokens.completion.total),
        "" if tokens is None else share_text(tokens.truncated_rows / max(1, profile.rows)),
        f"{repeated:,}",
    )


def _short(path: Path) -> str:
    """Folder and name, which tell the files of a plan apart; whole paths stand in the plan and its record."""
    return inline(str(Path(*path.parts[-2:])))


def _spread(spread: Spread) -> str:
    return f"{spread.p50:,} / {spread.p95:,} / {spread.max:,}"


def _data_notes(plan: Plan, facts: Facts) -> Iterator[str]:
    used = [file.path for file in data_files(plan)]
    for split in facts.splits:
        if split.train in used:
            yield f"Split of {_short(split.source)}: {inline(split.method)}."
    for overlap in facts.overlaps:
        if overlap.left in used and overlap.right in used:
            yield _shared(overlap)
    for profile in filter(None, map(facts.profile, dict.fromkeys(used))):
        if profile.sensitive:
            kinds = ", ".join(f"{inline(kind)} in {rows:,} rows" for kind, rows in profile.sensitive.items())
            yield f"{inline(profile.path.name)} may hold secrets or personal data: {kinds}."


def _shared(overlap: Overlap) -> str:
    return (
        f"{inline(overlap.right.name)} against {inline(overlap.left.name)}: {overlap.exact:,} of "
        f"{overlap.right_rows:,} rows are in both, {overlap.near:,} nearly ({inline(overlap.method)})."
    )


def method_section(plan: Plan, draft: Draft) -> str:
    """The method with its reason, and what it was preferred to."""
    filled = draft.get("method")
    name = f"**{inline(plan.method.upper())}**"
    if filled is None or not filled.reason:
        return f"{name}."
    return f"{name}: {inline(filled.reason)}.\n\n{_alternatives(filled)}".rstrip()


def model_section(plan: Plan, draft: Draft) -> str:
    """Model, LoRA and optimiser with reasons, sources and who chose; settings with the same reason share a line."""
    chosen = [(path, draft[path]) for path in explained_paths(plan) if path in draft and draft[path].value is not None]
    lines = groupby(
        ((_label(path), filled) for path, filled in chosen),
        key=lambda entry: (value_text(entry[1]), PEOPLE[entry[1].by], entry[1].reason, entry[1].source),
    )
    rows = (
        (inline(", ".join(label for label, _ in settings)), value, who, inline(why), inline(source))
        for (value, who, why, source), settings in lines
    )
    base = draft.get("training.base_model")
    listed = table(("Setting", "Value", "Who", "Why", "Source"), rows)
    return f"{listed}\n\n{_alternatives(base) if base is not None else ''}".strip()


def explained_paths(plan: Plan) -> list[KeyPath]:
    """Key paths that `model_section` explains, in its order."""
    own = getattr(plan, plan.method, None)
    section = [] if own is None else [f"{plan.method}.{name}" for name in type(own).model_fields]
    return [*_MODEL_PATHS, *section]


def _label(path: KeyPath) -> str:
    return path.removeprefix("training.").replace("_", " ")


def _alternatives(filled: Filled) -> str:
    others = filled.alternatives[:_ALTERNATIVES_SHOWN]
    return bullets(f"instead of {inline(other.label)}: {inline(other.why)}" for other in others)


def value_text(filled: Filled) -> str:
    """A value for people, ready for a cell."""
    return inline(_plain(filled.value), _SHOWN_VALUE)


def _plain(value: object) -> str:
    match value:
        case None | [] | ():
            return "none"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:g}"
        case list() | tuple():
            return ", ".join(map(_plain, value))
        case {"name": name}:
            return _plain(name)
        case _:
            return str(value)


def success_text(plan: Plan) -> str:
    """What counts as success, in words."""
    success = plan.success
    reached = "better than the base model" if success.threshold is None else f"at least {success.threshold:g}"
    kept = ", ".join(map(inline, success.must_not_regress))
    return f"{inline(success.metric)} {reached}" + (f"; not worse than before: {kept}" if kept else "")


def layer1(plan: Plan) -> str:
    """When losses are measured."""
    training = plan.training
    if training.val_file is None:
        return "training loss each step; no validation rows"
    every = f"each {training.eval_every} steps" if training.eval_every else "before the first and after the last step"
    return f"training loss each step, validation loss {every}"


def layer2(plan: Plan, draft: Draft) -> str:
    """Public benchmarks, or why there are none."""
    rows = (
        (inline(b.name), "all" if b.limit is None else f"{b.limit:,}", inline(b.why)) for b in plan.evals.benchmarks
    )
    filled = draft.get("evals.benchmarks")
    why_none = f": {inline(filled.reason.removeprefix('none: '))}" if filled is not None and filled.reason else ""
    return table(("Benchmark", "Samples", "What it really measures"), rows) or f"None{why_none}."


def layer3(plan: Plan, draft: Draft) -> str:
    """The plan's own eval, what its grader takes for right, and why it is as it is."""
    score = plan.evals.score
    if score is None:
        return "None: nobody will be able to say whether the model became better at its task."
    reasons = filter(None, (draft.get(f"evals.score.{name}") for name in ("file", "grader", "max_rows", "max_tokens")))
    return (
        f"The first {score.max_rows:,} rows of {_short(score.file)}, before and after training, answered greedily "
        f"in at most {score.max_tokens:,} tokens, graded by *{inline(score.grader)}*: {_about_grader(score.grader)}. "
        "What cannot be graded is unscored and shown, never counted as wrong.\n\n"
        f"{bullets(inline(filled.reason) for filled in reasons if filled.reason)}"
    ).rstrip()


def _about_grader(name: str) -> str:
    """The first sentence of the grader's module, which says what it takes for right."""
    documented = inspect.getdoc(sys.modules[GRADERS.load(name.partition(":")[0]).__module__]) or "see its documentation"
    sentence = " ".join(documented.partition("\n\n")[0].split()).rstrip(".")
    return inline(sentence[:1].lower() + sentence[1:])
