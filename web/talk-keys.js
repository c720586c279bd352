// Muting from the keyboard: M turns the microphone on and off, and the space bar, held while it is off, turns it on for as
// long as it is held. Knows no call.

/** Who holds the space bar for longer than this means to talk as long, who taps it to turn the microphone on. */
const TAP_MS = 300;

/** `isMuted()` is true, false, or null while there is nothing to mute; `mute(muted)` does it; `button` is what the space bar presses. */
export function listenForTalkKeys({ button, isMuted, mute }) {
  let heldSince = null;

  addEventListener('keydown', (event) => {
    const muted = isMuted();
    if (muted === null || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    if (event.code === 'KeyM' && !event.repeat) {
      mute(!muted);
    } else if (event.code === 'Space' && isFree(event.target, button)) {
      // Neither a click on the button nor a page further down.
      event.preventDefault();
      if (event.repeat || heldSince !== null) return;
      heldSince = muted ? performance.now() : -Infinity;
      mute(!muted);
    }
  });

  addEventListener('keyup', (event) => {
    if (event.code !== 'Space' || heldSince === null) return;
    event.preventDefault();
    release();
  });
  // The key may come up where this page does not hear it.
  addEventListener('blur', () => heldSince !== null && release());

  function release() {
    const isTalkOver = heldSince !== -Infinity && performance.now() - heldSince > TAP_MS;
    heldSince = null;
    if (isTalkOver && isMuted() === false) mute(true);
  }
}

function isTyping(target) {
  return target instanceof Element && target.closest('input:not([type="range"]), select, textarea, dialog') !== null;
}

/** Elsewhere the space bar has a meaning of its own. */
function isFree(target, button) {
  return target === document.body || button.contains(target);
}
