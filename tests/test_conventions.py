"""House rules that a machine can check, over the dbt manifest and over the files as they are.

An exception stands in conventions.csv with its reason; an idle one is warned about.
"""

from __future__ import annotations

import ast
import csv
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion.config import REPOSITORY
from ingestion.vocabulary import TEXT_CLASSES
from tests.scope_facts import facts_outside_the_fingerprint, solved_for_the_scope

DBT_PROJECT = REPOSITORY / "dbt_project"
PROJECT = "dbt_project.yml"
FOLDERS = ("ingestion", "orchestration", "dbt_project", "docs", "tests", ".ci", ".github")
SKIPPED = {"__pycache__", "target", "logs", "node_modules", ".venv"}
DEFS = "orchestration/defs"
KNOWS_DAGSTER = (
    f"{DEFS}/",
    "orchestration/definitions.py",
    "orchestration/host/history.py",
    "orchestration/host/launch.py",
    "orchestration/serve/page.py",
    "orchestration/serve/server.py",
)

# What is read off DuckDB without a session; classes (of errors, of types) aside.
NEEDS_NO_SESSION = frozenset({"__version__", "extract_statements", "list_type", "struct_type"})

CLOCK = re.compile(
    r"\b(?:now|today|getdate|sysdate|get_current_time\w*|localtimestamp|localtime|transaction_timestamp)"
    r"\s*\(|\bcurrent_(?:timestamp|date|time)\b|\blocaltimestamp\b",
    re.IGNORECASE,
)
# What DuckDB alone has, or has differently from Spark; each has a macro in macros/engine instead.
ENGINE_ONLY = re.compile(
    r"\b(?:read_parquet|read_csv|read_json|arg_min|arg_max|list_\w+|array_to_string|struct_pack|"
    r"json_extract\w*|json_object|json_array\w*|json_group_\w+|to_json|json_each|json_valid|"
    r"unnest|generate_series|epoch|epoch_ms|epoch_us|make_timestamp\w*|to_timestamp|strptime|"
    r"strftime|date_diff|datediff|date_add|dateadd|sha256|hash|md5_number\w*|approx_quantile|"
    r"approx_count_distinct|quantile_cont|quantile_disc|timezone|try_strptime|string_split|"
    r"regexp_matches|regexp_full_match|row_to_json|histogram|isfinite|isnan)\s*\("
    r"|->>|\bat\s+time\s+zone\b|\bunion\s+all\s+by\s+name\b|\b(?:exclude|replace)\s*\(\s*\w+\s*(?:,|\))"
    r"(?=[^']*\bfrom\b)|\basof\s+join\b|\bpositional\s+join\b|\bunpivot\b|\bstruct\s*\{",
    re.IGNORECASE,
)
NEEDS_ORDER = re.compile(
    r"\b(?:row_number|rank|dense_rank|ntile|lag|lead|first_value|last_value|first|last|nth_value)"
    r"\s*\((?:[^()]|\([^()]*\))*\)\s*(?:ignore\s+nulls\s*|respect\s+nulls\s*)?over\b",
    re.IGNORECASE,
)
# What several rows may share: an order that ends with it leaves open which of them is first.
SHARED_BY_ROWS = re.compile(
    r"^$|(?:_(?:at|on|from|date|day|month|micros|count|quantity|sales|price|rank|score)|\bday|\bdate"
    r"|\bprice|\bscore|\brank|\bquantity|\bnull\)*|\b[0-9]+)$"
)
UNORDERED_PICK = re.compile(r"\b(?:first|last|mode)\s*\(", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w.$}/~-])/(?:work|root|tmp|home|Users)/[\w.]")
# A variable is the noun of what it holds; `place` is one where it holds a Place.
NO_NOUN = frozenset({"found", "told", "heard", "said", "given", "born", "place"})
NO_NOUNS_IN_TESTS = 897  # may only become less
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")


@cache
def _exceptions() -> dict[tuple[str, str], str]:
    with (REPOSITORY / "tests" / "conventions.csv").open(encoding="utf-8") as file:
        return {(row["rule"], row["path"]): row["reason"] for row in csv.DictReader(file)}


