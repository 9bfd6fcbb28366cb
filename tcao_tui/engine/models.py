"""Base models in memory and the LoRA adapters on them.

All training runs and samplers of one base model share it; each has its own PEFT adapter, switched on by name. Adapters
are never removed but handed to the next run of the same shape, because adding one to a model walks all its modules.
Used from the compute thread only. Out of scope: gradients (`trainer.py`), generation (`sampler.py`).
"""

from __future__ import annotations

import math
import warnings
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from tcao_tui.engine.api_errors import WorkFailed
from tcao_tui.engine.catalogue import ModelSource
from tcao_tui.engine.runs import LoraSpec

LORA_ALPHA = 32
"""Tinker's fixed LoRA alpha; its exported adapters scale by 32 / rank."""

SAMPLER_ADAPTERS = 4
"""How many sets of sampler weights of one shape stay in memory."""

ONE_THREAD_BELOW = 20_000_000
"""Parameters below which more threads cost more in waiting than they save, above all on a busy machine."""

Shape = tuple[int, bool, bool, bool]


@dataclass(frozen=True, eq=False)
class Adapter:
    """One adapter slot. `parameters` are keyed by their name in a PEFT file."""

    name: str
    spec: LoraSpec
    parameters: dict[str, nn.Parameter]

    def load(self, path: Path) -> None:
        """Copy weights from a PEFT `adapter_model.safetensors` of the same shape.

        Raises:
            WorkFailed: The file has other tensors.
        """
        saved = load_file(path)
        if saved.keys() != self.parameters.keys():
            raise WorkFailed("the checkpoint does not fit this base model or LoRA configuration")
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(saved[name])

    def save(self, path: Path) -> None:
        """Write the weights as a PEFT `adapter_model.safetensors`."""
        save_file({name: value.detach().contiguous() for name, value in self.parameters.items()}, path)


class LoadedModel:
    """A causal language model with switchable adapters.

    Args:
        source: The folder to load. On a GPU the model keeps its own number type, on a CPU it is float32.
        threads: Threads that torch is to use from now on, None to choose by the model's size.
    """

    def __init__(self, source: ModelSource, threads: int | None) -> None:
        self.source = source
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        dtype: Any = "auto" if device.type == "cuda" else torch.float32
        transformers_logging.disable_progress_bar()
        base: Any = AutoModelForCausalLM.from_pretrained(source.directory, dtype=dtype, local_files_only=True)
        self.module: nn.Module = base.to(device).eval()
        self.module.requires_grad_(False)
        self.device = device
        if threads is not None or base.num_parameters() < ONE_THREAD_BELOW:
            torch.set_num_threads(threads or 1)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(source.directory, local_files_only=True)
        self.vocabulary: int = base.get_input_embeddings().num_embeddings
        self.end_tokens = _end_tokens(base, self.tokenizer)
        self._leaves = _linear_leaves(base)
        self._peft: PeftModel | None = None
        self._active: str | None = None
        self._free: dict[Shape, list[Adapter]] = {}
        self._samplers: dict[Shape, OrderedDict[str, Adapter]] = {}

    def take_adapter(self, spec: LoraSpec) -> Adapter:
        """An adapter for a new run, initialised by `spec.seed` as PEFT does it: A Kaiming-uniform, B zero.

        Raises:
            WorkFailed: Nothing of the model matches what is to be trained.
        """
        free = self._free.get(_shape(spec))
        slot = free.pop() if free else self._add_adapter(spec)
        adapter = Adapter(slot.name, spec, slot.parameters)
        generator = torch.Generator()
        generator.seed() if spec.seed is None else generator.manual_seed(spec.seed)
        for name in sorted(adapter.parameters):
            parameter = adapter.parameters[name]
            parameter.grad = None
            start = torch.zeros(parameter.shape)
            if ".lora_A." in name:
                nn.init.kaiming_uniform_(start, a=math.sqrt(5), generator=generator)
            with torch.no_grad():
                parameter.copy_(start)
        return adapter

    def return_adapter(self, adapter: Adapter) -> None:
        """Hand back the adapter of a run that has ended."""
        for parameter in adapter.parameters.values():
            parameter.grad = None
        self._free.setdefault(_shape(adapter.spec), []).append(adapter)

    def sampler_adapter(self, blob: str, spec: LoraSpec, path: Path) -> Adapter:
        """The adapter with the weights of a blob; the least recently used one makes room."""
        cached = self._samplers.setdefault(_shape(spec), OrderedDict())
        if blob in cached:
            cached.move_to_end(blob)
            return cached[blob]
        slot = cached.popitem(last=False)[1] if len(cached) >= SAMPLER_ADAPTERS else self.take_adapter(spec)
        slot.load(path)
        cached[blob] = slot
        return slot

    @contextmanager
    def using(self, adapter: Adapter | None) -> Generator[nn.Module]:
        """The module with this adapter switched on, or the bare base model."""
        if self._peft is None:
            yield self.module
        elif adapter is None:
            with self._peft.disable_adapter():
                yield self.module
        else:
            if self._active != adapter.name:
                self._peft.set_adapter(adapter.name)
                self._active = adapter.name
            yield self.module

    def lora_config(self, spec: LoraSpec) -> LoraConfig:
        """The PEFT configuration of a spec on this model.

        Raises:
            WorkFailed: Nothing of the model matches.
        """
        wanted = {"attn": spec.train_attn, "mlp": spec.train_mlp, "unembed": spec.train_unembed}
        targets = sorted(leaf for leaf, part in self._leaves.items() if wanted[part])
        if not targets:
            raise WorkFailed("this model has no layers of the kind that is to be trained")
        return LoraConfig(
            r=spec.rank,
            lora_alpha=LORA_ALPHA,
            lora_dropout=0.0,
            bias="none",
            target_modules=targets,
            task_type="CAUSAL_LM",
            base_model_name_or_path=self.source.name,
        )

    def _add_adapter(self, spec: LoraSpec) -> Adapter:
        config = self.lora_config(spec)
        number = 0 if self._peft is None else len(self._peft.peft_config)
        name = f"adapter{number}"
        with warnings.catch_warnings():
            # PEFT warns that merging a tied unembedding changes the embedding; nothing is merged here.
            warnings.simplefilter("ignore")
            if self._peft is None:
                self._peft = get_peft_model(self.module, config, adapter_name=name)
            else:
                self._peft.add_adapter(name, config)
        parameters = {
            key.replace(f".{name}.", "."): value
            for key, value in self._peft.named_parameters()
            if f".lora_A.{name}." in key or f".lora_B.{name}." in key
        }
        return Adapter(name, spec, parameters)


def _shape(spec: LoraSpec) -> Shape:
    return spec.rank, spec.train_attn, spec.train_mlp, spec.train_unembed


def _linear_leaves(base: PreTrainedModel) -> dict[str, str]:
    """Last name part of every linear layer -> what it belongs to ("attn", "mlp" or "unembed")."""
    unembedding = base.get_output_embeddings()
    leaves: dict[str, str] = {}
    for name, module in base.named_modules():
        if isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D":
            attends = "attn" in name or "attention" in name
            part = "unembed" if module is unembedding else "attn" if attends else "mlp"
            leaves[name.rpartition(".")[2]] = part
    return leaves


def _end_tokens(base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """Tokens that end a generation by themselves."""
    configured: Any = base.generation_config
    ends: Any = configured.eos_token_id if configured is not None else None
    if ends is None:
        ends = tokenizer.eos_token_id
    return () if ends is None else tuple(ends) if isinstance(ends, list) else (int(ends),)
