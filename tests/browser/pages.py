"""Chromium for tests and for the pictures in docs/images: Debian's browser, driven by playwright.

Belongs here: opening pages and taking pictures. Does not belong here: what a page must show.
`python -m tests.browser.pages HOME [STOPPED]` takes the pictures again from a finished demo home
and, for the picture of a failed check, from one whose last run a check stopped.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from orchestration.serve.guard import DAGSTER, EDITOR, VIEWER

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGES = REPOSITORY / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def dagster(home: Path, port: int, *program: str) -> Iterator[str]:
    """`regulars dev`, or a program called like it, on this home: the editor's address."""
    with developing(home, port, *program) as addresses:
        yield addresses[EDITOR]


@contextmanager
def developing(home: Path, port: int, *program: str) -> Iterator[dict[str, str]]:
    """The same, with the address of each role. It ends as Ctrl-C ends it."""
    environment = {**os.environ, "REGULARS_HOME": str(home)}
    environment.pop("DAGSTER_HOME", None)
    command = program or (str(Path(sys.executable).with_name("regulars")), "dev")
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--home", str(home)],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        try:
            yield wait_for(process, said, port)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_for(
    process: subprocess.Popen[bytes], said: IO[str], port: int, seconds: float = 180
) -> dict[str, str]:
    """The printed addresses, once the server answers anything."""
    deadline = time.monotonic() + seconds
    printed = re.compile(rf"http://127\.0\.0\.1:{port}/\?token=\S+")
    while len(addresses := printed.findall(_read(said))) < 2:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}: {_read(said)}")
        if time.monotonic() > deadline:
            raise TimeoutError(_read(said))
        time.sleep(0.2)
    with suppress(urllib.error.HTTPError):  # a stranger is answered 401, and only once it is up
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=seconds)
    return dict(zip((VIEWER, EDITOR), addresses, strict=True))


def _read(said: IO[str]) -> str:
    said.seek(0)
    return said.read()


def base(address: str) -> str:
    """Dagster's address, for who has the cookie of a printed one."""
    return address.partition("/?")[0] + DAGSTER


@contextmanager
def browser(**options: Any) -> Iterator[Any]:
    """A page of Debian's Chromium; `options` go to the browser context."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = chromium.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        try:
            yield context.new_page()
        finally:
            chromium.close()


def accessibility_faults(page: Any) -> list[str]:
    """What axe finds on the page as it stands: how bad, which rule, and the first place."""
    from axe_playwright_python.sync_playwright import Axe

    violations = Axe().run(page).response["violations"]
    return [
        f"{each['impact']} {each['id']}: {each['nodes'][0]['html'][:120]}" for each in violations
    ]


def picture(page: Any, name: str, *, whole: bool = False) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(IMAGES / f"{name}.png"), full_page=whole)


def open_settled(page: Any, address: str, milliseconds: int = 4000) -> None:
    """Dagster keeps a socket open, so "network idle" never comes; wait for what is drawn."""
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_timeout(milliseconds)


def take_report(home: Path) -> None:
    address = (home / "published" / "report.html").resolve().as_uri()
    for name, options in {
        "report-desktop": {},
        "report-dark": {"color_scheme": "dark"},
        "report-phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
    }.items():
        with browser(**options) as page:
            page.goto(address)
            picture(page, name)
    take_today(home)


def take_today(home: Path) -> None:
    """The report's block of who gets what today, alone."""
    with browser(viewport={"width": 1100, "height": 900}) as page:
        page.goto((home / "published" / "report.html").resolve().as_uri())
        page.locator("section[aria-labelledby=today]").screenshot(path=IMAGES / "report-today.png")


PAGES = {
    "today": "/",
    "plans": "/plans",
    "segments": "/segments",
    "segment": "/segments/one_time_buyers",
    "customers": "/customers",
    "works": "/works",
    "products": "/products",
    "health": "/health",
}
SCREENS: dict[str, dict[str, Any]] = {
    "": {"viewport": {"width": 1100, "height": 800}},
    "-dark": {"viewport": {"width": 1100, "height": 800}, "color_scheme": "dark"},
    "-phone": {"viewport": {"width": 360, "height": 740}},
}


def take_served(home: Path) -> None:
    """Each page of `regulars serve`, on a desk in the light and in the dark, and on a phone."""
    with served_pages(home) as address:
        origin = address.partition("/?")[0]
        for ending, options in SCREENS.items():
            with browser(**options) as page:
                page.goto(address)
                for name, path in PAGES.items():
                    page.goto(f"{origin}{path}")
                    picture(page, f"pages-{name}{ending}")
                page.goto(f"{origin}/customer")
                page.locator("table.members a").first.click()
                page.get_by_role("heading", name="Timeline").wait_for()
                picture(page, f"pages-customer{ending}")


@contextmanager
def served_pages(home: Path) -> Iterator[str]:
    """The pages of a home, at the address that lets look."""
    from ingestion.settings_file import load_settings
    from orchestration.home.kind import take_settings
    from orchestration.home.layout import Home
    from orchestration.serve.guard import VIEWER
    from orchestration.serve.pages.server import Setup, pages_beside

    with socket.create_server(("127.0.0.1", 0)) as listener:
        root = Home(home)
        take_settings(root)
        with pages_beside(root, load_settings(), Setup(listener), lambda _: None) as addresses:
            yield addresses[VIEWER]


def take_dagster(home: Path) -> None:
    port = free_port()
    with dagster(home, port) as printed, browser() as page:
        page.goto(printed)
        address = base(printed)
        open_settled(page, address, 8000)
        picture(page, "dagster-first-screen")
        open_settled(page, f"{address}/asset-groups/", 10000)
        picture(page, "asset-graph")
        open_settled(page, f"{address}/runs", 4000)
        link = page.locator("a[href*='/runs/']").first
        target = link.get_attribute("href") or ""
        if match := re.search(r"/runs/[0-9a-f-]+", target):
            open_settled(page, f"{address}{match.group()}", 15000)
            picture(page, "run")


def take_failed_check(home: Path) -> None:
    with dagster(home, free_port()) as address, browser() as page:
        page.goto(address)
        open_settled(page, f"{base(address)}/assets/publish/candidate?view=checks", 9000)
        failed = page.get_by_text("breaker", exact=False).first
        if failed.count():
            failed.click()
            page.wait_for_timeout(3000)
        picture(page, "failed-check")


if __name__ == "__main__":
    take_report(Path(sys.argv[1]))
    take_served(Path(sys.argv[1]))
    take_dagster(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        take_failed_check(Path(sys.argv[2]))
