import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseYaml } from '../../src/checkpoints/yaml.js'
import { rejects, vector } from './build.js'

test("a configuration of Lightning's command line", () => {
  const config = parseYaml(`---
seed_everything: 3407

data:
  class_path: decoder.dataset.VocosDataModule   # the data
  init_args:
    train_params: {}
trainer:
  logger:
    class_path: pytorch_lightning.loggers.TensorBoardLogger
  callbacks:
    - class_path: pytorch_lightning.callbacks.LearningRateMonitor
    - class_path: pytorch_lightning.callbacks.ModelCheckpoint
      init_args:
        filename: vocos_checkpoint_{epoch}_{step}_{val_loss:.4f}
        save_top_k: 3
    -
      class_path: decoder.helpers.GradNormCallback
  # a comment at its own indentation
  max_steps: 20_000_000
  devices: [0,1, 2]
model:
  class_path: decoder.experiment.WavTokenizer
  init_args:
    initial_learning_rate: 2e-4
    evaluate_utmos: true
    resume_model:
    feature_extractor:
      init_args:
        bandwidths: [6.6, 6.6, 6.6, 6.6]
        dowmsamples:
        - 8
        - 5
        vq_bins: 4096
`)
  assert.equal(config, {
    seed_everything: 3407,
    data: { class_path: 'decoder.dataset.VocosDataModule', init_args: { train_params: {} } },
    trainer: {
      logger: { class_path: 'pytorch_lightning.loggers.TensorBoardLogger' },
      callbacks: [
        { class_path: 'pytorch_lightning.callbacks.LearningRateMonitor' },
        {
          class_path: 'pytorch_lightning.callbacks.ModelCheckpoint',
          init_args: { filename: 'vocos_checkpoint_{epoch}_{step}_{val_loss:.4f}', save_top_k: 3 },
        },
        { class_path: 'decoder.helpers.GradNormCallback' },
      ],
      max_steps: '20_000_000',
      devices: [0, 1, 2],
    },
    model: {
      class_path: 'decoder.experiment.WavTokenizer',
      init_args: {
        initial_learning_rate: 0.0002,
        evaluate_utmos: true,
        resume_model: null,
        feature_extractor: {
          init_args: { bandwidths: [6.6, 6.6, 6.6, 6.6], dowmsamples: [8, 5], vq_bins: 4096 },
        },
      },
    },
  })
})

test('a file of PyYAML', () => {
  const config = parseYaml(new TextDecoder().decode(vector('wavtokenizer/tiny-75.yaml'))) as {
    model: { init_args: { feature_extractor: { init_args: { dowmsamples: number[]; vq_bins: number } } } }
  }
  assert.equal(config.model.init_args.feature_extractor.init_args.dowmsamples, [8, 5, 4, 2])
  assert.is(config.model.init_args.feature_extractor.init_args.vq_bins, 64)
})

test('scalars', () => {
  const scalars: [text: string, value: unknown][] = [
    ['1', 1],
    ['-1.5e-3', -0.0015],
    ['+.5', 0.5],
    ['1.', 1],
    ['true', true],
    ['False', false],
    ['null', null],
    ['~', null],
    ['', null],
    ['a b', 'a b'],
    ["it's", "it's"],
    ['a#b', 'a#b'],
    ['a #b', 'a'],
    ["'a # ''b'", "a # 'b"],
    ['"a\\n\\"# b"', 'a\n"# b'],
    ['"1"', '1'],
    ['http://host:80/x', 'http://host:80/x'],
    ['1.2.3', '1.2.3'],
    ['-x', '-x'],
    ['[]', []],
    ['[a, "b, c", \'d]\', ~, 1]', ['a', 'b, c', 'd]', null, 1]],
    ['[1, ]', [1]],
    ['{}', {}],
  ]
  for (const [text, value] of scalars) assert.equal(parseYaml(`key: ${text}`), { key: value }, text)
  assert.equal(parseYaml('"a: b": 1\n\'c\' : 2\nd e: 3\n'), { 'a: b': 1, c: 2, 'd e': 3 })
  assert.equal(parseYaml('- - 1\n  - 2\n- 3\r\n'), [[1, 2], 3])
  assert.is(parseYaml(''), null)
  assert.ok(Object.hasOwn(parseYaml('__proto__: 1') as object, '__proto__'))
})

test('YAML that is not read names its line', async () => {
  const refused: [text: string, pattern: RegExp][] = [
    ['a: 1\nb: &x 2', /line 2: '&x 2' is YAML that is not read here/],
    ['a: *x', /line 1/],
    ['a: !!int 1', /line 1/],
    ['a: |\n  text', /line 1/],
    ['a: {b: 1}', /line 1/],
    ['a: [1, [2]]', /lists in lists/],
    ['a: [1,\n 2]', /must end on its own line/],
    ['a: [1,, 2]', /a comma too many or too few/],
    ['a: ["b" c]', /a comma too many or too few/],
    ['a: "b', /line 1/],
    ['a: "\\x41"', /an escape in/],
    ['a: b: c', /line 1/],
    ['a: - b', /line 1/],
    ['a: 1\na: 2', /line 2: the key 'a' occurs twice/],
    ['a:\n\tb: 1', /line 2: tabs cannot indent/],
    ['a: 1\n  b: 2', /line 2: its indentation fits no line above/],
    ['  a: 1\nb: 2', /line 2: its indentation/],
    ['a:\n    b: 1\n  c: 2', /line 3: its indentation/],
    ['a: long text\n  that goes on', /line 2/],
    ['a: 1\n---\nb: 2', /line 2: 'key: value' expected, found '---'/],
    ['a: 1\n- b', /line 2/],
    ['? a', /line 1/],
    [`${'- '.repeat(100)}1`, /nested more than 64 deep/],
  ]
  for (const [text, pattern] of refused) await rejects(() => parseYaml(text), pattern, text)
})

test('long lines take linear time', () => {
  const seconds = (text: string) => {
    const start = process.cpuUsage()
    try {
      parseYaml(text)
    } catch (error) {
      assert.is((error as Error).name, 'CheckpointError')
    }
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1e6
  }
  const lines: readonly ((n: number) => string)[] = [
    n => `a: [1,${' '.repeat(n)}]`,
    n => `a${' '.repeat(n)}`,
    n => `"a"${' '.repeat(n)}x`,
    n => `a: '${"''".repeat(n)}`,
    n => `a: [${'1,'.repeat(n)}]`,
    n => `'${'a'.repeat(n)}`,
  ]
  for (const line of lines) {
    const short = seconds(line(1 << 15))
    const long = seconds(line(1 << 20)) // 32 times as long: 1000 times the work, were it quadratic
    assert.ok(long < 200 * Math.max(short, 0.005), `${line(4)}: ${long} s after ${short} s`)
  }
})

test.run()
