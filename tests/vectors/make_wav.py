"""Writes wav/: small WAV files of every flavour, sound, lying and broken, and what they decode to.

wav/expected.safetensors holds one tensor per readable file, named like the file without `.wav`: [frames,
channels] float32, integers divided by 2^(bits-1) (8-bit after subtracting 128). Its metadata has one JSON
object per file: {"kind", "rate", "channels", "frames", "why"}. Kinds:
`sound`      well-formed.
`streamed`   the size field was never filled in (0 or 0xFFFFFFFF): the samples run to the end of the file.
`truncated`  the header promises more than the file holds; the tensor has the whole frames that are there.
`invalid`    no audio can be had.
"""

import struct
from pathlib import Path

import numpy as np
import scipy.io.wavfile
import soundfile

import store

OUT = store.HERE / 'wav'
LIMIT = 3000
random = np.random.default_rng(1991)
expected: dict[str, np.ndarray] = {}
about: dict[str, dict] = {}


def integers(frames: int, channels: int, bits: int) -> np.ndarray:
    """Random samples of the full range, both extremes included."""
    samples = random.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), size=(frames, channels), dtype=np.int64)
    samples[0, 0], samples[-1, -1] = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return samples


def forget_time(path: Path) -> None:
    """libsndfile dates the PEAK chunk of float files; without the date every run writes the same bytes."""
    content = path.read_bytes()
    stamp = content.find(b'PEAK') + 12
    if stamp >= 12:
        path.write_bytes(content[:stamp] + bytes(4) + content[stamp + 4 :])


def record(name: str, kind: str, rate: int, values: np.ndarray | None, why: str = '') -> None:
    size = (OUT / f'{name}.wav').stat().st_size
    if size > LIMIT:
        raise SystemExit(f'{name}.wav has {size} bytes; at most {LIMIT} are committed')
    shape = (0, 0) if values is None else values.shape
    about[name] = {'kind': kind, 'rate': rate, 'channels': shape[1], 'frames': shape[0], 'why': why}
    if values is not None:
        expected[name] = values.astype(np.float32)


def written_by_libraries() -> None:
    for name, subtype, bits, channels, rate, container in (
        ('pcm8', 'PCM_U8', 8, 1, 8000, 'WAV'),
        ('pcm16', 'PCM_16', 16, 1, 24000, 'WAV'),
        ('pcm16-stereo', 'PCM_16', 16, 2, 44100, 'WAV'),
        ('pcm24', 'PCM_24', 24, 1, 48000, 'WAV'),
        ('pcm24-3ch', 'PCM_24', 24, 3, 11025, 'WAV'),
        ('pcm32', 'PCM_32', 32, 2, 96000, 'WAV'),
        ('pcm16-extensible-6ch', 'PCM_16', 16, 6, 22050, 'WAVEX'),
        ('pcm24-extensible-stereo', 'PCM_24', 24, 2, 44100, 'WAVEX'),
        ('pcm16-4ch', 'PCM_16', 16, 4, 7919, 'WAV'),
        ('pcm8-5ch', 'PCM_U8', 8, 5, 192000, 'WAV'),
    ):
        samples = integers(83, channels, bits)
        # soundfile takes int32 and keeps the upper bits
        soundfile.write(
            OUT / f'{name}.wav',
            (samples << (32 - bits)).astype(np.int32),
            rate,
            subtype=subtype,
            format=container,
        )
        record(name, 'sound', rate, samples / 2.0 ** (bits - 1))
    for name, subtype, channels, rate, container in (
        ('float32', 'FLOAT', 1, 16000, 'WAV'),
        ('float64-stereo', 'DOUBLE', 2, 32000, 'WAV'),
        ('float32-extensible-6ch', 'FLOAT', 6, 48000, 'WAVEX'),
    ):
        # beyond full scale: floats are not clipped
        samples = random.normal(0, 0.6, size=(61, channels))
        soundfile.write(OUT / f'{name}.wav', samples, rate, subtype=subtype, format=container)
        forget_time(OUT / f'{name}.wav')
        record(name, 'sound', rate, samples)
    for name, dtype in (('scipy-pcm16-stereo', np.int16), ('scipy-float32', np.float32)):
        samples = (
            integers(47, 2, 16)
            if dtype is np.int16
            else random.normal(0, 0.3, size=(47, 1)).astype(np.float32)
        )
        scipy.io.wavfile.write(OUT / f'{name}.wav', 12345, samples.astype(dtype))
        record(name, 'sound', 12345, samples / 32768 if dtype is np.int16 else samples)
    for name in about:
        decoded, rate = soundfile.read(OUT / f'{name}.wav', dtype='float32', always_2d=True)
        if rate != about[name]['rate'] or not np.array_equal(decoded, expected[name]):
            raise AssertionError(f'libsndfile decodes {name}.wav differently')


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return name + struct.pack('<I', len(body) if size is None else size) + body + b'\0' * (len(body) % 2)


def pcm_format(channels: int = 1, rate: int = 24000, bits: int = 16, tag: int = 1) -> bytes:
    align = channels * bits // 8
    return chunk(b'fmt ', struct.pack('<HHIIHH', tag, channels, rate, rate * align, align, bits))


def riff(*chunks: bytes, name: bytes = b'RIFF', size: int | None = None) -> bytes:
    body = b'WAVE' + b''.join(chunks)
    return name + struct.pack('<I', len(body) if size is None else size) + body


