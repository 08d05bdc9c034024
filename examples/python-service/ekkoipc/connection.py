"""One client: its framing, its subscriptions and what waits for it."""

import asyncio
import collections
import os
import socket
import struct
import uuid

from .manifest import matches
from .message import CodedError, check_message, check_metadata, encode, event_frame, now, parse

MAX_FRAME = 1 << 20
MAX_UNREADABLE = 16
QUEUED_EVENTS = 4096
QUEUED_BYTES = 8 << 20

Caller = collections.namedtuple("Caller", "uid gid pid")


class Connection:
    """One client: its framing, its subscriptions and what waits for it."""

    def __init__(self, service, reader, writer):
        self.service, self.reader, self.writer = service, reader, writer
        self.lines = False
        self.unread = b""  # what finding out the framing has read of the first frame
        self.caller = None
        self.subscriptions = {}  # id: pattern
        self.separate = set()  # ids that the client chose: their events are theirs alone [sub.9]
        self.events = collections.deque()  # (name, subscription or None, seq, frame)
        self.event_bytes = 0
        self.gaps = {}  # (name, subscription or None): (from, to)
        self.woken = asyncio.Event()
        self.unreadable = 0

    async def serve(self):
        peer = self.writer.get_extra_info("socket")
        pid, uid, gid = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        self.caller = Caller(uid, gid, pid)
        if uid not in (0, os.geteuid()):  # [peer.2]
            self.writer.close()
            return
        sender = asyncio.create_task(self.send_events())
        try:
            async for frame in self.frames():
                self.receive(frame)
                await self.writer.drain()
                if self.unreadable > MAX_UNREADABLE:  # [msg.3]
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client left, perhaps within a frame [frame.8]
        finally:
            sender.cancel()
            self.service.connections.discard(self)
            self.writer.close()

    async def frames(self):
        """Yield the frames of either framing. [frame.1] to [frame.6]"""
        self.unread = await self.reader.readexactly(4)
        self.lines = self.unread[3] != 0  # [frame.3]
        while True:
            try:
                yield await (self.line() if self.lines else self.block())
            except asyncio.LimitOverrunError:
                self.answer(None, error=CodedError("MESSAGE_TOO_LARGE", f"a frame may have {MAX_FRAME} bytes"))
                return

    async def line(self):
        while True:
            if b"\n" in self.unread:
                line, _, self.unread = self.unread.partition(b"\n")
            else:
                line, self.unread = self.unread + await self.rest_of_line(), b""
            if line := line.strip():
                if len(line) > MAX_FRAME:
                    raise asyncio.LimitOverrunError("line too long", len(line))
                return line

    async def rest_of_line(self):
        try:
            return await self.reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as end:
            if not (self.unread + end.partial).strip():
                raise
            return end.partial  # the last line needs no line feed

    async def block(self):
        header, self.unread = self.unread or await self.reader.readexactly(4), b""
        (length,) = struct.unpack("<I", header)
        if length > MAX_FRAME:
            raise asyncio.LimitOverrunError("frame too long", length)
        return await self.reader.readexactly(length)

    def write(self, message):
        frame = message if isinstance(message, bytes) else encode(message)
        if len(frame) > MAX_FRAME:
            raise CodedError("MESSAGE_TOO_LARGE", f"the answer has {len(frame)} bytes", executed="yes")  # [resp.5]
        self.writer.write(frame + b"\n" if self.lines else struct.pack("<I", len(frame)) + frame)

    def receive(self, frame):
        try:
            value = parse(frame)
            if value == []:
                raise ValueError("an empty batch")  # [batch.3]
        except (ValueError, CodedError) as e:
            self.refuse(e)
            return
        for message in value if isinstance(value, list) else [value]:  # [batch.1]
            try:
                check_message(message)
            except ValueError as e:
                self.refuse(e)
                continue
            self.handle(message)

    def refuse(self, error):
        self.unreadable += 1
        if not isinstance(error, CodedError):
            error = CodedError("MALFORMED_MESSAGE", str(error))
        self.answer(None, error=error)

    def handle(self, message):
        service = self.service
        answered = {"request": service.call, "subscribe": service.subscribe, "unsubscribe": service.unsubscribe}
        kind = message["type"].lower()  # [msg.6]
        try:
            check_metadata(message.get("metadata", {}))
            if kind in answered:
                self.answer(message, answered[kind](self, message))
            elif kind == "event":
                receipt = service.take_event(self, message)
                if message.get("metadata", {}).get("confirm"):  # else success is silent [event.6] [pub.1]
                    self.answer(message, receipt)
            elif kind != "response":  # nothing was asked of the client [resp.6]
                raise CodedError("PROTOCOL_ERROR", f"unknown message type {message['type']!r}")  # [msg.7]
        except CodedError as e:
            self.answer(message, error=e)

    def answer(self, message, data=None, error=None):
        # Who gives no id cannot be answered, except to be told that nothing
        # could be read. [req.5] [msg.2]
        answered = message and (message.get("correlationId") or message.get("messageId"))  # [resp.2]
        if message and not answered:
            return
        response = {"type": "response", "messageId": str(uuid.uuid4())}
        if error is None:
            response["data"] = data
        response["timestamp"] = now()
        if answered:
            response["correlationId"] = answered
        if error is not None:
            response["error"] = error.as_json()
        self.write(response)

    def queue_event(self, name, subscription, seq, frame):
        """Keep an event until the client takes it, or drop the oldest. [gap.1]"""
        self.events.append((name, subscription, seq, frame))
        self.event_bytes += len(frame)
        while len(self.events) > QUEUED_EVENTS or self.event_bytes > QUEUED_BYTES:
            name, subscription, seq, frame = self.events.popleft()
            self.event_bytes -= len(frame)
            whose = (name, subscription)
            self.gaps[whose] = (self.gaps.get(whose, (seq,))[0], seq)
        self.woken.set()

    async def send_events(self):
        while True:
            await self.woken.wait()
            self.woken.clear()
            while self.events or self.gaps:
                for (name, subscription), (first, last) in self.gaps.items():  # [gap.2]
                    metadata = {"epoch": self.service.epoch, "gap": {"from": first, "to": last, "reason": "slow-consumer"}}
                    if subscription:
                        metadata["subscription"] = subscription
                    self.write(event_frame(name, None, metadata))
                self.gaps.clear()
                if self.events:
                    *_, frame = self.events.popleft()
                    self.event_bytes -= len(frame)
                    self.write(frame)
                await self.writer.drain()
