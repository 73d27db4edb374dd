import type { Config } from '../config.ts'
import type { AccessTokens } from '../crypto/access-token.ts'
import type { Secrets } from '../crypto/secrets.ts'
import type { Providers } from '../ports/providers.ts'
import { type Budgets, defaultBudgets } from './budget.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import type { Scope } from './scope.ts'

/** How long a session stands. NIST SP 800-63B-4 §2.1.3 allows 30 days for AAL1. */
export type SessionLifetime = Readonly<{
  /** Since it was started, whatever happens. */
  absoluteSeconds: number
  /** Since it was last renewed. */
  idleSeconds: number
}>

/** What is said of links and of what is done with them. */
export type LinkSettings = Readonly<{
  /** Where clients reach Roster, without a trailing slash. */
  publicUrl: string
  /** The URLs that browsers may be sent to, parsed; `loopback`: those of this machine. */
  allowedRedirects: readonly string[] | 'loopback'
  /** Which addresses confirm a change of the address. */
  emailChangeConfirmation: 'both' | 'new'
}>

/** What signing in works with, put together once; use-cases get it beside their scope. */
export type Authentication = Readonly<{
  accessTokens: AccessTokens
  secrets: Secrets
  budgets: Budgets
  sessionLifetime: SessionLifetime
  passwords: Passwords
  /** Whether people may sign up by themselves. */
  signUpOpen: boolean
  /** Whether somebody who has an e-mail address signs in only once it is verified. */
  confirmsEmail: boolean
  links: LinkSettings
  /** Whether mail goes out; what has to send some asks it first. */
  mailEnabled: boolean
  /** Those whom people sign in with. */
  providers: Providers
}>

/** What a use-case of signing in works with. */
export type AuthenticationScope = Scope & Authentication

type Parts = Readonly<{ config: Config; accessTokens: AccessTokens; secrets: Secrets; mailEnabled: boolean; providers: Providers }>

/** Puts it together from the configuration. */
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
