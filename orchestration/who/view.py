"""An explanation laid out for a terminal.

Belongs here: which facts stand where, and the words around them. Does not belong here: reading or
judging anything (explain, evidence). Returned renderables wrap at any width; a value from the data
is always put in as plain text, so it cannot change the layout.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from orchestration.who.evidence import Edge, Explanation, Node, Row, Step, Why
from orchestration.who.predicted import intent, may_use, next_steps, value
from orchestration.who.preferences import lines
from orchestration.words import amounts, codes

MAX_SHOWN_IDENTIFIERS = 25
MAX_SHOWN_STEPS = 40
MAX_SHOWN_REFUSED = 5
MAX_SHOWN_ACTIVITY = 8
MAX_SHOWN_LINES = 15
MAX_SHOWN_LOST = 3
NEVER_ASKED = "no_consent"


def render(explanation: Explanation) -> RenderableType:
    """From who it is down to what was sent; of somebody in no run, the permission alone."""
    if not explanation.is_published:
        known = "No published run knows them yet; what they said is recorded and in force."
        return Group(*_titled([("Who", _text(known)), ("Permission", _permissions(explanation))]))
    parts: list[tuple[str, RenderableType]] = [
        ("Who", _who(explanation)),
        ("Identifiers", _identifiers(explanation)),
        ("Which value won", _fields(explanation)),
        ("What makes them one person", _evidence(explanation)),
        ("Stages", _stages(explanation)),
        ("Timeline", _timeline(explanation)),
        ("Value", _value(explanation)),
        ("Intent", _text("\n".join(intent(explanation.predicted)))),
        ("Preferences", _preferences(explanation)),
        ("Next step", _next_steps(explanation)),
        ("Personas", _personas(explanation)),
        ("Segments", _segments(explanation)),
        ("Permission", _permissions(explanation)),
        ("Today", _decisions(explanation)),
        ("Sent", _deliveries(explanation)),
        ("Held back", _held_back(explanation)),
    ]
    return Group(*_titled(parts))


def render_why(answer: Why) -> RenderableType:
    """The sentence, the path with each pair's record, rule, grade and date, and the refusals."""
    lines = [_text(answer.sentence, style="bold")]
    for step in answer.path:
        if step.edge:
            refused = step.edge.refusal_reason
            words = f"refused: {refused} ({_edge(step.edge)})" if refused else _edge(step.edge)
            lines.append(_text(f"    {words}", style="red" if refused else "dim"))
        lines.append(_text(f"  {_node(step.node)}", style="cyan"))
    lines += [_text(sentence) for sentence in answer.reasons]
    return Group(*lines)


def _titled(parts: Sequence[tuple[str, RenderableType]]) -> Iterator[RenderableType]:
    for title, body in parts:
        yield _text(title, style="bold")
        yield Padding(body, (0, 0, 1, 2))


def _who(explanation: Explanation) -> Text:
    person = explanation.person
    names = [str(person[key]) for key in ("first_name", "last_name") if person.get(key)]
    kind = str(person.get("customer_type") or "person")
    lines = [f"{' '.join(names) or 'No name known'}, {kind}, {explanation.customer_id}"]
    if explanation.alias_of:
        lines.append(f"Asked for by an earlier id, {explanation.alias_of}, since merged.")
    lines.append(f"Best email: {person.get('email') or 'none'}. {explanation.email_reason}")
    if person.get("phone"):
        lines.append(f"Phone: {person['phone']}")
    lines.append(
        f"First seen {_when(person.get('first_seen_at'))}, last seen "
        f"{_when(person.get('last_seen_at'))}; as of {_when(explanation.as_of)}."
    )
    return _text("\n".join(lines))


def _identifiers(explanation: Explanation) -> RenderableType:
    table = _table("kind", "value", "evidence", "first seen", "last seen", "times", "")
    for identifier in explanation.identifiers[:MAX_SHOWN_IDENTIFIERS]:
        marks = [
            word for word, holds in _marks(identifier.is_primary, identifier.is_dormant) if holds
        ]
        _add(
            table,
            identifier.identifier_type,
            identifier.identifier_value,
            identifier.evidence_grade,
            identifier.first_seen_at,
            identifier.last_seen_at,
            identifier.observation_count,
            ", ".join(marks),
        )
    _add_rest(table, len(explanation.identifiers) - MAX_SHOWN_IDENTIFIERS)
    return table if explanation.identifiers else _none("No identifier is known.")


