"""Whether a server on the network answers, found out in seconds whatever the network does."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

ANSWER_SECONDS = 4.0


def answers(address: str, *, seconds: float = ANSWER_SECONDS) -> bool:
    """Whether an HTTP server answers at all; looked up in a thread, since name servers hang."""
    answered = threading.Event()
    asking = threading.Thread(target=_ask, args=(address, answered, seconds), daemon=True)
    asking.start()
    asking.join(seconds)
    return answered.is_set()


def _ask(address: str, answered: threading.Event, seconds: float) -> None:
    try:
        urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=seconds).close()
    except urllib.error.HTTPError:
        answered.set()
    except (OSError, ValueError):
        return
    answered.set()
