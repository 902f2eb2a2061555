// Tokens while you speak. Needs HTTPS or localhost: browsers give the microphone to no other page.
import { loadTokenizer } from 'https://cdn.jsdelivr.net/npm/wavtok@0.1.0/dist/browser.js'
import { openMicrophone } from './microphone.js'

const [record, play, status, strip] = ['record', 'play', 'status', 'tokens'].map(id =>
  document.getElementById(id),
)
const context = new AudioContext()
let loading
let microphone
let spoken = []

record.onclick = async () => {
  if (microphone) return microphone.stop()
  try {
    status.textContent = 'Loading the model ...'
    const tokenizer = await (loading ??= loadTokenizer())
    await context.resume()
    microphone = await openMicrophone(context)
    show(true)
    spoken = []
    for await (const tokens of tokenizer.encodeStream(microphone.chunks, {
      sampleRate: microphone.sampleRate,
    })) {
      spoken.push(...tokens.codes[0])
      strip.textContent = spoken.slice(-40).join(' ')
      status.textContent = `${spoken.length} tokens`
    }
    status.textContent = `${spoken.length} tokens, ${(spoken.length / tokenizer.info.frameRate).toFixed(1)} s`
  } catch (error) {
    status.textContent = error.message
  }
  microphone = undefined
  show(false)
}

function show(recording) {
  record.textContent = recording ? 'Stop' : 'Record'
  record.setAttribute('aria-pressed', recording)
  play.disabled = recording || spoken.length === 0
}

play.onclick = async () => {
  const tokenizer = await loading
  const { samples, sampleRate } = await tokenizer.decode(spoken)
  const buffer = new AudioBuffer({ length: samples.length, sampleRate })
  buffer.copyToChannel(samples, 0)
  const source = new AudioBufferSourceNode(context, { buffer })
  source.connect(context.destination)
  source.start()
  status.textContent = `Playing ${buffer.duration.toFixed(1)} s`
}
