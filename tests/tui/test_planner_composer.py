from __future__ import annotations

import threading
from pathlib import Path

from textual import events, on
from textual.app import App, ComposeResult

from tcao_tui.domain.interview import Answered, Said, StoredEntry
from tcao_tui.domain.questions import Answer
from tcao_tui.tui.panes.planner.acts import Acts
from tcao_tui.tui.panes.planner.commands import COMMAND_OFFERS, COMMANDS, command_of, is_command
from tcao_tui.tui.panes.planner.completion import list_files, offers_for
from tcao_tui.tui.panes.planner.history import words_of_person
from tcao_tui.tui.terminal import osc_52, tmux_passthrough
from tcao_tui.tui.widgets.composer import Composer
from tcao_tui.tui.widgets.history import History
from tcao_tui.tui.widgets.offers import Offer, Offers
from tests.tui.conftest import Until

PATHS = ["goal", "training.lora_rank", "training.num_steps"]


def offered(text: str, *, files: tuple[str, ...] = (), wants_file: bool = False) -> list[str]:
    found = offers_for(
        text,
        len(text),
        commands=COMMAND_OFFERS,
        paths=PATHS,
        files=lambda typed: [Offer(name, name) for name in files if name.startswith(typed)],
        wants_file=wants_file,
    )
    return [offer.text for offer in found.offers]


def test_a_slash_offers_every_command_and_letters_narrow_them_down() -> None:
    assert len(offered("/")) == len(COMMANDS)
    assert offered("/de") == ["/defaults"]
    assert offered("not /de") == []


def test_edit_offers_key_paths_by_any_part_of_them() -> None:
    assert offered("/edit rank") == ["training.lora_rank"]


def test_an_at_sign_offers_files_and_a_question_for_a_file_does_so_for_every_word() -> None:
    files = ("train.jsonl", "test.jsonl")
    assert offered("use @tr", files=files) == ["@train.jsonl"]
    assert offered("use tr", files=files) == []
    assert offered("tr", files=files, wants_file=True) == ["train.jsonl"]


def test_a_word_that_is_whole_is_offered_no_more() -> None:
    assert offered("@train.jsonl", files=("train.jsonl",)) == []
    assert offered("/quit") == []


def test_files_come_before_folders_and_hidden_ones_must_be_named(tmp_path: Path) -> None:
    for name in ("rows.jsonl", ".hidden.jsonl"):
        (tmp_path / name).touch()
    (tmp_path / "runs").mkdir()
    assert [offer.text for offer in list_files("", tmp_path)] == ["rows.jsonl", "runs/"]
    assert [offer.text for offer in list_files(".h", tmp_path)] == [".hidden.jsonl"]
    assert [offer.text for offer in list_files(f"{tmp_path}/ro", Path("/"))] == [f"{tmp_path}/rows.jsonl"]


def test_what_cannot_be_listed_offers_nothing(tmp_path: Path) -> None:
    assert list_files("nowhere/x", tmp_path) == []
    assert list_files("~nobody-of-this-name/x", tmp_path) == []


def test_a_hostile_file_name_is_shown_safely(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2J\u202eb.jsonl").touch()
    (offer,) = list_files("a", tmp_path)
    assert offer.label == "ab.jsonl"


def test_first_letters_name_a_command_where_they_are_enough() -> None:
    command, argument = command_of("/ed training.lora_rank 64")
    assert command is not None
    assert (command.name, argument) == ("edit", "training.lora_rank 64")
    assert command_of("/nonsense")[0] is None
    assert command_of("/")[0] is None


def test_a_path_from_the_root_is_no_command() -> None:
    assert is_command("/edit goal")
    assert not is_command("/data/rows.jsonl and more")
    assert not is_command("words / more")
    assert offered("/data/r", files=("/data/rows.jsonl",), wants_file=True) == ["/data/rows.jsonl"]


def test_every_command_of_the_table_can_be_carried_out() -> None:
    assert [command.name for command in COMMANDS if not callable(getattr(Acts, command.name, None))] == []


def test_the_history_is_what_the_person_wrote_on_record() -> None:
    answers = (Answer(question="goal", value="sums"), Answer(question="budget", value=3))
    entries = [
        Said(who="you", text="hello"),
        Said(who="planner", text="well"),
        Answered(card_id="c", answers=answers),
        Said(who="you", text="sums"),
    ]
    stored = [StoredEntry(seq=i, interview_id="i", at=0.0, entry=entry) for i, entry in enumerate(entries, 1)]
    assert words_of_person(stored) == ["hello", "sums"]


def test_walking_the_history_keeps_the_draft() -> None:
    history = History()
    history.learn(["one", "two"])
    assert history.walked(-1, "a draft") == "two"
    assert history.walked(-1, "two") == "one"
    assert history.walked(-1, "one") is None
    assert history.walked(2, "one") == "a draft"
    assert history.walked(1, "a draft") is None


class ComposerApp(App[None]):
    """A composer whose completions come when the test lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.sent: list[str] = []

    def compose(self) -> ComposeResult:
        yield Composer(self.slow)

    def slow(self, line: str, _cursor: int) -> Offers:
        if line != "/e":
            self.let_go.wait(5.0)
        return Offers(0, (Offer("/edit", "/edit"),))

    @on(Composer.Sent)
    def keep(self, event: Composer.Sent) -> None:
        self.sent.append(event.text)


async def test_offers_that_come_late_never_replace_what_was_typed_since(until: Until) -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        composer = app.query_one(Composer)
        composer.focus()
        await pilot.press("slash", "e")
        await until(pilot, lambda: composer.is_offering)
        await pilot.press(*"dit goal", "enter")
        await until(pilot, lambda: app.sent == ["/edit goal"])
        app.let_go.set()


async def test_a_new_line_is_written_with_control_j(until: Until) -> None:
    app = ComposerApp()
    app.let_go.set()
    async with app.run_test() as pilot:
        app.query_one(Composer).focus()
        await pilot.press("a", "ctrl+j", "b")
        await until(pilot, lambda: app.query_one(Composer).text == "a\nb")


async def test_what_is_pasted_cannot_steer_the_terminal(until: Until) -> None:
    app = ComposerApp()
    app.let_go.set()
    async with app.run_test() as pilot:
        composer = app.query_one(Composer)
        composer.focus()
        app.post_message(events.Paste("a\x1b[2J\u202eb\nc"))
        await until(pilot, lambda: composer.text == "ab\nc")


def test_the_clipboard_is_reached_through_tmux() -> None:
    assert osc_52("hi") == "\x1b]52;c;aGk=\a"
    assert tmux_passthrough(osc_52("hi")) == "\x1bPtmux;\x1b\x1b]52;c;aGk=\a\x1b\\"
