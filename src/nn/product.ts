// One matrix product as tasks: blocks of rows and columns, each one call of a kernel, on one thread or several.
import type { Activation, Kernels, Pointer } from '../../bindings/kernels.js'
import type { Heap } from '../../bindings/memory.js'
import { WorkerError } from '../errors.js'
import { INTEGERS, type WeightDtype } from './weights.js'

// V8 swaps optimised code in between calls only, and a block of activations should stay in L2 (750 x 768 x 2304: 57 ms in
// blocks, 283 ms as one cold call).
export const ROWS = 96
const COLUMNS = 256
// Between several threads: 12 tasks where Winograd's products have 64 rows and 768 columns.
const SHARED_COLUMNS = 64

const DTYPES: readonly WeightDtype[] = ['f32', 'f16', 'q8', 'q12']

/** What the kernels of a product need to know. Integer dtypes: `input` is quantized, at most ROWS rows of it. */
export interface Product {
  dtype: WeightDtype
  out: Pointer
  outputPitch: number
  input: Pointer
  inputPitch: number
  rowScales: Pointer
  weights: Pointer
  scales: Pointer
  bias: Pointer
  residual: Pointer
  rows: number
  inputs: number
  outputs: number
  activation: Activation
  /** Room to widen one panel in; each thread has its own, one behind the other. */
  panel: Pointer
}

export function bytesPerColumn(inputs: number, dtype: WeightDtype): number {
  if (dtype === 'f32') return inputs * 4
  return dtype === 'f16' ? inputs * 2 : (inputs + (inputs & 1)) * INTEGERS[dtype].size
}

/** Room for a widened panel. */
export function panelBytes(inputs: number): number {
  return 64 * inputs
}

/** Computes a product, with all threads that there are. */
export function compute(heap: Heap, whole: Product): void {
  const { team, kernels } = heap
  const blocks = Math.ceil(whole.rows / ROWS)
  if (!team) {
    const tasks = blocks * Math.ceil(whole.outputs / COLUMNS)
    for (let task = 0; task < tasks; task++) computeTask(kernels, whole, COLUMNS, task, 0)
    return
  }
  const tasks = blocks * Math.ceil(whole.outputs / SHARED_COLUMNS)
  try {
    team.run([tasks, ...packed(whole)], (_, task) => computeTask(kernels, whole, SHARED_COLUMNS, task, 0))
  } catch (error) {
    throw new WorkerError(`wavtok: ${(error as Error).message}; load the tokenizer again`, { cause: error })
  }
}

/** What thread `thread` does for the others. */
export function computeShared(kernels: Kernels, thread: number, job: Float64Array, task: number): void {
  computeTask(kernels, unpacked(job), SHARED_COLUMNS, task, thread)
}

function computeTask(
  { matmulF32, matmulF16, matmulInteger }: Kernels,
  whole: Product,
  most: number,
  task: number,
  thread: number,
): void {
  const { dtype, outputPitch, inputPitch, inputs, outputs, activation } = whole
  const across = Math.ceil(outputs / most)
  const column = (task % across) * most
  const row = Math.floor(task / across) * ROWS
  const rows = Math.min(ROWS, whole.rows - row)
  const width = Math.min(most, outputs - column)
  const at = (row * outputPitch + column) * 4
  const out = whole.out + at
  const residual = whole.residual === 0 ? 0 : whole.residual + at
  const weights = whole.weights + column * bytesPerColumn(inputs, dtype)
  const bias = whole.bias + column * 4
  const scales = whole.scales + column * 4
  const panel = whole.panel + thread * panelBytes(inputs)
  const input = whole.input + row * inputPitch * 4
  if (dtype === 'f32') {
    // biome-ignore format: the call reads as the kernel's signature
    matmulF32(out, outputPitch, input, inputPitch, weights, bias, residual, rows, inputs, width, activation)
  } else if (dtype === 'f16') {
    // biome-ignore format: the call reads as the kernel's signature
    matmulF16(out, outputPitch, input, inputPitch, weights, scales, bias, residual, rows, inputs, width, activation, panel)
  } else {
    const widened = dtype === 'q8' ? panel : 0
    // biome-ignore format: the call reads as the kernel's signature
    matmulInteger(out, outputPitch, whole.input, whole.rowScales, weights, scales, bias, residual, rows, inputs, width, activation, widened)
  }
}

// biome-ignore format: two functions that must agree, line by line
function packed(p: Product): number[] {
  return [DTYPES.indexOf(p.dtype),
    p.out, p.outputPitch, p.input, p.inputPitch, p.rowScales,
    p.weights, p.scales, p.bias, p.residual,
    p.rows, p.inputs, p.outputs, p.activation, p.panel]
}

// biome-ignore format: two functions that must agree, line by line
function unpacked([_tasks, dtype,
    out, outputPitch, input, inputPitch, rowScales,
    weights, scales, bias, residual,
    rows, inputs, outputs, activation, panel]: Float64Array): Product {
  return { dtype: DTYPES[dtype],
    out, outputPitch, input, inputPitch, rowScales,
    weights, scales, bias, residual,
    rows, inputs, outputs, activation: activation as Activation, panel }
}
