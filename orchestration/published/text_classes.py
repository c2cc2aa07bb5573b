"""What texts and ids of the published file hold, by class: what may be shown to whom follows.

Belongs here: reading the classes that models declare (`text_class` of a column's `meta`), and those
of the tables that no model makes. Does not belong here: what becomes of a class (`masked`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from ingestion.config import REPOSITORY

MODELS = REPOSITORY / "dbt_project" / "models"
PUBLISHED_FOLDERS = ("marts", "segments")

Classes = Mapping[str, Mapping[str, str]]
IDENTIFYING = re.compile(r"(?:^|_)(?:id|key|number)$")  # names of numbers that need a class too

# Tables that are written into the candidate beside the models' own.
_FURTHER: Classes = {
    "fct_contact_decisions": {
        **dict.fromkeys(("class", "channel", "address_kind", "message_kind"), "word"),
        **dict.fromkeys(("outcome", "reason"), "word"),
        "customer_id": "identifier",
        "segment": "label",
        "rivals": "json",
    },
    "fct_holdouts": {"customer_id": "identifier", "holdout": "label"},
    "rpt_onsite_contacts": {"segment": "label", "outcome": "word", "reason": "word"},
    "segment_code": {"segment": "label", "comparison": "word"},
    "segment_code_effects": {
        **{"segment": "label", "customer_id": "identifier"},
        **{"reason": "free_text", "context": "json"},
    },
    "build": {"build_id": "key", "run_id": "key"},
    "build_tables": {"table_name": "word", "digest": "key"},
}


def read_classes(models: Path = MODELS) -> Classes:
    """The class of each column that has one, by table and column."""
    classes: dict[str, dict[str, str]] = {table: dict(own) for table, own in _FURTHER.items()}
    for folder in PUBLISHED_FOLDERS:
        for path in sorted((models / folder).rglob("*.yml")):
            content = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader) or {}
            for model in content.get("models", ()):
                own = classes.setdefault(model["name"], {})
                for column in model.get("columns", ()):
                    meta = column.get("config", {}).get("meta", {})
                    if "text_class" in meta:
                        own[column["name"]] = meta["text_class"]
    return classes
