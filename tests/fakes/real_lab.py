"""A lab whose server is the engine and whose workers are the real ones, with a small plan for each method.

Out of scope: a model that learns; the weights are random, and it is numbers and order that are compared.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from safetensors.torch import load_file

from tcao_tui.clients.tinker_port import RemoteCheckpoint, TinkerBackend
from tcao_tui.domain.data_profile import METHOD_KINDS
from tcao_tui.domain.events import WaitReason
from tcao_tui.domain.method_params import DistillParams, DpoParams, RlhfParams, RlParams
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import EvalPlan, Plan, approval_hash
from tcao_tui.domain.stages import Stage
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.services.launch import create_run
from tcao_tui.services.plans import load_plan
from tcao_tui.services.verify import verify
from tcao_tui.store.port import Approval
from tcao_tui.worker.connect import ProfileConnector
from tests.fakes.engine_process import EngineProcess
from tests.fakes.fake_tinker import FREE
from tests.fakes.plans import resolve
from tests.fakes.random_model import write_random_model
from tests.fakes.real_worker import work
from tests.fakes.run_lab import Lab
from tests.fakes.warm_process import forked


def sft_rows(count: int, first: int = 0) -> list[dict[str, str]]:
    """Prompts and answers, numbered from `first` up to `count`."""
    return [{"input": f"say {n}", "output": str(n) * 2} for n in range(first, count)]


def preference_rows(count: int, first: int = 0) -> list[dict[str, str]]:
    """Pairs of answers, numbered in the same way."""
    return [{"prompt": f"say {n}", "chosen": f"{n}!" * 2, "rejected": f"no {n}"} for n in range(first, count)]


SECTIONS: dict[str, Any] = {
    "dpo": DpoParams(beta=0.2),
    "distill": DistillParams(teacher_model="random", group_size=2, max_tokens=3),
    "rlhf": RlhfParams(reward_steps=2, rl_steps=2, group_size=2, max_tokens=3),
    "rl": RlParams(grader="python:tests.fakes.own_grader:even_length", group_size=2, max_tokens=3),
}
"""What methods need besides the hyperparameters that all share."""


class RealLab(Lab):
    """A lab whose server is an engine with a fault script."""

    def __init__(self, place: Path, engine: EngineProcess, script: Path) -> None:
        super().__init__(place)
        self.engine, self._script = engine, script

    def faults(self, *rules: Mapping[str, object]) -> None:
        """What goes wrong from now on; every verb's calls are counted anew."""
        self._script.write_text(json.dumps({"rules": rules}))

    def file(self, name: str, rows: Sequence[Mapping[str, str]]) -> Path:
        path = self.place / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def real_plan(
        self, method: str = "sft", *, evals: EvalPlan | None = None, section: BaseModel | None = None, **changes: Any
    ) -> Plan:
        """Five steps with checkpoints after the second and the fourth."""
        rows = preference_rows if METHOD_KINDS[method][0] == "preference" else sft_rows
        section = section or SECTIONS.get(method)
        settings: dict[str, Any] = {
            "base_model": "random",
            "run_name": method.replace("_", "-"),
            "train_file": self.file(f"{method}.jsonl", rows(8)),
            "lora_rank": 4,
            "max_seq_len": 128,
            "train_batch_size": 3,
            "num_steps": 5,
            "eval_every": 0,
            "save_every": 2,
            "learning_rate": 1e-2,
            "renderer_name": "qwen3_instruct",
            **changes,
        }
        own: dict[str, Any] = {} if section is None else {method: section}
        plan = Plan(
            method=method,
            training=TrainingConfig(**settings),
            evals=evals or EvalPlan(),
            **own,
            stages=self._stages() if method == "pipeline" else (),
        )
        return resolve(plan)

    def _stages(self) -> tuple[Stage, ...]:
        pairs = str(self.file("stage-pairs.jsonl", preference_rows(8)))
        return (
            Stage(name="first", method="sft"),
            Stage(name="second", method="dpo", set={"training.train_file": pairs, "dpo.beta": 0.2}),
        )

    def create_real(self, plan: Plan | None = None) -> str:
        plan = plan or self.real_plan()
        approval = Approval(approval_hash(plan, FREE), "auto", "test", time.time(), FREE.model_dump_json())
        return create_run(self.store, self.root, plan, profile_name="local", quote=FREE, approval=approval)

    def attempt(self, run_id: str, **env: object) -> int:
        """Run one worker to its end, forked from a warm process; returns its exit code, negative for a signal."""
        log = self.root / run_id / "worker.log"
        worker = forked(work, ["--runs-root", str(self.root), run_id], env=self.env(**env), log=log)
        worker.join()
        assert worker.exitcode is not None
        return worker.exitcode

    def undisturbed(self, plan: Plan) -> tuple[str, list[str]]:
        """Carry a plan out; returns the run and the names of its side effects, the first of which is number 1."""
        log = self.place / "points"
        log.unlink(missing_ok=True)
        run_id = self.create_real(plan)
        assert self.attempt(run_id, TCAO_CRASH_LOG=log) == 0, self.log(run_id)
        return run_id, [line.split()[1] for line in log.read_text().splitlines()]

    async def connect(self) -> TinkerBackend:
        """A session beside the workers'."""

        def ignore(reason: WaitReason, over: bool, detail: str) -> None:
            pass

        return await ProfileConnector("local").connect(self.real_plan(), None, metadata={}, on_waiting=ignore)

    def listed(self, run_id: str) -> Sequence[RemoteCheckpoint]:
        """The run's checkpoints as the engine lists them."""

        async def ask() -> Sequence[RemoteCheckpoint]:
            backend = await self.connect()
            try:
                return await backend.checkpoints_of(run_id)
            finally:
                await backend.close("success")

        return asyncio.run(ask())

    def adam_steps(self, state_path: str) -> int:
        """Optimiser steps that the weights of a training checkpoint went through, as the engine's Adam counts them."""
        run, kind, name = state_path.removeprefix("tinker://").split("/")
        asked = "SELECT blob FROM checkpoints WHERE run_id = ? AND kind = ? AND name = ?"
        [(blob,)] = self._engine_rows(asked, run, kind, name)
        state = load_file(self.engine.state_dir / "blobs" / blob / "optimizer.safetensors")
        [steps] = {int(tensor) for key, tensor in state.items() if key.endswith(".step")}
        return steps

    def session_ends(self, run_id: str) -> list[str]:
        """How the run's sessions ended, as their clients said it, oldest first."""
        asked = "SELECT reason FROM sessions WHERE user_metadata LIKE ? ORDER BY created_at"
        return [reason or "" for (reason,) in self._engine_rows(asked, f"%{run_id}%")]

    def _engine_rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.engine.state_dir / "engine.db")) as database:
            return database.execute(query, values).fetchall()

    def log(self, run_id: str) -> str:
        return (self.root / run_id / "worker.log").read_text(errors="replace")

    def series(self, run_id: str, key: str = "train_mean_nll") -> list[float]:
        """The numbers of every step, which must be there once each."""
        series = self.view(run_id).series[key]
        assert list(series.steps) == list(range(1, self.store.run(run_id).total_steps + 1))
        return list(series.values)

    def check_real(self, run_id: str, clean: Sequence[float], key: str = "train_mean_nll") -> None:
        """The run is whole, has the numbers of a run that nothing happened to, and holds all invariants."""
        assert self.view(run_id).status == "completed", self.log(run_id)
        assert self.series(run_id, key) == pytest.approx(clean, abs=1e-4)
        [final] = [c for c in self.view(run_id).checkpoints if c.reason == "final"]
        first_step = stage_plans(load_plan(self.root / run_id / "plan.yaml"))[-1].first_step
        assert self.adam_steps(final.state_path) == final.step - first_step
        report = verify(self.store, run_id, runs_root=self.root, remote=self.listed(run_id))
        assert report.ok, report.checks


@contextmanager
def real_lab(place: Path, *, options: Sequence[str] = ()) -> Generator[RealLab]:
    """An engine with a random model as the local backend of this process and its children."""
    (place / "state").mkdir(parents=True)
    script = place / "faults.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TCAO_STATE_DIR", str(place / "state"))
        patch.setenv("TCAO_CONFIG_DIR", str(place / "config"))
        engine = EngineProcess(
            place / "state" / "engine",
            model_dirs=[write_random_model(place / "random")],
            faults=script,
            options=options,
        )
        try:
            yield RealLab(place, engine, script)
        finally:
            engine.stop()