def _report(rule: str, broken: dict[str, str]) -> None:
    """Fail with every place that breaks the rule; warn of every exception that is idle."""
    excused = {path for (name, path) in _exceptions() if name == rule}
    found = {path: what for path, what in broken.items() if path not in excused}
    idle = sorted(excused - set(broken))
    listing = "\n".join(f"  {path}: {what}" for path, what in sorted(found.items()))
    assert not found, f"{len(found)} place(s) break the rule `{rule}`:\n{listing}"
    if idle:
        warnings.warn(f"conventions.csv excuses what keeps `{rule}`: {idle}", stacklevel=2)


@cache
def _files(*suffixes: str) -> tuple[Path, ...]:
    """Every file of the folders and the top level, without what tools leave behind."""
    found = [p for p in REPOSITORY.iterdir() if p.is_file() and p.name != ".git"]  # a worktree's
    for folder in FOLDERS:
        found += [
            path
            for path in (REPOSITORY / folder).rglob("*")
            if path.is_file() and not SKIPPED & set(path.relative_to(REPOSITORY).parts)
        ]
    return tuple(sorted(path for path in found if not suffixes or path.suffix in suffixes))


def _name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def _sql(*folders: str) -> Iterator[tuple[str, str]]:
    """Name and code of every SQL file below these folders of the dbt project, without comments."""
    for path in _files(".sql"):
        if any(_name(path).startswith(f"dbt_project/{folder}/") for folder in folders):
            yield _name(path), without_comments(path.read_text("utf-8"))


def _plain_sql(*folders: str) -> Iterator[tuple[str, str]]:
    """The SQL alone: Jinja's calls go too, because dbt's own macros bridge the engines."""
    for name, code in _sql(*folders):
        yield name, re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", code, flags=re.DOTALL)


def without_comments(sql: str) -> str:
    """SQL without its comments (Jinja's, blocks, lines) and without the text of its literals."""
    sql = re.sub(r"\{#.*?#\}", " ", sql, flags=re.DOTALL)
    sql = re.sub(r"/\*.*?\*/", " ", sql, flags=re.DOTALL)
    pattern = re.compile(r"'(?:[^'\n]|'')*'|--[^\n]*")
    return pattern.sub(lambda m: "''" if m.group().startswith("'") else "", sql)


