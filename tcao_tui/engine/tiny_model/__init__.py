"""The included tiny chat model: how its tokenizer, its pre-training text and its weights are made.

`python -m tcao_tui.engine.tiny_model.build` writes `weights/`, `python -m tcao_tui.engine.tiny_model.demo_data`
writes the demo task it is fine-tuned on. Serving the model is the engine's matter and out of scope here.
"""

from __future__ import annotations
