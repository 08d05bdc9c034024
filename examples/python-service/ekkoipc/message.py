"""What is said: messages, errors, and JSON read strictly."""

import datetime
import json
import uuid

MAX_DEPTH = 64

# What a failure says of the work asked for, unless it knows better. [err.2]
EXECUTED = {"HANDLER_FAILED": "maybe", "INTERNAL": "maybe", "RESPONSE_SCHEMA_MISMATCH": "yes"}


class CodedError(Exception):
    """A failure with a code that the caller sees."""

    def __init__(self, code, message, **details):
        super().__init__(message)
        self.code, self.message, self.details = code, message, details

    def as_json(self):
        executed = EXECUTED.get(self.code, "yes" if self.code.startswith("APP_") else "no")
        details = {"executed": executed, "retryable": False, "origin": "service", **self.details}
        return {"code": self.code, "message": self.message, "details": details}


def parse(frame):
    """Read one JSON value. ValueError says what is wrong with it."""

    def unique(pairs):
        value = dict(pairs)
        if len(value) != len(pairs):
            raise ValueError("a name stands twice in one object")
        return value

    def refuse(text):
        raise ValueError(f"{text} is not JSON")

    try:
        value = json.loads(frame.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse)
        encode(value)  # refuses unpaired surrogates
    except RecursionError:
        raise CodedError("MESSAGE_TOO_LARGE", f"nested deeper than {MAX_DEPTH} levels") from None
    if depth(value) > MAX_DEPTH:
        raise CodedError("MESSAGE_TOO_LARGE", f"nested deeper than {MAX_DEPTH} levels")
    return value


def depth(value):
    level, values = 0, [value]
    while values := [v for v in values if isinstance(v, (dict, list))]:
        level += 1
        values = [item for v in values for item in (v.values() if isinstance(v, dict) else v)]
    return level


def encode(value):
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def check_message(message):
    """Refuse what is no message. [msg.4] [msg.6]"""
    if not isinstance(message, dict):
        raise ValueError("a message is an object")
    for field in ("type", "messageId", "channel", "action", "correlationId"):
        if message.get(field) is None:
            message.pop(field, None)
        elif not isinstance(message[field], str):
            raise ValueError(f"{field} must be text")
    if message.get("metadata") is None:
        message["metadata"] = {}
    elif not isinstance(message["metadata"], dict):
        raise ValueError("metadata must be an object")
    if "type" not in message:
        raise ValueError("type is missing")


def event_frame(name, data, metadata):
    message = {"type": "event", "messageId": str(uuid.uuid4()), "channel": f"events.{name}"}
    if "gap" not in metadata:
        message["data"] = data
    return encode({**message, "timestamp": now(), "metadata": metadata})


def now():
    t = datetime.datetime.now(datetime.timezone.utc)
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + f"{t.microsecond // 1000:03d}Z"
