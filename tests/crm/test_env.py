from __future__ import annotations

import pytest

from crm import env


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("", "redis://localhost:6379/0"),
        ("redis://cache:6379/2", "redis://cache:6379/2"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("unix:///run/redis.sock?db=3", "redis+socket:///run/redis.sock?virtual_host=3"),
    ],
)
def test_the_broker_url_is_the_cache_url_in_celery_syntax(
    monkeypatch, url: str, broker: str
) -> None:
    monkeypatch.setattr(env, "REDIS_URL", url)

    assert env.broker() == broker
