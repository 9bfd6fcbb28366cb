"""What a person asks to be changed while a run trains: the body of the verb `change`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tcao_tui.domain.training_config import SettingKey


class SettingRequest(BaseModel):
    """A setting and its new value, within the range that the same key has in a plan."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    key: SettingKey
    value: float = Field(ge=0)
    why: str = ""

    @model_validator(mode="after")
    def _in_range(self) -> SettingRequest:
        if self.key == "learning_rate" and not 0 < self.value <= 1:
            raise ValueError("learning_rate is above 0 and at most 1")
        if self.key == "eval_every" and self.value != int(self.value):
            raise ValueError("eval_every is a whole number of steps; 0: only at the ends")
        return self


def what_is_wrong(error: ValidationError) -> str:
    """The first thing that is wrong with a request, in words."""
    first = error.errors()[0]
    return (
        "the value is not a number" if first["type"] == "float_parsing" else first["msg"].removeprefix("Value error, ")
    )
