// What stands below the lanes: facts, sizes and files to keep.
import { encodeWav } from '../../src/audio/index.js'
import { encodeTokens, TOKEN_FILE_FORMATS, type TokenFileFormat } from '../../src/codes/index.js'
import type { AudioTokens, DecodedAudio } from '../../src/index.js'
import { roundtripFigure } from '../../src/plots/index.js'
import type { Recording } from './audio-files.js'
import { byId, download, make } from './dom.js'
import { packedBytes, showBytes, showFactor, stem, storedSizes } from './figures.js'
import { toHash } from './token-files.js'

/** A clip, its tokens as they are now, and what they sound like. */
export interface Result {
  readonly recording: Recording
  readonly tokens: AudioTokens
  readonly decoded: DecodedAudio
  /** The tokens are not those of the recording any more. */
  readonly isEdited: boolean
  /** Seconds of computing; tokens that came from elsewhere were not encoded here. */
  readonly encodeSeconds?: number
  readonly decodeSeconds: number
}

const TYPES: Readonly<Record<TokenFileFormat, string>> = {
  wtok: 'application/octet-stream',
  json: 'application/json',
  npy: 'application/octet-stream',
  txt: 'text/plain',
}

const MEANINGS: Readonly<Record<TokenFileFormat, string>> = {
  wtok: 'Tokens, compressed',
  json: 'Tokens, with their rates',
  npy: 'Tokens for NumPy',
  txt: 'Tokens as text',
}

export function showReport(result: Result): void {
  showFacts(result)
  showSizes(result)
  showDownloads(result)
}

/** Size of the clip as a WAV file: the file's own, or what it would have with 16 bits. */
function wavSize({ recording, decoded, isEdited }: Result): { name: string; bytes: number } {
  if (recording.wavBytes !== undefined && !isEdited)
    return { name: 'this WAV file', bytes: recording.wavBytes }
  const { samples } = isEdited ? decoded : recording
  return { name: 'as WAV, 16 bit', bytes: 44 + 2 * samples.length }
}

function showFacts(result: Result): void {
  const { recording, tokens, encodeSeconds, decodeSeconds } = result
  const seconds = recording.samples.length / recording.sampleRate
  const facts: [what: string, value: string, unit: string][] = [
    [`of ${[...new Set(tokens.codebookSizes)].join('/')} possible codes`, String(tokens.frames), 'tokens'],
    ['bitrate', (tokens.bitsPerSecond / 1000).toFixed(2), 'kbps'],
    ['smaller than WAV', showFactor(wavSize(result).bytes / packedBytes(tokens)), '×'],
    ['real time, audio to tokens', encodeSeconds ? showFactor(seconds / encodeSeconds) : '', '×'],
    ['real time, tokens to audio', showFactor(tokens.duration / decodeSeconds), '×'],
  ]
  byId('facts').replaceChildren(
    ...facts
      .filter(([, value]) => value)
      .map(([what, value, unit]) =>
        make(
          'div',
          {},
          make('dt', {}, what),
          make('dd', {}, value, ' ', make('span', { class: 'unit' }, unit)),
        ),
      ),
  )
}

function showSizes(result: Result): void {
  const sizes = storedSizes(wavSize(result), result.tokens)
  const most = Math.max(...sizes.map(({ bytes }) => bytes))
  const rows = sizes.map(({ name, bytes, isNominal }, i) => {
    const bar = make('span', { class: 'bar' })
    bar.style.width = `${(100 * bytes) / most}%`
    const row = make(
      'tr',
      {},
      make('th', { scope: 'row' }, name),
      make('td', {}, bar),
      make('td', {}, `${isNominal ? '≈ ' : ''}${showBytes(bytes)}`),
    )
    row.classList.toggle('ours', i === sizes.length - 1)
    return row
  })
  byId('sizes')
    .querySelector('tbody')!
    .replaceChildren(...rows)
}

function showDownloads(result: Result): void {
  const { recording, tokens, decoded } = result
  const name = stem(recording.name)
  const wav = encodeWav(decoded.samples, decoded.sampleRate).bytes
  const items = TOKEN_FILE_FORMATS.filter(format => format !== 'txt').map(format => {
    const bytes = encodeTokens(tokens, format)
    return item(MEANINGS[format], `${name}.${format}`, showBytes(bytes.length), () => bytes, TYPES[format])
  })
  items.push(
    item('Decoded audio', `${name}.decoded.wav`, showBytes(wav.length), () => wav, 'audio/wav'),
    item('This figure', `${name}.svg`, 'SVG', () => figureOf(result), 'image/svg+xml'),
  )
  byId('downloads').replaceChildren(...items, linkItem(tokens))
}

/** The clip as an address: what stands behind # is sent to no server. */
function linkItem(tokens: AudioTokens): HTMLLIElement {
  const address = new URL(toHash(tokens), location.href).href
  const note = make('small', { role: 'status' }, `${address.length} characters`)
  const button = make('button', { type: 'button', id: 'link' }, 'Copy a link that speaks', note)
  button.addEventListener('click', async () => {
    history.replaceState(null, '', address)
    const copied = navigator.clipboard?.writeText(address).then(
      () => true,
      () => false,
    )
    note.textContent = (await copied) ? 'copied' : 'see the address bar'
  })
  return make('li', {}, button)
}

function figureOf({ recording, tokens, decoded }: Result): Promise<string> {
  const kbps = (tokens.bitsPerSecond / 1000).toFixed(2)
  const subtitle = `${tokens.duration.toFixed(2)} s as ${tokens.frames} tokens, ${kbps} kbps; ${tokens.model}`
  return roundtripFigure({ title: recording.name, subtitle, original: recording, tokens, decoded })
}

function item(
  what: string,
  name: string,
  size: string,
  content: () => BlobPart | Promise<BlobPart>,
  type: string,
): HTMLLIElement {
  const button = make('button', { type: 'button' }, what, make('small', {}, `${name}, ${size}`))
  button.addEventListener('click', async () => download(name, await content(), type))
  return make('li', {}, button)
}
