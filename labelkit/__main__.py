"""The command `labelkit`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. The version is answered without loading anything."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from labelkit import __version__

        sys.stdout.write(f"labelkit {__version__}\n")
        return
    from labelkit.cli.app import run

    run()


if __name__ == "__main__":
    main()
