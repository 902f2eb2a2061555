// Several files, or other names, behind the same TensorSource face.
import { CheckpointError } from '../errors.js'
import type { TensorSource } from './source.js'

/** A prefix, or everything a pattern matches, and what replaces it ($1 ... refer to the pattern's groups). */
export type RenameRule = readonly [from: string | RegExp, to: string]

/**
 * The same tensors under other names: every rule is applied to every name, in order.
 * @throws CheckpointError if two tensors end up with one name.
 */
export function renamed(source: TensorSource, rules: readonly RenameRule[]): TensorSource {
  const originals = new Map<string, string>()
  for (const original of source.names()) {
    const name = rules.reduce(applyRule, original)
    const other = originals.get(name)
    if (other !== undefined) throw new CheckpointError(`'${other}' and '${original}' are both '${name}' here`)
    originals.set(name, original)
  }
  const original = (name: string) => {
    const found = originals.get(name)
    if (found === undefined) throw new CheckpointError(`there is no tensor '${name}' (after renaming)`)
    return found
  }
  return {
    metadata: source.metadata,
    names: () => [...originals.keys()],
    has: name => originals.has(name),
    info: name => source.info(original(name)),
    read: async name => source.read(original(name)),
    readInto: async (name, target) => source.readInto(original(name), target),
    close: () => source.close(),
  }
}

function applyRule(name: string, [from, to]: RenameRule): string {
  if (from instanceof RegExp) return name.replace(from, to)
  return name.startsWith(from) ? to + name.slice(from.length) : name
}

/**
 * The tensors of several files as one source, as with sharded or split checkpoints.
 * @throws CheckpointError if a name occurs in two files.
 */
export function merged(sources: readonly TensorSource[]): TensorSource {
  if (sources.length === 1) return sources[0]
  const owners = new Map<string, TensorSource>()
  for (const source of sources) {
    for (const name of source.names()) {
      if (owners.has(name))
        throw new CheckpointError(`two of the files have a tensor '${name}'; pass the files of one model`)
      owners.set(name, source)
    }
  }
  const owner = (name: string) => {
    const found = owners.get(name)
    if (!found) throw new CheckpointError(`there is no tensor '${name}' in these ${sources.length} files`)
    return found
  }
  return {
    metadata: Object.assign({}, ...sources.map(source => source.metadata)),
    names: () => [...owners.keys()],
    has: name => owners.has(name),
    info: name => owner(name).info(name),
    read: async name => owner(name).read(name),
    readInto: async (name, target) => owner(name).readInto(name, target),
    async close() {
      await Promise.all(sources.map(source => source.close()))
    },
  }
}
