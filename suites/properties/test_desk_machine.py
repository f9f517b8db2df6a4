"""The desk's world as a state machine: whatever tools are called in whatever order, money and orders stay right."""

from __future__ import annotations

import asyncio

from hypothesis import settings
from hypothesis import strategies as st

from fixtures.support_desk.tools import REASONS, DeskWorld
from harness.strategies import tool_machine

ORDERS = st.sampled_from(["A-1001", "A-1002", "A-1003", "A-1006", "A-9999"])
CALLS = {
    "issue_refund": {"order_id": ORDERS, "amount_usd": st.floats(-1, 200), "reason": st.sampled_from(REASONS)},
    "cancel_order": {"order_id": ORDERS},
    "change_address": {"order_id": ORDERS, "address": st.text(max_size=20)},
    "escalate": {"summary": st.text(max_size=20), "order_id": ORDERS},
    "get_order": {"order_id": ORDERS},
}


def call(world, name, arguments):
    """One tool call, as an agent would make it."""
    tool = next(tool for tool in world.tools if tool.name == name)
    asyncio.run(tool.call(arguments))


def nobody_is_paid_more_than_they_paid(world):
    """The refunds of an order never exceed its price."""
    over = world.database.all(
        "SELECT id FROM orders WHERE price_cents < "
        "(SELECT coalesce(sum(amount_cents), 0) FROM refunds WHERE order_id = orders.id)"
    )
    assert over == []


def what_is_on_its_way_is_not_cancelled(world):
    """Only an order that was never delivered can be cancelled."""
    assert world.database.all("SELECT id FROM orders WHERE status = 'cancelled' AND delivered_on IS NOT NULL") == []


TestDesk = tool_machine(
    DeskWorld, CALLS, call, nobody_is_paid_more_than_they_paid, what_is_on_its_way_is_not_cancelled,
    close=DeskWorld.close,
).TestCase  # fmt: skip
TestDesk.settings = settings(max_examples=20, stateful_step_count=15, deadline=None, database=None, derandomize=True)
