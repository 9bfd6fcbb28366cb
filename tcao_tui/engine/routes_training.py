"""Requests that create, train and save runs. Each is answered with a promise.

Out of scope: the computing (`backend.py`), the order of a run's requests (`context.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tcao_tui.engine.api_errors import ApiError
from tcao_tui.engine.checkpoints import CheckpointPath, checked_name, checked_ttl, parse_path
from tcao_tui.engine.context import Commit, Engine
from tcao_tui.engine.futures import Payload
from tcao_tui.engine.replies import PromiseReply, read_body, read_json, text_field
from tcao_tui.engine.runs import LoraSpec, Run

if TYPE_CHECKING:
    from tinker.types import SaveWeightsForSamplerRequest

    from tcao_tui.engine.backend import Backend

MAX_RANK = 1024
"""A rank beyond this is a mistake for any model that fits on a desk."""

type Work = Callable[[Backend], Any]


async def create_model(engine: Engine, request: Request) -> Response:
    """Put a fresh LoRA run into memory."""
    await engine.compute.ready()
    from tinker.types import CreateModelRequest

    from tcao_tui.engine.protocol import parse_model

    body = parse_model(CreateModelRequest, await read_body(request))
    engine.sessions.require_active(body.session_id)
    engine.catalogue.find(body.base_model)
    if body.lora_config is None or not 1 <= body.lora_config.rank <= MAX_RANK:
        raise ApiError(400, f"lora_config with a rank between 1 and {MAX_RANK} is required")
    if body.optimizer_config.type != "adamw":
        raise ApiError(400, f"optimizer {body.optimizer_config.type!r} is not offered by the local engine; use adamw")
    lora = LoraSpec(**body.lora_config.model_dump())
    run = Run(f"{body.session_id}:train:{body.model_seq_id}", body.session_id, body.base_model, lora)

    def commit(outcome: None) -> Payload:
        engine.runs.add(run, body.user_metadata)
        return Payload({"model_id": run.id, "type": "create_model"})

    return PromiseReply(engine.submit_creation(run, lambda backend: backend.create(run), commit), model_id=run.id)


async def load_weights(engine: Engine, request: Request) -> Response:
    """Put a checkpoint into memory, as a new run of a session or (legacy) into a run's sequence."""
    await engine.compute.ready()
    from tinker.types import LoadWeightsRequest

    from tcao_tui.engine.protocol import parse_model

    body = parse_model(LoadWeightsRequest, await read_body(request))
    path = parse_path(body.path)
    if path.kind != "weights":
        raise ApiError(400, f"{path} is not a training checkpoint (weights/); it cannot be trained further")
    if body.session_id is None:
        return _load_into(engine, body.model_id or "", body.seq_id, path, body.optimizer)
    if body.model_seq_id is None:
        raise ApiError(400, "session_id needs model_seq_id")
    engine.sessions.require_active(body.session_id)
    blob = engine.checkpoints.row(path)["blob"]
    source = engine.runs.get(path.run_id)
    base_model = body.base_model or source.base_model
    engine.catalogue.find(base_model)
    run = Run(f"{body.session_id}:train:{body.model_seq_id}", body.session_id, base_model, source.lora)

    def commit(outcome: None) -> Payload:
        engine.runs.add(run, body.user_metadata)
        return Payload({"path": str(path), "model_id": run.id, "type": "load_weights"})

    def work(backend: Backend) -> None:
        backend.create(run, blob, optimizer=body.optimizer)

    return PromiseReply(engine.submit_creation(run, work, commit), model_id=run.id)


def _load_into(engine: Engine, run_id: str, seq_id: int | None, path: CheckpointPath, optimizer: bool) -> Response:
    def prepare(run: Run) -> tuple[Work, Commit]:
        blob = engine.checkpoints.row(path)["blob"]
        payload = Payload({"path": str(path), "model_id": run.id, "type": "load_weights"})
        return lambda backend: backend.load(run.id, blob, optimizer=optimizer), lambda outcome: payload

    return PromiseReply(engine.submit_training(run_id, seq_id, prepare), model_id=run_id)


