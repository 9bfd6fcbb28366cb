"""Evaluations: the matrix, the samples of a cell, transcripts side by side."""

from __future__ import annotations
