"""Containers of rows by name. A new one is a module here, a line below and, to be found, one in `recognise`."""

from __future__ import annotations

from tcao_tui.data.containers.port import Container
from tcao_tui.registry import Registry

CONTAINERS: Registry[Container] = Registry(
    "tcao_tui.data_containers",
    {
        "jsonl": "tcao_tui.data.containers.jsonl:records",
        "json": "tcao_tui.data.containers.json_array:records",
        "csv": "tcao_tui.data.containers.delimited:records",
        "tsv": "tcao_tui.data.containers.delimited:records",
        "parquet": "tcao_tui.data.containers.parquet:records",
    },
)
