"""The files that the TensorBoard sink writes, read back by Google's own protobuf from the published field numbers."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.domain.events import Resumed, Scored
from tcao_tui.sinks import SINKS, event_file
from tcao_tui.sinks.feed import feed
from tcao_tui.sinks.port import SinkOptions
from tcao_tui.store.memory import MemoryStore
from tests.fakes.run_records import finish, launch, new_run, train

DOUBLE, FLOAT, INT64, STRING, MESSAGE = 1, 2, 3, 9, 11
FIELDS: dict[str, list[tuple[str, int, int, str]]] = {
    "Event": [
        ("wall_time", 1, DOUBLE, ""),
        ("step", 2, INT64, ""),
        ("file_version", 3, STRING, ""),
        ("summary", 5, MESSAGE, "Summary"),
        ("session_log", 7, MESSAGE, "SessionLog"),
    ],
    "SessionLog": [("status", 1, INT64, "")],
    "Summary": [("value", 1, MESSAGE, "Value")],
    "Value": [
        ("tag", 1, STRING, ""),
        ("simple_value", 2, FLOAT, ""),
        ("tensor", 8, MESSAGE, "Tensor"),
        ("metadata", 9, MESSAGE, "Metadata"),
    ],
    "Metadata": [("plugin_data", 1, MESSAGE, "PluginData")],
    "PluginData": [("plugin_name", 1, STRING, "")],
    "Tensor": [("dtype", 1, INT64, ""), ("tensor_shape", 2, MESSAGE, "Shape"), ("string_val", 8, STRING, "")],
    "Shape": [("dim", 2, MESSAGE, "Dim")],
    "Dim": [("size", 1, INT64, "")],
}
REPEATED = {"value", "string_val", "dim"}


@pytest.fixture(scope="module")
def event_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="event.proto", package="t", syntax="proto3")
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            label = 3 if field in REPEATED else 1
            message.field.add(name=field, number=number, type=kind, label=label, type_name=f".t.{of}" if of else None)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Event"))


def masked(data: bytes) -> int:
    crc = event_file.crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def records(data: bytes) -> Iterator[bytes]:
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        assert struct.unpack("<I", data[8:12]) == (masked(data[:8]),)
        message = data[12 : 12 + length]
        assert struct.unpack("<I", data[12 + length : 16 + length]) == (masked(message),)
        yield message
        data = data[16 + length :]


def events(directory: Path, event_class: Any) -> list[Any]:
    files = sorted(directory.rglob("*tfevents*"))
    return [event_class.FromString(message) for file in files for message in records(file.read_bytes())]


def scalars(found: list[Any], tag: str = "train_mean_nll") -> list[tuple[int, float]]:
    """As TensorBoard keeps them: a restart drops what was there at its step or later."""
    kept: list[tuple[int, float]] = []
    for event in found:
        if event.session_log.status == 1:
            kept = [(step, value) for step, value in kept if step < event.step]
        kept += [(event.step, value.simple_value) for value in event.summary.value if value.tag == tag]
    return kept


def written(store: MemoryStore, run_dir: Path) -> None:
    feed(store, run_dir, "run-1", "tensorboard", SINKS.load("tensorboard")(SinkOptions(run_dir / "tb")))


@pytest.mark.parametrize(
    ("data", "crc"), [(b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (b"", 0)]
)
def test_checksums_are_those_of_the_iscsi_standard(data: bytes, crc: int) -> None:
    assert event_file.crc32c(data) == crc


def test_a_run_is_a_directory_of_curves_that_begins_with_its_version(tmp_path: Path, event_class: Any) -> None:
    store = MemoryStore()
    store.create_run(new_run(total_steps=3))
    writer = store.writer("run-1")
    launch(writer)
    train(writer, 1, 3)
    writer.commit(events=[Scored(step=3, name="exact", correct=3, total=4)])
    finish(writer, 3)
    written(store, tmp_path)
    found = events(tmp_path / "tb" / "run-1", event_class)
    assert found[0].file_version == "brain.Event:2"
    assert scalars(found) == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]
    assert scalars(found, "score/exact") == [(3, 0.75)]
    assert next(event.wall_time for event in found if event.summary.value and event.step == 2) == 2.0
    texts = [v for event in found for v in event.summary.value if v.metadata.plugin_data.plugin_name == "text"]
    assert {v.tag for v in texts} == {"events/text_summary", "outcome/text_summary"}
    assert all(v.tensor.dtype == 7 and v.tensor.tensor_shape.dim[0].size == 1 for v in texts)
    assert texts[-1].tensor.string_val[0] == "completed"


def test_steps_that_were_written_before_a_resume_are_taken_back(tmp_path: Path, event_class: Any) -> None:
    store = MemoryStore()
    store.create_run(new_run(total_steps=6))
    writer = store.writer("run-1")
    launch(writer)
    train(writer, 1, 5)
    written(store, tmp_path)
    second = store.writer("run-1")
    launch(second, Resumed(step=3, checkpoint="c"))
    train(second, 4, 6)
    written(store, tmp_path)
    found = scalars(events(tmp_path / "tb", event_class))
    assert [step for step, _ in found] == [1, 2, 3, 4, 5, 6]
    assert len(list((tmp_path / "tb").rglob("*tfevents*"))) == 2


@given(st.floats(allow_nan=True), st.integers(0, 2**40), st.text(max_size=50))
def test_any_number_tag_and_step_come_back(event_class: Any, value: float, step: int, tag: str) -> None:
    [message] = records(event_file.record(event_file.scalars_event(1.5, step, {tag: value})))
    event = event_class.FromString(message)
    assert (event.wall_time, event.step) == (1.5, step)
    [kept] = event.summary.value
    assert kept.tag == tag.encode("utf-8", "replace").decode()
    if math.isfinite(value) and abs(value) < 3e38:
        assert kept.simple_value == pytest.approx(value, rel=1e-6, abs=1e-40)
    else:
        assert math.isnan(kept.simple_value) == math.isnan(value)
