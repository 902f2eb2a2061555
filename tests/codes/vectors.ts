import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A file of tests/vectors/codes. */
export function vectors(name: string) {
  return JSON.parse(
    readFileSync(fileURLToPath(new URL(`../vectors/codes/${name}.json`, import.meta.url)), 'utf8'),
  )
}
