import { importPKCS8, SignJWT } from 'jose'
import { type ClientAuth, ClientSecretBasic, ClientSecretPost, None } from 'openid-client'

/** How long a client secret of Apple's form is good for; it is made anew for each request. */
const appleSecretSeconds = 300

/**
 * How Roster shows a provider who it is: not at all without a secret; by `client_secret_basic`, which every provider must know (RFC 6749
 * §2.3.1), unless its metadata leaves that out; and with Apple's private key where the secret is
 * `{ "teamId": "...", "keyId": "...", "privateKey": "-----BEGIN PRIVATE KEY-----..." }`.
 */
export function clientAuthentication(clientSecret: string | null): ClientAuth {
  if (clientSecret === null) return None()
  const key = parseAppleKey(clientSecret)
  if (key !== null)
    return async (as, client, body, headers) => ClientSecretPost(await appleSecret(key, client.client_id))(as, client, body, headers)
  return (as, client, body, headers) => {
    const methods = as.token_endpoint_auth_methods_supported
    const authenticate = methods === undefined || methods.includes('client_secret_basic') ? ClientSecretBasic : ClientSecretPost
    return authenticate(clientSecret)(as, client, body, headers)
  }
}

type AppleKey = Readonly<{ teamId: string; keyId: string; privateKey: string }>

function parseAppleKey(clientSecret: string): AppleKey | null {
  try {
    const { teamId, keyId, privateKey } = JSON.parse(clientSecret) as Record<string, unknown>
    const isKey = typeof teamId === 'string' && typeof keyId === 'string' && typeof privateKey === 'string'
    return isKey ? { teamId, keyId, privateKey } : null
  } catch {
    return null
  }
}

/** A JWT in place of a secret: https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret */
async function appleSecret({ teamId, keyId, privateKey }: AppleKey, clientId: string): Promise<string> {
  const jwt = new SignJWT().setProtectedHeader({ alg: 'ES256', kid: keyId })
  const said = jwt.setIssuer(teamId).setSubject(clientId).setAudience('https://appleid.apple.com')
  return said
    .setIssuedAt()
    .setExpirationTime(`${appleSecretSeconds}s`)
    .sign(await importPKCS8(privateKey, 'ES256'))
}