# dbt ----------------------------------------------------------------------------------------------
# dbt looks for what will go in a project only where its warehouse is one of four; ours is none.
STRICT_PARSE = """
import sys
from dbt.cli.main import cli
from dbt.jsonschemas import jsonschemas
jsonschemas._JSONSCHEMA_SUPPORTED_ADAPTERS.add("duckdb")
sys.argv[0] = "dbt"
cli()
"""


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The project as dbt understands it, parsed without a database and without anything that dbt
    says will go."""
    home = tmp_path_factory.mktemp("parse")
    command = [
        *(sys.executable, "-c", STRICT_PARSE),
        *("--quiet", "--no-use-colors", "--warn-error-options", '{"error": ["Deprecations"]}'),
        "parse",
        *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
        *("--target-path", str(home / "target"), "--log-path", str(home / "logs")),
    ]
    environment = {**os.environ, "REGULARS_HOME": str(home)}
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=180
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    content: dict[str, Any] = json.loads((home / "target" / "manifest.json").read_text("utf-8"))
    return content


def _models(manifest: dict[str, Any], *schemas: str) -> list[dict[str, Any]]:
    nodes = [n for n in manifest["nodes"].values() if n["resource_type"] == "model"]
    chosen = [n for n in nodes if not schemas or n["schema"] in schemas]
    return sorted(chosen, key=lambda node: str(node["name"]))


PUBLISHED = ("marts", "segments", "activity", "ops")


def test_every_exception_has_a_reason() -> None:
    for (rule, path), reason in _exceptions().items():
        assert len(reason.split()) > 3, f"{rule} for {path} needs a reason"


def test_every_model_says_what_one_row_is(manifest: dict[str, Any]) -> None:
    wrong = {
        model["name"]: model["description"][:60] or "no description"
        for model in _models(manifest)
        if not model["description"].startswith("One row per ")
    }
    _report("description", wrong)


INTERNAL_CODE = re.compile(r"\b(?:S\d+|RELIABILITY|REQUIREMENTS|DESIGN)\b")


def test_no_description_carries_a_code_of_ours(manifest: dict[str, Any]) -> None:
    wrong = {}
    for node in [*manifest["nodes"].values(), *manifest["unit_tests"].values()]:
        told = [node.get("description") or ""]
        told += [column["description"] or "" for column in node.get("columns", {}).values()]
        told += [str(value) for value in _segment_words(node)]
        found = [match.group() for text in told if (match := INTERNAL_CODE.search(text))]
        if found:
            wrong[node["name"]] = ", ".join(found)
    _report("codes", wrong)


def _segment_words(node: dict[str, Any]) -> Iterator[str]:
    meta = (node.get("config") or {}).get("meta") or {}
    segment = meta.get("segment") or {}
    yield from (segment[key] for key in ("label", "description") if key in segment)


def test_every_documented_column_of_a_published_table_is_described(
    manifest: dict[str, Any],
) -> None:
    wrong = {}
    for model in _models(manifest, *PUBLISHED):
        bare = [name for name, column in model["columns"].items() if not column["description"]]
        if bare or not model["columns"]:
            wrong[model["name"]] = ", ".join(bare) or "no columns listed"
    _report("columns", wrong)


# Names of published columns that hold no text, and no number by which to find a record; that each
# has a class is asked of the built tables too (tests/dbt/marts/test_whole_project.py), and masking
# leaves out what has none.
NO_TEXT = re.compile(
    r"^(?:is|has|was|may|accepts|ships|rows|days|hours|values|probability)_"
    r"|(?:^|_)(?:at|on|of|date|since|until|after|from|to|for|count|quantity|score|rank|share|rate)$"
    r"|(?:^|_)(?:sales|returns|discounts|taxes|shipping|tips|price|cost|margin|amount|monetary)$"
    r"|(?:^|_)(?:shop|clv|off|value|size|stock|orders|adjustments|gift_cards_sold|total|month)$"
    r"|(?:^|_)(?:low|high|risk|intent|error|people|coverage_90|support|lift|confidence|hit_rate_10)$"
    r"|(?:^|_)(?:[0-9]+d|days|minutes|hour|months|per_day|per_week|frequency|priority|before|touch)$"
    r"|(?:^|_)(?:credit|roas|effect|visits|unsubscribes|treated|control|done|kept|detect|step|investment)$"
    r"|(?:^|_)(?:messages|clicks|each|trend)$"
)
PERSONAL = ("identifier", "name", "address", "birthday", "free_text", "json", "url")


def test_every_published_text_and_identifying_number_has_a_class(
    manifest: dict[str, Any],
) -> None:
    wrong = {}
    for model in _models(manifest, *PUBLISHED):
        for name, column in model["columns"].items():
            text_class = column["meta"].get("text_class")
            place = f"{model['name']}.{name}"
            if text_class is None and not NO_TEXT.search(name):
                wrong[place] = "no text_class in its meta (ingestion/vocabulary.py lists them)"
            elif text_class not in (None, *TEXT_CLASSES):
                wrong[place] = f"{text_class} is no class of texts"
            elif column["meta"].get("pii") and text_class not in PERSONAL:
                wrong[place] = f"pii, and of the class {text_class}"
    _report("text_class", wrong)


def test_every_published_table_has_a_tested_key(manifest: dict[str, Any]) -> None:
    tested = _keyed_models(manifest)
    wrong = {
        model["name"]: "no unique key test"
        for model in _models(manifest, *PUBLISHED)
        if model["unique_id"] not in tested
    }
    _report("key", wrong)


def _keyed_models(manifest: dict[str, Any]) -> set[str]:
    """Models of which a rule, or a test whose name says so, asks whether something is unique."""
    keyed = {
        model
        for test, model, node in _tests_of_models(manifest)
        if "unique" in test or node["test_metadata"]["kwargs"].get("unique")
    }
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and not node.get("attached_node"):
            keyed.update(node["depends_on"]["nodes"] if "unique" in node["name"] else ())
    return keyed


def test_the_rules_of_a_table_are_one_test(manifest: dict[str, Any]) -> None:
    """To dbt each test is as much work as a small model; `rows_obey` asks all in one."""
    wrong = {
        node["name"]: f"write it under rows_obey of {model.rpartition('.')[2]}"
        for test, model, node in _tests_of_models(manifest)
        if test in ("unique", "not_null", "accepted_values", "relationships", "unique_combination")
        if node["config"]["severity"].lower() == "error" and not node["config"].get("where")
        if not model.startswith("seed.")
    }
    _report("rules", wrong)


def _tests_of_models(manifest: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each generic test: its kind, the id of the model it is of, the test."""
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node.get("attached_node"):
            yield node["test_metadata"]["name"], node["attached_node"], node


