"""Two processes that share the reading of one file end in what one of them would have read."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tcao_tui.store.bulk_rows import add_lines
from tcao_tui.store.column_cache import open_columns
from tcao_tui.store.cookbook_columns import join, load_cookbook, load_half
from tcao_tui.store.cookbook_rows import RowFold
from tcao_tui.store.spill import SpillColumn
from tests.fakes.cookbook_dirs import content, plain_content

stretches = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 10), st.sampled_from(["loss", "lr", "test/nll"])),
    min_size=2,
    max_size=5,
)


def fold_in(scratch: Path) -> RowFold[SpillColumn]:
    return RowFold(lambda key: SpillColumn(scratch / key.replace("/", "_")))


def shown(fold: RowFold[SpillColumn]) -> dict[str, list[tuple[int, float]]]:
    return {
        k: list(zip(c.steps().tolist(), c.values().tolist(), strict=True)) for k, c in fold.columns.items() if len(c)
    }


@settings(max_examples=60, deadline=None)
@given(stretches, st.booleans(), st.data())
def test_joined_halves_are_the_whole_or_are_refused(
    parts: list[tuple[int, int, str]], ascending: bool, data: st.DataObject
) -> None:
    lines, step = list[bytes](), 0
    for first, length, key in parts:
        step = step if ascending else first
        lines += [json.dumps({"step": step + i, key: i}).encode() + b"\n" for i in range(length)]
        lines.append(b"garbage\n")
        step += length
    cut = data.draw(st.integers(1, len(lines) - 1))
    with TemporaryDirectory() as name:
        place = Path(name)
        for folder in ("half", "a", "b", "c"):
            (place / folder).mkdir()
        (place / "file").write_bytes(b"".join(lines))
        first, whole = fold_in(place / "a"), fold_in(place / "b")
        add_lines(first, b"".join(lines[:cut]))
        add_lines(whole, b"".join(lines))
        start = sum(map(len, lines[:cut]))
        load_half(place / "file", start, start + sum(map(len, lines[cut:])), place / "half", place / "c")
        half = open_columns(place / "half")
        assert half is not None
        before, counts_before = shown(first), repr(first.counts)
        if join(first, half):
            assert shown(first) == shown(whole)
            assert repr(first.counts) == repr(whole.counts)
        else:
            assert (shown(first), repr(first.counts)) == (before, counts_before)
            assert not ascending


def cached_content(path: Path, folder: Path, scratch: Path) -> dict[str, list[tuple[int, str]]]:
    scratch.mkdir()
    load_cookbook(path, folder, scratch, lambda _: None, shared_bytes=1)
    cached = open_columns(folder)
    assert cached is not None
    assert cached.mark["offset"] == path.stat().st_size
    return content(cached.series)


def test_two_real_processes_share_a_file_with_and_without_a_rewind(tmp_path: Path) -> None:
    rows = [json.dumps({"step": i, "loss": i / 3}) for i in range(2_000)]
    path = tmp_path / "metrics.jsonl"
    for name, text in (("on", [*rows, ""]), ("back", [*rows, *rows[500:], ""])):
        path.write_text("\n".join(text))
        (tmp_path / name).mkdir()
        got = cached_content(path, tmp_path / name, tmp_path / f"scratch-{name}")
        assert got == plain_content(path.read_bytes())
