"""What a data format is: it says whether a decoded row is of its shape, and reads it or says what is wrong with it.

Out of scope: files, encodings and JSON (`data.containers`), tokens (`methods`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from tcao_tui.data.rows import Row
from tcao_tui.domain.data_profile import FieldMap, RowKind

INPUT, OUTPUT = (FieldMap.model_fields[name].default for name in ("input_field", "output_field"))
"""Names that nobody chose: a format may look for others where a row does not have them."""


class RowFormat(Protocol):
    """One shape of a row.

    Attributes:
        name: Name in the registry and in `FieldMap.data_format`.
        holds: What such rows are, for people: "the file holds ...".
        kinds: What its rows are read as, most usual first.
    """

    name: ClassVar[str]
    holds: ClassVar[str]
    kinds: ClassVar[tuple[RowKind, ...]]

    def find(self, row: Mapping[str, Any], wanted: FieldMap) -> FieldMap | None:
        """How `row` is read as this format; None when it is not of this shape.

        Args:
            row: A row from the top of the file.
            wanted: Names that a person gave; those left at their defaults may be replaced by what the row has.
        """
        ...

    def read(self, row: Mapping[str, Any], fields: FieldMap) -> Row:
        """The row. Raises `RowRejected`."""
        ...
