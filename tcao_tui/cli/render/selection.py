"""The selection rule as text: what is to be used, what it said of each checkpoint, and its inputs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcao_tui.cli.render.text import Style, table
from tcao_tui.domain.eval_words import gain_text
from tcao_tui.domain.plain_text import one_line

if TYPE_CHECKING:
    from tcao_tui.domain.eval_matrix import Selection

_COLOURS = {"better": "green", "worse": "red", "cannot tell": "yellow", "left out": "yellow"}


def selection_lines(selection: Selection, base: str, style: Style) -> list[str]:
    """The answer, what each checkpoint was judged as and why, and the rule with its inputs."""
    lines = [*_answer(selection, base, style), ""]
    rows = [(one_line(each.subject, 40), each.outcome, one_line(each.why, 200)) for each in selection.rulings]
    heading, *told = table(("CHECKPOINT", "VERDICT", "WHY"), rows)
    lines.append(style(heading.rstrip(), dim=True))
    lines += [
        style(line.rstrip(), _COLOURS[ruling.outcome]) for line, ruling in zip(told, selection.rulings, strict=True)
    ]
    if len(selection.trade_offs) > 1:
        lines += ["", f"no other one beats: {', '.join(map(one_line, selection.trade_offs))}"]
    return [*lines, "", *(f"- {one_line(line)}" for line in selection.rule)]


def _answer(selection: Selection, base: str, style: Style) -> list[str]:
    name = one_line(selection.recommended)
    if selection.recommended != base:
        told = [style(f"use {name}", "green", bold=True)]
    elif selection.sure == "better":
        told = [style(f"keep {name}: every checkpoint is worse", "yellow", bold=True)]
    else:
        told = [style(f"keep {name}: nothing that may be used is better as far as can be told", "yellow", bold=True)]
    if selection.quoted is not None:
        told[0] += f", {gain_text(selection.quoted)} on {selection.quoted.items:,} items kept for this"
    if selection.alike:
        told.append(f"cannot be told from it: {', '.join(map(one_line, selection.alike))}")
    if choice := selection.choice:
        words = f"{one_line(choice.by)} chose {one_line(choice.subject)}: {one_line(choice.reason, 300)}"
        told.insert(0, style(words, "green", bold=True))
    return told
