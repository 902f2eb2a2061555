// docs/models.md lists every family, and is what its rows make.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { modelsPage } from '../../scripts/models-doc/page.js'
import { ROWS } from '../../scripts/models-doc/rows.js'
import { FAMILY_NAMES } from '../../src/models/registry.js'

test('every family has a row, and every row a family', () => {
  assert.equal([...new Set(ROWS.map(({ family }) => family))].sort(), [...FAMILY_NAMES].sort())
})

test('the page is up to date: npm run docs:models', () => {
  assert.is(readFileSync(new URL('../../docs/models.md', import.meta.url), 'utf8'), modelsPage())
})

test.run()
