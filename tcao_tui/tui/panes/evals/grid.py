"""The matrix as lines: which axis goes down, which columns are in sight, and the cell under the cursor. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len

from tcao_tui.domain.eval_matrix import EvalMatrix
from tcao_tui.domain.evaluation import CellKey, EvalTask, Subject
from tcao_tui.tui.panes.evals.cells import LEAST_WIDTH, CellText, cell_text
from tcao_tui.tui.panes.evals.names import LAYERS, Scale, scale_of, subject_names, task_names
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import fit

_NAME_SHARE = 0.3
_LEAST_NAME, _MOST_NAME = 8, 30
_MOST_TITLE = 22

type Entry = Subject | EvalTask


@dataclass(frozen=True, slots=True)
class Heading:
    """A line above the tasks of one layer."""

    text: str


type Row = Entry | Heading


class Grid:
    """One matrix at one width.

    Args:
        matrix: What is shown.
        width: Cells across.
        turned: Whether tasks go down; None decides by what fits.

    Attributes:
        rows: Headings and entries from top to bottom.
        columns: Entries from left to right, in sight or not.
        is_turned: Whether tasks go down.
    """

    def __init__(self, matrix: EvalMatrix, width: int, turned: bool | None = None) -> None:
        self._matrix, self._width = matrix, width
        self._tasks = sorted(matrix.tasks, key=lambda task: task.layer)
        self._scales = {task.name: scale_of(task, matrix) for task in self._tasks}
        self._names = subject_names(matrix.subjects) | task_names(self._tasks)
        self._texts = {
            CellKey(task.name, subject.name): self._text(CellKey(task.name, subject.name), self._scales[task.name])
            for task in self._tasks
            for subject in matrix.subjects
        }
        self.is_turned = self._wants_turning() if turned is None else turned
        self.rows: Sequence[Row] = self._task_rows() if self.is_turned else list(matrix.subjects)
        self.columns: Sequence[Entry] = list(matrix.subjects) if self.is_turned else self._tasks
        self.name_width = self._name_width(self.rows)
        self._widths = self._widths_of(self.columns)

    def _text(self, key: CellKey, scale: Scale) -> CellText:
        return cell_text(self._matrix.cells.get(key), scale)

    def _wants_turning(self) -> bool:
        """Subjects go down, unless only tasks that go down let all columns be seen, or have fewer."""
        subjects, tasks = self._matrix.subjects, self._tasks
        across = self._name_width(subjects) + sum(w + 1 for w in self._widths_of(tasks))
        turned = self._name_width(tasks) + sum(w + 1 for w in self._widths_of(subjects))
        if across <= self._width or turned <= self._width:
            return across > self._width
        return len(subjects) < len(tasks)

    def _task_rows(self) -> list[Row]:
        rows: list[Row] = []
        for layer, tasks in groupby(self._tasks, key=lambda task: task.layer):
            rows += [Heading(f"layer {layer} · {LAYERS[layer]}"), *tasks]
        return rows

    def _name_width(self, rows: Sequence[Row]) -> int:
        longest = max((cell_len(self._told(row)) for row in rows if not isinstance(row, Heading)), default=0)
        return min(longest, max(int(self._width * _NAME_SHARE), _LEAST_NAME), _MOST_NAME) + 3

    def _widths_of(self, columns: Sequence[Entry]) -> list[int]:
        return [
            max(
                LEAST_WIDTH,
                min(cell_len(self._told(column)), _MOST_TITLE),
                *(text.width for key, text in self._texts.items() if column.name in key),
            )
            for column in columns
        ]

    def _told(self, entry: Entry) -> str:
        return self._names[entry.name]

    def place(self, key: CellKey) -> tuple[int, int]:
        """Row and column of a cell."""
        row = next(i for i, row in enumerate(self.rows) if not isinstance(row, Heading) and row.name in key)
        return row, next(i for i, column in enumerate(self.columns) if self._key(self.rows[row], column) == key)

    def at(self, row: int, column: int) -> CellKey | None:
        """The cell at a row and a column; None for a heading and outside."""
        if not (0 <= row < len(self.rows) and 0 <= column < len(self.columns)):
            return None
        return self._key(self.rows[row], self.columns[column])

    def row_by(self, row: int, by: int) -> int:
        """The row `by` rows further down, without counting headings; the same one at the end."""
        entries = [i for i, each in enumerate(self.rows) if not isinstance(each, Heading)]
        return entries[min(max(entries.index(row) + by, 0), len(entries) - 1)]

    def _key(self, row: Row, column: Entry) -> CellKey | None:
        """The cell where they meet."""
        match row, column:
            case Subject(name=subject), EvalTask(name=task):
                return CellKey(task, subject)
            case EvalTask(name=task), Subject(name=subject):
                return CellKey(task, subject)
            case _:
                return None

    def in_sight(self, first: int) -> int:
        """How many columns are seen whole from the one of index `first` on; at least one."""
        room, count = self._width - self.name_width, 0
        for width in self._widths[first:]:
            if (room := room - width - 1) < 0:
                break
            count += 1
        return max(count, 1)

    def first_for(self, chosen: int, first: int) -> int:
        """The first column in sight, moved only as far as the chosen one needs."""
        first = min(first, chosen)
        while chosen >= first + self.in_sight(first):
            first += 1
        while first and self.in_sight(first - 1) >= len(self.columns) - first + 1:
            first -= 1
        return first

    def column_at(self, x: int, first: int) -> int | None:
        """The index of the column in cell `x` of a line."""
        at = self.name_width
        for index in range(first, first + self.in_sight(first)):
            if at <= x < (at := at + self._widths[index] + 1):
                return index
        return None

    def title_lines(self, chosen: int, first: int) -> list[Line]:
        """Names of the columns, below their layers where those go across; arrows tell that there are more."""
        shown = range(first, first + self.in_sight(first))
        more = len(self.columns) - shown.stop
        hidden = " ".join([f"‹{first}"] * bool(first) + [f"{more}›"] * (more > 0))
        names: list[Span] = [(fit(f"  {hidden}", self.name_width), "info")]
        for index in shown:
            name = f"{self._star(self.columns[index])}{self._told(self.columns[index])}"
            ink = "pick" if index == chosen else "title"
            cut = fit(name, self._widths[index]).rstrip()
            names += [(cut, ink), (" " * (self._widths[index] - cell_len(cut) + 1), "title")]
        return [tuple(names)] if self.is_turned else [self._layer_line(shown), tuple(names)]

    def _layer_line(self, shown: range) -> Line:
        spans: list[Span] = [(" " * self.name_width, "title")]
        for layer, group in groupby(shown, key=lambda index: self._tasks[index].layer):
            room = sum(self._widths[index] + 1 for index in group)
            spans.append((fit(f"layer {layer} · {LAYERS[layer]} ".ljust(room - 1, "─"), room - 1) + " ", "muted"))
        return tuple(spans)

    def _star(self, entry: Entry) -> str:
        """A star for the subject to be used, a ring for the task that decides."""
        selection = self._matrix.selection
        if selection is None:
            return ""
        used = selection.choice.subject if selection.choice is not None else selection.recommended
        return "★ " if entry.name == used else "◎ " if entry.name == selection.goal else ""

    def lines(self, chosen: CellKey | None, first: int) -> list[Line]:
        """The rows; the chosen cell stands in brackets."""
        return [self._line(row, chosen, first) for row in self.rows]

    def _line(self, row: Row, chosen: CellKey | None, first: int) -> Line:
        if isinstance(row, Heading):
            return ((f" {row.text} ".ljust(self._width, "─"), "muted"),)
        star = self._star(row) or "  "
        is_here = chosen is not None and row.name in chosen
        name = fit(self._told(row), self.name_width - 3)
        spans: list[Span] = [(star, "accent"), (name, "strong" if is_here else "text")]
        before = " "
        for index in range(first, first + self.in_sight(first)):
            key = self._key(row, self.columns[index])
            assert key is not None
            is_chosen = key == chosen
            spans.append(("[", "accent") if is_chosen else (before, "accent"))
            spans += self._texts[key].laid_out(self._widths[index])
            before = "]" if is_chosen else " "
        spans.append((before, "accent"))
        return tuple(spans)
