""" "Materialize" and "Re-execute" in Dagster do what they say, on a home with a published file and
on a new one, and what does not reach the published file leaves it, ops and the world alone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.end_to_end.conftest import REPOSITORY, DemoHome, environment
from tests.end_to_end.test_bad_days import good_rows, write_orders

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2400)]  # a dozen runs of a whole home
Answers = dict[str, dict[str, Any]]
NOTHING = "Nothing was published: this selection does not reach publish/published."


@pytest.fixture(scope="module")
def told(demo_home: DemoHome, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    """What came of every selection of selections.py, on a copy of the demo and on a new home."""
    root = tmp_path_factory.mktemp("selections")
    shutil.copytree(demo_home.root, root / "demo", symlinks=True)
    folder = write_orders(root / "input", "a.csv", good_rows(0, 20))
    settings = (REPOSITORY / "regulars.toml").read_text("utf-8")
    own = root / "regulars.toml"
    own.write_text(settings.replace('input = ""', f'input = "{folder}"', 1), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.selections", root / "demo", root / "new", own],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env=environment(),
        check=False,
        timeout=2000,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Answers] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def on_demo(told: dict[str, Answers]) -> Answers:
    return told["published"]


@pytest.fixture(scope="module")
def on_new(told: dict[str, Answers]) -> Answers:
    return told["new"]


def is_unchanged(told: Answers, name: str, since: str = "at first") -> bool:
    """Nothing published, nothing sent, since another step."""
    return all(told[name][what] == told[since][what] for what in ("published", "delivered"))


@pytest.mark.parametrize(
    ("name", "since"),
    [
        ("one model", "at first"),
        ("a segment", "from failure"),
        ("one table of a source", "downstream"),
        ("activation alone", "downstream"),
        ("the report alone", "downstream"),
    ],
)
def test_what_does_not_reach_the_published_file_says_so(
    on_demo: Answers, name: str, since: str
) -> None:
    run = on_demo[name]
    assert run["success"], run["last"]
    assert run["last"].startswith(NOTHING)
    assert run["tags"]["published"] == "no"
    assert run["status"] == "unpublished"
    assert run["is_free"]
    assert is_unchanged(on_demo, name, since)


def test_tables_that_do_not_belong_together_are_not_published(on_demo: Answers) -> None:
    """One model was built again, and what is made of it was not."""
    for name in ("others are older", "all of it once more"):
        run = on_demo[name]
        assert not run["success"]
        assert "are older than what they are made of" in run["last"]
        assert "contactability" in run["last"]
        assert "run the job `refresh`" in run["last"]
        assert run["status"] == "failed"
        assert is_unchanged(on_demo, name)


def test_with_downstream_publishes_the_same_tables_as_of_the_same_moment(on_demo: Answers) -> None:
    run, before = on_demo["downstream"], on_demo["at first"]["published"]
    assert run["success"], run["last"]
    assert run["tags"]["published"] == "yes"
    assert run["status"] == "succeeded"
    build, own, as_of, file = run["published"]
    assert (build, as_of) == (before[0], before[2]), "the same tables, as of the same moment"
    assert own != before[1]
    assert file != before[3]
    assert run["tags"]["as_of"] == f"{as_of.removesuffix(':00')}Z"
    assert run["delivered"] == on_demo["at first"]["delivered"], "nobody asked to send"


def test_a_part_is_never_of_another_moment(on_demo: Answers) -> None:
    run = on_demo["another moment"]
    assert not run["success"]
    assert "a part of them cannot be of another moment. Leave `as_of` empty" in run["last"]
    assert is_unchanged(on_demo, "another moment", "downstream")
    for name in ("one table of a source", "activation alone", "the report alone"):
        assert on_demo[name]["tags"]["as_of"] == on_demo["one model"]["tags"]["as_of"], name


def test_publishing_alone_needs_a_candidate(on_demo: Answers, on_new: Answers) -> None:
    for run in (on_demo["published alone"], on_new["published"]):
        assert not run["success"]
        assert run["last"].startswith("There is no candidate to judge or publish.")
    assert is_unchanged(on_demo, "published alone", "downstream")


def test_from_failure_goes_on_with_the_candidate_and_its_audit(on_demo: Answers) -> None:
    stopped, last = on_demo["stopped"], on_demo["from failure"]
    assert not stopped["success"]
    assert stopped["last"].startswith("The disk is full. Make room and run again")
    assert stopped["published"] == on_demo["downstream"]["published"]
    assert stopped["status"] == "failed"
    assert "publish__published" in last["steps"]
    assert not {"audit", "publish__candidate", "models"} & set(last["steps"])
    assert last["success"], last["last"]
    assert last["published"][1] != on_demo["downstream"]["published"][1]
    assert last["status"] == "succeeded"


def test_a_failed_check_carries_the_sentence_and_so_does_the_last_event(on_demo: Answers) -> None:
    for name in ("a check stops", "the check stops again"):
        run = on_demo[name]
        assert not run["success"]
        failed = {check: words for check, (passed, words) in run["checks"].items() if not passed}
        assert any("customer_id" in words for words in failed.values()), failed
        first = run["last"].partition(" [")[0]
        assert any(first in words for words in failed.values()), (first, failed)
        assert "Nothing was published" in run["last"]
        assert "Traceback" not in run["last"]
        assert run["published"] == on_demo["from failure"]["published"]
    again = on_demo["the check stops again"]
    assert "audit" in again["steps"]
    assert "publish__candidate" not in again["steps"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("model", "No model can be built yet: ops/run_context"),
        ("candidate", "Nothing can be published: "),
        ("activation", "Nothing is published in "),
        ("model without its parents", "which come before, are not. Materialize what comes before"),
    ],
)
def test_on_a_new_home_a_part_says_what_it_lacks(on_new: Answers, name: str, words: str) -> None:
    run = on_new[name]
    assert not run["success"]
    assert words in run["last"]
    assert run["published"] == []
    assert run["delivered"] == []
    assert run["is_free"]


def test_on_a_new_home_one_table_of_a_source_is_read(on_new: Answers) -> None:
    run = on_new["source"]
    assert run["success"], run["last"]
    assert run["last"].startswith(NOTHING)
    assert run["tags"]["rows"] == "20"
    assert on_new["what ops knows"]["success"], on_new["what ops knows"]["last"]
