"""Kinds of use, and how a goal is recognised as one; the benchmarks that bear on them are in `domain.benchmarks`."""

from __future__ import annotations

from tcao_tui.domain.plan import UseCase

USE_CASES: dict[UseCase, str] = {
    "chat": "answers people in plain language",
    "code": "writes or changes programs",
    "tools": "calls functions or acts as an agent",
    "safety": "refuses what it should and nothing else",
    "reasoning": "works out an answer that can be checked",
    "multilingual": "works in more than one language",
}

GOAL_WORDS: dict[UseCase, tuple[str, ...]] = {
    "tools": ("tool call", "tool-call", "tool use", "use tools", "call tools", "function call", "function-call",
              "call functions", "call api", "call our api", "api calls", "agentic", "as an agent"),
    "code": ("code ", "coding", "python", "javascript", "typescript", "rust program", "sql", "programs ", "programming",
             "refactor", "unit test", "pull request", "compiler", "regex", "shell command", "bash "),
    "safety": ("harmful", "jailbreak", "refus", "unsafe request", "toxic", "content policy", "moderat"),
    "reasoning": ("math", "arithmetic", "reasoning", "word problem", "algebra", "geometry", "calculat", "proofs ",
                  "prove ", "logic ", "puzzle", "step by step", "step-by-step", "physics", "theorem"),
    "multilingual": ("translat", "multilingual", "languages", "bilingual", "german", "french", "spanish", "italian",
                     "portuguese", "japanese", "chinese", "korean", "arabic", "hindi", "russian", "polish ", "dutch",
                     "turkish", "swedish", "localis", "localiz"),
}  # fmt: skip
"""Beginnings of words, whole ones where a space follows; the most telling use first, chat is what is left."""
