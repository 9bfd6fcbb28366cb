"""Reading and managing what the engine keeps: training runs, checkpoints, sessions, samplers, downloads.

Answered from the database alone, before the models are loaded. Out of scope: making any of it.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from tcao_tui.engine.api_errors import ApiError
from tcao_tui.engine.checkpoints import CheckpointPath, checked_ttl, parse_path
from tcao_tui.engine.context import Engine
from tcao_tui.engine.replies import page_of, read_json, text_field


def _path(request: Request) -> CheckpointPath:
    parts = request.path_params
    return parse_path(f"tinker://{parts['run_id']}/{parts['kind']}/{parts['name']}")


async def training_runs(engine: Engine, request: Request) -> Response:
    """One page of runs, last used first."""
    return JSONResponse(engine.runs.page(*page_of(request, 20)))


async def training_run(engine: Engine, request: Request) -> Response:
    """One run."""
    return JSONResponse(engine.runs.describe(request.path_params["run_id"]))


async def checkpoints(engine: Engine, request: Request) -> Response:
    """All checkpoints of a run."""
    run = engine.runs.get(request.path_params["run_id"])
    return JSONResponse({"checkpoints": engine.checkpoints.of_run(run.id)})


async def user_checkpoints(engine: Engine, request: Request) -> Response:
    """One page of all checkpoints, newest first."""
    return JSONResponse(engine.checkpoints.page(*page_of(request, 100)))


async def checkpoint_delete(engine: Engine, request: Request) -> Response:
    """Remove a checkpoint and its files."""
    engine.discard_unused_blobs(engine.checkpoints.delete(_path(request)))
    return Response(status_code=204)


async def checkpoint_publish(engine: Engine, request: Request) -> Response:
    """Mark as public; on a local engine that is a mark only."""
    engine.checkpoints.set_public(_path(request), True)
    return Response(status_code=204)


async def checkpoint_unpublish(engine: Engine, request: Request) -> Response:
    """Remove the public mark."""
    engine.checkpoints.set_public(_path(request), False)
    return Response(status_code=204)


async def checkpoint_ttl(engine: Engine, request: Request) -> Response:
    """Set or remove the time to live."""
    ttl_seconds = (await read_json(request)).get("ttl_seconds")
    if ttl_seconds is not None and not isinstance(ttl_seconds, int):
        raise ApiError(400, "ttl_seconds must be a whole number or null")
    engine.checkpoints.set_ttl(_path(request), checked_ttl(ttl_seconds))
    return Response(status_code=204)


async def external_weights_urls(engine: Engine, request: Request) -> Response:
    """Links to the files of external weights."""
    path = _path(request)
    if path.kind != "external_weights":
        raise ApiError(400, f"{path} is not an external checkpoint; only those can be downloaded")
    blob = engine.checkpoints.row(path)["blob"]
    return JSONResponse(engine.downloads.links(blob, str(request.base_url).rstrip("/")))


async def download(engine: Engine, request: Request) -> Response:
    """One file of external weights; the link itself is the permission."""
    query = request.query_params
    parts = request.path_params
    path = engine.downloads.file(parts["blob"], parts["name"], query.get("expires", ""), query.get("signature", ""))
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


async def weights_info(engine: Engine, request: Request) -> Response:
    """What a checkpoint was trained from."""
    path = parse_path(text_field(await read_json(request), "tinker_path"))
    engine.checkpoints.row(path)
    run = engine.runs.get(path.run_id)
    return JSONResponse(
        {
            "base_model": run.base_model,
            "is_lora": True,
            "lora_rank": run.lora.rank,
            "train_unembed": run.lora.train_unembed,
            "train_mlp": run.lora.train_mlp,
            "train_attn": run.lora.train_attn,
        }
    )


async def sessions(engine: Engine, request: Request) -> Response:
    """Session ids, newest first."""
    return JSONResponse({"sessions": engine.sessions.ids(*page_of(request, 20))})


async def session(engine: Engine, request: Request) -> Response:
    """One session."""
    return JSONResponse(engine.sessions.describe(request.path_params["session_id"]))


async def session_search(engine: Engine, request: Request) -> Response:
    """One page of sessions that match a query."""
    return JSONResponse(engine.sessions.search(await read_json(request)))


async def session_project(engine: Engine, request: Request) -> Response:
    """Put a session into a project."""
    project_id = text_field(await read_json(request), "project_id")
    engine.sessions.assign_project(request.path_params["session_id"], project_id)
    return Response(status_code=204)


async def sampler(engine: Engine, request: Request) -> Response:
    """One sampler."""
    return JSONResponse(engine.samplers.describe(request.path_params["sampler_id"]))
