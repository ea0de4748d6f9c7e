"""Operations on bodies of loops that know nothing of what the steps mean."""

from __future__ import annotations

__all__ = ["Body", "insert_after", "loops_to", "replaced", "rewrite_first", "spread", "without", "wrapped"]

from collections.abc import Callable

from archgym_simulators.tpe.notation import Item, Loop, Step

Body = tuple[Item, ...]


def rewrite_first(body: Body, chosen: Callable[[Loop], bool], change: Callable[[Loop], Body]) -> tuple[Body, bool]:
    """Replace the first loop that is chosen, in program order; whether there was one."""
    for position, item in enumerate(body):
        if not isinstance(item, Loop):
            continue
        if chosen(item):
            return (*body[:position], *change(item), *body[position + 1 :]), True
        inner, found = rewrite_first(item.body, chosen, change)
        if found:
            return (*body[:position], item.with_body(*inner), *body[position + 1 :]), True
    return body, False


def loops_to(loop: Loop, primitive: str) -> tuple[Loop, ...] | None:
    """Loops from ``loop`` down to the first such step; None where there is none."""
    for item in loop.body:
        if isinstance(item, Step):
            if item.primitive == primitive:
                return (loop,)
        elif (inner := loops_to(item, primitive)) is not None:
            return (loop, *inner)
    return None


def without(loop: Loop, primitive: str) -> Loop:
    """``loop`` without the steps of a primitive, at any depth."""
    kept = [item for item in loop.body if item != Step(primitive)]
    return loop.with_body(*(without(item, primitive) if isinstance(item, Loop) else item for item in kept))


def wrapped(steps: tuple[Step, ...], around: tuple[Loop, ...], crossed: set[str]) -> Body:
    """Steps that left loops: still once for every iteration of those that are not summed over."""
    body: Body = steps
    for loop in reversed(around):
        if loop.dim not in crossed:
            body = (loop.with_body(*body),)
    return body


def replaced(loop: Loop, old: Body, new: Body) -> Loop:
    """``loop`` with a body that is equal to ``old`` replaced, its own or the nearest below it."""
    if loop.body == old:
        return loop.with_body(*new)
    return loop.with_body(*(replaced(item, old, new) if isinstance(item, Loop) else item for item in loop.body))


def insert_after(body: Body, primitive: str, new: Step) -> Body:
    """``body`` with a step added after each of a primitive, at any depth."""
    items: list[Item] = []
    for item in body:
        items.append(item.with_body(*insert_after(item.body, primitive, new)) if isinstance(item, Loop) else item)
        if item == Step(primitive):
            items.append(new)
    return tuple(items)


def spread(body: Body, shared: Loop, leaving: tuple[Step, ...]) -> Body:
    """``body`` with the loop ``shared`` around everything but the steps that leave it and the loops around them."""
    items: list[Item] = []
    for item in body:
        last = items[-1] if items else None
        if item in leaving:
            items.append(item)
        elif isinstance(item, Loop) and any(loops_to(item, step.primitive) for step in leaving):
            items.append(item.with_body(*spread(item.body, shared, leaving)))
        elif isinstance(last, Loop) and (last.dim, last.size) == (shared.dim, shared.size):
            items[-1] = last.with_body(*last.body, item)
        else:
            items.append(shared.with_body(item))
    return tuple(items)
