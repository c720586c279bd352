"""aiortc in a room: says a tone, and ends well once it has heard the expected tones and no other.

usage: aiortc_client.py WEBSOCKET_URL ROOM OWN_TONE EXPECTED_TONE...
"""

import array
import asyncio
import fractions
import sys

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame

sys.path.insert(0, f"{sys.path[0]}/harness")
import tones
from janus import Handle
from listening import Listener

FRAME = tones.RATE // 50


class Tone(MediaStreamTrack):
    """A voice, in real time."""

    kind = "audio"

    def __init__(self, frequency):
        super().__init__()
        self.frequency = frequency
        self.position = 0
        self.began = None

    async def recv(self):
        loop = asyncio.get_running_loop()
        self.began = self.began or loop.time()
        await asyncio.sleep(self.began + self.position / tones.RATE - loop.time())
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(array.array("h", tones.samples(self.frequency, self.position, FRAME)).tobytes())
        frame.sample_rate = tones.RATE
        frame.time_base = fractions.Fraction(1, tones.RATE)
        frame.pts = self.position
        self.position += FRAME
        return frame


async def listen(track, listener):
    while True:
        frame = await track.recv()
        # Interleaved, as the decoder gives it: one channel says enough.
        heard = array.array("h", bytes(frame.planes[0])[: frame.samples * len(frame.layout.channels) * 2])
        listener.hear(heard[:: len(frame.layout.channels)])


async def main(url, room, own, *expected):
    listener = Listener({int(tone) for tone in expected})
    connection = RTCPeerConnection()
    connection.addTrack(Tone(int(own)))
    listening = []
    connection.on("track", lambda track: listening.append(asyncio.ensure_future(listen(track, listener))))
    handle = await Handle.attach(url)
    await handle.join(int(room), "aiortc")
    await connection.setLocalDescription(await connection.createOffer())
    answer = await handle.offer(connection.localDescription.sdp)
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await listener.until_content()
    # Until the other side has heard enough of us.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await connection.close()


asyncio.run(main(*sys.argv[1:]))
