"""`regulars mcp`: what an assistant gets by the protocol, and what it cannot get or change."""

from __future__ import annotations

import json
import re
import sys
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.config import REPOSITORY
from ingestion.errors import UsageError
from orchestration.activation.person_now import explain_now
from orchestration.commands.assistant.command import answer_assistant
from orchestration.commands.tables import COLUMNS, list_tables
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from orchestration.published.reader import open_published
from orchestration.report.today import read_today
from orchestration.segments.draft import try_draft
from tests.orchestration.segments.published import HEAD, publish_few_buyers

anyio = pytest.importorskip("anyio")
mcp = pytest.importorskip("mcp", reason="the extra `mcp` is not installed")

from orchestration.commands.assistant.server import server_of  # noqa: E402
from orchestration.commands.assistant.tools import TOOLS, Asked  # noqa: E402

pytestmark = pytest.mark.slow

WHO = Path(__file__).parents[1] / "who" / "explained_shop.sql"
SHOWN = Path(__file__).parents[1] / "serve" / "pages" / "shown_shop.sql"
NOW = datetime(2026, 6, 1, 12)
PERSONAL = ("ann@shop.example", "old@", "bo@", "Ann", "Lee", "442079460000", "dev-1")
DRAFT = HEAD + "{{ members(all=[ordered()], none=[in_segment('vip')]) }}"
Call = tuple[str, dict[str, Any]]
Answer = tuple[str, bool]


def asked(home: Home, *, masked: bool = True) -> Asked:
    return Asked(home, masked, lambda: NOW)


async def _answers(client: Any, calls: list[Call]) -> list[Answer]:
    results = [await client.call_tool(name, arguments) for name, arguments in calls]
    return [(result.content[0].text, bool(result.is_error)) for result in results]


def ask(question: Asked, *calls: Call) -> list[Answer]:
    """The answers over memory streams: the text, and whether it is an error."""

    async def talk() -> list[Answer]:
        async with mcp.Client(server_of(question), mode="legacy") as client:
            return await _answers(client, list(calls))

    answers: list[Answer] = anyio.run(talk)
    return answers


def content_of(question: Asked, tool: str, **arguments: Any) -> dict[str, Any]:
    [(text, is_error)] = ask(question, (tool, arguments))
    assert not is_error, text
    content: dict[str, Any] = json.loads(text)
    return content


def refused(question: Asked, tool: str, **arguments: Any) -> str:
    [(text, is_error)] = ask(question, (tool, arguments))
    assert is_error, text
    assert "\n" not in text
    assert re.search(r"[.!?] \S", text), "what went wrong, then what to do"
    return text


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The shop that `explain` is tested on, with a store."""
    home = Home(tmp_path_factory.mktemp("assistant") / "home").create()
    with duckdb.connect(str(home.published)) as connection:
        connection.execute(WHO.read_text("utf-8"))
        connection.execute(SHOWN.read_text("utf-8"))
        connection.execute("comment on table marts.dim_customers is 'One row per person.'")
    with closing(open_store(home)):
        return home


@pytest.fixture(scope="module")
def buyers(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A shop with all that conditions read."""
    home = publish_few_buyers(Home(tmp_path_factory.mktemp("buyers") / "home").create())
    with closing(open_store(home)):
        return home


def ids(question: Asked) -> list[str]:
    sql = "select customer_id from marts.dim_customers order by order_count desc, customer_id"
    return [row[0] for row in content_of(question, "query", sql=sql)["rows"]]


def every_call(who: str) -> list[Call]:
    return [
        ("list_tables", {}),
        ("list_tables", {"containing": "person"}),
        ("describe_table", {"table": "dim_customers"}),
        ("query", {"sql": "from marts.dim_customers"}),
        ("query", {"sql": "from marts.bridge_customer_identifiers"}),
        ("explain_customer", {"who": who}),
        ("explain_customer", {"who": who, "part": "identifiers"}),
        ("todays_decisions", {}),
        ("todays_decisions", {"who": who}),
    ]


def test_the_tools_are_these_six_and_say_that_they_only_read(home: Home) -> None:
    async def talk() -> Any:
        async with mcp.Client(server_of(asked(home)), mode="legacy") as client:
            return await client.list_tools()

    tools = anyio.run(talk).tools
    assert [tool.name for tool in tools] == [
        *("list_tables", "describe_table", "query", "explain_customer", "todays_decisions"),
        "preview_segment",
    ]
    assert all(tool.annotations.read_only_hint for tool in tools)
    assert all(tool.input_schema["additionalProperties"] is False for tool in tools)


