// Weights in the order the matrix product reads them: panels of 16 output columns, each [K][16], N padded to 16 with zeros.
//
//   source (any strides)          packed
//   w[n][tap][channel]    ->      panel 0: k=0: n0 n1 .. n15 | k=1: n0 .. n15 | ...     k = tap * channels + channel
//                                 panel 1: k=0: n16 .. n31   | ...
//
// One kernel serves Linear (taps = 1), Conv1d (out, in, k) and run-time matrices (attention's keys and values), by strides alone.

const PANEL: usize = 16

/** packed [ceil(n / 16)][taps * channels][16] from source element (n, tap, channel) at n * strideN + tap * strideTap + channel * strideChannel. */
export function packWeights(
  packed: usize,
  source: usize,
  n: usize,
  taps: usize,
  channels: usize,
  strideN: usize,
  strideTap: usize,
  strideChannel: usize,
): void {
  for (let first: usize = 0; first < n; first += PANEL) {
    const columns = min<usize>(PANEL, n - first)
    for (let tap: usize = 0; tap < taps; tap++) {
      for (let channel: usize = 0; channel < channels; channel++) {
        let element = source + ((first * strideN + tap * strideTap + channel * strideChannel) << 2)
        for (let column: usize = 0; column < PANEL; column++) {
          store<f32>(packed + (column << 2), column < columns ? load<f32>(element) : 0)
          element += strideN << 2
        }
        packed += PANEL << 2
      }
    }
  }
}
