"""What a service answers, and its life from the lock to the last byte."""

import asyncio
import collections
import difflib
import json
import pathlib
import re
import signal
import socket
import sys
import time
import uuid

from .connection import MAX_FRAME, Connection
from .manifest import NAME, arguments, check_pattern, event_name, matches, mismatch
from .message import CodedError, event_frame
from .place import release_lock, runtime_directory, socket_path, take_lock

MAX_IN_FLIGHT = 1024
MAX_SUBSCRIPTIONS = 512


class Service:
    """A service described by a manifest, on a socket in the runtime directory."""

    def __init__(self, manifest_path):
        self.manifest = json.loads(pathlib.Path(manifest_path).read_text("utf-8"))
        self.name = self.manifest["service"]["name"]
        self.methods, self.listeners = {}, collections.defaultdict(list)
        self.connections = set()
        self.epoch = uuid.uuid4().hex[:12]
        self.sequence = {}  # name: seq of its last event
        self.started = time.monotonic()
        self.answered = self.published = 0

    # What a service is made of.

    def method(self, function):
        """Register a handler: function(caller, *arguments), arguments by name."""
        self.methods[function.__name__] = function
        return function

    def hears(self, name):
        """Register a listener of events that clients publish."""

        def register(function):
            self.listeners[name].append(function)
            return function

        return register

    def publish(self, name, data):
        """Send an event to everybody who subscribed to it."""
        declared = self.manifest["events"][name].get("schema")
        if declared and (fault := mismatch(declared, data, "")):
            raise CodedError("SCHEMA_MISMATCH", f"event {name}: {fault[0]} {fault[1]}", path=fault[0])
        metadata = {"epoch": self.epoch, "seq": self.sequence.get(name, 0) + 1}  # [event.3]
        frame = event_frame(name, data, metadata)
        if len(frame) > MAX_FRAME - 1024:  # [pub.6]
            raise CodedError("MESSAGE_TOO_LARGE", f"the event has {len(frame)} bytes")
        self.sequence[name] = metadata["seq"]
        self.published += 1
        receivers = 0
        for connection in self.connections:
            matching = {i for i, pattern in connection.subscriptions.items() if matches(pattern, name)}
            if matching - connection.separate:  # once for all of them [event.2]
                receivers += 1
                connection.queue_event(name, None, metadata["seq"], frame)
            for i in matching & connection.separate:  # [sub.9]
                receivers += 1
                connection.queue_event(name, i, metadata["seq"], event_frame(name, data, {**metadata, "subscription": i}))
        return {"stream": name, **metadata, "receivers": receivers, "behind": 0}  # [pub.1]

    # What clients may ask.

    def call(self, connection, message):
        channel, action = message.get("channel", ""), message.get("action")
        service, method = self.split(channel, action)
        given = "data" in message
        if service == "ipc":
            return self.call_reserved(connection, method, message.get("data"))
        if service != self.name:  # [req.3]
            raise CodedError("SERVICE_NOT_FOUND", f"this is {self.name}, not {service!r}")
        declared = self.manifest["methods"].get(method)
        if declared is None or method not in self.methods:  # [req.4]
            near = difflib.get_close_matches(method, self.methods, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise CodedError("METHOD_NOT_FOUND", f"{self.name} has no method {method!r}{hint}")
        args = arguments(declared.get("parameters", []), message.get("data"), given)
        result = self.run_handler(self.methods[method], connection.caller, args)
        returns = declared.get("returns")
        if returns and (fault := mismatch(returns.get("schema", returns["type"]), result, "")):  # [resp.4]
            raise CodedError("RESPONSE_SCHEMA_MISMATCH", f"result {fault[0]} {fault[1]}", path=fault[0])
        self.answered += 1
        return result

    def split(self, channel, action):
        """Name the service and the method of a request. [req.1] [req.2]"""
        if not channel and action:
            return self.name, action
        if not NAME.fullmatch(channel) or len(channel) > 255:
            raise CodedError("INVALID_NAME", f"{channel!r} is not a name")
        if channel in (self.name, "ipc") and action:
            return channel, action
        service, _, method = channel.rpartition(".")
        if channel.startswith(self.name + "."):  # [name.3]
            service, method = self.name, channel.removeprefix(self.name + ".")
        if action not in (None, method):
            raise CodedError("PROTOCOL_ERROR", f"channel {channel} and action {action} name different methods")
        return service, method

    def run_handler(self, handler, caller, args):
        try:
            return handler(caller, **args)
        except CodedError:
            raise
        except Exception as e:  # [err.5]
            print(f"{handler.__name__} failed: {e!r}", file=sys.stderr)
            raise CodedError("HANDLER_FAILED", f"{handler.__name__} failed") from e

    def uptime(self):
        return int((time.monotonic() - self.started) * 1000)

    def call_reserved(self, connection, method, data):
        if method == "ping":  # [ipc.1]
            return data
        if method == "describe":
            return self.manifest
        if method == "health":
            return {"status": "ok", "service": self.name, "uptimeMs": self.uptime()}
        if method == "hello":
            return self.hello(connection, data)
        if method == "stats":
            return {
                "requests": self.answered,
                "events": self.published,
                "connections": len(self.connections),
                "subscriptions": sum(len(c.subscriptions) for c in self.connections),
                "uptimeMs": self.uptime(),
            }
        if method == "connections":
            return [{"uid": c.caller.uid, "pid": c.caller.pid} for c in self.connections]
        raise CodedError("METHOD_NOT_FOUND", f"ipc has no method {method!r}")  # [ipc.6]

    def hello(self, connection, data):
        data = data[0] if isinstance(data, list) and data else data
        offered = data.get("versions", [1]) if isinstance(data, dict) else [1]
        if 1 not in offered:  # [ipc.4]
            raise CodedError("UNSUPPORTED_VERSION", "this service speaks version 1", offered=offered, supported=[1])
        return {
            "protocol": 1,
            "service": self.name,
            "version": self.manifest["service"]["version"],
            "limits": {"maxFrame": MAX_FRAME, "maxInFlight": MAX_IN_FLIGHT},
            "features": [],
            "identity": connection.caller._asdict(),
            "roles": [],
        }

    def take_event(self, connection, message):
        channel = message.get("channel", "")
        if channel == "ipc.cancel":
            return  # nothing here runs long enough to be cancelled [time.5]
        name = event_name(channel)
        declared = self.manifest["events"].get(name)
        if declared is None:  # [event.7]
            raise CodedError("CHANNEL_NOT_FOUND", f"{self.name} has no event {name!r}")
        receipt = self.publish(name, message.get("data"))
        for listener in self.listeners[name]:
            try:
                self.run_handler(listener, connection.caller, {"event": message.get("data")})
            except CodedError:
                pass  # run_handler has told the log; the event itself was not refused
        return receipt

    def subscribe(self, connection, message):
        pattern = event_name(message.get("channel", ""))
        check_pattern(pattern)
        if "*" not in pattern and pattern not in self.manifest["events"]:  # [sub.3]
            raise CodedError("CHANNEL_NOT_FOUND", f"{self.name} has no event {pattern!r}")
        if len(connection.subscriptions) >= MAX_SUBSCRIPTIONS:  # [sub.8]
            raise CodedError("QUOTA_EXCEEDED", f"{MAX_SUBSCRIPTIONS} subscriptions are the most")
        subscription = self.chosen(connection, message.get("data") or {}) or str(uuid.uuid4())
        connection.subscriptions[subscription] = pattern
        if "*" not in pattern:  # [sub.1]
            return {"subscription": subscription, "from": self.next_of(pattern)}
        begun = {name: self.next_of(name) for name in self.sequence if matches(pattern, name)}
        return {"subscription": subscription, "from": {"epoch": self.epoch, "seq": 1}, "channels": begun}

    def chosen(self, connection, options):
        """Check the options of a subscription, and take the id that the client chose. [sub.4]"""
        if not isinstance(options, dict):
            raise CodedError("INVALID_ARGUMENT", "the data of a subscribe is an object of options")
        since = options.get("from", "new")
        # Nothing is kept here, so where a subscription stood it cannot go on,
        # and begins with what is new. [from.5]
        if since != "new" and not (isinstance(since, dict) and "streams" in since):
            raise CodedError("UNIMPLEMENTED", f"{self.name} keeps no events")
        for name in ("filter", "group", "durable", "onSlow"):
            if options.get(name) not in (None, "drop-oldest"):
                raise CodedError("UNIMPLEMENTED", f"{self.name} has no {name} for a subscription")
        own = options.get("subscription")
        if own is None:
            return None
        if not isinstance(own, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", own):  # [sub.9]
            raise CodedError("INVALID_ARGUMENT", "an id has 1 to 64 letters, digits, - and _")
        if own in connection.subscriptions:
            raise CodedError("ALREADY_EXISTS", f"there is a subscription {own!r} on this connection")
        connection.separate.add(own)
        return own

    def next_of(self, name):
        return {"epoch": self.epoch, "seq": self.sequence.get(name, 0) + 1}

    def unsubscribe(self, connection, message):
        data = message.get("data")
        wanted = data.get("subscription") if isinstance(data, dict) else None
        pattern = event_name(message.get("channel", ""))
        ended = [i for i, p in connection.subscriptions.items() if i == wanted or (wanted is None and p == pattern)]
        if not ended:  # [sub.5]
            raise CodedError("NOT_FOUND", "there is no such subscription on this connection")
        for i in ended:
            del connection.subscriptions[i]
            connection.separate.discard(i)

    # Its life.

    def run(self):
        """Serve until SIGTERM or SIGINT."""
        asyncio.run(self.serve())

    async def serve(self):
        directory = runtime_directory()
        transport = self.manifest["service"].get("transport", {})
        path = socket_path(directory, transport.get("address") or self.name)
        lock = take_lock(path)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        # Bound under another name and moved into place: nobody ever connects
        # to a socket that is not ready. [run.5]
        unready = path.with_name(f"{path.name}~")
        unready.unlink(missing_ok=True)  # left by one that was killed just here
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(unready))
        unready.chmod(0o600)
        server = await asyncio.start_unix_server(self.accept, sock=listener, limit=MAX_FRAME + 2)
        unready.rename(path)
        print(f"{self.name} ready on unix:{path}", flush=True)
        try:
            await stop.wait()
        finally:
            path.unlink()  # [run.7]
            server.close()
            writers = [c.writer for c in self.connections]
            for writer in writers:
                writer.close()  # after what is still unsent
            await asyncio.wait_for(asyncio.gather(*(w.wait_closed() for w in writers), return_exceptions=True), 5)
            release_lock(path, lock)

    async def accept(self, reader, writer):
        connection = Connection(self, reader, writer)
        self.connections.add(connection)
        await connection.serve()
