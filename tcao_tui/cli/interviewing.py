"""The interview in a terminal, line by line: what is said is printed once and stays, options are numbered.

It is also the accessible mode: no redrawing, no timers. The full screen is `tcao_tui.tui`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext
from tcao_tui.cli.render.interview import entry_lines, marks, plan_lines, question_lines
from tcao_tui.cli.render.text import error_text
from tcao_tui.domain.interview import StoredEntry
from tcao_tui.domain.questions import Answer, Card, Question
from tcao_tui.errors import TcaoError, UsageError
from tcao_tui.planner import answers as answering

if TYPE_CHECKING:
    from tcao_tui.planner.port import Streamed
    from tcao_tui.planner.session import Session

HELP = """\
  /plan            the plan as it stands, with gates and cost
  /set KEY VALUE   set a value by hand, such as /set training.lora_rank 64
  /clear KEY       take a value back
  /defaults        ask nothing more that has a default
  /planner NAME    let rules or llm go on
  /quit            leave; `tcao plan --resume` goes on
Anything else is for the planner. At a question: a number or letter, your own words, or Enter for the default."""

type Act = Callable[[str], None]


class Quit(Exception):
    """The person leaves."""


class LineInterview:
    """A person at a terminal and an interview.

    Args:
        console: Where to print and ask.
        session: The interview.
        runner: Runs its coroutines; a Ctrl-C interrupts the planner, not the program.
    """

    def __init__(self, console: CliContext, session: Session, runner: asyncio.Runner) -> None:
        self._console, self._session, self._runner = console, session, runner
        self._shown_hash: str | None = None
        session.listen(self._tell)

    def talk(self, opening: str) -> bool:
        """Talk until the person approves or leaves; says whether they want to approve.

        Args:
            opening: First words of the person; empty for none.
        """
        act = self._session.say(opening) if opening else self._session.go_on()
        try:
            self._run(act)
            while True:
                card = self._session.state.open_card
                if card is not None:
                    self._answer(card)
                elif self._next_words():
                    return True
        except (Quit, EOFError, click.Abort):
            return False

    def _next_words(self) -> bool:
        """What the person says when nothing is asked; whether it is that they approve."""
        sheet = self._session.sheet
        is_ready = sheet.is_ready
        if is_ready and self._shown_hash is None:
            self._show_plan()
        hint = "approve, or say what to change" if is_ready else "say what to change"
        words = self._prompt(f"{hint} (/help)")
        if is_ready and words.lower() in ("approve", "/approve"):
            if sheet.approval_hash == self._shown_hash:
                return True
            self._show_plan()  # it changed since the person saw it whole
            return False
        self._take(words, lambda text: self._run(self._session.say(text) if text else self._session.go_on()))
        return False

    def _answer(self, card: Card) -> None:
        given: list[Answer] = []
        for number, question in enumerate(card.questions, 1):
            title = f"{card.title} ({number} of {len(card.questions)})"
            self._console.progress("\n".join(question_lines(question, title, self._console.style)))
            answer = self._ask(question)
            if answer is None:
                return  # the interview moved on in another way
            given.append(answer)
        self._run(self._session.answer(card.id, given))

    def _ask(self, question: Question) -> Answer | None:
        """One answer that fits; None when the person did something else instead."""
        while True:
            words = self._prompt("")
            if words.startswith("/"):
                before = self._session.state.seq
                self._take(words, lambda text: None)
                if self._session.state.seq != before:
                    return None
                continue
            answer = read_answer(question, words)
            try:
                answering.entries_for(Card(id="check", questions=(question,)), [answer], self._session.state)
            except UsageError as error:
                self._console.progress(f"  {error.what}")
                continue
            return answer

    def _take(self, words: str, say: Act) -> None:
        """Carry out a slash command, or hand the words on."""
        command, _, rest = words.partition(" ")
        match command:
            case "/quit":
                raise Quit
            case "/help":
                self._console.progress(HELP)
            case "/plan":
                self._show_plan()
            case "/set":
                path, _, value = rest.strip().partition(" ")
                self._run(self._session.set_value(path, _plain(value)), then_go_on=True)
            case "/clear":
                self._run(self._session.clear_value(rest.strip()), then_go_on=True)
            case "/defaults":
                self._run(self._session.say("use the defaults"))
            case "/planner":
                self._run(self._switch(rest.strip()), then_go_on=True)
            case _ if words.startswith("/"):
                self._console.progress(f"  no command {command}; /help lists them")
            case _:
                say(words)

    async def _switch(self, name: str) -> None:
        if name not in ("rules", "llm"):
            raise UsageError("the planners are rules and llm", where="/planner")
        self._session.switch_planner("llm" if name == "llm" else "rules")

    def _run(self, act: Coroutine[object, object, object], *, then_go_on: bool = False) -> None:
        """Run an act of the person; Ctrl-C interrupts it, an error is told and the interview goes on."""
        try:
            self._runner.run(act)
            if then_go_on and self._session.state.open_card is None and self._session.state.planner == "rules":
                self._runner.run(self._session.go_on())
        except KeyboardInterrupt:
            self._console.progress("\n  interrupted; nothing is lost. Say something, or press Enter to go on.")
        except TcaoError as error:
            self._console.progress(error_text(error, self._console.style))

    def _show_plan(self) -> None:
        self._shown_hash = self._session.sheet.approval_hash
        self._console.progress("\n".join(plan_lines(self._session.sheet, self._console.style)))

    def _prompt(self, hint: str) -> str:
        """The person's next line."""
        if hint:
            self._console.progress(self._console.style(hint, dim=True))
        words: str = click.prompt("", default="", show_default=False, prompt_suffix="> ", err=True)
        return words.strip()

    def _tell(self, news: StoredEntry | Streamed) -> None:
        if isinstance(news, StoredEntry):
            for line in entry_lines(news.entry, self._console.style):
                self._console.progress(line)


def read_answer(question: Question, words: str) -> Answer:
    """An answer from a line: the number or letter of an option, several for a question that takes many, or words."""
    if not words:
        return Answer(question=question.id, defaulted=True)
    if question.kind == "many":
        chosen = [_chosen(question, part.strip()) for part in words.split(",")]
        return Answer(question=question.id, value=chosen)
    return Answer(question=question.id, value=_chosen(question, words))


def _chosen(question: Question, words: str) -> object:
    by_mark = dict(zip(marks(question), question.options, strict=True))
    option = by_mark.get(words.lower().rstrip(".)"))
    return words if option is None else option.value


def _plain(text: str) -> object:
    """A value as YAML would have it: numbers, true, lists; text as it is."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
