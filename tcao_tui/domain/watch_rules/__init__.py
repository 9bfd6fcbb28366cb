"""Watch rules, one class each; `domain.watch` feeds them and turns what they find into alerts."""

from __future__ import annotations
