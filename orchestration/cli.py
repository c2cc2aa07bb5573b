"""The `regulars` command.

Belongs here: arguments, exit codes and what a person reads at a terminal. Does not belong here:
anything a test or Dagster would want to call; each command hands over to its module at once. Heavy
imports happen inside commands, so that `--help` is quick.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ingestion.errors import RegularsError, UsageError, of_the_machine
from ingestion.vocabulary import CHANNELS, PURPOSES, or_list
from orchestration.home import lock
from orchestration.home.interrupts import end_as_by_ctrl_c
from orchestration.home.kind import in_words, is_demo, refuse_input, take_settings
from orchestration.home.layout import DEMO_HOME, SHOP_HOME, Home
from orchestration.words.plain_text import PlainConsole

app = typer.Typer(
    name="regulars",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Treat every customer like a regular.

Regulars pulls a shop's email, web and order data into DuckDB, works out who is who, what each \
person is worth, where they are on their way and what they permitted, checks it all, and sends \
every channel exactly the people it may and should talk to.

[bold]Start here[/bold]

  regulars demo                 the whole product on a pretend shop
  regulars check --input DIR    what your own files are taken for (docs/formats.md)
  regulars run --input DIR      a run over them
  regulars plan                 who would get what, who is held back, and why
  regulars sync                 send it

[bold]Exit codes[/bold]  0 done · 1 failed · 2 bad usage or no readable input · 75 busy
""",
)
consent_app = typer.Typer(
    no_args_is_help=True, help="Record a permission given or withdrawn, or export all of them."
)
quarantine_app = typer.Typer(no_args_is_help=True, help="Rows that could not be used, and why.")
new_app = typer.Typer(no_args_is_help=True, help="Make the files that add one thing.")
app.add_typer(consent_app, name="consent")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(new_app, name="new")
ops_app = typer.Typer(no_args_is_help=True, help="The operational store: consent, ids, deliveries.")
app.add_typer(ops_app, name="ops")

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", help="The data folder; else $REGULARS_HOME, else ./data where it is, else ./demo."
    ),
]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", help='The run\'s "now", UTC: 2026-07-01 or 2026-07-01T12:00:00Z.'),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key",
        envvar="REGULARS_BACKUP_KEY",
        show_envvar=False,
        help="The key file, else that of REGULARS_BACKUP_KEY; else the passphrase in"
        " REGULARS_BACKUP_PASSPHRASE.",
    ),
]
SegmentArgument = Annotated[str | None, typer.Argument(help="One segment; all when left out.")]
DestinationArgument = Annotated[
    str | None, typer.Argument(help="One destination; all when left out.")
]

INTERRUPTED = 130
# Bound to the real stream: while a job runs, what libraries print goes to a log instead.
# Away from a terminal, lines are as wide as the widest table, so that a log keeps every word.
WIDTH = None if sys.stdout.isatty() else 180
# Without markup: a value such as `[/b]` is told as it stands.
out = PlainConsole(file=sys.stdout, highlight=False, soft_wrap=True, width=WIDTH, markup=False)
err = PlainConsole(stderr=True, highlight=False, soft_wrap=True, markup=False)


def main() -> None:
    """Run the command and turn our errors into one sentence and an exit code."""
    end_as_by_ctrl_c()
    _stay_private()
    try:
        # Without standalone mode an exit code is handed back, that of Ctrl-C included.
        code = app(standalone_mode=False)
        if code == INTERRUPTED:
            err.print("Stopped. Nothing half-done is visible; the next run goes on from here.")
        sys.exit(code)
    except RegularsError as error:
        _explain_and_leave(error)
    except typer.Abort:
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:  # click's usage errors carry their own exit code
        if shortage := of_the_machine(str(error)):
            _explain_and_leave(shortage)
        if not hasattr(error, "exit_code") or not hasattr(error, "show"):
            _tell_of_a_bug(error)
        error.show()
        sys.exit(error.exit_code)


@app.command()
def demo(
    people: Annotated[
        int, typer.Option(min=50, help="How many people the pretend shop has.")
    ] = 2000,
    seed: Annotated[int, typer.Option(help="Another seed makes another shop.")] = 0,
    months: Annotated[
        int, typer.Option(min=3, max=120, help="How long the pretend shop has been there.")
    ] = 18,
    shops: Annotated[
        int, typer.Option(min=1, max=2, help="2: a small second shop that sells in euros.")
    ] = 1,
    as_of: AsOfOption = None,
    folder: HomeOption = None,
    cards: Annotated[
        bool,
        typer.Option(help="Are cards known by a fingerprint? Shopify alone gives none."),
    ] = True,
) -> None:
    """Run the whole product on a pretend shop, with its servers, and deliver to local files."""
    home = _home(folder, usual=DEMO_HOME)
    with _lock_first(home):
        from orchestration.commands.demo import run_demo

        run_demo(home, people, seed, as_of, out, cards=cards, months=months, shops=shops)