def test_a_segment_has_the_columns_and_words_that_channels_need(manifest: dict[str, Any]) -> None:
    wrong = {}
    for model in _models(manifest, "segments"):
        meta = model["config"].get("meta", {}).get("segment", {})
        missing = [k for k in ("label", "description", "channel", "purpose") if not meta.get(k)]
        missing += [c for c in ("customer_id", "reason", "context") if c not in model["columns"]]
        if missing:
            wrong[model["name"]] = f"missing {', '.join(missing)}"
    _report("segment", wrong)


def test_every_model_has_its_yml_beside_it() -> None:
    wrong = {
        _name(path): "no .yml beside it"
        for path in _files(".sql")
        if _name(path).startswith("dbt_project/models/") and not _described(path)
    }
    _report("pair", wrong)


def _described(path: Path) -> bool:
    if path.with_suffix(".yml").exists():
        return True
    named = re.compile(rf"name:\s*{re.escape(path.stem)}\b")
    return any(named.search(yml.read_text("utf-8")) for yml in path.parent.glob("*.yml"))


def test_no_model_reads_the_clock() -> None:
    wrong = {
        name: found.group()
        for name, code in _sql("models", "macros", "tests", "snapshots")
        if (found := CLOCK.search(code))
    }
    _report("clock", wrong)


def test_what_one_engine_alone_has_stays_in_its_folder() -> None:
    wrong = {
        name: ", ".join(sorted({match.group().strip() for match in ENGINE_ONLY.finditer(code)}))
        for name, code in _plain_sql("models", "macros")
        if not name.startswith("dbt_project/macros/engine/") and ENGINE_ONLY.search(code)
    }
    _report("engine", wrong)


def test_every_window_that_picks_a_row_has_an_order() -> None:
    wrong = {}
    for name, code in _sql("models", "macros", "tests"):
        loose = [m.group() for m in NEEDS_ORDER.finditer(code) if not order_of(code, m.end())]
        if loose:
            wrong[name] = loose[0]
    _report("order", wrong)


# Rows that are equal in these are ranked alike, which is what they are for.
RANKS = re.compile(r"(?:dense_)?rank\b", re.IGNORECASE)


def test_the_order_of_a_window_that_picks_a_row_ends_with_what_rows_do_not_share() -> None:
    wrong = {}
    for name, code in _sql("models", "macros", "tests"):
        for match in NEEDS_ORDER.finditer(code):
            order = order_of(code, match.end())
            if not RANKS.match(match.group()) and SHARED_BY_ROWS.search(order):
                wrong[f"{Path(name).stem} by {order}"] = "two rows may be equal in its last column"
    _report("total order", wrong)


def order_of(code: str, start: int) -> str:
    """What the window after `over` is ordered by, without direction and frame; empty: by nothing.

    The window's brackets follow, or the name of one that the statement has.
    """
    rest = code[start:].lstrip()
    if not rest.startswith("("):
        named = re.match(r"\w+", rest)
        window = re.search(rf"\b{named.group()}\s+as\s*\(", code) if named else None
        return order_of(code, window.end() - 1) if window else ""
    depth = 0
    for position, letter in enumerate(rest):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            _, *orders = re.split(r"\border\s+by\b", rest[1:position], flags=re.IGNORECASE)
            order, *_ = re.split(r"\b(?:rows|range)\b", orders[-1] if orders else "")
            return re.sub(r"\s+(?:asc|desc|nulls\s+(?:first|last))\b", "", order).strip()
    return ""


def test_a_var_is_declared_and_read() -> None:
    """In dbt_project.yml, where its meaning is written, too."""
    text = (DBT_PROJECT / "dbt_project.yml").read_text("utf-8")
    declared = set(yaml.safe_load(text)["vars"])
    written = [path.read_text("utf-8") for path in _files(".sql", ".yml") if path.name != PROJECT]
    code = "\n".join([*written, *(path.read_text("utf-8") for _, path in _python("orchestration"))])
    read = set(re.findall(r"(?<!_)\bvar\(\s*['\"](\w+)['\"]", "\n".join(written)))
    wrong = dict.fromkeys(read - declared, f"is read, and {PROJECT} does not have it")
    wrong |= {
        name: "is declared, and nothing reads it"
        for name in declared
        if not re.search(rf"['\"]{name}['\"]", code)
    }
    _report("var", wrong)


