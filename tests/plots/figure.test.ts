import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav } from '../../src/audio/index.js'
import { roundtripFigure } from '../../src/plots/index.js'
import { elements } from './xml.js'

const test = suite('plots/figure')
const speech = decodeWav(readFileSync(new URL('../fixtures/speech.wav', import.meta.url)))
const original = { samples: speech.channels[0], sampleRate: speech.sampleRate }
const tokens = {
  codes: [Uint16Array.from({ length: 386 }, (_, t) => (t * 997) % 4096)],
  frameRate: 75,
}

test('a figure of speech is one whole SVG file that needs nothing else', async () => {
  const svg = await roundtripFigure({
    title: 'speech.wav',
    subtitle: '386 tokens',
    original,
    tokens,
    decoded: original,
  })
  const names = elements(svg)
  assert.is(names[0], 'svg')
  assert.is(names.filter(name => name === 'image').length, 3)
  assert.is(names.filter(name => name === 'path').length, 2)
  assert.not.match(svg.replace('http://www.w3.org/2000/svg', ''), /https?:|NaN|Infinity|undefined/)
  for (const href of svg.matchAll(/href="([^"]*)"/g)) assert.match(href[1], /^data:image\/png;base64,/)
  assert.match(svg, /prefers-color-scheme:dark/)
  assert.match(svg, />12</)
  assert.match(svg, />0 kHz</)
  assert.match(svg, />0 s</)
  assert.ok(svg.length < 140_000, `${svg.length} bytes for 5 s`)
})

test('names of files cannot break the document', async () => {
  const title = `</svg><script>alert("1 & '2'")</script>\x00\x1b\ud800 Ελληνικά 日本 🎧.wav`
  const svg = await roundtripFigure({ title, original, tokens, decoded: original })
  assert.not.ok(elements(svg).includes('script'))
  assert.match(svg, /Ελληνικά 日本 🎧\.wav/)
})

test('silence, one sample, no tokens, several codebooks and different rates are drawn', async () => {
  const clip = (length: number, sampleRate: number) => ({ samples: new Float32Array(length), sampleRate })
  const cases = [
    { original: clip(1, 8000), tokens: { codes: [[0]], frameRate: 75 }, decoded: clip(320, 24000) },
    { original: clip(44100, 44100), tokens: { codes: [[]], frameRate: 75 }, decoded: clip(1, 24000) },
    {
      original: clip(9, 48000),
      tokens: { codes: [[1], [2], [3]], frameRate: 12.5 },
      decoded: clip(3, 16000),
    },
  ]
  for (const figure of cases) {
    const svg = await roundtripFigure({ title: 'x', ...figure })
    elements(svg)
    assert.not.match(svg, /NaN|Infinity|undefined/)
  }
})

test.run()