async def unload_model(engine: Engine, request: Request) -> Response:
    """Take a run out of memory."""
    run_id = text_field(await read_json(request), "model_id")
    run = engine.runs.get(run_id)
    engine.lanes.pop(run_id, None)
    payload = Payload({"model_id": run_id, "type": "unload_model"})
    promise = engine.promises.create(f"{run_id}:unload", run.session_id)
    await engine.compute.ready()
    engine.submit_task(promise, lambda backend: backend.unload(run_id), lambda outcome: payload)
    return PromiseReply(promise, model_id=run_id)


async def get_info(engine: Engine, request: Request) -> Response:
    """What a run trains; `tokenizer_id` is the model's folder, which the SDK loads the tokenizer from."""
    run = engine.runs.get(text_field(await read_json(request), "model_id"))
    source = engine.catalogue.find(run.base_model)
    return JSONResponse(
        {
            "type": "get_info",
            "model_id": run.id,
            "model_name": run.base_model,
            "is_lora": True,
            "lora_rank": run.lora.rank,
            "model_data": {
                "arch": source.architecture,
                "model_name": source.name,
                "tokenizer_id": str(source.directory),
            },
        }
    )


async def forward(engine: Engine, request: Request) -> Response:
    """Logprobs and loss without gradients (the JSON form of old clients)."""
    return await _forward(engine, request, forward_only=True)


async def forward_backward(engine: Engine, request: Request) -> Response:
    """Logprobs, loss and gradients; the SDK asks for logprobs alone by a flag in the protobuf body."""
    return await _forward(engine, request, forward_only=False)


async def _forward(engine: Engine, request: Request, *, forward_only: bool) -> Response:
    await engine.compute.ready()
    from tcao_tui.engine.losses import check_loss
    from tcao_tui.engine.protocol import parse_forward, parse_forward_json

    if "protobuf" in request.headers.get("content-type", ""):
        call = parse_forward(await read_body(request))
    else:
        call = parse_forward_json(await read_json(request), forward_only)

    def prepare(run: Run) -> tuple[Work, Commit]:
        check_loss(call.loss_fn, call.config)
        return lambda backend: backend.forward(call), lambda payload: payload

    return PromiseReply(engine.submit_training(call.model_id, call.seq_id, prepare), model_id=call.model_id)


async def optim_step(engine: Engine, request: Request) -> Response:
    """One Adam step on the gradients gathered since the last one."""
    await engine.compute.ready()
    from tinker.types import AdamParams, OptimStepRequest

    from tcao_tui.engine.protocol import parse_model

    body = parse_model(OptimStepRequest, await read_body(request))
    params = body.optim_params

    def prepare(run: Run) -> tuple[Work, Commit]:
        if not isinstance(params, AdamParams):
            raise ApiError(400, "only Adam is offered by the local engine")
        adam = params
        return lambda backend: backend.optim_step(run.id, adam), lambda metrics: Payload({"metrics": metrics})

    return PromiseReply(engine.submit_training(body.model_id, body.seq_id, prepare), model_id=body.model_id)


async def save_weights(engine: Engine, request: Request) -> Response:
    """Save a training checkpoint: weights and Adam state."""
    await engine.compute.ready()
    from tinker.types import SaveWeightsRequest

    from tcao_tui.engine.protocol import parse_model

    body = parse_model(SaveWeightsRequest, await read_body(request))

    def prepare(run: Run) -> tuple[Work, Commit]:
        path = CheckpointPath(run.id, "weights", checked_name(body.path))
        commit = _naming(engine, path, body.ttl_seconds, body.user_metadata, overwrite=body.overwrite)
        payload = Payload({"path": str(path), "type": "save_weights"})
        work = _releasing(engine, path, lambda backend: backend.save(run.id, optimizer=True))
        return work, lambda saved: commit(saved, payload)

    return PromiseReply(engine.submit_training(body.model_id, body.seq_id, prepare), model_id=body.model_id)


