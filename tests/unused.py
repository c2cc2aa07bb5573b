"""Names that no Python of the product mentions and that are needed all the same, for vulture.

Belongs here: a name and who uses it. Does not belong here: code that only might be needed one day.
Fields and constants are not asked about at all (`make lint`): templates and SQL read them by name.
"""

# ruff: noqa: B018, F821

# dbt, Dagster, the logging of SQL and the web server call these by name
Plugin
_.configure_connection
_.yield_for_execution
_._cli_version
_._initialize_dbt_core_adapter
_.get_asset_key
_.get_group_name
_.get_tags
_._connect
_.from_config_value
_.capture_logs
_.main_loop
_._make_request_context

# Conditions and contexts of segments call these of dbt's; jinja2 and dlt ask for the last two
_.dispatch
_.type_string
_.is_incremental
_.datediff
_.dateadd
_.raise_compiler_error
_._parse
_.destination_type

# Templates of the report read these
_.value_or_zero
_.reachable

# Python hands or asks for these: a context manager's end, a file that is read; mypy reads the class
trace
_.readable
_.readinto
DataclassInstance
