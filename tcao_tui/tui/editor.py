"""Letting the person edit a text in an editor of their own, while the console steps aside."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from tcao_tui.errors import Refused


def edit_text(app: App[Any], text: str) -> str | None:
    """The text as it was saved.

    Args:
        app: Gives the terminal to the editor: `$VISUAL`, else `$EDITOR`, else vi.
        text: What to edit.

    Returns:
        None when the editor failed or nothing was changed.

    Raises:
        Refused: The terminal cannot be given away, or there is no such editor.
    """
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with tempfile.TemporaryDirectory(prefix="tcao-") as folder:
        file = Path(folder) / "plan.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            with app.suspend():
                done = subprocess.run([*command, str(file)], check=False)
        except (SuspendNotSupported, OSError) as error:
            raise Refused(
                f"the editor cannot be opened: {error}", next_step="set EDITOR, or /edit PATH VALUE"
            ) from error
        edited = file.read_text(encoding="utf-8", errors="replace")
    return None if done.returncode or edited == text else edited
