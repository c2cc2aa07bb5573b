"""The file of identity rules is the whole truth: what is taken out of it ends, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ingestion import pipelines
from ingestion.errors import SourceError

HEADER = "rule,type_a,value_a,type_b,value_b,reason\n"
TWINS = "must_link,email,a@a.example,email,b@a.example,one person\n"
OTHERS = "cannot_link,email,a@a.example,email,c@a.example,sisters\n"
TILL = "block,phone,+440000000000,,,the till\n"
FILE = "identity_rules.csv"


def in_force(shop: Any) -> set[str]:
    return {row[0] for row in shop.query("select rule from raw_identity_rules.identity_rules")}


@pytest.fixture
def ruled(shop: Any) -> Any:
    """A shop with two rules in force."""
    shop.write(FILE, HEADER + TWINS + TILL)
    shop.run("identity_rules")
    assert in_force(shop) == {"must_link", "block"}
    return shop


def test_a_rule_taken_out_of_the_file_is_no_longer_in_force(ruled: Any, make: Any) -> None:
    ruled.write(FILE, HEADER + OTHERS + TILL)
    count = ruled.run("identity_rules")["identity_rules"]
    assert make.four(count) == (2, 1, 0, 1)
    assert count.withdrawn == 1
    assert in_force(ruled) == {"cannot_link", "block"}


def test_a_rule_may_come_back(ruled: Any, make: Any) -> None:
    ruled.write(FILE, HEADER + TILL)
    ruled.run("identity_rules")
    ruled.write(FILE, HEADER + TWINS + TILL)
    assert make.four(ruled.run("identity_rules")["identity_rules"]) == (2, 1, 0, 1)
    assert in_force(ruled) == {"must_link", "block"}


def test_a_header_alone_ends_every_rule(ruled: Any) -> None:
    ruled.write(FILE, HEADER)
    assert ruled.run("identity_rules")["identity_rules"].withdrawn == 2
    assert in_force(ruled) == set()


@pytest.mark.parametrize(
    "content",
    [
        HEADER + "must_lnk,email,a@a.example,email,b@a.example,a typo\n" + TILL,
        HEADER + TILL + "must_link,email\n",
        "",
        "\n",
        "rule,type_a\n" + "block,phone\n",
        b"\xff\xfe\x00\x01",
    ],
    ids=["bad value", "broken line", "empty", "blank", "a column missing", "not text"],
)
def test_a_file_that_cannot_be_trusted_ends_no_rule(ruled: Any, content: str | bytes) -> None:
    ruled.write(FILE, content)
    # A file that cannot be read at all stops the run, and its rules stay in force as well
    with suppress(SourceError):
        ruled.run("identity_rules")
    assert in_force(ruled) == {"must_link", "block"}
    ruled.write(FILE, HEADER + TILL)
    ruled.run("identity_rules")
    assert in_force(ruled) == {"block"}


def test_an_absent_file_ends_no_rule(ruled: Any) -> None:
    Path(ruled.input / FILE).unlink()
    ruled.run("identity_rules")
    assert in_force(ruled) == {"must_link", "block"}


def test_a_line_that_stays_bad_keeps_the_old_rules(ruled: Any) -> None:
    bad = "must_lnk,email,a@a.example,email,b@a.example,a typo\n"
    ruled.write(FILE, HEADER + bad + TILL)
    ruled.run("identity_rules")
    ruled.write(FILE, HEADER + bad + TILL + OTHERS)
    ruled.run("identity_rules")
    assert in_force(ruled) == {"must_link", "block", "cannot_link"}


def test_a_kill_before_the_end_is_made_good_by_the_next_run(
    ruled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruled.write(FILE, HEADER + OTHERS + TILL)
    with monkeypatch.context() as killed:
        killed.setattr(pipelines, "write_ledger", _kill)
        with pytest.raises(KeyboardInterrupt):
            ruled.run("identity_rules")
    ruled.run("identity_rules")
    assert in_force(ruled) == {"cannot_link", "block"}


def test_no_other_source_forgets(shop: Any, make: Any) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1"), make.event("m2")))
    shop.run("web")
    shop.write("web/a.jsonl", make.lines(make.event("m1")))
    shop.run("web")
    assert shop.query("select count(*) from raw_web.events") == [(2,)]


def _kill(*_: object) -> None:
    raise KeyboardInterrupt
