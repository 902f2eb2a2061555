// ffmpeg -i anything.mp3 -f s16le -ac 1 -ar 24000 - | node stream.js     prints tokens while the audio arrives
import { loadTokenizer } from 'wavtok'

/** Chunks of bytes to 16-bit samples; a chunk may end in the middle of one. */
async function* samplesOf(stream) {
  let rest = Buffer.alloc(0)
  for await (const chunk of stream) {
    const bytes = Buffer.concat([rest, chunk])
    const count = Math.floor(bytes.length / 2)
    yield Int16Array.from({ length: count }, (_, i) => bytes.readInt16LE(2 * i))
    rest = bytes.subarray(2 * count)
  }
}

const tokenizer = await loadTokenizer()
for await (const tokens of tokenizer.encodeStream(samplesOf(process.stdin), { sampleRate: 24_000 }))
  console.log(tokens.codes[0].join(' '))
