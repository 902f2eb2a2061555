import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Region } from '../../bindings/memory.js'
import { byteSource } from '../../src/checkpoints/bytes.js'
import { openCheckpoint } from '../../src/checkpoints/open.js'
import type { Model } from '../../src/models/model.js'
import { loadModel, type ModelOptions } from '../../src/models/registry.js'
import { receiver } from '../../src/nn/clip.js'
import { finish, type Probe, type RowSink } from '../../src/nn/rows.js'
import { freshCore } from './core.js'

const tests = fileURLToPath(new URL('..', import.meta.url))

/** Path of a file under tests/; absolute paths stay as they are. */
export function testFile(name: string): string {
  return resolve(tests, name)
}

/** A model in a core of its own. */
export async function openModel(names: string | readonly string[], options: ModelOptions = {}) {
  const core = await freshCore()
  const files = await Promise.all([names].flat().map(name => byteSource(testFile(name))))
  const source = await openCheckpoint(files)
  try {
    return { ...core, model: await loadModel(core.region, source, options) }
  } finally {
    await source.close()
  }
}

/** A probe that keeps everything that each stage puts out. */
export function recorder(region: Region) {
  const parts = new Map<string, Float32Array[]>()
  const probe: Probe = (name, rows, count, channels) => {
    const list = parts.get(name) ?? []
    parts.set(name, list)
    list.push(region.heap.f32(rows, count * channels).slice())
  }
  return { probe, names: () => [...parts.keys()], stage: (name: string) => concat(parts.get(name) ?? []) }
}

export function concat(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const result = new Float32Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}

/** Pushes rows of samples (or codes, as integers) in chunks of the given sizes, in turn, draining after each if told. */
export function push(
  region: Region,
  stage: RowSink,
  values: ArrayLike<number>,
  chunks: () => number = () => 4096,
  drain = false,
): void {
  const { channels } = stage
  for (let start = 0; start < values.length; ) {
    const rows = Math.min(chunks(), (values.length - start) / channels)
    const count = rows * channels
    const target = stage.reserve(rows)
    const view =
      values instanceof Float32Array ? region.heap.f32(target, count) : region.heap.i32(target, count)
    for (let i = 0; i < count; i++) view[i] = values[start + i]
    stage.commit(rows)
    if (drain) stage.drain()
    start += count
  }
  for (const _ of finish(stage));
}

/** Codes of samples, of the first `codebooks`, frame by frame. */
export function encode(
  region: Region,
  model: Model,
  samples: Float32Array,
  probe?: Probe,
  chunks?: () => number,
  drain = false,
  codebooks = model.info.codebookSizes.length,
): number[] {
  const local = region.child()
  const codes: number[] = []
  const sink = receiver(local, codebooks, (rows, count) =>
    codes.push(...local.heap.i32(rows, count * codebooks)),
  )
  push(local, model.encoder(local, sink, probe), samples, chunks, drain)
  local.free()
  return codes
}

/** Audio of codes of the first `codebooks`, frame by frame. */
export function decode(
  region: Region,
  model: Model,
  codes: ArrayLike<number>,
  probe?: Probe,
  codebooks = model.info.codebookSizes.length,
): Float32Array<ArrayBuffer> {
  const local = region.child()
  const parts: Float32Array[] = []
  const sink = receiver(local, 1, (rows, count) => parts.push(local.heap.f32(rows, count).slice()))
  const pointer = local.copy(new Float32Array(codes.length))
  local.heap.i32(pointer, codes.length).set(codes)
  for (const _ of model.decode(local, pointer, codes.length / codebooks, sink, probe, codebooks));
  local.free()
  return concat(parts)
}

/** What a stream makes of codes, frame by frame, that come in chunks of so many frames. */
export function streamedDecode(
  region: Region,
  model: Model,
  codes: Int32Array,
  chunks: () => number,
): Float32Array<ArrayBuffer> {
  const local = region.child()
  const parts: Float32Array[] = []
  const sink = receiver(local, 1, (rows, count) => parts.push(local.heap.f32(rows, count).slice()))
  push(local, model.decoder!(local, sink), codes, chunks, true)
  local.free()
  return concat(parts)
}
