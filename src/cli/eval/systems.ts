import { basename, extname } from 'node:path'
import type { LoadOptions } from '../../index.js'
import { type Arguments, choose, modelFiles } from '../arguments.js'
import { UsageError } from '../environment.js'

type Dtype = NonNullable<LoadOptions['dtype']>
const DTYPES: readonly Dtype[] = ['f32', 'f16', 'q12', 'q8']
const DEFAULT = 'default'

/** One of the things that are compared: a model at one number of codebooks. */
export interface System {
  /** Tells it from the others. */
  readonly label: string
  /** Undefined: the default model. */
  readonly files?: readonly string[]
  readonly dtype?: Dtype
  /** Undefined: all. */
  readonly codebooks?: number
}

/**
 * What --model, --dtype, --codebooks and every --beside name, each number of codebooks on its own; the first is the one that the
 * others are compared with.
 *
 * @throws UsageError
 */
export function systemsOf(args: Arguments): System[] {
  const dtype = args.dtype === undefined ? undefined : choose('dtype', args.dtype, DTYPES, 'f32')
  const counts = args.codebooks === undefined ? undefined : countsOf(args.codebooks, '--codebooks')
  const systems = [
    ...spread({ files: modelFiles(args), dtype }, counts),
    ...(args.beside ?? []).flatMap(besideOf),
  ]
  const labels = new Set<string>()
  for (const { label } of systems) {
    if (labels.has(label))
      throw new UsageError(`'${label}' would be compared with itself; name=... tells models apart`)
    labels.add(label)
  }
  return systems
}

/** The same files and dtype: one tokenizer serves both. */
export function modelKey({ files, dtype }: System): string {
  return JSON.stringify([files, dtype])
}

/** `model.ckpt,config.yaml,codebooks=1,2,4,dtype=q8,name=mine` */
function besideOf(text: string): System[] {
  const settings = new Map<string, string>()
  const files: string[] = []
  let last: string | undefined
  for (const part of text.split(',')) {
    const [, key, value] = /^(codebooks|dtype|name)=(.*)$/.exec(part) ?? []
    if (key) settings.set(key, value)
    else if (last === 'codebooks' && /^\d+$/.test(part)) settings.set(last, `${settings.get(last)},${part}`)
    else if (part !== '') files.push(part)
    last = key ?? (last === 'codebooks' && /^\d+$/.test(part) ? last : undefined)
  }
  if (files.length === 0)
    throw new UsageError(`--beside is '${text}', expected a checkpoint, or '${DEFAULT}', first`)
  const isDefault = files.length === 1 && files[0] === DEFAULT
  const dtype = settings.get('dtype')
  const counts = settings.get('codebooks')
  return spread(
    {
      files: isDefault ? undefined : files,
      dtype: dtype === undefined ? undefined : choose('dtype', dtype, DTYPES, 'f32'),
    },
    counts === undefined ? undefined : countsOf(counts, 'codebooks='),
    settings.get('name'),
  )
}

function spread(
  model: Pick<System, 'files' | 'dtype'>,
  counts: readonly number[] | undefined,
  name?: string,
): System[] {
  const [file] = model.files ?? []
  const stem = name ?? (file === undefined ? DEFAULT : basename(file, extname(file)))
  const label = model.dtype === undefined || name !== undefined ? stem : `${stem}, ${model.dtype}`
  if (!counts) return [{ ...model, label }]
  return counts.map(codebooks => ({
    ...model,
    codebooks,
    label: `${label}, ${codebooks} codebook${codebooks === 1 ? '' : 's'}`,
  }))
}

function countsOf(text: string, option: string): number[] {
  const counts = text.split(',')
  if (counts.every(count => /^[1-9]\d*$/.test(count))) return counts.map(Number)
  throw new UsageError(`${option} is '${text}', expected numbers from 1 up, such as 1,2,4`)
}
