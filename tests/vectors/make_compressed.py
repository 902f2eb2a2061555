"""Writes compressed/: a second of speech.wav in the formats that people have instead of WAV, written by libsndfile.

FLAC keeps every sample. The others are lossy: a test asks for the rate, the length and a high correlation.
"""

import soundfile

import signals
import store

OUT = store.HERE / 'compressed'
RATE = 24_000
FORMATS = {'flac': ('FLAC', 'PCM_16'), 'mp3': ('MP3', 'MPEG_LAYER_III'), 'ogg': ('OGG', 'VORBIS'), 'opus': ('OGG', 'OPUS')}

OUT.mkdir(exist_ok=True)
second = signals.fixture('speech.wav')[:RATE]
for extension, (kind, subtype) in FORMATS.items():
    soundfile.write(OUT / f'speech.{extension}', second, RATE, format=kind, subtype=subtype)
