"""labelkit's own records: everything about a prompt on one line; `import` reads it back."""

from __future__ import annotations

from typing import Any

from labelkit.domain.asked import Asked
from labelkit.domain.models import Bundle
from labelkit.domain.record_out import to_record
from labelkit.exporters._rows import heard
from labelkit.plugins import Exporter, Seen, Stage


def record(_: Asked | None, bundle: Bundle) -> dict[str, Any]:
    return to_record(bundle)


def read(row: Any) -> Seen:
    prompt = row["prompt"]
    chat = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    return Seen(heard(chat))


PLUGIN = Exporter(
    title="labelkit's own records",
    stages={"records": Stage(record, {}, read, extras=False, usage="labelkit import FILE")},
)
