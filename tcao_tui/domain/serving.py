"""How an export is served: commands for vLLM, SGLang, llama.cpp and Ollama, and what each of them leaves out. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Literal

VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values of `--max-lora-rank` that vLLM takes (`MaxLoRARanks` in vllm/config/lora.py, 2026)."""

UNEMBEDDING_WARNING = (
    "This adapter changes the unembedding (lm_head): it was trained with train_unembed. Servers differ in what they do "
    "with that: vLLM leaves out layers that the model's class does not name as LoRA targets, with a warning in its log "
    "or an error, depending on model and version, and SGLang has to be told of it. Served without it the model "
    "answers otherwise than it was evaluated. Read the server's log at its start, or serve a merged model "
    "(tcao export ... --as merged), where this cannot happen."
)


@dataclass(frozen=True, slots=True)
class Served:
    """What is to be served.

    Attributes:
        name: What clients ask for.
        folder: Of the export, as commands name it.
        base: Folder or Hub id of the base model.
        rank: Of the LoRA.
    """

    name: str
    form: Literal["peft", "merged"]
    folder: str
    base: str
    rank: int
    has_unembedding: bool


@dataclass(frozen=True, slots=True)
class Server:
    """One way to serve: commands for a shell, and what a person must know."""

    name: str
    commands: tuple[str, ...]
    notes: tuple[str, ...] = ()


def warnings(served: Served) -> tuple[str, ...]:
    """What a person must know whatever server is used."""
    return (UNEMBEDDING_WARNING,) if served.form == "peft" and served.has_unembedding else ()


def servers(served: Served) -> tuple[Server, ...]:
    """Ways to serve it, the commonest first."""
    return _adapter_servers(served) if served.form == "peft" else _merged_servers(served)


def _adapter_servers(served: Served) -> tuple[Server, ...]:
    base, lora = shlex.quote(served.base), shlex.quote(f"{served.name}={served.folder}")
    rank = next((rank for rank in VLLM_RANKS if rank >= served.rank), served.rank)
    modules = " --lora-target-modules all" if served.has_unembedding else ""
    return (
        Server("vLLM", (f"vllm serve {base} --enable-lora --max-lora-rank {rank} --lora-modules {lora}",)),
        Server(
            "SGLang",
            (
                f"python -m sglang.launch_server --model-path {base} --enable-lora --lora-paths {lora} "
                f"--max-lora-rank {served.rank}{modules}",
            ),
        ),
        Server(
            "llama.cpp",
            (
                f"python convert_lora_to_gguf.py --base {base} --outfile {_file(served, 'gguf')} "
                f"{shlex.quote(served.folder)}",
                f"llama-server --model BASE.gguf --lora {_file(served, 'gguf')}",
            ),
            ("BASE.gguf is the base model in GGUF, from convert_hf_to_gguf.py.",),
        ),
        Server("Ollama", (), ("Takes whole models; export with --as merged.",)),
    )


def _merged_servers(served: Served) -> tuple[Server, ...]:
    folder, name, gguf = shlex.quote(served.folder), shlex.quote(served.name), _file(served, "gguf")
    return (
        Server("vLLM", (f"vllm serve {folder} --served-model-name {name}",)),
        Server("SGLang", (f"python -m sglang.launch_server --model-path {folder} --served-model-name {name}",)),
        Server(
            "llama.cpp",
            (
                f"python convert_hf_to_gguf.py {folder} --outtype bf16 --outfile {gguf}",
                f"llama-server --model {gguf}",
            ),
            (
                "llama-quantize IN.gguf OUT.gguf Q4_K_M makes it smaller; "
                "what that costs in quality is to be measured anew.",
            ),
        ),
        Server(
            "Ollama",
            (f"printf 'FROM ./%s\\n' {gguf} > Modelfile", f"ollama create {name} -f Modelfile", f"ollama run {name}"),
            ("From the GGUF of llama.cpp above; its chat template is taken from the file.",),
        ),
    )


def serving_markdown(served: Served, verdict: str, *, blocked: bool) -> str:
    """`SERVING.md`; `verdict` is what the parity proof found, and where that is `blocked` there are no commands."""
    lines = [f"# Serving {served.name}", "", verdict, ""]
    if blocked:
        return "\n".join(lines)
    lines += ["The commands are for this folder as working directory.", ""]
    lines += [f"> {text}\n" for text in warnings(served)]
    for server in servers(served):
        lines += [f"## {server.name}", ""]
        lines += ["```sh", *server.commands, "```", ""] if server.commands else []
        lines += [f"{note}\n" for note in server.notes]
    return "\n".join(lines).rstrip() + "\n"


def _file(served: Served, suffix: str) -> str:
    return shlex.quote(f"{served.name}.{suffix}")
