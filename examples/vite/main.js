import { loadTokenizer } from 'wavtok'
import { encodeWav } from 'wavtok/audio'
import weights from 'wavtok/weights/mini-24k-75.safetensors?url'

const status = document.getElementById('status')
const player = document.body.appendChild(Object.assign(new Audio(), { controls: true }))
let loading

document.getElementById('file').onchange = async ({ target }) => {
  try {
    status.value = 'Working ...'
    const tokenizer = await (loading ??= loadTokenizer(new URL(weights, import.meta.url)))
    const tokens = await tokenizer.encode(await target.files[0].arrayBuffer())
    const { samples, sampleRate } = await tokenizer.decode(tokens)
    player.src = URL.createObjectURL(new Blob([encodeWav(samples, sampleRate).bytes], { type: 'audio/wav' }))
    status.value = `${tokens.frames} tokens: ${tokens.codes[0].slice(0, 8).join(' ')} ...`
  } catch (error) {
    status.value = error.message
  }
}
