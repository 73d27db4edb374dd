/** Whether Roster may send what is secret there: an https URL without user, query and fragment. This machine may do without TLS. */
export function isServiceUrl(text: string): boolean {
  if (text.length > 2048 || !URL.canParse(text) || /[\s?#\\]/.test(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  return (protocol === 'https:' || (protocol === 'http:' && isLoopback)) && username === '' && password === ''
}
