import type { LinkSettings } from '../authentication.ts'

/** Where providers send browsers back to, from PUBLIC_URL on: a path for each connection (RFC 9700 §4.4.2.2). */
export const callbackPath = '/auth/callback/'

/** The redirect URI that a provider has to be told. */
export function callbackUrl({ publicUrl }: Pick<LinkSettings, 'publicUrl'>, key: string): string {
  return `${publicUrl}${callbackPath}${key}`
}
