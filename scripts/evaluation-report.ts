// Writes docs/evaluation.md from a report of `wavtok eval`:
//
//   npx wavtok eval CLIPS --beside default,dtype=q8 --rounds 4 -o report.json && npm run docs:evaluation -- report.json
import { readFileSync, writeFileSync } from 'node:fs'
import { showDifference, showMean } from '../src/cli/eval/show.js'
import type { Report, Summary } from '../src/cli/eval/summary.js'
import { table } from './models-doc/table.js'

const [path] = process.argv.slice(2)
if (!path) throw new Error('give the .json report of `wavtok eval`')
const report: Report = JSON.parse(readFileSync(path, 'utf8'))
const summaries = report.systems.map(({ summary }) => summary)
const known = report.table

const measures = Object.entries(known)
  .filter(([name]) => summaries.some(summary => summary.measures[name]))
  .map(([name, measure]) => [
    measure.label,
    ...summaries.map(({ measures, clips }) =>
      measures[name] ? showMean(measure, measures[name], clips) : '-',
    ),
  ])
const changes = report.differences.map(
  ({ system, from, measures }) => `
## ${system} against ${from}, clip by clip

${table(
  ['measure', 'mean difference (95 % interval of the pairs)'],
  Object.entries(measures).map(([name, mean]) => [known[name].label, showDifference(known[name], mean)]),
)}
`,
)
const rounds = (summary: Summary) =>
  (summary.drift?.stability ?? []).map(({ mean }, i) => [
    summary.system,
    String(i + 1),
    mean.toFixed(3),
    summary.drift!.melDistance[i].mean.toFixed(3),
  ])

writeFileSync(
  new URL('../docs/evaluation.md', import.meta.url),
  `# Evaluation

\`wavtok eval\` puts recordings through one or several models and tells how well they come back; \`wavtok eval --help\` lists everything. Reports are
self-contained HTML, CSV or JSON; a run that was stopped goes on with the same command; \`--jobs N\` evaluates with N threads.

| question | option |
|---|---|
| how much does a lower bitrate, q8, another model cost? | \`--codebooks 1,2,4,8\`, \`--beside FILE,dtype=q8\`: quality against bitrate, differences clip by clip with intervals of the pairs |
| are these the tokens that Python gives? | \`--manifest\` with a column \`tokens\`: the share of codes that are equal |
| are words lost? | \`--judge\` with a module that exports \`transcribe\`, transcripts in the manifest: word error rates over all words, of the original too |
| what do judges with models of their own say? | \`--dnsmos sig_bak_ovr.onnx\` (onnxruntime-web), or any metric from a \`--judge\` module |
| does the sound drift when it is coded again and again? | \`--rounds K\` |
| are some voices treated worse? | \`--group-by COLUMN\` ([fairness.md](fairness.md)) |

\`\`\`js
// judge.mjs: NamedMetric of wavtok/metrics; anything that takes samples and their rate
export const metrics = [{ name: 'PESQ', higherIsBetter: true, needs: 'pair', sampleRate: 16000, measure: (reference, degraded, rate) => pesq(reference, degraded, rate) }]
export const transcribe = async (samples, sampleRate, { input, language }) => recognise(samples, sampleRate, language)
\`\`\`

## The default model, f32 and q8

${summaries[0].clips} clips, ${summaries[0].audioSeconds.toFixed(0)} s of speech; \`npx wavtok eval CLIPS --beside default,dtype=q8 --rounds 4 -o report.json\`, then \`npm run docs:evaluation -- report.json\` writes this page.

${table(['mean (95 % interval)', ...summaries.map(({ system }) => system)], measures)}
${changes.join('')}
## Again and again

The share of codes that are still those of the first time, and the mel distance from the recording.

${table(['system', 'times through the model', 'codes kept', 'mel distance'], summaries.flatMap(rounds))}
`,
)
