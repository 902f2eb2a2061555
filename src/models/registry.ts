// The families this library knows, in the order in which they are recognised.
import type { Region } from '../../bindings/memory.js'
import type { TensorSource } from '../checkpoints/source.js'
import { ConfigError } from '../errors.js'
import type { Model } from './model.js'
import { loadWavTokenizer } from './wavtokenizer.js'
import { isWavTokenizer } from './wavtokenizer_config.js'

interface Family {
  /** True if these tensors are this family's. */
  recognises(source: TensorSource): boolean
  /** Copies the weights into `region`. */
  load(region: Region, source: TensorSource, config?: string): Promise<Model>
}

const FAMILIES: Readonly<Record<string, Family>> = {
  wavtokenizer: { recognises: isWavTokenizer, load: loadWavTokenizer },
}

/** Loads the family named, or the one the tensors belong to. `config`: a configuration file's text, where the family has one. */
export function loadModel(region: Region, source: TensorSource, name?: string, config?: string): Promise<Model> {
  const known = Object.keys(FAMILIES).join(', ')
  if (name !== undefined && !Object.hasOwn(FAMILIES, name))
    throw new ConfigError(`unknown model family '${name}'; this version knows ${known}`)
  const family = name === undefined ? Object.values(FAMILIES).find(one => one.recognises(source)) : FAMILIES[name]
  if (family) return family.load(region, source, config)
  const names = source.names()
  throw new ConfigError(
    `the tensors belong to no known model family (${known}): found ${names.length}, such as ${names.slice(0, 4).join(', ')}`,
  )
}
