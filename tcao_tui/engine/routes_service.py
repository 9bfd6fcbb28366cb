"""Requests about the service and the client's sessions.

Out of scope: training (`routes_training.py`), sampling (`routes_sampling.py`), listings (`routes_listings.py`).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tcao_tui.engine.api_errors import ApiError
from tcao_tui.engine.context import Engine
from tcao_tui.engine.replies import read_body, read_json, text_field
from tcao_tui.engine.sessions import OWNER

FINISH_REASONS = ("success", "errored", "interrupted")


async def healthz(engine: Engine, request: Request) -> Response:
    """The engine answers; models may still be loading."""
    return JSONResponse({"status": "ok", "ready": engine.compute.is_ready})


async def client_config(engine: Engine, request: Request) -> Response:
    """Flags the SDK reads once."""
    return JSONResponse(engine.client_config)


async def client_dynamic_config(engine: Engine, request: Request) -> Response:
    """Flags the SDK reads again and again."""
    return JSONResponse({"refresh_interval_sec": 300, "sample_cancel_enabled": True})


async def get_server_capabilities(engine: Engine, request: Request) -> Response:
    """The models."""
    return JSONResponse(engine.catalogue.capabilities())


async def auth_apikey_me(engine: Engine, request: Request) -> Response:
    """Whose key this is; reaching this handler means that the key is right."""
    details = {"org_details": {"name": OWNER}, "user_details": {"email": f"{OWNER}@localhost"}}
    return JSONResponse({"key_id": 0, "name": "local engine", "note": "", "details": details})


async def telemetry(engine: Engine, request: Request) -> Response:
    """Accepted and dropped."""
    return JSONResponse({"status": "accepted", "estimated_bytes_count": len(await read_body(request))})


async def create_session(engine: Engine, request: Request) -> Response:
    """Open a session."""
    session_id = engine.sessions.create(await read_json(request))
    return JSONResponse({"type": "create_session", "session_id": session_id})


async def session_heartbeat(engine: Engine, request: Request) -> Response:
    """Keep a session open."""
    engine.sessions.heartbeat(text_field(await read_json(request), "session_id"))
    return JSONResponse({"type": "session_heartbeat"})


async def session_finish(engine: Engine, request: Request) -> Response:
    """Close a session for the client's reason."""
    body = await read_json(request)
    reason = (body.get("reason") or {}).get("type")
    if reason not in FINISH_REASONS:
        raise ApiError(400, f"reason.type must be one of {', '.join(FINISH_REASONS)}")
    session_id = request.path_params["session_id"]
    if engine.sessions.finish(session_id, reason, body.get("detail")):
        engine.end_session(session_id)
    return Response(status_code=204)
