/** How one sample is stored: `bytes` in the file, `read` gives it as a number in [-1, 1) (floats as they are). */
export interface SampleType {
  readonly bytes: number
  readonly read: (view: DataView, at: number) => number
}

/** Integer PCM by container size in bytes. Narrower samples are left-justified in their container, so the scale is the container's. */
export const PCM: Readonly<Record<number, SampleType>> = {
  1: { bytes: 1, read: (view, at) => (view.getUint8(at) - 128) / 128 },
  2: { bytes: 2, read: (view, at) => view.getInt16(at, true) / 32768 },
  3: { bytes: 3, read: (view, at) => (view.getInt16(at + 1, true) * 256 + view.getUint8(at)) / 8388608 },
  4: { bytes: 4, read: (view, at) => view.getInt32(at, true) / 2147483648 },
}

/** IEEE floating point by container size in bytes. */
export const FLOAT: Readonly<Record<number, SampleType>> = {
  4: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  8: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
}

/** ITU-T G.711 A-law: sign, 3 bits exponent, 4 bits mantissa, every other bit inverted; 13-bit range. */
export const A_LAW: Readonly<Record<number, SampleType>> = {
  1: { bytes: 1, read: (view, at) => aLaw(view.getUint8(at)) / 32768 },
}

/** ITU-T G.711 mu-law: sign, 3 bits exponent, 4 bits mantissa, all inverted; 14-bit range with a bias of 33 (132 in 16 bits). */
export const MU_LAW: Readonly<Record<number, SampleType>> = {
  1: { bytes: 1, read: (view, at) => muLaw(view.getUint8(at)) / 32768 },
}

function aLaw(byte: number): number {
  const code = byte ^ 0x55
  const exponent = (code >> 4) & 7
  const mantissa = ((code & 15) << 4) + 8
  const magnitude = exponent === 0 ? mantissa : (mantissa + 256) << (exponent - 1)
  return code & 0x80 ? magnitude : -magnitude
}

function muLaw(byte: number): number {
  const code = ~byte
  const magnitude = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
  return code & 0x80 ? -magnitude : magnitude
}
