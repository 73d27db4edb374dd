import type { Authentication } from '../authentication.ts'
import { DomainError } from '../errors.ts'

/** @throws {DomainError} SIGN_UP_DISABLED when nobody may sign up. Each door that makes users for strangers asks it. */
export function assertSignUpOpen({ signUpOpen }: Pick<Authentication, 'signUpOpen'>): void {
  if (!signUpOpen) throw new DomainError('SIGN_UP_DISABLED', 'Nobody can sign up here.', [], {})
}
