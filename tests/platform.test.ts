import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as nodePlatform from '../src/platform.node.js'
import * as webPlatform from '../src/platform.web.js'

const onNode: typeof import('#platform') = nodePlatform
const onWeb: typeof import('#platform') = webPlatform

const folder = mkdtempSync(join(tmpdir(), 'wavtok-platform-'))
const path = join(folder, 'file.bin')
const test = suite('platform')
test.before(() => writeFileSync(path, Uint8Array.of(1, 2, 3, 4, 5)))
test.after(() => rmSync(folder, { recursive: true }))

async function rejects(step: () => unknown, pattern: RegExp): Promise<void> {
  try {
    await step()
  } catch (error) {
    assert.match((error as Error).message, pattern)
    return
  }
  assert.unreachable(`nothing was thrown, expected ${pattern}`)
}

test('files are read by ranges, from a path or a file: URL', async () => {
  for (const where of [path, pathToFileURL(path)]) {
    const file = await onNode.openFile(where)
    assert.is(file.size, 5)
    assert.is(file.name, String(where))
    assert.equal(Array.from(await file.read(1, 3)), [2, 3, 4])
    assert.equal(await Promise.all([file.read(0, 1), file.read(4, 1)]), [Uint8Array.of(1), Uint8Array.of(5)])
    await file.close()
    await file.close()
  }
})

test('what is no readable file', async () => {
  await rejects(() => onNode.openFile(join(folder, 'absent')), /ENOENT/)
  await rejects(() => onNode.openFile(folder), /is a directory; pass a file/)
  await rejects(() => onNode.openFile('/dev/null'), /no regular file/)
  const file = await onNode.openFile(path)
  truncateSync(path, 2)
  await rejects(() => file.read(0, 5), /became shorter while it was read/)
  await file.close()
  writeFileSync(path, Uint8Array.of(1, 2, 3, 4, 5))
})

test('the web has no file system', async () => {
  await rejects(
    () => onWeb.openFile('model.ckpt'),
    /no file system here to open 'model\.ckpt' from; pass a URL/,
  )
})

test('default weights lie beside the sources and beside the bundle', () => {
  const expected = new URL('../weights/x.safetensors', import.meta.url).href
  assert.is(onNode.defaultWeights('x.safetensors').href, expected)
  assert.is(onWeb.defaultWeights('x.safetensors').href, expected)
})

test('a module without a place of its own says so', async () => {
  const source = readFileSync(new URL('../src/platform.web.ts', import.meta.url), 'utf8')
  const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.ESNext } })
  for (const code of [outputText, outputText.replaceAll('import.meta.url', 'undefined')]) {
    const placeless: typeof webPlatform = await import(`data:text/javascript,${encodeURIComponent(code)}`)
    await rejects(
      () => placeless.defaultWeights('x'),
      /weights\/x cannot be found beside it; pass the model's URL or bytes/,
    )
  }
})

test('SHA-256 in hexadecimal', async () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  for (const platform of [onNode, onWeb])
    assert.is(await platform.sha256(new TextEncoder().encode('abc')), abc)
})

test.run()
