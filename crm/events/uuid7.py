"""Generate UUIDs of version 7 (RFC 9562) in PostgreSQL, so that set-based inserts get time-ordered ids too."""

from __future__ import annotations

from django.db import models

# uuidv7() comes with PostgreSQL 18; this is the same layout on 15 and up: 48 bits of Unix milliseconds laid over a random
# version-4 UUID, whose version nibble 0100 becomes 0111 by setting two bits.
UUID7_SQL = (
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) "
    "placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) "
    "from 1 for 6), 52, 1), 53, 1), 'hex')::uuid"
)


class Uuid7(models.Func):
    template = UUID7_SQL
    arity = 0
    output_field = models.UUIDField()
