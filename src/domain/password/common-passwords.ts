import { dictionary } from '@zxcvbn-ts/language-common'
import { foldCase } from '../normalize.ts'

/** Passwords that everybody tries first: those of the list of zxcvbn-ts that are long enough to be chosen, about 18,000. */
export function commonPasswords(minLength: number): ReadonlySet<string> {
  const listed = dictionary['passwords-common'].filter((password) => password.length >= minLength)
  return new Set(listed.map(foldCase))
}
