import { createRequire } from 'node:module'
import { foldCase } from '../normalize.ts'

const require = createRequire(import.meta.url)

/**
 * Passwords that everybody tries first: those of the list of zxcvbn-ts that are long enough to be chosen, about 18,000. They are unpacked
 * when they are asked for first: whoever starts the server does not wait for them.
 */
export function commonPasswords(minLength: number): () => ReadonlySet<string> {
  let common: ReadonlySet<string> | null = null
  return () => {
    common ??= unpack(minLength)
    return common
  }
}

function unpack(minLength: number): ReadonlySet<string> {
  const { dictionary } = require('@zxcvbn-ts/language-common') as typeof import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'].filter((password) => password.length >= minLength).map(foldCase))
}
