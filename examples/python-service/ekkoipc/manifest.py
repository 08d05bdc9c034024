"""What is promised: names, patterns, types, and arguments that fit them."""

import re

from .message import CodedError

# [name.1] [pattern.1]
NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,15}")
PATTERN = re.compile(r"([A-Za-z0-9_-]+|\*)(\.([A-Za-z0-9_-]+|\*)){0,15}(\.\*\*)?|\*\*")


def event_name(channel):
    return channel.removeprefix("events.")  # [name.4] [pattern.3]


def check_pattern(pattern):
    tokens = pattern.split(".")
    if not PATTERN.fullmatch(pattern) or len(pattern) > 255 or len(tokens) > 16 or tokens.count("*") > 4:
        raise CodedError("INVALID_PATTERN", f"{pattern!r} is not a pattern: a wildcard is a whole token, ** the last one")


def matches(pattern, name):
    tokens, parts = pattern.split("."), name.split(".")
    if "" in parts:
        return False
    if tokens[-1] == "**":
        tokens.pop()
        if len(parts) <= len(tokens):
            return False
        parts = parts[: len(tokens)]
    return len(tokens) == len(parts) and all(t in ("*", p) for t, p in zip(tokens, parts))


TYPES = {
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def mismatch(declared, value, path):
    """Say where value does not fit a declared type, or None if it does."""
    if isinstance(declared, dict):
        if not isinstance(value, dict):
            return path, f"expected object, got {kind(value)}"
        for name, inner in declared.items():
            if name in value:
                if fault := mismatch(inner, value[name], f"{path}/{name}"):
                    return fault
            elif not (isinstance(inner, str) and inner.endswith("?")):
                return f"{path}/{name}", "is missing"
        return None
    declared = declared.rstrip("?")
    if declared == "any":
        return None
    if declared.endswith("[]"):
        if not isinstance(value, list):
            return path, f"expected array, got {kind(value)}"
        faults = (mismatch(declared[:-2], item, f"{path}/{i}") for i, item in enumerate(value))
        return next((f for f in faults if f), None)
    if not isinstance(value, TYPES[declared]) or (declared == "number" and isinstance(value, bool)):
        return path, f"expected {declared}, got {kind(value)}"
    return None


def kind(value):
    return next(name for name, t in reversed(TYPES.items()) if isinstance(value, t))


def arguments(parameters, data, given):
    """Make the list of arguments of the forms data may have. [arg.1] to [arg.4]"""
    if not given:
        args = []
    elif isinstance(data, list):
        args = data
    elif isinstance(data, dict) and len(parameters) != 1:
        return named_arguments(parameters, data)
    else:
        args = [data]
    if len(args) > len(parameters):
        raise CodedError("SCHEMA_MISMATCH", f"{len(args)} arguments for {len(parameters)} parameters", path=f"/{len(parameters)}")
    return check_arguments(parameters, {p["name"]: arg for p, arg in zip(parameters, args)})


def named_arguments(parameters, data):
    known = [p["name"] for p in parameters]
    for name in data:
        if name not in known:
            raise CodedError("SCHEMA_MISMATCH", f"there is no parameter {name}", path=f"/{name}")
    return check_arguments(parameters, data)


def check_arguments(parameters, given):
    args = {}
    for p in parameters:
        name = p["name"]
        if name in given:
            if fault := mismatch(p["type"], given[name], f"/{name}"):
                raise CodedError("SCHEMA_MISMATCH", f"{fault[0]}: {fault[1]}", path=fault[0])
            args[name] = given[name]
        elif "default" in p:
            args[name] = p["default"]
        elif p.get("required", True):
            raise CodedError("SCHEMA_MISMATCH", f"parameter {name} is missing", path=f"/{name}")
    return args
