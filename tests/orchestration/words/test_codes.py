"""Every reason for which a table of the whole shop says nothing has a sentence of its own."""

from __future__ import annotations

import pytest
import yaml

from ingestion.config import REPOSITORY
from orchestration.words import codes

MARTS = REPOSITORY / "dbt_project" / "models" / "marts"
WITHHOLDING = [
    "retention/rpt_customer_equity",
    "retention/rpt_cohort_spend",
    "retention/rpt_retention_what_if",
    "experiments/rpt_experiments",
    "email/rpt_campaign_launches",
    "recommendations/rpt_replenishment_intervals",
]


@pytest.mark.parametrize("model", WITHHOLDING)
def test_every_reason_is_a_sentence(model: str) -> None:
    (described,) = yaml.safe_load((MARTS / f"{model}.yml").read_text("utf-8"))["models"]
    obey = next(test["rows_obey"] for test in described["data_tests"] if "rows_obey" in test)
    reasons = obey["arguments"]["values"]["null_reason"]
    assert reasons
    assert set(reasons) <= {*codes.UNPROVEN, *codes.WITHHELD}
    assert all(codes.why_not(reason).endswith(".") for reason in reasons)


def test_a_reason_that_nobody_foresaw_is_its_code_in_words() -> None:
    assert codes.why_not("too_late_for_it") == "Too late for it."
