/** Signs any header and payload, as text, the way no library would: for tokens that must be refused. */
export async function forge(privateKey: CryptoKey, header: object | string, payload: object | string): Promise<string> {
  const input = [header, payload].map((part) => base64url(typeof part === 'string' ? part : JSON.stringify(part))).join('.')
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, Buffer.from(input))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}

export function base64url(text: string): string {
  return Buffer.from(text).toString('base64url')
}

/** A token's header and payload, not verified. */
export function parts(token: string): { header: Record<string, unknown>; payload: Record<string, unknown> } {
  const [header, payload] = token
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>)
  return { header: header ?? {}, payload: payload ?? {} }
}
