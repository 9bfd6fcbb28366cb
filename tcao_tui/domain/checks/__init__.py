"""What each gate looks at; one module per gate, pure functions of a draft and facts."""

from __future__ import annotations
