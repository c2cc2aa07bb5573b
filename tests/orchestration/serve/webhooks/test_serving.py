"""The real process: who is cut off, who is answered before it ends, and that there is only one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingestion.errors import UsageError
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.serve.webhooks.server import REQUEST_SECONDS
from tests.browser.pages import free_port
from tests.orchestration.serve.webhooks import calls
from tests.orchestration.serve.webhooks.calls import SECRETS
from tests.orchestration.serve.webhooks.serving import post, serve, wait_for

SETTINGS = """
[serve]
url_base = "https://hooks.shop.example"
[webhooks.sendgrid]
[webhooks.loyalty]
kind = "standard"
secret_env = "LOYALTY_SECRET"
folder = "consents"
"""
pytestmark = pytest.mark.slow


@contextmanager
def regulars_serve(root: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    settings = root.parent / "regulars.toml"
    settings.write_text(SETTINGS, "utf-8")
    program = [
        sys.executable,
        "-m",
        "orchestration.cli",
        "serve",
        "--port",
        str(port),
        "--pages",
        "0",
    ]
    process = subprocess.Popen(
        [*program, "--pages", "0", "--home", str(root)],
        env={**os.environ, **SECRETS, "REGULARS_CONFIG": str(settings)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def consent(number: int) -> calls.Sent:
    now = datetime.now(UTC).replace(tzinfo=None)
    person = calls.consent(f"person{number}@shop.example")
    return calls.standard([person], at=now, kept_id=f"msg_{number}")


def test_it_takes_webhooks_cuts_off_who_is_slow_and_ends_when_it_is_asked(tmp_path: Path) -> None:
    root, port = tmp_path / "home", free_port()
    with regulars_serve(root, port) as process:
        wait_for(port)
        waits: dict[str, float] = {}

        def be_slow(name: str, beginning: bytes, pause: float) -> None:
            began = time.monotonic()
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                connection.sendall(beginning)
                connection.settimeout(pause)
                while time.monotonic() - began < 30:
                    try:
                        if not connection.recv(1000):
                            break
                    except TimeoutError:
                        try:
                            connection.sendall(b"x")
                        except OSError:
                            break
                    except OSError:
                        break
            waits[name] = time.monotonic() - began

        head = b"POST /webhooks/sendgrid HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        whole = f"{head.decode()}Content-Length: 1000\r\n\r\n[".encode()
        slow = {"nothing": b"", "headers": head + b"X-Slow: ", "body": whole}
        threads = [
            threading.Thread(target=be_slow, args=(name, beginning, 1.0 if beginning else 60.0))
            for name, beginning in slow.items()
        ]
        for thread in threads:
            thread.start()
        assert post(port, consent(1)) == 202, "others are answered meanwhile"
        for thread in threads:
            thread.join()
        assert set(waits) == set(slow)
        assert all(seconds < REQUEST_SECONDS + 2 for seconds in waits.values()), waits

        answers: list[int] = []
        posting = threading.Thread(target=lambda: answers.append(post(port, consent(2))))
        posting.start()
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        posting.join()
        assert answers == [202], "whoever is being answered is answered to the end"
        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        said = process.stderr.read()
        assert "/webhooks/sendgrid: sendgrid" in said
        assert "Traceback" not in said
    assert len(list((root / "inbox").rglob("*.json"))) == 2


def test_a_home_has_one_of_them(tmp_path: Path) -> None:
    root, port = tmp_path / "home", free_port()
    with regulars_serve(root, port) as first:
        wait_for(port)
        with regulars_serve(root, free_port()) as second:
            assert second.wait(timeout=60) == 75
            assert second.stderr is not None
            assert "at work" in second.stderr.read()
        assert first.poll() is None


def test_the_pretend_shop_has_no_senders(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    claim(home, "demo", {"as_of": "2026-07-01T00:00:00"})
    with pytest.raises(UsageError, match="pretend shop"):
        serve(home.root, free_port())
