"""The small files of a directory that the tinker-cookbook writes: `config.json`, `checkpoints.jsonl`, `logs.log`.

Each is read again when it changed and never otherwise. `metrics.jsonl` is the business of `cookbook_metrics`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tcao_tui.store.cookbook_rows import parse_line
from tcao_tui.store.jsonl_tail import LineTail

if TYPE_CHECKING:
    from tcao_tui.domain.checkpoints import CheckpointRecord
    from tcao_tui.domain.events import StoredEvent

_MOST_CONFIG_BYTES = 4 << 20
_LOG_BYTES = 1 << 16
_LOG_LINES = 200
_LOG_CHARACTERS = 2_000
_KNOWN = {"name", "batch", "epoch", "final", "state_path", "sampler_path", "step"}


class ConfigFile:
    """`config.json`: lossy and rewritten at every start, so it only labels the run.

    Args:
        path: The file; it need not exist.

    Attributes:
        values: Its top-level keys; empty while it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._file = LineTail(path)
        self.values: dict[str, Any] = {}

    @property
    def modified_at(self) -> float:
        """When the run was last started, Unix seconds; 0 without the file."""
        return self._file.modified_at

    @property
    def base_model(self) -> str:
        """Name of the trained model, empty when unknown."""
        return str(self.values.get("model_name") or "")

    @property
    def method(self) -> str:
        """The training loop, told by the fields that only it has."""
        for method, only in (("dpo", "dpo_beta"), ("rl", "max_tokens"), ("sft", "lr_schedule")):
            if only in self.values:
                return method
        return "cookbook"

    @property
    def backend(self) -> str:
        """Address of the server, empty for Tinker's own."""
        return str(self.values.get("base_url") or "")

    @property
    def max_steps(self) -> int:
        """The cap on steps, 0 when there is none."""
        value = self.values.get("max_steps")
        return value if isinstance(value, int) and value > 0 else 0

    def poll(self) -> bool:
        """Read the file if it changed; returns whether it did."""
        if not self._file.look():
            return False
        try:
            with self._file.path.open("rb") as file:
                values = parse_line(file.read(_MOST_CONFIG_BYTES))
        except OSError:
            values = None
        if values is not None:  # a file that is being rewritten is read at the next poll
            self.values = values
        return True


class CheckpointsFile:
    """`checkpoints.jsonl`: one line per saved checkpoint, never removed; rows of rewound steps are kept too.

    Args:
        path: The file; it need not exist.

    Attributes:
        rows: Its objects, oldest first.
    """

    def __init__(self, path: Path) -> None:
        self._tail = LineTail(path)
        self.rows: list[dict[str, Any]] = []

    @property
    def is_final(self) -> bool:
        """Whether the newest row is the final checkpoint, the cookbook's way to say that it is done."""
        return bool(self.rows) and self.rows[-1].get("final") is True

    def poll(self) -> bool:
        """Read what is new; returns whether there was anything."""
        if not self._tail.look():
            return False
        if self._tail.was_rewritten():
            self._tail.close()
            self._tail = LineTail(self._tail.path)
            self._tail.look()
            self.rows = []
        while lines := self._tail.read():
            self.rows += [row for line in lines.split(b"\n") if (row := parse_line(line)) and row.get("name")]
        return True

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()

    def records(self, last_step: int) -> tuple[CheckpointRecord, ...]:
        """The checkpoints that may still be resumed from, by step.

        Rolling ones but the newest are left out, because the cookbook deletes them on the server.

        Args:
            last_step: Updates applied by now; the step of a final checkpoint, whose row names none.
        """
        rolling = [i for i, row in enumerate(self.rows) if row.get("rolling")]
        gone = set(rolling if self.is_final else rolling[:-1])
        by_name = {str(row["name"]): row for i, row in enumerate(self.rows) if i not in gone}
        records = [record for row in by_name.values() if (record := _record(row, last_step)) is not None]
        return tuple(sorted(records, key=lambda record: record.step))


class LogFile:
    """The end of `logs.log`, for a person to look at.

    Args:
        path: The file; it need not exist.

    Attributes:
        lines: The newest lines, oldest first.
    """

    def __init__(self, path: Path) -> None:
        self._file = LineTail(path)
        self.lines: list[str] = []

    def poll(self) -> bool:
        """Read the end of the file if it changed; returns whether it did."""
        if not self._file.look():
            return False
        try:
            with self._file.path.open("rb", buffering=0) as file:
                start = max(0, self._file.size - _LOG_BYTES)
                file.seek(start)
                lines = file.read(_LOG_BYTES).decode("utf-8", "replace").splitlines()
        except OSError:
            lines, start = [], 0
        whole = lines[1:] if start else lines
        self.lines = [line[:_LOG_CHARACTERS] for line in whole if line.strip()][-_LOG_LINES:]
        return True

    def events(self, run_id: str) -> tuple[StoredEvent, ...]:
        """The lines as events; their time is not known, so it is that of the newest line."""
        from tcao_tui.domain.events import LogLine, StoredEvent

        at = self._file.modified_at
        return tuple(
            StoredEvent(seq=i, run_id=run_id, attempt=1, at=at, event=LogLine(level=_level(line), message=line))
            for i, line in enumerate(self.lines, 1)
        )


def _level(line: str) -> Literal["info", "warning", "error"]:
    start = line[:200]
    return "error" if "[ERROR]" in start or "[CRITICAL]" in start else "warning" if "[WARNING]" in start else "info"


def _record(row: dict[str, Any], last_step: int) -> CheckpointRecord | None:
    from pydantic import ValidationError

    from tcao_tui.domain.checkpoints import CheckpointRecord

    name, extra = str(row["name"]), {k: v for k, v in row.items() if k not in _KNOWN}
    counted = next((row[k] for k in ("step", "batch") if isinstance(row.get(k), int)), 0)
    step = int(name) if name.isascii() and name.isdigit() else last_step if row.get("final") is True else counted
    try:
        return CheckpointRecord.model_validate(
            {
                **{k: v for k, v in extra.items() if k not in CheckpointRecord.model_fields},
                "name": name,
                "attempt": 1,
                "step": step,
                "cursor": {"epoch": row.get("epoch") or 0, "batch": row.get("batch") or 0},
                "reason": "final" if row.get("final") is True else "periodic",
                "state_path": row.get("state_path") or "",
                "sampler_path": row.get("sampler_path"),
            }
        )
    except ValidationError:
        return None
