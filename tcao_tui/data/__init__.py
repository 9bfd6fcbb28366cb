"""Reading, checking and splitting of datasets, streaming and with every bad row named."""

from __future__ import annotations
