"""Tasks times subjects: scores with intervals, what each gained over the base, and which subject is to be used.

Made from stored cells and items by `services.evaluation_view`; cells of several evaluations come together when their
tasks mean the same and their weights are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tcao_tui.domain.evaluation import CellKey, CellRecord, Choice, EvalTask, Subject

if TYPE_CHECKING:
    from tcao_tui.domain.statistics.paired import Difference
    from tcao_tui.domain.statistics.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Level:
    """A mean score with its 95 % interval; NaN where there are too few items for one.

    Attributes:
        items: That have a grade.
        how: The name of the interval, for the report.
    """

    mean: float
    low: float
    high: float
    items: int
    how: str


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell.

    Attributes:
        evaluation_id: The evaluation that its numbers are of.
        level: Its score; None without a graded item.
        gain: Against the base on the same items, above zero is better; None for the base, or without items of both.
        p_value: Of the gain, corrected over the subjects of the task.
        outcome: What the gain says; empty for the base.
        unusable: Share of answers that errored, have no grade or were cut off, 0 to 1.
        caution: What keeps it from being compared, for people; empty when nothing does.
    """

    evaluation_id: str
    record: CellRecord
    level: Level | None = None
    gain: Difference | None = None
    p_value: float = 1.0
    outcome: Outcome | None = None
    unusable: float = 0.0
    caution: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the selection rule says of one subject.

    Attributes:
        outcome: Against the base on the goal.
        why: For people: why it was left out, or what speaks for it.
    """

    subject: str
    outcome: Outcome
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which subject is to be used, and how sure that is.

    Attributes:
        goal: Name of the task that decides; empty when there is none.
        recommended: Name of a subject; the base where nothing is better as far as can be told.
        sure: "better" or "cannot tell".
        quoted: Its gain over the base on items that choosing did not see; None for the base.
        alike: Further subjects that cannot be told from it.
        more_items: Items in all that would tell, were the gain what it seems; None where unknown or needless.
        rulings: One for each subject but the base.
        rule: The rule in words, a line each, with the inputs that it had.
        trade_offs: Subjects that no other one beats on every goal, where there are several goals.
        choice: A person's word, which overrules; None without one.
    """

    goal: str
    recommended: str
    sure: Outcome
    quoted: Difference | None
    alike: tuple[str, ...]
    more_items: int | None
    rulings: tuple[Ruling, ...]
    rule: tuple[str, ...]
    trade_offs: tuple[str, ...] = ()
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class EvalMatrix:
    """Everything that a screen or a report shows of a run's evaluations.

    Attributes:
        title: Of the run or the evaluation.
        base: Name of the subject that the others are held against; empty when it was not evaluated.
        cells: Those that exist; a task may lack some subjects.
        notes: What a person should know: layers that are missing, gaps that keep cells from being compared.
        is_driven: Whether a process goes on with the cells that wait.
        changed: Differs when anything that is shown does.
    """

    title: str
    subjects: Sequence[Subject]
    tasks: Sequence[EvalTask]
    base: str
    cells: Mapping[CellKey, CellView]
    selection: Selection | None
    notes: Sequence[str] = ()
    is_driven: bool = False
    changed: int = 0
