import type { Config } from './config.ts'
import type { AccessTokens } from './crypto/access-token.ts'
import type { Secrets } from './crypto/secrets.ts'
import type { Authentication } from './domain/authentication.ts'
import { defaultBudgets } from './domain/budget.ts'
import { createPasswords } from './domain/passwords.ts'
import type { Providers } from './ports/providers.ts'

type Parts = Readonly<{ config: Config; accessTokens: AccessTokens; secrets: Secrets; mailEnabled: boolean; providers: Providers }>

/** Puts together what signing in works with. */
export function createAuthentication({ config, ...parts }: Parts): Authentication {
  const { sessionSeconds, sessionIdleSeconds, rateLimits, allowedRedirects, emailChangeConfirmation } = config
  return Object.freeze({
    ...parts,
    budgets: Object.freeze({ ...defaultBudgets, ...rateLimits }),
    passwords: createPasswords(config),
    signUpOpen: config.signUp,
    confirmsEmail: config.emailConfirmation === 'required',
    sessionLifetime: Object.freeze({ absoluteSeconds: sessionSeconds, idleSeconds: sessionIdleSeconds }),
    links: Object.freeze({ publicUrl: parts.accessTokens.issuer, allowedRedirects, emailChangeConfirmation }),
  })
}
