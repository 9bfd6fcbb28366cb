"""What `tcao chat` was asked for, carried out: a list, prompts of a file, one prompt, or a talk line by line."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tcao_tui.cli.chatting import LineChat, read_prompt, save_target
from tcao_tui.cli.context import CliContext
from tcao_tui.cli.render.chat import (
    chat_table,
    conversation_json,
    prompts_summary,
    prompts_table,
    reply_json,
    summary_table,
)
from tcao_tui.cli.render.json import to_json
from tcao_tui.domain.chat import ChatSettings, Reply
from tcao_tui.domain.chat_meter import meter_of
from tcao_tui.errors import BackendError, ExitCode, UsageError
from tcao_tui.services.backend_helper import BackendHelper
from tcao_tui.services.backends import ensure_engine
from tcao_tui.services.chat import ChatSession, chat_files, new_conversation
from tcao_tui.services.chat_contenders import Meant, contenders_meant
from tcao_tui.services.chat_prompts import FilePrompt, answer_prompts, read_prompts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tcao_tui.domain.chat import Contender


@dataclass(frozen=True, kw_only=True)
class ChatRequest:
    """The command line; `settings` has only what was said, `going_on` names a conversation."""

    contenders: tuple[str, ...]
    prompt: str | None
    prompts: Path | None
    system: str
    settings: Mapping[str, Any]
    renderer: str
    is_blind: bool
    save_as: str | None
    going_on: str | None
    lists: bool
    at_once: int
    backend: str | None

    def check(self) -> None:
        """Raises `UsageError` for what does not go together."""
        if not (self.contenders or self.going_on or self.lists):
            raise UsageError("name who is to answer: a run, a tinker:// path or a base model", next_step="tcao ls")
        if self.going_on and (self.contenders or self.prompts or self.is_blind):
            raise UsageError("--continue goes on with the contenders of that conversation, blind if it was")
        if self.prompts and (self.prompt is not None or self.is_blind or self.save_as):
            raise UsageError("--prompts goes with neither -p nor --blind nor --save-as")
        save_target(self.save_as)


def carry_out(console: CliContext, request: ChatRequest) -> int:
    """Do it; returns the exit code. Raises `TcaoError`."""
    request.check()
    if request.lists:
        return _list(console)
    if request.prompts is not None:
        return _ask_file(console, request, request.prompts)
    with _session(console, request) as session:
        chat = LineChat(console, session, save_target(request.save_as))
        if request.prompt is not None:
            return _ask_once(console, session, chat, read_prompt(request.prompt))
        if console.is_interactive:
            names = ", ".join(each.label for each in session.conversation.contenders)
            console.progress(f"talking to {names}; /help says what else there is, /quit leaves")
        chat.talk()
        _tell_whole(console, session)
    return ExitCode.OK


def _list(console: CliContext) -> int:
    chats = chat_files().summaries()
    if console.wants_json:
        console.result(to_json([{name: getattr(chat, name) for name in chat.__slots__} for chat in chats]))
    else:
        console.result("\n".join(chat_table(chats, time.time())) if chats else "no conversations yet")
    return ExitCode.OK


def _meant(console: CliContext, request: ChatRequest) -> Meant:
    if not console.has_store:
        return contenders_meant(request.contenders, None, console.runs_root, renderer=request.renderer)
    with console.store() as store:
        return contenders_meant(request.contenders, store, console.runs_root, renderer=request.renderer)


@contextmanager
def _helper(console: CliContext, backend: str | None) -> Generator[tuple[BackendHelper, str]]:
    """A helper process for the server, and the name of its profile."""
    profile = console.profile(backend)
    ensure_engine(profile)
    with BackendHelper(profile.name, purpose="chat") as helper:
        yield helper, profile.name


@contextmanager
def _session(console: CliContext, request: ChatRequest) -> Generator[ChatSession]:
    files = chat_files()
    if request.going_on:
        kept = files.find(request.going_on)
        with _helper(console, request.backend or kept.backend or None) as (helper, _name):
            session = ChatSession(helper, files, kept)
            if request.settings or request.system:
                settings = ChatSettings.model_validate({**kept.settings.model_dump(), **request.settings})
                session.change(settings, request.system or kept.system)
            yield session
        return
    meant = _meant(console, request)
    settings = ChatSettings.model_validate(request.settings)
    with _helper(console, request.backend or meant.backend) as (helper, name):
        conversation = new_conversation(
            meant.contenders, settings, backend=name, system=request.system, is_blind=request.is_blind
        )
        yield ChatSession(helper, files, conversation)


def _ask_once(console: CliContext, session: ChatSession, chat: LineChat, prompt: str) -> int:
    if not prompt.strip():
        raise UsageError("the prompt is empty")
    chat.ask(prompt)
    chat.keep_round()
    _tell_whole(console, session)
    replies = session.conversation.rounds[-1].exchanges[-1].replies
    if None in replies:
        return ExitCode.INTERRUPTED
    return _exit_code([reply for reply in replies if reply is not None])


def _tell_whole(console: CliContext, session: ChatSession) -> None:
    conversation = session.conversation
    match console.output:
        case "json":
            console.result(to_json(conversation_json(conversation)))
        case "text" if conversation.rounds:
            console.progress(console.style(f"{conversation.chat_id} · {meter_of(conversation).text}", dim=True))
        case _:
            pass


def _exit_code(replies: Sequence[Reply]) -> int:
    errors = [reply.error for reply in replies if reply.error]
    if errors and len(errors) == len(replies):
        raise BackendError(errors[0])
    return ExitCode.FAILED if errors else ExitCode.OK


def _ask_file(console: CliContext, request: ChatRequest, path: Path) -> int:
    prompts = read_prompts(path, system=request.system)
    meant = _meant(console, request)
    labels = [each.label for each in meant.contenders]
    answers: dict[tuple[int, int], Reply] = {}
    total = len(prompts) * len(labels)

    def take(prompt: int, contender: int, reply: Reply) -> None:
        answers[prompt, contender] = reply
        if console.output == "stream-json":
            console.result(to_json(_answer_json(prompts[prompt], meant.contenders[contender], reply)))
        elif console.draws_progress:
            console.progress(f"\x1b[A\x1b[K{len(answers)} of {total} answers" if len(answers) > 1 else "1 answer")

    with _helper(console, request.backend or meant.backend) as (helper, _name):
        settings = ChatSettings.model_validate(request.settings)
        answer_prompts(helper, meant.contenders, settings, prompts, take, at_once=request.at_once)
    summary = prompts_summary(prompts, labels, answers)
    if console.output == "json":
        found = [
            {**_prompt_json(prompt), "answers": [_of(meant.contenders[c], answers[at, c]) for c in range(len(labels))]}
            for at, prompt in enumerate(prompts)
        ]
        console.result(to_json({"contenders": summary, "prompts": found}))
    elif console.output == "text":
        console.result("\n".join([*prompts_table(prompts, labels, answers), "", *summary_table(summary)]))
    return _exit_code([*answers.values()])


def _of(contender: Contender, reply: Reply) -> dict[str, Any]:
    return reply_json(contender.label, contender.source, reply)


def _prompt_json(prompt: FilePrompt) -> dict[str, Any]:
    return {"line": prompt.line, "prompt": prompt.text, "reference": prompt.reference}


def _answer_json(prompt: FilePrompt, contender: Contender, reply: Reply) -> dict[str, Any]:
    return {**_prompt_json(prompt), **_of(contender, reply)}
