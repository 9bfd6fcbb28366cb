"""A run explained in words, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tcao_tui.domain.diagnosis import Diagnosis, RunFinding
from tcao_tui.tui.widgets.flow_view import FlowView
from tcao_tui.tui.widgets.line_view import Line
from tcao_tui.tui.widgets.text_block import wrapped


def diagnosis_lines(found: Diagnosis, width: int) -> list[Line]:
    """State, numbers, findings, what cannot be told, and the next commands."""
    lines = _wrapped(found.state, "strong", width)
    lines += [line for fact in found.facts for line in _wrapped(fact, "muted", width, indent=2)]
    lines += [(), (("What stands out" if found.findings else "Nothing stands out.", "title"),)]
    lines += [line for finding in found.findings for line in _finding(finding, width)]
    for title, texts, ink in (("Cannot be told yet", found.missing, "muted"), ("Next", found.next_commands, "info")):
        if texts:
            lines += [(), ((title, "title"),)]
            lines += [line for text in texts for line in _wrapped(text, ink, width, indent=2)]
    return lines


def _finding(finding: RunFinding, width: int) -> list[Line]:
    what = _wrapped(f"▪ {finding.what}", "warn", width, indent=2)
    do = _wrapped(f"→ {finding.do}", "text", width, indent=4) if finding.do else []
    return [*what, *_wrapped(finding.evidence, "muted", width, indent=4), *do]


def _wrapped(text: str, ink: str, width: int, *, indent: int = 0) -> list[Line]:
    return [((" " * indent, "text"), (line, ink)) for line in wrapped(text, width - indent - 1)]


class DiagnosisScreen(ModalScreen[None]):
    """Shows a diagnosis until Esc, d or q."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,d,q", "dismiss", show=False),
        Binding("up,k", "scroll_lines(-1)", show=False),
        Binding("down,j", "scroll_lines(1)", show=False),
        Binding("pageup", "scroll_lines(-10)", show=False),
        Binding("pagedown,space", "scroll_lines(10)", show=False),
    ]
    DEFAULT_CSS = """
    DiagnosisScreen {
        align: center middle;
        & #box { width: 100; max-width: 96%; height: auto; max-height: 92%; padding: 1 2; }
        & #box { background: $surface; border: round $line; }
        & FlowView { height: auto; max-height: 100%; }
    }
    """

    def __init__(self, found: Diagnosis) -> None:
        super().__init__()
        self._found = found

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown."""
        return self.query_one(FlowView).lines

    def compose(self) -> ComposeResult:
        """The lines."""
        with Vertical(id="box"):
            yield FlowView(lambda width: diagnosis_lines(self._found, width))

    def action_scroll_lines(self, by: int) -> None:
        """Scroll."""
        self.query_one(FlowView).scroll_lines(by)
