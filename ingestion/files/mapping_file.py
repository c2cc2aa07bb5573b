"""What mapping files share: reading YAML, the sentence for a mistake in it, clean-ups of values.

Belongs here: what `orders/mapping.yml` and those of lists have alike. Does not belong here: which
columns a mapping may name (`sources/orders/mapping.py`, `list_mapping.py`).
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ingestion.errors import UsageError, first_problem

CleanUp = Literal["integer_text", "trim", "lower", "upper", "digits"]
CLEAN_UPS: dict[CleanUp, str] = {
    # 17850.0 -> 17850: numbers that went through a spreadsheet or pandas
    "integer_text": r"regexp_replace(trim({v}), '^([+-]?\d+)\.0*$', '\1')",
    "trim": "trim({v})",
    "lower": "lower(trim({v}))",
    "upper": "upper(trim({v}))",
    "digits": r"regexp_replace({v}, '\D', '', 'g')",
}


class Part(BaseModel):
    """A part of a mapping; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


AnyMapping = TypeVar("AnyMapping", bound=Part)


def read_mapping_file(text: str, path: str, kind: type[AnyMapping]) -> AnyMapping:
    """The mapping in `text`.

    Raises:
        UsageError: it is not YAML, or a key or value is wrong (named, with its line).
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise UsageError(f"{path} is not valid YAML{where}.", "Mend that line.") from error
    except RecursionError as error:
        raise UsageError(f"{path} is nested too deeply.", "Write it flatter.") from error
    try:
        return kind.model_validate(content or {})
    except ValidationError as error:
        setting, what = first_problem(error)
        raise UsageError(
            f"{path}{at_line(text, setting)}: `{setting or 'the file'}` is wrong: {what}.",
            "Mend it and run again.",
        ) from error


def at_line(text: str, setting: str) -> str:
    """`, line 3`: where a key such as `columns.order_id` stands in YAML; empty where nowhere."""
    node, line = yaml.compose(text), 0
    for part in setting.split(".") if setting else ():
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        pair = next(((key, value) for key, value in pairs if key.value == part), None)
        if pair is None:
            break
        line, node = pair[0].start_mark.line + 1, pair[1]
    return f", line {line}" if line else ""


def unfit(text: str, mapping: str, key: str, column: str, file: str, header: Any) -> UsageError:
    """The sentence for a mapping that names a column which no file has."""
    return UsageError(
        f"{mapping}{at_line(text, key)}, names the column {column!r} for {key}, "
        f"which {file} does not have; it has: {', '.join(header[:30])}.",
        f"Write one of these names after {key.rpartition('.')[2]}: and run again.",
    )


def no_bare_yes_or_no(value: Any) -> Any:
    """Refuse a header that YAML takes for true or false.

    Raises:
        ValueError: which one, and that it is to be quoted.
    """
    for name, header in value.items() if isinstance(value, dict) else ():
        if isinstance(header, bool):
            raise ValueError(f"YAML reads {name}'s header as {str(header).lower()}; quote it")
    return value
