"""A Hugging Face Hub on loopback, as far as an upload of small files needs one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.fakes.loopback import QuietHandler, served

TOKEN = "hf_stub_token"


class Hub:
    """What was made and uploaded: `private` by repository, `files` by repository and path.

    Attributes:
        refusal: Status that everything is answered with; 0 for none.
        asked: Method and path of each request.
    """

    def __init__(self) -> None:
        self.url = ""
        self.private: dict[str, bool] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.refusal = 0
        self.asked: list[str] = []

    def answer(self, method: str, path: str, token: str, body: bytes) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        if self.refusal or token != f"Bearer {TOKEN}":
            return self.refusal or 401, {"error": "no such right\x1b[2J"}
        parts = path.strip("/").split("/")
        if parts[:3] == ["api", "repos", "create"]:
            return self._create(json.loads(body))
        if parts[:2] == ["api", "validate-yaml"]:
            return 200, {"errors": [], "warnings": []}
        repository, action = "/".join(parts[2:4]), parts[4:5]
        if action == ["preupload"]:
            wanted = json.loads(body)["files"]
            files = [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in wanted]
            return 200, {"files": files}
        if action == ["commit"]:
            return self._commit(repository, body)
        return 200, {"id": repository, "private": self.private[repository], "sha": "0" * 40, "siblings": []}

    def _create(self, asked: dict[str, Any]) -> tuple[int, Any]:
        name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else f"me/{asked['name']}"
        if name in self.private:
            return 409, {"error": "exists", "url": f"{self.url}/{name}"}
        self.private[name] = asked.get("visibility") == "private" or bool(asked.get("private"))
        return 200, {"url": f"{self.url}/{name}", "name": name}

    def _commit(self, repository: str, body: bytes) -> tuple[int, Any]:
        lines = [json.loads(line) for line in body.splitlines() if line]
        files = {e["value"]["path"]: base64.b64decode(e["value"]["content"]) for e in lines if e["key"] == "file"}
        self.files.setdefault(repository, {}).update(files)
        return 200, {"commitUrl": f"{self.url}/{repository}/commit/{'1' * 40}", "commitOid": "1" * 40}


@contextmanager
def hub() -> Iterator[Hub]:
    state = Hub()

    class Handler(QuietHandler):
        def answer(self) -> None:
            token = self.headers.get("Authorization", "")
            status, told = state.answer(self.command, self.address, token, self.body())
            self.say(status, json.dumps(told).encode(), {"Content-Type": "application/json"})

        do_GET = do_POST = answer

    with served(Handler) as state.url:
        yield state
