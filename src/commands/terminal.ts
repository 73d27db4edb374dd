/** What a command knows of the process that it runs in. */
export type Terminal = Readonly<{
  /** The environment variables. */
  environment: Readonly<Record<string, string | undefined>>
  /** How this command line is called again: `npx roster`, or `node dist/main.js`. */
  command: string
  /** Writes to standard output: what the command was asked for. */
  print: (text: string) => void
  /** Writes to standard error: what a person wants to know beside it. */
  printError: (text: string) => void
  /** Whether standard error is a terminal, where a line can be written over. */
  isInteractive: boolean
  /** Resolves when the process is to stop. Signals and stray errors end it as usual until this was called. */
  stopRequested: () => Promise<StopRequest>
}>

/** Why the process is to stop: a signal, or an error that nobody caught. */
export type StopRequest = Readonly<{ signal: string } | { error: unknown }>

/** A command that cannot do its work, for a reason that its message says in full. `exitCode` 2: it was used in a wrong way. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2, cause?: unknown) {
    super(message, { cause })
    this.exitCode = exitCode
  }
}
