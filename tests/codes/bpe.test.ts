import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type BpeTrainOptions,
  codesToIds,
  TokenBpe,
  TokenError,
  type TokenizerJson,
} from '../../src/codes/index.js'
import { random } from '../support/random.js'
import { vectors } from './vectors.js'

interface Case {
  name: string
  options: BpeTrainOptions
  sequences: number[][]
  merges: [number, number, number][]
  encoded: number[][]
  file?: TokenizerJson
}

const CASES: readonly Case[] = vectors('bpe').cases
const refuses = (call: () => unknown, pattern: RegExp) =>
  assert.throws(call, (error: Error) => error instanceof TokenError && pattern.test(error.message))

test('training and encoding are those of Hugging Face tokenizers', () => {
  for (const { name, options, sequences, merges, encoded } of CASES) {
    const bpe = TokenBpe.train(sequences, options)
    assert.equal(
      bpe.merges.map(({ left, right, id }) => [left, right, id]),
      merges,
      name,
    )
    assert.equal(
      sequences.map(sequence => bpe.encode(sequence)),
      encoded,
      name,
    )
    for (const [i, tokens] of encoded.entries()) assert.equal(bpe.decode(tokens), sequences[i], name)
  }
})

test('the published vector: characters, merges, encodings', () => {
  const { sequences, vocab, merges, encoded } = vectors('bpe-hf')
  const trained = TokenBpe.train(sequences, { alphabetSize: 6, vocabSize: 16 })
  assert.equal(trained.toJSON().model.vocab, vocab)
  assert.equal(trained.toJSON().model.merges, merges)
  const loaded = TokenBpe.fromJSON({ model: { type: 'BPE', vocab, merges } })
  for (const bpe of [trained, loaded])
    assert.equal(
      sequences.map((sequence: number[]) => bpe.encode(sequence)),
      encoded,
    )
})

test('the file is the one that tokenizers saves, and is read back', () => {
  const [{ options, sequences, encoded, file }] = CASES
  const bpe = TokenBpe.train(sequences, options)
  assert.equal(bpe.toJSON(), file)
  const text = JSON.stringify(bpe)
  const again = TokenBpe.fromJSON(text)
  assert.equal(again.encode(sequences[0]), encoded[0])
  assert.is(JSON.stringify(again), text)
})

test('older files, other alphabets, special tokens', () => {
  const file = { model: { type: 'BPE', vocab: { '<pad>': 0, b: 1, a: 2, ab: 3 }, merges: ['a b'] } }
  const bpe = TokenBpe.fromJSON(file, { firstCodePoint: 97 })
  assert.equal(bpe.encode([0, 1, 1]), [3, 1])
  assert.equal(bpe.decode([3, 0, 1]), [0, 1, 1])
  assert.is(bpe.vocabSize, 4)
  refuses(() => bpe.encode([0, 7]), /code 7 at 1 has no token; this BPE knows 2 codes/)
  refuses(() => bpe.decode([4]), /token 4 at 0 is outside the vocabulary, 0 to 3/)
  refuses(() => TokenBpe.fromJSON('{"model":{"type":"Unigram"}}'), /type 'Unigram', expected 'BPE'/)
  refuses(() => TokenBpe.fromJSON('{'), /not valid JSON/)
  refuses(
    () => TokenBpe.fromJSON({ model: { type: 'BPE', vocab: { a: 0 }, merges: ['a b'] } }),
    /'b', which the voc/,
  )
  refuses(
    () => TokenBpe.fromJSON({ model: { type: 'BPE', vocab: { a: -1 }, merges: [] } }),
    /no whole numbers/,
  )
})

test('several codebooks become one alphabet', () => {
  const codes = [
    [0, 0, 0, 1],
    [5, 5, 5, 2],
  ]
  const ids = codesToIds(codes, { codebookSizes: [8, 8], offset: 0 })
  const bpe = TokenBpe.train([ids], { alphabetSize: 16, vocabSize: 18 })
  assert.equal(bpe.encode(ids), [17, 16, 1, 10])
  assert.equal(bpe.decode([17, 16, 1, 10]), ids)
})

test('nothing in, nothing out', () => {
  const bpe = TokenBpe.train([[], [3]], { alphabetSize: 4, vocabSize: 100 })
  assert.equal([bpe.merges, bpe.encode([]), bpe.decode([])], [[], [], []])
  assert.is(TokenBpe.train([], { alphabetSize: 4, vocabSize: 4 }).vocabSize, 4)
})

test('what cannot be trained or written is refused', () => {
  refuses(
    () => TokenBpe.train([[1, 4]], { alphabetSize: 4, vocabSize: 9 }),
    /code 4 at 1 of sequence 0 is outside/,
  )
  refuses(() => TokenBpe.train([], { alphabetSize: 4, vocabSize: 3 }), /at least the alphabet's 4/)
  refuses(() => TokenBpe.train([], { alphabetSize: 0, vocabSize: 3 }), /alphabet has 0 codes/)
  refuses(() => TokenBpe.train([], { alphabetSize: 4, vocabSize: 9, maxTokenLength: 1 }), /2 codes or more/)
  const large = TokenBpe.train([], { alphabetSize: 40000, vocabSize: 40000 })
  refuses(() => large.toJSON(), /surrogate; from U\+4e00 there is room for 35328 codes/)
  assert.is(Object.keys(large.toJSON({ firstCodePoint: 0x10000 }).model.vocab).length, 40000)
})

test('a hundred thousand codes take a fraction of a second, and progress is told', () => {
  const next = random(9)
  const sequences = Array.from({ length: 200 }, () =>
    Array.from({ length: 500 }, () => Math.floor(next() * next() * 500 + 500)),
  )
  const told: number[] = []
  const start = performance.now()
  const bpe = TokenBpe.train(sequences, {
    alphabetSize: 1024,
    vocabSize: 3000,
    onProgress: ({ vocabSize, total }) => told.push(vocabSize / total),
  })
  const seconds = (performance.now() - start) / 1000
  assert.is(bpe.vocabSize, 3000)
  assert.is(told.length, bpe.merges.length)
  assert.is(told.at(-1), 1)
  assert.ok(seconds < 10, `${seconds} s`)
  for (const sequence of sequences) assert.equal(bpe.decode(bpe.encode(sequence)), sequence)
})

test.run()
