/** What differs between machines with a file system and the web; package.json's "imports" picks the implementation. */
declare module '#platform' {
  interface FileBytes {
    readonly size: number
    readonly name: string
    read(offset: number, length: number): Promise<Uint8Array>
    close(): Promise<void>
  }
  /** Opens a regular file for reading by ranges. */
  export function openFile(path: string | URL): Promise<FileBytes>
  /** Address of a file in the package's weights/ directory: `file:` or `http(s):`, depending on where this module was loaded from. */
  export function defaultWeights(name: string): URL
  /** SHA-256 as 64 lower-case hexadecimal digits. */
  export function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string>
}
