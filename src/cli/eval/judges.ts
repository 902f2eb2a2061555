import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { resample } from '../../audio/index.js'
import type { ClipMetric, NamedMetric, PairMetric, Samples } from '../../metrics/index.js'
import { UsageError } from '../environment.js'
import { dnsmosMetrics } from './dnsmos.js'
import { isKnownMeasure, type Measures } from './measures.js'
import type { Original } from './original.js'

/** A recogniser: samples (mono) and their rate in Hz to what was said. */
export type Transcribe = (
  samples: Samples,
  sampleRate: number,
  clip: { readonly input: string; readonly language?: string },
) => string | Promise<string>

/** What judges clips with a model of its own. */
export interface Judges {
  readonly metrics: readonly NamedMetric[]
  readonly transcribe?: Transcribe
}

/** Where judges come from. */
export interface JudgeFiles {
  /** ES modules that export `metrics`, `transcribe` or both. */
  readonly modules: readonly string[]
  /** DNSMOS' ONNX file. */
  readonly dnsmos?: string
}

/** @throws UsageError for a module that cannot be loaded or exports nothing of use, and for names that are taken */
export async function loadJudges({ modules, dnsmos }: JudgeFiles): Promise<Judges> {
  const judges = await Promise.all(modules.map(loadModule))
  const metrics = [
    ...(dnsmos === undefined ? [] : await dnsmosMetrics(dnsmos)),
    ...judges.flatMap(({ metrics }) => metrics),
  ]
  const names = new Set<string>()
  for (const { name } of metrics) {
    if (isKnownMeasure(name) || names.has(name))
      throw new UsageError(`a judge's metric is named '${name}', which is taken`)
    names.add(name)
  }
  const ears = judges.flatMap(({ transcribe }) => transcribe ?? [])
  if (ears.length > 1)
    throw new UsageError('more than one judge exports `transcribe`; one recogniser counts the words')
  return { metrics, transcribe: ears[0] }
}

async function loadModule(path: string): Promise<Judges> {
  let module: { metrics?: unknown; transcribe?: unknown }
  try {
    module = await import(pathToFileURL(resolve(path)).href)
  } catch (cause) {
    throw new UsageError(`the judge ${path} cannot be loaded: ${(cause as Error).message}`, { cause })
  }
  const { metrics = [], transcribe } = module
  if (!Array.isArray(metrics) || !metrics.every(isMetric))
    throw new UsageError(
      `the judge ${path} exports metrics that are not a list of { name, higherIsBetter, needs: 'clip' or 'pair', measure }`,
    )
  if (transcribe !== undefined && typeof transcribe !== 'function')
    throw new UsageError(`the judge ${path} exports a transcribe that is no function`)
  if (metrics.length === 0 && !transcribe)
    throw new UsageError(`the judge ${path} exports neither metrics nor transcribe`)
  return { metrics, transcribe: transcribe as Transcribe | undefined }
}

function isMetric(value: unknown): value is NamedMetric {
  const { name, higherIsBetter, needs, measure } = (value ?? {}) as Partial<NamedMetric>
  return (
    typeof name === 'string' &&
    typeof higherIsBetter === 'boolean' &&
    (needs === 'clip' || needs === 'pair') &&
    typeof measure === 'function'
  )
}

/** What every metric says of a decoded clip. */
export async function judge(
  metrics: readonly NamedMetric[],
  original: Original,
  decoded: Float32Array,
  sampleRate: number,
): Promise<Measures> {
  const values: Record<string, number | null> = {}
  for (const metric of metrics) {
    const rate = metric.sampleRate ?? sampleRate
    const heard = resample(decoded, sampleRate, rate)
    const value =
      metric.needs === 'pair'
        ? await (metric.measure as PairMetric)(original.at(rate), heard, rate)
        : await (metric.measure as ClipMetric)(heard, rate)
    values[metric.name] = Number.isFinite(value) ? value : null
  }
  return values
}
