"""The small language of `returns.when` in orders/mapping.yml, turned into SQL by a parser.

    order_id starts with C or quantity < 0
    not (status in (paid, open)) and product_name contains "gift card"

Comparisons: = != < <= > >=, `starts with`, `ends with`, `contains`, `in (…)`, `is empty`,
`is not empty`; joined by `and`, `or`, `not` and parentheses. Text is compared without case.
Nothing written there is ever run as SQL or Python: names come from a given list, values are quoted.

Belongs here: the grammar. Does not belong here: what the result is used for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ingestion.duckdb import literal, name
from ingestion.landing.fields import NUMBER_TYPES, ColumnType

TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')|(?P<symbol><=|>=|!=|<>|==|[=<>(),])|(?P<word>[^\s=<>!(),"']+))"""
)
SYMBOLS = {"=": "=", "==": "=", "!=": "<>", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
KEYWORDS = ("and", "or", "not", "in", "is", "starts", "ends", "with", "contains", "empty")

MOST_LEVELS = 50


class ExpressionError(ValueError):
    """The expression cannot be understood; the text says where."""


@dataclass(frozen=True)
class Token:
    """A word, symbol or quoted text and where it begins."""

    text: str
    is_quoted: bool
    position: int

    def says(self, word: str) -> bool:
        """Whether this is the bare word or symbol `word`."""
        return not self.is_quoted and self.text.lower() == word


def file_column(header: str) -> str:
    """The name under which a column of the file that is none of ours is compared, as text."""
    return f"file.{header}"


def file_columns(expression: str, columns: Mapping[str, ColumnType]) -> list[str]:
    """The headers that the expression names besides our own columns."""
    parser = _Parser(_tokens(expression), columns)
    parser.either()
    return sorted(parser.headers)


def to_sql(expression: str, columns: Mapping[str, ColumnType]) -> str:
    """SQL for the expression over the given typed columns and, as text, columns of the file.

    Raises:
        ExpressionError: a word is not understood or names no column.
    """
    parser = _Parser(_tokens(expression), columns)
    sql = parser.either()
    if parser.current:
        raise ExpressionError(f"did not expect {parser.where()}")
    return sql


def _tokens(expression: str) -> list[Token]:
    tokens, position = [], 0
    text = expression.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise ExpressionError(f"cannot read {text[position:][:20]!r} at place {position + 1}")
        quoted = match.group("quoted")
        word = quoted[1:-1] if quoted else match.group("symbol") or match.group("word")
        tokens.append(Token(word, quoted is not None, match.start() + 1))
        position = match.end()
    if not tokens:
        raise ExpressionError("it is empty")
    return tokens


class _Parser:
    """Recursive descent: either > both > negation > comparison."""

    def __init__(self, tokens: list[Token], columns: Mapping[str, ColumnType]) -> None:
        self.tokens = tokens
        self.columns = columns
        self.index = 0
        self.level = 0
        self.headers: set[str] = set()

    @property
    def current(self) -> Token | None:
        return self.tokens[self.index] if self.index < len(self.tokens) else None

    def where(self) -> str:
        token = self.current
        return f"{token.text!r} at place {token.position}" if token else "the end"

    def accept(self, *words: str) -> bool:
        """Step over the given words if they come next."""
        ahead = self.tokens[self.index : self.index + len(words)]
        if len(ahead) < len(words):
            return False
        if not all(token.says(word) for token, word in zip(ahead, words, strict=True)):
            return False
        self.index += len(words)
        return True

    def take(self, what: str) -> Token:
        token = self.current
        if token is None:
            raise ExpressionError(f"{what} is missing at the end")
        self.index += 1
        return token

    def either(self) -> str:
        parts = [self.both()]
        while self.accept("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else "(" + " or ".join(parts) + ")"

    def both(self) -> str:
        parts = [self.negation()]
        while self.accept("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else "(" + " and ".join(parts) + ")"

    def negation(self) -> str:
        self.level += 1
        if self.level > MOST_LEVELS:
            raise ExpressionError(f"it is nested deeper than {MOST_LEVELS} levels")
        sql = self.negated() if self.accept("not") else self.grouped()
        self.level -= 1
        return sql

    def negated(self) -> str:
        return f"(not {self.negation()})"

    def grouped(self) -> str:
        if not self.accept("("):
            return self.comparison()
        inside = self.either()
        if not self.accept(")"):
            raise ExpressionError(f"expected ')' instead of {self.where()}")
        return inside

    def comparison(self) -> str:
        token = self.take("a column")
        kind = None if token.is_quoted else self.columns.get(token.text)
        header = token.text
        if kind is None:
            self._check_file_column(token)
            self.headers.add(token.text)
            header = file_column(token.text)
        column = name(header)
        text = f"lower(coalesce({column}::varchar, ''))"
        if self.accept("is", "not", "empty"):
            return f"({text} <> '')"
        if self.accept("is", "empty"):
            return f"({text} = '')"
        for words, function in (
            (("starts", "with"), "starts_with"),
            (("ends", "with"), "suffix"),
            (("contains",), "contains"),
        ):
            if self.accept(*words):
                return f"{function}({text}, {self._text_value()})"
        if self.accept("in"):
            return f"({text} in ({', '.join(self._list())}))"
        return self._ordered(column, text, kind)

    def _check_file_column(self, token: Token) -> None:
        """Refuse what can be no column of the file: a sign, or one whose numbers are compared.

        A column that bears a word of the language's own stands in quotes.
        """
        following = self.current
        if any(token.says(word) for word in KEYWORDS):
            raise ExpressionError(
                f"{token.text!r} at place {token.position} stands where a column is expected; "
                "a column of that name stands in quotes"
            )
        is_sign = not token.is_quoted and bool(re.fullmatch(r"[=<>!(),]+", token.text))
        compares = following and any(following.says(sign) for sign in ("<", "<=", ">", ">="))
        if is_sign or compares:
            known = ", ".join(sorted(self.columns))
            raise ExpressionError(
                f"{token.text!r} is not a column; known: {known}; any other column of the file can "
                "be compared as text"
            )

    def _ordered(self, column: str, text: str, kind: ColumnType | None) -> str:
        symbol = self.take("a comparison")
        if symbol.is_quoted or symbol.text not in SYMBOLS:
            raise ExpressionError(
                f"{symbol.text!r} is not a comparison (=, <, starts with, …); "
                "a name of several words stands in quotes"
            )
        operator = SYMBOLS[symbol.text]
        if kind is None or kind not in NUMBER_TYPES:
            return f"({text} {operator} {self._text_value()})"
        value = self.take("a number").text
        if not re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
            raise ExpressionError(f"{value!r} is not a number")
        return f"coalesce({column} {operator} {value}, false)"

    def _text_value(self) -> str:
        return literal(self.take("a value").text.lower())

    def _list(self) -> list[str]:
        if not self.accept("("):
            raise ExpressionError(f"expected '(' instead of {self.where()}")
        values = [self._text_value()]
        while self.accept(","):
            values.append(self._text_value())
        if not self.accept(")"):
            raise ExpressionError(f"expected ')' instead of {self.where()}")
        return values
