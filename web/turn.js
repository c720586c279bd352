// The TURN servers that this server tells its clients of. Knows nothing of who uses them.

/** A server that is slow to say is done without: TURN is for the few who need it. */
const TIMEOUT_MS = 3_000;

/** `iceServers` for an RTCPeerConnection; none if there are none, or if they are not for us. */
export async function turnServers() {
  try {
    const response = await fetch('turn', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status !== 200) return [];
    const { uris, username, password } = await response.json();
    return [{ urls: uris, username, credential: password }];
  } catch {
    return [];
  }
}