def _fields(explanation: Explanation) -> RenderableType:
    """One line per field: the value, what decided, and what it was preferred to."""
    claims: dict[str, list[Row]] = defaultdict(list)
    for row in explanation.fields:
        if row["field"] not in ("email", "phone"):  # told with the identifiers
            claims[row["field"]].append(row)
    table = _table("field", "value", "because", "rather than")
    for name, rows in claims.items():
        won = [row for row in rows if row["is_winner"]]
        lost = [row for row in rows if row["claimed_value"] and not row["is_winner"]]
        rule = codes.SURVIVAL.get(str(won[0]["rule"]), won[0]["rule"]) if won else ""
        _add(
            table,
            name,
            ", ".join(_claimed(row) for row in won),
            f"{rule if lost else 'all say so'}: {_source(won[0])}" if won else "",
            ", ".join(f"{_claimed(row)} ({row['evidence_grade']})" for row in lost[:MAX_SHOWN_LOST])
            + (f" and {len(lost) - MAX_SHOWN_LOST} more" if len(lost) > MAX_SHOWN_LOST else ""),
        )
    return table if claims else _none("No record says anything about them.")


def _claimed(row: Row) -> str:
    return str(row["claimed_value"]) or "(empty)"


def _source(row: Row) -> str:
    where = " ".join(str(row[key]) for key in ("source_system", "source_record_id") if row[key])
    parts = (where, row["evidence_grade"], row["fact_kind"], _when(row["stated_at"]))
    return " · ".join(str(part) for part in parts if part)


def _marks(is_primary: bool | None, is_dormant: bool | None) -> tuple[tuple[str, bool], ...]:
    return ("primary", bool(is_primary)), ("dormant", bool(is_dormant))


def _evidence(explanation: Explanation) -> RenderableType:
    """The chain as trees: identifier, then rule, record, grade and date, then identifier."""
    if not explanation.chain:
        return _none("No evidence is stored.")
    refused = _refused_by_node(explanation.refused)
    trees: list[Tree] = []
    branches: dict[Node, Tree] = {}
    for step in explanation.chain[:MAX_SHOWN_STEPS]:
        label = _text(_node(step.node), style="cyan")
        if step.parent is None or step.edge is None:
            branch = Tree(label)
            trees.append(branch)
        else:
            branch = branches[step.parent].add(_text(_edge(step.edge), style="dim") + "\n" + label)
        branches[step.node] = branch
        _add_refused(branch, step, refused)
    whole = Table.grid()
    for tree in trees:
        whole.add_row(tree)
    hidden = len(explanation.chain) - MAX_SHOWN_STEPS
    if hidden > 0:
        whole.add_row(_none(f"and {hidden} more; --json lists all"))
    for reason in sorted({edge.refusal_reason or "refused" for edge in explanation.refused}):
        whole.add_row(_text(f"{reason}: {codes.refusal(reason)}", style="red"))
    if len(trees) > 1:
        whole.add_row(_none("Chains without a pair between them belong together by the kept id."))
    return whole


def _refused_by_node(edges: Sequence[Edge]) -> dict[Node, list[Edge]]:
    by_node: dict[Node, list[Edge]] = defaultdict(list)
    for edge in edges:
        by_node[edge.a].append(edge)
        by_node[edge.b].append(edge)
    return by_node


def _add_refused(branch: Tree, step: Step, refused: dict[Node, list[Edge]]) -> None:
    """Refused pairs beside the identifier that they begin at, each pair once."""
    edges = refused.get(step.node, [])
    for edge in edges[:MAX_SHOWN_REFUSED]:
        other = edge.other(step.node)
        branch.add(
            _text(f"refused: {edge.refusal_reason} ({_edge(edge)})\n", style="red")
            + _text(_node(other), style="strike")
        )
        refused[other] = [kept for kept in refused.get(other, []) if kept is not edge]
    if len(edges) > MAX_SHOWN_REFUSED:
        reasons = Counter(edge.refusal_reason for edge in edges[MAX_SHOWN_REFUSED:])
        more = ", ".join(
            f"{count} × {reason}" for reason, count in sorted(reasons.items(), key=str)
        )
        branch.add(_text(f"refused, not shown: {more}", style="red"))


