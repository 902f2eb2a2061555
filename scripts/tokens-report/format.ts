/** What a .wtok file is made of. */
export const FORMAT_TEXT = `## \`.wtok\` files

Numbers are little-endian. A *varint* has seven bits per byte, low ones first; the top bit says that more follow.

| header | bytes | |
|---|---|---|
| magic | 8 | \`89 57 54 4f 4b 0d 0a 1a\` |
| version | 1 | 1; 2: with strides |
| coding | 1 | 0 packed; 1, 2, 3: contexts of order 0, 1, 2 |
| table bits | 1 | log2 of the slots of each table of contexts, 10 to 22; 0 when packed |
| codebooks | 2 | 1 to 1024 |
| sample rate | 4 | Hz |
| frame rate | 4 + 4 | numerator, denominator |
| frames | 4 | \`ffffffff\`: a stream, unknown |
| lengths of hash and model | 1 + 1 | |
| codebook sizes | 2 each | size - 1 |
| strides | 1 each | version 2 alone: frames that share a code of each codebook, the first a multiple of all |
| hash | 0 to 32 | first bytes of the SHA-256 of the weights |
| model | 0 to 255 | UTF-8 |
| CRC-32 | 4 | of everything before |

| block | bytes | |
|---|---|---|
| kind | 1 | 1 packed, 2 mixed, 0 end |
| frames | varint | in the end block: of the whole file |
| length | varint | kind 2 alone: bytes of the payload |
| payload | | kind 1: codes frame by frame, codebook by codebook, ceil(log2(size)) bits each, most significant first, zeros at the end |
| CRC-32 | 4 | of the block |

Codebooks of several rates (SNAC) are stored by frames of the coarsest: such a frame has all codes that fall on it, in order of time, coarse
codebooks first. Of strides 4, 2, 1 that is a0, b0, c0, c1, b1, c2, c3, the order in which speech models on SNAC read them. Frames of
blocks are these; those of the header, and its rate, are the finest codebook's.

Mixed blocks are arithmetic-coded, bit by bit, with probabilities that adapt: each bit is predicted in contexts of the bits of this
code so far (with a long and a short memory), of the last code's repetition, of the last code (order 1) and of the last two, or of
the codebook above (order 2); the predictions are mixed in the logistic domain. All in integers, so every engine writes the same
bytes. A block is stored mixed only where that is smaller, so a file is never larger than its packed form. The contexts live on from
block to block, and packed blocks teach them too.

A reader gives every block before the first damaged one. \`TokenReader\` and \`TokenWriter\` (\`wavtok/codes\`) take bytes and frames in
any cut; \`flush()\` ends a block early, for live streams. On the command line: \`wavtok encode\` writes .wtok, \`wavtok decode\` and
\`wavtok info\` read it, \`--recover\` takes what lies before the damage.
`

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(head),
    `|${head.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|`,
    ...rows.map(line),
  ].join('\n')
}
