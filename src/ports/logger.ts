import { destination, type Logger as Pino, pino } from 'pino'

/** Structured logs, one JSON object a line on standard output. */
export type Logger = Pick<Pino, 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  /** A logger that adds these fields to each line. */
  child: (fields: Record<string, unknown>) => Logger
}

/**
 * Writes lines at this level and above; `silent` writes none. Lines are written a few at a time, a tenth of a second later at the most,
 * and at the end of the process: writing each by itself takes longer than making it.
 */
export function createLogger(level: string): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  if (level === 'silent') return pino(options)
  return pino(options, destination({ sync: false, minLength: 4096, periodicFlush: 100 }))
}
