"""A judge held against people, as text and JSON. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tcao_tui.cli.render.text import Style, table
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.statistics.agreement import meaning
from tcao_tui.domain.statistics.shares import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tcao_tui.domain.judge_labels import Judgement
    from tcao_tui.services.judge_labels import Agreement, JudgeTrial

_SHOWN = 5
_WIDTH = 200


def trial_lines(trial: JudgeTrial) -> list[str]:
    """What would be asked and what is known of its cost, for consent."""
    read = sum(len(row.input) + len(row.output) + len(row.answer) for row in trial.rows)
    if trial.is_free:
        price = "free"
    elif trial.quote is not None:
        price = f"reading ${trial.quote.prefill_usd}, writing ${trial.quote.sample_usd} per million tokens"
    elif trial.price is not None:
        price = f"reading ${trial.price.input_usd}, writing ${trial.price.output_usd} per million tokens"
    else:
        price = "its prices are not known here"
    return [
        f"{one_line(trial.judge)} grades {len(trial.rows):,} answers, {read:,} characters beside the prompt",
        f"  {price}; the hash of this is {trial.hash}",
    ]


def agreement_lines(found: Agreement, style: Style) -> list[str]:
    """Agreement, kappa, the table, what was lost, what it took, and rows on which they disagree."""
    cells = found.table
    lines: list[str] = []
    if cells.items:
        low, high = wilson(cells.agreement, cells.items)
        lines.append(f"agreement {cells.agreement:.3f} ({low:.3f} to {high:.3f}) on {cells.items:,} answers")
    kappa = found.kappa
    lines += [] if kappa is None else [f"kappa     {kappa.value:.3f} ({kappa.low:.3f} to {kappa.high:.3f})"]
    lines += [style(meaning(cells, kappa), bold=True), ""]
    rows = [
        ("people: right", f"{cells.both_right:,}", f"{cells.only_people:,}"),
        ("people: wrong", f"{cells.only_judge:,}", f"{cells.both_wrong:,}"),
    ]
    lines += [line.rstrip() for line in table(("", "judge: right", "judge: wrong"), rows)]
    usd = "cost unknown" if found.usd is None else f"${found.usd:.4f}"
    lines += ["", f"no grade to read: {len(found.unread):,}  errors: {len(found.failed):,}  (neither is counted above)"]
    lines.append(f"the judge took {found.tokens:,} tokens, {usd}")
    return [*lines, *_apart(found), *_lost("no grade to read", found.unread), *_lost("errors", found.failed)]


def agreement_dict(found: Agreement) -> dict[str, Any]:
    """All of it for scripts."""
    cells = found.table
    share = None
    if cells.items:
        low, high = wilson(cells.agreement, cells.items)
        share = {"value": cells.agreement, "low": low, "high": high}
    return {
        "items": cells.items,
        "agreement": share,
        "kappa": None if found.kappa is None else asdict(found.kappa),
        "meaning": meaning(cells, found.kappa),
        "confusion": asdict(cells),
        "unparseable": [each.line for each in found.unread],
        "errors": [{"line": each.line, "error": each.error} for each in found.failed],
        "judge_tokens": found.tokens,
        "judge_usd": found.usd,
        "disagreements": [
            {"line": row.line, "label": row.label, "grade": each.grade, "answer": row.answer, "said": each.said}
            for row, each in found.apart
        ],
    }


def _apart(found: Agreement) -> list[str]:
    if not found.apart:
        return []
    lines = ["", f"they disagree on {len(found.apart):,}:"]
    for row, each in found.apart[:_SHOWN]:
        people, judge = ("right", "wrong") if row.label else ("wrong", "right")
        lines.append(f"  line {row.line}: people say {people}, the judge says {judge}")
        lines.append(f"    answer: {one_line(row.answer, _WIDTH)}")
        lines.append(f"    judge:  {one_line(each.said, _WIDTH)}")
    return lines


def _lost(what: str, lost: Sequence[Judgement]) -> list[str]:
    if not lost:
        return []
    told = [f"  line {each.line}: {one_line(each.error or each.said, _WIDTH)}" for each in lost[:_SHOWN]]
    return ["", f"{what}:", *told]
