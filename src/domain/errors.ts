/** What each kind of expected failure knows beyond its code, message and path. */
export type DomainErrorDetails = {
  INVALID_INPUT: Record<never, never>
  EMAIL_TAKEN: Record<never, never>
  PHONE_NUMBER_TAKEN: Record<never, never>
  USERNAME_TAKEN: Record<never, never>
  EXTERNAL_ID_TAKEN: Record<never, never>
  USER_NOT_FOUND: Record<never, never>
  ADMIN_TOKEN_NOT_FOUND: Record<never, never>
  VERSION_CONFLICT: { currentVersion: number }
  METADATA_TOO_LARGE: { limit: number; actual: number }
  WEAK_PASSWORD: { reasons: string[] }
  INVALID_CREDENTIALS: Record<never, never>
  EMAIL_NOT_VERIFIED: Record<never, never>
  SIGN_UP_DISABLED: Record<never, never>
  TOKEN_EXPIRED: Record<never, never>
  TOKEN_NOT_VALID: Record<never, never>
  REAUTHENTICATION_REQUIRED: Record<never, never>
  SESSION_NOT_FOUND: Record<never, never>
  IDENTITY_NOT_FOUND: Record<never, never>
  IDENTITY_TAKEN: Record<never, never>
  LAST_IDENTITY: Record<never, never>
  CONNECTION_NOT_FOUND: Record<never, never>
  CONNECTION_KEY_TAKEN: Record<never, never>
  CONNECTION_IN_USE: Record<never, never>
  PROVIDER_UNAVAILABLE: Record<never, never>
  JOB_NOT_FOUND: Record<never, never>
  UPLOAD_NOT_FOUND: Record<never, never>
  REDIRECT_NOT_ALLOWED: Record<never, never>
  MAIL_NOT_CONFIGURED: Record<never, never>
  CONSTRAINT_FAILED: { table: string | null; constraint: string | null; column: string | null; hint: string }
  TRIGGER_REJECTED: { trigger: string | null; function: string | null; table: string | null; hint: string }
  DELETE_BLOCKED: { references: DeleteReference[] }
}

/** A host table's foreign key that holds a user, and how many of its rows do. */
export type DeleteReference = { table: string; constraint: string; rows: number }

export type DomainErrorCode = keyof DomainErrorDetails

/**
 * An expected failure: something the caller can show to a person and go on. Mutations answer it as data, in `errors`.
 * The message is for the caller; what only an operator may see goes into `cause`, which is logged and never answered.
 */
export class DomainError<Code extends DomainErrorCode = DomainErrorCode> extends Error {
  override readonly name = 'DomainError'
  readonly code: Code
  /** The input field it is about, from the argument down: `['input', 'email']`. Empty: the request as a whole. */
  readonly path: readonly string[]
  readonly details: DomainErrorDetails[Code]

  constructor(code: Code, message: string, path: readonly string[], details: DomainErrorDetails[Code], cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.path = path
    this.details = details
  }
}

/** Several expected failures at once: everything that is wrong with an input comes back together. */
export class DomainErrors extends Error {
  override readonly name = 'DomainErrors'
  readonly errors: readonly DomainError[]

  constructor(errors: readonly DomainError[]) {
    super(errors.map((error) => error.message).join(' '))
    this.errors = errors
  }
}

/** What is wrong with one input field. */
export function invalidInput(path: readonly string[], message: string): DomainError<'INVALID_INPUT'> {
  return new DomainError('INVALID_INPUT', message, path, {})
}

/** The codes of top-level errors: who calls, or what they sent, or Roster itself stands in the way of an answer. */
export type RequestErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'BAD_USER_INPUT'
  | 'NOT_FOUND'
  | 'RATE_LIMITED'
  | 'QUERY_TOO_COMPLEX'
  | 'SERVICE_UNAVAILABLE'

/** A failure that is answered as a top-level GraphQL error with `extensions.code`, or as an HTTP status elsewhere. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly code: RequestErrorCode
  /** What `extensions` says beside the code: `requiredScopes`, `field`, `retryAfterSeconds`. */
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(code: RequestErrorCode, message: string, extensions: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.extensions = extensions
  }
}

/** The database, or a service it needs, does not answer now; the same request may succeed later. */
export function serviceUnavailable(cause: unknown, retryAfterSeconds = 1): RequestError {
  return new RequestError('SERVICE_UNAVAILABLE', 'The service is not available now. Try again later.', { retryAfterSeconds }, cause)
}
