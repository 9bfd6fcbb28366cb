"""Data formats by name. A new one is a module here and a line below, or an entry point of the same group."""

from __future__ import annotations

from tcao_tui.data.formats.port import RowFormat
from tcao_tui.registry import Registry

FORMATS: Registry[type[RowFormat]] = Registry(
    "tcao_tui.data_formats",
    {
        "input_output": "tcao_tui.data.formats.input_output:InputOutput",
        "messages": "tcao_tui.data.formats.messages:Messages",
    },
)
"""In the order in which a file's first row is tried."""
