"""Data formats by name. A new one is a module here and a line below, or an entry point of the same group."""

from __future__ import annotations

from tcao_tui.data.formats.port import RowFormat
from tcao_tui.registry import Registry

FORMATS: Registry[type[RowFormat]] = Registry(
    "tcao_tui.data_formats",
    {
        "preference": "tcao_tui.data.formats.preference:Preference",
        "scored_completions": "tcao_tui.data.formats.scored_completions:ScoredCompletions",
        "marked_answer": "tcao_tui.data.formats.marked_answer:MarkedAnswer",
        "problem": "tcao_tui.data.formats.problem:Problem",
        "messages": "tcao_tui.data.formats.messages:Messages",
        "sharegpt": "tcao_tui.data.formats.sharegpt:ShareGpt",
        "alpaca": "tcao_tui.data.formats.alpaca:Alpaca",
        "input_output": "tcao_tui.data.formats.input_output:InputOutput",
        "prompt": "tcao_tui.data.formats.prompt:Prompt",
    },
)
"""In the order in which a row is tried: the more a shape asks for, the earlier it stands."""
