const COLUMNS = [
  'runtime',
  'version',
  'build',
  'tokens',
  'samples',
  'encode RTF',
  'decode RTF',
  'start ms',
  'result',
]

function cells({ name, version, load, encode, decode, verdict }) {
  if (!load) return [name, version ?? '-', '-', '-', '-', '-', '-', '-', verdict.split('\n')[0]]
  const rtf = ({ ms }) => (ms / 1000 / encode.seconds).toFixed(4)
  const [tokens, samples] = [encode.hash.slice(0, 8), decode.hash.slice(0, 8)]
  return [name, version, load.build, tokens, samples, rtf(encode), rtf(decode), load.ms.toFixed(0), verdict]
}

/** RTF: seconds of computation per second of audio. Start: import of the package and load of the default model, ms. */
export function printTable(results) {
  const rows = [COLUMNS, ...results.map(cells)]
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map(cells => cells[column].length)))
  for (const cells of rows)
    console.log(
      cells
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
}
