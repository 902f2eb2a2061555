// `npm run bench:report`: docs/performance.md and the table in README.md, from what the benchmarks left in bench/results/.
import { readFileSync, writeFileSync } from 'node:fs'
import {
  type Comparison,
  comparisons,
  type RunResult,
  runResults,
  type Share,
  sizeResult,
} from './results.js'

const ROOT = new URL('../', import.meta.url)
const MIB = 2 ** 20

type Cell = string | number

function table(head: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`
const times = (ratio: number) => `${ratio.toFixed(2)}x`
const ms = (value: number) => `${value.toFixed(0)} ms`
const day = (date: string) => date.slice(0, 10)

function shares(parts: readonly Share[], { peakGflops }: RunResult): string {
  const total = parts.reduce((sum, { realTimeFactor }) => sum + realTimeFactor, 0)
  const percent = (value: number) => `${(100 * value).toFixed(0)} %`
  return table(
    ['', 'real-time factor', 'share', 'GFLOP/s', 'of peak'],
    parts.map(({ name, realTimeFactor, gflops }) => [
      name,
      realTimeFactor.toFixed(4),
      percent(realTimeFactor / total),
      gflops ? gflops.toFixed(1) : '',
      gflops ? percent(gflops / peakGflops) : '',
    ]),
  )
}

const LEAST_SHARE = 0.05

/** Kernels that take more than a twentieth of a task, beside what the machine allows them. */
function rooflines(result: RunResult): string[] {
  const { peakGflops, peakIntegerGops, readGBs, encode, decode, decodeQ8 } = result
  if (!peakIntegerGops || !readGBs || !decodeQ8) return []
  const reading = readGBs['4 MiB']
  const limits: Record<string, [gflops: number, what: string]> = {
    matmulF32: [peakGflops, `multiply, add: ${peakGflops.toFixed(1)} GFLOP/s`],
    matmulInteger: [peakIntegerGops, `int16 products, added: ${peakIntegerGops.toFixed(0)} Gop/s`],
    // two operations for each weight of four bytes
    lstmF32: [reading / 2, `reading 4 MiB of weights at each step: ${reading.toFixed(0)} GB/s`],
  }
  const rows = Object.entries({ encode, decode, 'decode q8': decodeQ8 }).flatMap(([task, { kernels }]) => {
    const total = kernels.reduce((sum, { realTimeFactor }) => sum + realTimeFactor, 0)
    return kernels
      .filter(({ realTimeFactor }) => realTimeFactor >= LEAST_SHARE * total)
      .map(({ name, realTimeFactor, gflops }) => {
        const [limit, what] = limits[name] ?? [Number.NaN, 'not counted']
        const share = `${((100 * realTimeFactor) / total).toFixed(0)} %`
        return [task, name, share, gflops.toFixed(1), what, `${((100 * gflops) / limit).toFixed(0)} %`]
      })
  })
  return [
    `### Kernels above 5 % of a task, and their limits\n\nLimits are measured in WebAssembly in the same run; reading 512 KiB again and again: ${readGBs['512 KiB'].toFixed(0)} GB/s. Products include their activation (GELU, ELU).`,
    table(['task', 'kernel', 'of its time', 'Gop/s', 'limit', 'of the limit'], rows),
  ]
}

function peers(all: readonly Comparison[]): string {
  const rows = all.map(({ name, node, seconds, engines: [ours, peer], ratios }) => [
    `${name}, ${seconds} s`,
    node,
    ms(ours.minCpuMs),
    `${ms(peer.minCpuMs)} (${peer.version})`,
    times(ratios.minimaCpu),
    times(ratios.medianPerRound),
    `${ours.heapMB.toFixed(0)} / ${peer.heapMB.toFixed(0)} MiB`,
  ])
  return table(
    [
      '',
      'Node',
      'wavtok, CPU',
      'onnxruntime-web, CPU',
      'ratio, CPU',
      'ratio, wall, median',
      'WebAssembly memory',
    ],
    rows,
  )
}

function coldStarts(all: readonly Comparison[]): string {
  const rows = all.flatMap(({ name, node, cold }) =>
    cold ? [[name, node, ...cold.ms.map(ms), times(cold.ratio), times(cold.cpuMs[1] / cold.cpuMs[0])]] : [],
  )
  return table(['', 'Node', 'wavtok', 'onnxruntime-web', 'ratio', 'ratio, CPU until the result'], rows)
}

function sizes(): string {
  const result = sizeResult()
  if (!result) return 'Not measured: `node bench/peers/sizes.mjs`.'
  const kb = (bytes: number) => (bytes / 1000).toFixed(1)
  const rows = result.packages.flatMap(({ name, installed, files }) =>
    files.map((file, i) => [
      i === 0 ? name : '',
      i === 0 ? `${(installed / 1e6).toFixed(1)} MB` : '',
      file.name,
      ...[file.raw, file.gzip, file.brotli].map(kb),
    ]),
  )
  return table(['package', 'installed', 'what a page loads', 'raw, kB', 'gzip', 'brotli'], rows)
}

