import { readBoundedText } from './bounded-text.ts'
import type { Logger } from './logger.ts'

/** The old system behind a connection, and what Roster shows it. */
export type OldDirectory = Readonly<{ connectionId: string; key: string; url: string; secret: string | null }>

/** A name as it was typed, and the password. */
export type OldCredentials = Readonly<{ email: string; password: string } | { username: string; password: string }>

/**
 * Asks an old system whether the name and the password belong together, until the deadline aborts. What it says of the person, not yet
 * looked at; null when it says no. @throws {OldDirectoryError} when it gives no answer, or nobody shall wait for it now
 */
export type AskOldDirectory = (
  directory: OldDirectory,
  credentials: OldCredentials,
  deadline: AbortSignal,
) => Promise<Readonly<Record<string, unknown>> | null>

/** The old system cannot say. `isNew`: it was asked, and it is worth being written down. */
export class OldDirectoryError extends Error {
  override readonly name = 'OldDirectoryError'
  readonly isNew: boolean

  constructor(isNew: boolean) {
    super('The old system cannot say now.')
    this.isNew = isNew
  }
}

/** A person with 16 KiB of metadata fits. */
const maxBytes = 65_536
/** How many are asked at once by this process; who comes later is refused at once. */
const maxAtOnce = 16
/** After so many failures one after another, how long nobody waits for it again. */
const failuresToPause = 3
const pauseMs = 5000

/** Asks over HTTP, without following redirects (OWASP ASVS 5.0 §15.3.2). The password and the answer are in no log. */
export function createOldDirectories(logger: Logger): AskOldDirectory {
  const failures = new Map<string, { count: number; at: number }>()
  let atOnce = 0
  return async (directory, credentials, deadline) => {
    const { connectionId, key } = directory
    const failed = failures.get(connectionId)
    const isPaused = failed !== undefined && failed.count >= failuresToPause && Date.now() < failed.at + pauseMs
    if (isPaused || atOnce >= maxAtOnce) throw new OldDirectoryError(false)
    atOnce++
    try {
      const answer = await ask(directory, credentials, deadline)
      failures.delete(connectionId)
      return answer
    } catch (error) {
      failures.set(connectionId, { count: (failed?.count ?? 0) + 1, at: Date.now() })
      logger.warn({ connection: key, reason: reasonOf(error) }, 'an old system does not say whose password it is')
      throw new OldDirectoryError(true)
    } finally {
      atOnce--
    }
  }
}

async function ask(
  { url, secret }: OldDirectory,
  credentials: OldCredentials,
  signal: AbortSignal,
): Promise<Record<string, unknown> | null> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...(secret && { authorization: `Bearer ${secret}` }) },
    body: JSON.stringify(credentials),
    redirect: 'manual',
    signal,
  })
  const text = await readBoundedText(response, maxBytes)
  if (response.status === 401 || response.status === 404) return null
  if (response.status !== 200) throw new Error(`answered ${response.status}`)
  return parse(text)
}

function parse(text: string): Record<string, unknown> {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw new Error('answered no JSON')
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) throw new Error('answered no JSON object')
  return answer as Record<string, unknown>
}

/** `fetch failed` alone would say nothing. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: unknown } }
  if (name === 'TimeoutError') return 'did not answer in time'
  return typeof cause?.code === 'string' ? cause.code : message
}
