// node roundtrip.js speech.wav out.wav     (npm install wavtok)
import { readFile, writeFile } from 'node:fs/promises'
import { loadTokenizer } from 'wavtok'
import { encodeWav } from 'wavtok/audio'

const [input, output] = process.argv.slice(2)
const tokenizer = await loadTokenizer()
const tokens = await tokenizer.encode(await readFile(input))
const { samples, sampleRate } = await tokenizer.decode(tokens)
await writeFile(output, encodeWav(samples, sampleRate).bytes)
console.log(
  `${tokens.frames} tokens, ${tokens.bitsPerSecond} bits per second: ${tokens.codes[0].slice(0, 8).join(' ')} ...`,
)
tokenizer.dispose()
