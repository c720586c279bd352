"""Tones: made for what a client says, and looked for in what it hears. Knows nothing of any client."""

import math

RATE = 48000
# Of full scale, as the tones of the other clients.
AMPLITUDE = 0.2
# A tone of -14 dBFS that arrives is above the one, what codecs leak into other frequencies below the other.
HEARD_DB = -40
SILENT_DB = -60
# All tones there are: one that is not expected must not be heard.
TONES = (440, 730, 1130, 1570)


def samples(frequency, start, count):
    """`count` samples of the tone (16 bits) from sample `start` on."""
    step = 2 * math.pi * frequency / RATE
    return [round(AMPLITUDE * 32767 * math.sin(step * (start + index))) for index in range(count)]


def level(heard, frequency):
    """How loud `frequency` is in these samples, in dB of full scale (Goertzel with a Hann window)."""
    count = len(heard)
    coefficient = 2 * math.cos(2 * math.pi * frequency / RATE)
    before, last = 0.0, 0.0
    for index, sample in enumerate(heard):
        window = 1 - math.cos(2 * math.pi * index / count)
        before, last = last, sample / 32768 * window + coefficient * last - before
    power = before * before + last * last - coefficient * before * last
    return 10 * math.log10(4 * power / count**2 + 1e-20)


def hears_only(heard, expected):
    """Whether exactly the tones `expected` are in these samples."""
    levels = {frequency: level(heard, frequency) for frequency in TONES}
    return all(found > HEARD_DB if frequency in expected else found < SILENT_DB for frequency, found in levels.items())
