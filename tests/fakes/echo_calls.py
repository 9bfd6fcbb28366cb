"""A call without a server, and its shapes."""

from __future__ import annotations

from tcao_tui.clients.backend_calls import Call, Shape


class Said(Shape):
    word: str


class Echo(Call[Said, Said]):
    name = "echo"
    part = Said
    result = Said
    words: tuple[str, ...]
