import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { UsageError } from '../../../src/cli/environment.js'
import { systemsOf } from '../../../src/cli/eval/systems.js'

const labels = (args: object) => systemsOf({ inputs: [], ...args }).map(({ label }) => label)

test('the model, at every number of codebooks, then what is beside it', () => {
  assert.equal(systemsOf({ inputs: [] }), [{ label: 'default', files: undefined, dtype: undefined }])
  assert.equal(labels({ model: ['a/mimi.safetensors'], codebooks: '1,8', beside: ['default'] }), [
    'mimi, 1 codebook',
    'mimi, 8 codebooks',
    'default',
  ])
})

test('beside: files, settings, lists', () => {
  const beside = ['x/wt.ckpt,wt.yaml,dtype=q8', 'dac.pth,codebooks=2,4,name=DAC']
  assert.equal(systemsOf({ inputs: [], beside }).slice(1), [
    { label: 'wt, q8', files: ['x/wt.ckpt', 'wt.yaml'], dtype: 'q8' },
    { label: 'DAC, 2 codebooks', files: ['dac.pth'], dtype: undefined, codebooks: 2 },
    { label: 'DAC, 4 codebooks', files: ['dac.pth'], dtype: undefined, codebooks: 4 },
  ])
})

test('what cannot be compared is refused', () => {
  for (const [args, message] of [
    [{ beside: ['default'] }, /'default' would be compared with itself; name=/],
    [{ codebooks: '1,1' }, /compared with itself/],
    [{ codebooks: '0' }, /--codebooks is '0', expected numbers/],
    [{ beside: ['codebooks=2'] }, /--beside is 'codebooks=2', expected a checkpoint/],
    [{ beside: ['a.ckpt,codebooks=two'] }, /codebooks= is 'two'/],
    [{ beside: ['a.ckpt,dtype=q9'] }, /--dtype is 'q9', expected f32, f16, q12, q8/],
  ] as const)
    assert.throws(
      () => systemsOf({ inputs: [], ...args } as never),
      (error: Error) => error instanceof UsageError && message.test(error.message),
    )
})

test.run()
