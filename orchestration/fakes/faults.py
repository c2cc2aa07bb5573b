"""Faults of a fake on request: a share of all requests, or the next ones by name.

Belongs here: what can go wrong with a request to any vendor, and choosing when, by a seed. Does not
belong here: what the answers look like (each fake says it in its own form).
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from ingestion.demo import faults
from ingestion.errors import UsageError

KINDS = {
    "401": "the key is refused",
    "403": "the key lacks a right; at Mailchimp without a word, which is its throttle",
    "404": "what the address names is not there any more",
    "429": "too many requests, with Retry-After",
    "503": "not available, with Retry-After",
    "html": "done, and the answer is a page of HTML with status 200",
    "huge": "done, and the answer has 11 MB",
    "lost_ack": "done, and the connection closes without an answer",
    "redirect": "not done, but a redirect to another host",
    "slow": "done, and the answer comes a second later",
    "truncated": "done, and the answer ends in the middle",
}
SLOW_SECONDS = 1.0


@dataclass
class Fault:
    """One thing to go wrong.

    Args:
        kind: one of `KINDS`.
        share: of the requests that it is meant for.
        where: only requests whose method and path contain this.
        after: how many of those go well first.
        times: how often it happens in all; 0 for ever.
        wait: the seconds that Retry-After says.
    """

    kind: str
    share: float = 1.0
    where: str = ""
    after: int = 0
    times: int = 0
    wait: int = 1

    @property
    def retry_after(self) -> dict[str, str]:
        """The header that says when to come back, of the kinds that say it."""
        return {"Retry-After": str(self.wait)} if self.kind in ("429", "503") else {}


class Faults(faults.Faults[Fault]):
    """The plan of one fake, of which a share is left to chance."""

    def __init__(self, seed: int = 0, planned: Iterable[Fault] = ()) -> None:
        """The same seed and the same requests give the same faults."""
        super().__init__(list(planned))
        self._dice = random.Random(seed)  # noqa: S311 - chance, no secret

    def _strikes(self, fault: Fault) -> bool:
        return self._dice.random() < fault.share


def parsed(words: Iterable[str]) -> list[Fault]:
    """Faults as `--fault` names them: a kind, and after a colon its share.

    Raises:
        UsageError: there is no such kind, or the share is none.
    """
    faults = []
    for word in " ".join(words).replace(",", " ").split():
        kind, _, share = word.partition(":")
        try:
            fault = Fault(kind, float(share or 1))
        except ValueError:
            fault = Fault(kind, -1)
        if kind not in KINDS or not 0 < fault.share <= 1:
            raise UsageError(
                f"There is no fault `{word}`.",
                f"Write a kind, and after a colon its share of requests (429:0.05): "
                f"{', '.join(KINDS)}.",
            )
        faults.append(fault)
    return faults
