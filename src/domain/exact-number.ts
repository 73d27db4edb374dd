/**
 * Whether a JSON number survives being read as an IEEE 754 double and written again: the same digits, the same magnitude.
 * `1.0`, `1e2` and `0.1` do; `12345678901234567890`, `1e400` and `-0` do not (RFC 8259 §6).
 */
export function isExactNumber(text: string): boolean {
  const value = Number(text)
  if (String(value) === text) return true
  if (!Number.isFinite(value) || Object.is(value, -0)) return false
  const written = canonical(String(value))
  const sent = canonical(text)
  return written.digits === sent.digits && written.exponent === sent.exponent && written.sign === sent.sign
}

/** A decimal number as its significant digits and the power of ten they are multiplied by. */
function canonical(text: string): { sign: string; digits: string; exponent: number } {
  const [, sign = '', whole = '', fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const significant = (whole + fraction).replace(/^0+/, '')
  const digits = significant.replace(/0+$/, '')
  if (digits === '') return { sign: '', digits: '0', exponent: 0 }
  return { sign, digits, exponent: Number(power) - fraction.length + (significant.length - digits.length) }
}