@app.command()
def check(
    input_: Annotated[
        str, typer.Option("--input", help="A folder or fsspec URL; else the settings' one.")
    ] = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Say what a run would make of each file of the input; exit 1 if a run would stop."""
    from ingestion.settings_file import load_settings
    from orchestration.commands import check as command
    from orchestration.run.something_to_read import require_input

    opened = _home(home, quiet=True)
    settings = load_settings()
    require_input(opened, settings, input_)
    if not command.check(input_ or settings.input, settings, out, as_json=as_json):
        raise typer.Exit(1)


@app.command()
def run(
    input_: Annotated[
        str,
        typer.Option("--input", help="A folder or fsspec URL in the layout of docs/formats.md."),
    ] = "",
    as_of: AsOfOption = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build every model anew from raw; ids are kept.")
    ] = False,
    select: Annotated[
        str, typer.Option("--select", help="Only these models, in dbt's selection syntax.")
    ] = "",
    send: Annotated[
        bool, typer.Option("--send", help="Deliver to every enabled destination afterwards.")
    ] = False,
    engine: Annotated[
        str, typer.Option("--engine", help="duckdb or spark builds the models; else the settings'.")
    ] = "",
    folder: HomeOption = None,
) -> None:
    """Ingest, model, check, publish, plan; deliver only with --send."""
    home = _home(folder, usual=_usual_home(folder, input_))
    with _lock_first(home):
        from orchestration.commands.delivery import render_deliveries
        from orchestration.commands.summary import print_summary
        from orchestration.host.launch import run_job
        from orchestration.ops.run_context import last_context
        from orchestration.run.pretend_clock import asked_moment, next_moment
        from orchestration.run.run import RunRequest

        own = None
        if select and (last := last_context(home.ops_export)):
            own = last.as_of  # a part of the models is as of the others
        elif is_demo(home):
            own = next_moment(home)
        moment = own if own and not as_of else _moment(as_of)
        if as_of and is_demo(home):
            asked_moment(home, moment)
        request = RunRequest(moment, input_, full_refresh, "yes" if send else "no", engine)
        _check_first(home, input_, begin_anew=full_refresh, engine=engine)
        output = run_job(home, request, _say, full=full_refresh, select=select)
        print_summary(home, out, output.ignored)
        render_deliveries(output.deliveries, out)


@app.command()
def plan(
    segment: SegmentArgument = None,
    destination: DestinationArgument = None,
    identity: Annotated[
        bool, typer.Option("--identity", help="Instead: who would merge or split by the rules.")
    ] = False,
    input_folder: Annotated[
        str, typer.Option("--input", help="With --identity: a folder with identity_rules.csv.")
    ] = "",
    who: Annotated[
        bool, typer.Option("--who", help="The people: ids, masked addresses, why held back.")
    ] = False,
    draft: Annotated[
        Path | None,
        typer.Option("--draft", help="A segment's file: who would be in it, without a run."),
    ] = None,
    as_json: JsonOption = False,
    folder: HomeOption = None,
) -> None:
    """Show what would be added, updated, removed and held back, and why; sends nothing."""
    if draft:
        from orchestration.commands.draft import print_draft

        if not segment or destination or identity or who:
            raise UsageError(
                "--draft is of one segment, by the name that it would have.",
                "`regulars plan NAME --draft FILE`.",
            )
        print_draft(_home(folder, quiet=as_json), segment, draft, out, as_json=as_json)
        return
    if identity:
        from orchestration.commands.identity import plan_identity

        plan_identity(_home(folder, quiet=as_json), input_folder, out, err, as_json=as_json)
        return
    from orchestration.activation.delivery import unread_refusals
    from orchestration.commands.delivery import print_plans

    home = _home(folder, quiet=as_json)
    try:
        print_plans(home, segment, destination, out, as_json=as_json, who=who)
    finally:  # in a restored home nothing is published, and this is what its owner has to know
        if problem := unread_refusals(home):
            err.print(f"{problem} `regulars sync` sends nothing until a run has read them.")


@app.command()
def preview(
    kind: Annotated[str, typer.Argument(help="A kind of message, such as reminder.")],
    channel: Annotated[
        str, typer.Option(help="sms or push; all that have a template when left out.")
    ] = "",
    for_: Annotated[
        str, typer.Option("--for", help="Any identifier or id; else a member of a segment.")
    ] = "sample",
    send: Annotated[
        bool, typer.Option("--send", help="Send it to the settings' test recipients, really.")
    ] = False,
    to: Annotated[str, typer.Option(help="With --send: one of the test recipients.")] = "",
    folder: HomeOption = None,
) -> None:
    """Show a message as somebody would get it, with its length and what is missing."""
    from orchestration.commands.preview import print_preview

    if to and not send:
        raise UsageError("--to goes with --send.", "Leave it out, or add --send.")
    print_preview(_home(folder), kind, channel, for_, out, send=send, to=to)


@app.command()
def sync(
    segment: SegmentArgument = None,
    destination: DestinationArgument = None,
    approve: Annotated[
        str, typer.Option("--approve", help="Send only if the plan still has this hash.")
    ] = "",
    resolve: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--resolve",
            metavar="KEY arrived|lost",
            help="Send nothing: say what became of a row or batch of unknown fate (see `plan`).",
        ),
    ] = None,
    by: Annotated[
        str, typer.Option(help="With --resolve: who says so; else who is logged in.")
    ] = "",
    folder: HomeOption = None,
) -> None:
    """Deliver the differences to what was delivered before; safe to repeat after a crash."""
    if resolve is None and by:
        raise UsageError("--by goes with --resolve.", "Leave it out, or say what became of a row.")
    if resolve is not None and (segment or destination or approve):
        raise UsageError(
            "--resolve sends nothing, so it takes no segment, destination or approval.",
            "`regulars sync --resolve KEY arrived|lost` first, then `regulars sync`.",
        )
    home = _home(folder)
    with _lock_first(home):
        if resolve is not None:
            from orchestration.commands.delivery import print_resolution

            print_resolution(home, *resolve, by or _whoever(), out)
            return
        from orchestration.activation.authority import Approval
        from orchestration.activation.delivery import sync_all
        from orchestration.commands.delivery import render_results
        from orchestration.ops.commands import Command, recorded
        from orchestration.run.run import clock

        approval = Approval(approve, _whoever()) if approve else None
        pair = filter(None, (segment, destination))
        command = Command("sync --approve", _whoever(), about=" to ".join(pair))
        with recorded(home, command, clock) if approval else nullcontext():
            results = sync_all(home, segment, destination, approval)
        render_results(results, out)


@app.command()
def pulse(
    as_of: AsOfOption = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send it; else only what would be sent is told.")
    ] = False,
    folder: HomeOption = None,
) -> None:
    """Judge what arrived since the last run, without a run: carts left, products come back to."""
    from orchestration.commands.pulse import print_pulse

    home = _home(folder)
    print_pulse(home, _moment(as_of) if as_of else None, out, send=send)


@app.command()
def explain(
    who: Annotated[
        str | None, typer.Argument(help="Any identifier (email, phone, login …) or id.")
    ] = None,
    why: Annotated[
        tuple[str, str] | None,
        typer.Option("--why", help="Two identifiers or ids: what makes them one person, or not."),
    ] = None,
    for_customer: Annotated[
        bool, typer.Option("--for-customer", help="The statement for the person, in plain words.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="With --for-customer: write a page instead.")
    ] = None,
    segment: Annotated[
        str | None,
        typer.Option(
            "--segment", help="Why they are in this segment and what ends it, or why not."
        ),
    ] = None,
    as_json: JsonOption = False,
    folder: HomeOption = None,
) -> None:
    """Tell who this is, on which evidence, in which segments, with which permission."""
    if segment:
        from orchestration.commands.membership import print_membership

        if not who or why or for_customer or html:
            raise UsageError(
                "--segment is about one person.", "`regulars explain EMAIL --segment NAME`."
            )
        print_membership(_home(folder, quiet=as_json), who, segment, out, as_json=as_json)
        return
    if for_customer or html:
        from orchestration.commands.statement import print_statement
        from orchestration.serve.webhooks.unsubscribe import link_for

        if why or as_json:
            raise UsageError(
                f"A statement for a customer is about one person and is no answer to"
                f" {'--why' if why else '--json'}.",
                "`regulars explain EMAIL --for-customer`, or"
                f" `regulars explain {'--why EMAIL PHONE' if why else 'EMAIL --json'}`.",
            )
        if not for_customer:
            raise UsageError(
                "--html is for the statement for a customer.",
                "`regulars explain EMAIL --for-customer --html FILE`.",
            )
        home = _home(folder)
        print_statement(home, who, html, out, link_for, at=_now(home))
        return
    from orchestration.commands.explain import print_explanation

    home = _home(folder, quiet=as_json)
    now = _pretend_moment(home) or _moment(None)
    print_explanation(home, who, why, out, at=now, as_json=as_json)


@app.command("export-subject")
def export_subject(
    who: Annotated[str, typer.Argument(help="Any identifier (email, phone, login …) or id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to write it.")] = False,
    folder: HomeOption = None,
) -> None:
    """Write every row that is held about a person to one file, for the person who asks for it."""
    from orchestration.commands.subject import print_export

    home = _home(folder)
    print_export(home, who, out, confirmed=yes, confirm=typer.confirm, by=_whoever())


@app.command()
def forget(
    who: Annotated[str, typer.Argument(help="Any identifier (email, phone, login …) or id.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to erase.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it stands in the receipt.")] = "",
    in_advance: Annotated[
        bool, typer.Option("--in-advance", help="Refuse an identifier that nobody has yet.")
    ] = False,
    receipts: Annotated[
        Path | None,
        typer.Option("--from", help="After a restore: a receipt, or a folder of them."),
    ] = None,
    folder: HomeOption = None,
) -> None:
    """Erase a person from every store, have destinations remove them, and let nothing come back."""
    from orchestration.commands import forget as command

    if bool(who) == bool(receipts):
        raise UsageError("Say who, or which receipts with --from.", "`regulars forget EMAIL`.")
    home = _home(folder)
    if receipts:
        command.print_carried_over(home, receipts, out)
        return
    command.print_forget(
        home,
        who,
        out,
        reason=reason,
        confirmed=yes,
        confirm=typer.confirm,
        in_advance=in_advance,
        by=_whoever(),
    )


@consent_app.command("grant")
def consent_grant(
    identifier: Annotated[str, typer.Argument(help="Email address, phone number or login.")],
    channel: Annotated[str, typer.Option(help=f"{or_list(CHANNELS)}.")],
    purpose: Annotated[str, typer.Option(help=f"{or_list(PURPOSES)}.")],
    source: Annotated[str, typer.Option(help="Where the person said so; without it no consent.")],
    wording: Annotated[str, typer.Option(help="The version of the words the person agreed to.")],
    identifier_type: Annotated[
        str, typer.Option("--type", help="email, phone, login, …")
    ] = "email",
    proof: Annotated[str, typer.Option(help="A reference to the proof; never its content.")] = "",
    expires_at: Annotated[str, typer.Option(help="When it ends, UTC; empty: never.")] = "",
    at: AsOfOption = None,
    folder: HomeOption = None,
) -> None:
    """Record that a person granted permission, with its source."""
    from orchestration.commands.consent import print_grant

    home = _home(folder)
    now = _now(home)
    print_grant(
        home,
        out,
        identifier_type=identifier_type,
        identifier=identifier,
        channel=channel,
        purpose=purpose,
        source=source,
        wording=wording,
        proof=proof,
        expires_at=_moment(expires_at) if expires_at else None,
        occurred_at=_moment(at) if at else now,
        now=now,
    )


@consent_app.command("revoke")
def consent_revoke(
    identifier: Annotated[str, typer.Argument(help="Email address, phone number or login.")],
    channel: Annotated[str, typer.Option(help=f"{or_list(CHANNELS)}.")],
    purpose: Annotated[str, typer.Option(help=f"{or_list(PURPOSES)}.")],
    source: Annotated[str, typer.Option(help="Where the person said so.")] = "command line",
    identifier_type: Annotated[
        str, typer.Option("--type", help="email, phone, login, …")
    ] = "email",
    at: AsOfOption = None,
    folder: HomeOption = None,
) -> None:
    """Record that a person withdrew permission; the next send already honours it."""
    from orchestration.commands.consent import print_revocation

    home = _home(folder)
    print_revocation(
        home,
        out,
        identifier_type=identifier_type,
        identifier=identifier,
        channel=channel,
        purpose=purpose,
        source=source,
        occurred_at=_moment(at) if at else _now(home),
    )


@consent_app.command("link")
def consent_link(
    identifier: Annotated[str, typer.Argument(help="Email address, phone number or login.")],
    channel: Annotated[str, typer.Option(help=f"{or_list(CHANNELS)}.")] = "email",
    purpose: Annotated[str, typer.Option(help="Which purpose it ends; * is every one.")] = "*",
    identifier_type: Annotated[
        str, typer.Option("--type", help="email, phone, login, …")
    ] = "email",
    folder: HomeOption = None,
) -> None:
    """Print the link with which this person unsubscribes, and the headers of a message with it."""
    from orchestration.serve.webhooks.unsubscribe import headers_for

    out.print(
        headers_for(_home(folder), identifier_type, identifier, channel=channel, purpose=purpose),
        markup=False,
        soft_wrap=True,
    )


@consent_app.command("export")
def consent_export(
    path: Annotated[Path, typer.Argument(help="The CSV file to write; only you can read it.")],
    folder: HomeOption = None,
) -> None:
    """Write every permission, refusal and suppression with its evidence to one CSV file."""
    from orchestration.activation.delivery import export_consents

    counts = export_consents(_home(folder), path)
    out.print(
        f"Written: {path}, {counts['consents']:,} statements of consent,"
        f" {counts['suppressions']:,} suppressions and {counts['requests']:,} questions. Put into"
        " consents/ of another home's input, the next run there reads them."
    )


@app.command()
def report(
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    folder: HomeOption = None,
) -> None:
    """Draw the HTML page of people, value, stages, segments and data health."""
    from ingestion.settings_file import load_settings
    from orchestration.report.build import build_report

    home, shop = _home(folder), load_settings().shop
    path = build_report(home, shop.name, shop.timezone)
    out.print(f"The report is {path}")
    if open_:
        typer.launch(str(path))


@app.command()
def sql(
    query: Annotated[
        str, typer.Argument(help="One read-only statement; a list of tables if empty.")
    ] = "",
    masked: Annotated[
        bool, typer.Option("--masked", help="Ask a copy without personal data (docs/masked.md).")
    ] = False,
    as_json: JsonOption = False,
    folder: HomeOption = None,
) -> None:
    """Query the published file; read-only, without access to files or network."""
    from orchestration.commands.sql import print_query

    print_query(_home(folder, quiet=as_json), query, out, as_json=as_json, masked=masked)


@app.command()
def tables(
    name: Annotated[
        str, typer.Argument(help="One table, such as customer_360; all when left out.")
    ] = "",
    as_json: JsonOption = False,
    folder: HomeOption = None,
) -> None:
    """List the published tables, or the columns of one, with types and descriptions."""
    from orchestration.commands.tables import print_tables

    print_tables(_home(folder, quiet=as_json), name, out, as_json=as_json)


@app.command()
def mcp(
    unmasked: Annotated[
        bool, typer.Option("--unmasked", help="With names and addresses (docs/assistant.md).")
    ] = False,
    folder: HomeOption = None,
) -> None:
    """Read-only tools for a person's assistant, over stdio; it starts this (optional extra)."""
    from orchestration.commands.assistant.command import answer_assistant

    home = _home(folder, quiet=True)
    answer_assistant(home, lambda: _now(home), masked=not unmasked)


@app.command()
def score(
    as_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the numbers to this file.")
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(help="An older published.duckdb: which identifiers kept their customer_id?"),
    ] = None,
    folder: HomeOption = None,
) -> None:
    """Measure who is who against the pretend shop's truth, beside rivals' rules."""
    home = _home(folder)
    with _lock_first(home, store=home.warehouse.name):
        from orchestration.commands import score as command

        command.score(home, as_file, since, out)


