// Every stage against transformers' MimiModel, whose codes and audio moshi's own package confirms (tests/vectors/make_mimi.py).
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { identical, snr } from '../support/compare.js'
import { decode, encode, openModel, recorder } from '../support/model.js'
import { random } from '../support/random.js'
import { type Vector, vectors } from '../support/vectors.js'

const FOLDER = 'vectors/mimi'
const SNR_DB = 80
const NEAR_TIE = 1e-4

/** Codes that differ and are no near-ties, and those that are. Codes behind a difference in the same frame quantize another rest. */
function differences(codes: ArrayLike<number>, expected: ReadonlyMap<string, Vector>, codebooks: number) {
  const reference = expected.get('codes')!.integers
  const distances = expected.get('distances')!.data
  const all = expected.get('codes')!.shape[1]
  let [wrong, nearTies] = [0, 0]
  for (let frame = 0; frame < reference.length / all; frame++)
    for (let q = 0; q < codebooks; q++) {
      const at = frame * all + q
      if (codes[frame * codebooks + q] === reference[at]) continue
      if (distances[2 * at + 1] - distances[2 * at] >= NEAR_TIE * distances[2 * at + 1]) wrong++
      else nearTies++
      break
    }
  return { wrong, nearTies }
}

for (const one of ['one_sample', 'frame_minus_1', 'frame', 'frame_plus_1', 'past_the_window'])
  for (const file of ['tiny', 'tiny-kyutai'])
    test(`${file}: ${one} equals PyTorch at every stage`, async () => {
      const expected = vectors(`mimi/${one}.safetensors`)
      const { region, model } = await openModel(`${FOLDER}/${file}.safetensors`)
      const recorded = recorder(region)
      const codes = encode(region, model, expected.get('input')!.data, recorded.probe)
      assert.is(codes.length, expected.get('codes')!.integers.length)
      const { wrong, nearTies } = differences(codes, expected, 6)
      assert.equal({ wrong, nearTies }, { wrong: 0, nearTies: 0 })
      const audio = decode(region, model, expected.get('codes')!.integers, recorded.probe)
      for (const [name, { data }] of expected) {
        if (!recorded.names().includes(name) || name === 'codes') continue
        const quality = snr(recorded.stage(name), data)
        assert.ok(quality >= SNR_DB, `${name}: SNR ${quality.toFixed(1)} dB`)
      }
      const quality = snr(audio, expected.get('audio')!.data)
      assert.ok(quality >= SNR_DB, `audio: SNR ${quality.toFixed(1)} dB`)
    })

test("the stages that a probe sees are upstream's", async () => {
  const expected = vectors('mimi/frame_plus_1.safetensors')
  const { region, model } = await openModel(`${FOLDER}/tiny.safetensors`)
  const recorded = recorder(region)
  encode(region, model, expected.get('input')!.data, recorded.probe)
  decode(region, model, expected.get('codes')!.integers, recorded.probe)
  const ours = new Set(['frames', 'codes', 'quantized'])
  assert.equal(
    recorded.names().filter(name => !ours.has(name) && !expected.has(name)),
    [],
  )
  assert.is(recorded.names().length, 29)
})

test('fewer codebooks: the same codes and the audio that upstream makes of them', async () => {
  const expected = vectors('mimi/past_the_window.safetensors')
  const { region, model } = await openModel(`${FOLDER}/tiny.safetensors`)
  const all = encode(region, model, expected.get('input')!.data)
  for (const count of [1, 3]) {
    const few = encode(region, model, expected.get('input')!.data, undefined, undefined, false, count)
    assert.equal(
      few,
      all.filter((_, i) => i % 6 < count),
    )
    if (count !== 3) continue
    const quality = snr(decode(region, model, few, undefined, 3), expected.get('audio_3_codebooks')!.data)
    assert.ok(quality >= SNR_DB, `SNR ${quality.toFixed(1)} dB`)
  }
})

test('another tiny model, with what an older transformers made of it', async () => {
  const expected = vectors('mimi/upstream-tiny-expected.safetensors')
  const { region, model } = await openModel(`${FOLDER}/upstream-tiny.safetensors`)
  const codes = encode(region, model, expected.get('input')!.data)
  const rows = expected.get('codes')!.integers // [1, codebooks, frames]
  const reference = Array.from(codes, (_, i) => rows[(i % 5) * 9 + Math.floor(i / 5)])
  // transformers pads the last frame layer by layer, moshi its samples, as here: it may differ where the clip ends inside
  const whole = Math.floor(expected.get('input')!.data.length / model.info.hopLength) * 5
  assert.is(whole, 8 * 5)
  assert.equal(codes.slice(0, whole), reference.slice(0, whole))
  assert.ok(codes.slice(whole).filter((code, i) => code !== reference[whole + i]).length <= 1)
  assert.ok(snr(decode(region, model, reference), expected.get('wave')!.data) >= SNR_DB)
  const first3 = reference.filter((_, i) => i % 5 < 3)
  assert.ok(snr(decode(region, model, first3, undefined, 3), expected.get('wave_first3')!.data) >= SNR_DB)
})

test('any chunking gives the same bits, past the window too', async () => {
  const { region, model } = await openModel(`${FOLDER}/tiny.safetensors`)
  const next = random(7)
  const samples = vectors('mimi/past_the_window.safetensors').get('input')!.data
  for (const [length, most, drain] of [
    [samples.length, 1920, true],
    [samples.length - 777, 5000, true],
    [samples.length, 37, false],
    [2500, 1, true],
  ] as const) {
    const part = samples.subarray(0, length)
    const [whole, chunked] = [recorder(region), recorder(region)]
    const codes = encode(region, model, part, whole.probe, () => length)
    const size = () => (most === 1920 ? most : 1 + Math.floor(((next() + 1) / 2) * most))
    assert.equal(encode(region, model, part, chunked.probe, size, drain), codes)
    for (const stage of whole.names()) identical(chunked.stage(stage), whole.stage(stage), stage)
  }
})

test.run()