def _node(node: Node) -> str:
    return f"{node.type} {node.value}"


def _edge(edge: Edge) -> str:
    record = f"{edge.source_system} {edge.source_record_id}"
    return f"{edge.rule} · {record} · {edge.evidence_grade} · {_when(edge.observed_at)}"


def _stages(explanation: Explanation) -> RenderableType:
    table = _table("stage", "from", "to", "because")
    for row in explanation.stages:
        until = "now" if row.get("is_current") else row.get("exited_at")
        _add(table, row.get("stage"), row.get("entered_at"), until, row.get("entry_reason"))
    return table if explanation.stages else _none("No stage has been reached.")


def _personas(explanation: Explanation) -> RenderableType:
    """The shop's own kinds of customers that the person is of, the first one on top."""
    if not explanation.personas:
        return _none("Of none that the shop describes.")
    table = _table("persona", "because")
    for row in explanation.personas:
        _add(table, row["persona"], row["reason"])
    if not explanation.path:
        return table
    return Group(table, _text(_path(explanation.path)))


def _path(path: Row) -> str:
    """How far they are on the path of their first persona, and what is next."""
    begun = (
        f"step {path['step']} of it on {_when(path['done_at'])}" if path["step"] else "not begun"
    )
    state = codes.PATH_STATES[path["state"]]
    sentence = f"On the path of {path['persona']}: {begun}, {state}."
    if path["next_action"] is None:
        return sentence
    where = f" ({path['next_channel']})" if path["next_channel"] else ""
    return f"{sentence} Next: {path['next_action']}{where}, from {_when(path['next_due_at'])} on."


def _timeline(explanation: Explanation) -> RenderableType:
    """The first touch, what was looked at first, then the latest lines, the newest first."""
    timeline = explanation.timeline
    table = _table("when", "where", "what")
    for words, line in (
        ("first: ", timeline.first_touch),
        ("looked at first: ", timeline.first_looked_at),
    ):
        if line:
            _add(table, line.occurred_at, line.channel, words + line.words)
    for line in timeline.latest[:MAX_SHOWN_LINES]:
        _add(table, line.occurred_at, line.channel, line.words)
    _add_rest(table, len(timeline.latest) - MAX_SHOWN_LINES)
    return table if timeline.latest else _none("Nothing happened with them yet.")


def _value(explanation: Explanation) -> RenderableType:
    person, rfm, clv = explanation.person, explanation.rfm, explanation.clv
    if not rfm:
        return _none("No kept order yet, so no value is worked out.")
    currency = person.get("currency") or ""
    scores = "".join(str(rfm.get(f"{letter}_score")) for letter in "rfm")
    lines = [
        f"{rfm.get('rfm_segment')} ({scores}): {rfm.get('frequency')} order(s), the last "
        f"{rfm.get('recency_days')} days ago, {_money(rfm.get('monetary'), currency)} net.",
        f"Over all time {_money(person.get('lifetime_net_sales'), currency)} "
        f"in {person.get('order_count')} order(s).",
    ]
    if note := codes.few_buyers(int(rfm.get("buyer_count") or 0)):
        lines.append(note)
    lines += value(explanation.predicted, clv, currency)
    return _text("\n".join(lines))


def _preferences(explanation: Explanation) -> RenderableType:
    """What they prefer and how to reach them, each with how it is known."""
    table = _table("what", "value", "how it is known")
    for line in lines(explanation.preferences):
        _add(table, *line)
    return table if table.row_count else _none("Nothing is known of what they prefer.")


def _next_steps(explanation: Explanation) -> RenderableType:
    """What to show them, by kind, and whether it may be used."""
    table = _table("worked out", "product", "because", "proof")
    for step in next_steps(explanation.predicted, explanation.as_of):
        _add(table, *step)
    if not table.row_count:
        return _none("Nothing is recommended to them, and nothing is due again.")
    return Group(table, _none(may_use(explanation.predicted.level)))