@app.command()
def duplicates(
    min_weight: Annotated[
        float, typer.Option(help="Leave out weaker proposals (8: 256 to 1 for one person).")
    ] = 8.0,
    folder: HomeOption = None,
) -> None:
    """Propose likely duplicates that share no identifier, for review (optional extra)."""
    from orchestration.commands import duplicates as command

    command.duplicates(_home(folder), min_weight, out)


@quarantine_app.command("list")
def quarantine_list(
    raw: Annotated[
        bool, typer.Option("--raw", help="Show the raw text too (personal data).")
    ] = False,
    source: Annotated[str, typer.Option(help="Only this source.")] = "",
    as_json: JsonOption = False,
    folder: HomeOption = None,
) -> None:
    """List rows that could not be used: source, file, line, reason, field."""
    home = _home(folder, quiet=as_json)
    with _lock_first(home, store=home.raw.name):
        from orchestration.commands.quarantine import print_quarantine

        print_quarantine(home, source, out, raw=raw, as_json=as_json)


@quarantine_app.command("replay")
def quarantine_replay(
    source: Annotated[str, typer.Option(help="Only this source.")] = "",
    input_: Annotated[str, typer.Option("--input", help="Where orders/mapping.yml is.")] = "",
    folder: HomeOption = None,
) -> None:
    """Check quarantined rows against today's rules and load what is good now, exactly once."""
    home = _home(folder)
    with _lock_first(home):
        from orchestration.commands.quarantine import replay

        out.print(replay(home, source, input_))


