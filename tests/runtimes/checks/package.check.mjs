// The package as npm has it: what the checkers say, what bundlers take of it, its size, its types, its command.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachWorkspace, here } from '../support/workspace.mjs'

const MAX_TARBALL = 384 * 1024 // without weights; a family takes 10 to 15 KiB, as a chunk and in browser.js
const { app, library, packed, tarball } = await attachWorkspace()
const manifest = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'))
const subpaths = Object.keys(manifest.exports).filter(path => manifest.exports[path].types)

/** Runs a command in the project; its output, also where it fails. */
function run(command, args) {
  try {
    return execFileSync(command, args, { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}: ${(error.stderr + error.stdout).slice(0, 2000)}`)
  }
}
const tool = name => join(here, 'node_modules/.bin', name)

const test = suite('package')

test('publint finds nothing', async () => {
  const { messages } = await publint({ pkgDir: library, level: 'suggestion', strict: true })
  assert.equal(
    messages.map(message => formatMessage(message, manifest)),
    [],
  )
})

test('are the types wrong? They are not', () => {
  run(tool('attw'), [tarball, '--profile', 'esm-only', '--no-emoji'])
})

for (const [resolution, module] of [
  ['nodenext', 'nodenext'],
  ['bundler', 'esnext'],
])
  test(`types of every subpath: ${resolution}`, () => {
    const lines = subpaths.map(
      (path, i) => `import * as m${i} from '${join('wavtok', path)}'\nm${i} satisfies object`,
    )
    writeFileSync(join(app, 'types.ts'), `${lines.join('\n')}\n`)
    const options = `--noEmit --strict --target es2023 --lib es2023,esnext.disposable,dom,dom.iterable,dom.asynciterable`
    const how = [...options.split(' '), '--module', module, '--moduleResolution', resolution]
    run(tool('tsc'), [...how, 'types.ts'])
  })

test('what needs no model pulls no WebAssembly', async () => {
  assert.is(manifest.sideEffects, false)
  for (const [path, name] of [
    ['wavtok/audio', 'decodeWav'],
    ['wavtok/codes', 'encodeTokens'],
  ]) {
    const { outputFiles } = await build({
      stdin: { contents: `export { ${name} } from '${path}'`, resolveDir: app },
      bundle: true,
      write: false,
      minify: true,
      format: 'esm',
      platform: 'browser',
    })
    const [{ text }] = outputFiles
    assert.ok(text.length < 40_000, `${path}: ${text.length} bytes`)
    assert.not.match(text, /WebAssembly|[A-Za-z0-9+/]{500}/, path)
  }
})

test('importing without using leaves nothing', async () => {
  const contents = subpaths
    .filter(path => !path.endsWith('.wasm'))
    .map(path => `import '${join('wavtok', path)}'`)
  const { outputFiles } = await build({
    stdin: { contents: contents.join('\n'), resolveDir: app },
    bundle: true,
    write: false,
    format: 'esm',
    logLevel: 'error',
    logOverride: { 'ignored-bare-import': 'silent' },
  })
  assert.is(outputFiles[0].text.replace(/\/\/.*|\(\(\) => \{\s*\}\)\(\);/g, '').trim(), '')
})

test(`without weights the tarball has at most ${MAX_TARBALL / 1024} KiB`, () => {
  const weights = join(library, 'weights')
  const compressed = readdirSync(weights).map(name => gzipSync(readFileSync(join(weights, name))).length)
  const rest = packed.size - compressed.reduce((sum, size) => sum + size, 0)
  console.log(`  ${(rest / 1024).toFixed(0)} KiB without weights, ${packed.files.length} files`)
  assert.ok(rest > 0 && rest <= MAX_TARBALL, `${rest} bytes`)
})

test('publishes what is built and the weights, nothing else', () => {
  const strangers = packed.files
    .map(({ path }) => path)
    .filter(path => !/^(dist|weights)\/|^(README\.md|LICENSE|CHANGELOG\.md|package\.json)$/.test(path))
  assert.equal(strangers, [])
  assert.equal(Object.keys(manifest.dependencies ?? {}), [])
})

test('require() works', () => {
  run(process.execPath, [
    '--no-warnings',
    '--input-type=commonjs',
    '-e',
    "require('wavtok').loadTokenizer.call",
  ])
})

test('npx wavtok', () => {
  run('npx', ['wavtok', 'roundtrip', 'speech.wav', '-o', 'npx.wav', '--quiet'])
  assert.ok(statSync(join(app, 'npx.wav')).size > 44)
  assert.match(run('npx', ['wavtok', '--version']), manifest.version)
})

test.run()
