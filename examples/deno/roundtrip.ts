// deno run --allow-read --allow-write roundtrip.ts speech.wav out.wav     (deno add npm:wavtok)
import { loadTokenizer } from 'wavtok'
import { encodeWav } from 'wavtok/audio'

const [input, output] = Deno.args
const tokenizer = await loadTokenizer()
const tokens = await tokenizer.encode(await Deno.readFile(input))
const { samples, sampleRate } = await tokenizer.decode(tokens)
await Deno.writeFile(output, encodeWav(samples, sampleRate).bytes)
console.log(
  `${tokens.frames} tokens, ${tokens.bitsPerSecond} bits per second: ${tokens.codes[0].slice(0, 8).join(' ')} ...`,
)
