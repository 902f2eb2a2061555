import { escapeXml } from '../../../plots/index.js'

export function section(heading: string, content: string): string {
  return `<section>\n<h2>${escapeXml(heading)}</h2>\n${content}\n</section>`
}

/** `heads` and rows of plain text; the first cell of a row is its head. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map(text => `<th scope="col">${escapeXml(text)}</th>`).join('')
  return `<div class="wide" tabindex="0"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${rows.map(row).join('\n')}\n</tbody>\n</table></div>`
}

function row([first, ...rest]: readonly string[]): string {
  const cells = rest.map(text => `<td>${escapeXml(text)}</td>`).join('')
  return `<tr><th scope="row">${escapeXml(first)}</th>${cells}</tr>`
}

export function paragraph(text: string): string {
  return `<p>${escapeXml(text)}</p>`
}
