import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { UsageError } from '../../src/cli/environment.js'
import { checkGrouping, fairnessEntries } from '../../src/cli/eval/fairness.js'
import { readManifest, textOf } from '../../src/cli/eval/manifest.js'
import { withBench } from './harness.js'

/** Reads a manifest with this content. */
const reading = (
  name: string,
  content: string | Uint8Array,
  body: (found: Awaited<ReturnType<typeof readManifest>>, root: string) => void,
) => withBench(async bench => body(await readManifest(bench.write(name, content)), bench.root))

const refused = (name: string, content: string | Uint8Array, message: RegExp) =>
  withBench(async bench => {
    const path = bench.write(name, content)
    try {
      await readManifest(path)
    } catch (error) {
      assert.instance(error, UsageError)
      assert.match((error as Error).message, message)
      return
    }
    assert.unreachable(`${name} was read`)
  })

test(
  'CSV as RFC 4180: quotes, commas and lines in fields, BOM, CRLF, no end of the last line',
  reading(
    'm.csv',
    '\ufefffile,speaker,text\r\na.wav,"Smith, J.","He said ""no"".\r\nThen left."\r\n\r\nsub/b.wav,,""',
    ({ columns, rowOf }) => {
      assert.equal(columns, ['file', 'speaker', 'text'])
      assert.equal(rowOf('a.wav'), {
        file: 'a.wav',
        speaker: 'Smith, J.',
        text: 'He said "no".\r\nThen left.',
      })
      assert.equal(rowOf('b.wav'), { file: 'sub/b.wav', speaker: '', text: '' })
      assert.is(textOf(rowOf('b.wav')!), undefined)
      assert.is(rowOf('c.wav'), undefined)
    },
  ),
)

test(
  'TSV: quotes that hold a field are taken off, others are letters; any end of line',
  reading(
    'm.tsv',
    'file\ttranscript\nquoted.wav\t"a\tb ""c"""\r\nspoken.wav\t"Yes," he said.\rinch.wav\t5" wide\nopen.wav\t"never closed\n',
    ({ rowOf }) => {
      assert.is(textOf(rowOf('quoted.wav')!), 'a\tb "c"')
      assert.is(textOf(rowOf('spoken.wav')!), '"Yes," he said.')
      assert.is(textOf(rowOf('inch.wav')!), '5" wide')
      assert.is(textOf(rowOf('open.wav')!), '"never closed')
    },
  ),
)

test(
  'JSON lines: numbers are text, null and nested values are left out, rows may differ in columns',
  reading(
    'm.jsonl',
    '{"file": "a.wav", "speaker": 7, "old": true, "x": null}\n\n{"file": "b.wav", "sentence": " Hi ", "tags": [1]}\r\n',
    ({ columns, rowOf }) => {
      assert.equal(columns, ['file', 'speaker', 'old', 'sentence'])
      assert.equal(rowOf('a.wav'), { file: 'a.wav', speaker: '7', old: 'true' })
      assert.is(textOf(rowOf('b.wav')!), 'Hi')
    },
  ),
)

test(
  'a file is found by its path first, then by a name that is the only one, with or without extension',
  reading('m.tsv', 'file\tn\n1/a.wav\t1\n2/a.wav\t2\n3/b.flac\t3\n', ({ rowOf }, root) => {
    assert.is(rowOf(join(root, '1/a.wav'))?.n, '1')
    assert.is(rowOf(join(root, '2/../2/a.wav'))?.n, '2')
    assert.is(rowOf('elsewhere/a.wav'), undefined, 'two rows have that name')
    assert.is(rowOf('elsewhere/b.wav')?.n, '3')
    assert.is(rowOf('b.flac')?.n, '3')
  }),
)

