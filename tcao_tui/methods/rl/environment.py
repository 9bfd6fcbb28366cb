"""Environments of one's own, for several turns or tools: a Python function that builds the cookbook's dataset of them.

See docs/environments.md. The function is other people's code, so whatever it raises while it is loaded ends here.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING

from tinker_cookbook.renderers import Renderer
from tinker_cookbook.rl.types import RLDataset

from tcao_tui.domain.plan import Plan
from tcao_tui.errors import PlanInvalid

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_logger = logging.getLogger(__name__)
_WHERE = "rl.environment"


def load_environment(entry: str, plan: Plan, tokenizer: PreTrainedTokenizerBase, renderer: Renderer) -> RLDataset:
    """What `module:function` makes of the plan, the model's tokenizer and the plan's renderer.

    Raises:
        PlanInvalid: It cannot be imported, fails, or makes something else.
    """
    module, _, name = entry.partition(":")
    try:
        function = getattr(import_module(module), name, None)
        made = None if function is None else function(plan, tokenizer, renderer)
    except Exception as error:
        _logger.exception("%s could not be loaded", entry)
        raise PlanInvalid(
            f"{entry} could not be loaded: {type(error).__name__}: {error}",
            where=_WHERE,
            next_step="see worker.log for where it failed; its module must be installed or on PYTHONPATH",
        ) from error
    if function is None:
        raise PlanInvalid(f"{module} has no function {name}", where=_WHERE, next_step=f"define {name} in {module}")
    if not isinstance(made, RLDataset) or not len(made):
        what = "an empty dataset" if isinstance(made, RLDataset) else type(made).__name__
        raise PlanInvalid(
            f"{entry} gave {what}, not a dataset of environments",
            where=_WHERE,
            next_step="return a tinker_cookbook.rl.types.RLDataset with at least one batch",
        )
    return made
