"""A service of EkkoJS IPC with nothing but the standard library.

Written from spec/protocol.md, whose rules the comments name in [brackets].
Everything runs on one thread: a handler that takes long holds up the others.
"""

from .message import CodedError
from .service import Service

__all__ = ["CodedError", "Service"]