def test_no_model_picks_any_first_row() -> None:
    wrong = {}
    for name, code in _plain_sql("models", "macros"):
        found = UNORDERED_PICK.search(code)
        if found and not name.startswith("dbt_project/macros/engine/"):
            wrong[name] = found.group()
    _report("first", wrong)


def test_a_fact_read_below_the_identity_scope_is_part_of_the_fingerprint(
    manifest: dict[str, Any],
) -> None:
    wrong = {
        f"{model} reads {fact}": "a change of it brings nobody into scope"
        for model, fact in facts_outside_the_fingerprint(manifest)
    }
    _report("fingerprint", wrong)


# The columns of a record that move every day; they are left out of its fingerprint on purpose.
MOVES_EVERY_DAY = re.compile(r"\b(?:last_seen_at|observation_count)\b")


def test_no_model_below_the_identity_scope_reads_what_moves_every_day(
    manifest: dict[str, Any],
) -> None:
    solved = solved_for_the_scope(manifest)
    assert len(solved) > 10
    wrong = {
        model: found.group()
        for model, code in solved.items()
        if (found := MOVES_EVERY_DAY.search(without_comments(code)))
    }
    _report("moves every day", wrong)


# Python -------------------------------------------------------------------------------------------
def _imports(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def _python(*folders: str) -> Iterator[tuple[str, Path]]:
    for path in _files(".py"):
        if any(_name(path).startswith(f"{folder}/") for folder in folders):
            yield _name(path), path


def test_ingestion_knows_neither_neighbour() -> None:
    wrong = {}
    for name, path in _python("ingestion"):
        foreign = {m for m in _imports(path) if re.match(r"(orchestration|dagster\w*)\b", m)}
        if foreign:
            wrong[name] = ", ".join(sorted(foreign))
    _report("layers", wrong)


def test_only_dagsters_folder_knows_dagster() -> None:
    wrong = {}
    for name, path in _python("orchestration"):
        foreign = {m for m in _imports(path) if re.match(r"dagster\w*\b", m)}
        if foreign and not name.startswith(KNOWS_DAGSTER):
            wrong[name] = ", ".join(sorted(foreign))
    _report("dagster", wrong)


def test_dagsters_folder_holds_short_files() -> None:
    """What has logic stands in the folder that owns it, where it is tested without Dagster."""
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in _python(DEFS)}
    wrong = {name: f"{count} lines of 100" for name, count in lines.items() if count > 100}
    _report("defs", wrong)


def test_one_module_opens_duckdb() -> None:
    """Ruff forbids `duckdb.connect` alone, and not where Dagster may be imported."""
    wrong = {
        name: ", ".join(openers)
        for name, path in _python("ingestion", "orchestration")
        if name != "ingestion/duckdb.py"
        and (openers := sorted(_duckdb_openers(path.read_text("utf-8"))))
    }
    _report("duckdb", wrong)


def _duckdb_openers(code: str) -> set[str]:
    """What code takes from DuckDB by any name for it, beyond classes and what needs no session."""
    tree = ast.parse(code)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    modules = {
        alias.asname or alias.name
        for node in imports
        for alias in node.names
        if alias.name == "duckdb"
    }
    taken: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            taken |= {node.attr} if node.value.id in modules else set()
        elif isinstance(node, ast.ImportFrom) and node.module == "duckdb":
            taken |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("import_module", "__import__")
        ):
            named = [a.value for a in node.args if isinstance(a, ast.Constant)]
            taken |= {f"import of {name}" for name in named if str(name).startswith("duckdb")}
    return {name for name in taken if name not in NEEDS_NO_SESSION and not name[0].isupper()}


def test_a_file_that_a_docstring_names_is_there() -> None:
    modules = dict(_python("ingestion", "orchestration", "tests", "dbt_project"))
    known = {path.name for path in modules.values()}
    wrong = {}
    for name, path in modules.items():
        told = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        if gone := set(re.findall(r"\b[a-z_]+\.py\b", told)) - known:
            wrong[name] = ", ".join(sorted(gone))
    _report("file of a docstring", wrong)


