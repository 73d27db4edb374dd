/** An error as a log line may hold it. */
export type ErrorDescription = Readonly<{ name: string; message?: string; code?: string; stack?: string; cause?: ErrorDescription }>

/** Errors of the language itself and of our own code speak of code. Those of drivers, parsers and clients quote what was sent. */
const plainNames = new Set(['Error', 'TypeError', 'RangeError', 'ReferenceError', 'AssertionError', 'DatabaseStartError'])

const maxCauses = 4

/** Says what went wrong and where, down to the causes, without a message that could hold a value someone sent. */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { name: error === null ? 'null' : typeof error }
  const { name, message, stack, cause } = error
  const code = (error as { code?: unknown }).code
  return {
    name: name === 'Error' ? error.constructor.name : name,
    // An error with a code has been explained, and its message may quote what was received.
    ...(typeof code === 'string' ? { code } : plainNames.has(name) && error.constructor.name === name ? { message } : {}),
    ...(stack === undefined ? {} : { stack: frames(stack, message) }),
    ...(cause === undefined || depth === maxCauses ? {} : { cause: describeError(cause, depth + 1) }),
  }
}

/** The calls of a stack, without the message that it begins with. */
function frames(stack: string, message: string): string {
  const start = stack.indexOf(message)
  if (start < 0) return ''
  const lines = stack.slice(start + message.length).split('\n')
  return lines.filter((line) => /^ {4}at /.test(line)).join('\n')
}
