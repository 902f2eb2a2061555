/**
 * The first key that one object of valid JSON text has twice, if any. JSON.parse keeps the last value silently, so that
 * two readers could see different tensors in the same file.
 */
export function repeatedKey(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = [] // the keys so far of each open object; undefined for an array
  let keyExpected = false
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]
    if (letter === '"') {
      const end = endOfString(text, i)
      const keys = objects.at(-1)
      if (keys && keyExpected) {
        const key = JSON.parse(text.slice(i, end)) as string
        if (keys.has(key)) return key
        keys.add(key)
        keyExpected = false
      }
      i = end - 1
    } else if (letter === '{') {
      objects.push(new Set())
      keyExpected = true
    } else if (letter === '[') {
      objects.push(undefined)
    } else if (letter === ']' || letter === '}') {
      objects.pop()
    } else if (letter === ',') {
      keyExpected = true
    }
  }
  return undefined
}

/** Index after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end + 1
}

/** Is there an odd number of backslashes before `at`? */
function isEscaped(text: string, at: number): boolean {
  let first = at
  while (text[first - 1] === '\\') first--
  return (at - first) % 2 === 1
}
