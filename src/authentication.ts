import type { Config } from './config.ts'
import type { Authentication } from './domain/authentication.ts'
import { defaultBudgets } from './domain/budget.ts'
import { createPasswords } from './domain/password/passwords.ts'

type Parts = Readonly<{ config: Config }> &
  Pick<Authentication, 'accessTokens' | 'secrets' | 'mailEnabled' | 'providers' | 'askOldDirectory'>

/** Puts together what signing in works with. */
export function createAuthentication({ config, ...parts }: Parts): Authentication {
  const { sessionSeconds, sessionIdleSeconds, rateLimits, allowedRedirects, emailChangeConfirmation } = config
  return Object.freeze({
    ...parts,
    budgets: Object.freeze({ ...defaultBudgets, ...rateLimits }),
    passwords: createPasswords(config),
    signUpOpen: config.signUp,
    trustedProviders: new Map(config.trustedIssuers.map(({ provider, issuer }) => [provider, issuer])),
    confirmsEmail: config.emailConfirmation === 'required',
    sessionLifetime: Object.freeze({ absoluteSeconds: sessionSeconds, idleSeconds: sessionIdleSeconds }),
    links: Object.freeze({ publicUrl: parts.accessTokens.issuer, allowedRedirects, emailChangeConfirmation }),
  })
}
