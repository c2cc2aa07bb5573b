"""CDNOW's customers: rows read from the wheel that `make oracles` installs; never committed.

Run as a program by the Python of that environment it prints what `lifetimes` answers.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[4]
ROWS = "lib/python3*/site-packages/lifetimes/datasets"
CALIBRATED_UNTIL = datetime.date(1997, 9, 30)


def data_folder() -> Path | None:
    """Where the rows lie, if `make oracles` was run."""
    return next((REPOSITORY / ".oracles").glob(ROWS), None)


def histories(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Repeats, the last of them and the age of 2,357 customers, in weeks; one order a day."""
    days: dict[str, set[datetime.date]] = {}
    for line in (folder / "CDNOW_sample.txt").read_text("ascii").splitlines():
        _, customer, day, *_ = line.split()
        ordered = datetime.datetime.strptime(day, "%Y%m%d").date()
        if ordered <= CALIBRATED_UNTIL:
            days.setdefault(customer, set()).add(ordered)
    rows = [
        (len(own) - 1, (max(own) - min(own)).days / 7, (CALIBRATED_UNTIL - min(own)).days / 7)
        for own in days.values()
    ]
    repeats, last, age = np.array(rows, dtype=np.float64).T
    return repeats, last, age


def summary(folder: Path) -> np.ndarray:
    """The package's own table: repeats, last, age (weeks, two digits), mean value of a repeat."""
    file = folder / "cdnow_customers_summary_with_transactions.csv"
    return np.loadtxt(file, delimiter=",", skiprows=1, usecols=(1, 2, 3, 4)).T


def main() -> None:
    """Print the answers of `lifetimes` for the package's own table."""
    from lifetimes import BetaGeoFitter, GammaGammaFitter

    folder = data_folder()
    assert folder is not None
    repeats, last, age, value = summary(folder)
    print(BetaGeoFitter().fit(repeats, last, age).params_.to_string())
    is_repeat = repeats > 0
    print(GammaGammaFitter().fit(repeats[is_repeat], value[is_repeat]).params_.to_string())


if __name__ == "__main__":
    main()
