from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.domain.draft import Filled
from tcao_tui.domain.interview import Answered, Asked, Entry, Said, SlotFilled, Started, StoredEntry
from tcao_tui.domain.interview_state import InterviewState, fold
from tcao_tui.domain.questions import Answer, Card, Option, Question
from tcao_tui.planner.reach import may_read, paths_in
from tcao_tui.planner.rules.nearby import nearby_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    for name in ("rows.jsonl", "data/more.jsonl", ".env", "server.pem", ".ssh/config"):
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
    for name in ("outside.jsonl", "key.pem"):
        (tmp_path / name).write_text("{}\n")
    (project / "link.jsonl").symlink_to(tmp_path / "outside.jsonl")
    (project / "harmless.jsonl").symlink_to(tmp_path / "key.pem")
    return tmp_path


def state_of(root: Path, *entries: Entry) -> InterviewState:
    state = InterviewState("talk")
    started = Started(profile="local", directory=str(root / "project"), planner="rules")
    for seq, entry in enumerate([started, *entries], 1):
        state = fold(state, StoredEntry(seq=seq, interview_id="talk", at=1.0, entry=entry))
    return state


def said(text: str) -> Said:
    return Said(who="you", text=text)


def test_files_of_the_project_may_be_read(root: Path) -> None:
    state = state_of(root)
    for path in ("rows.jsonl", "./data/../rows.jsonl", str(root / "project" / "data" / "more.jsonl")):
        assert may_read(path, state)


@pytest.mark.parametrize(
    "path", ["../outside.jsonl", "/etc/passwd", "~/.ssh/id_rsa", "link.jsonl", "data/../../outside.jsonl", "\0"]
)
def test_what_lies_outside_may_not_be_read_nor_what_a_link_leads_to(path: str, root: Path) -> None:
    assert path == "\0" or not may_read(path, state_of(root))


@pytest.mark.parametrize("path", [".env", "server.pem", ".ssh/config", "harmless.jsonl"])
def test_secrets_may_not_be_read_even_in_the_project(path: str, root: Path) -> None:
    assert not may_read(path, state_of(root))


@pytest.mark.parametrize("words", ["rows are in ../outside.jsonl", "see @../outside.jsonl!", "'../outside.jsonl'"])
def test_a_path_in_the_persons_words_is_consent_to_it_alone(words: str, root: Path) -> None:
    state = state_of(root, said(words))
    assert may_read("../outside.jsonl", state)
    assert not may_read("../key.pem", state)


def test_a_link_that_the_person_names_may_be_followed_but_not_to_a_secret(root: Path) -> None:
    state = state_of(root, said("link.jsonl and harmless.jsonl"))
    assert may_read("link.jsonl", state)
    assert not may_read("harmless.jsonl", state)
    assert may_read("harmless.jsonl", state_of(root, said(f"yes, read {root / 'key.pem'}")))


def test_a_secret_may_be_read_when_the_person_names_it(root: Path) -> None:
    assert may_read(".env", state_of(root, said("the variables are in ./.env")))


def test_words_of_planners_are_no_consent(root: Path) -> None:
    told = Said(who="planner", text="I read ../outside.jsonl now")
    by_model = SlotFilled(path="training.train_file", filled=Filled(value=str(root / "outside.jsonl"), by="model"))
    assert not may_read("../outside.jsonl", state_of(root, told, by_model))


def answered(value: str, *options: Option) -> tuple[Entry, ...]:
    card = Card(id="c", questions=(Question(id="data", text="?", kind="file", options=options),))
    return Asked(card=card), Answered(card_id="c", answers=(Answer(question="data", value=value),))


def test_a_path_that_is_typed_as_an_answer_is_consent(root: Path) -> None:
    assert may_read("../outside.jsonl", state_of(root, *answered("../outside.jsonl")))


def test_an_option_that_hides_its_path_behind_a_label_is_none(root: Path) -> None:
    hidden = Option(value="../outside.jsonl", label="Yes, go on")
    shown = Option(value="../outside.jsonl", label="../outside.jsonl, 200 rows")
    assert not may_read("../outside.jsonl", state_of(root, *answered("../outside.jsonl", hidden)))
    assert may_read("../outside.jsonl", state_of(root, *answered("../outside.jsonl", shown)))


def test_a_value_set_by_hand_is_consent_and_so_is_what_our_tools_wrote(root: Path) -> None:
    by_hand = Filled(value=str(root / "outside.jsonl"), by="you", reason="set by hand")
    assert may_read("../outside.jsonl", state_of(root, SlotFilled(path="training.train_file", filled=by_hand)))
    through_an_option = SlotFilled(path="training.train_file", filled=by_hand, question="data")
    assert not may_read("../outside.jsonl", state_of(root, through_an_option))
    written = Filled(value=str(root / "outside.jsonl"), by="data", reason="the rows that can be used")
    assert may_read("../outside.jsonl", state_of(root, SlotFilled(path="training.train_file", filled=written)))


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("rows in data/a.jsonl, please", ["data/a.jsonl"]),
        ("(~/a.csv)", ["~/a.csv"]),
        ('`my file.json` or "b c.csv"', ["my file.json", "b c.csv"]),
        ("Well. That costs 3.50 in all.", []),
        ("and/or", ["and/or"]),
        ("it's don't", []),
    ],
)
def test_paths_are_found_in_words(text: str, paths: list[str]) -> None:
    assert paths_in(text) == paths


def test_data_files_nearby_are_offered_and_nothing_else(root: Path) -> None:
    project = root / "project"
    for name in (
        "package.json",
        "notes.txt",
        "deep/er/x.jsonl",
        "deep/er/est/y.jsonl",
        "runs/z.jsonl",
        ".hidden/h.csv",
    ):
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    (project / "table.csv.gz").write_text("")
    names = [path.relative_to(project).as_posix() for path in nearby_files(str(project))]
    assert names == ["harmless.jsonl", "link.jsonl", "rows.jsonl", "table.csv.gz", "data/more.jsonl", "deep/er/x.jsonl"]


def test_a_project_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert nearby_files(str(tmp_path / "none")) == ()
