import type { LinkSettings } from '../authentication.ts'
import type { LinkType } from '../one-time-token.ts'

/** Where the page is that links open, from PUBLIC_URL on. */
export const verifyPath = '/auth/verify'

type Target = Readonly<{ type: LinkType; token: string; redirectTo: string | null }>

/** The link that is mailed, or handed to an administrator. */
export function actionLink({ publicUrl }: Pick<LinkSettings, 'publicUrl'>, { type, token, redirectTo }: Target): string {
  const parameters = new URLSearchParams({ token, type, ...(redirectTo === null ? {} : { redirect_to: redirectTo }) })
  return `${publicUrl}${verifyPath}?${parameters}`
}
