"""Sending a notice: a command of one's own, a webhook, Slack. What fails is told in words and raises nothing.

Addresses are read from the environment at the moment of sending and never written down, not even in a failure.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tcao_tui.domain.notices import Notice
from tcao_tui.domain.plain_text import one_line
from tcao_tui.settings import NotificationSettings

_SHOWN_CHARACTERS = 300
_SHOWN_BYTES = 2_000


def send(notice: Notice, settings: NotificationSettings, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Tell everybody whom the settings name, one after the other.

    Yields:
        The channel, and what went wrong with it; empty when nothing did.
    """
    if settings.command:
        yield "command", _run(notice, settings, environ)
    if settings.webhook_env is not None:
        yield "webhook", _post(settings.webhook_env, {"version": 1, **asdict(notice)}, settings, environ)
    if settings.slack_env is not None:
        yield "slack", _post(settings.slack_env, {"text": slack_text(notice)}, settings, environ)


def slack_text(notice: Notice) -> str:
    """A notice in Slack's mrkdwn, in which nothing of a run's text is a link, a mention or markup."""
    title, text = (
        part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for part in (notice.title, notice.text)
    )
    return f"*{title.replace('*', '')}*\n{text}\n{notice.run_id}"


def _run(notice: Notice, settings: NotificationSettings, environ: Mapping[str, str]) -> str:
    told = {
        "TCAO_NOTICE_KIND": notice.kind,
        "TCAO_NOTICE_TITLE": notice.title,
        "TCAO_NOTICE_TEXT": notice.text,
        "TCAO_RUN_ID": notice.run_id,
        "TCAO_RUN_NAME": notice.name,
    }
    # Files rather than pipes: what the command leaves running in the background cannot hold them open against us.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(json.dumps(asdict(notice)).encode())
        given.seek(0)
        try:
            process = subprocess.Popen(
                settings.command, stdin=given, stdout=said, stderr=said, env={**environ, **told}, start_new_session=True
            )
        except (OSError, ValueError) as error:
            return f"cannot be started: {one_line(str(error), _SHOWN_CHARACTERS)}"
        try:
            code = process.wait(settings.timeout_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"was ended after {settings.timeout_seconds:g} s"
        said.seek(0)
        output = one_line(said.read(_SHOWN_BYTES).decode("utf-8", "replace"), _SHOWN_CHARACTERS)
    return f"exit code {code}: {output or 'it said nothing'}" if code else ""


def _post(name: str, body: Mapping[str, object], settings: NotificationSettings, environ: Mapping[str, str]) -> str:
    address = environ.get(name, "").strip()
    if not address.lower().startswith(("http://", "https://")):
        return f"{name} holds no http(s) address" if address else f"{name} is not set"
    try:
        request = Request(
            address,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "User-Agent": "tcao"},
            method="POST",
        )
        with urlopen(request, timeout=settings.timeout_seconds):
            return ""
    except HTTPError as error:
        return f"the server answered {error.code}"
    except (URLError, HTTPException, OSError, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        return f"not delivered: {type(reason).__name__}"
