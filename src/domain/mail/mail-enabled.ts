import type { Authentication } from '../authentication.ts'
import { DomainError } from '../errors.ts'

/**
 * Each door that has to send mail asks it before it looks anybody up.
 * @throws {DomainError} MAIL_NOT_CONFIGURED in production without SMTP_URL
 */
export function assertMailEnabled({ mailEnabled }: Pick<Authentication, 'mailEnabled'>): void {
  if (!mailEnabled) throw new DomainError('MAIL_NOT_CONFIGURED', 'This server sends no mail: the operator has to set SMTP_URL.', [], {})
}
