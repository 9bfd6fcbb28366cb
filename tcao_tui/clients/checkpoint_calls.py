"""What is asked of a server about checkpoints, through the helper process; the handlers are `probes.checkpoints`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tcao_tui.clients.backend_calls import Call, Nothing, Shape
from tcao_tui.domain.checkpoint_listing import ServerCheckpoint, TrainingRun


class CheckpointPage(Shape):
    """Some checkpoints, or some training runs, in the server's order; `total` is how many checkpoints there are."""

    checkpoints: tuple[ServerCheckpoint, ...] = ()
    training_runs: tuple[TrainingRun, ...] = ()
    total: int | None = None


class ListingEnd(Shape):
    """The listing is complete; `by_runs` says that the server lists by training run only, not all at once."""

    by_runs: bool = False


class ListCheckpoints(Call[CheckpointPage, ListingEnd]):
    """All checkpoints of the user, the first page as soon as it is there; of one training run if it is named."""

    name = "checkpoints.list"
    part = CheckpointPage
    result = ListingEnd
    training_run: str | None = None


class WeightsInfo(Shape):
    """What the server knows of weights; None is what it does not tell.

    Attributes:
        console_url: Page of the checkpoint in Tinker's web console; empty where there is none.
    """

    base_model: str | None = None
    is_lora: bool | None = None
    lora_rank: int | None = None
    train_mlp: bool | None = None
    train_attn: bool | None = None
    train_unembed: bool | None = None
    console_url: str = ""


class DescribeCheckpoint(Call[Nothing, WeightsInfo]):
    """What one checkpoint was trained from; fails with exit code 7 when it is gone."""

    name = "checkpoints.describe"
    part = Nothing
    result = WeightsInfo
    path: str


class Acted(Shape):
    """One checkpoint of several was dealt with; `error` is empty when it went well."""

    path: str
    error: str = ""


class SetTtl(Call[Acted, Nothing]):
    """Let checkpoints expire so many seconds from now, or never."""

    name = "checkpoints.ttl"
    part = Acted
    result = Nothing
    paths: tuple[str, ...]
    ttl_seconds: int | None = Field(ge=1)


class SetPublic(Call[Acted, Nothing]):
    """Publish checkpoints, or take that back."""

    name = "checkpoints.publish"
    part = Acted
    result = Nothing
    paths: tuple[str, ...]
    public: bool


class DeleteCheckpoints(Call[Acted, Nothing]):
    """Delete checkpoints for good; one that is gone already is no error."""

    name = "checkpoints.delete"
    part = Acted
    result = Nothing
    paths: tuple[str, ...]


OfferedAction = Literal["list", "describe", "ttl", "publish", "delete", "download"]


class MissingOffers(Shape):
    """What the server lacks; what cannot be found out without doing it is not named."""

    missing: tuple[OfferedAction, ...] = ()


class AskOffers(Call[Nothing, MissingOffers]):
    """Which of the actions the server has no address for."""

    name = "checkpoints.offers"
    part = Nothing
    result = MissingOffers
