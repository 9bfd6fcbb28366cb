"""The rules planner: inspects before it asks, asks what only a person can tell, and ends with a plan or what it lacks.

`next_move` decides and is pure; `RulesPlanner` carries the moves out until it is the person's turn.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from tcao_tui.domain.interview import Asked, PlannerName, Said, SlotCleared, SlotFilled
from tcao_tui.domain.questions import Card
from tcao_tui.planner.port import Interview
from tcao_tui.planner.rules import data, questions, summary
from tcao_tui.planner.rules.case import Case
from tcao_tui.planner.rules.moves import Ask, Assume, Move, Say, TakeBack, UseTool, Wait
from tcao_tui.planner.rules.nearby import nearby_files

_RULES: tuple[Callable[[Case], Move | None], ...] = (
    questions.wait_for_answers,
    questions.settle_contradictions,
    questions.open_with,
    questions.own_up,
    data.look_at_training_rows,
    data.leave_bad_rows_out,
    data.ask_the_server,
    questions.keep_data_here,
    questions.decide,
    data.read_pairs_as_answers,
    data.choose_eval_rows,
    data.hold_out_rows,
    data.look_at_other_files,
    data.look_for_leaks,
    data.look_for_code,
    questions.decide_money,
    questions.mend,
    summary.check,
)
"""The first rule that has something to do decides."""


def next_move(case: Case) -> Move:
    """What to do now; `Wait` when it is the person's turn."""
    return next((move for rule in _RULES if (move := rule(case)) is not None), summary.conclude(case))


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
                case Ask(asked, title):
                    card = Card(id=f"card-{interview.state.seq + 1}", title=title, questions=asked)
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
