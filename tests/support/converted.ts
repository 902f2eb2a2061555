import { convertCheckpoint } from '../../src/index.js'

/** The bytes of a file of the tensors of `path`, converted. */
export async function converted(path: string, options: Parameters<typeof convertCheckpoint>[1] = {}) {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  for await (const piece of convertCheckpoint(path, options)) pieces.push(piece)
  return new Uint8Array(await new Blob(pieces).arrayBuffer())
}
