"""The rules planner: inspects before it asks, asks what only a person can tell, and ends with a plan or what it lacks.

`next_move` decides and is pure; `RulesPlanner` carries the moves out until it is the person's turn.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from tcao_tui.domain.interview import Asked, PlannerName, Said, SlotCleared, SlotFilled
from tcao_tui.domain.questions import Card
from tcao_tui.planner import rules_data, rules_questions, rules_summary
from tcao_tui.planner.nearby import nearby_files
from tcao_tui.planner.port import Interview
from tcao_tui.planner.rules_case import Case
from tcao_tui.planner.rules_moves import Ask, Assume, Move, Say, TakeBack, UseTool, Wait

_RULES: tuple[Callable[[Case], Move | None], ...] = (
    rules_questions.wait_for_answers,
    rules_questions.settle_contradictions,
    rules_questions.open_with,
    rules_questions.own_up,
    rules_data.look_at_training_rows,
    rules_data.leave_bad_rows_out,
    rules_data.ask_the_server,
    rules_questions.keep_data_here,
    rules_questions.decide,
    rules_data.read_pairs_as_answers,
    rules_data.choose_eval_rows,
    rules_data.hold_out_rows,
    rules_data.look_at_other_files,
    rules_data.look_for_leaks,
    rules_questions.decide_money,
    rules_questions.mend,
    rules_summary.check,
)
"""The first rule that has something to do decides."""


def next_move(case: Case) -> Move:
    """What to do now; `Wait` when it is the person's turn."""
    return next((move for rule in _RULES if (move := rule(case)) is not None), rules_summary.conclude(case))


class RulesPlanner:
    """Interviews without a language model; see `planner.port.Planner`.

    Args:
        files: Data files of a project, to choose from.
    """

    name: ClassVar[PlannerName] = "rules"

    def __init__(self, files: Callable[[str], tuple[Path, ...]] = nearby_files) -> None:
        self._files = files

    async def go_on(self, interview: Interview) -> None:
        """Ask, look and check until it is the person's turn."""
        files = self._files(interview.state.directory)
        while True:
            case = Case(interview.state, interview.sheet, files)
            match next_move(case):
                case Wait():
                    return
                case Say(text):
                    if not case.is_said(text):
                        interview.append(Said(who="planner", text=text))
                    return
                case Ask(questions, title):
                    card = Card(id=f"card-{interview.state.seq + 1}", title=title, questions=questions)
                    interview.append(Asked(card=card))
                    return
                case Assume(path, filled):
                    interview.append(SlotFilled(path=path, filled=filled))
                case TakeBack(path, saying):
                    interview.append(Said(who="planner", text=saying), SlotCleared(path=path))
                case UseTool(tool, arguments, saying):
                    if saying and not case.is_said(saying):
                        interview.append(Said(who="planner", text=saying))
                    await interview.call(tool, arguments)
