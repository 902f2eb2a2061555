import { TokenError } from '../errors.js'

const SMALL =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  )
const TENS = 'zero ten twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')
const THOUSANDS =
  ' thousand million billion trillion quadrillion quintillion sextillion septillion octillion nonillion decillion'.split(
    ' ',
  )

/**
 * A number in English words, as Python's `inflect` says it: 1999.05 is `one thousand, nine hundred and ninety-nine point zero five`.
 *
 * @param digits digits, with a decimal point or without
 * @throws TokenError from 10^36 on
 */
export function numberWords(digits: string): string {
  const [whole, decimals] = digits.split('.')
  const point = decimals ? ` point ${Array.from(decimals, digit => SMALL[Number(digit)]).join(' ')}` : ''
  return wholeWords(whole.replace(/^0+(?=\d)/, '')) + point
}

function wholeWords(digits: string): string {
  if (digits === '0') return 'zero'
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.../g) ?? []
  if (groups.length > THOUSANDS.length)
    throw new TokenError(
      `the number ${digits.slice(0, 40)}... has ${digits.length} digits; at most 36 have words`,
    )
  const parts = groups
    .map((group, i) => [group, THOUSANDS[groups.length - 1 - i]])
    .filter(([group]) => group !== '000')
  return parts.reduce((text, [group, thousands], i) => {
    // The last units follow with `and` where they have no hundreds.
    const joint = i === 0 ? '' : thousands === '' && group.startsWith('0') ? ' and ' : ', '
    return text + joint + groupWords(group) + (thousands && ` ${thousands}`)
  }, '')
}

/** Words of three digits. */
function groupWords(group: string): string {
  const hundreds = Number(group[0])
  const rest = Number(group.slice(1))
  const ten = Math.floor(rest / 10)
  const below = rest < 20 ? SMALL[rest] : rest % 10 === 0 ? TENS[ten] : `${TENS[ten]}-${SMALL[rest % 10]}`
  if (hundreds === 0) return below
  return `${SMALL[hundreds]} hundred${rest === 0 ? '' : ` and ${below}`}`
}
