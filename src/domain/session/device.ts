import bowser from 'bowser'

/** What a person calls the device of a `User-Agent`: `Firefox on Windows`, `Safari on iPhone`. Null when nothing is known of it. */
export function deviceName(userAgent: string | null): string | null {
  if (!userAgent) return null
  const { browser, os, platform } = bowser.parse(userAgent)
  const system = platform.vendor === 'Apple' && platform.type !== 'desktop' ? platform.model : os.name
  const names = [browser.name, system].filter((name) => name)
  return names.length === 0 ? null : names.join(' on ')
}
