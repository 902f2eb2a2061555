import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map(name => `docs/${name}`)].filter(name =>
  name.endsWith('.md'),
)

test('every `npm run` that a page names is in package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const named = pages.flatMap(page =>
    Array.from(
      readFileSync(join(root, page), 'utf8').matchAll(/npm\s+run\s+([\w:]+)/g),
      ([, name]) => `${page}: ${name}`,
    ),
  )
  assert.ok(named.length > 5)
  assert.equal(
    named.filter(use => !(use.split(': ')[1] in scripts)),
    [],
  )
})

test.run()
