"""What a prune would delete and what it would keep, and why, before it is done; the digest of exactly that is typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcao_tui.domain.checkpoint_listing import ListedCheckpoint, total_storage
from tcao_tui.domain.pruning import PrunePolicy, Pruning, prune
from tcao_tui.domain.wording import bytes_text
from tcao_tui.tui.panes.checkpoints.table import month_text, name_text, run_text
from tcao_tui.tui.widgets.line_view import Line, LineView
from tcao_tui.tui.widgets.text_block import fit

_MOST_KEPT_LAST = 20


class PruneScreen(ModalScreen[Pruning | None]):
    """Answers with what is to be deleted, or None.

    Args:
        checkpoints: Those that are judged, all of a complete listing or of a run.
        backend: Name of the server's profile.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("up", "keep(1)", show=False, priority=True),
        Binding("down", "keep(-1)", show=False, priority=True),
        Binding("pageup", "scroll_list(-8)", show=False, priority=True),
        Binding("pagedown", "scroll_list(8)", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    PruneScreen {
        align: center middle;
        & #box { width: 92; max-width: 98%; height: auto; max-height: 96%; padding: 0 2; }
        & #box { background: $surface; border: round $warning; }
        & #title { text-style: bold; }
        & #policy, & #keys, & #command { color: $foreground-muted; height: auto; }
        & #list { height: auto; max-height: 12; margin: 1 0; }
        & Input { height: 1; border: none; padding: 0 1; background: $panel; margin-bottom: 1; }
        & Input:focus { border: none; }
    }
    """

    def __init__(self, checkpoints: Sequence[ListedCheckpoint], backend: str) -> None:
        super().__init__()
        self._checkpoints, self._backend = checkpoints, backend
        self._policy = PrunePolicy()
        self._found = prune(checkpoints, self._policy)

    def compose(self) -> ComposeResult:
        """What goes, what stays, and the word of consent."""
        with Vertical(id="box"):
            yield Static(id="title", markup=False)
            yield Static(id="policy", markup=False)
            yield LineView(id="list")
            yield Input()
            yield Static(id="command", markup=False)
            yield Static(
                "⏎ delete   ↑↓ keep more or fewer steps   pgup pgdn scroll   esc leave it", id="keys", markup=False
            )

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the width."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        gone, policy = self._found.delete, self._policy
        size, usd, _unknown = total_storage(gone)
        freed = f", {bytes_text(size)} and {month_text(usd)} a month" if gone else ""
        self.query_one("#title", Static).update(f"Delete {len(gone)} of {len(self._checkpoints)} checkpoints{freed}")
        self.query_one("#policy", Static).update(
            f"Kept of each run: its last {policy.keep_last} steps, the best by each score, results, and what it may be "
            "resumed from; also what is pinned, public or of no run here."
        )
        self.query_one("#list", LineView).show(_lines(self._found, max(self.size.width - 8, 20)))
        self.query_one(Input).placeholder = f"type {self._found.digest} to delete exactly these" if gone else ""
        groups = {c.group for c in self._checkpoints}
        of_run = f" --run {groups.pop()}" if len(groups) == 1 else ""
        command = f"tcao ckpt prune{of_run} --keep-last {policy.keep_last} --confirm {self._found.digest}"
        self.query_one("#command", Static).update(f"In a shell: {command} --backend {self._backend}")

    def action_keep(self, by: int) -> None:
        """Keep more or fewer of the last steps."""
        kept = min(max(self._policy.keep_last + by, 0), _MOST_KEPT_LAST)
        self._policy = PrunePolicy(keep_last=kept)
        self._found = prune(self._checkpoints, self._policy)
        self._draw()

    def action_scroll_list(self, by: int) -> None:
        """Scroll what would be deleted."""
        self.query_one("#list", LineView).scroll_lines(by)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if not self._found.delete:
            self.dismiss(None)
        elif event.value.strip() == self._found.digest:
            self.dismiss(self._found)
        else:
            self.notify(f"Type {self._found.digest} to do it, or press Esc.", severity="warning", markup=False)

    def action_cancel(self) -> None:
        """Delete nothing."""
        self.dismiss(None)


def _lines(pruning: Pruning, width: int) -> list[Line]:
    """What goes, each in a line, then how many stay for which reason."""
    lines: list[Line] = []
    for checkpoint in pruning.delete:
        told = f"{run_text(checkpoint)}  {name_text(checkpoint)}  {checkpoint.server.kind}"
        lines.append((("✗ ", "bad"), (fit(told, min(width, 80)).rstrip(), "text")))
    reasons = Counter(reason for _checkpoint, reason in pruning.kept)
    return [*lines, *((("· ", "ok"), (f"{count} kept: {reason}", "muted")) for reason, count in reasons.most_common())]
