"""The Starlette application: routes, the key, scripted faults, and errors in the SDK's form.

Out of scope: what the requests do (`routes_*.py`), listening (`__main__.py`).
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable, Collection

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tcao_tui.engine import routes_listings, routes_sampling, routes_service, routes_training
from tcao_tui.engine.api_errors import ApiError
from tcao_tui.engine.context import Engine
from tcao_tui.engine.fault_actions import FaultActions

logger = logging.getLogger(__name__)

Handler = Callable[[Engine, Request], Awaitable[Response]]

CHECKPOINT = "training_runs/{run_id}/checkpoints/{kind}/{name}"

TRAINING = [
    "create_model",
    "load_weights",
    "unload_model",
    "get_info",
    "forward",
    "forward_backward",
    "optim_step",
    "save_weights",
    "save_weights_for_sampler",
    "save_weights_external",
]
SAMPLING = [
    "create_sampling_session",
    "join_sampling_session",
    "asample",
    "retrieve_future",
    "retrieve_futures",
    "cancel_future",
]
SERVICE = ["create_session", "session_heartbeat", "telemetry"]

OTHER_ROUTES: tuple[tuple[str, str, str, Handler], ...] = (
    ("GET", "healthz", "healthz", routes_service.healthz),
    ("POST", "client/config", "client_config", routes_service.client_config),
    ("POST", "client/dynamic_config", "client_dynamic_config", routes_service.client_dynamic_config),
    ("GET", "get_server_capabilities", "get_server_capabilities", routes_service.get_server_capabilities),
    ("GET", "auth/apikey/me", "auth_apikey_me", routes_service.auth_apikey_me),
    ("POST", "sessions/{session_id}/finish", "session_finish", routes_service.session_finish),
    ("GET", "training_runs", "training_runs", routes_listings.training_runs),
    ("GET", "training_runs/{run_id}", "training_run", routes_listings.training_run),
    ("GET", "training_runs/{run_id}/checkpoints", "checkpoints", routes_listings.checkpoints),
    ("GET", "checkpoints", "user_checkpoints", routes_listings.user_checkpoints),
    ("DELETE", CHECKPOINT, "checkpoint_delete", routes_listings.checkpoint_delete),
    ("POST", f"{CHECKPOINT}/publish", "checkpoint_publish", routes_listings.checkpoint_publish),
    ("DELETE", f"{CHECKPOINT}/publish", "checkpoint_unpublish", routes_listings.checkpoint_unpublish),
    ("PUT", f"{CHECKPOINT}/ttl", "checkpoint_ttl", routes_listings.checkpoint_ttl),
    ("GET", f"{CHECKPOINT}/external_weights_urls", "external_weights_urls", routes_listings.external_weights_urls),
    ("GET", "download/{blob}/{name}", "download", routes_listings.download),
    ("POST", "weights_info", "weights_info", routes_listings.weights_info),
    ("GET", "sessions", "sessions", routes_listings.sessions),
    ("POST", "sessions/search", "session_search", routes_listings.session_search),
    ("GET", "sessions/{session_id}", "session", routes_listings.session),
    ("PUT", "sessions/{session_id}/project", "session_project", routes_listings.session_project),
    ("GET", "samplers/{sampler_id}", "sampler", routes_listings.sampler),
)
"""Method, path under /api/v1/, verb of fault scripts, handler."""

FEATURES: dict[str, tuple[str, ...]] = {
    "listing": ("user_checkpoints",),
    "runs": ("training_runs", "training_run", "checkpoints"),
    "info": ("weights_info",),
    "ttl": ("checkpoint_ttl",),
    "publish": ("checkpoint_publish", "checkpoint_unpublish"),
    "delete": ("checkpoint_delete",),
    "download": ("save_weights_external", "external_weights_urls", "download"),
    "sessions": ("sessions", "session", "session_search", "session_project"),
}
"""What an engine can be started without, as other servers lack it, with the verbs that then have no address."""

WITHOUT_KEY = {"healthz", "download"}
"""Liveness says nothing about anyone; a download link carries its own signature."""


def build_app(engine: Engine, actions: FaultActions, without: Collection[str] = ()) -> Starlette:
    """The application over one engine.

    Args:
        engine: Its parts.
        actions: Carries out scripted faults.
        without: Names of `FEATURES` that it shall not have.
    """
    lacking = {verb for feature in without for verb in FEATURES[feature]}
    posts = [
        *(("POST", verb, verb, getattr(routes_training, verb)) for verb in TRAINING),
        *(("POST", verb, verb, getattr(routes_sampling, verb)) for verb in SAMPLING),
        *(("POST", verb, verb, getattr(routes_service, verb)) for verb in SERVICE),
    ]
    routes = [
        Route(f"/api/v1/{path}", _endpoint(engine, actions, verb, handler), methods=[method])
        for method, path, verb, handler in (*posts, *OTHER_ROUTES)
        if verb not in lacking
    ]
    return Starlette(routes=routes, exception_handlers={404: _no_route, 405: _no_method})


def _endpoint(
    engine: Engine, actions: FaultActions, verb: str, handler: Handler
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            if verb not in WITHOUT_KEY:
                _check_key(engine.key, request)
            return await handler(engine, request)
        except ApiError as error:
            return JSONResponse({"detail": error.detail}, status_code=error.status)
        except Exception:
            logger.exception("%s failed", verb)
            return JSONResponse({"detail": "the engine failed; see its log"}, status_code=500)

    async def endpoint(request: Request) -> Response:
        return await actions.around(verb, request, lambda: answer(request))

    return endpoint


def _check_key(key: str, request: Request) -> None:
    """Accept the key in `X-API-Key` (as the SDK sends it) or as a bearer token.

    Raises:
        ApiError: 401, it is missing or wrong.
    """
    given = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), key.encode()):
        raise ApiError(401, "the key is missing or wrong; it is in the file `key` of the engine's state directory")


async def _no_method(request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": f"{request.url.path} does not take {request.method}"}, status_code=405)


async def _no_route(request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": f"the local engine has no {request.method} {request.url.path}"}, status_code=404)
