"""`python -m tcao_tui` is `tcao`."""

from __future__ import annotations

from tcao_tui.cli.main import main

if __name__ == "__main__":
    main()
