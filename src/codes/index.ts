/**
 * What people do with tokens, without a model: files.
 *
 * @module
 */
export { TokenError } from '../errors.js'
export {
  decodeTokens,
  encodeTokens,
  type StoredTokens,
  TOKEN_FILE_FORMATS,
  type TokenFileFormat,
  type WritableTokens,
} from './formats.js'
