/** How a password's characters become the bytes that are hashed. */
export type PasswordEncoding = 'utf8' | 'latin1' | 'utf16le'

/** What a hash from elsewhere is tried with: the password in its normal form, and as it was sent, as most others hash it. */
export function passwordForms(plainPassword: string, encoding: PasswordEncoding = 'utf8'): Buffer[] {
  return [...new Set([plainPassword.normalize('NFKC'), plainPassword])].map((password) => Buffer.from(password, encoding))
}

/** Whether one of the forms passes. */
export async function anyForm(forms: readonly Buffer[], passes: (form: Buffer) => Promise<boolean>): Promise<boolean> {
  for (const form of forms) if (await passes(form)) return true
  return false
}
