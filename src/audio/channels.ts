import { AudioError } from '../errors.js'

/** Throws AudioError unless every channel has as many samples as the first. */
export function checkEqualLengths(channels: readonly ArrayLike<number>[]): void {
  channels.forEach((channel, c) => {
    if (channel.length === channels[0].length) return
    throw new AudioError(
      `channel ${c} has ${channel.length} samples, channel 0 has ${channels[0].length}; they must be equal`,
    )
  })
}

/** Channels as one array, [T][channels]; the array itself where there is one. */
export function interleaved(channels: readonly Float32Array[]): Float32Array {
  if (channels.length === 1) return channels[0]
  const result = new Float32Array(channels.length * channels[0].length)
  channels.forEach((channel, c) => {
    for (let i = 0, at = c; i < channel.length; i++, at += channels.length) result[at] = channel[i]
  })
  return result
}

/** The inverse: one array for each of `count` interleaved channels. */
export function split(samples: Float32Array, count: number): Float32Array[] {
  if (count === 1) return [samples]
  return Array.from({ length: count }, (_, c) =>
    Float32Array.from({ length: samples.length / count }, (_, i) => samples[i * count + c]),
  )
}

/** Decoded audio as one array for each channel, as `encodeWav` takes them. */
export function channelsOf(audio: {
  readonly samples: Float32Array
  readonly channels?: number
}): Float32Array[] {
  return split(audio.samples, audio.channels ?? 1)
}
