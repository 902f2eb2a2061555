/** The part of the optional package that is used here. */
declare module 'onnxruntime-web' {
  export const env: { readonly wasm: { numThreads: number } }
  export class Tensor {
    constructor(type: 'float32', data: Float32Array, dims: readonly number[])
    readonly data: unknown
  }
  export class InferenceSession {
    static create(model: Uint8Array): Promise<InferenceSession>
    readonly inputNames: readonly string[]
    run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>
  }
}
