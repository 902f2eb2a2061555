import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { AudioError, ConfigError, throwIfAborted } from '../errors.js'
import { packLinear, product } from '../nn/linear.js'
import { seededUniform, shuffled } from '../random.js'
import { Turns } from '../schedule.js'
import { openRegion, type QuantizerOptions } from './quantizer.js'
import { type CodebookSpec, vq } from './spec.js'
import { MAX_SIZE } from './stage.js'

/** Rows searched at a time. */
const BLOCK = 96

/** How far a training is. */
export interface TrainingProgress {
  readonly phase: 'seeding' | 'training'
  /** Passes over the data, from 1; 0 while seeding. */
  readonly epoch: number
  /** Share of the phase that is done. */
  readonly share: number
  /** Mean squared distance of a row to its centre in the last whole pass. */
  readonly inertia?: number
}

/** How to cluster. */
export interface KMeansOptions extends QuantizerOptions {
  /** Clusters: 1 to 65536, at most as many as there are rows. */
  size: number
  /** The same seed, data and options give the same centres on every engine (default 0). */
  seed?: number
  /** Rows between updates of the centres (default 8192). As many as there are rows, or more: Lloyd's algorithm. */
  batchSize?: number
  /** Most passes over the data (default 20). */
  epochs?: number
  /** Stop when a pass improves the inertia by less than this share (default 1e-4). */
  tolerance?: number
  /** Rows from which k-means++ draws the first centres (default: 16 per cluster, 8192 at least). */
  seedingRows?: number
  signal?: AbortSignal
  onProgress?: (progress: TrainingProgress) => void
}

/** Centres, ready for `openQuantizer`, and how well they fit. */
export interface KMeansResult {
  readonly spec: CodebookSpec
  /** Mean squared distance of a row to its centre in the last pass, while the centres were still moving. */
  readonly inertia: number
  readonly epochs: number
  /** Centres that no row was nearest to, moved onto far rows, over all passes. */
  readonly relocated: number
}

/**
 * K-means: k-means++ seeding (Arthur and Vassilvitskii), then mini-batches (Sculley) whose centres are means of all rows that they ever
 * got, or Lloyd's passes where a batch holds everything. A centre that gets no row in a pass moves onto the row of the last batch
 * that is farthest from its own centre.
 *
 * @param features [frames][dim], row-major
 * @throws AudioError for features of another size or not finite, ConfigError for sizes out of range, AbortError
 */
export async function trainKMeans(
  features: Float32Array,
  frames: number,
  options: KMeansOptions,
): Promise<KMeansResult> {
  const dim = checkedDim(features, frames, options)
  throwIfAborted(options.signal)
  const region = await openRegion(options)
  const training = new Training(region, features, frames, dim, options)
  return training.run()
}

function checkedDim(features: Float32Array, frames: number, { size, batchSize = 1 }: KMeansOptions): number {
  const dim = features.length / frames
  if (!(frames > 0 && Number.isInteger(dim) && dim > 0))
    throw new AudioError(
      `${features.length} feature values for ${frames} frames; expected whole rows of equal length`,
    )
  const broken = features.findIndex(value => !Number.isFinite(value))
  if (broken >= 0)
    throw new AudioError(`the features of frame ${Math.floor(broken / dim)} have a ${features[broken]}`)
  if (!(Number.isInteger(size) && size >= 1 && size <= Math.min(frames, MAX_SIZE)) || !(batchSize >= 1))
    throw new ConfigError(
      `${size} clusters of ${frames} rows in batches of ${batchSize}; expected 1 to ${Math.min(frames, MAX_SIZE)} clusters and a batch of 1 or more`,
    )
  return dim
}

class Training {
  readonly #region: Region
  readonly #features: Float32Array
  readonly #frames: number
  readonly #dim: number
  readonly #options: KMeansOptions
  readonly #size: number
  readonly #batchSize: number
  readonly #next: () => number
  readonly #turns = new Turns()
  readonly #centers: Pointer // [size][dim]
  readonly #block: Pointer // [BLOCK][dim]
  readonly #indices: Pointer // [BLOCK]
  readonly #distances: Pointer // [BLOCK]
  readonly #scores: Pointer // [BLOCK][size]
  readonly #sums: Pointer // [size][dim] f64
  readonly #counts: Pointer // [size]
  readonly #seen: Float64Array // rows that a centre is the mean of
  /** Rows of the last batch and their squared distances, from which centres without rows take new places. */
  #batch: Uint32Array = new Uint32Array()
  #batchDistances: Float32Array = new Float32Array()

