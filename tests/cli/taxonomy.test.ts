import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { TAXONOMY } from '../../src/cli/taxonomy/rows.js'
import { FAMILY_NAMES } from '../../src/models/registry.js'
import { withBench } from './harness.js'

test('every family of the library is a row, and what a row says fits together', () => {
  const families = new Set(TAXONOMY.flatMap(({ family }) => family ?? []))
  assert.equal([...families].sort(), [...FAMILY_NAMES].sort())
  assert.is(new Set(TAXONOMY.map(({ name }) => name)).size, TAXONOMY.length)
  for (const { name, codebooks, entries, kbps } of TAXONOMY)
    assert.ok(codebooks > 0 || (entries === undefined && kbps === undefined), name)
  for (const { name, codebooks, entries, kbps, frameRates } of TAXONOMY)
    if (entries && kbps?.length === 1 && frameRates.length === 1) {
      const rate = (codebooks * Math.ceil(Math.log2(entries)) * frameRates[0]) / 1000
      assert.ok(Math.abs(rate - kbps[0]) < 0.01 * rate, `${name}: ${rate} kbit/s`)
    }
})

test(
  'info --taxonomy: a table, some of its rows, or JSON',
  withBench(async bench => {
    assert.is(await bench.run('info', '--taxonomy'), 0)
    assert.is(bench.stdout.text.trim().split('\n').length, TAXONOMY.length + 1)
    assert.match(
      bench.stdout.text,
      /WavTokenizer +runs \(wavtokenizer\) +CNN\+RNN\+T, T +SVQ +1 x 4096 +40, 75/,
    )
    assert.is(await bench.run('info', '--taxonomy', 'quantizer=rvq', 'streams=true', '--json'), 0)
    const [{ rows }] = bench.json as unknown as { rows: { name: string }[] }[]
    assert.equal(
      rows.map(({ name }) => name),
      ['EnCodec', 'Mimi (Moshi)', 'SoundStream (Make-A-Voice)', 'VALL-E R'],
    )
    assert.is(await bench.run('info', '--taxonomy', 'colour=blue'), 2)
    assert.match(bench.stderr.text, /'colour=blue' chooses nothing/)
    assert.is(bench.loads.length, 0)
  }),
)

test.run()