async def save_weights_for_sampler(engine: Engine, request: Request) -> Response:
    """Save weights to sample from: under a name, or only for one sampler of the session."""
    await engine.compute.ready()
    from tinker.types import SaveWeightsForSamplerRequest

    from tcao_tui.engine.protocol import parse_model

    body = parse_model(SaveWeightsForSamplerRequest, await read_body(request))

    def prepare(run: Run) -> tuple[Work, Commit]:
        def work(backend: Backend) -> tuple[str, int]:
            return backend.save(run.id, optimizer=False)

        if body.path is None:
            return work, _ephemeral(engine, run, body)
        path = CheckpointPath(run.id, "sampler_weights", checked_name(body.path))
        commit = _naming(engine, path, body.ttl_seconds, body.user_metadata)
        payload = Payload({"path": str(path), "type": "save_weights_for_sampler"})
        return _releasing(engine, path, work), lambda saved: commit(saved, payload)

    return PromiseReply(engine.submit_training(body.model_id, body.seq_id, prepare), model_id=body.model_id)


def _ephemeral(engine: Engine, run: Run, body: SaveWeightsForSamplerRequest) -> Commit:
    seq_id = body.sampling_session_seq_id
    if seq_id is None:
        raise ApiError(400, "either path or sampling_session_seq_id is required")

    def commit(saved: tuple[str, int]) -> Payload:
        blob, _ = saved
        if body.kind == "inflight":
            engine.samplers.publish_inflight(run.id, blob)
            sampler = engine.samplers.add(run.session_id, seq_id, run.base_model, inflight_run=run.id)
            engine.discard_unused_blobs()
        else:
            sampler = engine.samplers.add(run.session_id, seq_id, run.base_model, blob=blob)
        return Payload({"sampling_session_id": sampler, "type": "save_weights_for_sampler"})

    return commit


async def save_weights_external(engine: Engine, request: Request) -> Response:
    """Save weights for download as a PEFT adapter, encrypted if recipients are given."""
    await engine.compute.ready()
    from tinker.types import SaveWeightsExternalRequest

    from tcao_tui.engine.encryption import parse_recipients
    from tcao_tui.engine.protocol import parse_model

    body = parse_model(SaveWeightsExternalRequest, await read_body(request))

    def prepare(run: Run) -> tuple[Work, Commit]:
        path = CheckpointPath(run.id, "external_weights", checked_name(body.path))
        recipients = parse_recipients(body.age_encryption_recipients or [])
        commit = _naming(engine, path, body.ttl_seconds, None)
        payload = {"path": str(path), "type": "save_weights_external"}
        return (
            _releasing(engine, path, lambda backend: backend.save(run.id, optimizer=False, recipients=recipients)),
            lambda saved: commit(saved, Payload({**payload, "size_bytes": saved[1]})),
        )

    return PromiseReply(engine.submit_training(body.model_id, body.seq_id, prepare), model_id=body.model_id)


def _releasing(engine: Engine, path: CheckpointPath, save: Work) -> Work:
    """The same work, which gives a reserved name back when it fails (a full disk, say)."""

    def work(backend: Backend) -> tuple[str, int]:
        try:
            return save(backend)
        except BaseException:
            engine.reserved.discard(path)
            raise

    return work


def _naming(
    engine: Engine,
    path: CheckpointPath,
    ttl_seconds: int | None,
    user_metadata: dict[str, str] | None,
    *,
    overwrite: bool = False,
) -> Callable[[tuple[str, int], Payload], Payload]:
    """Reserve a name now, and get what gives it to the saved blob later.

    Raises:
        ApiError: 409, the name is taken; 400, the time to live is out of bounds.
    """
    checked_ttl(ttl_seconds)
    if not overwrite and (path in engine.reserved or engine.checkpoints.exists(path)):
        raise ApiError(409, f"there is already a checkpoint {path}")
    engine.reserved.add(path)

    def commit(saved: tuple[str, int], payload: Payload) -> Payload:
        blob, size_bytes = saved
        old = [engine.checkpoints.row(path)["blob"]] if engine.checkpoints.exists(path) else []
        engine.checkpoints.add(path, blob, size_bytes, ttl_seconds=ttl_seconds, user_metadata=user_metadata)
        engine.reserved.discard(path)
        if old:
            engine.discard_unused_blobs(*old)
        return payload

    return commit