def test_every_module_says_what_belongs_in_it() -> None:
    wrong = {}
    for name, path in _python("ingestion", "orchestration", "tests", "dbt_project"):
        text = path.read_text("utf-8")
        if text.strip() and not ast.get_docstring(ast.parse(text)):
            wrong[name] = "no docstring"
    _report("docstring", wrong)


def _names_given(code: str) -> Iterator[str]:
    """Each name that Python code gives to a value, an argument, a function or a class."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def _without_noun(*folders: str) -> dict[str, list[str]]:
    """The names that are no noun, by file."""
    return {
        name: names
        for name, path in _python(*folders)
        if (names := [n for n in _names_given(path.read_text("utf-8")) if _is_no_noun(n)])
    }


def _is_no_noun(name: str) -> bool:
    """Whether a name is no noun, private or a constant too; the class `Place` is one."""
    return name.strip("_").lower() in NO_NOUN and name != "Place"


def test_a_name_is_the_noun_of_what_it_holds() -> None:
    named = _without_noun("ingestion", "orchestration", "dbt_project")
    _report("noun", {name: ", ".join(names) for name, names in named.items()})


def test_names_in_tests_that_are_no_nouns_become_fewer() -> None:
    count = sum(map(len, _without_noun("tests").values()))
    assert count <= NO_NOUNS_IN_TESTS, f"name what it holds: {', '.join(sorted(NO_NOUN))} do not"


# Everything ---------------------------------------------------------------------------------------
TEXT = (".py", ".sql", ".yml", ".yaml", ".toml", ".md", ".csv", ".html", ".jinja", ".txt", "")


def test_no_path_of_one_machine_is_written_down() -> None:
    wrong = {}
    for path in _files(*TEXT):
        if _name(path).startswith("tests/") or path.name == "requirements.lock":
            continue
        if found := MACHINE_PATH.search(path.read_text("utf-8", errors="ignore")):
            wrong[_name(path)] = found.group()
    _report("machine path", wrong)


def test_nothing_is_left_unfinished() -> None:
    wrong = {}
    for path in _files(*TEXT):
        if path.resolve() == Path(__file__).resolve():
            continue
        if found := UNFINISHED.search(path.read_text("utf-8", errors="ignore")):
            wrong[_name(path)] = found.group()
    _report("unfinished", wrong)


def test_the_lock_file_names_no_registry() -> None:
    text = (REPOSITORY / "requirements.lock").read_text("utf-8")
    assert not re.search(r"https?://|--(?:extra-)?index-url|--find-links", text)
    pins = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert pins
    assert all("==" in pin for pin in pins)
    assert text.count("--hash=sha256:") >= len(pins)


# The checks themselves ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sql", "ordered"),
    [
        ("row_number() over (partition by a order by b desc)", "b"),
        ("row_number() over (partition by (a + b))", ""),
        ("lag(x, 1) ignore nulls over (partition by a)", ""),
        ("lag(coalesce(x, 1)) over w from t window w as (order by (a), b nulls last)", "(a), b"),
        ("last_value(x) over (order by a, b rows between unbounded preceding and 1 f)", "a, b"),
        ("lead(x) over w from t window w as (partition by a)", ""),
    ],
)
def test_the_order_check_sees_windows(sql: str, ordered: str) -> None:
    match = NEEDS_ORDER.search(sql)
    assert match
    assert order_of(sql, match.end()) == ordered


@pytest.mark.parametrize("order", ["seen_at", "a_id, b.seen_at", "(select null)", "1", "day", ""])
def test_the_order_check_sees_what_rows_share(order: str) -> None:
    assert SHARED_BY_ROWS.search(order)


@pytest.mark.parametrize("order", ["seen_at, order_id", "score, value", "seen_at, {{ thing }}"])
def test_the_order_check_leaves_total_orders_alone(order: str) -> None:
    assert not SHARED_BY_ROWS.search(order)


STAGING, IDENTITY = "staging", "intermediate/identity/values"


def _small_manifest(**reads: tuple[str, ...]) -> dict[str, Any]:
    """Models by what they read; a name in capitals keeps rows of identifiers out of scope."""
    nodes = {
        name: {
            "resource_type": "model",
            "name": name,
            "original_file_path": f"models/{STAGING if 'stg_' in name else IDENTITY}/{name}.sql",
            "depends_on": {"nodes": list(parents)},
            "config": {"incremental_strategy": "replace_scope" if name.isupper() else None},
        }
        for name, parents in reads.items()
    }
    return {"nodes": nodes, "sources": {"source.names": {"name": "names"}}}


READ_BY_ALL = {
    "stg_contacts": (),
    "evidence": ("stg_contacts",),
    "records": ("evidence",),
    "words": ("evidence",),
    "int_identity_fingerprints": ("records",),
    "int_identity_scope": ("int_identity_fingerprints",),
    "edges": ("int_identity_scope", "records"),
}


@pytest.mark.parametrize(
    ("read", "found"),
    [
        ((), set()),
        (("records", "evidence", "int_identity_fingerprints"), set()),
        (("stg_contacts",), {("CORES", "stg_contacts")}),
        (("words",), {("CORES", "words")}),
        (("source.names",), {("CORES", "names")}),
    ],
)
def test_the_fingerprint_check_sees_a_fact_that_no_fingerprint_knows(
    read: tuple[str, ...], found: set[tuple[str, str]]
) -> None:
    kept = _small_manifest(**READ_BY_ALL, CORES=("edges", "int_identity_scope", *read))
    assert facts_outside_the_fingerprint(kept) == found


def test_the_fingerprint_check_sees_through_models_between_and_stops_after_the_last_kept() -> None:
    between = READ_BY_ALL | {"edges": ("int_identity_scope", "words")}
    manifest = _small_manifest(**between, CORES=("edges",), people=("CORES", "source.names"))
    assert facts_outside_the_fingerprint(manifest) == {("edges", "words")}


def test_the_noun_check_sees_every_kind_of_name() -> None:
    code = "class A:\n    found: int\n    def told(self, said):\n        self.heard = 1\n"
    code += "_TOLD = 1\nclass _Found: pass\n"
    assert {name for name in _names_given(code) if _is_no_noun(name)} == {
        *("found", "told", "said", "heard", "_TOLD", "_Found")
    }
    clean = "rows = told(said)\nfor row in x.found: print(place)\nclass Place: pass"
    assert not any(map(_is_no_noun, _names_given(clean)))


@pytest.mark.parametrize("sql", ["now()", "CURRENT_DATE", "x < current_timestamp", "today()"])
def test_the_clock_check_sees_clocks(sql: str) -> None:
    assert CLOCK.search(sql)


@pytest.mark.parametrize(
    "code",
    [
        "import duckdb\nduckdb.connect()",
        "import duckdb as engine\nengine.sql('select 1')",
        "import duckdb\nduckdb.read_parquet('a')",
        "from duckdb import connect",
        "import importlib\nimportlib.import_module('duckdb').connect()",
        "__import__('duckdb').connect()",
    ],
)
def test_the_duckdb_check_sees_every_way_to_a_session(code: str) -> None:
    assert _duckdb_openers(code)


@pytest.mark.parametrize(
    "code",
    [
        "import duckdb\ndef f(c: duckdb.DuckDBPyConnection) -> None: c.sql('select 1')",
        "from ingestion.duckdb import connect",
        "import duckdb\nduckdb.extract_statements('select 1')",
    ],
)
def test_the_duckdb_check_leaves_types_and_our_own_module_alone(code: str) -> None:
    assert not _duckdb_openers(code)


@pytest.mark.parametrize(
    "sql", ["known()", "-- now() is forbidden", "'now()'", "{# today() #}", "snow_date"]
)
def test_the_clock_check_leaves_words_alone(sql: str) -> None:
    assert not CLOCK.search(without_comments(sql))


@pytest.mark.parametrize("sql", ["payload ->> 'x'", "epoch(t)", "unnest(list)", "arg_max(a, b)"])
def test_the_engine_check_sees_one_engines_words(sql: str) -> None:
    assert ENGINE_ONLY.search(sql)


@pytest.mark.parametrize("path", ["/work/main/x", "at /root/.cache", '"/tmp/file"'])
def test_the_path_check_sees_machine_paths(path: str) -> None:
    assert MACHINE_PATH.search(path)


@pytest.mark.parametrize("text", ["docs/work/x", "https://a.b/home/x", "$REGULARS_HOME/tmp/x"])
def test_the_path_check_leaves_other_paths_alone(text: str) -> None:
    assert not MACHINE_PATH.search(text)
