/**
 * Audio in and out, without a model: WAV files, sample-rate conversion, down-mixing. The package's `wavtok/audio`.
 *
 * @module
 */
export { AudioError } from '../errors.js'
export { channelsOf } from './channels.js'
export {
  type AudioBufferLike,
  type AudioInput,
  type InputOptions,
  type MonoAudio,
  type SampleArray,
  toMono,
} from './input.js'
export { shiftPitch } from './pitch_shift.js'
export { audioFormat, isWav } from './recognise.js'
export { Resampler, resample } from './resample.js'
export { decodeWav, type WavAudio, type WavFormat } from './wav.js'
export {
  encodeSamples,
  encodeWav,
  WAV_SAMPLE_FORMATS,
  type WavHeaderOptions,
  type WavSampleFormat,
  wavHeader,
} from './wav-write.js'
