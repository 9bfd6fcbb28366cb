"""What tools found out, as far as the interview knows it; policy and checks are pure functions of draft and facts."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tcao_tui.domain.capabilities import Capabilities, ModelInfo
from tcao_tui.domain.code_hash import CodeHash
from tcao_tui.domain.data_profile import DataProfile, Overlap, Split

type Fact = DataProfile | Overlap | Split | Capabilities | CodeHash


class Facts(BaseModel):
    """Measurements; a newer one of the same thing replaces the older one.

    Attributes:
        profiles: Inspected files, the newest of each path and way of reading it; stages may read a file differently.
        capabilities: The server's models, None until asked.
        graders: Names of the layer-3 graders that are installed.
        methods: Names of the training methods that a worker can carry out today; others stop at the approved plan.
        code: Modules of one's own that were found.
        missing: Why something cannot be measured: by path for a file that cannot be read, by name for a module that
            cannot be found, "capabilities" for a server that is away.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    profiles: tuple[DataProfile, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    splits: tuple[Split, ...] = ()
    capabilities: Capabilities | None = None
    graders: tuple[str, ...] = ("exact",)
    methods: tuple[str, ...] = ("sft",)
    code: tuple[CodeHash, ...] = ()
    missing: dict[str, str] = {}

    def profile(self, path: Path | str | None) -> DataProfile | None:
        """What was learned last of a file."""
        return next(iter(self.profiles_of(path)), None)

    def profiles_of(self, path: Path | str | None) -> tuple[DataProfile, ...]:
        """All that is known of a file's present content, the newest first."""
        wanted = None if path is None else Path(path)
        return tuple(p for p in reversed(self.profiles) if p.path == wanted)

    def model(self, name: str | None) -> ModelInfo | None:
        """What is known of a model."""
        return None if self.capabilities is None or name is None else self.capabilities.model(name)

    def code_hash(self, module: str) -> str:
        """SHA-256 of a module's code; empty when it was not looked for, or not found."""
        return next((code.sha256 for code in self.code if code.module == module), "")

    def with_fact(self, fact: Fact) -> Facts:
        """These facts with one more."""
        match fact:
            case DataProfile():
                kept = tuple(p for p in self.profiles if p.path != fact.path or _is_beside(p, fact))
                return self.model_copy(update={"profiles": (*kept, fact)})
            case Overlap():
                same = (fact.left, fact.right)
                others = tuple(o for o in self.overlaps if (o.left, o.right) != same)
                return self.model_copy(update={"overlaps": (*others, fact)})
            case Split():
                rest = tuple(s for s in self.splits if s.source != fact.source)
                return self.model_copy(update={"splits": (*rest, fact)})
            case Capabilities():
                return self.model_copy(update={"capabilities": fact})
            case CodeHash():
                other = tuple(code for code in self.code if code.module != fact.module)
                return self.model_copy(update={"code": (*other, fact)})


def _is_beside(known: DataProfile, newer: DataProfile) -> bool:
    """Whether two profiles of a file are of the same content, read differently."""
    return known.sha256 == newer.sha256 and known.fields != newer.fields
