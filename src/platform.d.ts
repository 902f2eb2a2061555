/** What differs between machines with a file system and the web; package.json's "imports" picks the implementation. */
declare module '#platform' {
  interface Bytes {
    readonly size: number
    read(offset: number, length: number): Promise<Uint8Array>
    close(): Promise<void>
  }
  interface FileBytes extends Bytes {
    readonly name: string
  }
  /** Opens a regular file for reading by ranges. */
  export function openFile(path: string | URL): Promise<FileBytes>
  /** Address of a file in the package's weights/ directory: `file:` or `http(s):`, depending on where this module was loaded from. */
  export function defaultWeights(name: string): URL
  /** False on pages without HTTPS. */
  export function canHash(): boolean
  /** SHA-256 as 64 lower-case hexadecimal digits. */
  export function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string>
  /** SHA-256 of a whole file; where the platform allows, without holding it in memory. */
  export function sha256OfFile(file: Bytes): Promise<string>

  /** A download that is not complete yet. */
  interface Draft {
    /** Bytes that are there. */
    readonly size: number
    /** The server's strong ETag: what allows to go on later. */
    readonly etag: string | undefined
    append(bytes: Uint8Array): Promise<void>
    /** What is there, for checking and reading. */
    open(): Promise<Bytes>
    /** Makes it the complete file, at once or not at all. */
    publish(): Promise<void>
    /** Leaves it for a later call to go on with, where that is possible. */
    suspend(): Promise<void>
    discard(): Promise<void>
  }
  /** Complete files and drafts in a directory that several processes may share. */
  interface Folder {
    readonly place: string
    find(url: string): Promise<Bytes | undefined>
    remove(url: string): Promise<void>
    /** A draft that nobody works on, if there is one. */
    resume(url: string): Promise<Draft | undefined>
    begin(url: string, etag: string | undefined): Promise<Draft>
  }
  /** The directory for downloaded models; undefined where there is no file system, or the Cache API instead. */
  export function modelFolder(): Folder | undefined

  /** A Worker of the web or of node:worker_threads that runs dist/worker.js (worker.node.js), or the module at `url`. */
  export function startWorker(url?: string | URL): unknown
  /** Inside a worker: its end of the line. */
  export function workerPort(): unknown
}
