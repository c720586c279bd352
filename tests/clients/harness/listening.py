"""Waits until what is heard is right for a while. Knows samples, not where they come from."""

import asyncio
import sys

import tones

# Looked at in pieces that part the tones clearly, and believed when several in a row are right.
PIECE = 8192
IN_A_ROW = 3
PATIENCE = 20


class Listener:
    def __init__(self, expected):
        self.expected = expected
        self.piece = []
        self.in_a_row = 0

    def hear(self, samples):
        self.piece.extend(samples)
        if len(self.piece) < PIECE:
            return
        right = tones.hears_only(self.piece, self.expected)
        self.in_a_row = self.in_a_row + 1 if right else 0
        self.last = {frequency: round(tones.level(self.piece, frequency)) for frequency in tones.TONES}
        self.piece.clear()

    async def until_content(self):
        """Says so on stdout; gives up after a while."""
        for _ in range(PATIENCE * 20):
            if self.in_a_row >= IN_A_ROW:
                print("content", flush=True)
                return
            await asyncio.sleep(0.05)
        sys.exit(f"heard {getattr(self, 'last', 'nothing')} (dB) instead of {sorted(self.expected)}")
