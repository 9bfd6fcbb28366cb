"""The port of evaluations with a matrix that a test sets; it notes what it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tcao_tui.domain.eval_matrix import EvalMatrix
from tcao_tui.domain.evaluation import CellKey
from tcao_tui.domain.transcript import GivenScore, SamplePreview, ToolCall, Transcript, Turn
from tcao_tui.errors import UsageError
from tcao_tui.tui.evals_port import CellItems, EvalChoice, EvalOffer, EvalProposal, EvalVerb
from tests.fakes.eval_matrices import BASE, HELD_OUT, HOSTILE, SUBJECTS, Cells, finished


def transcript(cell: CellKey, item: str, epoch: int) -> Transcript:
    """A sample with reasoning, a tool call and a wrong answer by the base."""
    is_base = cell.subject == BASE.name
    answer = "The parcel is lost." if is_base else "Your parcel is in Ghent.\nIt arrives on Monday."
    return Transcript(
        item=item,
        epoch=epoch,
        target="Ghent, Monday",
        turns=(
            Turn(role="system", text="You answer customers."),
            Turn(role="user", text=f"Where is parcel {item}? {HOSTILE}\n" + "I have waited for a week. " * 12),
            Turn(
                role="assistant",
                text="Let me look.",
                reasoning="The customer asks where it is. " * 30,
                calls=(ToolCall(name="track", arguments='{"parcel": "' + item + '"}'),),
            ),
            Turn(role="tool", text='{"place": "Ghent", "due": "Monday"}'),
            Turn(role="assistant", text=answer),
        ),
        scores=(
            GivenScore(
                scorer="model_graded_qa",
                value="I" if is_base else "C",
                answer=answer,
                explanation="It names neither the place nor the day." if is_base else "Place and day are right.",
            ),
        ),
        stop_reason="stop",
        input_tokens=412,
        output_tokens=97,
        seconds=3.4,
    )


@dataclass
class FakeEvaluations:
    """A port with a matrix that a test sets; `asked` is what was asked of it."""

    found: tuple[EvalMatrix, Cells] = field(default_factory=finished)
    asked: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    refusals: dict[str, str] = field(default_factory=dict[str, str])
    problems: tuple[str, ...] = ()
    is_free: bool = True
    closed: bool = False

    def poll(self) -> EvalMatrix:
        return self.found[0]

    def show(self, found: tuple[EvalMatrix, Cells]) -> None:
        """Have the next poll find something else."""
        self.found = replace(found[0], changed=self.found[0].changed + 1), found[1]

    def why_not(self, act: str) -> str:
        return self.refusals.get(act, "")

    def items(self, cell: CellKey) -> CellItems:
        cells = self.found[1]
        base = CellKey(cell.task, BASE.name)
        own = cells[cell][1] if cell in cells else []
        return CellItems(own, cells[base][1] if base != cell and base in cells else ())

    def previews(self, cell: CellKey) -> Sequence[SamplePreview]:
        self.asked.append(("previews", *cell))
        if cell.task == HELD_OUT.name:
            return ()
        return [
            SamplePreview(
                item=one.item,
                epoch=1,
                asked=f"Where is parcel {one.item}? {HOSTILE}",
                target="Ghent",
                answer="In Ghent.",
            )
            for one in self.found[1][cell][1]
        ]

    def transcript(self, cell: CellKey, item: str, epoch: int) -> Transcript:
        self.asked.append(("transcript", *cell, item, epoch))
        if cell.task == HELD_OUT.name:
            raise UsageError("the loss on rows has no transcript", next_step="read the row itself")
        return transcript(cell, item, epoch)

    def offers(self) -> EvalOffer:
        return EvalOffer(
            tasks=(
                ("held-out", "layer 1, loss on 200 held-out rows"),
                ("gsm8k", "layer 2, 1,319 samples, grade school mathematics"),
                ("humaneval", "layer 2, 164 samples, code; needs Docker"),
                ("tickets", "layer 3, 200 rows of the plan"),
            ),
            subjects=tuple((one.name, one.checkpoint or "the base model") for one in SUBJECTS),
            chosen=EvalChoice(("held-out", "gsm8k", "tickets"), tuple(one.name for one in SUBJECTS), 200),
        )

    def propose(self, wanted: EvalChoice) -> EvalProposal:
        self.asked.append(("propose", wanted.tasks, wanted.subjects))
        cost = "$0.00, this server is free" if self.is_free else "$1.20 expected, $0.90 to $1.60"
        facts = (("cells", f"{len(wanted.tasks) * len(wanted.subjects)}"), ("cost", cost))
        return EvalProposal(
            facts, self.problems, self.is_free, "tcao eval tickets --suite general --approve 1a2b", wanted
        )

    def start(self, proposal: EvalProposal) -> str:
        self.asked.append(("start", proposal.handle))
        return "Evaluation e-2 is on its way."

    def control(self, verb: EvalVerb) -> str:
        self.asked.append((verb,))
        return f"Asked to {verb}."

    def choose(self, subject: str, reason: str) -> str:
        self.asked.append(("choose", subject, reason))
        return f"{subject} is chosen."

    def report(self) -> str:
        self.asked.append(("report",))
        return "Written to eval-report.md"

    def commands(self) -> dict[str, str]:
        return {
            "drain": "tcao eval drain e-1",
            "cancel": "tcao eval cancel e-1",
            "resume": "tcao eval resume e-1",
            "choose": "tcao eval choose tickets ...",
            "view": "inspect view --log-dir runs/_evals/e-1",
        }

    def close(self) -> None:
        self.closed = True
