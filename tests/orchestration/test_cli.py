"""How the command ends: its exit code and its last words."""

from __future__ import annotations

import io
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration import cli
from orchestration.backup.keys import KEY_FILE
from orchestration.commands import backup
from orchestration.health import doctor
from orchestration.health.home_health import Check
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from orchestration.ops.unread_sources import mark_restored
from orchestration.scaffold import scaffold
from orchestration.words.plain_text import PlainConsole


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the command changes of its process is put back."""
    for name in doctor.TELEMETRY:
        monkeypatch.setenv(name, os.environ.get(name, doctor.TELEMETRY[name]))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    umask = os.umask(0o077)
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    os.umask(umask)


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of `regulars` with these arguments."""
    monkeypatch.setattr(sys, "argv", ["regulars", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code or 0  # type: ignore[return-value]


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("warning", 0), ("failed", 1)])
def test_what_the_doctor_finds_is_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: str, code: int
) -> None:
    monkeypatch.setattr(doctor, "diagnose", lambda *_, **__: [Check("disk", status, "Told.")])
    assert ended(monkeypatch, "doctor", "--home", str(tmp_path)) == code


@pytest.mark.parametrize(("address", "code"), [("ann@example.com", 0), ("", 1)])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_check_is_sound_where_a_run_would_not_stop(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    address: str,
    code: int,
    options: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    contacts = tmp_path / "in" / "contacts"
    contacts.mkdir(parents=True)
    (contacts / "a.csv").write_text(f"email,first_name\n{address},Ann\n", "utf-8")
    arguments = ("--input", "in", "--home", str(tmp_path / "home"), *options)
    assert ended(monkeypatch, "check", *arguments) == code


def test_ctrl_c_is_130_and_says_that_nothing_is_half_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "diagnose", stop)
    assert ended(monkeypatch, "doctor", "--home", str(tmp_path)) == 130
    assert "half-done" in capsys.readouterr().err


def test_a_full_disk_is_a_sentence_wherever_it_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(doctor, "diagnose", fill)
    assert ended(monkeypatch, "doctor", "--home", str(tmp_path)) == 1
    assert "Stopped: The disk is full." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("kind = 'flie'", "`flie`"),
        ("options = {formt = 'csv'}", "destinations.post.options.formt"),
    ],
)
@pytest.mark.parametrize("how", [[], ["--send"]])
def test_a_typo_in_a_destination_stops_the_run_before_it_starts(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    place: str,
    named: str,
    how: list[str],
) -> None:
    settings = tmp_path / "regulars.toml"
    settings.write_text(f"[destinations.post]\n{place}", "utf-8")
    monkeypatch.setenv("REGULARS_CONFIG", str(settings))
    home = tmp_path / "home"
    assert ended(monkeypatch, "run", *how, "--home", str(home)) == 2
    assert named in capsys.readouterr().err
    assert not home.exists()


def test_a_port_that_is_taken_is_told_and_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert ended(monkeypatch, "dev", "--port", port, "--home", str(tmp_path / "home")) == 2
    assert f"Port {port} cannot be used" in capsys.readouterr().err
    assert ended(monkeypatch, "dev", "--port", "99999", "--home", str(tmp_path / "home")) == 2
    assert not (tmp_path / "home").exists()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """What `regulars new` was asked to make: kind, name, area; nothing is written."""
    asked: list[tuple[str, str, str]] = []

    def note(kind: str, name: str, *, area: str = "", like: str = "") -> list[str]:
        asked.append((kind, name, area or like))
        return [f"Made {name}"]

    monkeypatch.setattr(scaffold, "scaffold", note)
    return asked


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("source", "points"), ("source", "points", "")),
        (("source", "points", "--api"), ("api source", "points", "")),
        (("model", "points", "--area", "value"), ("model", "points", "value")),
        (("segment", "loyal", "--like", "vip"), ("segment", "loyal", "vip")),
    ],
)
def test_new_makes_the_kind_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
    made: list[tuple[str, str, str]],
    arguments: tuple[str, ...],
    expected: tuple[str, str, str],
) -> None:
    assert ended(monkeypatch, "new", *arguments) == 0
    assert made == [expected]


class Terminal(io.StringIO):
    """Standard input of somebody who sits there."""

    def isatty(self) -> bool:
        return True


def test_new_model_asks_for_its_area_where_somebody_can_answer(
    monkeypatch: pytest.MonkeyPatch,
    made: list[tuple[str, str, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("web\n"))
    assert ended(monkeypatch, "new", "model", "points") == 0
    assert made == [("model", "points", "web")]
    assert "customers, " in capsys.readouterr().out


def test_new_model_without_an_area_says_which_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert ended(monkeypatch, "new", "model", "points") == 2
    assert "--area, one of: activity, " in capsys.readouterr().err


def test_the_key_of_backups_may_be_named_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(backup, "print_backup", lambda *arguments: asked.append(arguments[2]))
    for value in (str(tmp_path / "key"), ""):
        monkeypatch.setenv(KEY_FILE, value)
        assert ended(monkeypatch, "backup", str(tmp_path / "b.age"), "--home", str(tmp_path)) == 0
    assert asked == [tmp_path / "key", None]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--for-customer", "--why", "a", "b"), "no answer to --why"),
        (("a", "--for-customer", "--json"), "no answer to --json"),
        (("a", "--html", "x.html"), "--html is for the statement"),
    ],
)
def test_a_statement_says_which_option_does_not_go_with_it(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.setattr(cli, "err", PlainConsole(file=(stream := io.StringIO()), width=200))
    assert ended(monkeypatch, "explain", *arguments) == 2
    assert said in stream.getvalue()


def test_a_plan_of_a_restored_home_names_the_sources_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    claim(home, "shop")
    with open_store(home) as store:
        mark_restored(store, "2026-06-01T00:00:00", ["orders", "web"])
    monkeypatch.setattr(cli, "err", PlainConsole(file=(stream := io.StringIO()), width=400))
    assert ended(monkeypatch, "plan", "--home", str(home.root)) == 1
    said = stream.getvalue()
    assert "nothing was read since of orders and web" in said
    assert f"Run `regulars run --home {home.root}` first." in said
    assert "demo" not in said
