import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError } from '../../src/errors.js'
import {
  characterErrorRate,
  edits,
  errorRate,
  normalisedWords,
  wordErrorRate,
} from '../../src/metrics/index.js'
import { expected, failure } from './inputs.js'

const test = suite('metrics of transcripts')

test('error rates as jiwer', () => {
  for (const { reference, hypothesis, wer, cer, errors } of expected.texts) {
    assert.ok(Math.abs(wordErrorRate(reference, hypothesis) - wer) < 1e-12, `${reference}: WER`)
    assert.ok(Math.abs(characterErrorRate(reference, hypothesis) - cer) < 1e-12, `${reference}: CER`)
    const found = edits(reference.split(' '), hypothesis.split(' '))
    assert.is(found.substitutions + found.deletions + found.insertions, errors)
    assert.is(found.length - found.deletions + found.insertions, hypothesis.split(' ').length)
  }
})

test('kinds of edits', () => {
  assert.equal(edits(['a', 'b', 'c'], ['a', 'x', 'c']), {
    substitutions: 1,
    deletions: 0,
    insertions: 0,
    length: 3,
  })
  assert.equal(edits(['a', 'b', 'c'], ['a', 'c']), {
    substitutions: 0,
    deletions: 1,
    insertions: 0,
    length: 3,
  })
  assert.equal(edits(['a'], ['z', 'a']), { substitutions: 0, deletions: 0, insertions: 1, length: 1 })
  assert.equal(edits([], ['z']), { substitutions: 0, deletions: 0, insertions: 1, length: 0 })
})

test('several utterances are weighted by their length', () => {
  const rate = errorRate([edits(['a', 'b', 'c'], ['a', 'b', 'c']), edits(['a'], ['b'])])
  assert.is(rate, 1 / 4)
  assert.throws(() => errorRate([edits([], ['z'])]), failure(ConfigError))
})

test('case, punctuation and spaces do not count', () => {
  assert.equal(normalisedWords("  Don't STOP,\tÜben – 3 times! "), ["don't", 'stop', 'üben', '3', 'times'])
  assert.is(wordErrorRate('Hello, World', 'hello world.'), 0)
})

test.run()
