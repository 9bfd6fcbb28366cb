"""`probes.backend` with calls of our own and no server: what the helper process does with lines, whatever they ask."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from pydantic import JsonValue

from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.errors import CredentialsError
from tcao_tui.probes.backend import answered
from tcao_tui.probes.serving import Handler, Tell, serve
from tcao_tui.registry import Registry
from tests.fakes.echo_calls import Echo, Said


async def echo(server: NoServer, arguments: JsonValue, tell: Tell) -> Said:
    """Say each word, wait for ever, die, break or fail, as asked."""
    asked = Echo.model_validate(arguments)
    for word in asked.words:
        match word:
            case "wait":
                tell(Said(word="waiting"))
                await asyncio.Event().wait()
            case "die":
                os._exit(3)
            case "break":
                raise ValueError("secret")
            case "refuse":
                raise CredentialsError("the key was refused", next_step="tcao doctor")
            case "miss":
                raise Unsupported("no such thing here")
            case _:
                tell(Said(word=word))
    return Said(word=str(len(asked.words)))


class NoServer:
    """In place of `Server`; notes its end in a file."""

    async def close(self) -> None:
        if len(sys.argv) > 1:
            Path(sys.argv[1]).write_text("closed", encoding="utf-8")


if __name__ == "__main__":
    calls: Registry[Handler[NoServer]] = Registry("tests.calls", {"echo": "tests.fakes.echo_backend:echo"})
    asyncio.run(serve(NoServer(), sys.stdin.buffer, sys.stdout.buffer, calls, answered))
