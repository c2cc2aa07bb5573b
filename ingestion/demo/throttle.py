"""Windows of requests: so many in a second and so many in a minute, as vendors' APIs keep them.

Belongs here: counting requests and saying how long to wait. Does not belong here: the answer.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

BURST_SECONDS = 1.0
STEADY_SECONDS = 60.0


class Throttle:
    """The two windows of one call.

    Args:
        burst: requests in a second.
        steady: requests in a minute.
        clock: seconds that never go back.
    """

    def __init__(
        self, burst: int, steady: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing was asked yet."""
        self._burst = burst
        self._steady = steady
        self._clock = clock
        self._seen: deque[float] = deque()

    def wait(self) -> int:
        """Whole seconds to wait; 0 where the request may pass, which then counts."""
        now = self._clock()
        seen = self._seen
        while seen and now - seen[0] > STEADY_SECONDS:
            seen.popleft()
        if len(seen) >= self._steady:
            return int(STEADY_SECONDS - (now - seen[0])) + 1
        if len(seen) >= self._burst and now - seen[-self._burst] < BURST_SECONDS:
            return 1
        seen.append(now)
        return 0

    @property
    def headers(self) -> dict[str, str]:
        """What is left of the steady window."""
        if not self._seen:
            return {}
        reset = int(STEADY_SECONDS - (self._clock() - self._seen[0])) + 1
        return {
            "RateLimit-Limit": str(self._steady),
            "RateLimit-Remaining": str(self._steady - len(self._seen)),
            "RateLimit-Reset": str(reset),
        }
