"""How a process that must not load the SDK asks a server for something: JSON lines to and from a helper process.

The helper is `probes.backend`, who asks it is `services.backend_helper`. A line in is a `Request`, or a `Cancel` of
one; lines out are any number of `Part`s of a request, then one `Done`, `Failed` or, when the helper itself is at fault,
`Crashed`. What can be asked is a `Call`, each with the shape of its answers.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Shape(BaseModel):
    """What goes over the pipe: frozen, and with no keys but the known ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Shape):
    """The answer of a call that only does something."""


class Call[PartT: Shape, ResultT: Shape](Shape):
    """Something that can be asked of a server; its fields are the arguments.

    Attributes:
        name: What it is called in the registry of the helper, such as "checkpoints.list".
        part: Shape of what is told while it goes on.
        result: Shape of what it answers at its end.
    """

    name: ClassVar[str]
    part: ClassVar[type[Shape]]
    result: ClassVar[type[Shape]]


class Request(Shape):
    """Carry out a call; several may be under way at once."""

    kind: Literal["request"] = "request"
    id: int
    name: str
    arguments: JsonValue


class Cancel(Shape):
    """Give a request up; it ends with `Failed` and the exit code of an interruption."""

    kind: Literal["cancel"] = "cancel"
    id: int


type Asked = Annotated[Request | Cancel, Field(discriminator="kind")]


class Part(Shape):
    """Something of the answer, or how far it is."""

    kind: Literal["part"] = "part"
    id: int
    value: JsonValue


class Done(Shape):
    """The end of the answer."""

    kind: Literal["done"] = "done"
    id: int
    value: JsonValue


class Failed(Shape):
    """An error for a person, in the terms of `errors.TcaoError`; `unsupported`: the server offers no such thing."""

    kind: Literal["failed"] = "failed"
    id: int
    exit_code: int
    what: str
    where: str = ""
    next_step: str = ""
    unsupported: bool = False


class Crashed(Shape):
    """The helper is at fault; it says where, and nothing of what it was working on."""

    kind: Literal["crashed"] = "crashed"
    id: int
    what: str


type Answer = Annotated[Part | Done | Failed | Crashed, Field(discriminator="kind")]
