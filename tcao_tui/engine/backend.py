"""What the compute thread owns: the loaded models, the runs in memory, and the work that requests ask for.

Importing this module loads torch, transformers, PEFT and the SDK; the server answers cheap requests meanwhile.
Out of scope: order and hand-over between threads (`compute.py`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tinker.types import AdamParams

from tcao_tui.engine import sampler
from tcao_tui.engine.api_errors import WorkFailed
from tcao_tui.engine.catalogue import Catalogue
from tcao_tui.engine.encryption import encrypt_folder
from tcao_tui.engine.futures import Payload
from tcao_tui.engine.losses import check_loss
from tcao_tui.engine.models import Adapter, LoadedModel
from tcao_tui.engine.protocol import ForwardCall, forward_payload, sample_payload
from tcao_tui.engine.runs import LoraSpec, Run
from tcao_tui.engine.storage import BlobStore
from tcao_tui.engine.trainer import TrainingModel

logger = logging.getLogger(__name__)


class Backend:
    """Models and runs in memory.

    Args:
        catalogue: What may be loaded. The first model is loaded at once.
        blobs: Where weights are written and read.
        threads: Threads that torch uses, None for its own choice.
    """

    def __init__(self, catalogue: Catalogue, blobs: BlobStore, threads: int | None) -> None:
        self._threads = threads
        self._catalogue = catalogue
        self._blobs = blobs
        self._models: dict[str, LoadedModel] = {}
        self._runs: dict[str, TrainingModel] = {}
        first = catalogue.first()
        if first is not None:
            self._model(first.name)

    def _model(self, name: str) -> LoadedModel:
        if name not in self._models:
            source = self._catalogue.find(name)
            logger.info("loading %s from %s", name, source.directory)
            self._models[name] = LoadedModel(source, self._threads)
        return self._models[name]

    def _run(self, run_id: str) -> TrainingModel:
        if run_id not in self._runs:
            raise WorkFailed(f"model {run_id} is not in memory")
        return self._runs[run_id]

    def create(self, run: Run, blob: str | None = None, *, optimizer: bool = False) -> None:
        """Put a run into memory, from its seed or from a checkpoint's blob.

        Raises:
            WorkFailed: The base model or the checkpoint does not fit.
        """
        self.unload(run.id)
        model = self._model(run.base_model)
        training = TrainingModel(run, model, model.take_adapter(run.lora))
        try:
            if blob is not None:
                training.load(self._blobs.path(blob), optimizer=optimizer)
        except (WorkFailed, OSError):
            model.return_adapter(training.adapter)
            raise
        self._runs[run.id] = training

    def load(self, run_id: str, blob: str, *, optimizer: bool) -> None:
        """Replace the weights of a run in memory by a checkpoint's."""
        self._run(run_id).load(self._blobs.path(blob), optimizer=optimizer)

    def unload(self, run_id: str) -> None:
        """Forget a run; unknown ones are ignored."""
        if (training := self._runs.pop(run_id, None)) is not None:
            training.model.return_adapter(training.adapter)

    def forward(self, call: ForwardCall) -> Payload:
        """Carry out a forward or forward_backward request.

        Raises:
            WorkFailed: Its data is malformed.
        """
        check_loss(call.loss_fn, call.config)
        result = self._run(call.model_id).forward(call.data, call.loss_fn, call.config, backward=not call.forward_only)
        return forward_payload(result.logprobs, {"loss:sum": result.loss_sum})

    def optim_step(self, run_id: str, params: AdamParams) -> dict[str, float]:
        """Step a run's optimiser and return its metrics."""
        return self._run(run_id).optim_step(params)

    def save(self, run_id: str, *, optimizer: bool, recipients: Sequence[Any] = ()) -> tuple[str, int]:
        """Write a run's weights as a durable blob in PEFT's layout.

        Args:
            run_id: The run.
            optimizer: Add Adam's state.
            recipients: Encrypt all files to these age recipients.

        Returns:
            The blob's id and its size in bytes.
        """
        training = self._run(run_id)

        def fill(folder: Path) -> None:
            training.adapter.save(folder / "adapter_model.safetensors")
            training.model.lora_config(training.run.lora).save_pretrained(str(folder))
            (folder / "lora.json").write_text(json.dumps(asdict(training.run.lora)))
            if optimizer:
                training.save_optimizer(folder / "optimizer.safetensors")
            if recipients:
                encrypt_folder(folder, recipients)

        return self._blobs.write(fill)

    def sample(
        self, base_model: str, blob: str | None, calls: Sequence[sampler.SampleCall]
    ) -> list[Payload | WorkFailed]:
        """Answer sample requests for the same weights together.

        Args:
            base_model: The model.
            blob: Weights on top of it, or None for the bare model.
            calls: The requests, in order.

        Returns:
            One payload, or one failure, per request.
        """
        model = self._model(base_model)
        adapter: Adapter | None = None
        if blob is not None:
            folder = self._blobs.path(blob)
            spec = LoraSpec(**json.loads((folder / "lora.json").read_text()))
            adapter = model.sampler_adapter(blob, spec, folder / "adapter_model.safetensors")
        answers = sampler.answer(model, adapter, calls)
        return [answer if isinstance(answer, WorkFailed) else sample_payload(answer) for answer in answers]
