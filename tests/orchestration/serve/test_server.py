"""The pages and Dagster behind one guard, really started: who gets in, and that nothing is left."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingestion.errors import UsageError
from orchestration.serve.guard import EDITOR, VIEWER
from orchestration.serve.listening import bind
from tests.browser.pages import developing, free_port

MUTATION = '{"query": "mutation { reloadWorkspace { __typename } }"}'
PERMISSIONS = '{"query": "{ permissions { permission value } }"}'
VERSION = '{"query": "{ version }"}'


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "example.com", "", "127.0.0.1.evil.example"]
)
def test_an_address_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="other machines"):
        bind(host, free_port())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_an_address_of_this_machine_listens(host: str) -> None:
    port = free_port()
    with bind(host, port) as listener:
        assert listener.getsockname()[1] == port


def test_a_port_that_is_taken_or_none_is_told() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} cannot be used"):
            bind("127.0.0.1", port)
    with pytest.raises(UsageError, match="there is no such port"):
        bind("127.0.0.1", 70_000)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@dataclass
class Served:
    """What `regulars dev` serves of an empty home, asked with the cookie of one role at most."""

    address: str
    cookie: str = ""

    @property
    def root(self) -> str:
        return self.address.partition("/?")[0]

    def enter(self) -> None:
        """Exchange the printed address for the cookie."""
        status, _ = self.ask(self.address.removeprefix(self.root))
        assert (status, self.cookie.startswith("regulars_")) == (303, True)

    def ask(self, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(
            self.root + path,
            data=None if body is None else body.encode(),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            self.cookie = self.cookie or (error.headers.get("set-cookie") or "").partition(";")[0]
            return error.code, error.read().decode()


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    home = tmp_path_factory.mktemp("served") / "home"
    before = _processes()
    with developing(home, free_port()) as addresses:
        yield {role: Served(address) for role, address in addresses.items()}
    left = {pid: line for pid, line in _processes().items() if pid not in before}
    assert [line for line in left.values() if str(home) in line or "dagster" in line] == []


def _processes() -> dict[str, str]:
    lines = (line.strip().partition(" ") for line in _ps("pid=,args="))
    return {pid: line for pid, _, line in lines if sys.prefix in line}


def _ps(columns: str) -> list[str]:
    command = ["ps", "-A", "-ww", "-o", columns]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture(scope="module")
def served(roles: dict[str, Served]) -> Served:
    return roles[EDITOR]


@pytest.mark.slow
def test_only_a_printed_address_leads_to_the_pages_and_dagster(served: Served) -> None:
    query = "/dagster/graphql?query=mutation%20%7B%20reloadWorkspace%20%7B%20__typename%20%7D%20%7D"
    json_here = {"content_type": "application/json", "origin": served.root}
    strangers = [
        served.ask("/"),
        served.ask("/dagster/"),
        served.ask(query, origin="http://evil.example"),
        served.ask(query, host="evil.example"),
        served.ask("/dagster/graphql", VERSION, **json_here),
        served.ask("/dagster/graphql", MUTATION, content_type="text/plain"),
        served.ask("/dagster/logs/a/out"),
    ]
    assert [status for status, _ in strangers] == [401, 401, 403, 403, 401, 415, 401]

    served.enter()
    status, first = served.ask("/", cookie=served.cookie)
    assert (status, "Nothing is published" in first) == (200, True)
    assert '<a href="/dagster/asset-groups">Dagster</a>' in first
    page = served.ask("/dagster/asset-groups", cookie=served.cookie)[1]
    assert "__NEXT_DATA__" in page
    assert "asset-graph-direction" in page
    script = re.findall(r'src="(/dagster/[^"]+\.js)"', page)[0]
    assert served.ask(script, cookie=served.cookie)[0] == 200
    status, text = served.ask("/dagster/graphql", VERSION, cookie=served.cookie, **json_here)
    assert status == 200
    assert "version" in json.loads(text)["data"]
    assert served.ask(query, cookie=served.cookie)[0] == 405
    assert served.ask("/dagster/graphql", MUTATION, cookie=served.cookie, **json_here)[0] == 200
    assert served.ask("/graphql", MUTATION, cookie=served.cookie, **json_here)[0] == 405


@pytest.mark.slow
def test_a_viewer_sees_dagster_and_may_change_nothing_there(roles: dict[str, Served]) -> None:
    viewer = roles[VIEWER]
    viewer.enter()
    asked = {"content_type": "application/json", "origin": viewer.root, "cookie": viewer.cookie}
    assert "__NEXT_DATA__" in viewer.ask("/dagster/runs", cookie=viewer.cookie)[1]
    assert viewer.ask("/dagster/graphql", MUTATION, **asked)[0] == 403
    status, text = viewer.ask("/dagster/graphql", PERMISSIONS, **asked)
    values = [each["value"] for each in json.loads(text)["data"]["permissions"]]
    assert (status, any(values)) == (200, False), "Dagster itself answers read-only as well"
    assert len(values) > 5


@pytest.mark.slow
@pytest.mark.parametrize("role", [VIEWER, EDITOR])
def test_a_websocket_changes_nothing(roles: dict[str, Served], role: str) -> None:
    """Dagster's own socket takes subscriptions only: a mutation there is an error."""
    served = roles[role]
    if not served.cookie:
        served.enter()
    with _websocket(served) as connection:
        _write(connection, {"type": "start", "id": "1", "payload": json.loads(MUTATION)})
        answer = _read(connection)
    assert answer["type"] == "error"
    assert "subscription" in json.dumps(answer).lower()


def _websocket(served: Served) -> socket.socket:
    host = served.root.removeprefix("http://")
    name, _, port = host.partition(":")
    connection = socket.create_connection((name, int(port)), timeout=30)
    lines = [
        "GET /dagster/graphql HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        f"Cookie: {served.cookie}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: graphql-ws",
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1)
    assert b" 101 " in head, head
    return connection


def _write(connection: socket.socket, message: dict[str, object]) -> None:
    text = json.dumps(message).encode()
    assert len(text) < 126
    connection.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)


def _read(connection: socket.socket) -> dict[str, object]:
    _, size = connection.recv(1), connection.recv(1)[0]
    if size == 126:
        size = int.from_bytes(connection.recv(2), "big")
    text = b""
    while len(text) < size:
        text += connection.recv(size - len(text))
    return dict(json.loads(text))


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.2, 2, 3.5])
def test_a_stop_during_the_start_ends_it_too(tmp_path: Path, seconds: float) -> None:
    command = [str(Path(sys.executable).with_name("regulars")), "dev", "--port", str(free_port())]
    process = subprocess.Popen(
        [*command, "--home", str(tmp_path / "home")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert any("token=" in line for line in process.stderr)  # read up to the address
    time.sleep(seconds)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert "Traceback" not in process.stderr.read()
    deadline = time.monotonic() + 20
    while (left := _living_members(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []


def _living_members(group: int) -> list[str]:
    """The processes of a group, without those that have ended and wait to be counted."""
    members = (line.split(maxsplit=2) for line in _ps("pgid=,stat=,args="))
    return [each[-1] for each in members if each[0] == str(group) and each[1][0] != "Z"]
