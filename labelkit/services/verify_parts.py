"""Whether the shards of an export, each sound by itself, are together the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labelkit.services.export_options import parse_shard
from labelkit.services.export_reading import manifest_of
from labelkit.services.verifying import Progress, VerifyReport, verify


def verify_parts(
    folders: list[Path], against: Path | None = None, progress: Progress | None = None
) -> list[VerifyReport]:
    """Verify each folder; of several, also that they are all the shards of one export."""
    reports = [verify(folder, against, progress) for folder in folders]
    if len(folders) > 1:
        reports.append(_together({str(folder): manifest_of(folder) for folder in folders}))
    return reports


def as_json(reports: list[VerifyReport]) -> dict[str, Any]:
    """One folder's report as it is; of several, their list and what they are together."""
    if len(reports) == 1:
        return reports[0].as_json()
    *parts, together = reports
    return {**together.as_json(), "ok": not any(r.found for r in reports)} | {
        "rows": sum(part.rows for part in parts),
        "files": sum(part.files for part in parts),
        "parts": [part.as_json() for part in parts],
    }


def _together(manifests: Mapping[str, Mapping[str, Any]]) -> VerifyReport:
    report = VerifyReport("the parts")
    homes: dict[int, str] = {}
    of = 0
    first_folder, first = next(iter(manifests.items()))
    for folder, manifest in manifests.items():
        told = manifest["options"].get("shard")
        if told is None:
            report.note(folder, "not a part", "was exported without --shard")
            continue
        shard = parse_shard(told)
        of = of or shard.of
        if (home := homes.setdefault(shard.number, folder)) != folder:
            report.note(folder, "twice", f"part {shard} is in {home} too")
        for what, why in (
            ("options", "other options than"),
            ("seen", "another state of the store than"),
        ):
            if _common(manifest, what) != _common(first, what):
                report.note(folder, "another export", f"{why} {first_folder}")
    for number in range(1, of + 1):
        if number not in homes:
            report.note(f"{number}/{of}", "missing part", "is in none of the folders")
    return report


def _common(manifest: Mapping[str, Any], what: str) -> Any:
    """What all shards of one export have in common; of the options, how many there are."""
    found = manifest.get(what)
    if what != "options" or found is None:
        return found
    kind = [manifest[name] for name in ("labelkit", "format", "for", "variant")]
    shard = str(found.get("shard")).partition("/")[2]
    return [kind, {**found, "shard": shard}]
