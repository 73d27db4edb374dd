import { DomainError, invalidInput } from '../errors.ts'
import { foldCase } from '../normalize.ts'

/** What new passwords are held against. */
export type PasswordPolicy = Readonly<{
  /** Code points of the normal form. NIST SP 800-63B-4 §3.1.1.2 wants 15 where the password is the only factor, 8 where it is not. */
  minLength: number
  /** In the form that is compared: folded. */
  common: () => ReadonlySet<string>
  /** The names of the product and of the host it is reached at, folded. */
  productWords: readonly string[]
}>

/** Whose password it is to be: what others know of the person is no secret. */
export type PasswordContext = Readonly<{ email?: string | null; username?: string | null }>

/** Bytes of UTF-8. Long pass phrases fit; a megabyte of hashing does not. */
export const passwordMaxBytes = 1024

/** Below this, a word is part of too many others. */
const wordMinLength = 3

/**
 * What is wrong with a new password; null when it may be used. There are no rules of composition (OWASP ASVS 5.0 §6.2.5).
 * Its reasons are TOO_SHORT, TOO_LONG, COMMON and CONTEXT.
 */
export function passwordProblem(
  policy: PasswordPolicy,
  password: string,
  path: readonly string[],
  context: PasswordContext = {},
): DomainError | null {
  if (!password.isWellFormed()) return invalidInput(path, 'A password must not hold a lone surrogate.')
  if (Buffer.byteLength(password) > passwordMaxBytes) return weak(path, ['TOO_LONG'], `A password has at most ${passwordMaxBytes} bytes.`)
  const problems = [
    [length(password) < policy.minLength, 'TOO_SHORT', `A password has at least ${policy.minLength} characters.`],
    [policy.common().has(foldCase(password)), 'COMMON', 'This password is one of those that are tried first.'],
    [restsOn(contextWords(policy, context), password), 'CONTEXT', 'This password is little more than a name that others know.'],
  ] as const
  const found = problems.filter(([isProblem]) => isProblem)
  if (found.length === 0) return null
  return weak(
    path,
    found.map(([, reason]) => reason),
    found.map(([, , message]) => message).join(' '),
  )
}

/** The words of a product that runs at this URL. */
export function productWords(publicUrl: string | null): readonly string[] {
  const labels = publicUrl === null ? [] : new URL(publicUrl).hostname.split('.').slice(0, -1)
  return ['roster', ...labels.map(foldCase)]
}

function contextWords({ productWords }: PasswordPolicy, { email, username }: PasswordContext): string[] {
  const folded = email ? foldCase(email.trim()) : ''
  const [local = ''] = folded.split('@')
  const words = [folded, local, ...local.split(/[^\p{L}\p{N}]+/u), foldCase(username?.trim() ?? ''), ...productWords]
  return words.filter((word) => length(word) >= wordMinLength).toSorted((one, other) => other.length - one.length)
}

/** Whether little is left of the password without the words: less than half of it. */
function restsOn(words: readonly string[], password: string): boolean {
  const folded = foldCase(password)
  const rest = words.reduce((left, word) => left.replaceAll(word, ''), folded)
  return rest !== folded && length(rest) * 2 < length(folded)
}

/** NIST SP 800-63B-4 §3.1.1.2: each code point counts as one character. */
function length(text: string): number {
  return [...text.normalize('NFKC')].length
}

function weak(path: readonly string[], reasons: string[], message: string): DomainError {
  return new DomainError('WEAK_PASSWORD', message, path, { reasons })
}
