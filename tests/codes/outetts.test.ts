import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  codesToText,
  type OuteTtsVersion,
  outeTtsPrompt,
  outeTtsWords,
  parseOuteTts,
  type SpokenWord,
  TokenError,
  textToCodes,
} from '../../src/codes/index.js'
import { numberWords } from '../../src/codes/number-words.js'
import { vectors } from './vectors.js'

interface Case {
  version: OuteTtsVersion
  text: string
  words?: string[]
  spoken: SpokenWord[]
  voice?: string
  training?: string
  completion?: string
}

const CASES: readonly Case[] = vectors('outetts').cases

test('prompts are those of OuteTTS 0.2 and 0.3, letter by letter', () => {
  for (const { version, text, words, spoken, voice, training, completion } of CASES) {
    if (words) assert.equal(outeTtsWords(text), words)
    const still = training ? [] : text.split(' ')
    const prompt = outeTtsPrompt(still, spoken, { version, voice, isComplete: training !== undefined })
    assert.is(prompt, training ?? completion)
  }
})

test('prompts are read back', () => {
  for (const { version, text, spoken, voice, training, completion } of CASES) {
    const found = parseOuteTts(training ?? completion ?? '')
    const words = spoken.map(({ word, duration = 0, codes }) => ({ word, duration, codes }))
    const said = [...spoken.map(({ word }) => word), ...(training ? [] : text.split(' '))]
    assert.equal(found, { version, text: said, voice, words, isComplete: training !== undefined })
  }
})

test('what a model made of a prompt so far', () => {
  const open = outeTtsPrompt(['some', 'words'], [], { version: 1 })
  const { words, isComplete } = parseOuteTts(`${open}some<|t_0.03|><|code_start|><|7|><|0|><|40`)
  assert.equal(words, [{ word: 'some', duration: 0.03, codes: [7, 0] }])
  assert.not(isComplete)
  assert.throws(() => parseOuteTts('hello'), /no <\|text_start\|>\.\.\.<\|text_end\|> in 'hello'/)
})

test('a word lasts as long as its codes unless it says otherwise', () => {
  const prompt = outeTtsPrompt([], [{ word: 'a', codes: [1, 2] }], { version: 2 })
  assert.match(prompt, 'a<|t_0.03|><|1|><|2|><|space|>\n')
})

test('codes as text: 0 to 4095, no more', () => {
  assert.is(codesToText([0, 4095]), '<|0|><|4095|>')
  assert.equal(textToCodes('x<|audio_start|><|0|> <|t_0.10|><|4095|><|code_end|>'), [0, 4095])
  for (const code of [4096, 4097, 4098, 4099, -1, 1.5, Number.NaN])
    assert.throws(
      () => codesToText([code]),
      (error: Error) => error instanceof TokenError,
    )
  assert.throws(() => textToCodes('<|1|><|4096|>'), /code 4096 is out of range: WavTokenizer has 0 to 4095/)
  assert.equal(textToCodes('<|1|><|4096|><|4099|><|2|>', { beyond: 'drop' }), [1, 2])
})

test('numbers are spelt as inflect spells them', () => {
  const { numbers, text, words } = vectors('number-words')
  for (const [digits, spelt] of Object.entries(numbers)) assert.is(numberWords(digits), spelt, digits)
  assert.equal(outeTtsWords(text), words)
  assert.equal(outeTtsWords('  '), [])
  assert.throws(() => outeTtsWords('1'.repeat(37)), /has 37 digits; at most 36 have words/)
})

test.run()
