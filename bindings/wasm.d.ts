declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}
declare module '*.wasm?module' {
  const module: WebAssembly.Module
  export default module
}
declare module '#kernels' {
  export function kernelSource(relaxed: boolean): Promise<WebAssembly.Module>
}
