// The models that docs/models.md lists. A new family is one row more; tests/models/doc.test.ts holds rows and registry together.

export interface ModelRow {
  /** As people call it. */
  readonly name: string
  /** Its name in the registry. */
  readonly family: string
  /** Where the weights are published. */
  readonly weights: string
  readonly sampleRate: number
  /** Samples per frame. */
  readonly hop: number
  readonly codebooks: number
  readonly codebookSize: number
  /** Millions, codebooks included. */
  readonly parameters: number
  /** Milliseconds beyond its own frame that a token or a sample waits for; text where a number does not say it. */
  readonly encoderAhead?: number | string
  readonly decoderAhead?: number | string
  /** File layouts that load. */
  readonly formats: string
  /** What tests hold it to against PyTorch, f32. */
  readonly parity: string
  /** Licence of the public weights, as far as known here: the page that publishes them decides. */
  readonly licence: string
}

const LAYOUT = 'safetensors, PyTorch'
const WHOLE = 'whole clip'

export const ROWS: readonly ModelRow[] = [
  {
    name: 'mini',
    family: 'mini',
    weights: 'with this package',
    sampleRate: 24_000,
    hop: 320,
    codebooks: 1,
    codebookSize: 4096,
    parameters: 4.8,
    encoderAhead: 60,
    decoderAhead: 93.3,
    formats: 'safetensors',
    parity: 'codes equal, every stage >= 100 dB',
    licence: 'Apache-2.0',
  },
  {
    name: 'WavTokenizer 75/s',
    family: 'wavtokenizer',
    weights: 'novateur/WavTokenizer-large-*-75token',
    sampleRate: 24_000,
    hop: 320,
    codebooks: 1,
    codebookSize: 4096,
    parameters: 73.8,
    encoderAhead: 49.8,
    decoderAhead: WHOLE,
    formats: 'Lightning .ckpt, state dict, OuteTTS halves, transformers port',
    parity: 'codes equal but for counted near-ties, every stage >= 80 dB',
    licence: 'MIT',
  },
  {
    name: 'WavTokenizer 40/s',
    family: 'wavtokenizer',
    weights: 'novateur/WavTokenizer-large-*-40token',
    sampleRate: 24_000,
    hop: 600,
    codebooks: 1,
    codebookSize: 4096,
    parameters: 74.2,
    encoderAhead: 94.9,
    decoderAhead: WHOLE,
    formats: 'as 75/s',
    parity: 'as 75/s',
    licence: 'MIT',
  },
  {
    name: 'Mimi',
    family: 'mimi',
    weights: 'kyutai/mimi, kyutai/moshiko-*',
    sampleRate: 24_000,
    hop: 1920,
    codebooks: 32,
    codebookSize: 2048,
    parameters: 96.2,
    encoderAhead: 0,
    decoderAhead: 0,
    formats: 'transformers’ and Kyutai’s safetensors',
    parity: 'codes equal (1,728 of 1,728 at full size), every stage >= 80 dB (audio 113 dB at full size)',
    licence: 'CC-BY-4.0',
  },
  {
    name: 'EnCodec 24 kHz',
    family: 'encodec',
    weights: 'facebook/encodec_24khz, encodec_24khz-*.th',
    sampleRate: 24_000,
    hop: 320,
    codebooks: 32,
    codebookSize: 1024,
    parameters: 19.0,
    encoderAhead: '80 at the start, then 0',
    decoderAhead: '80 at the start, then 0',
    formats: `EnCodec’s own, transformers’ with weight_g or parametrizations (${LAYOUT})`,
    parity: 'codes equal (10,336 of 10,336 at full size), audio >= 100 dB (122 dB at full size)',
    licence: 'CC-BY-NC-4.0 (weights), MIT (code)',
  },
  {
    name: 'EnCodec 32 kHz (MusicGen)',
    family: 'encodec',
    weights: 'facebook/encodec_32khz',
    sampleRate: 32_000,
    hop: 640,
    codebooks: 4,
    codebookSize: 2048,
    parameters: 57.9,
    encoderAhead: 74.6,
    decoderAhead: 80,
    formats: `transformers’ (${LAYOUT})`,
    parity: 'codes equal, audio >= 100 dB',
    licence: 'CC-BY-NC-4.0',
  },
  {
    name: 'DM-Codec',
    family: 'dmcodec',
    weights: 'DM-Codec’s repository',
    sampleRate: 16_000,
    hop: 320,
    codebooks: 8,
    codebookSize: 1024,
    parameters: 111.3,
    encoderAhead: `${WHOLE}, 0.8 MB for a second of it`,
    decoderAhead: 80,
    formats: 'state dict, trainer’s snapshot; config.json or none',
    parity: 'as SpeechTokenizer, whose layers these are',
    licence: 'Apache-2.0',
  },
  {
    name: 'SpeechTokenizer',
    family: 'dmcodec',
    weights: 'fnlp/SpeechTokenizer, speechtokenizer_hubert_avg',
    sampleRate: 16_000,
    hop: 320,
    codebooks: 8,
    codebookSize: 1024,
    parameters: 111.3,
    encoderAhead: `${WHOLE}, 0.8 MB for a second of it`,
    decoderAhead: 80,
    formats: 'as DM-Codec (Snake activations: not yet)',
    parity:
      'codes equal (2,576 of 2,584 at full size; the others are a near-tie and what follows from it), audio >= 100 dB (124 dB at full size)',
    licence: 'Apache-2.0',
  },
  {
    name: 'Language-Codec',
    family: 'languagecodec',
    weights: 'Language-Codec’s repository',
    sampleRate: 24_000,
    hop: 320,
    codebooks: 8,
    codebookSize: 1024,
    parameters: 20.0,
    encoderAhead: 49.8,
    decoderAhead: 546.7,
    formats: 'Lightning .ckpt, with its YAML or without',
    parity: 'codes equal, audio >= 90 dB',
    licence: 'MIT',
  },
  {
    name: 'Vocos of EnCodec’s tokens',
    family: 'vocos',
    weights: 'charactr/vocos-encodec-24khz',
    sampleRate: 24_000,
    hop: 320,
    codebooks: 16,
    codebookSize: 1024,
    parameters: 10.1,
    decoderAhead: 386.7,
    formats: 'pytorch_model.bin, with config.yaml or without',
    parity: 'audio >= 90 dB',
    licence: 'MIT',
  },
  {
    name: 'Vocos of mel frames',
    family: 'vocos',
    weights: 'charactr/vocos-mel-24khz',
    sampleRate: 24_000,
    hop: 256,
    codebooks: 0,
    codebookSize: 0,
    parameters: 13.5,
    decoderAhead: 309.3,
    formats: 'pytorch_model.bin, with config.yaml or without',
    parity: 'mel frames >= 80 dB, audio >= 90 dB',
    licence: 'MIT',
  },
]