@quarantine_app.command("dismiss")
def quarantine_dismiss(
    source: Annotated[str, typer.Option(help="Only this source's rows.")] = "",
    reason: Annotated[str, typer.Option(help="Only rows with this reason.")] = "",
    home: HomeOption = None,
) -> None:
    """Give up rows that will not be mended: they stay stored, but nothing warns of them any more."""
    opened = _home(home)
    with _lock_first(opened):
        from orchestration.commands.quarantine import dismiss

        out.print(dismiss(opened, source, reason))


@app.command()
def backup(
    path: Annotated[Path, typer.Argument(help="The file to write.")],
    key: KeyOption = None,
    folder: HomeOption = None,
) -> None:
    """Keep what nothing else can bring back, encrypted and read back; also while a run models."""
    from orchestration.commands.backup import print_backup

    print_backup(_home(folder), path, key, out)


@app.command()
def restore(
    path: Annotated[Path, typer.Argument(help="The file that `backup` wrote.")],
    key: KeyOption = None,
    only_try: Annotated[
        bool, typer.Option("--try", help="Only try: compare every table, and leave nothing.")
    ] = False,
    later: Annotated[
        list[Path] | None,
        typer.Option(help="Where else newer backups, exports of consent and receipts lie."),
    ] = None,
    folder: HomeOption = None,
) -> None:
    """Make a home of a backup; nothing is sent before runs have read every source again."""
    from orchestration.commands.backup import print_restore, print_trial

    if only_try:
        print_trial(path, _home(folder), key, out)
    else:
        print_restore(path, _home(folder), key, later or [], out)


