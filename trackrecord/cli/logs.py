"""Where the log goes and how a line looks: stderr, as text for people or JSON for machines. No secret is written."""

import logging
import sys
from datetime import UTC, datetime

import msgspec

from ..requestlog import without_secrets


class TextFormat(logging.Formatter):
    """`2026-01-31 12:00:00 WARNING trackrecord.http: what happened`, UTC; a traceback on the lines after."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S")
        text = f"{at} {record.levelname:7} {record.name}: {record.getMessage()}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return without_secrets(text)


class JsonFormat(logging.Formatter):
    """One object a line: time (ISO 8601, UTC), level, logger, message, and a traceback as `error`."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
        }
        if record.exc_info:
            entry["error"] = without_secrets(self.formatException(record.exc_info))
        return msgspec.json.encode(entry).decode()


FORMATS = {"text": TextFormat, "json": JsonFormat}


def set_up(log_format: str, *, level: int = logging.INFO) -> None:
    """Send every log line to stderr in one of FORMATS. uvicorn's own are heard from WARNING on: we say ourselves what we serve."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATS[log_format]())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("uvicorn", "httpx", "httpcore", "asyncio", "alembic"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
