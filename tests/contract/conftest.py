"""One engine with a random model for all contract tests; runs are told apart by their sessions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.engine_process import EngineProcess, start
from tests.fakes.random_model import write_random_model


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_model(tmp_path_factory.mktemp("model"), hidden_size=32, layers=2)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[EngineProcess]:
    process = start(tmp_path_factory.mktemp("engine") / "state", model_dirs=[f"random={model_dir}"])
    yield process
    process.stop()
