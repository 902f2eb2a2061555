import { type TensorData, writeSafetensors } from '../checkpoints/safetensors.js'
import type { TensorSource } from '../checkpoints/source.js'
import { ConfigError } from '../errors.js'
import type { QuantizerSpec } from './spec.js'

/** What stands in the JSON where the spec has an array of values. */
interface TensorReference {
  readonly tensor: string
}

const KINDS: readonly QuantizerSpec['kind'][] = [
  'codebook',
  'projected',
  'residual',
  'parallel',
  'grouped',
  'fsq',
  'mvq',
]

/** A safetensors file: arrays as tensors named by their path (`quantizers.0.codebook`), everything else in metadata.quantizer. */
export function quantizerToSafetensors(spec: QuantizerSpec): Uint8Array<ArrayBuffer> {
  const tensors: Record<string, TensorData> = {}
  const shown = (value: unknown, path: readonly string[]): unknown => {
    if (value instanceof Float32Array) {
      const name = path.join('.')
      tensors[name] = { dtype: 'F32', shape: [value.length], data: value }
      return { tensor: name } satisfies TensorReference
    }
    if (Array.isArray(value)) return value.map((each, i) => shown(each, [...path, String(i)]))
    if (value === null || typeof value !== 'object') return value
    const copy = Object.entries(value).map(([key, each]) => [
      key,
      shown(each, key === 'data' ? path : [...path, key]),
    ])
    const { rows, columns } = value as { rows?: number; columns?: number }
    if ('data' in value && rows !== undefined && columns !== undefined)
      tensors[path.join('.')] = { ...tensors[path.join('.')], shape: [rows, columns] }
    return Object.fromEntries(copy)
  }
  return writeSafetensors(tensors, { quantizer: JSON.stringify(shown(spec, [])) })
}

/** The spec again. Throws ConfigError for JSON that describes none, CheckpointError for tensors that are missing. */
export async function quantizerFromTensors(text: string, tensors: TensorSource): Promise<QuantizerSpec> {
  const restored = async (value: unknown): Promise<unknown> => {
    if (Array.isArray(value)) return Promise.all(value.map(restored))
    if (value === null || typeof value !== 'object') return value
    const { tensor } = value as Partial<TensorReference>
    if (typeof tensor === 'string') return tensors.read(tensor)
    const entries = Object.entries(value).map(async ([key, each]) => [key, await restored(each)])
    return Object.fromEntries(await Promise.all(entries))
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new ConfigError('the description of the quantizer is not JSON', { cause: error })
  }
  checkKinds(parsed)
  return (await restored(parsed)) as QuantizerSpec
}

function checkKinds(value: unknown): void {
  const { kind, quantizer, quantizers } = (value ?? {}) as Record<string, unknown>
  if (!KINDS.includes(kind as QuantizerSpec['kind']))
    throw new ConfigError(`a quantizer of kind '${kind}'; known are ${KINDS.join(', ')}`)
  if (kind === 'projected') checkKinds(quantizer)
  if (!['residual', 'parallel', 'grouped'].includes(kind as string)) return
  if (!Array.isArray(quantizers))
    throw new ConfigError(`a quantizer of kind '${kind}' without its quantizers`)
  for (const each of quantizers) checkKinds(each)
}