  constructor(region: Region, features: Float32Array, frames: number, dim: number, options: KMeansOptions) {
    this.#region = region
    this.#features = features
    this.#frames = frames
    this.#dim = dim
    this.#options = options
    this.#size = options.size
    this.#batchSize = Math.min(options.batchSize ?? 8192, frames)
    this.#next = seededUniform(options.seed ?? 0)
    this.#centers = region.alloc(this.#size * dim)
    this.#block = region.alloc(BLOCK * dim)
    this.#indices = region.alloc(BLOCK)
    this.#distances = region.alloc(BLOCK)
    this.#scores = region.alloc(BLOCK * this.#size)
    this.#sums = region.alloc(2 * this.#size * dim)
    this.#counts = region.alloc(this.#size)
    this.#seen = new Float64Array(this.#size)
  }

  async run(): Promise<KMeansResult> {
    const { epochs = 20, tolerance = 1e-4 } = this.#options
    await this.#seed()
    let inertia = Number.POSITIVE_INFINITY
    let relocated = 0
    let epoch = 0
    while (epoch < epochs) {
      epoch++
      const before = inertia
      inertia = await this.#pass(epoch, before)
      this.#options.onProgress?.({ phase: 'training', epoch, share: 1, inertia })
      const moved = epoch < epochs ? this.#relocateEmpty() : 0
      relocated += moved
      if (moved === 0 && epoch > 1 && before - inertia <= tolerance * before) break
    }
    const { heap } = this.#region
    const data = heap.f32(this.#centers, this.#size * this.#dim).slice()
    const spec = vq({ data, rows: this.#size, columns: this.#dim })
    return { spec, inertia, epochs: epoch, relocated }
  }

  /** k-means++: each centre is drawn with a probability proportional to the squared distance to the nearest before it. */
  async #seed(): Promise<void> {
    const dim = this.#dim
    const { seedingRows = Math.max(8192, 16 * this.#size) } = this.#options
    const order = shuffled(this.#frames, this.#next)
    const sample = order.subarray(0, Math.min(this.#frames, Math.max(seedingRows, this.#size)))
    const nearest = new Float64Array(sample.length).fill(Number.POSITIVE_INFINITY)
    let chosen = 0
    for (let k = 0; k < this.#size; k++) {
      const row = this.#row(sample[chosen])
      this.#region.heap.f32(this.#centers + 4 * k * dim, dim).set(row)
      if (k + 1 < this.#size) chosen = this.#drawn(sample, nearest, this.#centers + 4 * k * dim)
      await this.#turn({ phase: 'seeding', epoch: 0, share: (k + 1) / this.#size })
    }
  }

  /** Updates the distances by one more centre and draws the next. */
  #drawn(sample: Uint32Array, nearest: Float64Array, center: Pointer): number {
    const { heap, kernels } = this.#region
    heap.i32(this.#indices, BLOCK).fill(0)
    let total = 0
    for (let start = 0; start < sample.length; start += BLOCK) {
      const rows = this.#load(sample, start)
      kernels.squaredDistancesF32(this.#distances, this.#block, center, this.#indices, rows, this.#dim)
      const distances = heap.f32(this.#distances, rows)
      for (let t = 0; t < rows; t++) {
        if (distances[t] < nearest[start + t]) nearest[start + t] = distances[t]
        total += nearest[start + t]
      }
    }
    let rest = this.#next() * total
    for (let i = 0; i < sample.length; i++) {
      rest -= nearest[i]
      if (rest < 0) return i
    }
    return Math.floor(this.#next() * sample.length) // all rows coincide with centres
  }

  /** One pass over all rows in random order; returns the mean squared distance. */
  async #pass(epoch: number, inertia: number): Promise<number> {
    const lloyd = this.#batchSize >= this.#frames
    const order = shuffled(this.#frames, this.#next)
    if (lloyd) this.#seen.fill(0)
    const used = new Uint8Array(this.#size)
    let total = 0
    for (let start = 0; start < this.#frames; start += this.#batchSize) {
      const batch = order.subarray(start, start + this.#batchSize)
      total += await this.#assign(batch, share =>
        this.#turn({
          phase: 'training',
          epoch,
          share: (start + share * batch.length) / this.#frames,
          inertia: Number.isFinite(inertia) ? inertia : undefined,
        }),
      )
      this.#move(used)
    }
    for (let k = 0; k < this.#size; k++) if (!used[k]) this.#seen[k] = 0
    return total / this.#frames
  }

  /** Sums the rows of a batch by nearest centre; returns the sum of squared distances. */
  async #assign(batch: Uint32Array, turn: (share: number) => Promise<void>): Promise<number> {
    const { heap, kernels } = this.#region
    const size = this.#size
    const dim = this.#dim
    const local = this.#region.child()
    const packed = packLinear(local, heap.f32(this.#centers, size * dim).slice(), undefined, size, dim)
    kernels.halfNormsF32(packed.bias, this.#centers, size, dim)
    heap.bytes(this.#sums, 8 * size * dim).fill(0)
    heap.i32(this.#counts, size).fill(0)
    this.#batch = batch
    this.#batchDistances = new Float32Array(batch.length)
    let total = 0
    for (let start = 0; start < batch.length; start += BLOCK) {
      const rows = this.#load(batch, start)
      product(this.#region, this.#scores, this.#block, packed, rows)
      kernels.argmaxRowsF32(this.#indices, this.#scores, size, rows, size)
      kernels.accumulateRowsF64(this.#sums, this.#counts, this.#indices, this.#block, rows, dim)
      kernels.squaredDistancesF32(this.#distances, this.#block, this.#centers, this.#indices, rows, dim)
      const distances = heap.f32(this.#distances, rows)
      this.#batchDistances.set(distances, start)
      for (let t = 0; t < rows; t++) total += distances[t]
      await turn((start + rows) / batch.length)
    }
    local.free()
    return total
  }

  /** Every centre becomes the mean of all rows it has got so far. */
  #move(used: Uint8Array): void {
    const { heap } = this.#region
    const dim = this.#dim
    const centers = heap.f32(this.#centers, this.#size * dim)
    const sums = new Float64Array(this.#region.kernels.memory.buffer, this.#sums, this.#size * dim)
    heap.i32(this.#counts, this.#size).forEach((count, k) => {
      if (count === 0) return
      used[k] = 1
      const before = this.#seen[k]
      this.#seen[k] = before + count
      for (let i = k * dim; i < (k + 1) * dim; i++)
        centers[i] = (before * centers[i] + sums[i]) / this.#seen[k]
    })
  }

  /** Moves centres that got no row in the pass; returns how many. */
  #relocateEmpty(): number {
    const { heap } = this.#region
    const empty = Array.from({ length: this.#size }, (_, k) => k).filter(k => this.#seen[k] === 0)
    if (empty.length === 0) return 0
    const distances = this.#batchDistances
    const far = Array.from(distances, (_, i) => i)
      .filter(i => distances[i] > 0)
      .sort((a, b) => distances[b] - distances[a] || a - b)
    const moved = empty.slice(0, far.length)
    moved.forEach((k, place) => {
      heap.f32(this.#centers + 4 * k * this.#dim, this.#dim).set(this.#row(this.#batch[far[place]]))
    })
    return moved.length
  }

  #row(index: number): Float32Array {
    return this.#features.subarray(index * this.#dim, (index + 1) * this.#dim)
  }

  /** Copies up to BLOCK of the listed rows into the block; returns how many. */
  #load(order: Uint32Array, start: number): number {
    const rows = Math.min(BLOCK, order.length - start)
    const target = this.#region.heap.f32(this.#block, rows * this.#dim)
    for (let t = 0; t < rows; t++) target.set(this.#row(order[start + t]), t * this.#dim)
    return rows
  }

  /** Lets the event loop turn, tells progress and looks at the signal, every few milliseconds. */
  async #turn(progress: TrainingProgress): Promise<void> {
    if (!this.#turns.due) return
    this.#options.onProgress?.(progress)
    await this.#turns.take()
    throwIfAborted(this.#options.signal)
  }
}