def _segments(explanation: Explanation) -> RenderableType:
    table = _table("segment", "since", "because")
    for row in explanation.segments:
        _add(table, row.get("label") or row["segment"], row.get("entered_at"), row.get("reason"))
    return table if explanation.segments else _none("In no segment.")


def _permissions(explanation: Explanation) -> RenderableType:
    """What is permitted or was refused; the pairs that nobody ever asked about in one sentence."""
    asked = [
        row for row in explanation.permissions if row.get("reason") != NEVER_ASKED or _changed(row)
    ]
    table = _table("channel", "purpose", "may be contacted", "because", "receipt")
    for row in sorted(asked, key=lambda row: not row.get("is_contactable")):
        _add(
            table,
            row.get("channel"),
            row.get("purpose"),
            "yes" if row.get("is_contactable") else "no",
            str(row.get("reason")).replace("_", " ") + _changed(row),
            row.get("consent_receipt_id"),
        )
    never = len(explanation.permissions) - len(asked)
    if not asked:
        return _none("No permission is recorded, so nothing may be sent.")
    if not never:
        return table
    return Group(table, _none(f"Never asked for the other {never} pairs of channel and purpose."))


def _changed(row: Row) -> str:
    """What the published run had, where the gate says otherwise now."""
    before = row.get("reason_of_run")
    if before in (None, row.get("reason")):
        return ""
    return f" since the run, which had {str(before).replace('_', ' ')}"


def _decisions(explanation: Explanation) -> RenderableType:
    """The latest day's decision: what goes out, and what each other segment waits for."""
    table = _table("day", "class", "segment", "channel", "outcome", "because", "from")
    for row in explanation.decisions:
        day, kind = row.get("decided_for"), row.get("class")
        _add(table, day, kind, *_wish(row), row.get("send_at"))
        for rival in json.loads(str(row.get("rivals") or "[]")):
            _add(table, "", "", *_wish(rival), "")
    return table if explanation.decisions else _none("No segment wants this person.")


def _wish(row: Row) -> tuple[str, ...]:
    reason, outcome = str(row.get("reason") or ""), str(row["outcome"])
    if since := row.get("refused_since"):
        reason, outcome = str(since), f"refused since; the run had it {outcome}"
    words = codes.REASONS.get(reason, reason.replace("_", " "))
    return (str(row["segment"]), str(row["channel"]), outcome, words)


def _deliveries(explanation: Explanation) -> RenderableType:
    columns = ("delivered_at", "segment", "destination", "operation", "outcome")
    return _activity(explanation.deliveries, columns, "Nothing was sent.")


def _held_back(explanation: Explanation) -> RenderableType:
    columns = ("held_back_at", "segment", "destination", "channel", "reason")
    rows = [
        {**row, "reason": codes.REASONS.get(str(row.get("reason")), row.get("reason"))}
        for row in explanation.held_back
    ]
    return _activity(rows, columns, "Nothing was held back.")


def _activity(rows: Sequence[Row], columns: Sequence[str], nothing: str) -> RenderableType:
    table = _table(*(column.removesuffix("_at").replace("_", " ") for column in columns))
    for row in rows[:MAX_SHOWN_ACTIVITY]:
        _add(table, *(row.get(column) for column in columns))
    _add_rest(table, len(rows) - MAX_SHOWN_ACTIVITY)
    return table if rows else _none(nothing)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _add(table: Table, *cells: Any) -> None:
    table.add_row(*(_text(_cell(cell)) for cell in cells))


def _add_rest(table: Table, hidden: int) -> None:
    if hidden > 0:
        table.add_row(_text(f"and {hidden} more", style="dim"))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return _when(value) if isinstance(value, datetime | date) else str(value)


def _when(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value) if value else "unknown"


def _money(value: Any, currency: str) -> str:
    return "unknown" if value is None else amounts.exact(value, currency)


def _none(text: str) -> Text:
    return _text(text, style="dim")


def _text(content: str, style: str = "") -> Text:
    """Text that wraps whatever the console is set to, so that nothing is cut off."""
    return Text(content, style, no_wrap=False, overflow="fold")
