"""The one table of keys: bindings, footer, help screen and command palette are all made from it."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding

from tcao_tui.domain.run_view import RunStatus
from tcao_tui.tui.eval_keys import EVAL_KEYS
from tcao_tui.tui.key import Key, Scope

KEYS: tuple[Key, ...] = (
    Key("runs.open", "enter", "⏎", "open", "Open the chosen run", "open", Scope.RUNS),
    Key("runs.plan", "i", "i", "plan", "Plan a run in an interview, or go on with one", "go('plan')", Scope.RUNS),
    Key("runs.new", "n", "n", "new", "Start a new run from a plan file", "go('new')", Scope.RUNS),
    Key("runs.demo", "d", "d", "demo", "Train the included demo, free and offline", "go('demo')", Scope.RUNS),
    Key("runs.filter", "slash", "/", "filter", "Show runs whose name, model or state has a text", "filter", Scope.RUNS),
    Key("runs.compare", "v", "v", "compare", "Hold the marked runs against each other", "compare", Scope.RUNS),
    Key("runs.sweeps", "w", "w", "sweeps", "See the sweeps: cells, values, which is best", "go('sweeps')", Scope.RUNS),
    Key(
        "runs.checkpoints", "b", "b", "weights", "Browse the checkpoints of the server", "go('checkpoints')", Scope.RUNS
    ),
    Key("runs.evals", "E", "E", "evals", "Evaluations of the chosen run", "screen.evals", Scope.RUNS),
    Key("runs.mark", "space", "␣", "", "Mark a run to compare it, or unmark it", "mark", Scope.RUNS),
    Key("runs.sort", "o", "o", "order", "Sort by the next column", "sort", Scope.RUNS),
    Key("runs.reverse", "O", "O", "", "Turn the order around", "reverse", Scope.RUNS),
    Key("run.back", "escape", "esc", "back", "Back to the run list; first drops the chart cursor", "back", Scope.RUN),
    Key("run.stop", "s", "s", "stop", "Save a checkpoint, then stop the run", "control('stop')", Scope.RUN),
    Key("run.pause", "p", "p", "pause", "Save a checkpoint and hold still", "control('pause')", Scope.RUN),
    Key("run.resume", "r", "r", "resume", "Go on: from a pause, or from the newest checkpoint", "resume", Scope.RUN),
    Key("run.checkpoint", "c", "c", "checkpoint", "Save a checkpoint now", "control('checkpoint')", Scope.RUN),
    Key("inside.rollouts", "a", "a", "answers", "Browse the answers that RL was trained on", "rollouts", Scope.INSIDE),
    Key(
        "inside.diagnose",
        "d",
        "d",
        "diagnose",
        "Explain the run in words",
        "diagnose",
        Scope.INSIDE,
    ),
    Key(
        "inside.change",
        "x",
        "x",
        "change",
        "Change learning rate or eval cadence",
        "change",
        Scope.INSIDE,
    ),
    Key("inside.checkpoints", "b", "b", "weights", "Browse the checkpoints of the run", "checkpoints", Scope.INSIDE),
    Key("inside.evals", "E", "E", "evals", "Evaluations of the run's checkpoints", "evals", Scope.INSIDE),
    Key("chart.left", "left", "←", "", "Move the value cursor to the step before", "cursor(-1)", Scope.CHART),
    Key("chart.right", "right", "→", "", "Move the value cursor to the next step", "cursor(1)", Scope.CHART),
    Key("chart.far_left", "shift+left,H", "⇧←", "", "Move the value cursor far left", "cursor(-10)", Scope.CHART),
    Key("chart.far_right", "shift+right,L", "⇧→", "", "Move the value cursor far right", "cursor(10)", Scope.CHART),
    Key("chart.smooth", "e", "e", "smooth", "Change the smoothing; the raw curve stays", "smooth", Scope.CHART),
    Key("chart.log", "l", "l", "log", "Switch the value axis between linear and logarithmic", "log", Scope.CHART),
    Key("chart.metric", "m", "m", "metric", "Choose what the large chart shows", "metric", Scope.CHART),
    Key("chart.grid", "g", "g", "grid", "Show every metric as a grid of small charts", "grid", Scope.CHART),
    Key("chart.zoom", "z", "z", "zoom", "Give the large chart the whole screen", "zoom", Scope.CHART),
    Key("chart.page_back", "left_square_bracket", "[", "", "Page of charts before", "page(-1)", Scope.CHART),
    Key("chart.page_on", "right_square_bracket", "]", "", "Next page of charts", "page(1)", Scope.CHART),
    Key("panel.next", "tab", "tab", "panel", "Next panel", "panel(1)", Scope.PANELS),
    Key("panel.before", "shift+tab", "⇧tab", "", "Panel before", "panel(-1)", Scope.PANELS),
    Key("panel.earlier", "comma", ",", "", "Samples of the step before", "sample(-1)", Scope.PANELS),
    Key("panel.later", "full_stop", ".", "", "Samples of the next step", "sample(1)", Scope.PANELS),
    Key("panel.up", "up,k", "↑", "", "Scroll the panel up", "scroll_panel(-1)", Scope.PANELS),
    Key("panel.down", "down,j", "↓", "", "Scroll the panel down", "scroll_panel(1)", Scope.PANELS),
    Key("panel.page_up", "pageup", "pgup", "", "Scroll the panel a page up", "scroll_panel(-8)", Scope.PANELS),
    Key("panel.page_down", "pagedown", "pgdn", "", "Scroll the panel a page down", "scroll_panel(8)", Scope.PANELS),
    Key("rollouts.back", "escape", "esc", "back", "Drop the search, then back to the run", "back", Scope.ROLLOUTS),
    Key("rollouts.before", "left,comma", "←", "step", "Answers of the step before", "step(-1)", Scope.ROLLOUTS),
    Key("rollouts.next", "right,full_stop", "→", "", "Answers of the next step", "step(1)", Scope.ROLLOUTS),
    Key("rollouts.order", "o", "o", "order", "As sampled, best first or worst first", "order", Scope.ROLLOUTS),
    Key("rollouts.only", "f", "f", "filter", "All, groups without signal, answers cut off", "only", Scope.ROLLOUTS),
    Key("rollouts.find", "slash", "/", "search", "Show prompts and answers with a text", "find", Scope.ROLLOUTS),
    Key("rollouts.up", "up,k", "↑", "", "Answer above", "move(-1)", Scope.ROLLOUTS),
    Key("rollouts.down", "down,j", "↓", "", "Answer below", "move(1)", Scope.ROLLOUTS),
    Key("rollouts.page_up", "pageup", "pgup", "", "Scroll the text up", "scroll_text(-8)", Scope.ROLLOUTS),
    Key("rollouts.page_down", "pagedown", "pgdn", "", "Scroll the text down", "scroll_text(8)", Scope.ROLLOUTS),
    Key("compare.back", "escape", "esc", "back", "Drop the value cursor, then back", "back", Scope.COMPARE),
    Key("compare.axis", "x", "x", "along", "Along steps, tokens, seconds or cost", "axis", Scope.COMPARE),
    Key("compare.metric", "m", "m", "metric", "Choose what is compared", "metric", Scope.COMPARE),
    Key("compare.smooth", "e", "e", "smooth", "Change the smoothing; the raw curves stay", "smooth", Scope.COMPARE),
    Key("compare.log", "l", "l", "log", "Switch the value axis between linear and logarithmic", "log", Scope.COMPARE),
    Key("compare.left", "left", "←", "", "Read all values at the place before", "cursor(-1)", Scope.COMPARE),
    Key("compare.right", "right", "→", "", "Read all values at the next place", "cursor(1)", Scope.COMPARE),
    Key("compare.far_left", "shift+left,H", "⇧←", "", "Read all values far left", "cursor(-10)", Scope.COMPARE),
    Key("compare.far_right", "shift+right,L", "⇧→", "", "Read all values far right", "cursor(10)", Scope.COMPARE),
    Key("compare.up", "up,k", "↑", "", "Scroll what differs up", "scroll(-1)", Scope.COMPARE),
    Key("compare.down", "down,j", "↓", "", "Scroll what differs down", "scroll(1)", Scope.COMPARE),
    Key("compare.again", "r", "r", "read again", "Read the runs anew", "again", Scope.COMPARE),
    Key("sweeps.back", "escape", "esc", "back", "Back to the list of sweeps, then to the runs", "back", Scope.SWEEPS),
    Key("sweeps.open", "enter", "⏎", "open", "Go to the cells; on a cell, open its run", "open", Scope.SWEEPS),
    Key("sweeps.other", "tab", "tab", "cells", "Between the list of sweeps and the cells", "other", Scope.SWEEPS),
    Key("sweeps.compare", "v", "v", "compare", "Hold the runs of cells against each other", "compare", Scope.SWEEPS),
    Key("ckpt.back", "escape", "esc", "back", "Leave details, filter, marks, the table", "back", Scope.CHECKPOINTS),
    Key("ckpt.open", "enter", "⏎", "open", "Read a checkpoint in full; fold a run", "open", Scope.CHECKPOINTS),
    Key("ckpt.filter", "slash", "/", "filter", "Show those that have all words", "filter", Scope.CHECKPOINTS),
    Key("ckpt.mark", "space", "␣", "mark", "Mark a checkpoint or a whole run, or unmark", "mark", Scope.CHECKPOINTS),
    Key("ckpt.chat", "c", "c", "chat", "Talk to the marked ones, or the chosen one", "act('chat')", Scope.CHECKPOINTS),
    Key("ckpt.ttl", "e", "e", "expire", "Let expire after a time, or never", "act('ttl')", Scope.CHECKPOINTS),
    Key("ckpt.pin", "p", "p", "pin", "Pin or unpin: no prune deletes it", "act('pin')", Scope.CHECKPOINTS),
    Key("ckpt.delete", "x,delete", "x", "delete", "Delete from the server", "act('delete')", Scope.CHECKPOINTS),
    Key("ckpt.label", "l", "l", "label", "Give a name of your own", "act('label')", Scope.CHECKPOINTS),
    Key("ckpt.publish", "u", "u", "publish", "Publish to all users, or take back", "act('publish')", Scope.CHECKPOINTS),
    Key("ckpt.fork", "n", "n", "fork", "Plan a new run that starts from it", "act('fork')", Scope.CHECKPOINTS),
    Key("ckpt.resume", "r", "r", "resume", "Let its run go on", "act('resume')", Scope.CHECKPOINTS),
    Key("ckpt.evaluate", "v", "v", "evaluate", "Score it with an eval", "act('evaluate')", Scope.CHECKPOINTS),
    Key("ckpt.download", "d", "d", "download", "Download the weights", "act('download')", Scope.CHECKPOINTS),
    Key("ckpt.export", "E", "E", "export", "Export for PEFT or merged", "act('export')", Scope.CHECKPOINTS),
    Key("ckpt.push", "H", "H", "", "Push to the Hugging Face Hub", "act('push')", Scope.CHECKPOINTS),
    Key("ckpt.prune", "R", "R", "", "Prune: delete what is not worth its storage", "prune", Scope.CHECKPOINTS),
    Key("ckpt.tree", "g", "g", "tree", "By run, or all in one table", "tree", Scope.CHECKPOINTS),
    Key("ckpt.order", "o", "o", "order", "Sort by the next column", "order", Scope.CHECKPOINTS),
    Key("ckpt.reverse", "O", "O", "", "Turn the order around", "reverse", Scope.CHECKPOINTS),
    Key("ckpt.mark_all", "a", "a", "", "Mark all in sight, or none", "mark_all", Scope.CHECKPOINTS),
    Key("ckpt.copy", "y", "y", "copy", "Copy the tinker:// path", "copy", Scope.CHECKPOINTS),
    Key("ckpt.read", "tab", "tab", "", "Details on most of the screen, or back", "read", Scope.CHECKPOINTS),
    *EVAL_KEYS,
    Key("chat.stop", "escape", "esc", "stop", "Stop the answers; those that are there stay", "stop", Scope.CHAT),
    Key("chat.back", "escape", "esc", "back", "From the answers to the text, from there back", "stop", Scope.CHAT),
    Key("chat.switch", "tab", "tab", "answers", "Between the text and the answers", "switch", Scope.CHAT),
    Key("chat.new", "ctrl+n", "^n", "new", "Let the next prompt stand alone", "new", Scope.CHAT),
    Key("chat.blind", "ctrl+b", "^b", "blind", "Hide who answers until the vote, or not", "blind", Scope.CHAT),
    Key("chat.page_up", "pageup", "pgup", "", "Scroll the answers up", "page(-1)", Scope.CHAT),
    Key("chat.page_down", "pagedown", "pgdn", "", "Scroll the answers down", "page(1)", Scope.CHAT),
    Key("chat.first", "1", "1-4", "vote", "Vote for the first answer", "vote(1)", Scope.CHAT_ANSWERS),
    Key("chat.second", "2", "2", "", "Vote for the second answer", "vote(2)", Scope.CHAT_ANSWERS),
    Key("chat.third", "3", "3", "", "Vote for the third answer", "vote(3)", Scope.CHAT_ANSWERS),
    Key("chat.fourth", "4", "4", "", "Vote for the fourth answer", "vote(4)", Scope.CHAT_ANSWERS),
    Key("chat.tie", "0,equals_sign", "0", "tie", "Vote for none: a tie", "vote(0)", Scope.CHAT_ANSWERS),
    Key("chat.left", "left,h", "←", "column", "Choose the answer before", "column(-1)", Scope.CHAT_ANSWERS),
    Key("chat.right", "right,l", "→", "", "Choose the next answer", "column(1)", Scope.CHAT_ANSWERS),
    Key("chat.up", "up,k", "↑", "", "Scroll the answers up a line", "scroll(-1)", Scope.CHAT_ANSWERS),
    Key("chat.down", "down,j", "↓", "", "Scroll the answers down a line", "scroll(1)", Scope.CHAT_ANSWERS),
    Key("chat.copy", "y", "y", "copy", "Copy the chosen answer", "copy", Scope.CHAT_ANSWERS),
    Key("chats.save", "ctrl+s", "^s", "save", "Keep as training row, eval case or pair", "save", Scope.CHATS),
    Key("chats.settings", "ctrl+o", "^o", "settings", "System prompt and sampling", "settings", Scope.CHATS),
    Key("chats.earlier", "ctrl+r", "^r", "earlier", "Go on with an earlier conversation", "earlier", Scope.CHATS),
    Key("planner.stop", "escape", "esc", "stop", "Stop the planner; what it did so far is kept", "stop", Scope.PLANNER),
    Key("planner.back", "escape", "esc", "back", "Pressed twice: back to the run list", "stop", Scope.PLANNER),
    Key("planner.plan", "ctrl+o", "^o", "plan", "Go to the plan card and back", "plan", Scope.PLANNER),
    Key(
        "planner.approve",
        "ctrl+g",
        "^g",
        "approve",
        "Look at the finished plan and approve it",
        "approve",
        Scope.PLANNER,
    ),
    Key("planner.up", "pageup", "pgup", "", "Scroll the conversation up", "scroll(-1)", Scope.PLANNER),
    Key("planner.down", "pagedown", "pgdn", "", "Scroll the conversation down", "scroll(1)", Scope.PLANNER),
    Key("planner.end", "ctrl+end,ctrl+l", "^l", "", "Go to the newest words", "end", Scope.PLANNER),
    Key("planner.tools", "shift+tab", "⇧tab", "", "Go to the tools; Enter opens one", "tools", Scope.PLANNER),
    Key("plan.up", "up,k", "↑", "", "Row above", "step(-1)", Scope.PLAN),
    Key("plan.down", "down,j", "↓", "", "Row below", "step(1)", Scope.PLAN),
    Key("plan.page_up", "pageup", "pgup", "", "Rows far above", "step(-10)", Scope.PLAN),
    Key("plan.page_down", "pagedown", "pgdn", "", "Rows far below", "step(10)", Scope.PLAN),
    Key("plan.edit", "enter,right", "⏎", "edit", "Edit the value, or open the group", "pick", Scope.PLAN),
    Key("plan.editor", "E", "E", "$EDITOR", "Edit the whole plan in your editor", "edit_all", Scope.PLAN),
    Key("plan.leave", "escape,left", "esc", "back", "Back to the conversation", "leave", Scope.PLAN),
    Key("app.help", "question_mark,f1", "?", "help", "Show all keys", "show_help", Scope.APP),
    Key("app.palette", "ctrl+p", "^p", "commands", "Find a command by name", "command_palette", Scope.APP),
    Key("app.theme", "t,ctrl+t", "t", "", "Switch between dark and light", "switch_theme", Scope.APP),
    Key("app.quit", "q,ctrl+q", "q", "quit", "Leave the console; runs go on", "quit", Scope.APP),
)


CONTROLS = frozenset({"run.stop", "run.pause", "run.resume", "run.checkpoint"})
"""Ids of the keys that ask a run for something."""


def keys_of(scopes: Iterable[Scope]) -> list[Key]:
    """The keys of some scopes, in the order of the scopes."""
    return [key for scope in scopes for key in KEYS if key.scope is scope]


def bindings(*scopes: Scope) -> list[Binding]:
    """The same as Textual bindings; ids let a keymap move them."""
    return [Binding(k.keys, k.action, k.label or k.help, show=False, id=k.id) for k in keys_of(scopes)]


def senseless(status: RunStatus) -> frozenset[str]:
    """Ids of the keys that a run in this state would refuse, for the footer to leave out."""
    verbs = {"run.stop", "run.pause", "run.checkpoint"} if not status.is_live else set[str]()
    if status is RunStatus.PAUSED:
        verbs |= {"run.pause", "run.checkpoint"}
    elif not status.is_resumable:
        verbs.add("run.resume")
    if status is RunStatus.STOPPING:
        verbs |= {"run.stop", "run.pause", "run.checkpoint"}
    return frozenset(verbs)
