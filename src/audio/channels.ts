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
