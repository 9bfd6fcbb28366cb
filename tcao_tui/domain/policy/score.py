"""The application-specific eval: which rows, which grader, how many, and how long an answer may be."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tcao_tui.domain.data_profile import DataProfile
from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.policy.renderer import thinks
from tcao_tui.domain.policy.situation import INSPECTED, Situation, counted, filled
from tcao_tui.domain.row_tokens import row_tokens

MOST_ROWS = 200
THINKING_TOKENS = 2048
"""Room for thinking before an answer; the cookbook's evals grant up to 32,768, most answers need far less."""

GRADERS_BY_SHAPE: dict[str, tuple[tuple[str, str], ...]] = {
    "json": (
        ("json", "answers are JSON: compared by value, so white space and key order do not matter"),
        ("exact", "answers are JSON: compared letter by letter, so white space and key order do matter"),
    ),
    "number": (("numeric", "answers are numbers: 18 and 18.0 are the same"), ("exact", "answers are numbers")),
    "final_number": (("numeric", "answers end in a number: the way there is not graded"),),
    "label": (("exact", "answers are a few fixed labels"),),
    "text": (
        ("judge", "answers are free text"),
        (
            "includes",
            "answers are free text: the wanted one must occur word for word, which is strict for more than a few words",
        ),
    ),
}
"""Graders by the shape of the answers, best first; only those that are installed are chosen."""


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`evals.score.*`: held-out rows where there are any, and how to grade them; nothing without a file."""
    chosen = _file(situation)
    path = situation.text("evals.score.file") or (str(chosen.value) if chosen is not None else "")
    if not path:
        return {}
    found: dict[KeyPath, Filled] = {} if chosen is None else {"evals.score.file": chosen}
    known = Situation({**found, **situation.draft}, situation.facts)
    profile = known.score
    if profile is None:
        return found
    return {**found, "evals.score.grader": _grader(profile, known.facts), **_size(known, profile)}


def grader_for(profile: DataProfile, facts: Facts) -> str | None:
    """The grader that can check answers of this shape by rule; None when only a person or a judge could."""
    if profile.answer_shape == "text":
        return None
    return next((name for name, _ in GRADERS_BY_SHAPE[profile.answer_shape] if name in facts.graders), None)


def _file(situation: Situation) -> Filled | None:
    """The test part of the split, or the one other file that was inspected and is not trained on."""
    train = situation.text("training.train_file")
    if not train:
        return None
    split = next((s for s in situation.facts.splits if str(s.train) == train), None)
    if split is not None and split.test is not None:
        rows = counted(split.rows[2], "row")
        return filled(str(split.test), f"{rows} that the split kept from training", split.method, by="data")
    used = {train, situation.text("training.val_file"), *(str(s.source) for s in situation.facts.splits)}
    used |= {str(path) for s in situation.facts.splits for path in (s.train, s.validation, s.test)}
    others = [p for p in situation.facts.profiles if str(p.path) not in used and p.kind in ("chat", "problem")]
    if len(others) != 1:
        return None
    [other] = others
    return filled(str(other.path), f"the other file that was given: {counted(other.rows, 'row')}, not trained on")


def _grader(profile: DataProfile, facts: Facts) -> Filled:
    offered = [(name, why) for name, why in GRADERS_BY_SHAPE[profile.answer_shape] if name in facts.graders]
    if not offered:
        why = "no installed grader fits: equal letter by letter, which free answers almost never are"
        offered = [("exact" if "exact" in facts.graders else facts.graders[0] if facts.graders else "exact", why)]
    (name, reason), *others = offered
    return filled(
        name, reason, INSPECTED, alternatives=tuple(Alternative(value=n, label=n, why=why) for n, why in others)
    )


def _size(situation: Situation, profile: DataProfile) -> dict[KeyPath, Filled]:
    rows = min(profile.rows, MOST_ROWS) or 1
    margin = 196 * math.sqrt(0.25 / rows)
    taken = "all rows" if rows == profile.rows else f"the first of {counted(profile.rows, 'row')}"
    reason = f"{taken}: a score near 50% is then known to about ±{margin:.0f} points"
    found = {
        "evals.score.max_rows": filled(rows, reason, "95% interval of a share"),
        **_answer_length(situation, profile),
    }
    for name, own in (("input_field", profile.fields.input_field), ("output_field", profile.fields.output_field)):
        if own != situation.text(f"training.{name}"):
            found[f"evals.score.{name}"] = filled(own, "as this file names it", INSPECTED, by="data")
    return found


def _answer_length(situation: Situation, profile: DataProfile) -> dict[KeyPath, Filled]:
    tokens = row_tokens(profile, situation.text("training.base_model"), like=situation.train)
    if tokens is None:
        return {}
    if sampled := situation.count(f"{situation.method}.max_tokens"):
        return {"evals.score.max_tokens": filled(sampled, f"as in training with {situation.method}")}
    longest = max(1, tokens.longest_answer)
    if profile.kind == "problem" and situation.tokens is not None:
        # A row that holds only the result says nothing of how long the way there is.
        longest = max(longest, situation.tokens.longest_answer)
    room = 32 * math.ceil(longest * 1.25 / 32)
    measured = "measured" if tokens.is_measured else "guessed from its characters"
    reason = f"the longest wanted answer has {longest:,} tokens ({measured}), and a quarter more"
    if thinks(situation.text("training.renderer_name")):
        room += THINKING_TOKENS
        reason += f", and {THINKING_TOKENS:,} for thinking"
    context = situation.model.context_length if situation.model else None
    return {"evals.score.max_tokens": filled(min(room, context or room), reason, tokens.how, by="data")}
