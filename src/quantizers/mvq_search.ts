// The search of multi-codebook quantization: every codebook keeps its best candidates, neighbouring codebooks are merged pairwise into
// groups, whose best pairs are kept in turn, until one group is left.
import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, packLinear, product } from '../nn/linear.js'

/** Candidates of every group. */
interface Beam {
  groups: number
  /** Codebooks that a group stands for. */
  merged: number
  /** Candidates of each group. */
  count: number
  /** Squared error if a group took a candidate and the others stayed: [groups][count]. */
  costs: Float64Array
  /** [groups][count][merged] */
  codes: Uint16Array
}

/** Indices of the `count` lowest values, ascending, earlier ones first among equals; where none has to go, all of them in place. */
export function lowest(values: Float64Array, count: number): Uint32Array {
  if (count === values.length) return Uint32Array.from(values, (_, i) => i)
  const best = new Uint32Array(count)
  let filled = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (filled === count && !(value < values[best[count - 1]])) continue
    let place = filled < count ? filled++ : count - 1
    for (; place > 0 && values[best[place - 1]] > value; place--) best[place] = best[place - 1]
    best[place] = i
  }
  return best
}

/** Finds codes near the present ones whose sum is nearer to the vector. */
export class PairSearch {
  readonly #region: Region
  readonly #codebooks: number
  readonly #size: number
  readonly #dim: number
  readonly #centers: Pointer // [codebooks * size][dim]
  readonly #gram: Float32Array // [codebooks][size][size]: inner products within a codebook
  readonly #packed: PackedWeights // room for the candidates of one group
  readonly #products: Pointer
  readonly #indices: Pointer
  /** Candidates' codewords minus the present ones, [groups][count][dim]: of this round and the next. */
  readonly #deltas: readonly [Pointer, Pointer]

  constructor(
    region: Region,
    centers: Pointer,
    values: Float32Array,
    codebooks: number,
    size: number,
    dim: number,
  ) {
    this.#region = region
    this.#codebooks = codebooks
    this.#size = size
    this.#dim = dim
    this.#centers = centers
    this.#gram = this.#innerProducts(values)
    let room = 0
    let most = 1
    let count = 0
    for (let merged = 1; merged <= codebooks; merged *= 2) {
      const groups = codebooks / merged
      count = this.#kept(merged === 1 ? size : count * count, groups, merged)
      room = Math.max(room, groups * count * dim)
      most = Math.max(most, count)
    }
    this.#packed = packLinear(region, new Float32Array(most * dim), undefined, most, dim)
    this.#products = region.alloc(most * most)
    this.#indices = region.alloc(2 * codebooks * size)
    this.#deltas = [region.alloc(room), region.alloc(room)]
  }

  /**
   * @param present one code per codebook
   * @param products inner products of the error (sum of the present codewords minus the vector) with all codewords
   * @param error the squared length of that error
   */
  better(present: Uint16Array, products: Float32Array, error: number): Uint16Array {
    let beam = this.#singles(present, products, error)
    let [now, next] = this.#deltas
    if (beam.groups > 1) this.#singleDeltas(now, next, beam, present)
    while (beam.groups > 1) {
      beam = this.#paired(beam, now, next, error)
      const swapped = now
      now = next
      next = swapped
    }
    return beam.codes
  }