@ops_app.command("begin-anew")
def ops_begin_anew(
    by: Annotated[str, typer.Option(help="Who answers for it.")],
    reason: Annotated[str, typer.Option(help="Why there is no copy to put back.")],
    folder: HomeOption = None,
) -> None:
    """Let a new operational store take the home of one that is lost, and say what is lost."""
    from orchestration.commands.ops import print_begin_anew

    print_begin_anew(_home(folder), by, reason, out)


@ops_app.command("adopt")
def ops_adopt(
    by: Annotated[str, typer.Option(help="Who answers for it.")],
    reason: Annotated[str, typer.Option(help="Why the other home does not send any more.")],
    folder: HomeOption = None,
) -> None:
    """Let a copied, restored or moved home plan and send, in the place of the other."""
    from orchestration.commands.ops import print_adopt

    print_adopt(_home(folder), by, reason, out)


@ops_app.command("accept-restore")
def ops_accept_restore(
    by: Annotated[str, typer.Option(help="Who answers for it.")],
    reason: Annotated[str, typer.Option(help="Why those sources cannot be read any more.")],
    folder: HomeOption = None,
) -> None:
    """After a restore: let sending go on without the sources that no run can read any more."""
    from orchestration.commands.ops import print_accept_restore

    print_accept_restore(_home(folder), by, reason, out)


