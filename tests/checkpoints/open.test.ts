import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { byteSource } from '../../src/checkpoints/bytes.js'
import { openCheckpoint } from '../../src/checkpoints/open.js'
import { writeSafetensors } from '../../src/checkpoints/safetensors.js'
import type { ByteSource } from '../../src/checkpoints/source.js'
import { bytes, littleEndian, memory, rejects, vectorPath } from './build.js'

const weights = (...names: string[]) =>
  memory(
    writeSafetensors(
      Object.fromEntries(
        names.map(name => [name, { dtype: 'F32', shape: [1], data: Float32Array.of(names.length) }]),
      ),
    ),
  )
const text = (content: string) => memory(new TextEncoder().encode(content))
const refuses = async (content: string | Uint8Array, pattern: RegExp) =>
  rejects(
    async () => openCheckpoint(await memory(typeof content === 'string' ? bytes(content) : content)),
    pattern,
  )

test('files that are something else are told what they are', async () => {
  await refuses('', /the file is empty/)
  await refuses('GGUF\x03\0\0\0\0\0', /the GGUF file ends within the number of tensors/)
  await refuses('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M', /PyTorch before 1\.6/)
  await refuses('\x80\x04\x95\0\0\0\0\0\0\0\0}.', /bare Python pickle/)
  await refuses(
    'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n',
    /git-lfs pointer, not the weights; run `git lfs pull`/,
  )
  await refuses('<!DOCTYPE html><html>Not found</html>', /web page.*login/)
  await refuses('\n <html lang="en">', /web page/)
  await refuses('{"error": "Repository not found"}', /no weights among the 1 files \(1 JSON or YAML\)/)
  await refuses('{"error": ', /not valid JSON/)
  await refuses('Invalid username or password.', /text that is no configuration: it begins 'Invalid username/)
  await refuses('[1, 2, 3]', /text that is no configuration/)
  await refuses('abc', /text that is no configuration: it begins 'abc'/)
  await refuses('\x1f\x8b\x08\0\0\0\0\0\0', /gzip-compressed; decompress it/)
  await refuses(bytes('PK\x05\x06', new Uint8Array(18)), /zip file is empty/)
  await refuses('RIFF\x10\0\0\0WAVEfmt ', /audio file/)
  await refuses('\x89HDF\r\n\x1a\n\0', /HDF5/)
  await refuses('\x93NUMPY\x01\0', /NumPy array/)
  await refuses(
    new Uint8Array(100),
    /begins with bytes 00 00 00 00 00 00 00 00; expected safetensors, GGUF or/,
  )
  await refuses(new Uint8Array(3), /begins with bytes 00 00 00;/)
  await refuses(bytes(littleEndian(2 ** 60, 8), '{"a'), /claims 1152921504606847000 bytes; at most 100000000/)
})

test('a safetensors file cut inside its header is not taken for a pickle', async () => {
  const header = `{"__metadata__":{"text":"${'x'.repeat(0x280 - 28)}"}}`
  await refuses(
    bytes(littleEndian(0x280, 8), header.slice(0, 100)),
    /claims 640 bytes and 100 follow; the file is truncated/,
  )
})

test('messages name the file', async () => {
  const file = await byteSource(vectorPath('torch/lfs-pointer.pt'))
  await rejects(() => openCheckpoint(file), /torch\/lfs-pointer\.pt: this is a git-lfs pointer/)
})

test('one file is a list of one', async () => {
  const checkpoint = await openCheckpoint(await weights('a', 'b'))
  assert.equal(
    [checkpoint.formats, checkpoint.names(), checkpoint.configs],
    [['safetensors'], ['a', 'b'], []],
  )
  await rejects(() => openCheckpoint([]), /no weights among the 0 files/)
})

test('a header whose length reads like text is still safetensors', async () => {
  const header = `{${' '.repeat(0x7b - 2)}}`
  const checkpoint = await openCheckpoint(await memory(bytes(littleEndian(header.length, 8), header)))
  assert.equal(checkpoint.names(), [])
})

test('shards and their index', async () => {
  const index = (map: Record<string, string>) => text(JSON.stringify({ metadata: {}, weight_map: map }))
  const map = { a: 'model-1.safetensors', b: 'model-2.safetensors', c: 'model-2.safetensors' }
  const checkpoint = await openCheckpoint([await index(map), await weights('a'), await weights('b', 'c')])
  assert.equal(checkpoint.names(), ['a', 'b', 'c'])
  assert.equal(Array.from(await checkpoint.read('c')), [2])
  assert.equal(checkpoint.configs, [])
  await rejects(
    async () => openCheckpoint([await weights('a'), await index(map)]),
    /2 tensors of the index are in none of the files; pass also model-2\.safetensors/,
  )
  await rejects(
    async () => openCheckpoint([await weights('a'), await weights('a')]),
    /two of the files have a tensor 'a'/,
  )
})

test('configurations come along, JSON or YAML', async () => {
  const yaml = '# comment\nmodel:\n  hop: 320\n'
  const checkpoint = await openCheckpoint([
    await text('{"model_type": "x"}'),
    await weights('a'),
    await text(yaml),
  ])
  assert.equal(checkpoint.configs, [{ model_type: 'x' }, { model: { hop: 320 } }])
  await rejects(async () => openCheckpoint([await weights('a'), await text('a: [1\n')]), /YAML file, line 1/)
})

test("OuteTTS' split files, with their configurations", async () => {
  const path = (file: string) => byteSource(vectorPath(`wavtokenizer/micro-outetts/${file}`))
  const files = [
    'encoder/encoder_model.pt',
    'encoder/config.json',
    'decoder/decoder_model.pt',
    'decoder/config.json',
  ]
  const checkpoint = await openCheckpoint(await Promise.all(files.map(path)))
  assert.equal(checkpoint.formats, ['torch', 'torch'])
  assert.ok(checkpoint.has('codebook_weights'))
  assert.ok(checkpoint.has('backbone.embed.weight'))
  assert.ok(checkpoint.has('feature_extractor.encodec.encoder.model.0.conv.conv.weight_v'))
  assert.ok('backbone_config' in checkpoint.configs[1])
  await checkpoint.close()
})

test('every file is closed when opening fails, and by close()', async () => {
  let open = 0
  const tracked = async (file: Promise<ByteSource>): Promise<ByteSource> => {
    open++
    return { ...(await file), close: async () => void open-- }
  }
  await rejects(
    async () => openCheckpoint([await tracked(weights('a')), await tracked(memory(new Uint8Array(9)))]),
    /no known checkpoint format/,
  )
  assert.is(open, 0)
  const checkpoint = await openCheckpoint([await tracked(weights('a')), await tracked(text('{"a": 1}'))])
  assert.is(open, 1)
  await checkpoint.close()
  assert.is(open, 0)
})

test.run()
