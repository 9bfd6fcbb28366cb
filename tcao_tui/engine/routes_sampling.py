"""Requests that open samplers, ask for samples, and fetch results of any promise.

Out of scope: generation (`sampler.py`).
"""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tcao_tui.engine.api_errors import ApiError
from tcao_tui.engine.context import Engine
from tcao_tui.engine.futures import Promise
from tcao_tui.engine.replies import PromiseReply, read_body, read_json, text_field
from tcao_tui.engine.samplers import SamplerWeights

LONG_POLL_SECONDS = 20.0
"""How long a poll is held; the SDK gives up after 45 s."""

CLIENT_STRIDE = 1_000_000_000
"""Sequence numbers of the n-th client of a sampler start at n times this (SDK, `sampling_client.py`)."""


async def create_sampling_session(engine: Engine, request: Request) -> Response:
    """Open a sampler on a base model or a checkpoint."""
    body = await read_json(request)
    session_id = text_field(body, "session_id")
    engine.sessions.require_active(session_id)
    base_model, model_path = body.get("base_model"), body.get("model_path")
    if model_path is not None:
        engine.samplers.path_blob(model_path)
        base_model = engine.runs.get(model_path.removeprefix("tinker://").split("/")[0]).base_model
    elif base_model is None:
        raise ApiError(400, "either base_model or model_path is required")
    engine.catalogue.find(base_model)
    seq_id = int(body.get("sampling_session_seq_id", 0))
    sampler_id = engine.samplers.add(session_id, seq_id, base_model, model_path=model_path)
    return JSONResponse({"type": "create_sampling_session", "sampling_session_id": sampler_id})


async def join_sampling_session(engine: Engine, request: Request) -> Response:
    """Number one more client of a sampler."""
    sampler_id = text_field(await read_json(request), "sampling_session_id")
    engine.sessions.require_active(engine.samplers.session_of(sampler_id))
    return JSONResponse({"type": "join_sampling_session", "client_counter": engine.samplers.join(sampler_id)})


async def asample(engine: Engine, request: Request) -> Response:
    """Accept a sample request. The reply names its sequences, which the SDK insists on."""
    await engine.compute.ready()
    from tinker.types import SampleRequest

    from tcao_tui.engine.protocol import parse_model
    from tcao_tui.engine.sampler import SampleCall

    body = parse_model(SampleRequest, await read_body(request))
    session_id, sampler_id = "", body.sampling_session_id
    if sampler_id is not None:
        session_id = engine.samplers.session_of(sampler_id)
        engine.sessions.require_active(session_id)
        promise_id = f"{sampler_id}:{body.seq_id}"
        weights = engine.samplers.weights(sampler_id)
    else:
        promise_id = f"sample:{secrets.token_hex(8)}"
        weights = _named_weights(engine, body.base_model, body.model_path)
    sequence_ids = [f"{promise_id}:{number}" for number in range(body.num_samples)]
    promise = engine.promises.find(promise_id)
    if promise is None:
        promise = engine.promises.create(promise_id, session_id)
        seed = body.sampling_params.seed
        call = SampleCall(body, secrets.randbits(62) if seed is None else seed)
        engine.submit_sample(promise, weights.base_model, weights.blob, call)
        if sampler_id is not None and engine.client_config["sample_use_retrieve_futures"]:
            client, finished = (body.seq_id or 0) // CLIENT_STRIDE, promise
            promise.when_done.append(lambda: engine.promises.report_completion(sampler_id, client, finished))
    return PromiseReply(promise, sample_sequence_ids=sequence_ids)


def _named_weights(engine: Engine, base_model: str | None, model_path: str | None) -> SamplerWeights:
    if model_path is not None:
        blob = engine.samplers.path_blob(model_path)
        return SamplerWeights(engine.runs.get(model_path.removeprefix("tinker://").split("/")[0]).base_model, blob)
    if base_model is None:
        raise ApiError(400, "one of sampling_session_id, model_path and base_model is required")
    return SamplerWeights(engine.catalogue.find(base_model).name, None)


async def retrieve_future(engine: Engine, request: Request) -> Response:
    """The result of a promise, or 408 with the queue state after a while."""
    request_id = text_field(await read_json(request), "request_id")
    promise = await engine.promises.wait(request_id, LONG_POLL_SECONDS)
    if not promise.done.is_set():
        waiting = {"type": "try_again", "request_id": request_id, "queue_state": "active"}
        return JSONResponse(waiting, status_code=408)
    return _result(promise, wants_proto="protobuf" in request.headers.get("accept", ""))


def _result(promise: Promise, *, wants_proto: bool) -> Response:
    payload = promise.payload
    if payload is None:
        return JSONResponse({"error": promise.error, "category": promise.category})
    if payload.proto is None:
        return JSONResponse(payload.body)
    if wants_proto:
        return Response(payload.proto, media_type="application/x-protobuf")
    from tcao_tui.engine.protocol import payload_as_json

    return JSONResponse(payload_as_json(payload))


async def retrieve_futures(engine: Engine, request: Request) -> Response:
    """Which requests of one client of a sampler have finished since a cursor."""
    body = await read_json(request)
    target = body.get("target") or {}
    sampler_id = text_field(target, "sampling_session_id")
    engine.samplers.session_of(sampler_id)
    asked = body.get("timeout")
    seconds = LONG_POLL_SECONDS if asked is None else min(float(asked), LONG_POLL_SECONDS)
    client, cursor = int(target.get("cloned_sampler_id", 0)), int(body.get("prev_cursor", 0))
    return JSONResponse(await engine.promises.completions(sampler_id, client, cursor, seconds))


async def cancel_future(engine: Engine, request: Request) -> Response:
    """Drop a sample request that has not begun; one that has runs to its end unheard."""
    request_id = text_field(await read_json(request), "request_id")
    task = engine.sample_tasks.get(request_id)
    promise = engine.promises.find(request_id)
    if task is not None and promise is not None and engine.compute.withdraw(task):
        del engine.sample_tasks[request_id]
        engine.promises.fail(promise, "cancelled by the client", "user")
    return Response(status_code=204)