def odd_but_sound() -> None:
    samples = integers(53, 1, 16)
    data = chunk(b'data', samples.astype('<i2').tobytes())
    info = chunk(b'LIST', b'INFO' + chunk(b'ISFT', b'wavtok tests\0')[:-1])
    little = integers(5, 1, 8)
    for name, content, values, why in (
        (
            'odd-list-before-data',
            riff(pcm_format(), info, data),
            samples / 32768,
            'LIST chunk of odd size with its pad byte',
        ),
        (
            'junk-and-trailing-chunks',
            riff(chunk(b'JUNK', bytes(28)), pcm_format(), data, chunk(b'id3 ', b'abc')),
            samples / 32768,
            'chunks before fmt and after data',
        ),
        (
            'odd-data',
            riff(pcm_format(bits=8), chunk(b'data', (little + 128).astype(np.uint8).tobytes()), info),
            little / 128,
            'data chunk of odd size, a chunk after its pad byte',
        ),
        ('wrong-riff-size', riff(pcm_format(), data, size=4), samples / 32768, 'RIFF size field of 4'),
        (
            'no-frames',
            riff(pcm_format(), chunk(b'data', b'')),
            np.zeros((0, 1)),
            'an empty data chunk at the end of the file',
        ),
    ):
        (OUT / f'{name}.wav').write_bytes(content)
        record(name, 'sound', 24000, values, why)
    valid20 = integers(19, 2, 20) << 4
    guid = struct.pack('<H', 1) + bytes.fromhex('000000001000800000aa00389b71')
    extension = struct.pack('<HHI', 22, 20, 3) + guid
    body = chunk(b'fmt ', struct.pack('<HHIIHH', 0xFFFE, 2, 48000, 48000 * 6, 6, 24) + extension)
    packed = b''.join(int(value).to_bytes(3, 'little', signed=True) for value in valid20.ravel())
    (OUT / 'extensible-20-in-24.wav').write_bytes(riff(body, chunk(b'data', packed)))
    record('extensible-20-in-24', 'sound', 48000, valid20 / 2.0**23, '20 valid bits in the upper part of 24')


def lying() -> None:
    samples = integers(41, 2, 16)
    content = samples.astype('<i2').tobytes()
    head = pcm_format(channels=2, rate=16000)
    whole = riff(head, chunk(b'data', content))
    for name, data, kind, frames, why in (
        (
            'size-zero',
            riff(head, chunk(b'data', content, size=0), size=0),
            'streamed',
            41,
            'data size 0, samples follow',
        ),
        (
            'size-ffffffff',
            riff(head, chunk(b'data', content, size=0xFFFFFFFF), size=0xFFFFFFFF),
            'streamed',
            41,
            'data size 0xFFFFFFFF',
        ),
        (
            'size-too-large',
            riff(head, chunk(b'data', content, size=100000)),
            'truncated',
            41,
            'data size 100000, 164 bytes there',
        ),
        ('cut-mid-sample', whole[:-7], 'truncated', 39, 'the file ends inside a sample: 157 of 164 bytes'),
        ('cut-mid-frame', whole[:-2], 'truncated', 40, 'the file ends between the two channels of a frame'),
    ):
        (OUT / f'{name}.wav').write_bytes(data)
        record(name, kind, 16000, samples[:frames] / 32768, why)


def invalid() -> None:
    data = chunk(b'data', integers(8, 1, 16).astype('<i2').tobytes())
    for name, content, why in (
        ('empty-file', b'', 'no bytes at all'),
        ('only-riff', b'RIFF\x04\0\0\0WAVE', 'neither fmt nor data'),
        ('cut-in-header', riff(pcm_format(), data)[:30], 'ends inside the fmt chunk'),
        ('no-data', riff(pcm_format(), chunk(b'LIST', b'INFO')), 'no data chunk'),
        ('no-fmt', riff(data), 'no fmt chunk'),
        ('not-wave', b'RIFF' + struct.pack('<I', 20) + b'AVI ' + bytes(16), 'RIFF, but not WAVE'),
        ('big-endian', riff(pcm_format(), data, name=b'RIFX'), 'RIFX'),
        ('ogg', b'OggS' + bytes(60), 'another format'),
        ('adpcm', riff(pcm_format(bits=4, tag=2), data), 'format tag 2, ADPCM'),
        ('alaw', riff(pcm_format(bits=8, tag=6), data), 'format tag 6, A-law'),
        ('zero-channels', riff(pcm_format(channels=0), data), '0 channels'),
        ('zero-rate', riff(pcm_format(rate=0), data), '0 Hz'),
        ('pcm-12-bit', riff(pcm_format(bits=12), data), '12 bits per sample'),
        ('float-16-bit', riff(pcm_format(bits=16, tag=3), data), 'floating point of 16 bits'),
        (
            'huge-chunk',
            riff(chunk(b'JUNK', b'', size=0xFFFFFFF0), pcm_format(), data),
            'a chunk before fmt claims 4 GiB',
        ),
    ):
        (OUT / f'{name}.wav').write_bytes(content)
        record(name, 'invalid', 0, None, why)


def main() -> None:
    OUT.mkdir(exist_ok=True)
    for old in OUT.glob('*.wav'):
        old.unlink()
    for group in (written_by_libraries, odd_but_sound, lying, invalid):
        group()
    store.save(OUT / 'expected.safetensors', expected, {'script': 'tests/vectors/make_wav.py', **about})
    print(f'{len(about)} files, {sum(path.stat().st_size for path in OUT.iterdir())} bytes')


if __name__ == '__main__':
    main()
