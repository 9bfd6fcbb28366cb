"""Whatever a file goes through, each of our readers shows what a plain reader of the whole file shows."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tcao_tui.domain.series import Series
from tcao_tui.store.bulk_rows import add_lines
from tcao_tui.store.cookbook_rows import RowFold
from tcao_tui.store.spill import SpillColumn
from tests.fakes.cookbook_dirs import content, metrics_file, plain_content, until_caught_up

numbers = st.one_of(st.integers(-3, 10**20), st.floats(), st.booleans(), st.just("text"), st.none())
steps = st.integers(0, 40) | st.sampled_from([-1, 2.5, 7.0, "x", None, float("nan"), True])
rows = st.fixed_dictionaries({}, optional={"step": steps, "loss": numbers, "lr": numbers, "test/nll": numbers})
garbage = st.sampled_from([b"", b"{", b"[1]", b"nonsense", b"\xff", b'"text"', b'{"step": 1, "loss": 1'])
ascending = st.builds(
    lambda first, count, more: [json.dumps({"step": first + i, "loss": i, **more}).encode() for i in range(count)],
    st.integers(0, 60),
    st.integers(1, 40),
    st.sampled_from([{}, {"lr": 0.5}, {"num_tokens": 3}]),
)
lines = st.lists(
    ascending | (rows.map(json.dumps).map(str.encode) | garbage).map(lambda line: [line]), max_size=12
).map(lambda parts: [line for part in parts for line in part])


def by_row(text: bytes) -> RowFold[Series]:
    fold = RowFold(lambda _: Series())
    for line in text.split(b"\n")[:-1]:
        fold.add_line(line)
    return fold


@settings(max_examples=200, deadline=None)
@given(lines)
def test_the_fold_agrees_with_a_plain_reader(written: list[bytes]) -> None:
    text = b"".join(line + b"\n" for line in written)
    fold = by_row(text)
    assert content(fold.columns) == plain_content(text)
    assert fold.counts.lines == len(written)


@settings(max_examples=200, deadline=None)
@given(lines, st.integers(1, 40))
def test_reading_in_bulk_agrees_with_reading_row_by_row(written: list[bytes], chunk: int) -> None:
    with TemporaryDirectory() as scratch:
        bulk = RowFold(lambda key: SpillColumn(Path(scratch) / str(abs(hash(key)))))
        for start in range(0, len(written), chunk):
            add_lines(bulk, b"".join(line + b"\n" for line in written[start : start + chunk]))
        got = {
            key: [(int(s), repr(float(v))) for s, v in zip(c.steps(), c.values(), strict=True)]
            for key, c in bulk.columns.items()
            if len(c)
        }
    fold = by_row(b"".join(line + b"\n" for line in written))
    assert got == content(fold.columns)
    assert repr(bulk.counts) == repr(fold.counts)


edits = st.lists(
    st.tuples(st.just("append"), lines, st.integers(0, 30))
    | st.tuples(st.just("cut"), st.just([]), st.integers(0, 2_000))
    | st.tuples(st.just("replace"), lines, st.just(0))
    | st.tuples(st.just("reopen"), st.just([]), st.just(0)),
    max_size=7,
)


def edit(path: Path, what: str, written: list[bytes], number: int) -> None:
    text = b"".join(line + b"\n" for line in written)
    if what == "append":
        with path.open("ab") as file:
            file.write(text[: len(text) - number])
    elif what == "cut":
        kept = path.read_bytes()[:number]
        path.write_bytes(kept[: kept.rfind(b"\n") + 1])
    elif what == "replace":
        (path.parent / "new").write_bytes(text)
        (path.parent / "new").replace(path)


@settings(max_examples=80, deadline=None)
@given(edits, st.sampled_from([1, 300, 1 << 20]))
def test_tears_truncations_replacements_and_rewinds_end_in_what_the_file_says(history: list[Any], here: int) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "metrics.jsonl"
        path.write_bytes(b"")
        metrics = metrics_file(Path(directory), here=here)
        for what, written, number in history:
            edit(path, what, written, number)
            if what == "reopen":
                metrics.close()
                metrics = metrics_file(Path(directory), here=here)
            if number % 2 == 0:
                metrics.poll()
        if path.stat().st_size:
            until_caught_up(metrics)
        metrics.poll()
        metrics.close()
        assert content(metrics.fold.columns) == plain_content(path.read_bytes())
