from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tcao_tui.store.port import NewRun
from tcao_tui.store.sqlite import open_store

READER = """
import sys
from pathlib import Path
from tcao_tui.store.sqlite import open_store
store = open_store(Path(sys.argv[1]), create=False)
print(*[run.run_id for run in store.runs()])
store.close()
"""


def new(run_id: str) -> NewRun:
    return NewRun(run_id=run_id, name="n", method="sft", base_model="m", backend="local", total_steps=1, created_at=1.0)


def seen_by_another_process(root: Path) -> list[str]:
    done = subprocess.run([sys.executable, "-c", READER, str(root)], capture_output=True, text=True, check=True)
    return sorted(done.stdout.split())


def test_a_reader_that_leaves_does_not_take_the_log_away_from_a_writer(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    store = open_store(tmp_path)
    store.create_run(new("first"))
    second = open_store(tmp_path)
    assert seen_by_another_process(tmp_path) == ["first"]
    store.create_run(new("second"))
    assert seen_by_another_process(tmp_path) == ["first", "second"]
    second.create_run(new("third"))
    assert seen_by_another_process(tmp_path) == ["first", "second", "third"]
    store.close()
    second.close()
