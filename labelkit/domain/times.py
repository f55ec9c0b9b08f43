"""Moments as text: ISO 8601 in UTC, so that they sort as they happened."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(moment: datetime) -> str:
    """Return `moment` as `YYYY-MM-DDTHH:MM:SS[.ffffff]Z`; a naive one is taken as UTC.

    >>> utc_text(datetime(2026, 11, 20, 10, 0, 0))
    '2026-11-20T10:00:00Z'
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")


def normalise(text: str) -> str:
    """Return an ISO 8601 moment in the one form labelkit stores.

    Raises ValueError when `text` is not a moment.

    >>> normalise("2026-11-20T11:00:00+01:00")
    '2026-11-20T10:00:00Z'
    """
    return utc_text(datetime.fromisoformat(text))


def now_text() -> str:
    """Return the present moment by this process's clock."""
    return utc_text(datetime.now(UTC))
