import { FAMILY_NAMES } from '../../src/models/registry.js'
import { type ModelRow, ROWS } from './rows.js'
import { speedSection } from './speed.js'
import { table } from './table.js'

/** docs/models.md. */
export function modelsPage(): string {
  return `# Models

Families in the registry: ${FAMILY_NAMES.join(', ')}. A file is recognised by its tensors' names; \`wavtok info FILE\` explains it, \`wavtok
convert\` makes a small deployable one of it (f32, f16, q12 or q8; whole, or one half). This page is made by \`npm run docs:models\`.

${table(['model', 'rate, Hz', 'tokens/s', 'codebooks', 'kbit/s', 'parameters, M', 'GMAC/s, encode, decode'], ROWS.map(sizes))}

Codebooks: \`encode(audio, { codebooks: n })\` and \`--codebooks n\` take the first n, at n shares of the bitrate; decoders take what they get.
SNAC's codebooks have several rates, the first the coarsest. Its decoder was trained to add noise; here the same tokens are always the same
audio: without noise, or with that of a seed (\`loadTokenizer(file, { noise: 1 })\`); multiplications are counted without it. EnCodec 24 kHz: 2, 4, 8, 16 and 32 are its 1.5, 3, 6, 12 and 24 kbit/s. GMAC/s: thousand millions of multiplications and additions for a second of
audio, without the search in codebooks (PyTorch's counter of the published shapes, LSTMs by hand); one thread does about 25 of them a second.

## Streams

What a token needs of the audio behind its own frame, and a sample of the tokens behind its own. Numbers are exact streams, equal to whole
calls bit for bit, in memory that does not grow with the clip. "Whole clip": an encoder that holds the clip, and gives its tokens when it ends; a decoder that is
exact only when it has all tokens, and streams in windows (docs/streaming.md).

${table(['model', 'encoder waits, ms', 'decoder waits, ms'], ROWS.map(waits))}
${speedSection()}
## Files, parity, licences

Parity: f32 against PyTorch, on models made by the published packages (tests/vectors; full size: \`npm run parity:full\`, \`npm run
parity:codecs\`). Licences are those of the public weights as far as known here; the page that publishes them decides. No weights but mini's come with this package.

${table(['model', 'weights', 'layouts', 'parity', 'licence'], ROWS.map(files))}
`
}

function sizes(row: ModelRow): string[] {
  const { name, sampleRate, hop, codebooks, codebookSize, parameters, gigaMacs } = row
  const strides = row.strides ?? new Array<number>(codebooks).fill(1)
  const rate = sampleRate / hop
  const books = codebooks === 0 ? 'none: frames' : `${codebooks} x ${codebookSize}`
  const shares = strides.map(stride => (Math.ceil(Math.log2(codebookSize)) * rate) / stride / 1000)
  const kbps = shares.reduce((sum, share) => sum + share, 0)
  const [least] = shares
  const range = codebooks > 1 ? `${tidy(least)} to ${tidy(kbps)}` : codebooks === 1 ? tidy(kbps) : ''
  const rates = [...new Set(strides)].map(stride => tidy(rate / stride))
  return [
    name,
    String(sampleRate),
    codebooks === 0 ? tidy(rate) : rates.join(', '),
    books,
    range,
    String(parameters),
    cost(gigaMacs),
  ]
}

function cost([encoder, decoder]: ModelRow['gigaMacs']): string {
  return `${encoder || '-'}, ${decoder}`
}

function waits({
  name,
  encoderAhead = 'does not encode',
  decoderAhead = 'does not decode',
}: ModelRow): string[] {
  return [name, String(encoderAhead), String(decoderAhead)]
}

function files({ name, weights, formats, parity, licence }: ModelRow): string[] {
  return [name, weights, formats, parity, licence]
}

function tidy(value: number): string {
  return String(Number(value.toFixed(4)))
}
