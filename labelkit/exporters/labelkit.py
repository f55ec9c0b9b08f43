"""labelkit's own records: everything about a prompt on one line; `import` reads it back."""

from __future__ import annotations

from labelkit.domain.record_out import to_record
from labelkit.plugins import Exporter

PLUGIN = Exporter(title="labelkit's own records", stages={"records": to_record})
