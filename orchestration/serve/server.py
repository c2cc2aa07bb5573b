"""The pages and Dagster's web server, daemon and code server as one command that leaves nothing.

Belongs here: what `dagster dev` does, with the guard before the web server and the pages beside it.
Does not belong here: who is let in (guard.py), what is on a page (pages/). Both answer in this
process behind the guard, Dagster under `DAGSTER`, so no second port is open; the code server
listens on sockets that only their owner may open.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
from starlette.types import ASGIApp, Receive, Scope, Send

from ingestion.config import REPOSITORY, Settings
from ingestion.errors import BusyError
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.home.workers import is_alive, process_mark
from orchestration.host.launch import is_prepared, point_at, prepare
from orchestration.host.terminal import SERVING
from orchestration.serve.guard import DAGSTER, EDITOR, VIEWER, Guard, is_dagsters
from orchestration.serve.listening import origin_of
from orchestration.serve.pages.server import Setup, addresses_of, new_tokens
from orchestration.serve.pages.site import Site

FIRST_PAGE = f"{DAGSTER}/asset-groups"
POLL_MILLISECONDS = 2000
STOP_SECONDS = 30.0
WORKSPACE = REPOSITORY / "workspace.yaml"
READY_SECONDS = 4.0  # for a run that makes a new home ready at this moment; then it is busy


def serve(
    home: Home,
    settings: Settings,
    setup: Setup,
    say: Callable[[str], None],
    workspace: Path = WORKSPACE,
) -> None:
    """Serve the pages and Dagster until Ctrl-C or SIGTERM; says the addresses that let in.

    Args:
        home: whose figures and runs.
        settings: the shop's.
        setup: where both answer, and for whom.
        say: takes what there is to say.
        workspace: the file that names the definitions.
    """
    tokens = new_tokens()
    os.environ["GRPC_VERBOSITY"] = "ERROR"  # its farewells at the end are no news
    os.environ["DAGSTER_IS_DEV_CLI"] = os.environ[SERVING] = "1"
    os.chdir(REPOSITORY)
    _make_ready(home, say)
    addresses = addresses_of(setup.listener, tokens)
    say(
        "The pages and Dagster open in a moment.\n"
        f"To look at:               {addresses[VIEWER]}\n"
        f"To change something, too: {addresses[EDITOR]}\n"
        f"With either of them open, Dagster is at {origin_of(setup.listener)}{FIRST_PAGE}\n"
        "Each address lets in whoever has it, until Ctrl-C stops this."
    )
    started: list[str] = []
    try:
        with (
            closing(
                Site(home, settings, setup.by, is_masked=setup.is_masked, dagster=FIRST_PAGE)
            ) as site,
            ExitStack() as stack,
        ):
            try:
                _serve(stack, site, setup.listener, tokens, workspace)
            finally:
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_IGN)  # the ending is not interrupted
                started += _children()
    except KeyboardInterrupt:
        pass
    finally:
        _end(started)


def _make_ready(home: Home, say: Callable[[str], None]) -> None:
    """Make Dagster's folder ready; a run that is at work has done so, and is not waited for.

    Raises:
        BusyError: another process holds a home that is not ready yet.
    """
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with lock.hold(home.lock):
                prepare(home)
                from dagster import DagsterInstance

                with DagsterInstance.get():
                    return
        except BusyError as busy:
            if is_prepared(home):
                point_at(home)
                say(f"{busy.message} What is started here meanwhile waits for it.")
                return
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.2)


def _serve(
    stack: ExitStack,
    site: Site,
    listener: socket.socket,
    tokens: Mapping[str, str],
    definitions: Path,
) -> None:
    import uvicorn
    from dagster import DagsterInstance
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget

    instance = stack.enter_context(DagsterInstance.get())
    # While the code server starts in its own process, this one reads the web server's modules.
    with ThreadPoolExecutor(1) as early, _stopped_at_once():
        web = early.submit(import_module, "orchestration.serve.page")
        workspace = stack.enter_context(_code_server(instance, definitions))
        stack.callback(_stop_runs, instance)
        stack.enter_context(_daemon(instance, workspace))
        context = stack.enter_context(
            WorkspaceProcessContext(
                instance,
                workspace_load_target=WorkspaceFileTarget([str(workspace)]),
                code_server_log_level="warning",
            )
        )
    dagster = web.result().Page(context, DAGSTER, POLL_MILLISECONDS).create_asgi_app()
    app = _both(site.app(), dagster)
    config = uvicorn.Config(
        Guard(
            app,
            listener.getsockname()[1],
            tokens,
            site.forms,
            has_dagster=True,
            refused=site.note_refusal,
        ),
        log_level="warning",
        access_log=False,  # addresses carry the token once
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        lifespan="off",
    )
    uvicorn.Server(config).run(sockets=[listener])


def _both(site: ASGIApp, dagster: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        behind = dagster if is_dagsters(scope["path"]) else site
        await behind(scope, receive, send)

    return answer


@contextmanager
def _stopped_at_once() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM kill what is being started: it has nothing to save yet.

    Dagster would ask a code server that still reads our modules to end, and that prints where it
    was. SIGTERM does here what Ctrl-C does (orchestration/home/interrupts.py).
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        _kill_descendants()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _kill_descendants() -> None:
    """Kill all processes below this one; halted first, so that none starts another meanwhile."""
    halted: dict[int, psutil.Process] = {}
    while new := [each for each in _descendants() if each.pid not in halted]:
        for process in new:
            halted[process.pid] = process
            with suppress(psutil.Error):
                process.suspend()
    for process in halted.values():
        with suppress(psutil.Error):
            process.kill()


@contextmanager
def _code_server(instance: Any, definitions: Path) -> Iterator[Path]:
    """The process that loads our definitions, and a workspace file that says where it is."""
    import tempfile

    import yaml
    from dagster._cli.proxy_server_manager import ProxyServerManager
    from dagster._core.workspace.load_target import WorkspaceFileTarget

    target = WorkspaceFileTarget([str(definitions)])
    with (
        ProxyServerManager(instance, target, code_server_log_level="warning") as manager,
        tempfile.TemporaryDirectory() as folder,
    ):
        path = Path(folder) / "workspace.yaml"
        specs = [dict(spec) for spec in manager.get_code_server_specs()]
        path.write_text(yaml.safe_dump({"load_from": specs}), "utf-8")
        yield path


@contextmanager
def _daemon(instance: Any, workspace: Path) -> Iterator[None]:
    """The process that looks after schedules, sensors and the queue of runs."""
    from dagster_shared.ipc import get_ipc_shutdown_pipe, send_ipc_shutdown_message
    from dagster_shared.serdes import serialize_value

    reading, writing = get_ipc_shutdown_pipe()
    command = [sys.executable, "-m", "dagster._daemon", "run", "--log-level", "warning"]
    command += ["--shutdown-pipe", str(reading), "--instance-ref"]
    command += [serialize_value(instance.get_ref()), "--code-server-log-level", "warning"]
    # Away from the terminal's Ctrl-C: it is told to end through the pipe, once it can listen.
    process = subprocess.Popen(
        [*command, "--workspace", str(workspace)], pass_fds=[reading], start_new_session=True
    )
    os.close(reading)
    try:
        yield
    finally:
        with suppress(OSError):
            send_ipc_shutdown_message(writing)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOP_SECONDS)


def _stop_runs(instance: Any) -> None:
    """End the runs that the page started; the code server would wait for them for hours."""
    from dagster import RunsFilter
    from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

    for run in instance.get_runs(RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES)):
        with suppress(Exception):  # one that cannot be asked is ended with its process
            instance.run_launcher.terminate(run.run_id)


def _end(marks: list[str]) -> None:
    """Wait for the marked processes, which were asked to end, and make those that do not."""
    deadline = time.monotonic() + STOP_SECONDS
    while any(map(is_alive, marks)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for mark in filter(is_alive, marks):
        with suppress(ProcessLookupError):
            os.kill(int(mark.partition(":")[0]), signal.SIGKILL)


def _children() -> list[str]:
    """The marks of all processes below this one."""
    return [mark for process in _descendants() if (mark := process_mark(process.pid))]


def _descendants() -> list[psutil.Process]:
    return list(psutil.Process().children(recursive=True))
