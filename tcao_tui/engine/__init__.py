"""The local engine: a server on this machine that speaks the Tinker wire protocol on transformers, PEFT and torch.

Start it with `python -m tcao_tui.engine --state-dir DIR`; clients find it by `DIR/engine.json` and `DIR/key`.
Out of scope: prices (everything is free), other hosts (it listens on the loopback address only), many users.
"""

from __future__ import annotations
