"""The command `labelkit`."""

from __future__ import annotations

import gc
import os
import sys

# Start-up makes 130,000 objects that stay; looking through them again takes a tenth of its time.
_NEW_OBJECTS_PER_COLLECTION = 200_000


def main() -> None:
    """Run the command line. The version is answered without loading anything."""
    if sys.argv[1:] in (["--version"], ["-V"]) and _said_version():
        return
    gc.set_threshold(_NEW_OBJECTS_PER_COLLECTION)
    # Looking for plug-ins of pydantic reads the metadata of everything that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from labelkit.cli.app import run

    run()


def _said_version() -> bool:
    """Whether it could be printed; why not is said the ordinary way."""
    from labelkit import __version__

    try:
        sys.stdout.write(f"labelkit {__version__}\n")
        sys.stdout.flush()
    except (AttributeError, OSError):
        return False
    return True


if __name__ == "__main__":
    main()
