"""Many requests at once, but not too many."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence


def in_chunks[T](items: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in groups of at most `size`."""
    return [items[start : start + size] for start in range(0, len(items), size)]


async def at_most[I, T](limit: int, function: Callable[[I], Awaitable[T]], items: Iterable[I]) -> list[T]:
    """`function` of all items in order, `limit` of them at a time; the first failure ends the others."""
    free = asyncio.Semaphore(limit)

    async def one(item: I) -> T:
        async with free:
            return await function(item)

    tasks = [asyncio.create_task(one(item)) for item in items]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
