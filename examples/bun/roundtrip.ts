// bun roundtrip.ts speech.wav out.wav     (bun add wavtok)
import { loadTokenizer } from 'wavtok'
import { encodeWav } from 'wavtok/audio'

const [input, output] = Bun.argv.slice(2)
const tokenizer = await loadTokenizer()
const tokens = await tokenizer.encode(await Bun.file(input).bytes())
const { samples, sampleRate } = await tokenizer.decode(tokens)
await Bun.write(output, encodeWav(samples, sampleRate).bytes)
console.log(
  `${tokens.frames} tokens, ${tokens.bitsPerSecond} bits per second: ${tokens.codes[0].slice(0, 8).join(' ')} ...`,
)
