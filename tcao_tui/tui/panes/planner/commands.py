"""The one table of slash commands: completion, help and dispatch are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tcao_tui.planner import plan_keys
from tcao_tui.tui.panes.planner.completion import list_files, offers_for
from tcao_tui.tui.widgets.line_view import Line
from tcao_tui.tui.widgets.offers import Offer, Offers


@dataclass(frozen=True, slots=True)
class Command:
    """One command; the method of `acts.Acts` that has its name carries it out."""

    name: str
    argument: str
    help: str


COMMANDS: tuple[Command, ...] = (
    Command("defaults", "", "use defaults for everything that is not answered"),
    Command("approve", "", "look at the finished plan and approve it"),
    Command("edit", "[PATH [VALUE]]", "change a value; without a path the whole plan in $EDITOR"),
    Command("model", "[NAME]", "choose the base model"),
    Command("plan", "", "show the plan card"),
    Command("say", "TEXT", "tell the planner something that answers no question"),
    Command("copy", "[reply|plan|all] [--file]", "copy the last reply, the plan or the whole talk"),
    Command("rules", "", "let the rules planner go on; needs no key"),
    Command("llm", "", "let the LLM planner go on"),
    Command("fork", "", "try another way from here; this interview stays as it is"),
    Command("help", "", "list these commands"),
    Command("quit", "", "back to the run list; the interview is kept"),
)

COMMAND_OFFERS: tuple[Offer, ...] = tuple(
    Offer(f"/{command.name}", f"/{command.name} {command.argument}".rstrip(), command.help) for command in COMMANDS
)


def is_command(text: str) -> bool:
    """Whether a line is a command rather than words, or a path from the root."""
    name = text.split(maxsplit=1)[0] if text else ""
    return name.startswith("/") and "/" not in name[1:]


def command_of(text: str) -> tuple[Command | None, str]:
    """The command that a line names, by its first letters where they are enough, and its argument."""
    name, _, argument = text.strip().removeprefix("/").partition(" ")
    exact = [command for command in COMMANDS if command.name == name]
    near = exact or [command for command in COMMANDS if name and command.name.startswith(name)]
    return (near[0] if len(near) == 1 else None), argument.strip()


def completions(line: str, cursor: int, *, directory: Path, wants_file: bool) -> Offers:
    """Completions at a place of the composer's line; lists a directory, so it is called in a thread.

    Args:
        line: The line with the cursor.
        cursor: Characters before the cursor.
        directory: What relative paths start from.
        wants_file: The open question asks for a file, so that every word is a path.
    """
    files = partial(list_files, directory=directory)
    paths = plan_keys.known_paths()
    return offers_for(line, cursor, commands=COMMAND_OFFERS, paths=paths, files=files, wants_file=wants_file)


def command_lines() -> list[Line]:
    """All commands, for the help screen."""
    lines: list[Line] = [(("Commands of the interview", "strong"),)]
    for each in COMMANDS:
        lines.append(((f"  {f'/{each.name} {each.argument}'.rstrip():<32}  ", "info"), (each.help, "text")))
    return lines
