"""What Inspect finds of us by its entry point: models `tcao/...` and the task `tcao_tui/rows`.

Every Inspect process loads it: light.
"""

from __future__ import annotations

from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.model import ModelAPI, modelapi


@modelapi(name="tcao")
def tcao() -> type[ModelAPI]:
    """Checkpoints and base models of a Tinker server, see `probes.inspect_model`."""
    from tcao_tui.probes.inspect_model import CheckpointModel  # seconds, and only where such a model is used

    return CheckpointModel


@task
def rows(
    file: str,
    *,
    grader: str | list[str] = "exact",
    max_rows: int | None = None,
    max_tokens: int = 64,
    temperature: float = 0.0,
    data_format: str = "",
    input_field: str = "",
    output_field: str = "",
    rubric: str | list[str] = "",
    opponents: str = "",
) -> Task:
    """Rows with wanted answers, as training reads them.

    Args:
        file: The rows.
        grader: Name of a grader, with its argument after a colon; `model` and `pairwise` ask the model that is bound
            by `--model-role grader=MODEL`. `-T` needs quotes around one with ": " in it.
        max_rows: Rows from the top of the file; left out, all.
        max_tokens: Tokens of an answer.
        temperature: 0 is greedy.
        data_format: Format of the rows; left out, it is found out.
        input_field: Column with the prompt; left out, it is found out.
        output_field: Column with the answer; left out, it is found out.
        rubric: For the judge: what makes an answer right, or better.
        opponents: For `pairwise`: rows with the answers to beat; left out, the wanted ones.

    Raises:
        TcaoError: Bad rows, or a grader that there is not.
    """
    from tcao_tui.probes.inspect_rows import RowsTask, as_text, build

    return build(
        RowsTask(
            file=Path(file),
            grader=as_text(grader, "grader"),
            max_rows=max_rows,
            max_tokens=max_tokens,
            temperature=temperature,
            data_format=data_format,
            input_field=input_field,
            output_field=output_field,
            rubric=as_text(rubric, "rubric"),
            opponents=Path(opponents) if opponents else None,
        )
    )
