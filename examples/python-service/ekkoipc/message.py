"""What is said: messages, errors, and JSON read strictly."""

import datetime
import json
import uuid

MAX_DEPTH = 64
MAX_MEMBERS = 4096
MAX_TOKENS = 100_000

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
    """Read one JSON value, strictly. ValueError says what is wrong with it. [msg.1]"""

    def check_object(pairs):
        if len(pairs) > MAX_MEMBERS:
            raise CodedError("MESSAGE_TOO_LARGE", f"more than {MAX_MEMBERS} members in one object")
        value = dict(pairs)
        if len(value) != len(pairs):
            raise ValueError("a name stands twice in one object")
        return value

    def refuse(text):
        raise ValueError(f"{text} is not JSON")

    try:
        value = json.loads(frame.decode("utf-8"), object_pairs_hook=check_object, parse_constant=refuse)
        encode(value)  # refuses unpaired surrogates
    except RecursionError:
        raise CodedError("MESSAGE_TOO_LARGE", f"nested deeper than {MAX_DEPTH} levels") from None
    check_size(value)
    return value


def check_size(value):
    """Refuse what is nested too deeply or has too many values and names."""
    level = -1 if isinstance(value, list) else 0  # the array of a batch does not count
    count, values = 1, [value]
    while values := [v for v in values if isinstance(v, (dict, list))]:
        level += 1
        count += sum(2 * len(v) if isinstance(v, dict) else len(v) for v in values)
        if level > MAX_DEPTH:
            raise CodedError("MESSAGE_TOO_LARGE", f"nested deeper than {MAX_DEPTH} levels")
        if count > MAX_TOKENS:
            raise CodedError("MESSAGE_TOO_LARGE", f"more than {MAX_TOKENS} values and names")
        values = [item for v in values for item in (v.values() if isinstance(v, dict) else v)]


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
    for field in ("metadata", "error"):
        if message.get(field) is None:
            message.pop(field, None)
        elif not isinstance(message[field], dict):
            raise ValueError(f"{field} must be an object")
    if "type" not in message:
        raise ValueError("type is missing")


METADATA = {
    "timeoutMs": lambda v: is_integer(v, -(2**63), 2**63),
    "credit": lambda v: is_integer(v, -(2**63), 2**63),
    "deliveries": lambda v: is_integer(v, -(2**63), 2**63),
    "seq": lambda v: is_integer(v, 0, 2**64),
    "gap": lambda v: isinstance(v, dict)
    and all(is_integer(v.get(end), 0, 2**64) for end in ("from", "to"))
    and isinstance(v.get("reason", ""), str)
    and (v.get("count") is None or is_integer(v["count"], 0, 2**64)),
    **dict.fromkeys(("more", "redelivered", "confirm", "snapshot"), lambda v: isinstance(v, bool)),
    **dict.fromkeys(("epoch", "stream", "subscription", "traceparent", "tracestate", "idempotencyKey"), lambda v: isinstance(v, str)),
}


def check_metadata(metadata):
    """Refuse known fields of the wrong type. [meta.1]"""
    for name, fits in METADATA.items():
        if metadata.get(name) is not None and not fits(metadata[name]):
            raise CodedError("MALFORMED_MESSAGE", f"metadata: {name} has the wrong type", path=f"/metadata/{name}")


def is_integer(value, lowest, end):
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value < end


def event_frame(name, data, metadata):
    message = {"type": "event", "messageId": str(uuid.uuid4()), "channel": f"events.{name}"}
    if "gap" not in metadata:
        message["data"] = data
    return encode({**message, "timestamp": now(), "metadata": metadata})


def now():
    t = datetime.datetime.now(datetime.timezone.utc)
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + f"{t.microsecond // 1000:03d}Z"
