"""The audit record: which very bytes were checked, by what, with what outcome.

Belongs here: the record, the small protocol of whoever keeps it (the ops store), and the rule by
which a record lets a file be published. Does not belong here: the checks themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ingestion.errors import CheckFailedError
from orchestration.published.candidate import Candidate
from orchestration.published.checks import REQUIRED_KINDS, CheckResult, stopping
from orchestration.published.files import sha256_of


@dataclass(frozen=True)
class AuditRecord:
    """What was found about one candidate file; `digest` is the SHA-256 of its bytes."""

    digest: str
    build_id: str
    run_id: str
    as_of: datetime
    checks: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every kind of check has looked and nothing blocking failed."""
        kinds = {check.kind for check in self.checks}
        return kinds.issuperset(REQUIRED_KINDS) and not stopping(self.checks)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that JSON can carry."""
        return {
            "digest": self.digest,
            "build_id": self.build_id,
            "run_id": self.run_id,
            "as_of": self.as_of.isoformat(),
            "passed": self.passed,
            "checks": [check.to_json() for check in self.checks],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> AuditRecord:
        """The reverse of `to_json`; whether it passed is judged anew from the checks."""
        return cls(
            digest=content["digest"],
            build_id=content["build_id"],
            run_id=content["run_id"],
            as_of=datetime.fromisoformat(content["as_of"]),
            checks=tuple(CheckResult.from_json(check) for check in content["checks"]),
        )


class AuditLog(Protocol):
    """Who keeps audit records (the ops store)."""

    def record_audit(self, digest: str, record: dict[str, Any]) -> None:
        """Keep the record of the file with this SHA-256; a later one replaces it."""

    def find_audit(self, digest: str) -> dict[str, Any] | None:
        """The record of the file with this SHA-256, if it was ever audited."""


def record_audit(log: AuditLog, candidate: Candidate, checks: Iterable[CheckResult]) -> AuditRecord:
    """Write down the outcome of all checks for the candidate's bytes as they are now."""
    record = AuditRecord(
        digest=sha256_of(candidate.path),
        build_id=candidate.build_id,
        run_id=candidate.run_id,
        as_of=candidate.as_of,
        checks=tuple(checks),
    )
    log.record_audit(record.digest, record.to_json())
    return record


def require_audit(log: AuditLog, candidate: Candidate) -> AuditRecord:
    """The record that lets this candidate be published.

    Raises:
        CheckFailedError: these bytes were never audited, or not fully, or did not pass.
    """
    content = log.find_audit(sha256_of(candidate.path))
    if content is None:
        raise CheckFailedError(
            "This build was never audited, or was changed after its audit.", _KEPT
        )
    record = AuditRecord.from_json(content)
    if record.build_id != candidate.build_id:
        raise CheckFailedError("The audit record belongs to another build.", _KEPT)
    missing = [kind for kind in REQUIRED_KINDS if kind not in {c.kind for c in record.checks}]
    if missing:
        raise CheckFailedError(
            f"The audit of this build is incomplete: no {' and no '.join(missing)} checks.", _KEPT
        )
    failed = stopping(record.checks)
    if failed:
        raise failure(failed)
    return record


def failure(failed: list[CheckResult]) -> CheckFailedError:
    """The error that says every failed check in words, up to five, and what to do.

    Of those beyond five it says the names.
    """
    unique = list({check.name: check for check in failed}.values())
    shown, others = unique[:_SHOWN], unique[_SHOWN:]
    sentences = [_in_words(check) for check in shown]
    if others:
        sentences.append(f"Also: {', '.join(check.name for check in others)}.")
    hints = dict.fromkeys(check.hint for check in shown if check.hint)
    return CheckFailedError(" ".join(sentences), " ".join((*hints, _KEPT)))


def _in_words(check: CheckResult) -> str:
    sentence = check.sentence.rstrip(".") or f"Check {check.name} failed on {check.table}"
    return f"{sentence} [{check.name}]."


_SHOWN = 5
_KEPT = "Nothing was published; what was published before, if anything, stays as it is."
