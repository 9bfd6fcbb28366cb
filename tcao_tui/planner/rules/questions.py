"""Rules about questions: what only the person can tell, asked once, few at a time, and never what was said. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tcao_tui.domain.draft import KeyPath
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.interview import Asked, ToolStarted
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.questions import QUESTIONS_PER_CARD, Question
from tcao_tui.planner import reach
from tcao_tui.planner.contradictions import PRIVACY, STAYS, contradictions, quote_that_data_stays
from tcao_tui.planner.hearing import said
from tcao_tui.planner.rules import cards, cards_back
from tcao_tui.planner.rules.case import Case
from tcao_tui.planner.rules.moves import Ask, Move, Say, TakeBack, Wait
from tcao_tui.planner.rules.nearby import DATA_NAME
from tcao_tui.planner.words import AGAIN, STAYS_HERE

_QUESTION_OF: dict[KeyPath, str] = {
    "method": "method",
    "success.threshold": "success",
    "training.base_model": "model",
    "budget.max_cost_usd": "budget",
    "training.num_steps": "schedule",
    "training.run_name": "run_name",
}
_TIMES_ASKED = 2
_STILL_OPEN = "I keep that in mind. The question is still open: choose an option, or write your own answer to it."
_NOT_UNDERSTOOD = (
    "I find nothing in that which changes the plan. I hear files, methods, models of this server, amounts in dollars, "
    "shares that must be right, steps, rank, batch size, learning rate and the run's name; anything else can be set by "
    "hand, key by key."
)


def wait_for_answers(case: Case) -> Move | None:
    """A card is open; words that do not answer it are kept, and the person is told that it still is."""
    if case.state.open_card is None:
        return None
    return Say(_STILL_OPEN) if case.last_words else Wait()


def own_up(case: Case) -> Move | None:
    """The person said something that these rules do not understand."""
    words = case.last_words
    is_opening = not any(isinstance(stored.entry, Asked | ToolStarted) for stored in case.state.transcript)
    is_understood = AGAIN.search(words) or STAYS_HERE.search(words)
    return None if not words or is_opening or is_understood else Say(_NOT_UNDERSTOOD)


def settle_contradictions(case: Case) -> Move | None:
    """Quote back what was said in two ways."""
    said_twice = contradictions(case.state)
    found = [cards_back.contradiction_question(one, _QUESTION_OF.get(one.path, one.path)) for one in said_twice]
    return _ask(case, [q for q in found if case.times_asked(q.id) < _TIMES_ASKED], "Which one holds?")


def open_with(case: Case) -> Move | None:
    """Goal and data, which nothing can stand in for."""
    questions: list[Question] = []
    if not case.text("goal"):
        questions.append(cards.goal_question())
    if not case.text("training.train_file"):
        questions.append(cards.data_question(case, quotes=_files_that_are_not_there(case)))
    if not questions:
        return None
    return _ask(case, questions, "What for, and from what") or Say(
        "I cannot plan without a goal and a file of rows. Say both in your own words."
    )


def keep_data_here(case: Case) -> Move | None:
    """Data must not leave, and this backend is elsewhere."""
    quote = "" if case.state.profile == "local" else quote_that_data_stays(case.state)
    if not quote:
        return None
    if case.answered(PRIVACY) != STAYS:
        return Ask((cards_back.privacy_question(case, quote),), "Where the rows may go")
    return Say(
        f"You said “{quote}”, and {case.state.profile} is not on this machine, so I stop here.\n"
        f"Plan for the local engine: tcao plan --fork {case.state.interview_id} --backend local"
    )


def decide(case: Case) -> Move | None:
    """Method, teacher, eval rows, success and model, where there is a choice."""
    builders: Sequence[Callable[[Case], Question | None]] = (
        cards.method_question,
        cards.teacher_question,
        cards.evals_question,
        cards.success_question,
        cards.model_question,
    )
    built = [question for build in builders if (question := build(case)) is not None]
    return _ask(case, [question for question in built if _is_open(case, question)], "Decisions")


def decide_money(case: Case) -> Move | None:
    """Budget and length, with the estimate in sight; only where something costs."""
    has_prices = case.sheet.cost is None or case.sheet.cost.total.expected_usd is not None
    if not case.is_paid or not has_prices:
        return None  # a cap could not be kept without prices
    questions = (
        [] if case.filled("budget.max_cost_usd") or "budget" in case.state.asked else [cards.budget_question(case)]
    )
    schedule = cards.schedule_question(case)
    if schedule is not None and _is_open(case, schedule):
        questions.append(schedule)
    return _ask(case, questions, "Cost")


def mend(case: Case) -> Move | None:
    """Ask once more where a person's value does not pass a gate."""
    errors = [f for gate in case.sheet.blockers for f in gate.findings if f.severity == "error"]
    for finding in errors:
        if (taken_back := _not_assumed_any_more(case, finding)) is not None:
            return taken_back
        question = _mending(case, finding)
        if question is not None and case.times_asked(question.id) < _TIMES_ASKED:
            return _ask(case, [question], "This does not fit yet")
    return None


def _not_assumed_any_more(case: Case, finding: Finding) -> TakeBack | None:
    """A file that was only assumed to measure, and cannot."""
    assumed = case.filled("evals.score.file")
    if assumed is None or assumed.by != "policy" or not finding.path.startswith("evals.score"):
        return None
    name = one_line(str(assumed.value)).rpartition("/")[2]
    return TakeBack("evals.score.file", f"{name} cannot measure this: {finding.got}. I hold rows out instead.")


def _mending(case: Case, finding: Finding) -> Question | None:
    said_before = case.filled(finding.path)
    quotes = [said_before.reason] if said_before is not None and said_before.by == "you" else []
    quotes.append(f"{finding.got}; expected {finding.expected}")
    match finding.path:
        case "budget.max_cost_usd":
            return cards.budget_question(case, quotes=quotes)
        case "evals.score" | "evals.score.file":
            return cards_back.other_evals_question(case, quotes=quotes)
        case _:
            return None


def _is_open(case: Case, question: Question) -> bool:
    """Whether to ask: not asked yet, and not left to defaults, which settle no contradiction."""
    if question.quotes:
        return case.times_asked(question.id) < _TIMES_ASKED
    if question.id in case.state.asked:
        return False
    return question.default is None or not case.state.use_defaults


def _ask(case: Case, questions: Iterable[Question], title: str) -> Ask | None:
    fitting = tuple(questions)[: min(QUESTIONS_PER_CARD, case.room)]
    return Ask(fitting, title) if fitting else None


def _files_that_are_not_there(case: Case) -> list[str]:
    named = [path for text in said(case.state) for path in reach.paths_in(text) if DATA_NAME.fullmatch(path)]
    gone = [path for path in named if not reach.resolved(path, case.state.directory).is_file()]
    return [f"you named {one_line(path)}, and there is no such file" for path in dict.fromkeys(gone)]
