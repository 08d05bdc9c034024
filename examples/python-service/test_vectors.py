"""Holds the service to the vectors of the specification.

    python3 -m unittest discover examples/python-service
"""

import json
import pathlib
import unittest

from ekkoipc.manifest import NAME, check_pattern, matches
from ekkoipc.message import CodedError, check_message, check_metadata, parse

VECTORS = pathlib.Path(__file__).parents[2] / "spec" / "vectors"

# Python's floats end where a double does: what others keep as text is refused.
BEYOND = {"number beyond a double is kept"}


def cases(name):
    found = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))["cases"]
    return [c for c in found if c["name"] not in BEYOND]


def content(case):
    """The bytes that a case stands for."""
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    text = case.get("text", "")
    for part in case.get("parts", []):
        if "count" in part:
            text += "".join(part["text"].replace("#", str(i)) for i in range(part["count"]))
        else:
            text += part["text"] * part.get("times", 1)
    return text.encode()


def code_of(function, *arguments):
    """The code with which function refuses its arguments; None if it does not."""
    try:
        function(*arguments)
    except CodedError as error:
        return error.code
    except ValueError:
        return "MALFORMED_MESSAGE"
    return None


def check_metadata_text(text):
    value = parse(text)
    if not isinstance(value, dict):
        raise ValueError("metadata must be an object")
    check_metadata(value)


class Vectors(unittest.TestCase):
    def check(self, name, function, given=content):
        for case in cases(name):
            with self.subTest(case["name"]):
                self.assertEqual(code_of(function, given(case)), case.get("code"))

    def test_messages(self):
        self.check("message", lambda frame: check_message(parse(frame)))

    def test_values(self):
        self.check("value", parse)

    def test_metadata(self):
        self.check("metadata", check_metadata_text)

    def test_names(self):
        for case in cases("name"):
            with self.subTest(case["name"]):
                good = NAME.fullmatch(case["name"]) and len(case["name"]) <= 255
                self.assertEqual(bool(good), "code" not in case)

    def test_patterns(self):
        self.check("pattern", check_pattern, lambda case: case["name"])
        for case in cases("pattern"):
            for name in case.get("match", []):
                self.assertTrue(matches(case["name"], name), (case["name"], name))
            for name in case.get("miss", []):
                self.assertFalse(matches(case["name"], name), (case["name"], name))


if __name__ == "__main__":
    unittest.main()
