"""A handle on the AudioBridge over a WebSocket: as much of the Janus API as a client needs to join. Knows no media."""

import asyncio
import itertools
import json

import websockets

PLUGIN = "janus.plugin.audiobridge"
PATIENCE = 15


class Handle:
    def __init__(self, socket):
        self.socket = socket
        self.numbers = itertools.count()
        self.ids = {}

    @classmethod
    async def attach(cls, url):
        handle = cls(await websockets.connect(url, subprotocols=["janus-protocol"]))
        handle.ids["session_id"] = (await handle.ask({"janus": "create"}))["data"]["id"]
        handle.ids["handle_id"] = (await handle.ask({"janus": "attach", "plugin": PLUGIN}))["data"]["id"]
        return handle

    async def join(self, room, display):
        return await self.message({"request": "join", "room": room, "display": display})

    async def offer(self, sdp):
        """The SDP of the answer."""
        event = await self.message({"request": "configure", "muted": False}, {"type": "offer", "sdp": sdp})
        return event["jsep"]["sdp"]

    async def trickle(self, candidate):
        await self.ask({"janus": "trickle", "candidate": candidate})

    async def message(self, body, jsep=None):
        """The event that answers a request of the plugin."""
        request = {"janus": "message", "body": body, **({"jsep": jsep} if jsep else {})}
        event = await self.ask(request, of="event")
        data = event["plugindata"]["data"]
        if "error" in data:
            raise RuntimeError(f"{body}: {data}")
        return event

    async def ask(self, request, of=None):
        """The reply, or with `of` the message of this kind that follows it."""
        transaction = str(next(self.numbers))
        await self.socket.send(json.dumps({"transaction": transaction, **self.ids, **request}))
        return await asyncio.wait_for(self.find(transaction, of), PATIENCE)

    async def find(self, transaction, of):
        while True:
            message = json.loads(await self.socket.recv())
            if message.get("transaction") == transaction:
                if message["janus"] == "error":
                    raise RuntimeError(message["error"])
                if of in (None, message["janus"]):
                    return message