@app.command()
def doctor(
    connect: Annotated[
        bool, typer.Option("--connect", help="Also try credentials and scopes at the APIs.")
    ] = False,
    folder: HomeOption = None,
) -> None:
    """Check settings, stores, credentials by name and freshness; exit 1 if something is wrong."""
    from ingestion.settings_file import load_settings
    from orchestration.health import doctor as health

    home = _home(folder)
    checks = health.diagnose(home, load_settings(), connect=connect)
    out.print(health.render(checks))
    if any(check.status == "failed" for check in checks):
        raise typer.Exit(1)


@app.command()
def release(
    subject: Annotated[
        str, typer.Argument(help="The size that stopped the run, as its message names it; or all.")
    ],
    by: Annotated[str, typer.Option(help="Who answers for it.")],
    reason: Annotated[str, typer.Option(help="Why the change is right.")],
    folder: HomeOption = None,
) -> None:
    """Let a size that stopped the last run be published by the next one."""
    from orchestration.ops.store import open_store
    from orchestration.quality.releases import release as let_through

    home = _home(folder)
    with open_store(home) as store:
        released = let_through(
            home, store, subject, person=by, reason=reason, released_at=_moment(None)
        )
    out.print(f"Released: {', '.join(released)}. Run again to publish.")


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Where on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="An address of this machine alone.")] = "127.0.0.1",
    masked: Annotated[
        bool, typer.Option("--masked", help="Pages without personal data (docs/masked.md).")
    ] = False,
    folder: HomeOption = None,
) -> None:
    """The pages and Dagster with the whole lineage in the browser; only a printed address lets in."""
    from ingestion.settings_file import load_settings
    from orchestration.serve import server
    from orchestration.serve.listening import bind
    from orchestration.serve.pages.server import Setup

    home = _home(folder, usual=_usual_home(folder))
    setup = Setup(bind(host, port), _whoever(), masked)
    server.serve(home, load_settings(), setup, _tell)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Where on this machine.")] = 3100,
    url_base: Annotated[
        str, typer.Option(help="The public address; [serve] url_base of the settings if empty.")
    ] = "",
    pages: Annotated[
        int, typer.Option("--pages", help="Where the pages are; no pages at 0.")
    ] = 3200,
    masked: Annotated[
        bool, typer.Option("--masked", help="Pages without personal data (docs/masked.md).")
    ] = False,
    folder: HomeOption = None,
) -> None:
    """The pages for a marketer, and webhooks and links to unsubscribe (docs/pages.md, webhooks.md).

    A pretend shop's home has the pages alone.
    """
    from ingestion.settings_file import load_settings
    from orchestration.serve.listening import bind
    from orchestration.serve.pages.server import Setup, serve_pages
    from orchestration.serve.webhooks.server import serve_webhooks

    home = _home(folder, usual=SHOP_HOME)
    setup = Setup(bind("127.0.0.1", pages, "--pages"), _whoever(), masked) if pages else None
    if setup and is_demo(home):
        serve_pages(home, load_settings(), setup, _tell)
        return
    serve_webhooks(home, load_settings(), bind("127.0.0.1", port), _tell, url_base, setup)


