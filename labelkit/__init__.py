"""labelkit: the data desk of InstructGPT-style alignment, as one command line."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing for it would cost more than `labelkit --version` does
if TYPE_CHECKING:
    from labelkit.services.notebook import load as load

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> object:
    if name == "load":
        from labelkit.services.notebook import load

        return load
    raise AttributeError(f"module 'labelkit' has no attribute {name!r}")
