"""The chapter of a report on single answers: which turned, what goes wrong, and how the chosen weights still fail."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.document import Bullets, DocumentBlock, Grid, Heading, Paragraph, Verbatim
from tcao_tui.domain.eval_report import ReportFacts
from tcao_tui.domain.evaluation import Counts
from tcao_tui.domain.wording import UNKNOWN, share_text


def answers(facts: ReportFacts) -> Iterator[DocumentBlock]:
    """Answers that turned, and what still goes wrong."""
    yield Heading("Answers that turned")
    if not facts.flips:
        yield Paragraph("None can be shown: nothing turned, or no transcript is kept.")
    for is_gain, title in ((True, "Better than the base"), (False, "Worse than the base")):
        flips = [flip for flip in facts.flips if flip.is_gain == is_gain]
        if flips:
            yield Heading(f"{title}: {facts.subject}", 3)
        for flip in flips:
            yield from _shown(flip.task, flip.item, flip.asked, flip.wanted)
            yield Verbatim(facts.matrix.base, flip.before)
            yield Verbatim(facts.subject, flip.after)
    yield from _failures(facts)


def _shown(task: str, item: str, asked: str, wanted: str) -> Iterator[DocumentBlock]:
    yield Verbatim(f"{task}, item {item}: asked", asked)
    if wanted:
        yield Verbatim("wanted", wanted)


def _failures(facts: ReportFacts) -> Iterator[DocumentBlock]:
    yield Heading("What goes wrong")
    header = ("task", "subject", "planned", "answered", "errors", "no grade", "cut off")
    rows = [(*key, *_counted(cell.record.counts)) for key, cell in facts.matrix.cells.items()]
    yield Grid(header, rows, frozenset(range(2, 7)))
    yield Grid(
        ("task", "tag", "items", "base", facts.subject),
        [(one.task, one.tag, f"{one.items:,}", _mean(one.before), _mean(one.after)) for one in facts.tags],
        frozenset({2, 3, 4}),
    )
    yield Heading(f"Known failure modes of {facts.subject}" if facts.subject else "Known failure modes", 3)
    yield Bullets(list(_modes(facts)) or ["None is known; that is not the same as none."])
    for failure in facts.failures:
        yield from _shown(failure.task, failure.item, failure.asked, failure.wanted)
        yield Verbatim(f"{facts.subject} ({failure.kind})", failure.given)


def _modes(facts: ReportFacts) -> Iterator[str]:
    for kind, count in facts.failure_kinds.items():
        yield f"{kind}: {count:,} of {sum(facts.failure_kinds.values()):,} wrong answers looked at"
    for key, cell in facts.matrix.cells.items():
        if key.subject == facts.subject and cell.unusable > 0:
            yield f"{key.task}: {share_text(cell.unusable)} of its answers have an error or no grade, or were cut off"
        if key.subject == facts.subject and cell.outcome == "worse":
            yield f"{key.task}: clearly worse than the base"
    yield from facts.cautions


def _counted(counts: Counts) -> Iterator[str]:
    known = (counts.planned, counts.completed, counts.errored, counts.unscored, counts.truncated)
    return (f"{count:,}" for count in known)


def _mean(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"
