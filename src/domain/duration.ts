import { parse, toSeconds } from 'iso8601-duration'

/** The length of an ISO 8601 duration that begins at a time: months and years have the length they have from there. NaN for none. */
export function durationSeconds(text: string, from: Date): number {
  try {
    return toSeconds(parse(text), from)
  } catch {
    return Number.NaN
  }
}
