import { type Logger as Pino, pino } from 'pino'

/** Structured logs, one JSON object a line on standard output. */
export type Logger = Pick<Pino, 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  /** A logger that adds these fields to each line. */
  child: (fields: Record<string, unknown>) => Logger
}

/** Writes lines at this level and above; `silent` writes none. */
export function createLogger(level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } })
}
