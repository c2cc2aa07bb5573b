"""A failure notice goes out with counts and names only, never into the house, and never raises."""

import json
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ingestion.config import Notify, Settings
from ingestion.errors import CheckFailedError
from orchestration.published.checks import CheckResult
from orchestration.run import notify
from orchestration.run.notify import Notice, send_notice

AS_OF = datetime.fromisoformat("2026-07-01")
CHECKS = [
    CheckResult("suite", "customers.no_repeated_ids", "marts.dim_customers", False, observed=3.0),
    CheckResult("suite", "fine", "marts.dim_customers", True, observed=0.0),
]


@pytest.fixture
def notice():
    error = CheckFailedError("3 people at canary@example.org share an id.", "Look at /secret/path.")
    return Notice.of("run1", AS_OF, error, CHECKS, ["load_klaviyo"])


@pytest.fixture
def receiver(monkeypatch):
    """A webhook receiver on this machine; answers with `status`."""
    got = []

    class Receiver(BaseHTTPRequestHandler):
        status = 204

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers["Host"], json.loads(body)))
            self.send_response(Receiver.status)
            if Receiver.status == 302:
                self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HOOK", f"http://localhost:{server.server_port}/hook?token=s3cret")
    yield Receiver, got
    server.shutdown()
    server.server_close()


SETTINGS = Settings(notify=Notify(webhook_url_env="HOOK"))


def test_nothing_is_sent_by_default(notice):
    assert send_notice(Settings(), notice) == {}


def test_the_webhook_receives_counts_and_names(notice, receiver, monkeypatch):
    monkeypatch.setenv(notify.ALLOW_PRIVATE, "1")
    assert send_notice(SETTINGS, notice) == {"webhook": "sent"}
    ((host, body),) = receiver[1]
    assert host.startswith("localhost:")
    assert body["failed_checks"] == [{"name": "customers.no_repeated_ids", "observed": 3.0}]
    assert body["error"] == "CheckFailedError"
    assert body["failed_steps"] == ["load_klaviyo"]
    assert "canary" not in json.dumps(body)
    assert "secret" not in json.dumps(body)


def test_a_receiver_in_the_house_is_refused(notice, receiver):
    assert send_notice(SETTINGS, notice) == {"webhook": "scheme"}
    assert receiver[1] == []


@pytest.mark.parametrize(("status", "word"), [(302, "status_302"), (500, "status_500")])
def test_redirects_and_errors_are_told_and_not_followed(
    notice, receiver, monkeypatch, status, word
):
    monkeypatch.setenv(notify.ALLOW_PRIVATE, "1")
    receiver[0].status = status
    assert send_notice(SETTINGS, notice) == {"webhook": word}
    assert len(receiver[1]) == 1


def test_a_variable_that_is_not_set_is_told(notice, monkeypatch):
    monkeypatch.delenv("HOOK", raising=False)
    assert send_notice(SETTINGS, notice) == {"webhook": "variable_not_set"}


def test_an_unreachable_receiver_does_not_raise(notice, monkeypatch):
    monkeypatch.setenv("HOOK", "http://127.0.0.1:9/")
    monkeypatch.setenv(notify.ALLOW_PRIVATE, "1")
    assert send_notice(SETTINGS, notice) == {"webhook": "ConnectError"}


def test_an_unreachable_mail_server_does_not_raise(notice):
    settings = Settings(notify=Notify(email_to="ops@example.org", smtp_port=9))
    assert send_notice(settings, notice)["email"] != "sent"


def test_an_email_says_the_same(notice, monkeypatch):
    sent = []

    class Server:
        def __init__(self, host, port, timeout):
            self.target = (host, port)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def send_message(self, message):
            sent.append((self.target, message))

    monkeypatch.setattr(notify.smtplib, "SMTP", Server)
    settings = Settings(notify=Notify(email_to="ops@example.org"))
    assert send_notice(settings, notice) == {"email": "sent"}
    ((target, message),) = sent
    assert target == ("localhost", 25)
    assert "customers.no_repeated_ids: 3" in message.get_content()
    assert "canary" not in message.as_string()


def test_a_header_cannot_be_smuggled_in(notice):
    settings = Settings(notify=Notify(email_to="a@example.org\r\nBcc: b@example.org"))
    assert send_notice(settings, notice) == {"email": "ValueError"}
