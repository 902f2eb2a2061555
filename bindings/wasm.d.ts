declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}
declare module '*.wasm?module' {
  const module: WebAssembly.Module
  export default module
}
declare module '#kernels' {
  /** Whether there is a relaxed build to ask for. */
  export const hasRelaxedBuild: boolean
  export function kernelSource(relaxed: boolean): Promise<WebAssembly.Module>
  /** Where a build lies whose memory threads can share; undefined where there are no threads. */
  export const sharedAddress: ((relaxed: boolean) => URL) | undefined
}
