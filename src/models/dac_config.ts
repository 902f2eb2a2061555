// Hyper-parameters of DAC and SNAC checkpoints, inferred from names and shapes.
import type { TensorSource } from '../checkpoints/source.js'
import { type RenameRule, renamed } from '../checkpoints/views.js'
import { weightShape } from '../checkpoints/weights.js'
import { CheckpointError, ConfigError } from '../errors.js'
import type { DacShape, FvqShape } from './dac_layers.js'

export type Half = 'encoder' | 'decoder'

/** What the tensors of either family tell. */
export type DacTensors = Omit<DacShape, 'attentionWindow' | 'wholeStrides'> &
  Omit<FvqShape, 'strides'> & { hopLength: number; hasAttention: boolean }

/** The half that a tensor belongs to; neither: the quantizer, which both need. */
export function halfOf(name: string): Half | undefined {
  return (['encoder', 'decoder'] as const).find(half => name.startsWith(`${half}.`))
}

/** transformers' names become those of DAC's own modules. */
export function canonicalNames(source: TensorSource): TensorSource {
  const count = (pattern: RegExp) => source.names().filter(name => pattern.test(name)).length
  const last = 1 + count(/^encoder\.block\.\d+\.conv1\.bias$/)
  const lastDecoder = 1 + count(/^decoder\.block\.\d+\.conv_t1\.bias$/)
  return last + lastDecoder > 2 ? renamed(source, fromTransformers(last, lastDecoder)) : source
}

/** Modules are counted from 1 there, and from 0 within a unit here: x becomes what `UNIT` says. */
function fromTransformers(last: number, lastDecoder: number): RenameRule[] {
  const rules: RenameRule[] = [
    [/^encoder\.snake1\./, `encoder.block.${last}.`],
    [/^encoder\.conv2\./, `encoder.block.${last + 1}.`],
    [/^decoder\.snake1\./, `decoder.model.${lastDecoder}.`],
    [/^decoder\.conv2\./, `decoder.model.${lastDecoder + 1}.`],
  ]
  const unit = (from: string, to: string) =>
    rules.push(
      [new RegExp(`^${from}\\.snake1\\.`), `${to}.block.0.`],
      [new RegExp(`^${from}\\.conv1\\.`), `${to}.block.1.`],
      [new RegExp(`^${from}\\.snake2\\.`), `${to}.block.2.`],
      [new RegExp(`^${from}\\.conv2\\.`), `${to}.block.3.`],
    )
  // from the last block down, so that no new name is taken for an old one
  for (let block = last - 2; block >= 0; block--) {
    const [from, to] = [`encoder\\.block\\.${block}`, `encoder.block.${block + 1}.block`]
    for (const i of [0, 1, 2]) unit(`${from}\\.res_unit${i + 1}`, `${to}.${i}`)
    rules.push([new RegExp(`^${from}\\.snake1\\.`), `${to}.3.`])
    rules.push([new RegExp(`^${from}\\.conv1\\.`), `${to}.4.`])
  }
  for (let block = 0; block < lastDecoder - 1; block++) {
    const [from, to] = [`decoder\\.block\\.${block}`, `decoder.model.${block + 1}.block`]
    for (const i of [0, 1, 2]) unit(`${from}\\.res_unit${i + 1}`, `${to}.${i + 2}`)
    rules.push([new RegExp(`^${from}\\.snake1\\.`), `${to}.0.`])
    rules.push([new RegExp(`^${from}\\.conv_t1\\.`), `${to}.1.`])
  }
  rules.push([/^encoder\.conv1\./, 'encoder.block.0.'], [/^decoder\.conv1\./, 'decoder.model.0.'])
  return rules
}

