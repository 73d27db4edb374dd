import type { MailTemplate } from '../mail.ts'

/** The words of a mail. `{{name}}` stands for a value. */
export type TemplateText = Readonly<{
  subject: string
  heading: string
  paragraphs: readonly string[]
  /** On the button that leads to `{{link}}`; absent: the mail has none. */
  button?: string
  /** Whether `{{code}}` is shown. */
  hasCode?: boolean
  /** What to do when it was somebody else. */
  closing: string
  /** Values of this mail alone. */
  values?: readonly ('newEmail' | 'oldEmail')[]
}>

const ignore = 'If that was not you, you need not do anything.'
const alarm = 'If that was not you, reset your password now, and tell whoever runs {{appName}}.'

/** Every mail a person can receive, in English. */
export const templateTexts: Readonly<Record<MailTemplate, TemplateText>> = {
  CONFIRM_SIGN_UP: {
    subject: 'Confirm your e-mail address for {{appName}}',
    heading: 'Confirm your e-mail address',
    paragraphs: ['You signed up for {{appName}} with this address. Confirm that it is yours.'],
    button: 'Confirm e-mail address',
    hasCode: true,
    closing: ignore,
  },
  ALREADY_REGISTERED: {
    subject: 'You already have an account at {{appName}}',
    heading: 'You already have an account',
    paragraphs: [
      'Somebody signed up for {{appName}} with this address, which has an account already. No other one was made, and nothing changed.',
      'If that was you, sign in as you did before. If you forgot your password, ask for a new one where you sign in.',
    ],
    closing: ignore,
  },
  SIGN_IN: {
    subject: 'Sign in to {{appName}}',
    heading: 'Sign in to {{appName}}',
    paragraphs: ['You asked to sign in with this address.'],
    button: 'Sign in',
    hasCode: true,
    closing: `${ignore} Give the code to nobody: whoever has it can sign in as you.`,
  },
  RESET_PASSWORD: {
    subject: 'Choose a new password for {{appName}}',
    heading: 'Choose a new password',
    paragraphs: ['You asked for a new password for your account at {{appName}}.'],
    button: 'Choose a new password',
    hasCode: true,
    closing: `${ignore} Your password stays as it is.`,
  },
  INVITE: {
    subject: 'You are invited to {{appName}}',
    heading: 'You are invited to {{appName}}',
    paragraphs: ['An account is ready for you at this address. Accept the invitation to use it.'],
    button: 'Accept the invitation',
    hasCode: true,
    closing: 'If you do not want it, you need not do anything.',
  },
  CONFIRM_EMAIL_CHANGE_CURRENT: {
    subject: 'Confirm the change of your e-mail address for {{appName}}',
    heading: 'Confirm the change of your e-mail address',
    paragraphs: ['You asked to change the address of your account at {{appName}} to {{newEmail}}. Confirm it from here, your current one.'],
    button: 'Confirm the change',
    hasCode: true,
    closing: 'If that was not you, do not confirm it: your address stays as it is. Somebody may know your password, so change it.',
    values: ['newEmail'],
  },
  CONFIRM_EMAIL_CHANGE_NEW: {
    subject: 'Confirm your new e-mail address for {{appName}}',
    heading: 'Confirm your new e-mail address',
    paragraphs: ['You asked to use this address for your account at {{appName}}. Its address until now: {{oldEmail}}'],
    button: 'Confirm e-mail address',
    hasCode: true,
    closing: ignore,
    values: ['oldEmail'],
  },
  REAUTHENTICATE: {
    subject: 'Your code for {{appName}}',
    heading: 'Confirm that it is you',
    paragraphs: ['You are about to change something important in your account at {{appName}}.'],
    hasCode: true,
    closing: 'If that was not you, give the code to nobody, and change your password.',
  },
  PASSWORD_CHANGED: {
    subject: 'Your password for {{appName}} was changed',
    heading: 'Your password was changed',
    paragraphs: ['The password of your account at {{appName}} was changed on {{time}}.'],
    closing: alarm,
  },
  EMAIL_CHANGED: {
    subject: 'Your e-mail address for {{appName}} was changed',
    heading: 'Your e-mail address was changed',
    paragraphs: ['The address of your account at {{appName}} was changed on {{time}}.', 'It was: {{oldEmail}}', 'It is now: {{newEmail}}'],
    closing: 'If that was not you, tell whoever runs {{appName}} now.',
    values: ['oldEmail', 'newEmail'],
  },
}

/** What stands under a link or a code. */
export function expiryNote({ button, hasCode = false }: TemplateText): string {
  if (button === undefined) return 'The code works once, for {{expiresIn}}.'
  return hasCode
    ? 'The link works once, for {{expiresIn}}; so does the code, for ten minutes at most.'
    : 'The link works once, for {{expiresIn}}.'
}
