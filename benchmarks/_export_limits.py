"""What no way of writing a file with its SHA-256, whole after a power cut, gets around.

python -m benchmarks._export_limits FILE prints, for as many bytes as FILE has, CPU seconds of
hashing, CPU seconds of writing, and seconds of waiting for the disk.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from pathlib import Path

from labelkit.store.disk import write_behind

AHEAD, BEHIND = 32, 256
"""MiB after which the disk is told to begin, and that it is told of."""


def main(path: Path) -> None:
    with path.open("rb") as source:
        block = source.read(1 << 20)
    count = path.stat().st_size // len(block)
    start = time.process_time()
    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(block)
    hashed = time.process_time()
    copy = path.with_name(f"{path.name}.copy")
    with copy.open("wb", buffering=0) as file:
        for n in range(1, count + 1):
            file.write(block)
            if n % AHEAD == 0:
                first = max(0, n - BEHIND)
                write_behind(file.fileno(), first * len(block), (n - first) * len(block))
        written, waiting = time.process_time(), time.perf_counter()
        os.fsync(file.fileno())
        waited = time.perf_counter() - waiting
    copy.unlink()
    print(hashed - start, written - hashed, waited)


main(Path(sys.argv[1]))
