"""One row token by token, in colour and without: what carries loss, what is cut, where the chat template differs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from tcao_tui.cli.render.text import Style
from tcao_tui.domain.plain_text import one_line, plain_text
from tcao_tui.domain.row_preview import PreviewToken, RowPreview

_BETWEEN = "·"
_LOSS = ("[[", "]]")
_CUT = "~~ cut here ~~"


def preview_lines(preview: RowPreview, style: Style, *, colours: bool) -> list[str]:
    """The row; without colours, tokens that carry loss stand in double brackets."""
    trained = sum(token.trained and not token.cut for token in preview.tokens)
    cut = sum(token.cut for token in preview.tokens)
    side = f", {preview.side} side" if preview.side else ""
    header = f"{one_line(preview.path)}:{preview.line}  row {preview.row:,}{side}"
    counts = f"{len(preview.tokens):,} tokens, {trained:,} carry loss" + (f", {cut:,} are cut" if cut else "")
    key = style("green", "green", bold=True) if colours else f"{_LOSS[0]} {_LOSS[1]}"
    return [
        style(header, bold=True),
        f"{one_line(preview.model, 80)}, renderer {one_line(preview.renderer, 40)}: {counts}",
        style(f"{_BETWEEN} between tokens; carries loss: ", dim=True) + key,
        "",
        *_text(preview, style, colours=colours).split("\n"),
        "",
        *_template(preview, style),
    ]


def _text(preview: RowPreview, style: Style, *, colours: bool) -> str:
    parts: list[str] = []
    was_cut = False
    for (trained, cut), run in groupby(preview.tokens, key=lambda token: (token.trained, token.cut)):
        text = _BETWEEN.join(visible(token) for token in run)
        if cut and not was_cut:
            parts.append(f"\n{style(_CUT, 'red')}\n")
        was_cut = cut
        if not trained:
            parts.append(_styled(text, style, dim=True))
        elif colours:
            parts.append(_styled(text, style, colour=None if cut else "green", bold=True))
        else:
            parts.append(f"{_LOSS[0]}{text}{_LOSS[1]}")
    return "".join(parts)


def _styled(text: str, style: Style, *, colour: str | None = None, bold: bool = False, dim: bool = False) -> str:
    """Line by line, so that a pager shows each in its colour."""
    return "\n".join(style(line, colour, bold=bold, dim=dim) if line else "" for line in text.split("\n"))


def visible(token: PreviewToken) -> str:
    """Text of a token, with what a terminal must not be sent written out."""
    safe = plain_text(token.text)
    if safe != token.text:
        safe = token.text.encode("unicode_escape").decode()
    return safe.replace("\n", "⏎\n").replace("\t", "⇥\t")


def _template(preview: RowPreview, style: Style) -> Iterator[str]:
    match preview.template:
        case "same":
            yield style("The model's own chat template gives the same text.", "green")
        case "none":
            yield "The model has no chat template to compare with."
        case "differs":
            yield style("The model's own chat template gives another text:", "yellow", bold=True)
            for difference in preview.differences:
                yield f"  renderer {_quoted(difference.rendered)}"
                yield f"  template {_quoted(difference.template)}"
                yield ""
            yield "Train and serve with the same of the two: the renderer's, or a template that gives its text."


def _quoted(text: str, width: int = 300) -> str:
    written = "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)
    return f'"{written[:width]}…"' if len(written) > width else f'"{written}"'
