"""What a segment's file says wrongly: one sentence with the file and the nearest right word; and
hostile arguments, which are refused or stay a literal.

Belongs here: arguments, files, circles. Does not belong here: who a condition holds for.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingestion.config import REPOSITORY
from ingestion.errors import RegularsError, UsageError
from orchestration.segments.files import check_segment_files, check_segment_texts
from orchestration.segments.rendering import condition_names
from tests.orchestration.segments.published import HEAD, Published

WRONG = {
    "all=[ordered(at_lest=2)]": 'no argument "at_lest"; did you mean at_least?',
    "all=[orderd()]": "there is no orderd; did you mean ordered?",
    "all=[ordered(2)]": "a value without a name; write ordered(at_least=…",
    "all=[ordered(at_least='2')]": 'the value "2", which is no whole number',
    "all=[ordered(at_least=true)]": 'a whole number from 1, not "True"',
    "all=[ordered(at_least=0)]": 'a whole number from 1, not "0"',
    "all=[ordered(at_least=-1)]": 'a whole number from 1, not "-1"',
    "all=[ordered(at_least=2.5)]": 'a whole number from 1, not "2.5"',
    "all=[ordered(at_least=['2'])]": "a whole number from 1",
    "all=[ordered(at_least=10 ** 9)]": "1000000 is the most",
    "all=[ordered(at_least='loyal_min_order')]": "did you mean loyal_min_orders?",
    "all=[ordered(within_days='loyal_min_orders')]": "which is no whole number",
    "all=[ordered(gift='yes')]": 'must be true or false, not "yes"',
    "all=[abandoned(what='crat')]": "did you mean cart?",
    "all=[abandoned()]": "abandoned() needs the argument what",
    "all=[abandoned(what='cart', within_days=90)]": "goes back 7 days",
    "all=[abandoned(what='cart', after_hours=200)]": "goes back 168 hours",
    "all=[among_best(share=2)]": "a number above 0, up to 1",
    "all=[among_best(share=0)]": "a number above 0, up to 1",
    "all=[contactable(channel='emial')]": "did you mean email?",
    "all=[signed_up(source=[])]": "a list of up to 50 texts",
    "all=[signed_up(source=' ')]": "a text of 1 to 200 characters",
    "all=[signed_up(source=5)]": "a text or a list of up to 50 texts",
    "all=[last_order()]": "last_order() needs within_days or older_than_days",
    "all=[ordered(at_least=var('loyal'))]": 'no variable "loyal"',
    "all=[ordered(at_least=nothing)]": "a value that is not defined",
    "all=[in_segment('vp')]": "did you mean vip?",
    "all=[in_segment('tried')]": "a segment cannot be a condition of itself",
    "all=['ordered']": "which is no condition",
    "all=[ordered]": "which is no condition",
    "all=ordered()": "must be a list of conditions",
    "all=5": "must be a list of conditions",
    "al=[ordered()]": 'members() has no argument "al"; did you mean all?',
    "": "members() has no condition",
    "all=[any_of()]": "any_of needs one condition or more",
    "all=[ordered()], context='buyr'": "did you mean buyer?",
    "all=[ordered()], context='buyer', reason='{valu}'": "did you mean value?",
    "all=[ordered()], reason='{value}'": "no context has words for it",
    "all=[ordered()], context='buyer', fields=['prduct']": "did you mean product?",
    "all=[ordered()], fields=['product']": "fields and no context",
    "all=[ordered()": "unexpected",
}


@pytest.mark.parametrize("conditions", WRONG)
def test_what_is_wrong_is_one_sentence_before_any_work(conditions: str) -> None:
    texts = {"tried": HEAD + "{{ members(" + conditions + ") }}", "vip": "select 1"}
    with pytest.raises(UsageError) as caught:
        check_segment_texts(texts, {})
    assert WRONG[conditions] in caught.value.message
    assert caught.value.message.startswith("models/segments/seg_tried.sql")
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_the_segments_that_there_are_say_nothing_wrong() -> None:
    check_segment_files({})


def test_what_a_file_must_say_of_itself_is_asked_too() -> None:
    with pytest.raises(UsageError, match="says no channel"):
        check_segment_texts({"tried": "{{ members(all=[ordered()]) }}"}, {})


def test_a_circle_is_named() -> None:
    one = HEAD + "{{ members(all=[in_segment('%s')]) }}"
    texts = {"a": one % "b", "b": one % "c", "c": one % "b", "d": one % "a"}
    with pytest.raises(UsageError, match="b → c → b"):
        check_segment_texts(texts, {})


TEXTS = [
    "'; drop table marts.fct_orders; --",
    "' or 1=1 --",
    "''''",
    "$$select 1$$",
    'a" or "b',
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{loyal_min_orders}",
    "/etc/passwd",
    "../../../etc/passwd",
    "read_csv('/etc/passwd')",
    "' || (select email from marts.dim_customers limit 1) || '",
    "') union all select email, 'x' from marts.dim_customers --",
    "\u202eevil",
    "emoji 🙂",
    "%s%s%n",
    "${HOME}",
    "ＳＥＬＥＣＴ",
    "x" * 200,
]
CODE = [
    "''.__class__.__mro__[1].__subclasses__()",
    "ordered.__globals__",
    "config.__self__",
    "var.__func__.__globals__",
    "self._TemplateReference__context",
    "cycler.__init__.__globals__.os.system('true')",
    "lipsum.__globals__['os'].popen('true').read()",
    "context.__init__",
    "adapter._macros",
    "graph._environment",
    "graph.render_file('/etc/passwd')",
    "ref('../../etc/passwd')",
    "ref('secrets')",
    "range(10 ** 10) | list",
    "[1] * 10 ** 12",
    "namespace(a=1)",
    "joiner",
    "none",
    "{}",
    "{'a': 1}",
    "[[1]]",
    "1 / 0",
    "0.1 + 0.2",
    "-0.0",
]
BAD_TEXTS = ["a\\b", "\\' or 1=1 --", "a\x00b", "a\nb", "a\x1b[31m", "x" * 201, "", "   "]
PLACES = [
    "signed_up(source={})",
    "signed_up(source=[{}, 'b'])",
    "ordered(store={})",
    "ordered(at_least={})",
    "ordered(within_days={})",
    "ordered(sales_channel={})",
    "ordered(gift={})",
    "last_order(older_than_days={})",
    "among_best(share={})",
    "contactable(channel={})",
    "abandoned(what={})",
    "in_segment({})",
    "visited(marketing_channel={})",
]
_WRITTEN = [*map(repr, [*TEXTS, *BAD_TEXTS]), *CODE]
HOSTILE = [call.format(value) for call, value in itertools.product(PLACES, _WRITTEN)]


@pytest.fixture(scope="module")
def shop() -> Iterator[Published]:
    shop = Published()
    shop.buyer("buyer", 10)
    shop.connection.execute("set enable_external_access = false")
    yield shop


def test_hostile_arguments_are_refused_or_stay_a_literal(
    shop: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(HOSTILE) >= 500
    refused = bound = 0
    before = shop.trial.rows("from marts.fct_orders")
    for call in HOSTILE:
        try:
            people = shop.members(f"all=[ordered(), {call}]")
        except UsageError:
            refused += 1
        else:
            bound += 1
            assert people <= {"buyer"}
    assert refused > 400
    assert bound >= len(TEXTS)
    assert shop.trial.rows("from marts.fct_orders") == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_found_as_it_is_written(shop: Published, text: str) -> None:
    shop.add("fct_sign_ups", customer_id="buyer", source=text.strip(), is_first=True)
    assert shop.members(f"all=[signed_up(source={text!r})]") == {"buyer"}
    assert shop.members("all=[signed_up(source='another')]") == set()
    shop.connection.execute("delete from marts.fct_sign_ups")


SQL = [
    "select 'x' as customer_id; drop table marts.fct_orders",
    "copy marts.fct_orders to 'stolen.csv'",
    "attach 'other.duckdb'",
    "select * from read_csv('/etc/passwd')",
    "select * from '/etc/passwd'",
    "install httpfs",
    "insert into marts.fct_orders select * from marts.fct_orders",
    "pragma database_list",
    "select query('drop table marts.fct_orders')",
    "set threads = 1",
]


@pytest.mark.parametrize("sql", SQL)
def test_a_draft_in_sql_asks_and_does_nothing(
    shop: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((RegularsError, duckdb.Error)):
        shop.trial.run("tried", HEAD + sql)
    assert list(tmp_path.iterdir()) == []
    assert shop.trial.rows("select count(*) as n from marts.fct_orders") == [{"n": 1}]


def test_every_condition_can_be_asked_wrongly() -> None:
    for name in condition_names():
        text = HEAD + "{{ members(all=[" + name + "(no_such_argument=1)]) }}"
        with pytest.raises(UsageError, match=r"no_such_argument|without a name"):
            check_segment_texts({"tried": text}, {})


def test_a_draft_needs_no_dbt_and_no_dagster() -> None:
    code = (
        "import sys; import orchestration.commands.draft;"
        "print(sorted({'dbt', 'dlt', 'dagster', 'great_expectations'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
