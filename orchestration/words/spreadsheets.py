"""Which texts a spreadsheet would run as a formula, and the apostrophe that keeps it from that.

Belongs here: the signs, once for who writes such texts and who reads them back. Does not belong
here: files.

The signs are = + - @ (also in full width), tab, carriage return, line feed and NUL (ASVS 5 1.2.10,
RELIABILITY SEC6).
"""

from __future__ import annotations

import re

_SIGNS = "[=+\\-@\t\r\n\0＝＋－＠]"
FORMULA = re.compile(f"'*{_SIGNS}")
ESCAPED = re.compile(f"'+{_SIGNS}")
