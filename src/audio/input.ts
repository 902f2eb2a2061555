import { AudioError } from '../errors.js'
import { checkEqualLengths } from './channels.js'
import { decodeWav } from './wav.js'

/** The part of the Web Audio API's AudioBuffer that is used. */
export interface AudioBufferLike {
  readonly numberOfChannels: number
  readonly sampleRate: number
  getChannelData(channel: number): Float32Array
}

/** Samples of one channel: floats nominally in [-1, 1], or 16-bit integers (divided by 32768). */
export type SampleArray = Float32Array | Int16Array

/** Everything that can be encoded: mono samples, one array per channel, an AudioBuffer, or the bytes of a WAV file. */
export type AudioInput = SampleArray | readonly SampleArray[] | AudioBufferLike | Uint8Array | ArrayBuffer

/** How to read raw samples. */
export interface InputOptions {
  /** Hz; the rate of raw samples. AudioBuffers and WAV files bring their own, and a different one here is an error. */
  sampleRate?: number
  /** Hz; what raw samples have when `sampleRate` is left out: the rate of the model that asks. */
  defaultSampleRate: number
}

/** Mono audio ready to be resampled. */
export interface MonoAudio {
  /** [T], may be the caller's own array. */
  readonly samples: Float32Array
  /** Hz. */
  readonly sampleRate: number
}

/**
 * Checks audio of any accepted kind and mixes it down: the mean over channels, before any resampling.
 *
 * @throws AudioError when the audio is empty, ragged, of an unknown kind, or has a NaN or infinite sample (the message names it)
 */
export function toMono(audio: AudioInput, options: InputOptions): MonoAudio {
  const { channels, sampleRate } = toFloats(audio, options)
  return { samples: channels.length === 1 ? channels[0] : mean(channels), sampleRate }
}

/**
 * The same for a model of so many channels: of one, the mean; else as many as the model has, or one, which is then each of them.
 *
 * @throws AudioError as `toMono`, and for another number of channels
 */
export function toChannels(
  audio: AudioInput,
  options: InputOptions,
  count: number,
): { channels: readonly Float32Array[]; sampleRate: number } {
  const { channels, sampleRate } = toFloats(audio, options)
  if (channels.length === count) return { channels, sampleRate }
  if (count === 1) return { channels: [mean(channels)], sampleRate }
  if (channels.length === 1) return { channels: new Array<Float32Array>(count).fill(channels[0]), sampleRate }
  throw new AudioError(`the audio has ${channels.length} channels; this model takes 1 or ${count}`)
}

function toFloats(
  audio: AudioInput,
  options: InputOptions,
): { channels: Float32Array[]; sampleRate: number } {
  const { channels, sampleRate: ownRate } = readChannels(audio)
  if (ownRate !== undefined && options.sampleRate !== undefined && ownRate !== options.sampleRate) {
    throw new AudioError(
      `the audio says ${ownRate} Hz but the sampleRate option says ${options.sampleRate} Hz; leave the option out`,
    )
  }
  const sampleRate = ownRate ?? options.sampleRate ?? options.defaultSampleRate
  if (!(sampleRate > 0 && Number.isInteger(sampleRate))) {
    throw new AudioError(`the sample rate must be a positive whole number of Hz, got ${sampleRate}`)
  }
  checkShape(channels)
  const floats = channels.map(toFloat)
  floats.forEach(checkFinite)
  return { channels: floats, sampleRate }
}

function readChannels(audio: AudioInput): { channels: readonly SampleArray[]; sampleRate?: number } {
  if (isSampleArray(audio)) return { channels: [audio] }
  if (isBytes(audio)) return decodeWav(audio)
  if (Array.isArray(audio) && audio.every(isSampleArray)) return { channels: audio }
  if (isAudioBuffer(audio)) {
    const channels = Array.from({ length: audio.numberOfChannels }, (_, c) => audio.getChannelData(c))
    return { channels, sampleRate: audio.sampleRate }
  }
  throw new AudioError(
    `audio must be a Float32Array or Int16Array, an array of them (one per channel), an AudioBuffer or the bytes of a WAV file; ` +
      `got ${describe(audio)}`,
  )
}

// By name, not instanceof: a frame, a worker realm or a test runner has its own Float32Array.
function isSampleArray(audio: unknown): audio is SampleArray {
  return /^(Float32|Int16)Array$/.test(typeName(audio))
}

function isInt16(samples: SampleArray): samples is Int16Array {
  return typeName(samples) === 'Int16Array'
}

function isBytes(audio: unknown): audio is Uint8Array | ArrayBuffer {
  return /^(Uint8Array|ArrayBuffer)$/.test(typeName(audio))
}

function typeName(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}

function isAudioBuffer(audio: unknown): audio is AudioBufferLike {
  return typeof (audio as AudioBufferLike | null)?.getChannelData === 'function'
}

function describe(value: unknown): string {
  if (Array.isArray(value)) {
    const isNumbers = typeof value[0] === 'number'
    return isNumbers ? 'a plain array; use Float32Array.from(...)' : `an array of ${describe(value[0])}`
  }
  if (value === null || value === undefined) return String(value)
  return typeof value === 'object' ? `an object of type ${typeName(value)}` : `a ${typeof value}`
}

function checkShape(channels: readonly SampleArray[]): void {
  if (channels.length === 0) throw new AudioError('the audio has no channels')
  checkEqualLengths(channels)
  if (channels[0].length === 0) throw new AudioError('the audio is empty (0 samples); at least one is needed')
}

function toFloat(channel: SampleArray): Float32Array {
  return isInt16(channel) ? Float32Array.from(channel, value => value / 32768) : channel
}

function checkFinite(channel: Float32Array, index: number): void {
  // native searches: a loop that has just started takes 2 ms for a second of audio
  if (![Number.NaN, Infinity, -Infinity].some(bad => channel.includes(bad))) return
  const i = channel.findIndex(sample => !Number.isFinite(sample))
  throw new AudioError(
    `sample ${i} of channel ${index} is ${channel[i]}; every sample must be a finite number`,
  )
}

function mean(channels: readonly Float32Array[]): Float32Array {
  const mixed = new Float32Array(channels[0].length)
  for (let i = 0; i < mixed.length; i++) {
    let sum = 0
    for (const channel of channels) sum += channel[i]
    mixed[i] = sum / channels.length
  }
  return mixed
}
