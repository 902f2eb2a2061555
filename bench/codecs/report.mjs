// Numbers out of runs of codecs: minima of CPU time, ratios, one JSON file a day with an entry per codec.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'

const RESULTS = new URL('../results/', import.meta.url)

export function environment(cores) {
  return {
    date: new Date().toISOString(),
    machine: {
      cpu: os.cpus()[0]?.model.trim(),
      cores: os.availableParallelism(),
      pinnedTo: cores,
      loadAverage: Number(os.loadavg()[0].toFixed(2)),
    },
  }
}

/** `results` as the engines printed them: ours, the peer, ours in q8. Ratios: the peer's CPU time to ours, of minima and per round. */
export function summary(results, seconds) {
  const [ours, peer, q8] = results
  return {
    seconds: round(seconds, 3),
    engines: results.map(({ evidence: _, runs, ...engine }) => ({
      ...engine,
      wallMs: runs,
      minCpuMs: Math.min(...engine.cpuMs),
      ofRealTime: round(Math.min(...engine.cpuMs) / 1000 / seconds, 4),
    })),
    ratios: { f32: ratios(ours, peer), q8: ratios(q8, peer) },
  }
}

function ratios(ours, peer) {
  const perRound = ours.cpuMs.map((ms, i) => round(peer.cpuMs[i] / ms, 3))
  const median = perRound.toSorted((a, b) => a - b)[perRound.length >> 1]
  return { minima: round(Math.min(...peer.cpuMs) / Math.min(...ours.cpuMs), 3), median, perRound }
}

/** Replaces the codec's entry in the day's file. */
export function saveCodec(codec) {
  mkdirSync(RESULTS, { recursive: true })
  const file = fileURLToPath(new URL(`codecs-${codec.date.slice(0, 10)}.json`, RESULTS))
  const earlier = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  writeFileSync(`${file}.partial`, `${JSON.stringify({ ...earlier, [codec.about.name]: codec }, null, 1)}\n`)
  renameSync(`${file}.partial`, file)
  return file
}

export function printCodec({ about, files, ...codec }) {
  const mb = bytes => (bytes / 1e6).toFixed(0)
  console.log(
    `\n${about.name}: ${about.codebooks} codebooks; files, MB: f32 ${mb(files.f32)}, q8 ${mb(files.q8)}, ONNX ${mb(files.onnx)}`,
  )
  for (const task of about.tasks) {
    const { engines, ratios, agreement, seconds } = codec[task]
    console.log(`${task} of ${seconds} s (${JSON.stringify(agreement)})`)
    console.table(
      Object.fromEntries(
        engines.map(({ engine, version, dtype, ofRealTime, minCpuMs, heapMB, peakRssMB }) => [
          `${engine} ${version} ${dtype}`,
          { 'CPU / real time': ofRealTime, 'CPU ms': minCpuMs, 'heap MB': heapMB, 'RSS MB': peakRssMB },
        ]),
      ),
    )
    console.log(
      `CPU time, peer to wavtok: f32 ${ratios.f32.minima} (rounds ${ratios.f32.perRound.join(' ')}), q8 ${ratios.q8.minima}`,
    )
  }
}

function round(value, digits) {
  return Number(value.toFixed(digits))
}
