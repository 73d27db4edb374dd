import type { LinkType } from '../domain/one-time-token.ts'
import type { Answer } from './exchange.ts'
import { type Html, html, page } from './page.ts'

/** What a link of the page carries. */
export type LinkParameters = Readonly<{ type: LinkType; token: string; redirectTo: string | null }>

type Words = Readonly<{ title: string; text: string; button: string; done: string }>

const words: { readonly [Type in LinkType]?: Words } = {
  SIGNUP: {
    title: 'Confirm your address',
    text: 'One more click, and your account is ready.',
    button: 'Confirm',
    done: 'Your address is confirmed. You can close this page and sign in.',
  },
  INVITE: {
    title: 'Accept the invitation',
    text: 'Choose a password for your account.',
    button: 'Accept',
    done: 'Your account is ready. You can close this page and sign in.',
  },
  MAGIC_LINK: {
    title: 'Sign in',
    text: 'Go on to sign in. The link works once.',
    button: 'Sign in',
    done: 'Your address is confirmed. You can close this page and go back to where you came from.',
  },
  RECOVERY: {
    title: 'Set a new password',
    text: 'You are signed out everywhere else when it is set.',
    button: 'Set the password',
    done: 'Your password is set. You can close this page and sign in.',
  },
  EMAIL_CHANGE_CURRENT: {
    title: 'Change your address',
    text: 'Agree that your account gets another e-mail address.',
    button: 'Agree',
    done: 'Thank you. The change is made as soon as the new address is confirmed, too.',
  },
  EMAIL_CHANGE_NEW: {
    title: 'Confirm your new address',
    text: 'Confirm that this is the new e-mail address of your account.',
    button: 'Confirm',
    done: 'Thank you. If the change was sent to your old address as well, it is made as soon as that is confirmed, too.',
  },
}

/** Whether there is a page for links of this type. */
export function hasPage(type: string): type is LinkType {
  return Object.hasOwn(words, type)
}

/** Whether the page asks for a new password. */
export function asksPassword(type: LinkType): boolean {
  return type === 'RECOVERY' || type === 'INVITE'
}

/** The page that a link opens: nothing has happened yet, its button does it. `problem` is what was wrong with the password. */
export function confirmPage(link: LinkParameters, problem: string | null = null): Answer {
  const { title, text, button } = wordsOf(link.type)
  const body = html`<p>${text}</p>
<form method="post" action="verify">
<input type="hidden" name="token" value="${link.token}">
<input type="hidden" name="type" value="${link.type}">
${link.redirectTo === null ? null : html`<input type="hidden" name="redirect_to" value="${link.redirectTo}">`}
${asksPassword(link.type) ? passwordField(problem) : null}
<button>${button}</button>
</form>`
  return page({ status: problem === null ? 200 : 422, title, body, formLeadsTo: link.redirectTo })
}

function passwordField(problem: string | null): Html {
  const isWrong = problem === null ? null : html` aria-invalid="true" aria-describedby="problem"`
  return html`<label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" required autofocus${isWrong}>
${problem === null ? null : html`<p class="wrong" id="problem" role="alert">${problem}</p>`}
<p class="hint">Long is better than complicated. A password manager can make one up.</p>`
}

/** It is done, and there is nowhere else to go. */
export function donePage(type: LinkType): Answer {
  return page({ status: 200, title: 'Done', body: html`<p>${wordsOf(type).done}</p>` })
}

/** The link leads nowhere. */
export function failedPage(status: number, title: string, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return page({ status, title, body: html`<p>${text}</p>`, headers })
}

function wordsOf(type: LinkType): Words {
  return words[type] ?? { title: '', text: '', button: '', done: '' }
}
