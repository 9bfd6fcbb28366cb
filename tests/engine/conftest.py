"""One engine for most tests of a session, over one random model; every test has its own Tinker session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.engine_process import EngineProcess
from tests.fakes.random_model import write_random_model

os.environ["TINKER_TELEMETRY"] = "0"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

MODEL = "test/random"


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_model(tmp_path_factory.mktemp("model") / "random")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[EngineProcess]:
    running = EngineProcess(tmp_path_factory.mktemp("engine") / "state", model_dirs=[f"{MODEL}={model_dir}"])
    yield running
    assert running.stop() == 0
    assert "ERROR" not in running.log()
    assert "Traceback" not in running.log()


@pytest.fixture
def start_engine(tmp_path: Path, model_dir: Path) -> Iterator[Callable[..., EngineProcess]]:
    running: list[EngineProcess] = []

    def start_one(**more: object) -> EngineProcess:
        running.append(EngineProcess(tmp_path / f"state{len(running)}", model_dirs=[f"{MODEL}={model_dir}"], **more))
        return running[-1]

    yield start_one
    for engine in running:
        engine.stop()


@pytest.fixture
def service(engine: EngineProcess) -> Iterator[object]:
    import tinker

    client = tinker.ServiceClient(base_url=engine.url, api_key=engine.key)
    yield client
    client.close("success").result(timeout=30)


@pytest.fixture
def rest(engine: EngineProcess) -> object:
    import tinker

    return tinker.RestClient(base_url=engine.url, api_key=engine.key)
