"""Values seen with far too much: each has its outcome, and none takes long."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.dbt.models.test_increments import IDENTITY, owners
from tests.dbt.world import World

PHONE, LOGIN = "+447911555000", "busy-login"


@pytest.fixture(scope="module")
def hubs(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A phone on 50,000 contacts and a login on 10,000 devices in one month."""
    world = World(Path(tmp_path_factory.mktemp("hubs")), "2026-06-01 00:00:00")
    loaded = "'r' || n as _row_id, 'run' as _run_id, 'f' as _file, n as _line, '1' as _dlt_load_id"
    with duckdb.connect(str(world.home / "raw.duckdb")) as con:
        con.execute(
            f"insert into raw_contacts.contacts by name select 'p' || n || '@hub.example' as email,"
            f" '{PHONE}' as phone, 'newsletter' as source, timestamp '2026-05-01' as created_at,"
            f" {loaded} from range(50000) as many(n)"
        )
        con.execute(
            f"insert into raw_web.events by name select 'page' as type, 'm' || n as message_id,"
            f" 'd' || n as anonymous_id, '{LOGIN}' as user_id,"
            " timestamp '2026-05-01' + to_minutes(n::int) as occurred_at,"
            " timestamp '2026-05-01' + to_minutes(n::int) as received_at,"
            " '{}' as properties, '{}' as context,"
            f" {loaded} from range(10000) as many(n)"
        )
    world.build(*IDENTITY)
    return world


@pytest.mark.faults
def test_a_phone_of_fifty_thousand_joins_nobody(hubs: World) -> None:
    found = owners(hubs)
    assert found[PHONE] is None
    people = {owner for value, owner in found.items() if value.endswith("@hub.example")}
    assert len(people) == 50_000


def test_a_login_on_ten_thousand_devices_joins_nobody(hubs: World) -> None:
    found = owners(hubs)
    assert found[LOGIN] is None
    assert len({found[f"d{n}"] for n in range(10_000)}) == 10_000


def test_each_refusal_says_why(hubs: World) -> None:
    with hubs.warehouse() as con:
        reasons = con.execute(
            "select refusal_reason, count(*) from intermediate.int_identity_edges_judged"
            " group by all order by all"
        ).fetchall()
    assert reasons == [("too_many_devices", 10_000), ("too_many_emails", 50_000)]
