"""The keys of the screens of evaluations."""

from __future__ import annotations

from tcao_tui.tui.key import Key, Scope

_EVALS, _SAMPLES, _TRANSCRIPT = Scope.EVALS, Scope.EVAL_SAMPLES, Scope.TRANSCRIPT

EVAL_KEYS: tuple[Key, ...] = (
    Key("evals.back", "escape", "esc", "back", "Leave the details, then the evaluations", "back", _EVALS),
    Key("evals.open", "enter", "⏎", "samples", "See the samples of the cell", "open", _EVALS),
    Key("evals.start", "n", "n", "evaluate", "Evaluate checkpoints of the run", "act('start')", _EVALS),
    Key("evals.choose", "c", "c", "choose", "Choose which weights to use, with the reason", "act('choose')", _EVALS),
    Key("evals.report", "w", "w", "report", "Write the report", "act('report')", _EVALS),
    Key("evals.resume", "r", "r", "resume", "Go on with cells that wait, failed or were lost", "act('resume')", _EVALS),
    Key("evals.drain", "d", "d", "drain", "Let answers under way end, then stop", "act('drain')", _EVALS),
    Key("evals.cancel", "x", "x", "cancel", "Stop at once; what is done stays", "act('cancel')", _EVALS),
    Key("evals.read", "tab", "tab", "details", "The cell on most of the screen, or back", "read", _EVALS),
    Key("evals.turn", "g", "g", "turn", "Tasks down instead of checkpoints, or back", "turn", _EVALS),
    Key("evals.logs", "o", "o", "logs", "Open Inspect logs that were made elsewhere", "act('logs')", _EVALS),
    Key("evals.view", "y", "y", "", "Copy the command that opens the logs in inspect view", "act('view')", _EVALS),
    Key("evals.up", "up,k", "↑", "", "Row above", "move(-1, 0)", _EVALS),
    Key("evals.down", "down,j", "↓", "", "Row below", "move(1, 0)", _EVALS),
    Key("evals.left", "left,h", "←", "", "Column before", "move(0, -1)", _EVALS),
    Key("evals.right", "right,l", "→", "", "Next column", "move(0, 1)", _EVALS),
    Key("samples.back", "escape", "esc", "back", "Drop the search, then back to the matrix", "back", _SAMPLES),
    Key("samples.open", "enter", "⏎", "transcript", "Read the sample in full", "open(False)", _SAMPLES),
    Key("samples.diff", "v", "v", "beside", "Read it beside the base's answer", "open(True)", _SAMPLES),
    Key("samples.only", "f", "f", "filter", "All, wrong, flipped, cut off, errors, unscored", "only", _SAMPLES),
    Key("samples.find", "slash", "/", "search", "Show samples with a text", "find", _SAMPLES),
    Key("samples.order", "o", "o", "order", "Sort by the next column", "order", _SAMPLES),
    Key("samples.reverse", "O", "O", "", "Turn the order around", "reverse", _SAMPLES),
    Key("samples.up", "up,k", "↑", "", "Sample above", "move(-1)", _SAMPLES),
    Key("samples.down", "down,j", "↓", "", "Sample below", "move(1)", _SAMPLES),
    Key("samples.page_up", "pageup", "pgup", "", "A page of samples up", "page(-1)", _SAMPLES),
    Key("samples.page_down", "pagedown", "pgdn", "", "A page of samples down", "page(1)", _SAMPLES),
    Key("samples.first", "home", "home", "", "First sample", "move(-1000000)", _SAMPLES),
    Key("samples.last", "end", "end", "", "Last sample", "move(1000000)", _SAMPLES),
    Key("transcript.back", "escape", "esc", "back", "Back to the samples", "back", _TRANSCRIPT),
    Key("transcript.before", "left,h", "←", "sample", "Sample before", "sample(-1)", _TRANSCRIPT),
    Key("transcript.next", "right,l", "→", "", "Next sample", "sample(1)", _TRANSCRIPT),
    Key("transcript.beside", "v", "v", "beside", "Hold it against the next subject, then none", "beside", _TRANSCRIPT),
    Key("transcript.fold", "z", "z", "unfold", "Unfold reasoning and what is alike, or fold it", "fold", _TRANSCRIPT),
    Key("transcript.epoch", "e", "e", "epoch", "Next answer to the same sample", "epoch", _TRANSCRIPT),
    Key("transcript.up", "up,k", "↑", "", "Scroll up", "scroll(-1)", _TRANSCRIPT),
    Key("transcript.down", "down,j", "↓", "", "Scroll down", "scroll(1)", _TRANSCRIPT),
    Key("transcript.page_up", "pageup", "pgup", "", "Scroll a page up", "page(-1)", _TRANSCRIPT),
    Key("transcript.page_down", "pagedown,space", "pgdn", "", "Scroll a page down", "page(1)", _TRANSCRIPT),
    Key("transcript.top", "home", "home", "", "To the beginning", "scroll(-1000000)", _TRANSCRIPT),
    Key("transcript.end", "end", "end", "", "To the end", "scroll(1000000)", _TRANSCRIPT),
)
"""In the order of footer and help."""
