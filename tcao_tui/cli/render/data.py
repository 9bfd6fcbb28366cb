"""Data files as text for people: the report of an inspection, shared rows, parts of a split. Pure functions of values.

Text from data files goes through `plain_text` here, so that it cannot steer the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tcao_tui.cli.render.text import Style, table
from tcao_tui.data.mix import MANY_TIMES
from tcao_tui.domain.data_profile import KIND_WORDS, DataProfile, Overlap, Split, Spread, TokenStats
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import bytes_text, share_text

if TYPE_CHECKING:
    from tcao_tui.data.clean import Cleaned
    from tcao_tui.data.mix import Mixed

_BARS = " ▁▂▃▄▅▆▇█"
_LABEL_WIDTH = 11
_SHAPES = {
    "json": "all of them JSON",
    "number": "all of them numbers",
    "final_number": "each ends with a number that can be checked",
    "label": "few and short: labels",
}
_COUNTED_ANSWERS = 1_000
_LANGUAGES_SHOWN = 6


def profile_lines(profile: DataProfile, style: Style) -> list[str]:
    """The report of one file."""
    lines = [style(one_line(str(profile.path)), bold=True) + f"  {_file_text(profile)}"]
    lines += [_pair(name, text, style) for name, text in _facts(profile)]
    if profile.rows:
        lines += ["", *_spreads(profile, style), ""]
        lines += [_pair(name, text, style) for name, text in _contents(profile)]
        lines.append(" " * _LABEL_WIDTH + style(one_line(profile.duplicates_method, 300), dim=True))
    lines += _warnings(profile, style)
    lines += _bad_rows(profile, style)
    return lines


def _file_text(profile: DataProfile) -> str:
    packed = f" in {profile.compression}" if profile.compression else ""
    container = profile.container.upper() or "not read"
    encoding = "" if profile.container in ("", "parquet") else f", {profile.encoding.upper()}"
    return f"{bytes_text(profile.size_bytes)}, {container}{packed}{encoding}"


def _facts(profile: DataProfile) -> Iterator[tuple[str, str]]:
    kind = KIND_WORDS[profile.kind] if profile.kind else "nothing that can be used"
    yield "rows", f"{profile.rows:,} ({kind})" if profile.rows else kind
    if others := [KIND_WORDS[other] for other in profile.kinds[1:]]:
        yield "also", f"can be used as {', '.join(others)}"
    if profile.rows:
        yield "mapping", mapping_text(profile)
    if profile.columns:
        yield "columns", ", ".join(one_line(name, 40) for name in profile.columns)
    for note in profile.notes:
        yield "note", one_line(note, 200)


def mapping_text(profile: DataProfile) -> str:
    """Which columns are read as what."""
    fields = profile.fields
    match profile.kind:
        case "preference":
            names = {"prompt": fields.input_field, "better": fields.chosen_field, "worse": fields.rejected_field}
        case "prompt":
            names = {"prompt": fields.input_field}
        case _ if fields.output_field in profile.columns:
            names = {"prompt": fields.input_field, "answer": fields.output_field}
        case _:
            names = {"conversation": fields.input_field}
    there = set(profile.columns)
    found = [f"{role} = {one_line(name, 40)}" for role, name in names.items() if name.partition(".")[0] in there]
    return f"{fields.data_format} format" + (f"; {', '.join(found)}" if found else "")


def _spreads(profile: DataProfile, style: Style) -> list[str]:
    tokens = profile.tokens
    counted = [
        ("turns", profile.turns),
        ("prompt characters", profile.prompt_chars),
        ("answer characters", profile.answer_chars),
        ("tokens", tokens.row if tokens else None),
        ("tokens that carry loss", tokens.completion if tokens and tokens.completion.total else None),
    ]
    rows = [
        (name, *(f"{number:,}" for number in (spread.p50, spread.p95, spread.max, spread.total)), _bars(spread))
        for name, spread in counted
        if spread is not None
    ]
    header, *body = table(
        ("PER ROW", "MEDIAN", "95 %", "MOST", "IN ALL", "ROWS FROM 0 TO MOST"), rows, right=frozenset({1, 2, 3, 4})
    )
    return [style(header.rstrip(), dim=True), *(line.rstrip() for line in body)]


def _bars(spread: Spread) -> str:
    """A small histogram in which every bin that holds a row is seen; nothing when all rows are alike."""
    most = max(spread.bins, default=0)
    if sum(map(bool, spread.bins)) < 2:
        return ""
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in spread.bins)


def _contents(profile: DataProfile) -> Iterator[tuple[str, str]]:
    if profile.tokens:
        yield "counted by", tokens_text(profile.tokens)
    else:
        yield "tokens", f"not counted: {one_line(profile.tokens_why_not, 400)}"
    if profile.distinct_answers:
        more = "or more " if profile.distinct_answers == _COUNTED_ANSWERS else ""
        shape = _SHAPES.get(profile.answer_shape, "")
        yield "answers", f"{profile.distinct_answers:,} {more}different" + (f", {shape}" if shape else "")
    has = [n for n, there in (("system prompts", profile.has_system), ("tools", profile.has_tools)) if there]
    has += ["thinking"] if profile.has_thinking else []
    has += [f"several user turns in {_rows(profile.multi_turn_rows)}"] if profile.multi_turn_rows else []
    if has:
        yield "with", ", ".join(has)
    shown = list(profile.languages.items())[:_LANGUAGES_SHOWN]
    yield "languages", ", ".join(f"{one_line(name, 40)} {share_text(share)}" for name, share in shown) or "not clear"
    in_a_row = f" ({profile.duplicates_in_a_row:,} in a row, as a mix repeats)" if profile.duplicates_in_a_row else ""
    yield "duplicates", f"{profile.exact_duplicates:,} exact{in_a_row}, {profile.near_duplicates:,} near"


def tokens_text(tokens: TokenStats) -> str:
    """What tokens were counted by."""
    how = "all rows" if tokens.measured == "all" else f"{tokens.rows_measured:,} evenly spaced rows, scaled up"
    return f"{one_line(tokens.model, 60)}, renderer {one_line(tokens.renderer, 40)}, {how}"


def _warnings(profile: DataProfile, style: Style) -> Iterator[str]:
    mark = style("!".ljust(_LABEL_WIDTH), "yellow", bold=True)
    tokens, path = profile.tokens, one_line(str(profile.path))
    if tokens:
        found = (
            (tokens.truncated_rows, tokens.first_truncated, f"longer than {tokens.max_seq_len:,} tokens and cut"),
            (tokens.empty_mask_rows, tokens.first_empty_mask, "without a token that carries loss: they teach nothing"),
            (tokens.refused_rows, tokens.first_refused, f"refused: {one_line(tokens.refusal, 200)}"),
        )
        for rows, first, what in found:
            if rows:
                share = share_text(rows / profile.rows)
                yield f"{mark}{_rows(rows)} ({share}) {what}; first {path}:{first}"
    for kind, rows in profile.sensitive.items():
        yield f"{mark}{_rows(rows)} with what looks like: {one_line(kind, 60)}"
    for odd in profile.anomalies:
        yield f"{mark}{_rows(odd.count)}: {one_line(odd.what, 200)}; first {path}:{odd.first_line}"
        if odd.fix:
            yield f"{' ' * _LABEL_WIDTH}{style(one_line(odd.fix, 200), dim=True)}"


def _bad_rows(profile: DataProfile, style: Style) -> Iterator[str]:
    if not profile.bad_rows:
        return
    is_whole_file = not profile.rows and not any(bad.line for bad in profile.problems)
    yield ""
    yield style(f"{'the file' if is_whole_file else _rows(profile.bad_rows)} cannot be used", "red", bold=True)
    for bad in profile.problems:
        place = f"{profile.path}:{bad.line}" if bad.line else str(profile.path)
        yield f"  {one_line(place)}: {one_line(bad.what, 300)} {style(f'({one_line(bad.fix, 200)})', dim=True)}"
    if (more := profile.bad_rows - len(profile.problems)) > 0:
        yield f"  ... and {more:,} more"


def overlap_lines(overlap: Overlap, style: Style) -> list[str]:
    """What two files share."""
    shared = overlap.exact + overlap.near
    left, right = one_line(str(overlap.left)), one_line(str(overlap.right))
    share = share_text(shared / max(1, overlap.right_rows))
    verdict = f"{shared:,} of {overlap.right_rows:,} rows ({share}) of {right} stand in {left}"
    lines = [
        style(verdict if shared else f"no row of {right} stands in {left}", "red" if shared else "green", bold=True)
    ]
    lines += [_pair("exact", f"{overlap.exact:,}", style), _pair("near", f"{overlap.near:,}", style)] if shared else []
    lines.append(_pair("method", overlap.method, style))
    for one, other, text in overlap.examples:
        lines += [f"  {left}:{one}  {right}:{other}", f"    {one_line(text, 100)}"]
    return lines


def split_lines(split: Split, style: Style) -> list[str]:
    """Where the parts of a split are."""
    parts = zip(("train", "validation", "test"), (split.train, split.validation, split.test), split.rows, strict=True)
    lines = [_pair(name, f"{rows:,} rows  {one_line(str(path))}", style) for name, path, rows in parts if path]
    return [*lines, _pair("method", split.method, style)]


def mixed_lines(mixed: Mixed, style: Style) -> list[str]:
    """What a mix holds and how often it repeats rows."""
    place = one_line(str(mixed.target))
    lines = [_pair("written", f"{_rows(mixed.rows)} ({KIND_WORDS[mixed.kind]})  {place}", style)]
    for share in mixed.shares:
        often = f", each {round(share.times, 1):g} times" if share.times > 1 else ""
        told = f"{_rows(share.taken)}, {share.taken / max(mixed.rows, 1):.1%}, of {share.rows:,}{often}"
        lines.append(_pair("from", f"{told}  {one_line(str(share.source.path))}", style))
        if share.times > MANY_TIMES:
            lines.append(_pair("note", f"rows taken more than {MANY_TIMES} times are learned by heart", style))
    return lines


def cleaned_lines(cleaned: Cleaned, style: Style) -> list[str]:
    """What a cleaned copy holds and what it leaves out."""
    lines = [
        _pair("written", f"{_rows(cleaned.rows)} ({KIND_WORDS[cleaned.kind]})  {one_line(str(cleaned.target))}", style)
    ]
    lines.append(_pair("left out", _rows(cleaned.left_out), style))
    for problem in cleaned.problems:
        place = f"{cleaned.source}:{problem.line}"
        lines.append(f"  {one_line(place)}: {one_line(problem.what, 300)}")
    if (more := cleaned.left_out - len(cleaned.problems)) > 0:
        lines.append(f"  ... and {more:,} more")
    return lines


def _pair(name: str, text: str, style: Style) -> str:
    return f"{style(name.ljust(_LABEL_WIDTH), dim=True)}{text}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def joined(blocks: Sequence[Sequence[str]]) -> str:
    """Blocks of lines with an empty line between them."""
    return "\n\n".join("\n".join(block) for block in blocks)