function run(result: RunResult): string {
  const { lengths = [], coldStart, memory } = result
  const about = `${result.machine}, Node ${result.node}, ${result.build} build, one thread, ${day(result.date)}. Peak of four-lane multiply and add: ${result.peakGflops.toFixed(1)} GFLOP/s.`
  const costs = lengths.map(({ task, seconds, realTimeFactor, bytes }) => [
    task,
    `${seconds} s`,
    realTimeFactor.toFixed(4),
    mib(bytes),
  ])
  return [
    `## Where the time goes: WavTokenizer at ${result.variant} tokens/s, f32, ${result.seconds} s\n\n${about}`,
    ...rooflines(result),
    'A kernel with no arithmetic counted is judged by its share.',
    ...(['encode', 'decode'] as const).flatMap(task => [
      `### ${task}`,
      shares(result[task].stages, result),
      shares(result[task].kernels, result),
    ]),
    '### The matrix product by shape',
    table(
      ['rows x K x columns', 'GFLOP/s', 'of peak'],
      result.matmul.map(({ shape, gflops }) => [
        shape,
        gflops.toFixed(1),
        `${((100 * gflops) / result.peakGflops).toFixed(0)} %`,
      ]),
    ),
    `### Memory and length of clip\n\nWeights: ${mib(memory.weights)}. Beyond them: encode ${mib(memory.encode)}, decode ${mib(memory.decode)}.`,
    ...(costs.length ? [table(['', 'clip', 'real-time factor', 'memory beyond the weights'], costs)] : []),
    ...(result.threads
      ? [
          '### Threads, results identical\n\nWall clock, which other work on the same cores lengthens, unlike the CPU times above.',
          table(
            ['threads', 'encode', 'decode', 'sooner'],
            result.threads.map(({ threads, encode, decode }, _, [one]) => [
              threads,
              encode.toFixed(4),
              decode.toFixed(4),
              `${times(one.encode / encode)} / ${times(one.decode / decode)}`,
            ]),
          ),
        ]
      : []),
    `### Start\n\nCore compiled and instantiated in ${result.coreMs.toFixed(1)} ms. Default model, process start to the tokens of 1 s: ${ms(coldStart.firstTokenMs)} (Node itself ${ms(coldStart.bootMs)}, import ${ms(coldStart.importMs)}, load ${ms(coldStart.loadMs)}, encode ${ms(coldStart.encodeMs)}).`,
  ].join('\n\n')
}

function document(all: readonly Comparison[]): string {
  const [first] = all
  const machine = first
    ? `${first.cpu}, ${first.threads} thread, ${day(first.date)}; load average of the shared machine up to ${Math.max(...all.map(({ load }) => load)).toFixed(0)}, so CPU time is the steadier ratio.`
    : ''
  return `${[
    '# Performance\n\nGenerated by `npm run bench:report` from `bench/results/`. Real-time factor: seconds of compute per second of audio.',
    `## Beside onnxruntime-web\n\nThe same weights and inputs, engines taking turns on one core (\`npm run bench:peers\`). ${machine}\nIts fastest configuration: graphs optimised ahead, weights in a second file; q8 against its products in int8 (with convolutions in int8 as well it is slower).\nOurs ends in audio, its decode in the spectrum.`,
    peers(all),
    '### Start: one process, spawn to exit, with the tokens or the audio of 1 s',
    coldStarts(all),
    '## Size',
    sizes(),
    ...runResults().map(run),
  ].join('\n\n')}\n`
}

function readmeTable(all: readonly Comparison[]): string {
  return table(
    ['', 'wavtok', 'onnxruntime-web', 'ratio'],
    all.map(({ name, node, engines: [ours, peer], ratios }) => [
      `${name}, CPU, Node ${node.slice(1).split('.')[0]}`,
      ms(ours.minCpuMs),
      ms(peer.minCpuMs),
      times(ratios.minimaCpu),
    ]),
  )
}

const all = comparisons()
writeFileSync(new URL('docs/performance.md', ROOT), document(all))
const readme = new URL('README.md', ROOT)
const text = readFileSync(readme, 'utf8')
const marked = /(<!-- performance -->\n)[\s\S]*?(\n<!-- \/performance -->)/
if (!marked.test(text)) throw new Error('README.md has no <!-- performance --> block to fill')
writeFileSync(
  readme,
  text.replace(marked, (_, open, close) => `${open}${readmeTable(all)}${close}`),
)
