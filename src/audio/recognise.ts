/** Byte patterns at the head of files that people try instead of WAV: [name, usual extension, offset, pattern]. */
const SIGNATURES: readonly [name: string, extension: string, offset: number, pattern: string][] = [
  ['a FLAC file', 'flac', 0, 'fLaC'],
  ['an Opus file', 'opus', 28, 'OpusHead'],
  ['an Ogg file', 'ogg', 0, 'OggS'],
  ['an MP3 file', 'mp3', 0, 'ID3'],
  ['an M4A/MP4 file', 'm4a', 4, 'ftyp'],
  ['an AIFF file', 'aiff', 8, 'AIF'],
  ['a Core Audio file', 'caf', 0, 'caff'],
  ['a Sun/NeXT audio file', 'au', 0, '.snd'],
  ['an AMR file', 'amr', 0, '#!AMR'],
  ['a WebM/Matroska file', 'webm', 0, '\x1a\x45\xdf\xa3'],
  ['a Windows Media file', 'wma', 0, '\x30\x26\xb2\x75'],
  ['a big-endian WAV file (RIFX)', 'wav', 0, 'RIFX'],
  ['a Sony Wave64 file', 'w64', 0, 'riff'],
]

/** True when the bytes start like a WAV file (RIFF, or RF64/BW64 for files over 4 GiB). */
export function isWav(bytes: Uint8Array): boolean {
  return /^(RIFF|RF64|BW64)$/.test(ascii(bytes, 0, 4)) && ascii(bytes, 8, 4) === 'WAVE'
}

/** What bytes that are not a WAV file look like, and the way out, as the second half of an error message. */
export function describeNotWav(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'the input is empty (0 bytes)'
  const known = audioFormat(bytes)
  if (known)
    return `this is ${known.name}; convert it first, for example: ffmpeg -i in.${known.extension} out.wav`
  if (!ascii(bytes, 0, 4).startsWith('RIFF')) {
    const head = Array.from(bytes.subarray(0, 4), byte => byte.toString(16).padStart(2, '0')).join(' ')
    return `this is something else (first bytes: ${head}); pass a WAV file`
  }
  const isCut = bytes.length < 12
  return `this is a ${isCut ? 'WAV file cut off inside its header' : `RIFF file of type '${ascii(bytes, 8, 4)}'`}; pass a whole WAV file`
}

/** `length` bytes at `offset` as Latin-1 text, shorter at the end of the file. */
export function ascii(bytes: Uint8Array, offset: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + length))
}

/** Which audio format other than WAV the bytes begin like, and its usual file name extension. */
export function audioFormat(bytes: Uint8Array): { name: string; extension: string } | undefined {
  const found = SIGNATURES.find(([, , offset, pattern]) => ascii(bytes, offset, pattern.length) === pattern)
  if (found) return { name: found[0], extension: found[1] }
  // MPEG audio frames start with eleven set bits (ADTS AAC: twelve, then layer 0).
  if (bytes[0] !== 0xff) return undefined
  if ((bytes[1] & 0xf6) === 0xf0) return { name: 'an AAC file', extension: 'aac' }
  return (bytes[1] & 0xe0) === 0xe0 ? { name: 'an MP3 file', extension: 'mp3' } : undefined
}
