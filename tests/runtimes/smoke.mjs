// The smoke program: load, encode, decode, hash. The same file runs in every runtime, and each step is timed by whoever has a clock
// (workerd's stands still while a request computes).

/** One step per call. `library` is the package's namespace, `options.model` what `loadTokenizer` takes (undefined: the default). */
export function smokeSteps(library, { model, deterministic }) {
  let tokenizer
  let tokens
  return {
    async load() {
      tokenizer = await library.loadTokenizer(model, { deterministic })
      const { build, memoryBytes, family } = tokenizer.info
      return { build, memoryBytes, family }
    },
    async encode(wav) {
      tokens = await tokenizer.encode(wav)
      const [codes] = tokens.codes
      return { codes: Array.from(codes), seconds: tokens.duration, hash: await sha256(codes) }
    },
    async decode() {
      const { samples } = await tokenizer.decode(tokens)
      return { samples: samples.length, hash: await sha256(samples) }
    },
  }
}

/**
 * The whole program where performance.now() works: every step's result with its milliseconds. Encoding and decoding run twice and
 * the second run is timed, so that the engine's compiler is not what is measured; `load` has the import of the package in it.
 */
export function runSmoke(importLibrary, { model, wav, deterministic }) {
  let steps
  return timedSmoke(async (name, input) => {
    steps ??= smokeSteps(await importLibrary(), { model, deterministic })
    return steps[name](input)
  }, wav)
}

/** Takes the time of `step(name, input)`. */
export async function timedSmoke(step, wav) {
  const timed = async (name, input) => {
    const start = performance.now()
    const result = await step(name, input)
    return { ...result, ms: performance.now() - start }
  }
  const load = await timed('load')
  await step('encode', wav)
  const encode = await timed('encode', wav)
  await step('decode')
  return { load, encode, decode: await timed('decode') }
}

/** SHA-256 of an array's bytes, in hexadecimal. */
async function sha256(array) {
  const digest = await crypto.subtle.digest('SHA-256', array)
  return Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, '0')).join('')
}
