/** Text as it may stand in XML: markup is written as entities, characters that XML forbids are left out. */
export function escapeXml(text: string): string {
  return Array.from(text, letter => ENTITIES[letter] ?? (isForbidden(letter) ? '' : letter)).join('')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Not a Char of XML 1.0, section 2.2. */
function isForbidden(letter: string): boolean {
  const code = letter.codePointAt(0)!
  const isLoneSurrogate = code >= 0xd800 && code <= 0xdfff
  return (code < 32 && !'\t\n\r'.includes(letter)) || isLoneSurrogate || code === 0xfffe || code === 0xffff
}

export type Attributes = Readonly<Record<string, string | number>>

/** `<name a="1">content</name>`; content is markup, numbers get at most two decimals. */
export function element(name: string, attributes: Attributes, content = ''): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${attribute(value)}"`)
  return content ? `<${name}${list.join('')}>${content}</${name}>` : `<${name}${list.join('')}/>`
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escapeXml(content))
}

function attribute(value: string | number): string {
  return typeof value === 'number' ? short(value, 2) : escapeXml(value)
}

/** A number with at most `digits` decimals and no zeros behind. */
export function short(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)))
}
