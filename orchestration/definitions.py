"""Dagster's entry point: loads everything under `defs/`. Nothing is defined here."""

from __future__ import annotations

import dagster as dg

from orchestration import defs
from orchestration.defs.resources import resources

definitions = dg.load_definitions_from_package_module(
    defs, resources=resources(), executor=dg.in_process_executor
)
