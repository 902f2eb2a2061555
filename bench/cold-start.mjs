// Times a whole process from its start: the built package, the encoder of the default model, one second of audio. Prints one JSON
// object: milliseconds until our first line, and of each step behind it.
const bootMs = performance.now()
const { loadTokenizer } = await import('../dist/index.js')
const imported = performance.now()
const tokenizer = await loadTokenizer(undefined, { parts: 'encoder' })
const loaded = performance.now()
await tokenizer.encode(Float32Array.from({ length: 24_000 }, (_, i) => 0.3 * Math.sin(i / 20)))
const firstTokenMs = performance.now()
console.log(
  JSON.stringify({
    bootMs,
    importMs: imported - bootMs,
    loadMs: loaded - imported,
    encodeMs: firstTokenMs - loaded,
    firstTokenMs,
  }),
)
