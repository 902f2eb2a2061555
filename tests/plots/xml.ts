import * as assert from 'uvu/assert'

/** Names of all elements of a document. Fails unless every tag is closed in order and every attribute and entity is well formed. */
export function elements(xml: string): string[] {
  const open: string[] = []
  const names: string[] = []
  let rest = xml
  for (let tag = rest.indexOf('<'); tag >= 0; tag = rest.indexOf('<')) {
    checkText(rest.slice(0, tag))
    const match = rest.slice(tag).match(/^<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/)
    assert.ok(match, `not a tag: ${rest.slice(tag, tag + 80)}`)
    const [whole, closing, name, attributes, selfClosing] = match!
    checkText(attributes)
    if (closing) assert.is(open.pop(), name, 'tags are closed in order')
    else {
      names.push(name)
      if (!selfClosing) open.push(name)
    }
    rest = rest.slice(tag + whole.length)
  }
  assert.equal(open, [], 'every tag is closed')
  assert.is(rest.trim(), '')
  return names
}

function checkText(text: string): void {
  assert.not.match(text, /&(?!(?:amp|lt|gt|quot|#39);)/, 'every & begins an entity')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids
  assert.not.match(text, /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/)
}
