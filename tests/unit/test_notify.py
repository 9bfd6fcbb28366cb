from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.domain.events import Finished
from tcao_tui.domain.notices import Notice, notice
from tcao_tui.domain.training_events import Alert
from tcao_tui.errors import ExitCode, Refused, TcaoError
from tcao_tui.services import notifications
from tcao_tui.settings import NotificationSettings, SettingsInvalid, load_settings
from tcao_tui.sinks.kept import only_one
from tcao_tui.sinks.notifier import TAKE_OVER_SECONDS, Notifier
from tcao_tui.sinks.notify import send, slack_text
from tcao_tui.store.lease import RunLock
from tcao_tui.store.port import RunWriter
from tcao_tui.store.sqlite import SqliteStore, open_store
from tests.fakes.loopback import QuietHandler, served
from tests.fakes.run_records import launch, new_run

ALERT = Alert(rule="plateau", severity="warning", step=3, evidence="flat", action="notify")
DONE = Finished(outcome="completed", exit_code=0)


class Server(NamedTuple):
    """Takes POSTs on the loopback interface."""

    address: str
    taken: list[tuple[str, Any]]


@pytest.fixture
def server() -> Iterator[Server]:
    taken: list[tuple[str, Any]] = []

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            taken.append((self.path, json.loads(self.body())))
            self.say(500 if self.path == "/broken" else 200)

    with served(Handler) as address:
        yield Server(address, taken)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path)
    opened.create_run(new_run("run-1"))
    (tmp_path / "run-1").mkdir()
    yield opened
    opened.close()


def a_notice(title: str = "completed", text: str = "all is well") -> Notice:
    return notice("done", run_id="run-1", name="demo", said=title, text=text, at=1.0)


def sent(settings: dict[str, Any], environ: dict[str, str] | None = None, **changes: Any) -> dict[str, str]:
    return dict(send(a_notice(**changes), NotificationSettings(**settings), {**os.environ, **(environ or {})}))


def test_a_webhook_gets_the_notice_as_json(server: Server) -> None:
    assert sent({"webhook_env": "HOOK"}, {"HOOK": f"{server.address}/hook"}) == {"webhook": ""}
    [(path, body)] = server.taken
    assert path == "/hook"
    assert (body["version"], body["kind"], body["title"], body["run_id"]) == (1, "done", "demo completed", "run-1")


def test_slack_gets_text_in_which_a_run_can_mention_nobody(server: Server) -> None:
    assert sent({"slack_env": "SLACK"}, {"SLACK": server.address}, text="<!channel> & <http://x|y>") == {"slack": ""}
    [(_, body)] = server.taken
    assert body == {"text": "*demo completed*\n&lt;!channel&gt; &amp; &lt;http://x|y&gt;\nrun-1"}
    assert slack_text(a_notice("*bold*")).startswith("*demo bold*\n")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "HOOK is not set"),
        ("file:///etc/passwd", "HOOK holds no http(s) address"),
        ("http://127.0.0.1:1/secret-token", "not delivered: ConnectionRefusedError"),
        ("http://[bad/secret-token", "not delivered: ValueError"),
    ],
)
def test_what_is_not_delivered_is_said_without_the_address(address: str, said: str) -> None:
    assert sent({"webhook_env": "HOOK"}, {"HOOK": address}) == {"webhook": said}


def test_a_server_that_refuses_is_said_and_the_next_channel_is_tried(server: Server) -> None:
    places = {"HOOK": f"{server.address}/broken", "SLACK": f"{server.address}/ok"}
    found = sent({"webhook_env": "HOOK", "slack_env": "SLACK"}, places)
    assert found == {"webhook": "the server answered 500", "slack": ""}


def script(path: Path, text: str) -> list[str]:
    path.write_text(text)
    return [sys.executable, str(path)]


def test_a_command_gets_json_on_stdin_and_the_facts_in_its_environment(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = script(
        tmp_path / "hook.py",
        f"import json, os, sys\nopen({str(out)!r}, 'w').write(json.dumps([json.load(sys.stdin)['title'],"
        " os.environ['TCAO_NOTICE_KIND'], os.environ['TCAO_RUN_ID'], sys.argv[1]]))\n",
    )
    assert sent({"command": [*command, "an argument; $(with) spaces"]}) == {"command": ""}
    assert json.loads(out.read_text()) == ["demo completed", "done", "run-1", "an argument; $(with) spaces"]


def test_a_command_that_fails_is_told_in_its_own_words_made_safe(tmp_path: Path) -> None:
    command = script(tmp_path / "hook.py", "print('\\x1b[2Jno mail today')\nraise SystemExit(3)\n")
    assert sent({"command": command}) == {"command": "exit code 3: no mail today"}
    assert sent({"command": [str(tmp_path / "nowhere")]})["command"].startswith("cannot be started: ")


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    command = script(
        tmp_path / "hook.py",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])\n",
    )
    assert sent({"command": command, "timeout_seconds": 0.5}) == {"command": "was ended after 0.5 s"}


class Watched:
    """A run with a worker that holds it, and what a notifier told of it."""

    def __init__(self, store: SqliteStore, root: Path) -> None:
        self.store, self.run_dir = store, root / "run-1"
        self.lock = RunLock(self.run_dir)
        self.told: list[str] = []
        self.lock.acquire()
        self.writer = self.attempt()

    def attempt(self) -> RunWriter:
        writer = self.store.writer("run-1")
        launch(writer)
        writer.heartbeat()
        return writer

    def notifier(self, *steps: Callable[[], None], send: Callable[[Notice], None] | None = None) -> Notifier:
        """One that does one of `steps` each time it would wait."""
        left = list(steps)

        def wait(_: float) -> None:
            assert left, "it waits for ever"
            left.pop(0)()

        return Notifier(self.store, self.run_dir, "run-1", send or (lambda n: self.told.append(n.title)), wait=wait)

    def end(self) -> None:
        self.writer.commit(events=[DONE])
        self.lock.release()