def test_tables_have_their_descriptions(home: Home) -> None:
    rows = content_of(asked(home), "list_tables")["rows"]
    assert [tuple(row) for row in rows] == list_tables(home)
    (customers,) = [row for row in rows if row[0] == "marts.dim_customers"]
    assert customers[2] == "One row per person."
    with open_published(home) as published:
        columns = published.execute(COLUMNS, ["marts.dim_customers"]).fetchall()
    described = content_of(asked(home), "describe_table", table="dim_customers")
    assert [tuple(row) for row in described["rows"]] == columns
    assert "Did you mean marts.dim_customers" in refused(
        asked(home), "describe_table", table="dim_customer"
    )


def test_masked_nobodys_name_or_address_is_in_any_answer(home: Home) -> None:
    masked, open_ = asked(home), asked(home, masked=False)
    who = ids(masked)[0]
    hidden = "".join(text for text, _ in ask(masked, *every_call(who)))
    shown = "".join(text for text, _ in ask(open_, *every_call("c1")))
    assert [value for value in PERSONAL if value in hidden] == []
    assert [value for value in PERSONAL if value not in shown] == []
    words = refused(masked, "explain_customer", who="ann@shop.example")
    assert "Identifiers are hashes here" in words
    assert "ann@" not in words


def test_unmasked_explain_is_what_the_command_tells(home: Home) -> None:
    explanation = json.loads(explain_now(home, "ann@shop.example", at=NOW).to_json())
    content = content_of(asked(home, masked=False), "explain_customer", who="ann@shop.example")
    assert content == explanation
    part = content_of(asked(home, masked=False), "explain_customer", who="c1", part="decisions")
    assert part == {"customer_id": "c1", "decisions": explanation["decisions"]}
    words = refused(asked(home, masked=False), "explain_customer", who="c1", part="secret")
    assert "The parts are customer_id" in words


@pytest.mark.parametrize("masked", [True, False])
def test_the_days_decisions_are_counted_by_segment_or_told_of_one_person(
    home: Home, masked: bool
) -> None:
    question = asked(home, masked=masked)
    with open_published(home) as published:
        today = json.loads(json.dumps([asdict(each) for each in read_today(published)]))
    content = content_of(question, "todays_decisions")
    assert (content["decided_for"], content["segments"]) == ("2026-06-01", today)
    assert {each["segment"] for each in today} == {"abandoned_cart", "vip"}
    person = content_of(question, "todays_decisions", who=ids(question)[0])
    (decision,) = person["decisions"]
    assert decision["decided_for"] == "2026-06-01"
    assert (decision["segment"], decision["outcome"]) == ("abandoned_cart", "deferred")


@pytest.mark.parametrize("masked", [True, False])
def test_a_draft_is_what_plan_says_of_it(buyers: Home, masked: bool) -> None:
    expected = json.loads(json.dumps(asdict(try_draft(buyers, "second_order", DRAFT, {}))))
    content = content_of(
        asked(buyers, masked=masked), "preview_segment", segment="second_order", draft=DRAFT
    )
    samples = content.pop("samples")
    assert (content["people"], content["reach"]) == (2, {"email": 1})
    if masked:
        assert {who for who, _ in samples} == {"Somebody without a name"}
    else:
        assert samples == expected["samples"]
    assert content == {key: value for key, value in expected.items() if key != "samples"}


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "copy (select 1) to '/tmp/regulars-stolen.csv'",
        "attach 'ops.sqlite' as ops",
        "select 1; drop table marts.dim_customers",
        "select getenv('HOME')",
        "select * from 'https://shop.example/a.parquet'",
    ],
)
def test_a_question_reaches_nothing_else(home: Home, sql: str) -> None:
    refused(asked(home, masked=False), "query", sql=sql)


@pytest.mark.parametrize(
    "draft",
    [
        HEAD + "{% include '/etc/passwd' %}",
        HEAD + "select * from read_csv('/etc/passwd')",
        HEAD + "{{ members(all=[orderd()]) }}",
        "drop table marts.dim_customers",
    ],
)
def test_a_draft_reaches_nothing_else(buyers: Home, draft: str) -> None:
    words = refused(asked(buyers), "preview_segment", segment="tried", draft=draft)
    assert "root:" not in words


