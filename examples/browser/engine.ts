import {
  type AudioTokens,
  type BytesInput,
  createWorkerTokenizer,
  type DecodedAudio,
  type Progress,
  type TokenizerInfo,
  type WorkerTokenizer,
} from '../../src/index.js'
import type { Recording } from './audio-files.js'
import { showBytes } from './figures.js'
import type { Tell } from './status.js'

/** A result and how long it took. */
export interface Timed<T> {
  readonly value: T
  readonly seconds: number
}

const WORDS: Readonly<Record<Progress['phase'], string>> = {
  download: 'Fetching the model',
  weights: 'Loading the model',
  encode: 'Audio to tokens',
  decode: 'Tokens to audio',
}

/**
 * The one model in use, in a worker. It is loaded once, however many clips wait for it. `?deterministic` in the page's address picks
 * the build whose tokens are the same on every engine.
 */
export class Engine {
  #tokenizer: Promise<WorkerTokenizer> | undefined
  /** Who is waiting for the model now. */
  #tell: Tell = () => {}

  /** Loads a model: the one that belongs to the page, or files. A model that cannot be loaded leaves the old one in use. */
  async load(tell: Tell, files?: readonly BytesInput[], signal?: AbortSignal): Promise<TokenizerInfo> {
    const old = this.#tokenizer
    const loading = createWorkerTokenizer(files, {
      deterministic: new URLSearchParams(location.search).has('deterministic'),
      signal,
      onProgress: progress => this.#tell(...words(progress)),
    })
    this.#tell = tell
    this.#tokenizer = loading
    try {
      const { info } = await loading
      await old?.then(
        tokenizer => tokenizer.dispose(),
        () => {},
      )
      return info
    } catch (error) {
      this.#tokenizer = old
      throw error
    }
  }

  /** What the model is, once it is there. */
  async info(tell: Tell): Promise<TokenizerInfo> {
    return (await this.#loaded(tell)).info
  }

  encode(recording: Recording, signal: AbortSignal, tell: Tell): Promise<Timed<AudioTokens>> {
    const { samples, sampleRate } = recording
    return this.#timed(tell, tokenizer =>
      tokenizer.encode(samples, { sampleRate, signal, onProgress: progress => tell(...words(progress)) }),
    )
  }

  decode(tokens: AudioTokens, signal: AbortSignal, tell: Tell): Promise<Timed<DecodedAudio>> {
    return this.#timed(tell, tokenizer =>
      tokenizer.decode(tokens, { signal, onProgress: progress => tell(...words(progress)) }),
    )
  }

  async #timed<T>(tell: Tell, call: (tokenizer: WorkerTokenizer) => Promise<T>): Promise<Timed<T>> {
    const tokenizer = await this.#loaded(tell)
    const start = performance.now()
    const value = await call(tokenizer)
    return { value, seconds: (performance.now() - start) / 1000 }
  }

  #loaded(tell: Tell): Promise<WorkerTokenizer> {
    this.#tell = tell
    if (!this.#tokenizer) throw new Error('there is no model; choose a model file')
    return this.#tokenizer
  }
}

function words({ phase, loaded, total }: Progress): [label: string, share: number | undefined] {
  const isBytes = phase === 'download' || phase === 'weights'
  return [isBytes ? `${WORDS[phase]}, ${showBytes(loaded)}` : WORDS[phase], total && loaded / total]
}
