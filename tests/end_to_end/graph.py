"""What a browser asks of Dagster's page, asked as it does: GraphQL behind the guard.

Belongs here: getting in by the printed address, launching a job, waiting for its run. Does not
belong here: what must come of a run (the tests), starting the server (tests/browser/pages.py).
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

from orchestration.serve.guard import DAGSTER
from tests.browser.pages import base

LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
STATUS = """
query ($id: ID!) { runOrError(runId: $id) { ... on Run { status tags { key value } } } }
"""
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


class Graph:
    """Dagster's GraphQL at the address that `regulars dev` printed."""

    def __init__(self, address: str) -> None:
        self.root = base(address)
        try:
            urllib.request.build_opener(_NoRedirect).open(address, timeout=60)
        except urllib.error.HTTPError as answer:  # it sends on to the page, and gives the cookie
            self.cookie = (answer.headers.get("set-cookie") or "").partition(";")[0]

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer's data."""
        request = urllib.request.Request(
            f"{self.root}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={
                "Content-Type": "application/json",
                "Origin": self.root.removesuffix(DAGSTER),
                "Cookie": self.cookie,
            },
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            told: dict[str, Any] = json.load(answer)
        assert not told.get("errors"), told["errors"]
        data: dict[str, Any] = told["data"]
        return data

    def run(self, job: str, seconds: float = 900) -> dict[str, Any]:
        """Launch a job with nothing filled in on the launch pad; its run's status and our tags."""
        selector = {
            "repositoryLocationName": "regulars",
            "repositoryName": "__repository__",
            "jobName": job,
        }
        launched = self.ask(LAUNCH, params={"selector": selector, "runConfigData": {}})["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id = launched["run"]["runId"]
        deadline = time.monotonic() + seconds
        while (run := self.ask(STATUS, id=run_id)["runOrError"])["status"] not in ENDED:
            assert time.monotonic() < deadline, f"the run is still {run['status']}"
            time.sleep(0.5)
        tags = {tag["key"].removeprefix("regulars/"): tag["value"] for tag in run["tags"]}
        return {"status": run["status"], "tags": tags}
