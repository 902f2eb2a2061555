// Every stage against upstream's PyTorch code (tests/vectors/make_wavtokenizer.py), for both variants and every input length rule.
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { identical, snr } from '../support/compare.js'
import { decode, encode, openModel, recorder, testFile } from '../support/model.js'
import { stageComparison } from '../support/parity.js'
import { random } from '../support/random.js'
import { type Vector, vectors } from '../support/vectors.js'

const FOLDER = 'wavtokenizer' // under tests/vectors
const SNR_DB = 80

/** Codes alone; every difference must be a near-tie. Returns how many there are. */
function compareCodes(codes: ArrayLike<number>, expected: ReadonlyMap<string, Vector>, what: string): number {
  const nothing = { names: () => [], stage: () => new Float32Array() }
  const only = new Map(['codes', 'distances'].map(name => [name, expected.get(name)!]))
  const { different, nearTies } = stageComparison(only, codes, new Float32Array(), nothing)
  assert.is(different, nearTies, `${what}: ${different} codes differ, ${nearTies} of them near-ties`)
  return different
}

for (const [name, checkpoint] of [
  ['tiny-75', 'tiny-75.ckpt'],
  ['tiny-40', 'tiny-40.ckpt'],
]) {
  const cases = readdirSync(testFile(`vectors/${FOLDER}/${name}`)).map(file =>
    file.replace('.safetensors', ''),
  )

  test(`${name}: all cases are here`, () => {
    for (const one of [
      'one_sample',
      'two_samples',
      'hop_minus_1',
      'hop',
      'hop_plus_1',
      'seven_hops',
      'silence',
      'clipping',
    ])
      assert.ok(cases.includes(one), one)
  })

  for (const one of cases.filter(file => file !== 'speech')) {
    test(`${name}: ${one} equals PyTorch at every stage`, async () => {
      const expected = vectors(`${FOLDER}/${name}/${one}.safetensors`)
      const bandwidthId = one === 'bandwidth_2' ? 2 : 0
      const { region, model } = await openModel(`vectors/${FOLDER}/${checkpoint}`, { bandwidthId })
      const recorded = recorder(region)
      const codes = encode(region, model, expected.get('input')!.data, recorded.probe)
      const audio = decode(region, model, expected.get('codes')!.integers, recorded.probe)
      const result = stageComparison(expected, codes, audio, recorded)
      assert.is(
        result.different,
        result.nearTies,
        `${result.different} codes differ, ${result.nearTies} of them near-ties`,
      )
      for (const { name: stage, snr } of result.stages)
        assert.ok(snr >= SNR_DB, `${stage}: SNR ${snr.toFixed(1)} dB, expected at least ${SNR_DB}`)
      if (one === 'seven_hops')
        assert.ok(result.stages.length >= 22, `${result.stages.length} stages compared`)
      assert.ok(
        result.audio >= SNR_DB,
        `audio SNR ${result.audio.toFixed(1)} dB, expected at least ${SNR_DB}`,
      )
    })
  }

  test(`${name}: real speech, every code`, async () => {
    const { region, model } = await openModel(`vectors/${FOLDER}/${checkpoint}`)
    const expected = vectors(`${FOLDER}/${name}/speech.safetensors`)
    const samples = speech()
    const codes = encode(region, model, samples)
    const ties = compareCodes(codes, expected, 'speech')
    assert.ok(ties <= 1, `${ties} near-ties of ${codes.length} frames fall the other way`)
    const audio = decode(region, model, expected.get('codes')!.integers)
    const [start, end] = ['audio_start', 'audio_end'].map(part => expected.get(part)!.data)
    assert.ok(snr(audio.subarray(0, start.length), start) >= SNR_DB, 'start of the audio')
    assert.ok(snr(audio.subarray(-end.length), end) >= SNR_DB, 'end of the audio')
  })

  test(`${name}: any chunking gives the same bits`, async () => {
    const { region, model } = await openModel(`vectors/${FOLDER}/${checkpoint}`)
    const next = random(7)
    for (const [length, most, drain] of [
      [24_123, 1 << 15, false],
      [24_123, 2000, true],
      [24_123, 37, false],
      [1500, 1, true],
    ] as const) {
      const samples = speech().subarray(0, length)
      const [whole, chunked] = [recorder(region), recorder(region)]
      const codes = encode(region, model, samples, whole.probe, () => length)
      const size = () => 1 + Math.floor(((next() + 1) / 2) * most)
      assert.equal(encode(region, model, samples, chunked.probe, size, drain), codes)
      for (const stage of whole.names()) identical(chunked.stage(stage), whole.stage(stage), stage)
    }
  })
}

test('every spelling of the same weights gives the same tokens and audio', async () => {
  const expected = vectors(`${FOLDER}/micro/frames_40.safetensors`)
  for (const files of [
    'micro.pt',
    ['micro-outetts/encoder/encoder_model.pt', 'micro-outetts/decoder/decoder_model.pt'],
    'micro-transformers/model.safetensors',
    'micro-folded.safetensors',
  ]) {
    const paths = [files].flat().map(file => `vectors/${FOLDER}/${file}`)
    const { region, model } = await openModel(paths)
    compareCodes(encode(region, model, expected.get('input')!.data), expected, String(files))
    const quality = snr(decode(region, model, expected.get('codes')!.integers), expected.get('audio')!.data)
    assert.ok(quality >= SNR_DB, `${files}: audio SNR ${quality.toFixed(1)} dB`)
  }
})

test('half a model does its half and says what is missing for the other', async () => {
  const { region, model } = await openModel(`vectors/${FOLDER}/micro-outetts/decoder/decoder_model.pt`)
  assert.is(model.info.canEncode, false)
  assert.is(decode(region, model, [1, 2, 3]).length, 3 * model.info.hopLength)
  assert.throws(() => encode(region, model, new Float32Array(100)), /no encoder/)
})

/** The speech fixture: 16-bit mono at 24 kHz. */
function speech(): Float32Array<ArrayBuffer> {
  const bytes = readFileSync(testFile('fixtures/speech.wav'))
  const at = bytes.indexOf('data') + 8
  return Float32Array.from(
    { length: (bytes.length - at) >> 1 },
    (_, i) => bytes.readInt16LE(at + 2 * i) / 32768,
  )
}

test.run()
