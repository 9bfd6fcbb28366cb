"""Distillation: a teacher scores the student's own answers, or gives answers that the student imitates."""

from __future__ import annotations
