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
  /** Whether there are builds whose memory threads can share. */
  export const hasSharedBuilds: boolean
  export function kernelSource(relaxed: boolean, shared: boolean): Promise<WebAssembly.Module>
}