for (const [what, name, content, message] of [
  ['an unknown extension', 'm.xlsx', 'PK', /m\.xlsx; expected .*\.csv, \.tsv, \.jsonl/],
  [
    'no column file',
    'm.csv',
    'path,speaker\na,b\n',
    /has the columns path, speaker; expected one named 'file'/,
  ],
  ['an empty file', 'm.csv', '', /columns \(none\)/],
  ['a head alone', 'm.tsv', 'file\tspeaker\n', /names no files/],
  ['a file twice', 'm.csv', 'file\na.wav\nx/../a.wav\n', /line 3: x\/\.\.\/a\.wav was in line 2 already/],
  ['a row without a file', 'm.csv', 'file,speaker\n,x\n', /line 2: no file is named/],
  ['a row that is too short', 'm.csv', 'file,speaker\n"a\nb",x\nb.wav\n', /line 4: 1 fields; expected 2/],
  ['a column twice', 'm.csv', 'file,file\na,b\n', /two columns named 'file'/],
  ['an open quote', 'm.csv', 'file\na.wav\n"b.wav\nc.wav\n', /line 3: a quote is never closed/],
  ['text behind a quote', 'm.csv', 'file\n"a".wav\n', /line 2: text behind a closing quote/],
  [
    'a huge line',
    'm.tsv',
    `file\tx\na.wav\t${'y'.repeat(1 << 21)}\n`,
    /line 2: more than 1048576 characters/,
  ],
  ['a huge quoted field', 'm.csv', `file\n"${'y\n'.repeat(1 << 20)}"\n`, /line 2: more than 1048576/],
  ['a huge line of JSON', 'm.jsonl', `{"file": "${'y'.repeat(1 << 21)}"}`, /line 1: more than 1048576/],
  ['broken JSON', 'm.jsonl', '{"file": "a.wav"}\n{"file": \n', /line 2: not valid JSON/],
  ['JSON of no object', 'm.jsonl', '["a.wav"]\n', /line 1: expected an object/],
  ['another encoding', 'm.csv', Uint8Array.of(102, 0xe9, 10), /not UTF-8/],
] as const)
  test(`refused: ${what}`, refused(name, content, message))

test(
  'many quotes take linear time',
  withBench(async bench => {
    const time = async (quotes: number) => {
      const row = `a.wav\t${'"'.repeat(quotes)}x\n`
      writeFileSync(bench.path('q.tsv'), `file\tx\n${row}`)
      const start = performance.now()
      await readManifest(bench.path('q.tsv'))
      return performance.now() - start
    }
    const least = async (quotes: number) =>
      Math.min(await time(quotes), await time(quotes), await time(quotes))
    assert.ok((await least(1e6)) < 50 * (await least(1e5)), 'ten times the quotes, ten times the time')
  }),
)

test(
  'clips by a column: entries for the report, the others with reasons',
  reading(
    'm.csv',
    'file,speaker,lang,text\na.wav,p1,en,"Hello, World"\nb.wav,p2,de,hello world!\nc.wav,,en,x\nd.wav,p4,,x\n',
    manifest => {
      const inputs = ['a', 'b', 'c', 'd', 'e'].map(name => `in/${name}.wav`)
      checkGrouping(manifest, 'lang', inputs)
      const clip = (name: string) => ({
        input: `in/${name}.wav`,
        codes: [[1, 2]],
        codebookSizes: [4],
        measures: { stoi: 0.5, encodeSpeed: 9 },
      })
      const { entries, ungrouped } = fairnessEntries(['a', 'b', 'c', 'd', 'e'].map(clip), manifest, 'lang', [
        'stoi',
        'pesq',
      ])
      assert.equal(entries[0], {
        id: 'in/a.wav',
        group: 'en',
        speaker: 'p1',
        text: 'hello world',
        codes: [[1, 2]],
        codebookSizes: [4],
        measures: { stoi: 0.5, pesq: null },
      })
      assert.is(entries[1].text, entries[0].text)
      assert.equal(
        ungrouped.map(({ input, reason }) => `${input}: ${reason}`),
        [
          'in/c.wav: no speaker is given',
          'in/d.wav: no lang is given',
          'in/e.wav: the manifest does not name it',
        ],
      )
      assert.throws(
        () => checkGrouping(manifest, 'gender', inputs),
        /no such column, but file, speaker, lang, text/,
      )
      assert.throws(
        () => checkGrouping({ ...manifest, columns: ['file', 'lang'] }, 'lang', inputs),
        /no column 'speaker'/,
      )
      assert.throws(
        () => checkGrouping(manifest, 'lang', inputs.slice(0, 1)),
        /in one group, en; two are needed/,
      )
      assert.throws(
        () =>
          checkGrouping(
            { ...manifest, rowOf: input => ({ ...manifest.rowOf(input)!, speaker: 'p1' }) },
            'lang',
            inputs.slice(0, 2),
          ),
        /speaker p1 is in the groups en and de/,
      )
    },
  ),
)

test.run()
