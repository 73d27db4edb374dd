import type { Config } from '../config.ts'
import type { AccessTokenSettings } from '../crypto/access-token.ts'

/** The issuer, audience and lifetime of own tokens. In development the issuer is made from the port. */
export function tokenSettings({ publicUrl, port, tokenAudience, accessTokenSeconds }: Config): AccessTokenSettings {
  const issuer = publicUrl ?? `http://localhost:${port}`
  return { issuer, audience: tokenAudience ?? issuer, accessTokenSeconds }
}
