"""Where the values of a query come from: columns of tables, followed through everything between.

Belongs here: reading one query with sqlglot and following its columns down to tables, through CTEs,
subqueries, renames, unions, joins, windows and expressions. Pure. Does not belong here: what a
column means (segment_traits.py), running a query.

A value is of the columns that it is made of, and of what decides which row it is taken from: where
`believers` is joined, `believers.customer_id is not null` says of a person what the conditions of
`believers` ask. What decides on the query's own rows stands apart, as `rows`: who is in it.
What cannot be followed is an error, never nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

# Columns by "schema.table"
Tables = Mapping[str, Sequence[str]]
# The values that conditions leave to columns of a row, by column
Kept = tuple[tuple[str, frozenset[str]], ...]

SourceColumn = tuple[str, str]  # a source of a SELECT, and a column of it

PERSON = "customer_id"
ROW = "*"  # the column of an origin that is a table's row as such: that there is one
_CATALOG = "home"
# What a SELECT may be made of; whatever else it has is not followed
_PARTS = {
    *("with_", "from_", "joins", "expressions", "where", "group", "having", "qualify", "windows"),
    *("distinct", "order", "limit", "offset"),
}
_SOURCE_PARTS = {"this", "db", "catalog", "alias"}
_UNION_PARTS = {"with_", "this", "expression", "distinct", "order"}
_WHOLE_CONDITIONS = (
    *("group", "having", "qualify", "windows", "distinct", "order", "limit", "offset"),
)
# Functions of text, time and JSON that sqlglot has no class for: a value of their arguments alone
_FUNCTIONS = {
    *("age", "century", "date_part", "date_sub", "datepart", "decade", "epoch_ns", "epoch_us"),
    *("timezone", "to_hours", "to_minutes", "to_months", "to_seconds", "to_weeks", "to_years"),
    *("try_strptime", "weekday", "yearweek", "isfinite"),
    *("nfc_normalize", "prefix", "printf", "regexp_split_to_array", "strip_accents", "strlen"),
    *("suffix", "url_decode", "url_encode"),
    *("array_to_json", "json_array_length", "json_valid", "to_json"),
    *("list_any_value", "list_first", "list_last", "list_position", "list_slice", "list_sum"),
}
# Figures that tell of all and of nobody alone
_OF_ALL = (exp.Count, exp.Sum, exp.Avg, exp.Median, exp.Stddev, exp.StddevPop, exp.StddevSamp)


# Where somebody stands among all
_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile)


class LineageError(Exception):
    """A query, or a column of it, cannot be followed to tables; says why, in words."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A column of a table that a value comes from.

    `kept`: the values that conditions leave to columns of its row. `is_own`: its row is of the
    person of the query's row, by `customer_id`. `is_of_all`: only a figure over all rows is made of
    it. `path`: the CTEs that it comes through, the first after the table first.
    """

    table: str
    column: str
    kept: Kept = ()
    is_own: bool = False
    is_of_all: bool = False
    path: tuple[str, ...] = field(default=(), compare=False)


Origins = frozenset[Origin]
_NOTHING: Origins = frozenset()


class Known(NamedTuple):
    """What is known of a scope's output columns by whoever reads it.

    `kept`: the values that conditions leave to them. `person`: those that hold the id of the person
    of the query's row. `around`: what is known of the scope that it stands in.
    """

    kept: Kept = ()
    person: frozenset[str] = frozenset()
    around: Known | None = None


_UNKNOWN = Known()


@dataclass(frozen=True)
class Lineage:
    """Origins of each output column and of the rows; and the expressions that make each column."""

    columns: Mapping[str, Origins]
    rows: Origins
    expressions: Mapping[str, tuple[exp.Expr, ...]]


def trace(sql: str, tables: Tables, dialect: str = "duckdb") -> Lineage:
    """Follow every output column of a query.

    Args:
        sql: one SELECT.
        tables: the columns of every table that it may read.
        dialect: sqlglot's name of the engine.

    Raises:
        LineageError: the query or one of its columns cannot be followed.
    """
    root = _rows_of(_root(sql, tables, dialect))
    tracer = _Tracer(tables)
    names = _names(root)
    known = Known(person=frozenset([PERSON]))
    return Lineage(
        {each: tracer.output(root, each, known, is_root=True) for each in names},
        tracer.rows(root, known),
        {each: tuple(_expressions(root, each)) for each in names},
    )


def _root(sql: str, tables: Tables, dialect: str) -> Scope:
    schema: dict[str, dict[str, dict[str, str]]] = {}
    try:
        statements = parse(sql, read=dialect)
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            raise LineageError("it is not one SELECT")
        _check_sources(statements[0])
        _check_functions(statements[0])
        for table in statements[0].find_all(exp.Table):
            if table.db:
                table.set("catalog", exp.to_identifier(_CATALOG))
                columns = tables.get(f"{table.db}.{table.name}", ())
                schema.setdefault(table.db, {})[table.name] = dict.fromkeys(columns, "text")
        query = qualify(
            statements[0], dialect=dialect, schema={_CATALOG: schema}, quote_identifiers=False
        )
        root = build_scope(query)
    except SqlglotError as error:
        raise LineageError(str(error).partition("\n")[0].rstrip(". ")) from error
    if root is None:
        raise LineageError("it has no columns")
    return root


def _check_sources(query: exp.Expr) -> None:
    """Refuse what a FROM may say of its source that is not followed, such as other column names.

    Names that a CTE or a subquery gives its columns are followed, by position.
    """
    for source in query.find_all(exp.Table, exp.Subquery):
        if others := _set_parts(source) - _SOURCE_PARTS:
            raise LineageError(f"it reads a source with {', '.join(sorted(others))}")
        alias = source.args.get("alias")
        if isinstance(source, exp.Table) and alias and alias.args.get("columns"):
            raise LineageError(f"it gives the columns of {source.name} other names in `from`")


def _check_functions(query: exp.Expr) -> None:
    """Refuse functions that are not known: a macro may read any table."""
    for call in query.find_all(exp.Anonymous):
        if call.name.lower() not in _FUNCTIONS:
            raise LineageError(f"it uses the function {call.name}, which may read anything")
    for dot in query.find_all(exp.Dot):
        if isinstance(dot.expression, exp.Func):
            raise LineageError(f"it uses the function {dot.sql(dialect='duckdb')}")


def _rows_of(scope: Scope) -> Scope:
    """The scope that makes the rows: below any number of `select … from final`."""
    query = scope.expression
    while isinstance(query, exp.Select) and not (
        _set_parts(query) - {"with_", "from_", "expressions"}
    ):
        sources = [source for _, source in scope.selected_sources.values()]
        is_plain = all(isinstance(each.unalias(), exp.Column) for each in query.selects)
        if len(sources) != 1 or not isinstance(sources[0], Scope) or not is_plain:
            break
        if _names(scope) != _names(sources[0]):
            break
        scope = sources[0]
        query = scope.expression
    return scope


class _Tracer:
    """Origins of outputs and rows of scopes, each worked out once."""

    def __init__(self, tables: Tables) -> None:
        self._columns = {table: frozenset(columns) for table, columns in tables.items()}
        self._known: dict[tuple[int, str, Known, bool], Origins] = {}
        self._open: set[tuple[int, str]] = set()

    def output(
        self, scope: Scope, name: str, known: Known = _UNKNOWN, *, is_root: bool = False
    ) -> Origins:
        """Origins of an output column, with what decides which row it is taken from.

        Args:
            scope: the SELECT or set operation.
            name: the output column.
            known: what is known of its columns by whoever reads it.
            is_root: whether its rows are the query's own, which `rows` tells of.
        """
        return self._once(scope, name, known, is_root)

    def rows(self, scope: Scope, known: Known = _UNKNOWN) -> Origins:
        """Origins of what decides which rows there are, down to the rows of tables."""
        return self._once(scope, ROW, known, False)

    def _once(self, scope: Scope, name: str, known: Known, is_root: bool) -> Origins:
        key = (id(scope), name, known, is_root)
        if key not in self._known:
            if key[:2] in self._open:
                raise LineageError("it reads itself (a recursive CTE)")
            self._open.add(key[:2])
            self._known[key] = self._find(scope, name, known, is_root)
            self._open.discard(key[:2])
        return self._known[key]

    def _find(self, scope: Scope, name: str, known: Known, is_root: bool) -> Origins:
        query = scope.expression
        if isinstance(query, exp.SetOperation):
            return self._of_either(scope, name, known, is_root)
        if isinstance(query, exp.Values) and not query.find(exp.Column, exp.Query):
            return _NOTHING
        if not isinstance(query, exp.Select):
            raise LineageError(f"it reads {_in_words(query)}")
        if others := _set_parts(query) - _PARTS:
            raise LineageError(f"it has {', '.join(sorted(others))}")
        if name == ROW:
            return self._of_rows(scope, known)
        value = next((each for each in query.selects if each.alias_or_name == name), None)
        if value is None:
            raise LineageError(f"there is no column {name}")
        origins = self.value(scope, value, known)
        if value.find(exp.Window):  # which may be one of those named at the end
            for window in _as_list(query.args.get("windows")):
                origins |= self.value(scope, window, known)
        origins |= self._connections(scope, value, known) if is_root else self.rows(scope, known)
        if _is_of_all(scope, value):
            origins = frozenset(replace(each, is_of_all=True) for each in origins)
        return origins

    def _of_either(self, scope: Scope, name: str, known: Known, is_root: bool) -> Origins:
        query = scope.expression
        sides = scope.set_operation_scopes or []
        names = _names(scope)
        if query.args.get("by_name") or len(sides) != 2:
            raise LineageError("it matches the columns of a union by their names")
        if others := _set_parts(query) - _UNION_PARTS:
            raise LineageError(f"its union has {', '.join(sorted(others))}")
        origins = _NOTHING
        for side in sides:
            own = dict(zip(names, _names(side), strict=True))
            its_own = Known(
                tuple((own[column], values) for column, values in known.kept if column in own),
                frozenset(own[column] for column in known.person if column in own),
                known.around,
            )
            wanted = [own.get(name, ROW)]
            if not isinstance(query, exp.Union):  # which rows stay follows from all columns
                wanted = [ROW, *own.values()]
            for each in wanted:
                origins |= self._once(side, each, its_own, is_root and each != ROW)
        return origins

    def _of_rows(self, scope: Scope, known: Known) -> Origins:
        origins = _NOTHING
        for condition in _conditions(scope.expression):
            origins |= self.value(scope, condition, known)
        for source in scope.selected_sources:
            origins |= self._source(scope, source, ROW, known)
        return origins

    def _connections(self, scope: Scope, value: exp.Expr, known: Known) -> Origins:
        """Origins of what connects the sources of a value to the query's rows.

        What a person viewed decides which product's name stands beside them.
        """
        query = scope.expression
        wanted = {each.table for each in _own_columns(value)}
        if value.find(exp.Star):
            wanted |= set(scope.selected_sources)
        origins = _NOTHING
        if wanted:
            for part in _WHOLE_CONDITIONS:
                for condition in _as_list(query.args.get(part)):
                    origins |= self.value(scope, condition, known)
        connecting = [(each, {c.table for c in _own_columns(each)}) for each in _conjuncts(query)]
        while near := [each for each in connecting if each[1] & wanted and each[1] - wanted]:
            for condition, sources in near:
                origins |= self.value(scope, condition, known)
                wanted |= sources
        return origins

    def value(self, scope: Scope, expression: exp.Expr, known: Known = _UNKNOWN) -> Origins:
        """Origins of everything in an expression; a subquery in it with all that it has."""
        origins = _NOTHING
        for node in _within(expression):
            if isinstance(node, exp.Query):
                origins |= self._subquery(scope, node, known)
            elif isinstance(node, exp.Column):
                of_it = known._replace(person=frozenset(), around=None)
                is_beside = _is_of_others(scope, node, known)
                origins |= self._column(scope, node, of_it if is_beside else known)
            elif isinstance(node, exp.Star) and isinstance(node.parent, exp.Count):
                for source in scope.selected_sources:
                    origins |= self._source(scope, source, ROW, known)
            elif isinstance(node, exp.Star | exp.Columns | exp.TableColumn):
                raise LineageError("it takes whole rows (`*`); name the columns")
        return origins

    def _subquery(self, scope: Scope, query: exp.Query, around: Known) -> Origins:
        inner = query.unnest()
        for each in scope.subquery_scopes:
            if each.expression is inner:
                names = _names(each)
                asked = query.parent.this if isinstance(query.parent, exp.In) else None
                is_person = isinstance(asked, exp.Column) and _source_column(asked) in _persons(
                    scope, around
                )
                known = Known((), frozenset(names[:1] if is_person else ()), around)
                origins = self.rows(each, known)
                for name in names:
                    origins |= self.output(each, name, known)
                return origins
        raise LineageError("a subquery in it cannot be followed")

    def _column(self, scope: Scope, column: exp.Column, known: Known) -> Origins:
        if column.table in scope.selected_sources:
            return self._source(scope, column.table, column.name, known)
        if scope.parent is None:
            raise LineageError(f"nothing says where {column.sql()} comes from")
        return self._column(scope.parent, column, (known.around or _UNKNOWN)._replace(kept=()))

    def _source(self, scope: Scope, source: str, column: str, known: Known) -> Origins:
        node, origin = scope.selected_sources[source]
        left = _kept(scope, source, known.kept)
        own = frozenset(name for alias, name in _persons(scope, known) if alias == source)
        if isinstance(origin, Scope):
            around = known if origin.parent is scope else None
            below = self._once(origin, column, Known(left, own, around), False)
            return frozenset(replace(each, path=(*each.path, node.name)) for each in below)
        table = f"{origin.db}.{origin.name}"
        if table not in self._columns or not isinstance(origin.this, exp.Identifier):
            raise LineageError(f"it reads {origin.sql(dialect='duckdb')}, which is no model")
        if column != ROW and column not in self._columns[table]:
            raise LineageError(f"{table} has no column {column}")
        return frozenset([Origin(table, column, left, PERSON in own)])


def _kept(scope: Scope, source: str, kept: Kept) -> Kept:
    """The values that conditions leave to columns of a source, here and where it is read."""
    query = scope.expression
    values_by_column: dict[str, frozenset[str]] = {}
    outputs = {each.alias_or_name: each.unalias() for each in _selects(scope)}
    keys = _keys(query)
    for name, values in kept:
        column = outputs.get(name)
        if not isinstance(column, exp.Column) or column.table != source:
            continue
        if all(_source_column(column) in each for each in keys):
            values_by_column[column.name] = values & values_by_column.get(column.name, values)
    where = query.args.get("where")
    conditions = [where.this] if where else []
    conditions += [
        join.args["on"]
        for join in query.args.get("joins") or []
        if join.args.get("on") and join.alias_or_name == source and _is_filtered(join)
    ]
    for condition in (each for whole in conditions for each in _split(whole)):
        column, values = _values_left(condition)
        if column is not None and column.table == source:
            values_by_column[column.name] = values & values_by_column.get(column.name, values)
    return tuple(sorted(values_by_column.items(), key=lambda item: item[0]))


def _persons(scope: Scope, known: Known) -> frozenset[SourceColumn]:
    """The columns of a scope's sources that hold the id of the person of the query's row."""
    columns = {
        _source_column(column)
        for each in _selects(scope)
        if each.alias_or_name in known.person and isinstance(column := each.unalias(), exp.Column)
    }
    if known.around is not None and scope.parent is not None:
        outer = _persons(scope.parent, known.around)
        columns |= {
            outer_column for outer_column in outer if outer_column[0] not in scope.selected_sources
        }
    equal = list(_equalities(scope.expression))
    while more := {to for one, to in equal if one in columns and to not in columns}:
        columns |= more
    return frozenset(columns)


def _equalities(query: exp.Expr) -> Iterator[tuple[SourceColumn, SourceColumn]]:
    """Pairs of columns of which the second holds what the first does, where its row is there.

    The condition of an outer join says so of what is joined alone: of the others there are rows
    that it does not hold for.
    """
    where = query.args.get("where")
    conditions = [(where.this, None)] if where else []
    for join in query.args.get("joins") or []:
        if on := join.args.get("on"):
            conditions.append((on, join.alias_or_name if join.side else None))
    for whole, joined in conditions:
        for condition in _split(whole):
            one, other = condition.args.get("this"), condition.args.get("expression")
            if not isinstance(condition, exp.EQ):
                continue
            if isinstance(one, exp.Column) and isinstance(other, exp.Column):
                for first, second in ((one, other), (other, one)):
                    if joined is None or second.table == joined:
                        yield _source_column(first), _source_column(second)


def _is_of_others(scope: Scope, column: exp.Expr, known: Known) -> bool:
    """Whether a window reads a column of other people, and not just to rank or count them all."""
    window = column.find_ancestor(exp.Window)
    if window is None:
        return False
    named = {each.name: each for each in _as_list(scope.expression.args.get("windows"))}
    definition = named.get(window.alias, window)
    keys = definition.args.get("partition_by") or ()
    if not keys and isinstance(window.this, (*_RANKS, *_OF_ALL, exp.Identifier)):
        return False
    return _source_columns(keys).isdisjoint(_persons(scope, known))


def _keys(query: exp.Expr) -> Iterator[frozenset[SourceColumn]]:
    """The columns within which a SELECT puts rows together or chooses between them, each time.

    A condition outside leaves out source rows only on a column that is in all of them: what
    `lag(value) over (partition by customer_id)` has beside a trait is another trait's.
    """
    if any(query.args.get(part) for part in ("limit", "offset")):
        yield frozenset()
    if group := query.args.get("group"):
        is_plain = _set_parts(group) == {"expressions"}
        yield _source_columns(group.expressions if is_plain else ())
    if (distinct := query.args.get("distinct")) and (on := distinct.args.get("on")):
        yield _source_columns(on.expressions if isinstance(on, exp.Tuple) else [on])
    named = _as_list(query.args.get("windows"))
    for window in named:
        yield _source_columns(window.args.get("partition_by") or ())
    for part in _own_parts(query):
        for node in _within(part):
            if isinstance(node, exp.Window) and not (named and node.args.get("alias")):
                yield _source_columns(node.args.get("partition_by") or ())


def _own_parts(query: exp.Expr) -> Iterator[exp.Expr]:
    for part in ("expressions", "having", "qualify", "order"):
        yield from _as_list(query.args.get(part))


def _source_columns(keys: Iterable[exp.Expr]) -> frozenset[SourceColumn]:
    return frozenset(_source_column(each) for each in keys if isinstance(each, exp.Column))


def _source_column(column: exp.Column) -> SourceColumn:
    return column.table, column.name


def _is_filtered(join: exp.Join) -> bool:
    """Whether no row of what is joined stays that the condition of the join does not hold for."""
    return join.side in ("", "LEFT") and join.kind in ("", "INNER", "OUTER")


def _values_left(condition: exp.Expr) -> tuple[exp.Column | None, frozenset[str]]:
    """Of `column = 'text'` and `column in ('text', …)` the column and the texts."""
    column, texts = condition.this, []
    if isinstance(condition, exp.EQ):
        texts = [condition.expression]
        if isinstance(column, exp.Literal):
            column, texts = condition.expression, [column]
    elif isinstance(condition, exp.In):
        texts = condition.expressions
    is_plain = all(isinstance(each, exp.Literal) and each.is_string for each in texts)
    if not isinstance(column, exp.Column) or not texts or not is_plain:
        return None, frozenset()
    return column, frozenset(each.name for each in texts)


def _is_of_all(scope: Scope, value: exp.Expr) -> bool:
    """Whether an output is made of nothing but figures over all rows, so that nobody is told of."""
    query = scope.expression
    if scope.is_correlated_subquery or query.args.get("group"):
        return False
    figures = [each for each in _within(value) if isinstance(each, _OF_ALL)]
    for figure in figures:
        window = figure.find_ancestor(exp.Window)
        if window and (window.args.get("partition_by") or window.args.get("order")):
            return False
        if window and (window.args.get("alias") or window.args.get("spec")):
            return False
    inside = {id(node) for figure in figures for node in figure.walk()}
    return bool(figures) and all(
        id(each) in inside for each in _within(value) if isinstance(each, exp.Column | exp.Query)
    )


def _conditions(query: exp.Expr) -> Iterator[exp.Expr]:
    """Everything in a SELECT that decides which rows there are."""
    yield from _conjuncts(query)
    for part in _WHOLE_CONDITIONS:
        yield from _as_list(query.args.get(part))


def _conjuncts(query: exp.Expr) -> Iterator[exp.Expr]:
    """The conditions of `where` and of every join, one by one."""
    if where := query.args.get("where"):
        yield from _split(where.this)
    for join in query.args.get("joins") or []:
        if join.args.get("using") or join.args.get("match_condition") or join.method:
            raise LineageError("it has a join whose condition cannot be followed; write `on`")
        if on := join.args.get("on"):
            yield from _split(on)


def _split(condition: exp.Expr) -> Iterator[exp.Expr]:
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        yield from _split(condition.left)
        yield from _split(condition.right)
    else:
        yield condition


def _within(expression: exp.Expr) -> Iterator[exp.Expr]:
    """Every node of an expression; a subquery is one node, whose inside is not entered."""
    yield from expression.walk(prune=lambda node: isinstance(node, exp.Query))


def _own_columns(expression: exp.Expr) -> Iterator[exp.Column]:
    """Every column in an expression, those inside subqueries too, which connect as well."""
    yield from expression.find_all(exp.Column)


def _expressions(scope: Scope, name: str) -> Iterator[exp.Expr]:
    """What an output column is made by, below renames and on every side of a union."""
    if isinstance(scope.expression, exp.SetOperation):
        position = _names(scope).index(name)
        for side in scope.set_operation_scopes or []:
            yield from _expressions(side, _names(side)[position])
        return
    value = next(each for each in _selects(scope) if each.alias_or_name == name).unalias()
    if isinstance(value, exp.Column) and value.table in scope.selected_sources:
        _, source = scope.selected_sources[value.table]
        if isinstance(source, Scope) and isinstance(source.expression, exp.Query):
            yield from _expressions(source, value.name)
            return
    yield value


def _names(scope: Scope) -> list[str]:
    return [each.alias_or_name for each in _selects(scope)]


def _selects(scope: Scope) -> list[exp.Expr]:
    query = scope.expression
    return list(query.selects) if isinstance(query, exp.Query) else []


def _set_parts(query: exp.Expr) -> set[str]:
    return {name for name, value in query.args.items() if value}


def _as_list(part: object) -> Iterable[exp.Expr]:
    if isinstance(part, exp.Expr):
        return [part]
    return [each for each in part if isinstance(each, exp.Expr)] if isinstance(part, list) else []


def _in_words(query: exp.Expr) -> str:
    return f"what cannot be followed ({type(query).__name__.lower()})"
