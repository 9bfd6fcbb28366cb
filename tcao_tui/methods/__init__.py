"""Training methods: a light `spec` that anyone may import and a heavy `run` that only the worker loads."""

from __future__ import annotations
