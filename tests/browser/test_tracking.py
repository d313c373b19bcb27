"""A page of another origin sends events, with the headers of stock clients."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext

from customers.models import Interaction
from customers.tracking_api import keys
from tests import http_stub

SEND = """
async ([url, key]) => {
    const answer = await fetch(url, {
        method: 'POST',
        headers: {
            'Content-Type': 'application/json', 'Authorization': `Basic ${btoa(key + ':')}`, 'AnonymousId': 'YW5vbg==',
            'Rsa-Retry-Attempt': '1', 'SentAt': new Date().toISOString(),
        },
        body: JSON.stringify({batch: [{type: 'track', event: 'Looked', userId: 'u1'}, {type: 'track', userId: 'u2'}]}),
    });
    return [answer.status, (await answer.json()).errors[0].index];
}
"""


@pytest.mark.django_db(transaction=True)
def test_a_shop_of_another_origin_reads_the_answer(context: BrowserContext, live_server) -> None:
    page = context.new_page()
    with http_stub.serving() as shop:
        shop.answer = (200, {"Content-Type": "text/html"}, "<title>Shop</title>")
        page.goto(shop.url)
        answer = page.evaluate(SEND, [f"{live_server.url}/v1/batch", keys.issue_key("shop")[1]])

    assert answer == [400, 1]
    assert Interaction.objects.get().type == "Looked"
