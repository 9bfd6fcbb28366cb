"""What measures, as fakes that hand out known facts and remember what they were asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tcao_tui.domain.capabilities import Capabilities, ModelInfo
from tcao_tui.domain.code_hash import CodeHash
from tcao_tui.domain.data_profile import DataProfile, FieldMap, Overlap
from tcao_tui.domain.facts import Facts
from tcao_tui.errors import PlanInvalid, TcaoError
from tcao_tui.services.backends import Profile, resolve_profile
from tcao_tui.services.facts import Sources
from tcao_tui.settings import Settings
from tests.fakes import known_facts as known

LOCAL = resolve_profile(Settings(), "local", {})


@dataclass
class Measured:
    """Sources of known facts.

    Attributes:
        away: Raised when the server is asked.
        asked: What was asked for, in order.
    """

    facts: Facts = field(default_factory=known.facts)
    away: TcaoError | None = None
    asked: list[str] = field(default_factory=list[str])

    def sources(self) -> Sources:
        """As the services take them."""
        graders, methods = self.facts.graders, self.facts.methods
        return Sources(self.inspect, self.overlap, self.capabilities, self.code, lambda: [*graders], lambda: [*methods])

    def inspect(
        self,
        path: Path,
        *,
        fields: FieldMap | None = None,
        model: ModelInfo | None = None,
        renderer: str | None = None,
        max_seq_len: int = 4096,
        on_progress: Any = None,
    ) -> DataProfile:
        """The known profile; without a model it has no tokens. Raises `PlanInvalid` for a file that is not known."""
        self.asked.append(f"inspect {path.name}{f' by {model.name}' if model else ''}")
        profile = self.facts.profile(path)
        if profile is None:
            raise PlanInvalid("cannot be read: No such file or directory", where=str(path))
        return profile if model is not None else profile.model_copy(update={"tokens": None})

    def overlap(
        self,
        left: Path,
        right: Path,
        *,
        left_fields: FieldMap | None = None,
        right_fields: FieldMap | None = None,
        on_progress: Any = None,
    ) -> Overlap:
        """The known overlap."""
        self.asked.append(f"compare {left.name} {right.name}")
        return next(o for o in self.facts.overlaps if (o.left, o.right) == (left, right))

    def code(self, module: str) -> CodeHash:
        """The known code. Raises `PlanInvalid` for a module that is not known."""
        self.asked.append(f"code of {module}")
        if not (found := self.facts.code_hash(module)):
            raise PlanInvalid(f"there is no module {module}", where=module)
        return CodeHash(module=module, sha256=found)

    def capabilities(self, profile: Profile) -> Capabilities:
        """The known server, or the reason why it is away."""
        self.asked.append(f"models of {profile.name}")
        if self.away is not None:
            raise self.away
        assert self.facts.capabilities is not None
        return self.facts.capabilities


def free_facts(**changes: Any) -> Facts:
    """Everything measured on a server that costs nothing."""
    return known.facts(capabilities=known.capabilities(known.model(price=known.FREE), is_free=True), **changes)
