"""GStreamer's webrtcbin in a room: says a tone, and ends well once it has heard the expected tones and no other.

usage: gstreamer_client.py WEBSOCKET_URL ROOM OWN_TONE EXPECTED_TONE...
"""

import array
import asyncio
import hashlib
import re
import ssl
import subprocess
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC

sys.path.insert(0, f"{sys.path[0]}/harness")
import tones
from janus import Handle
from listening import Listener

PAYLOAD_TYPE = 111
VOICE = (
    "audiotestsrc is-live=true wave=sine freq={frequency} volume={volume} ! audio/x-raw,rate={rate},channels=1"
    " ! opusenc ! rtpopuspay pt={pt} ! application/x-rtp,media=audio,encoding-name=OPUS,payload={pt} ! peer."
    " webrtcbin name=peer bundle-policy=max-bundle"
)
EAR = (
    "queue ! rtpopusdepay ! opusdec ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate={rate},channels=1"
    " ! appsink name=ear emit-signals=true sync=false"
)


class Certificate:
    """A certificate of ECDSA. GStreamer makes one of RSA by itself, and WebRTC's mandatory suites (RFC 8827 section 6.5) sign with ECDSA."""

    def __init__(self):
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=peer -keyout - -out -"
        self.pem = subprocess.run(command.split(), capture_output=True, check=True, text=True).stdout
        certificate = self.pem[self.pem.index("-----BEGIN CERTIFICATE") :]
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.strip())).digest()
        self.fingerprint = ":".join(f"{byte:02X}" for byte in digest)

    def use(self, _, __, element):
        if element.get_name().startswith("dtlssrtpdec"):
            element.set_property("pem", self.pem)

    def named(self, sdp):
        """webrtcbin 1.22 makes the fingerprint of a certificate that it is given from its key as well."""
        return re.sub("(?<=a=fingerprint:sha-256 )[0-9A-F:]+", self.fingerprint, sdp)


class Peer:
    def __init__(self, frequency, listener, loop):
        self.listener, self.loop = listener, loop
        self.candidates = asyncio.Queue()
        voice = VOICE.format(frequency=frequency, volume=tones.AMPLITUDE, rate=tones.RATE, pt=PAYLOAD_TYPE)
        self.pipeline = Gst.parse_launch(voice)
        self.webrtc = self.pipeline.get_by_name("peer")
        self.certificate = Certificate()
        self.webrtc.connect("deep-element-added", self.certificate.use)
        self.webrtc.connect("pad-added", self.play)
        self.webrtc.connect("on-ice-candidate", self.found)

    async def offer(self):
        wanted = asyncio.Event()
        self.webrtc.connect("on-negotiation-needed", lambda _: self.loop.call_soon_threadsafe(wanted.set))
        self.pipeline.set_state(Gst.State.PLAYING)
        await wanted.wait()
        reply = await self.promised("create-offer", None)
        offer = reply.get_value("offer")
        await self.promised("set-local-description", offer)
        return self.certificate.named(offer.sdp.as_text())

    async def accept(self, answer):
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        await self.promised("set-remote-description", description)

    def close(self):
        self.pipeline.set_state(Gst.State.NULL)

    async def promised(self, action, argument):
        done = self.loop.create_future()
        keep = lambda promise, *_: self.loop.call_soon_threadsafe(done.set_result, promise.get_reply())
        self.webrtc.emit(action, argument, Gst.Promise.new_with_change_func(keep, None))
        return await done

    def found(self, _, index, candidate):
        self.loop.call_soon_threadsafe(self.candidates.put_nowait, {"sdpMLineIndex": index, "candidate": candidate})

    def play(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        ear = Gst.parse_bin_from_description(EAR.format(rate=tones.RATE), True)
        ear.get_by_name("ear").connect("new-sample", self.hear)
        self.pipeline.add(ear)
        pad.link(ear.get_static_pad("sink"))
        ear.sync_state_with_parent()

    def hear(self, ear):
        buffer = ear.emit("pull-sample").get_buffer()
        samples = array.array("h", buffer.extract_dup(0, buffer.get_size()))
        self.loop.call_soon_threadsafe(self.listener.hear, samples)
        return Gst.FlowReturn.OK


async def main(url, room, own, *expected):
    Gst.init(None)
    listener = Listener({int(tone) for tone in expected})
    peer = Peer(int(own), listener, asyncio.get_running_loop())
    handle = await Handle.attach(url)
    await handle.join(int(room), "GStreamer")
    answer = await handle.offer(await peer.offer())
    await peer.accept(answer)

    async def trickle():
        while True:
            await handle.trickle(await peer.candidates.get())

    trickling = asyncio.ensure_future(trickle())
    await listener.until_content()
    # Until the other side has heard enough of us.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    trickling.cancel()
    peer.close()


asyncio.run(main(*sys.argv[1:]))
