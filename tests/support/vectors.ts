// Reads tests/vectors/*.safetensors without the library's own reader, so that a fault there cannot hide a fault elsewhere.
import { readFileSync } from 'node:fs'

/** A tensor as PyTorch wrote it: row-major, float32 or int32. */
export interface Vector {
  shape: number[]
  data: Float32Array<ArrayBuffer>
  /** The same bits as integers, for tensors of int32. */
  integers: Int32Array<ArrayBuffer>
}

interface Header {
  __metadata__: Record<string, string>
  [name: string]: { shape: number[]; data_offsets: [number, number] } | Record<string, string>
}

/** Every tensor of tests/vectors/`file`, by name. */
export function vectors(file: string | URL): Map<string, Vector> {
  const { header, bytes } = read(file)
  const names = Object.keys(header).filter(name => name !== '__metadata__')
  return new Map(
    names.map(name => {
      const { shape, data_offsets } = header[name] as { shape: number[]; data_offsets: [number, number] }
      const buffer = bytes.slice(...data_offsets).buffer
      return [name, { shape, data: new Float32Array(buffer), integers: new Int32Array(buffer) }]
    }),
  )
}

/** The sizes and settings of every case (`<case>.<tensor>`) whose name starts with `prefix`. */
export function cases(file: string, prefix: string): { name: string; about: Record<string, number> }[] {
  return Object.entries(read(file).header.__metadata__)
    .filter(([name, text]) => name.startsWith(prefix) && text.startsWith('{'))
    .map(([name, text]) => ({ name, about: JSON.parse(text) }))
}

function read(file: string | URL): { header: Header; bytes: Uint8Array<ArrayBuffer> } {
  const whole = new Uint8Array(readFileSync(new URL(file, new URL('../vectors/', import.meta.url))))
  const length = Number(new DataView(whole.buffer).getBigUint64(0, true))
  return {
    header: JSON.parse(new TextDecoder().decode(whole.subarray(8, 8 + length))),
    bytes: whole.subarray(8 + length),
  }
}
