// Audio of the spectra that the peer's graphs end in: proof, outside the timing, that they are the audio of the other engine.

/**
 * Samples `start` to `start + count`, by the plain sum over bins of the frames that overlap there. real, imag: [1, bins, frames].
 * `centred`: half a window is dropped at the start, else ("same") what a window is longer than a hop.
 */
export function audioAt(real, imag, { hop, start, count, centred = false }) {
  const [, bins, frames] = real.dims
  const nFft = 2 * (bins - 1)
  const dropped = centred ? nFft / 2 : (nFft - hop) / 2
  return Array.from({ length: count }, (_, n) => {
    const position = start + dropped + n
    let sum = 0
    let envelope = 0
    for (let frame = 0; frame < frames; frame++) {
      const t = position - frame * hop
      if (t < 0 || t >= nFft) continue
      const window = 0.5 * (1 - Math.cos((2 * Math.PI * t) / nFft))
      sum += window * inverseAt(real.data, imag.data, { frame, frames, bins, nFft, t })
      envelope += window * window
    }
    return sum / envelope
  })
}

function inverseAt(re, im, { frame, frames, bins, nFft, t }) {
  let sum = 0
  for (let bin = 0; bin < bins; bin++) {
    const angle = (2 * Math.PI * ((bin * t) % nFft)) / nFft
    const weight = bin === 0 || bin === bins - 1 ? 1 : 2
    const at = bin * frames + frame
    sum += weight * (re[at] * Math.cos(angle) - (weight === 1 ? 0 : im[at]) * Math.sin(angle))
  }
  return sum / nFft
}
