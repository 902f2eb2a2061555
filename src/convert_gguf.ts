// Checkpoints to GGUF: one file that carries a codec, or a decoder as llama.cpp names and shapes it.
import { narrowF16 } from './checkpoints/dtypes.js'
import { OWN_KEYS } from './checkpoints/gguf.js'
import { narrowQ80, type WritableDtype } from './checkpoints/gguf-blocks.js'
import { type GgufKey, type GgufLayout, planGguf } from './checkpoints/gguf-writer.js'
import type { MatrixDtype } from './checkpoints/reduced.js'
import type { FilePlan, PlainWeights } from './checkpoints/weights.js'
import { ConfigError } from './errors.js'

const BLOCK = 32
const QUANTIZATION_VERSION = 2

/** @internal `layout`: instead of the family's own names, with all its matrices as `dtype`. */
export function ggufFile(
  tensors: ReadonlyMap<string, PlainWeights>,
  metadata: Readonly<Record<string, string>>,
  dtypeOf: (name: string) => MatrixDtype,
  layout?: GgufLayout & { dtype: MatrixDtype },
): FilePlan {
  const entries = new Map<string, PlainWeights & { dtype: WritableDtype }>()
  for (const [name, tensor] of layout?.tensors ?? tensors) {
    const wanted = layout ? (layout.isExact(name, tensor.shape) ? 'F32' : layout.dtype) : dtypeOf(name)
    entries.set(name, { ...tensor, dtype: writable(wanted, tensor.shape) })
  }
  const keys: GgufKey[] = [
    ['general.architecture', 'text', layout?.architecture ?? 'wavtok'],
    ['general.quantization_version', 'u32', QUANTIZATION_VERSION],
    ...(layout?.keys ?? []),
    ...Object.entries(metadata).map(([key, value]) => [OWN_KEYS + key, 'text', value] as const),
  ]
  const plan = planGguf(entries, keys)
  return {
    ...plan,
    async read(name) {
      const { dtype, read } = entries.get(name)!
      return [narrowed(dtype, await read()), new Uint8Array(plan.paddingOf(name))]
    },
  }
}

/** Rows that do not divide into blocks are halves, as llama.cpp's tools have it. */
function writable(dtype: MatrixDtype, shape: readonly number[]): WritableDtype {
  if (dtype === 'I16') throw new ConfigError('GGUF has no 12-bit integers (q12); write f32, f16 or q8')
  if (dtype !== 'I8') return dtype
  return (shape.at(-1) ?? 1) % BLOCK === 0 ? 'Q8_0' : 'F16'
}

function narrowed(dtype: WritableDtype, values: Float32Array): ArrayBufferView {
  if (dtype === 'F32') return values
  return dtype === 'F16' ? narrowF16(values) : narrowQ80(values)
}
