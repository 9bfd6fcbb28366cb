"""One engine with a random model for all contract tests, whose runs are told apart by sessions; each store backend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui.store.memory import MemoryStore
from tcao_tui.store.port import RunStore
from tcao_tui.store.sqlite import open_store
from tests.fakes.engine_process import EngineProcess
from tests.fakes.inspect_alone import inspect_alone
from tests.fakes.own_places import use_places
from tests.fakes.random_model import write_random_model
from tests.fakes.run_records import new_run


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_model(tmp_path_factory.mktemp("model"), hidden_size=32, layers=2)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[EngineProcess]:
    process = EngineProcess(tmp_path_factory.mktemp("engine") / "state", model_dirs=[f"random={model_dir}"])
    yield process
    process.stop()


@pytest.fixture(scope="module")
def engine_places(engine: EngineProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where places of one's own are whose local profile is the engine."""
    root = tmp_path_factory.mktemp("places")
    with pytest.MonkeyPatch.context() as environment:
        use_places(environment, root, engine)
        yield root


@pytest.fixture(scope="module")
def inspect_places(engine_places: Path) -> Iterator[Path]:
    """The same for Inspect in the process of the tests."""
    with inspect_alone(engine_places / "data"):
        yield engine_places


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[RunStore]:
    if request.param == "memory":
        yield MemoryStore(clock=clock, monotonic=clock)
        return
    opened = open_store(tmp_path / "runs", clock=clock, monotonic=clock)
    yield opened
    opened.close()


@pytest.fixture
def run_1(store: RunStore) -> RunStore:
    store.create_run(new_run())
    return store