/** Reads what canonically named tensors tell. @throws CheckpointError where they cannot be of either family */
export function readTensors(source: TensorSource): DacTensors {
  const ratios = hasEncoder(source)
    ? stridesOf(source, block => `encoder.block.${block}.block.4`)
    : stridesOf(source, block => `decoder.model.${block + decoderStart(source)}.block.1`).toReversed()
  if (ratios.length === 0 || !ratios.every(Number.isInteger))
    throw new CheckpointError(
      `strides ${ratios.join(', ') || 'none'} found; expected kernels of twice an integer stride`,
    )
  const [codebookSize, codeDim] = tensorShape(source, 'quantizer.quantizers.0.codebook.weight', 2)
  const dimension = shapeOf(source, 'quantizer.quantizers.0.in_proj')[1]
  const unit = hasEncoder(source) ? 'encoder.block.1.block.0' : lastUnit(source, ratios.length)
  const [channels, inputs] = shapeOf(source, `${unit}.block.1`)
  const doubled = 2 ** ratios.length
  return {
    ratios,
    dimension,
    depthwise: inputs === 1 && channels > 1,
    filters: hasEncoder(source) ? shapeOf(source, 'encoder.block.0')[0] : dimension / doubled,
    decoderFilters: hasDecoder(source)
      ? shapeOf(source, `decoder.model.${decoderStart(source) + 1}.block.1`)[0]
      : dimension,
    lastKernel: hasEncoder(source) ? lastKernel(source) : KERNEL_OF_NONE,
    hopLength: ratios.reduce((product, ratio) => product * ratio, 1),
    hasAttention: source.names().some(name => name.endsWith('.to_qkv.weight')),
    codebooks: source.names().filter(name => /^quantizer\.quantizers\.\d+\.codebook\.weight$/.test(name))
      .length,
    codebookSize,
    codeDim,
  }
}

const KERNEL_OF_NONE = 1

export function hasEncoder(source: TensorSource): boolean {
  return source.has('encoder.block.0.bias')
}

export function hasDecoder(source: TensorSource): boolean {
  return source.has('decoder.model.0.bias')
}

/** @throws ConfigError where neither the configuration nor what is known of published models says it */
export function knownRate(given: number | undefined, published: number | undefined): number {
  const rate = given ?? published
  if (rate === undefined)
    throw new ConfigError(
      'the tensors do not tell the sample rate, and no published model is like them; pass the config.json beside them as `config`',
    )
  if (!Number.isInteger(rate))
    throw new ConfigError(`the sample rate is ${rate}; expected a whole number of Hz`)
  return rate
}

/** Modules in front of the decoder's first block, less one. */
function decoderStart(source: TensorSource): number {
  for (let index = 1; index < 4; index++)
    if (source.has(`decoder.model.${index}.block.0.alpha`)) return index - 1
  return 0
}

function lastUnit(source: TensorSource, blocks: number): string {
  const block = `decoder.model.${decoderStart(source) + blocks}.block`
  return `${block}.4`
}

/** Half the kernels of the convolutions that blocks 1, 2 ... have under that name. */
function stridesOf(source: TensorSource, name: (block: number) => string): number[] {
  const strides: number[] = []
  for (let block = 1; weightShape(source, name(block)); block++)
    strides.push(shapeOf(source, name(block))[2] / 2)
  return strides
}

function lastKernel(source: TensorSource): number {
  const indices = source.names().flatMap(name => /^encoder\.block\.(\d+)\.bias$/.exec(name)?.[1] ?? [])
  return shapeOf(source, `encoder.block.${Math.max(...indices.map(Number))}`)[2]
}

function shapeOf(source: TensorSource, layer: string): readonly number[] {
  return ranked(`${layer}.weight`, weightShape(source, layer), 3)
}

function tensorShape(source: TensorSource, name: string, rank: number): readonly number[] {
  return ranked(name, source.has(name) ? source.info(name).shape : undefined, rank)
}

function ranked(name: string, shape: readonly number[] | undefined, rank: number): readonly number[] {
  if (!shape) throw new CheckpointError(`tensor ${name} is missing; this is no complete checkpoint`)
  if (shape.length === rank) return shape
  throw new CheckpointError(`tensor ${name} has shape [${shape.join(', ')}]; expected ${rank} dimensions`)
}
