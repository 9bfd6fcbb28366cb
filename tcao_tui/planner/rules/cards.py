"""Questions worth asking: wording, options with the recommended one first, reasons and defaults. Pure.

Whether and when they are asked is decided in `rules`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tcao_tui.domain.data_profile import KIND_WORDS, METHOD_KINDS
from tcao_tui.domain.draft import Filled
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.policy.complete import complete
from tcao_tui.domain.questions import Option, Question
from tcao_tui.domain.slots import slot_named
from tcao_tui.domain.wording import money_text
from tcao_tui.planner.answers import BETTER_THAN_BASE, HOLD_OUT
from tcao_tui.planner.rules.case import Case
from tcao_tui.planner.rules.nearby import EVAL_NAME

METHOD_TITLES = {
    "sft": "SFT: imitate the answers",
    "dpo": "DPO: learn from the pairs directly",
    "rl": "RL: reward its own right answers",
    "distill": "Distillation: let a teacher score its answers",
    "rlhf": "RLHF: train a reward model, then RL against it",
}
_FILES_SHOWN = 8
_THRESHOLDS = (0.5, 0.8, 0.9)


def goal_question() -> Question:
    """What is it for."""
    return question_of("goal", "text")


def data_question(case: Case, *, quotes: Sequence[str] = ()) -> Question:
    """Which file to learn from, among those in the project; files that look like evals come last."""
    files = [file for file in case.files if not quotes or str(file.resolve()) != case.text("training.train_file")]
    ranked = sorted(files, key=_unlike_training_rows)[:_FILES_SHOWN]
    options = tuple(Option(value=str(file.resolve()), label=file_text(file, case)) for file in ranked)
    return quoting(question_of("data", "file", options=options), quotes)


def method_question(case: Case) -> Question | None:
    """Which method, where the rows allow several, or not the one that the person asked for."""
    said = case.filled("method")
    is_said = said is not None and said.by == "you"
    if said is not None and is_said and ("method" in case.state.asked or not case.misfit(said)):
        return None
    free = complete({path: filled for path, filled in case.state.draft.items() if path != "method"}, case.state.facts)
    fitting = free.get("method")
    if fitting is None:
        return None
    options = _method_options(case, fitting)
    if said is not None and is_said:
        return quoting(question_of("method", "one", options=options), _why_not(case, said))
    if len(options) == 1:
        return None
    return question_of("method", "one", options=options, default=fitting.value)


def _method_options(case: Case, fitting: Filled) -> tuple[Option, ...]:
    choices = [(str(fitting.value), fitting.reason), *((str(other.value), other.why) for other in fitting.alternatives)]
    has_teacher = "distill.teacher_model" in case.state.draft
    return tuple(
        Option(value=method, label=METHOD_TITLES.get(method, method), why=why)
        for method, why in choices
        if method != "distill" or has_teacher or fitting.value == "distill"
    )


def _why_not(case: Case, said: Filled) -> tuple[str, str]:
    kind = case.train.kind if case.train is not None else None
    needs = " or ".join(KIND_WORDS[wanted] for wanted in METHOD_KINDS.get(str(said.value), ()))
    holds = KIND_WORDS[kind] if kind else "no known rows"
    return said.reason, f"the file holds {holds}; {said.value} learns from {needs}"


def _unlike_training_rows(file: Path) -> tuple[bool, bool]:
    return bool(EVAL_NAME.search(file.stem)), "train" not in file.stem.lower()


def teacher_question(case: Case) -> Question | None:
    """Whom to distil from."""
    offered = case.state.facts.capabilities
    if case.text("method") != "distill" or case.text("distill.teacher_model") or offered is None:
        return None
    student = case.text("training.base_model")
    ranked = sorted(offered.models, key=lambda model: -(model.total_parameters or 0))
    options = tuple(Option(value=m.name, label=m.name) for m in ranked if m.name != student)[:_FILES_SHOWN]
    return Question(
        id="distill.teacher_model",
        text="Which model is the teacher?",
        kind="one",
        options=options,
        why="The student is trained towards its answers, so it is the ceiling.",
    )


def evals_question(case: Case) -> Question | None:
    """Which rows measure, where a file beside the rows looks like it; otherwise rows are held out unasked."""
    beside = None if case.given_file is None else case.given_file.parent
    files = [file for file in case.files if file.resolve().parent == beside and EVAL_NAME.search(file.stem)]
    files = [file for file in files if str(file.resolve()) not in case.used]
    if not files or case.filled("evals.score.file"):
        return None
    why = "its name says that it measures"
    options = [Option(value=str(file.resolve()), label=file_text(file, case), why=why) for file in files[:3]]
    return question_of("evals", "file", options=(*options, hold_out_option()), default=options[0].value)


def success_question(case: Case) -> Question | None:
    """What score counts."""
    if case.filled("success.threshold"):
        return None
    honest = "no number is honest before the base model is measured"
    options = [Option(value=BETTER_THAN_BASE, label="better than the base model", why=honest)]
    only_if = "only if you know that less is of no use"
    options += [Option(value=share, label=f"at least {share:.0%} right", why=only_if) for share in _THRESHOLDS]
    return question_of("success", "one", options=tuple(options), default=BETTER_THAN_BASE)


def model_question(case: Case) -> Question | None:
    """Which base model, where the server offers several."""
    chosen, said = case.sheet.draft.get("training.base_model"), case.filled("training.base_model")
    if said is not None:
        known = case.state.facts.model(str(said.value))
        is_fine = known is not None and known.trainable
        return (
            None if is_fine else _other_model_question(case, (said.reason, "this server does not train such a model"))
        )
    if chosen is None or not chosen.alternatives:
        return None
    options = [Option(value=chosen.value, label=chosen.value, why=chosen.reason)]
    options += [Option(value=other.value, label=other.label, why=other.why) for other in chosen.alternatives]
    return question_of("model", "one", options=tuple(options), default=chosen.value)


def budget_question(case: Case, *, quotes: Sequence[str] = ()) -> Question:
    """How much at most, with the estimate in sight."""
    cost = case.sheet.cost
    high = None if cost is None else cost.total.high_usd
    expected = None if cost is None else cost.total.expected_usd
    options: list[Option] = []
    if high is not None and expected is not None:
        options = [
            Option(value=cap, label=money_text(cap), why=why)
            for cap, why in (
                (rounded_up(high), f"the high end of the estimate; expected is {money_text(expected)}"),
                (rounded_up(expected), "what is expected; it may stop before the end"),
            )
        ]
    question = question_of("budget", "number", options=tuple({o.value: o for o in options}.values()), unit="USD")
    return quoting(question, quotes)


def schedule_question(case: Case) -> Question | None:
    """How many steps, where a shorter run is a real choice."""
    chosen = case.sheet.draft.get("training.num_steps")
    if chosen is None or not chosen.alternatives or case.filled("training.num_steps"):
        return None
    options = [Option(value=chosen.value, label=f"{chosen.value:,} steps", why=chosen.reason)]
    options += [Option(value=other.value, label=other.label, why=other.why) for other in chosen.alternatives]
    return question_of("schedule", "number", options=tuple(options), default=chosen.value, unit="steps")


def _other_model_question(case: Case, quotes: Sequence[str]) -> Question:
    """Which model instead of one that the server does not train."""
    rest = {path: filled for path, filled in case.state.draft.items() if path != "training.base_model"}
    chosen = complete(rest, case.state.facts).get("training.base_model")
    options: list[Option] = []
    if chosen is not None:
        options = [Option(value=chosen.value, label=chosen.value, why=chosen.reason)]
        options += [Option(value=other.value, label=other.label, why=other.why) for other in chosen.alternatives]
    return quoting(question_of("model", "one", options=tuple(options)), quotes)


def quoting(question: Question, quotes: Sequence[str]) -> Question:
    """The question with what the person said before; it has no default then."""
    return question.model_copy(update={"quotes": tuple(quotes), "default": None}) if quotes else question


def question_of(
    slot_name: str,
    kind: Literal["text", "one", "many", "file", "number"],
    *,
    options: tuple[Option, ...] = (),
    default: str | float | None = None,
    unit: str = "",
) -> Question:
    """A question of a slot. Raises `ValueError` when there is no such slot."""
    slot = slot_named(slot_name)
    if slot is None:
        raise ValueError(f"no slot {slot_name}")
    return Question(
        id=slot.name, text=slot.question, kind=kind, options=options, default=default, unit=unit, why=slot.why
    )


def hold_out_option() -> Option:
    """Rows of the training file, set aside."""
    why = "one row in ten, seeded; the file stays as it is"
    return Option(value=HOLD_OUT, label="hold out rows of the training file", why=why)


def file_text(file: Path, case: Case) -> str:
    """A file as the person knows it: from their project."""
    directory = Path(case.state.directory)
    path = str(file.relative_to(directory)) if file.is_relative_to(directory) else str(file)
    return one_line(path)


def rounded_up(usd: float) -> float:
    """A cap that people would name: two digits, never less than the amount, at least a cent."""
    if usd <= 0.01:
        return 0.01
    step = 10.0 ** (math.floor(math.log10(usd)) - 1)
    return float(f"{math.ceil(round(usd / step, 6)) * step:.12g}")
