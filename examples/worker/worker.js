// An audio tokenizer as a Cloudflare Worker: POST /encode (WAV) and POST /decode (tokens).
import { AudioTokens, loadTokenizer } from 'wavtok'
import { encodeSamples, toMono, wavHeader } from 'wavtok/audio'
import { decodeTokens, encodeTokens } from 'wavtok/codes'
import weights from 'wavtok/weights/mini-24k-75.safetensors'
import { BadRequest, byteStream, readBody } from './http.js'

const USAGE = `An audio tokenizer.

POST /encode   a WAV file  ->  tokens as JSON (?format=npy or "Accept: application/x-npy": a NumPy file)
POST /decode   tokens (JSON, .npy, text or .wtok)  ->  a WAV file

  curl --data-binary @speech.wav https://HOST/encode -o tokens.json
  curl --data-binary @tokens.json https://HOST/decode -o speech.wav

Bodies may have 4 MiB: 90 seconds of 24 kHz, 16-bit mono.
`

// Once per isolate; the first request waits for it.
let loading
const loadOnce = () => (loading ??= loadTokenizer(weights))

async function encode(request, url) {
  const { samples, sampleRate } = toMono(await readBody(request), { defaultSampleRate: 24_000 })
  const tokenizer = await loadOnce()
  const wanted = url.searchParams.get('format') ?? request.headers.get('accept')
  if (/npy/.test(wanted)) {
    const tokens = await tokenizer.encode(samples, { sampleRate })
    return new Response(encodeTokens(tokens, 'npy'), { headers: { 'content-type': 'application/x-npy' } })
  }
  const body = await byteStream(jsonOf(tokenizer.encodeStream([samples], { sampleRate })))
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}

/** `AudioTokens.toJSON` piece by piece, for a model of one codebook. */
async function* jsonOf(results) {
  const encoder = new TextEncoder()
  let separator
  for await (const tokens of results) {
    const { codes, ...format } = tokens.toJSON()
    separator ??= `${JSON.stringify(format).slice(0, -1)},"codes":[[`
    yield encoder.encode(separator + codes[0].join())
    separator = ','
  }
  yield encoder.encode(']]}\n')
}

async function decode(request) {
  const stored = decodeTokens(await readBody(request))
  const tokenizer = await loadOnce()
  const { sampleRate, hopLength } = tokenizer.info
  const frames = stored.codes[0].length * hopLength
  // a file that names its model is checked against this one
  const tokens = stored.model ? new AudioTokens(stored.codes, stored) : stored.codes
  const body = await byteStream(wavOf(tokenizer.decodeStream([tokens]), { sampleRate, frames }))
  return new Response(body, { headers: { 'content-type': 'audio/wav' } })
}

async function* wavOf(results, header) {
  let head = wavHeader(header)
  for await (const { samples } of results) {
    const { bytes } = encodeSamples([samples], 'pcm16')
    yield head ? new Uint8Array([...head, ...bytes]) : bytes
    head = undefined
  }
}

const routes = { '/encode': encode, '/decode': decode }

async function answer(request) {
  const url = new URL(request.url)
  const route = routes[url.pathname]
  if (!route && url.pathname === '/') return new Response(USAGE)
  if (!route) throw new BadRequest(404, `there is no ${url.pathname} here; see GET /`)
  if (request.method !== 'POST')
    throw new BadRequest(405, `${url.pathname} answers POST, not ${request.method}`, { allow: 'POST' })
  return route(request, url)
}

export default {
  async fetch(request) {
    try {
      return await answer(request)
    } catch (error) {
      const { status = 500, headers, code, message } = error
      // what is wrong with the audio or the tokens is for the caller; anything else is a fault here
      const isInput = code === 'AUDIO' || code === 'TOKENS'
      if (status === 500 && !isInput) console.error(error)
      const shown = status !== 500 || isInput ? message : 'internal error'
      return Response.json({ error: shown }, { status: isInput ? 400 : status, headers })
    }
  },
}
