import { decodeTokens, encodeTokens } from '../../src/codes/index.js'
import { AudioTokens, type TokenizerInfo } from '../../src/index.js'

/** Tokens of a file of any kind; what it does not say about them is taken to be as the model has it. */
export function readTokens(bytes: Uint8Array, info: TokenizerInfo): AudioTokens {
  const stored = decodeTokens(bytes)
  const { codebookSizes, frameRate, sampleRate, model } = { ...info, model: info.family, ...defined(stored) }
  return new AudioTokens(stored.codes, { codebookSizes, frameRate, sampleRate, model })
}

function defined<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

/** How the part of an address behind the page begins where it holds a clip. */
export const CLIP_HASH = '#clip='

/** Tokens as the end of an address: a compressed token file in base64url (RFC 4648, section 5). */
export function toHash(tokens: AudioTokens): string {
  let text = ''
  for (const byte of encodeTokens(tokens, 'wtok')) text += String.fromCharCode(byte)
  return CLIP_HASH + btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** The bytes of the token file in an address. */
export function fromHash(hash: string): Uint8Array {
  try {
    const text = atob(hash.slice(CLIP_HASH.length).replaceAll('-', '+').replaceAll('_', '/'))
    return Uint8Array.from(text, letter => letter.charCodeAt(0))
  } catch {
    throw new Error('the address of this page is damaged; what stands behind # is no clip')
  }
}