def test_errors_quote_no_value(home: Home, buyers: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGULARS_TRACEBACK", raising=False)
    open_ = asked(home, masked=False)
    sql = "select cast(email as int) from marts.dim_customers where email is not null"
    as_reason = "select customer_id, cast(email as int) as reason, '{}' as context"
    text = f"{HEAD}{as_reason} from {{{{ ref('dim_customers') }}}}"
    for words in (
        refused(open_, "query", sql=sql),
        refused(asked(buyers, masked=False), "preview_segment", segment="tried", draft=text),
        refused(open_, "explain_customer", who="nobody@canary.example"),
        refused(open_, "query", sql="from canary@shop.example"),
        refused(open_, "preview_segment", segment="Canary'; drop", draft=DRAFT),
        refused(open_, "canary"),
        refused(open_, "query", canary="x"),
    ):
        assert "@" not in words.replace('at or near "@"', "")
        assert "canary" not in words.lower()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "The argument sql is missing."),
        ({"sql": ["select 1"]}, "The argument sql is no text."),
        ({"sql": "select 1", "more": "x"}, "There is an argument too many."),
        ({"sql": "x" * 20_001}, "more than 20,000 characters"),
    ],
)
def test_arguments_are_judged(home: Home, arguments: dict[str, Any], words: str) -> None:
    assert words in refused(asked(home), "query", **arguments)


def test_what_nobody_foresaw_is_told_by_its_kind(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_home: Home) -> list[Any]:
        raise ValueError("canary@shop.example")

    monkeypatch.setattr("orchestration.commands.assistant.tools.list_tables", fail)
    words = refused(asked(home), "list_tables")
    assert words == "This could not be answered (ValueError). Try another question."


def test_many_rows_are_cut_and_it_is_said(home: Home) -> None:
    content = content_of(asked(home, masked=False), "query", sql="select * from range(1000)")
    assert len(content["rows"]) == 200
    assert "not the whole answer" in content["cut_off"]


def test_no_tool_changes_the_store_or_what_is_published(home: Home, buyers: Home) -> None:
    def content() -> tuple[list[Any], bytes]:
        with closing(open_store(home)) as store, store.read() as connection:
            raw: Any = connection.connection
            return list(raw.iterdump()), home.published.read_bytes()

    files = {path.name for path in home.root.iterdir()}
    before = content()
    for question, who in ((asked(home), ids(asked(home))[0]), (asked(home, masked=False), "c1")):
        answers = ask(question, *every_call(who))
        assert not any(is_error for _, is_error in answers)
        ask(question, ("preview_segment", {"segment": "tried", "draft": DRAFT}))
    assert content() == before
    assert len(before[0]) > 20
    assert {path.name for path in home.root.iterdir()} - files <= {home.masked.name}


@pytest.mark.parametrize("masked", [True, False])
def test_an_empty_home_says_what_to_do_and_stays_empty(tmp_path: Path, masked: bool) -> None:
    question = asked(Home(tmp_path / "home"), masked=masked)
    calls = [*every_call("c1"), ("preview_segment", {"segment": "tried", "draft": DRAFT})]
    assert {name for name, _ in calls} == {tool.name for tool in TOOLS}
    for text, is_error in ask(question, *calls):
        assert is_error
        assert "Nothing is published" in text
        assert "regulars demo" in text
    assert not (tmp_path / "home").exists()


def test_a_lost_store_is_not_made_anew_to_mask(tmp_path: Path) -> None:
    home = publish_few_buyers(Home(tmp_path / "home").create())
    assert "no operational store" in refused(asked(home), "query", sql="select 1")
    assert not home.ops.exists()


def test_without_the_extra_the_command_says_what_to_install(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(UsageError, match="not installed") as error:
        answer_assistant(home, lambda: NOW, masked=True)
    assert "[mcp]" in str(error.value.hint)


def test_the_command_answers_over_its_own_input_and_output(home: Home, tmp_path: Path) -> None:
    command = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-m", "orchestration.cli", "mcp", "--home", str(home.root)],
        cwd=REPOSITORY,
    )

    async def talk(errors: Any) -> tuple[str, list[Answer]]:
        async with mcp.Client(mcp.stdio_client(command, errlog=errors)) as client:
            tools = await client.list_tools()
            sql = "select count(email) from marts.dim_customers where email like '%@%'"
            answers = await _answers(client, [("query", {"sql": sql}), ("list_tables", {})])
            return " ".join(tool.name for tool in tools.tools), answers

    log = tmp_path / "errors.txt"
    with log.open("w") as errors:
        names, ((count, is_error), _) = anyio.run(talk, errors)
    assert "query" in names
    assert (json.loads(count)["rows"], is_error) == ([[0]], False), "masked unless said"
    assert log.read_text("utf-8") == ""
