"""Every page answers who may see it, says nothing false of a small shop, and lets nothing in."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from ingestion.config import Settings
from orchestration.home.layout import Home
from orchestration.ops.store import has_store, open_store
from orchestration.serve.guard import EDITOR, VIEWER
from orchestration.serve.pages.server import Setup, pages_beside
from orchestration.serve.pages.site import PAGES
from orchestration.who.explain import explain

SHOP = (Path(__file__).parents[2] / "who" / "explained_shop.sql").read_text("utf-8")
MORE = Path(__file__).with_name("shown_shop.sql").read_text("utf-8")
NAME = "<script>alert(1)</script>"
# All that take no name; making every plan needs a shop with destinations (test_plans.py).
FIXED = [
    view.path
    for page in PAGES
    for view in page.views
    if "{" not in view.path and view.path != "/plans/waiting"
]


def publish(home: Home, *statements: str) -> None:
    """Swap in a published file of a small shop, changed by these statements."""
    beside = home.root / "next.duckdb"
    with duckdb.connect(str(beside)) as connection:
        for statement in (SHOP, MORE, *statements):
            connection.execute(statement)
    beside.replace(home.published)


@contextmanager
def open_pages(
    home: Home, settings: Settings | None = None, *, is_masked: bool = False
) -> Iterator[dict[str, httpx.Client]]:
    """A client in each role, and a stranger."""
    listener = socket.create_server(("127.0.0.1", 0))
    setup = Setup(listener, "Ada", is_masked)
    with pages_beside(home, settings or Settings(), setup, lambda _: None) as addresses:
        origin = addresses[VIEWER].partition("/?")[0]
        options: dict[str, Any] = {"base_url": origin, "trust_env": False, "timeout": 60}
        clients = {role: httpx.Client(**options) for role in (VIEWER, EDITOR, "stranger")}
        try:
            for role in (VIEWER, EDITOR):
                assert clients[role].get(addresses[role]).status_code == 303
            yield clients
        finally:
            for client in clients.values():
                client.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("pages"))
    publish(
        home,
        f"update marts.dim_customers set first_name = '{NAME}' where customer_id = 'c1'",
        f"update segments.seg_vip set reason = '{NAME}'",
    )
    return home


@pytest.fixture(scope="module")
def clients(home: Home) -> Iterator[dict[str, httpx.Client]]:
    with open_pages(home) as clients:
        yield clients


@pytest.mark.parametrize("path", [*FIXED, "/customer/c1", "/sql/today", "/style.css"])
def test_a_page_is_whole_and_no_stranger_sees_it(
    clients: dict[str, httpx.Client], path: str
) -> None:
    answer = clients[VIEWER].get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "<script" not in answer.text
    assert "style=" not in answer.text, "the policy would not let it in"
    assert clients["stranger"].get(path).status_code == 401


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({"Host": "shop.example"}, "/", 403),
        ({"Origin": "https://evil.example"}, "/", 403),
        ({"Sec-Fetch-Site": "cross-site"}, "/customer", 403),
        ({}, "/customer/../health", 400),
        ({}, "/customer/%2e%2e/health", 400),
        ({}, "//health", 400),
        ({}, "/segments/..%2f..%2fetc", 400),
        ({}, "/graphql", 404),
        ({}, "/nothing", 404),
        ({}, "/segments/nobody", 404),
        ({}, "/sql/../../site", 400),
        ({}, "/sql/site", 404),
    ],
)
def test_foreign_names_pages_and_paths(
    clients: dict[str, httpx.Client], headers: dict[str, str], path: str, status: int
) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in clients[EDITOR].cookies.items())
    # A client of its own: httpx would tidy the path up.
    connection = HTTPConnection("127.0.0.1", clients[EDITOR].base_url.port, timeout=30)
    with closing(connection):
        connection.request("GET", path, headers={"Cookie": cookie, **headers})
        assert connection.getresponse().status == status


@pytest.mark.parametrize("path", ["/dagster", "/dagster/", "/dagster/runs"])
def test_where_dagster_is_not_a_page_says_what_serves_it(
    clients: dict[str, httpx.Client], path: str
) -> None:
    answer = clients[VIEWER].get(path)
    assert (answer.status_code, "regulars dev serves both" in answer.text) == (404, True)
    assert "regulars dev" not in clients[VIEWER].get("/dagsters").text


def test_a_wrong_token_lets_nobody_in(clients: dict[str, httpx.Client]) -> None:
    assert clients["stranger"].get("/", params={"token": "t" * 43}).status_code == 401
    assert clients["stranger"].get("/", params={"token": ""}).status_code == 401


@pytest.mark.parametrize("path", [*FIXED, "/customer/c1"])
def test_nothing_but_a_form_is_posted(clients: dict[str, httpx.Client], path: str) -> None:
    here = {"Origin": str(clients[EDITOR].base_url).rstrip("/")}
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = clients[EDITOR].request(method, path, headers=here, data={"a": "b"})
        assert answer.status_code == 405


def test_a_name_with_html_is_a_name(clients: dict[str, httpx.Client]) -> None:
    page = clients[VIEWER].get("/customer/c1").text
    assert NAME not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("who", ["ann@shop.example", "020 7946 0000", "loyalty_id:77", "c0"])
def test_a_customer_is_found_by_any_identifier_and_the_address_names_none(
    clients: dict[str, httpx.Client], who: str
) -> None:
    answer = clients[VIEWER].get("/customer", params={"who": who})
    assert (answer.status_code, answer.headers["location"]) == (303, "/customer/c1")


def test_whoever_is_not_known_or_is_several_is_a_sentence_without_the_value(
    clients: dict[str, httpx.Client],
) -> None:
    unknown = clients[VIEWER].get("/customer", params={"who": "stranger@nowhere.example"})
    assert (unknown.status_code, "Nobody is known" in unknown.text) == (404, True)
    assert "stranger@" not in unknown.text
    several = clients[VIEWER].get("/customer", params={"who": "77"})
    assert (several.status_code, "2 people" in several.text) == (400, True)


def test_the_same_as_json_is_what_explain_prints(
    clients: dict[str, httpx.Client], home: Home
) -> None:
    answer = clients[VIEWER].get("/api/customers/ann@shop.example")
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == json.loads(explain(home, "ann@shop.example").to_json())
    assert clients[VIEWER].get("/api/customers/nobody@nowhere.example").status_code == 404


def test_an_empty_home_says_what_to_do(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    with open_pages(home) as clients:
        for path in ("/", "/segments", "/health"):
            answer = clients[VIEWER].get(path)
            assert (answer.status_code, "Nothing is published" in answer.text) == (200, True)
            assert "regulars" in answer.text
        publish(home)
        assert "New since yesterday" in clients[VIEWER].get("/").text


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    home.published.write_bytes(b"no database at all" * 1000)
    with open_pages(home) as clients:
        answer = clients[VIEWER].get("/health")
        assert (answer.status_code, "cannot be read" in answer.text) == (500, True)


def test_masked_pages_have_nobodys_name_or_address(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    publish(home)
    with open_store(home):
        pass
    with open_pages(home, is_masked=True) as clients:
        best = clients[VIEWER].get("/customer").text
        (ann,) = set(re.findall(r"/customer/(\w{32})", best))
        paths = [*FIXED, f"/customer/{ann}", f"/api/customers/customer_id:{ann}"]
        text = "".join(clients[VIEWER].get(path).text for path in paths)
        assert clients[VIEWER].get(f"/customer/{ann}").status_code == 200
        for value in ("ann@shop.example", "old@", "bo@", ">Ann", "Lee", "442079460000", "dev-1"):
            assert value not in text
        assert (
            clients[VIEWER].get("/customer", params={"who": "bo@shop.example"}).status_code == 404
        )


def test_masked_pages_make_no_store_where_there_is_none(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    publish(home)
    with open_pages(home, is_masked=True) as clients:
        answer = clients[VIEWER].get("/")
        assert (answer.status_code, "no operational store" in answer.text) == (500, True)
    assert not has_store(home)


def test_what_nobody_foresaw_is_a_sentence_without_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("REGULARS_TRACEBACK", raising=False)
    home = Home(tmp_path / "home")
    home.create()
    publish(
        home, "update segments.seg_vip set reason = 'canary-4711'", "drop table marts.fct_orders"
    )
    with open_pages(home) as clients:
        answer = clients[VIEWER].get("/health")
        assert (answer.status_code, "could not be shown" in answer.text) == (500, True)
        assert clients[VIEWER].get("/segments").status_code == 200
    printed = capfd.readouterr()
    assert "Traceback" not in printed.out + printed.err
