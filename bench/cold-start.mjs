// Times a whole process from its start: the built package, the default model, one second of audio. Prints one JSON object.
const { loadTokenizer } = await import('../dist/index.js')
const importedMs = performance.now()
const tokenizer = await loadTokenizer()
const loadedMs = performance.now()
const samples = Float32Array.from({ length: 24_000 }, (_, i) => 0.3 * Math.sin(i / 20))
await tokenizer.encode(samples)
console.log(
  JSON.stringify({ importedMs, coreMs: loadedMs - importedMs, loadedMs, firstTokenMs: performance.now() }),
)
