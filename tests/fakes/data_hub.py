"""A stand-in for the Hugging Face hub on loopback, with two data sets: the task and scorer code on top is the real one.

GSM8K's rows are real, see `gsm8k/README.md`; those called MMLU are made up here and measure nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.fakes.loopback import QuietHandler, served

GSM8K_ROWS = Path(__file__).with_name("gsm8k")
GSM8K = "openai/gsm8k"
MMLU = "cais/mmlu"
MMLU_SAMPLES = 24


def _made_up_mmlu() -> bytes:
    rows = [
        {
            "question": f"A made-up question: which of these is {number} + {number}?",
            "subject": "made_up_sums",
            "choices": [str(2 * number + off) for off in (0, 1, 2, 3)][number % 4 :]
            + [str(2 * number + off) for off in (0, 1, 2, 3)][: number % 4],
            "answer": -number % 4,
        }
        for number in range(MMLU_SAMPLES)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


_MMLU_CARD = b"""---
configs:
- config_name: all
  data_files:
  - split: test
    path: all/test.jsonl
---
"""


def _datasets() -> dict[str, dict[str, bytes]]:
    real = {f"main/{name}": (GSM8K_ROWS / name).read_bytes() for name in ("train.jsonl", "test.jsonl")}
    return {GSM8K: real, MMLU: {"README.md": _MMLU_CARD, "all/test.jsonl": _made_up_mmlu()}}


class DataHub:
    """Read-only repositories of data; `asked` has the path of each request."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self._files = _datasets()

    def environment(self, home: Path) -> dict[str, str]:
        """What makes the hub's clients come here, with a cache of their own."""
        return {"HF_ENDPOINT": self.url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}

    def answer(self, path: str) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body."""
        self.asked.append(path)
        parts = unquote(path).strip("/").split("/")
        if parts[:2] == ["api", "datasets"]:
            return self._api("/".join(parts[2:4]), parts[4:])
        name, verb, rest = "/".join(parts[1:3]), parts[3:4], parts[5:]
        body = self._files.get(name, {}).get("/".join(rest))
        if parts[0] != "datasets" or verb != ["resolve"] or body is None:
            return 404, {"X-Error-Code": "EntryNotFound"}, b""
        return 200, {"ETag": f'"{_sha(body)}"', "X-Repo-Commit": _commit(name, parts[4])}, body

    def _api(self, name: str, rest: list[str]) -> tuple[int, Mapping[str, str], bytes]:
        files = self._files.get(name)
        if files is None:
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        if rest[:1] == ["tree"]:
            entries = _tree(files, "".join(f"{part}/" for part in rest[2:]))
            return _json(entries) if entries else (404, {"X-Error-Code": "EntryNotFound"}, b"")
        siblings = [{"rfilename": path} for path in files]
        return _json({"id": name, "sha": _commit(name, rest[-1]), "siblings": siblings, "private": False})


def _tree(files: Mapping[str, bytes], below: str) -> list[dict[str, Any]]:
    """Files and folders that stand directly in a folder."""
    entries: dict[str, dict[str, Any]] = {}
    for path, data in files.items():
        if path.startswith(below):
            name, _, inner = path.removeprefix(below).partition("/")
            kind = {"type": "directory"} if inner else {"type": "file", "size": len(data)}
            entries[name] = {"path": f"{below}{name}", "oid": _sha(data), **kind}
    return [*entries.values()]


def _commit(name: str, revision: str) -> str:
    return revision if len(revision) == 40 else _sha(name.encode())


def _sha(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


def _json(told: Any) -> tuple[int, Mapping[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(told).encode()


@contextmanager
def data_hub() -> Iterator[DataHub]:
    state = DataHub()

    class Handler(QuietHandler):
        def answer(self) -> None:
            self.body()
            status, headers, body = state.answer(self.address)
            self.say(status, body, headers)

        do_GET = do_HEAD = do_POST = answer

    with served(Handler) as state.url:
        yield state
