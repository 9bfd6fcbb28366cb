"""Short-lived processes that may load tokenizers and the SDK, and answer in JSON; the console never imports them."""

from __future__ import annotations
