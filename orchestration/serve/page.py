"""Dagster's page as it comes, but for one preference that a new browser starts with, and viewers.

Belongs here: that preference, and that a viewer's questions are answered read-only, whatever they
are. Does not belong here: who is let in (guard.py), or starting and ending the web server
(server.py).

The groups of the graph follow one another, ten deep. From left to right, as Dagster draws them,
their names are three pixels high at 1440 x 900; from top to bottom they can be read. Whoever turns
the graph in its menu keeps what was chosen.
"""

from __future__ import annotations

import re
from typing import Any

from dagster._core.workspace.context import WorkspaceRequestContext
from dagster_webserver.webserver import DagsterWebserver
from starlette.requests import HTTPConnection, Request

from orchestration.serve.guard import EDITOR, ROLE

_NONCE = re.compile(r"'nonce-([0-9a-f]+)'")
_SCRIPT = (
    "const key = 'asset-graph-direction';"
    " if (localStorage.getItem(key) === null) localStorage.setItem(key, '\"vertical\"');"
)


class Page(DagsterWebserver[Any, Any]):
    """The web server, whose first answer draws the graph from top to bottom."""

    def _make_request_context(self, conn: HTTPConnection) -> WorkspaceRequestContext:
        """What a question is answered from; only an editor's may change something."""
        process = self._process_context
        return WorkspaceRequestContext(
            instance=process.instance,
            current_workspace=process.get_current_workspace(),
            process_context=process,
            version=process.version,
            source=conn,
            read_only=conn.scope.get(ROLE) != EDITOR,
        )

    def index_html_endpoint(self, request: Request) -> Any:
        """The page, with a script that its own security policy lets run."""
        response = super().index_html_endpoint(request)
        nonce = _NONCE.search(response.headers.get("Content-Security-Policy", ""))
        if nonce:
            script = f'<script nonce="{nonce[1]}">{_SCRIPT}</script>'
            body = response.body.decode().replace("<head>", f"<head>{script}", 1)
            response.body = body.encode()
            response.headers["Content-Length"] = str(len(response.body))
        return response
