import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** Says where a request came from; null when its connection is gone. */
export type ClientAddress = (request: IncomingMessage) => string | null

/**
 * X-Forwarded-For is read from the right, as long as the address that appended to it is a trusted proxy: what stands left of the
 * first untrusted address was written by the caller. Without trusted proxies it is the address of the connection.
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const trusted = new BlockList()
  for (const range of trustedProxies) addRange(trusted, range)
  if (trustedProxies.length === 0) return ({ socket }) => plainAddress(socket.remoteAddress ?? '')
  return (request) => {
    const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
    let address = plainAddress(request.socket.remoteAddress ?? '')
    while (address !== null && trusted.check(address, family(address))) {
      const next = plainAddress(forwarded.pop()?.trim() ?? '')
      if (next === null) break
      address = next
    }
    return address
  }
}

function addRange(list: BlockList, range: string): void {
  const [address = '', bits] = range.split('/')
  if (bits === undefined) list.addAddress(address, family(address))
  else list.addSubnet(address, Number(bits), family(address))
}

/** An IPv4 address that came over an IPv6 socket is an IPv4 address; null for what is no address. */
function plainAddress(text: string): string | null {
  const address = text.replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(address) === 0 ? null : address
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
