#!/usr/bin/env python3
"""A service in plain Python: what it does. How it speaks is in ekkoipc.py.

    python3 examples/python-service/service.py
"""

import collections
import pathlib
import statistics

from ekkoipc import CodedError, Service

service = Service(pathlib.Path(__file__).with_name("python-service.ekko.ipc.json"))
notes = {}


@service.method
def describe(caller, numbers):
    if not numbers:
        raise CodedError("INVALID_ARGUMENT", "numbers must not be empty", path="/numbers")
    return {
        "count": len(numbers),
        "mean": statistics.fmean(numbers),
        "median": statistics.median(numbers),
        "deviation": statistics.pstdev(numbers),
    }


@service.method
def countWords(caller, text, top=3):
    counted = collections.Counter(text.lower().split())
    return {
        "words": counted.total(),
        "distinct": len(counted),
        "top": [word for word, _ in counted.most_common(int(top))],
    }


@service.method
def remember(caller, name, note):
    notes[name] = note
    service.publish("note.kept", {"name": name, "length": len(note)})


@service.method
def recall(caller, name):
    if name not in notes:
        raise CodedError("NOT_FOUND", f"no note is called {name!r}")
    return notes[name]


@service.method
def whoAmI(caller):
    return caller._asdict()


@service.hears("text.submitted")
def count_submitted(caller, event):
    service.publish("text.counted", countWords(caller, event["text"]))


if __name__ == "__main__":
    service.run()
