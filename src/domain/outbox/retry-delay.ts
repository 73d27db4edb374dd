/** How often a message is tried: over some nine hours. */
export const maxAttempts = 8

const firstMs = 15_000
const factor = 4
const mostMs = 4 * 60 * 60_000

/** How long to wait after the attempt of this number: 15 s, 1 min, 4 min, 16 min, 64 min, 4 h, of which up to half is left out at random. */
export function retryDelayMs(attempt: number): number {
  return Math.min(firstMs * factor ** (attempt - 1), mostMs) * (1 - Math.random() / 2)
}