@pytest.fixture
def watched(store: SqliteStore, tmp_path: Path) -> Watched:
    return Watched(store, tmp_path)


def test_a_notifier_sees_a_run_to_its_end_and_tells_each_fact_once(watched: Watched) -> None:
    watched.notifier(lambda: watched.writer.commit(events=[ALERT]), watched.end).watch()
    assert watched.told == ["demo plateau at step 3", "demo completed"]
    watched.notifier().watch()
    assert watched.told == ["demo plateau at step 3", "demo completed"]


def test_a_worker_that_is_gone_is_told_once_for_each_attempt(watched: Watched) -> None:
    watched.notifier(watched.lock.release).watch()
    watched.notifier().watch()
    assert watched.told == ["demo is lost"]
    watched.lock.acquire()
    watched.attempt()
    watched.notifier(watched.lock.release).watch()
    assert watched.told == ["demo is lost", "demo is lost"]


def test_a_notifier_that_is_killed_while_it_sends_tells_nothing_twice(watched: Watched) -> None:
    watched.writer.commit(events=[ALERT])

    class Killed(BaseException):
        pass

    def dies(found: Notice) -> None:
        watched.told.append(found.title)
        raise Killed

    with pytest.raises(Killed):
        watched.notifier(send=dies).watch()
    watched.notifier(watched.end).watch()
    assert watched.told == ["demo plateau at step 3", "demo completed"]


def test_attempts_before_anybody_wanted_to_be_told_are_no_news(watched: Watched) -> None:
    watched.writer.commit(events=[ALERT, Finished(outcome="failed", exit_code=1)])
    watched.writer = watched.attempt()
    watched.notifier(watched.end).watch()
    assert watched.told == ["demo completed"]


def test_a_second_notifier_waits_for_the_first_and_gives_up(watched: Watched) -> None:
    polls = [lambda: None] * (int(TAKE_OVER_SECONDS / 2) + 1)
    with only_one(watched.run_dir / "notify.lock", "another"), pytest.raises(Refused):
        watched.notifier(*polls).watch()
    assert watched.told == []


def test_a_note_that_cannot_be_read_is_a_plain_error(watched: Watched) -> None:
    (watched.run_dir / "notify.json").write_text("{")
    with pytest.raises(TcaoError, match="cannot be read"):
        watched.notifier().watch()


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliContext:
    monkeypatch.setenv("TCAO_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    return CliContext(runs_root=tmp_path, environ=dict(os.environ))


def write_settings(tmp_path: Path, **section: Any) -> None:
    (tmp_path / "config" / "settings.yaml").write_text(json.dumps({"notifications": section}))


def test_the_test_says_what_came_of_each_channel(
    console: CliContext, tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["notify", "--test"], console) == ExitCode.NEEDS_INPUT
    write_settings(tmp_path, webhook_env="HOOK", slack_env="SLACK")
    console.environ = {**os.environ, "HOOK": server.address}
    capsys.readouterr()
    assert main.run(["notify", "--test"], console) == ExitCode.FAILED
    assert capsys.readouterr().out.splitlines() == ["webhook: sent", "slack: SLACK is not set"]
    assert main.run(["notify"], console) == ExitCode.USAGE


def test_a_command_line_notifier_keeps_to_what_is_wanted_and_logs_failures(
    console: CliContext, tmp_path: Path, watched: Watched, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    watched.writer.commit(events=[ALERT])
    watched.end()
    write_settings(tmp_path, when=["done"], webhook_env="HOOK", slack_env="SLACK")
    console.environ = {**os.environ, "HOOK": server.address}
    assert main.run(["notify", "run-1"], console) == ExitCode.OK
    assert [body["kind"] for _, body in server.taken] == ["done"]
    assert "done: slack: SLACK is not set" in capsys.readouterr().err


def test_a_launch_starts_a_notifier_only_where_somebody_wants_to_be_told(
    console: CliContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawned: list[list[str]] = []

    def spawn(argv: list[str], **_: Any) -> int:
        spawned.append(argv)
        return 7

    monkeypatch.setattr(notifications.detached, "spawn", spawn)
    assert notifications.start_notifier(tmp_path, "run-1", {}) is None
    write_settings(tmp_path, desktop=True)
    assert notifications.start_notifier(tmp_path, "run-1", {}) is None
    write_settings(tmp_path, command=["true"])
    assert notifications.start_notifier(tmp_path, "run-1", {}) == 7
    assert spawned[0][-2:] == ["notify", "run-1"]
    (tmp_path / "config" / "settings.yaml").write_text("notifications: {nothing: 1}")
    assert notifications.start_notifier(tmp_path, "run-1", {}) is None


def test_a_misspelt_setting_is_told_with_the_nearest_name(console: CliContext, tmp_path: Path) -> None:
    write_settings(tmp_path, webhok_env="HOOK")
    with pytest.raises(SettingsInvalid, match="did you mean webhook_env"):
        load_settings()
    write_settings(tmp_path, webhook_env="https://hooks.example/secret")
    with pytest.raises(SettingsInvalid) as raised:
        load_settings()
    assert "secret" not in str(raised.value)
