"""A kept fake says the same in every process, and after all of them are gone."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from orchestration.destinations import PRETEND_URL, kinds
from orchestration.fakes import names, pretend
from orchestration.fakes.kept import Kept, KeptClock
from orchestration.fakes.klaviyo import create
from orchestration.fakes.klaviyo.calls import CALLS
from orchestration.fakes.server import answering
from tests.orchestration.fakes.klaviyo_calls import HEADERS, importing, person


def kept(file: Path) -> Kept:
    """A fake as another process would have it."""
    clock = KeptClock()
    fake = create(1, clock)
    fake.account.job_seconds = 0
    return Kept(answering(fake), clock, file)


def ask(app: Kept, call: str, body: Any = None) -> httpx.Response:
    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=PRETEND_URL) as client:
            named = CALLS[call]
            content = None if body is None else json.dumps(body).encode()
            return await client.request(named.method, named.path, content=content, headers=HEADERS)

    return asyncio.run(answer())


def profiles(app: Kept) -> list[str]:
    """The addresses that the account has, with a property of each."""
    said = ask(app, "profiles").json()["data"]
    return sorted(f"{p['attributes']['email']} {p['attributes']['properties']}" for p in said)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "klaviyo.jsonl"


def test_another_process_has_what_the_first_one_was_told(file: Path) -> None:
    first, second = kept(file), kept(file)
    assert ask(first, "import", importing(person(1, vip="yes"))).status_code == 202
    assert ask(second, "import", importing(person(1, vip="no"), person(2))).status_code == 202
    said = profiles(first)
    assert [each.split()[0] for each in said] == ["p1@example.com", "p2@example.com"]
    assert "'no'" in said[0], "the order is that of the file"
    assert said == profiles(second) == profiles(kept(file))
    ids = [[p["id"] for p in ask(app, "profiles").json()["data"]] for app in (first, kept(file))]
    assert ids[0] == ids[1]


def test_what_changes_nothing_is_not_kept_and_the_file_is_its_owners(file: Path) -> None:
    app = kept(file)
    ask(app, "profiles")
    refused = ask(app, "import", {"data": {}})
    assert refused.status_code >= 400
    assert not file.exists()
    ask(app, "import", importing(person(1)))
    assert len(file.read_text().splitlines()) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_line_that_was_cut_off_was_never_answered_and_is_written_over(file: Path) -> None:
    ask(kept(file), "import", importing(person(1)))
    whole = file.read_bytes()
    ask(kept(file), "import", importing(person(2)))
    file.write_bytes(file.read_bytes()[: len(whole) + 40])
    app = kept(file)
    assert len(profiles(app)) == 1
    ask(app, "import", importing(person(3)))
    assert [each.split()[0] for each in profiles(kept(file))] == [
        "p1@example.com",
        "p3@example.com",
    ]
    assert all(json.loads(line) for line in file.read_text().splitlines())


def test_a_throttle_goes_by_the_time_of_each_line(file: Path) -> None:
    burst = CALLS["import"].burst
    for number in range(burst + 2):
        lines = file.read_text() if file.exists() else ""
        answer = ask(kept(file), "import", importing(person(number)))
        if answer.status_code == 429:  # a fast machine: the same second
            assert file.read_text() == lines
    kept_lines = len(file.read_text().splitlines())
    assert len(profiles(kept(file))) == kept_lines


def test_the_pretend_shops_accounts_are_served_when_they_are_called(tmp_path: Path) -> None:
    found = {kind: pretend.account_for(kind, tmp_path) for kind in kinds()}
    assert {each.name for each in found.values() if each} <= set(names())
    assert found["file"] is None
    klaviyo, meta = found["klaviyo"], found["meta_ads"]
    assert klaviyo and meta and (klaviyo.name, meta.name) == ("klaviyo", "meta")
    assert klaviyo.credentials == {"KLAVIYO_API_KEY": "pk_fake"}
    assert not (tmp_path / "accounts").exists(), "nobody has called"
    assert pretend.holding(klaviyo)["profiles"] == 0
    assert pretend.account_for("klaviyo", tmp_path) is klaviyo
    assert httpx.post(f"{klaviyo.address}/_faults", json={"kind": "503"}).status_code == 404