@app.command()
def fakes(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which; all when left out. Further faults as well.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="What goes wrong with which share of requests: 429:0.05 lost_ack:0.05."),
    ] = None,
    port: Annotated[int, typer.Option(help="Of the first on this machine; 0 for any.")] = 4020,
    seed: Annotated[int, typer.Option(help="Of ids, of how long jobs take and of faults.")] = 0,
    rules: Annotated[
        bool, typer.Option("--rules", help="Print what they enforce, and end.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option("--home", help="A pretend shop's, whose people they then have.")
    ] = None,
) -> None:
    """Start local doubles of vendors' APIs, to try deliveries offline (docs/fakes.md)."""
    from orchestration.commands import fakes as command
    from orchestration.fakes import names as all_names

    if rules:
        for name in names or all_names():
            out.print("\n".join([f"### {name}", "", *command.rules(name)]))
        return
    home = Home(folder) if folder else None
    command.serve_fakes(names or [], fault or [], port, seed, out.print, home)


def _tell(text: str) -> None:
    err.print(text, markup=False, highlight=False, soft_wrap=True)


def _new(kind: str, name: str, area: str = "", like: str = "") -> None:
    from orchestration.scaffold.scaffold import scaffold

    for line in scaffold(kind, name, area=area, like=like):
        out.print(line)


NameArgument = Annotated[str, typer.Argument(help="snake_case.")]


@new_app.command("source")
def new_source(
    name: NameArgument,
    api: Annotated[
        bool, typer.Option("--api", help="It asks an API; otherwise it reads a folder.")
    ] = False,
) -> None:
    """One file in ingestion/sources, and its staging in dbt_project/models/staging."""
    _new("api source" if api else "source", name)


@new_app.command("model")
def new_model(
    name: NameArgument,
    area: Annotated[
        str, typer.Option(help="Its folder in dbt_project/models/marts; asked for when left out.")
    ] = "",
) -> None:
    """One mart in an area of dbt_project/models/marts, with its description."""
    from orchestration.scaffold.scaffold import areas

    if not area and sys.stdin.isatty():
        area = typer.prompt(f"Its area ({', '.join(areas())})")
    _new("model", name, area)


@new_app.command("segment")
def new_segment(
    name: NameArgument,
    like: Annotated[str, typer.Option("--like", help="Another segment, as which it begins.")] = "",
) -> None:
    """One segment in dbt_project/models/segments."""
    _new("segment", name, like=like)


@new_app.command("destination")
def new_destination(name: NameArgument) -> None:
    """One file in orchestration/destinations."""
    _new("destination", name)


