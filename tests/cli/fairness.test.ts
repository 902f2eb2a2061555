import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fairnessText } from '../../src/cli/eval/fairness_show.js'
import { fairnessSection } from '../../src/cli/eval/html/fairness.js'
import { type FairnessEntry, fairnessReport } from '../../src/metrics/index.js'

const LABELS = { stoi: { label: 'STOI', digits: 2 } }

/** Speakers s0, s1 ... of each group, two clips each; measures rise with the speaker. */
function entries(groups: Readonly<Record<string, number>>, codebooks = 1): FairnessEntry[] {
  return Object.entries(groups).flatMap(([group, speakers], g) =>
    Array.from({ length: 2 * speakers }, (_, i) => {
      const speaker = Math.floor(i / 2)
      const codes = Array.from({ length: 20 }, (_, t) => (t * t + speaker + (i % 2) + 4 * g) % 16)
      return {
        id: `${group}-${i}`,
        group,
        speaker: `${group} s${speaker}`,
        text: `text ${i % 2}`,
        codes: Array.from({ length: codebooks }, () => codes),
        codebookSizes: new Array<number>(codebooks).fill(16),
        measures: { stoi: 0.5 + 0.1 * g + 0.02 * speaker, pesq: i === 0 ? null : 2 + speaker },
        shifted: [{ semitones: 2, codes: Array.from({ length: codebooks }, () => [...codes].reverse()) }],
      }
    }),
  )
}

const quick = { shuffles: 50, resamples: 50 }

/** Cells of the row that begins with `name`. */
function cells(text: string, name: string): string[] {
  const row = text.split('\n').find(line => line.trim().startsWith(`${name}  `))
  assert.ok(row, `no row ${name} in\n${text}`)
  return row!.trim().split(/ {2,}/).slice(1)
}

test('text: means, differences with intervals and p, the probe; numbers are those of the report', () => {
  const report = fairnessReport(entries({ a: 3, b: 3 }), quick)
  const text = fairnessText(report, 'dialect', LABELS)
  assert.match(text, /^fairness by dialect: a \(3 speakers, 6 clips\), b \(3 speakers, 6 clips\)$/m)
  assert.match(text, /^a beside b, p from all 20 ways to share out the speakers$/m)
  const range = (interval: readonly number[] | null) => interval!.map(end => end.toFixed(2)).join(' to ')
  const [a, b] = report.means[0].groups.map(group => range(group.interval))
  assert.equal(cells(text, 'STOI'), [`0.52 (${a})`, `0.62 (${b})`])
  const [{ value, interval, p }] = report.pairs[0].measures.map(({ difference }) => difference)
  assert.equal(cells(text, 'STOI, a - b'), [value!.toFixed(2), range(interval), p!.toFixed(3)])
  const { unigram } = report.pairs[0].distribution[0]
  assert.is(
    cells(text, 'histograms of codes, JSD')[0],
    `${unigram.value!.toFixed(3)} (by chance ${unigram.chance!.toFixed(3)})`,
  )
  assert.is(cells(text, 'same text, edit distance')[0], report.pairs[0].sameText[0].gap.value!.toFixed(3))
  assert.is(
    cells(text, 'codes changed per semitone, a - b')[0],
    report.pairs[0].counterfactual[0].difference.value!.toFixed(3),
  )
  const probe = report.probe[0].balancedAccuracy
  assert.equal(cells(text, 'balanced accuracy of a linear probe (a, b; 3 folds)'), [
    probe.value!.toFixed(2),
    range(probe.interval),
    '0.50',
  ])
  assert.match(text, /must not be used to tell to what group a person belongs/)
})

test('text: layers by name, neutral voices, groups of one speaker, what could not be told', () => {
  const three = fairnessReport(entries({ f: 2, m: 2, n: 2 }, 2), { ...quick, neutral: 'n' })
  const text = fairnessText(three, 'voice', LABELS)
  assert.is(cells(text, 'histograms of codes, JSD, codebook 1').length, 3)
  assert.is(cells(text, 'n: distance to f less distance to m, codebook 0')[2], '0')
  const lone = fairnessText(fairnessReport(entries({ a: 2, b: 1 }), quick), 'dialect', LABELS)
  assert.match(lone, /1 pair of groups not shown: a group of one speaker/)
  assert.match(lone, /balanced accuracy of a linear probe: fewer than two groups have two speakers/)
  const silent = entries({ a: 2, b: 2 }).map(({ text, measures, shifted, ...entry }) => entry)
  const without = fairnessText(fairnessReport(silent, quick), 'dialect')
  assert.match(without, /same text, edit distance: no clip of these groups has a text/)
  assert.not.match(without, /mean \(|per semitone/)
})

test('HTML: a dot and a line per group and measure, nothing from outside, names are text', () => {
  const report = fairnessReport(entries({ '<b>&"x': 2, other: 2 }), quick)
  const html = fairnessSection(report, 'a <column>', LABELS)
  assert.match(html, /<h2>Fairness by a &lt;column&gt;<\/h2>/)
  assert.not.match(html, /<b>|<script|(?:src|href)=|url\(/)
  assert.is(html.match(/<svg /g)?.length, 2)
  assert.is(html.match(/<circle /g)?.length, 4)
  assert.match(html, /aria-label="STOI by group: &lt;b&gt;&amp;&quot;x 0\.51 \(0\.50 to 0\.52\), other 0\.61/)
  const row = html.match(/<tr><th scope="row">STOI, .*? - other<\/th><td>(-0\.10)<\/td>/)
  assert.ok(row, 'a row of the difference of STOI')
  for (const number of html.matchAll(/ (?:c?[xy][12]?|width|height)="([^"]*)"/g))
    assert.ok(Number(number[1]) >= 0 && Number(number[1]) <= 400, `${number[0]} lies outside`)
})

test('HTML: measures that are all equal, or that no clip has', () => {
  const even = entries({ a: 2, b: 2 }).map(entry => ({ ...entry, measures: { stoi: 1, pesq: null } }))
  const html = fairnessSection(fairnessReport(even, quick), 'x', LABELS)
  assert.not.match(html, /NaN|Infinity|null/)
  assert.match(html, /pesq: no clip has it/)
})

test.run()
