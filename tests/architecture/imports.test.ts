import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

/** What each part of the house may import beside itself; the first prefix that matches a file is its part. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'assembly/': [],
  'bindings/': ['@assemblyscript/loader', '#kernels', './kernels.wasm', './kernels.relaxed.wasm'],
  'src/errors.ts': [],
  'src/random.ts': [],
  'src/quantile.ts': [],
  'src/strides.ts': ['src/errors.ts'],
  'src/platform.': ['node:'],
  'src/checkpoints/': ['src/errors.ts', '#platform'],
  'src/audio/': ['src/errors.ts'],
  'src/codes/': ['src/errors.ts', 'src/strides.ts'],
  'src/metrics/': ['src/errors.ts', 'src/random.ts', 'src/quantile.ts'],
  'src/nn/': ['bindings/', 'src/errors.ts'],
  'src/plots/': ['bindings/', 'src/nn/', 'src/errors.ts'],
  'src/quantizers/': [
    'bindings/',
    'src/nn/',
    'src/checkpoints/',
    'src/errors.ts',
    'src/random.ts',
    'src/schedule.ts',
  ],
  'src/models/': ['bindings/', 'src/nn/', 'src/checkpoints/', 'src/errors.ts', 'src/strides.ts'],
  'src/cli/': [
    'src/random.ts',
    'src/quantile.ts',
    'src/index.ts',
    'src/audio/index.ts',
    'src/checkpoints/index.ts',
    'src/codes/',
    'src/metrics/index.ts',
    'src/plots/index.ts',
    'node:',
    '#platform',
    // installed where they are wanted
    'audio-decode',
    'hyparquet-writer',
    'bullmq',
    'onnxruntime-web',
  ],
  'src/': ['src/', 'bindings/', '#platform'],
}

function files(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
    .filter(file => !file.startsWith('bindings/generated/'))
}

/** Imports of one file as paths from the root, or bare names. */
function imports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return Array.from(
    text.matchAll(/^\s*(?:import|export)\b[^'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm),
    match => {
      const name = match[1] ?? match[2]
      if (!name.startsWith('.') || name.includes('.wasm')) return name.replace(/\?module$/, '')
      const path = relative(root, resolve(root, dirname(file), name)).replace(/\.js$/, '')
      return path.endsWith('.ts') ? path : `${path}.ts`
    },
  )
}

const sources = ['assembly', 'bindings', 'src'].flatMap(files)
const partOf = (file: string) => Object.keys(ALLOWED).find(prefix => file.startsWith(prefix)) ?? ''

test('imports point one way', () => {
  assert.ok(sources.length > 40, `${sources.length} sources found`)
  for (const file of sources) {
    const part = partOf(file)
    const allowed = [...ALLOWED[part], part]
    for (const name of imports(file))
      assert.ok(
        allowed.some(prefix => name.startsWith(prefix)),
        `${file} imports ${name}; ${part} may import ${ALLOWED[part].join(', ') || 'only itself'}`,
      )
  }
})

test('no cycles', () => {
  const done = new Set<string>()
  const visit = (file: string, trail: readonly string[]): void => {
    assert.not(trail.includes(file), `cycle: ${[...trail, file].join(' -> ')}`)
    if (done.has(file)) return
    for (const name of imports(file)) if (sources.includes(name)) visit(name, [...trail, file])
    done.add(file)
  }
  for (const file of sources) visit(file, [])
})

test('nothing but the command imports the command', () => {
  for (const file of sources.filter(one => !one.startsWith('src/cli/')))
    assert.not(
      imports(file).some(name => name.startsWith('src/cli/')),
      `${file} imports the command`,
    )
})

test('the loader is used in one file', () => {
  const users = sources.filter(file => imports(file).includes('@assemblyscript/loader'))
  assert.equal(users, ['bindings/load.ts'])
})

test('files stay small', () => {
  for (const file of sources) {
    const lines = readFileSync(join(root, file), 'utf8').split('\n').length
    assert.ok(lines <= 400, `${file} has ${lines} lines; split it (at most 400)`)
  }
})

test.run()