@new_app.command("persona")
def new_persona(
    name: NameArgument,
    input_: Annotated[
        str, typer.Option("--input", help="The shop's input folder; else the settings' one.")
    ] = "",
) -> None:
    """One kind of customers, a file in personas/ of the shop's input."""
    from ingestion.settings_file import load_settings
    from orchestration.scaffold.scaffold import scaffold, shop_folder

    for line in scaffold("persona", name, shop_folder(input_ or load_settings().input)):
        out.print(line)


def _moment(text: str | None) -> datetime:
    """The time asked for, else the clock: the only place that reads it."""
    from orchestration.run.run import parse_as_of

    return parse_as_of(text) if text else datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _now(home: Home) -> datetime:
    """The home's own clock: the pretend shop's in its home, else the wall clock."""
    return _pretend_moment(home) or _moment(None)


def _whoever() -> str:
    """Who is logged in on this machine, for a record of who decided."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user that the machine has no name for
        return "unnamed"


def _say(text: str) -> None:
    out.print(text)


def _check_first(home: Home, asked: str, *, begin_anew: bool, engine: str = "") -> None:
    """Stop early, before seconds of start-up: a typo in settings or mapping, nothing to read."""
    from ingestion.input_folder import check_input
    from ingestion.settings_file import load_settings
    from orchestration.destinations import check_destinations
    from orchestration.health.opening import require_engine
    from orchestration.health.raw_store import require_raw
    from orchestration.run.dbt import check_settings
    from orchestration.run.shop_currency import refuse_mapped_currency
    from orchestration.run.something_to_read import require_input
    from orchestration.segments.files import check_segment_files

    if engine not in ("", "duckdb", "spark"):
        raise UsageError(f"There is no engine `{engine}`.", "It is duckdb or spark.")
    settings = load_settings().built_by(engine)
    check_settings(settings)
    check_segment_files(settings.dbt_vars())
    check_destinations(settings, home)
    refuse_input(home, asked)
    require_raw(home, begin_anew=begin_anew)
    require_engine(settings, home)
    require_input(home, settings, asked)
    location = asked or settings.input
    if location and not is_demo(home):
        refuse_mapped_currency(home, settings, check_input(location, settings))


def _home(folder: Path | None, *, usual: str = "", quiet: bool = False) -> Home:
    """The home a command works on, with its own settings; says which."""
    home = Home.locate(folder, usual)
    take_settings(home)
    if not quiet:
        err.print(f"Home: {in_words(home, _pretend_moment(home))}")
    return home


def _pretend_moment(home: Home) -> datetime | None:
    if not is_demo(home):
        return None
    from orchestration.run.pretend_clock import shop_moment

    return shop_moment(home)


@contextmanager
def _lock_first(home: Home, store: str = "") -> Iterator[None]:
    """Take the home's lock before anything heavy is loaded, so that a refusal comes at once.

    A home that is not there yet is busy with nothing, and no usage error may make it. `store` is
    the file that a command which only reads needs for itself.
    """
    if not home.root.exists():
        yield
        return
    with lock.hold(home.lock, store=store):
        yield


def _usual_home(folder: Path | None, asked: str = "") -> str:
    """Where a run goes that nobody told where: the shop's home as soon as there is a shop."""
    if folder or os.environ.get("REGULARS_HOME"):
        return ""
    from ingestion.registry import reads_a_shop
    from ingestion.settings_file import load_settings

    return SHOP_HOME if reads_a_shop(load_settings(), asked) else ""


def _tell_of_a_bug(error: Exception) -> NoReturn:
    """Where in the code it happened; the words of an error that is not ours may quote a row."""
    from ingestion.redaction.engine import are_kept, what_stays

    if are_kept():
        raise error
    traceback.print_tb(error.__traceback__)
    err.print(f"{type(error).__name__}{what_stays(str(error))}", markup=False)
    sys.exit(1)


def _explain_and_leave(error: RegularsError) -> None:
    label = "Usage" if isinstance(error, UsageError) else "Stopped"
    err.print(f"{label}: ", style="bold", end="")
    err.print(error.message)
    if error.hint:
        err.print(error.hint)
    sys.exit(error.exit_code)


def _stay_private() -> None:
    """Files are their owner's only, and no library calls home."""
    os.umask(0o077)
    for name, value in {
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "GX_ANALYTICS_ENABLED": "false",
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }.items():
        os.environ.setdefault(name, value)


if __name__ == "__main__":
    main()
