import { AbortError, DisposedError, throwIfAborted, WavtokError } from './errors.js'
import type { RunOptions } from './schedule.js'

/** Runs one call per clip; errors say which clip, progress is the share of all. */
export async function inTurn<Clip, Options extends RunOptions, Result>(
  clips: Iterable<Clip>,
  options: Options,
  run: (clip: Clip, options: Options) => Promise<Result>,
): Promise<Result[]> {
  const all = [...clips]
  const results: Result[] = []
  throwIfAborted(options.signal)
  for (const [index, clip] of all.entries()) {
    const onProgress: RunOptions['onProgress'] = ({ phase, loaded, total = 1 }) =>
      options.onProgress?.({ phase, loaded: (index + loaded / total) / all.length, total: 1 })
    try {
      results.push(await run(clip, { ...options, onProgress }))
    } catch (error) {
      const isOfClip =
        error instanceof WavtokError && !(error instanceof AbortError || error instanceof DisposedError)
      if (isOfClip) error.message = `clip ${index}: ${error.message}`
      throw error
    }
  }
  return results
}
