// Models of the published sizes with seeded random weights, made without any file: speed does not depend on values.
import type { TensorSource } from '../src/checkpoints/source.js'
import { randomArray } from '../tests/support/random.js'

const ENCODER = 'feature_extractor.encodec.encoder.model'
const FILTERS = 32
const DIM = 768
const INTERMEDIATE = 2304
const LATENT = 512

type Shapes = Map<string, readonly number[]>

/** `ratios` from samples to frames: [2, 4, 5, 8] at 75 tokens/s, [4, 5, 5, 6] at 40. */
export function syntheticWavTokenizer(ratios: readonly number[]): TensorSource {
  const shapes: Shapes = new Map()
  addEncoder(shapes, ratios)
  shapes.set('feature_extractor.encodec.quantizer.vq.layers.0._codebook.embed', [4096, LATENT])
  addDecoder(shapes, 4 * ratios.reduce((product, ratio) => product * ratio))
  return seeded(shapes)
}

/** Mimi, all 32 codebooks, under the published transformers file's names. */
export function syntheticMimi(): TensorSource {
  const [dim, hidden] = [512, 2048]
  const shapes: Shapes = new Map()
  const conv = (name: string, outputs: number, inputs: number, kernel: number, isTransposed = false) => {
    shapes.set(`${name}.conv.weight`, isTransposed ? [inputs, outputs, kernel] : [outputs, inputs, kernel])
    shapes.set(`${name}.conv.bias`, [outputs])
  }
  const block = (name: string, channels: number) => {
    conv(`${name}.block.1`, channels / 2, channels, 3)
    conv(`${name}.block.3`, channels, channels / 2, 1)
  }
  conv('encoder.layers.0', 64, 1, 7)
  conv('decoder.layers.0', 1024, dim, 7)
  for (const [stage, ratio] of [4, 5, 6, 8].entries()) {
    const channels = 64 << stage
    block(`encoder.layers.${3 * stage + 1}`, channels)
    conv(`encoder.layers.${3 * stage + 3}`, 2 * channels, channels, 2 * ratio)
    conv(`decoder.layers.${11 - 3 * stage}`, channels, 2 * channels, 2 * ratio, true)
    block(`decoder.layers.${12 - 3 * stage}`, channels)
  }
  conv('encoder.layers.14', dim, 1024, 3)
  conv('decoder.layers.14', 1, 64, 3)
  shapes.set('downsample.conv.weight', [dim, dim, 4])
  shapes.set('upsample.conv.weight', [dim, 1, 4])
  for (const half of ['encoder', 'decoder'])
    for (let layer = 0; layer < 8; layer++) {
      const name = `${half}_transformer.layers.${layer}`
      for (const part of 'qkvo') shapes.set(`${name}.self_attn.${part}_proj.weight`, [dim, dim])
      shapes.set(`${name}.mlp.fc1.weight`, [hidden, dim])
      shapes.set(`${name}.mlp.fc2.weight`, [dim, hidden])
      for (const norm of ['input_layernorm', 'post_attention_layernorm'])
        for (const part of ['weight', 'bias']) shapes.set(`${name}.${norm}.${part}`, [dim])
      for (const scale of ['self_attn', 'mlp']) shapes.set(`${name}.${scale}_layer_scale.scale`, [dim])
    }
  for (const [branch, count] of [
    ['semantic', 1],
    ['acoustic', 31],
  ] as const) {
    const name = `quantizer.${branch}_residual_vector_quantizer`
    shapes.set(`${name}.input_proj.weight`, [dim / 2, dim, 1])
    shapes.set(`${name}.output_proj.weight`, [dim, dim / 2, 1])
    for (let layer = 0; layer < count; layer++) {
      shapes.set(`${name}.layers.${layer}.codebook.embed_sum`, [2048, dim / 2])
      shapes.set(`${name}.layers.${layer}.codebook.cluster_usage`, [2048])
    }
  }
  return seeded(shapes)
}

function seeded(shapes: Shapes): TensorSource {
  const names = [...shapes.keys()]
  const read = async (name: string) => {
    const shape = shapes.get(name)!
    const fanIn = shape.length > 1 ? shape.slice(1).reduce((product, size) => product * size) : 1
    const values = randomArray(
      shape.reduce((product, size) => product * size),
      names.indexOf(name) + 1,
      1 / Math.sqrt(fanIn),
    )
    return /norm.*(weight|scale)/.test(name) ? values.map(value => 1 + 0.1 * value) : values
  }
  return {
    metadata: {},
    names: () => names,
    has: name => shapes.has(name),
    info: name => ({ dtype: 'F32', shape: shapes.get(name)! }),
    read,
    async readInto(name, target) {
      target.set(await read(name))
    },
    async close() {},
  }
}

function addEncoder(shapes: Shapes, ratios: readonly number[]): void {
  const conv = (name: string, outputs: number, inputs: number, kernel: number) => {
    shapes.set(`${ENCODER}.${name}.conv.conv.weight`, [outputs, inputs, kernel])
    shapes.set(`${ENCODER}.${name}.conv.conv.bias`, [outputs])
  }
  conv('0', FILTERS, 1, 7)
  let channels = FILTERS
  let index = 1
  for (const ratio of ratios) {
    conv(`${index}.block.1`, channels / 2, channels, 3)
    conv(`${index}.block.3`, channels, channels / 2, 1)
    conv(`${index}.shortcut`, channels, channels, 1)
    conv(`${index + 2}`, 2 * channels, channels, 2 * ratio)
    channels *= 2
    index += 3
  }
  for (const layer of [0, 1]) {
    for (const part of ['ih', 'hh']) {
      shapes.set(`${ENCODER}.${index}.lstm.weight_${part}_l${layer}`, [4 * LATENT, LATENT])
      shapes.set(`${ENCODER}.${index}.lstm.bias_${part}_l${layer}`, [4 * LATENT])
    }
  }
  conv(`${index + 2}`, LATENT, LATENT, 7)
}

function addDecoder(shapes: Shapes, nFft: number): void {
  const affine = (name: string, shape: readonly number[]) => {
    shapes.set(`${name}.weight`, shape)
    shapes.set(`${name}.bias`, [shape[0]])
  }
  const adanorm = (name: string) => {
    for (const table of ['scale', 'shift']) shapes.set(`${name}.${table}.weight`, [4, DIM])
  }
  affine('backbone.embed', [DIM, LATENT, 7])
  for (const block of [0, 1, 3, 4]) {
    for (const i of [1, 2]) {
      affine(`backbone.pos_net.${block}.norm${i}`, [DIM])
      affine(`backbone.pos_net.${block}.conv${i}`, [DIM, DIM, 3])
    }
  }
  affine('backbone.pos_net.2.norm', [DIM])
  for (const part of ['q', 'k', 'v', 'proj_out']) affine(`backbone.pos_net.2.${part}`, [DIM, DIM, 1])
  affine('backbone.pos_net.5', [DIM])
  adanorm('backbone.norm')
  for (let i = 0; i < 12; i++) {
    const block = `backbone.convnext.${i}`
    shapes.set(`${block}.gamma`, [DIM])
    affine(`${block}.dwconv`, [DIM, 1, 7])
    adanorm(`${block}.norm`)
    affine(`${block}.pwconv1`, [INTERMEDIATE, DIM])
    affine(`${block}.pwconv2`, [DIM, INTERMEDIATE])
  }
  affine('backbone.final_layer_norm', [DIM])
  affine('head.out', [nFft + 2, DIM])
}