  /** 8 or 16 for single codebooks, twice as many whenever the merged codebooks are four times as many, 128 at most; one in the end. */
  #kept(candidates: number, groups: number, merged: number): number {
    if (groups === 1) return 1
    let limit = this.#size <= 16 ? 8 : 16
    for (let rest = merged; rest >= 4; rest /= 4) limit *= 2
    return Math.min(candidates, limit, 128)
  }

  #innerProducts(values: Float32Array): Float32Array {
    const size = this.#size
    const dim = this.#dim
    const gram = new Float32Array(this.#codebooks * size * size)
    for (let n = 0; n < this.#codebooks; n++) {
      const region = this.#region.child()
      const own = packLinear(region, values.slice(n * size * dim, (n + 1) * size * dim), undefined, size, dim)
      const out = region.alloc(size * size)
      product(region, out, this.#centers + 4 * n * size * dim, own, size)
      gram.set(region.heap.f32(out, size * size), n * size * size)
      region.free()
    }
    return gram
  }

  /** Candidates of single codebooks: |e - c_present + c_k|^2 from inner products. */
  #singles(present: Uint16Array, products: Float32Array, error: number): Beam {
    const size = this.#size
    const groups = this.#codebooks
    const count = this.#kept(size, groups, 1)
    const beam = newBeam(groups, 1, count)
    const costs = new Float64Array(size)
    for (let n = 0; n < groups; n++) {
      const gram = this.#gram.subarray(n * size * size, (n + 1) * size * size)
      const old = present[n]
      const base = error - 2 * products[n * size + old] + gram[old * size + old]
      for (let k = 0; k < size; k++)
        costs[k] = base + 2 * (products[n * size + k] - gram[old * size + k]) + gram[k * size + k]
      lowest(costs, count).forEach((k, place) => {
        beam.costs[n * count + place] = costs[k]
        beam.codes[n * count + place] = k
      })
    }
    return beam
  }

  /** Codewords of the candidates minus the present ones, into `to`; `spare` is overwritten. */
  #singleDeltas(to: Pointer, spare: Pointer, { groups, count, codes }: Beam, present: Uint16Array): void {
    const { heap, kernels } = this.#region
    const rows = groups * count
    const length = rows * this.#dim
    const indices = heap.i32(this.#indices, 2 * rows)
    for (let i = 0; i < rows; i++) {
      const n = Math.floor(i / count)
      indices[i] = n * this.#size + codes[i]
      indices[rows + i] = n * this.#size + present[n]
    }
    kernels.gatherRowsF32(to, this.#centers, this.#indices, rows, this.#dim)
    kernels.gatherRowsF32(spare, this.#centers, this.#indices + 4 * rows, rows, this.#dim)
    kernels.affineF32(spare, spare, length, -1, 0)
    kernels.addF32(to, spare, length)
  }

  /** Merges neighbours: cost(a, b) = cost(a) + cost(b) - error + 2 delta(a) . delta(b). */
  #paired(beam: Beam, now: Pointer, next: Pointer, error: number): Beam {
    const { count, merged } = beam
    const groups = beam.groups / 2
    const kept = this.#kept(count * count, groups, 2 * merged)
    const result = newBeam(groups, 2 * merged, kept)
    const costs = new Float64Array(count * count)
    for (let group = 0; group < groups; group++) {
      const a = 2 * group * count
      const b = a + count
      const products = this.#deltaProducts(now, a, b, count)
      for (let i = 0; i < count; i++)
        for (let j = 0; j < count; j++)
          costs[i * count + j] = beam.costs[a + i] + beam.costs[b + j] - error + 2 * products[i * count + j]
      lowest(costs, kept).forEach((pair, place) => {
        const first = a + Math.floor(pair / count)
        const second = b + (pair % count)
        const at = group * kept + place
        result.costs[at] = costs[pair]
        result.codes.set(beam.codes.subarray(first * merged, (first + 1) * merged), 2 * at * merged)
        result.codes.set(beam.codes.subarray(second * merged, (second + 1) * merged), (2 * at + 1) * merged)
        if (groups > 1) this.#addDeltas(next, at, now, first, second)
      })
    }
    return result
  }

  /** [count][count] inner products of the deltas of two groups, which start at rows a and b. */
  #deltaProducts(deltas: Pointer, a: number, b: number, count: number): Float32Array {
    const dim = this.#dim
    const rowBytes = 4 * dim
    const { kernels, heap } = this.#region
    kernels.packWeights(this.#packed.weights, deltas + b * rowBytes, count, 1, dim, dim, 0, 1)
    const group = { ...this.#packed, outputs: count }
    product(this.#region, this.#products, deltas + a * rowBytes, group, count)
    return heap.f32(this.#products, count * count)
  }

  #addDeltas(to: Pointer, row: number, from: Pointer, first: number, second: number): void {
    const bytes = 4 * this.#dim
    const { kernels, heap } = this.#region
    heap.bytes(to + row * bytes, bytes).set(heap.bytes(from + first * bytes, bytes))
    kernels.addF32(to + row * bytes, from + second * bytes, this.#dim)
  }
}

function newBeam(groups: number, merged: number, count: number): Beam {
  return {
    groups,
    merged,
    count,
    costs: new Float64Array(groups * count),
    codes: new Uint16Array(groups * count * merged),
  }
}
