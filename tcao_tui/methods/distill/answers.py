"""The teacher's answers to every prompt: given once, kept as a file of the run, trusted by their recorded hash only.

A worker that dies while the teacher answers leaves nothing behind: its successor asks again, and the ledger has both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import tinker

from tcao_tui.domain.events import LogLine, PhaseChanged
from tcao_tui.domain.method_params import DistillParams
from tcao_tui.domain.training_events import ArtefactWritten
from tcao_tui.methods.at_once import at_most, in_chunks
from tcao_tui.methods.distill.teachers import Teacher
from tcao_tui.methods.port import Directive, RunContext
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.rl.problems import Problem
from tcao_tui.store.atomic_file import write_text

ANSWERS_NAME = "teacher_answers.jsonl"
_CHUNK, _AT_ONCE = 256, 64

Part = Literal["train", "validation"]
type Place = tuple[Part, int]
"""A prompt by its file and its row."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Tokens of one answer, with the end mark unless it was cut off at the limit."""

    tokens: Sequence[int]
    is_cut_off: bool


class TeacherAnswers:
    """Gets them: from the file where it is whole, else from the teacher.

    Args:
        context: The worker.
        teacher: Who answers.
        renderer: Ends answers, and reads them for people.
        params: How they are sampled.
    """

    def __init__(self, context: RunContext, teacher: Teacher, renderer: ChatRenderer, params: DistillParams) -> None:
        self._context, self._teacher, self._renderer, self._params = context, teacher, renderer, params
        self._path = context.run_dir / ANSWERS_NAME

    async def get(self, prompts: Mapping[Place, Problem]) -> dict[Place, Answer] | None:
        """An answer to each prompt; None when the run was stopped meanwhile.

        Raises:
            Transient: The server was lost.
            BackendError: It refuses.
            OSError: The file cannot be written.
        """
        recorded = self._context.artefact(ANSWERS_NAME)
        if recorded:
            if (kept := self._read(recorded)) is not None:
                return kept
            self._tell_that_they_are_lost()
        answers: dict[Place, Answer] = {}
        for places in in_chunks(list(prompts), _CHUNK):
            detail = f"the teacher answers: {len(answers):,} of {len(prompts):,} prompts"
            self._context.emit(PhaseChanged(phase="loading", detail=detail))
            with self._context.backend.calling("asking the teacher"):
                given = await at_most(_AT_ONCE, partial(self._ask, prompts), places)
            answers |= zip(places, given, strict=True)
            self._context.record_step(self._step, {}, spends=self._teacher.take_spends(self._step))
            if await self._is_stopped():
                return None
        self._keep(answers, prompts)
        return answers

    @property
    def _step(self) -> int:
        point = self._context.resume_point
        return 0 if point is None else point.step

    async def _ask(self, prompts: Mapping[Place, Problem], place: Place) -> Answer:
        prompt = prompts[place].prompt
        settings = tinker.SamplingParams(
            max_tokens=self._params.max_tokens,
            temperature=self._params.temperature,
            stop=self._renderer.stop,
            seed=self._context.plan.training.seed + place[1],
        )
        answered = await self._teacher.client.sample(prompt, num_samples=1, sampling_params=settings)
        [answer] = answered.sequences
        self._teacher.read += prompt.length
        self._teacher.written += len(answer.tokens)
        return Answer(list(answer.tokens), answer.stop_reason == "length")

    async def _is_stopped(self) -> bool:
        directive = await self._context.directive()
        if directive is Directive.PAUSE:
            directive = await self._context.paused()
        return directive is Directive.STOP

    def _tell_that_they_are_lost(self) -> None:
        earlier = f"; updates 1 to {self._step} were trained on the earlier answers" if self._step else ""
        message = f"{ANSWERS_NAME} is gone or was changed, so the teacher answers all prompts anew{earlier}"
        self._context.emit(LogLine(level="warning", message=message))

    def _keep(self, answers: Mapping[Place, Answer], prompts: Mapping[Place, Problem]) -> None:
        text = "".join(self._line(place, answer, prompts[place]) for place, answer in answers.items())
        write_text(self._path, text)
        self._context.emit(
            ArtefactWritten(file=ANSWERS_NAME, sha256=hashlib.sha256(text.encode()).hexdigest(), rows=len(answers))
        )

    def _line(self, place: Place, answer: Answer, prompt: Problem) -> str:
        part, row = place
        told: dict[str, Any] = {
            "part": part,
            "row": row,
            "prompt": prompt.turns,
            "answer": self._renderer.text(answer.tokens),
            "tokens": list(answer.tokens),
            "cut_off": answer.is_cut_off,
        }
        return json.dumps(told, ensure_ascii=True) + "\n"

    def _read(self, sha256: str) -> dict[Place, Answer] | None:
        try:
            body = self._path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(body).hexdigest() != sha256:
            return None
        rows = map(json.loads, body.splitlines())
        return {(row["part"], row["row"]): Answer(row["tokens"], row["cut_off"]) for row in rows}
