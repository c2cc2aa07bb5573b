"""Stands in for dbt's `modules`: the part of Python that our macros use.

Belongs here: names in use. Does not belong here: anything that models would miss under dbt.
"""

from __future__ import annotations

import datetime

__all__ = ["datetime"]
