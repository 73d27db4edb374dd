import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'

const statuses: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** Answers what is no HTTP request, or takes too long to become one, as any other request is answered, and ends its connection. */
export function refuseBadConnections(server: Server, headers: Readonly<Record<string, string>>): void {
  const lines = Object.entries({ ...headers, Connection: 'close', 'Content-Length': '0' }).map(([name, value]) => `${name}: ${value}\r\n`)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex & { bytesWritten?: number }) => {
    const status = statuses[error.code ?? ''] ?? '400 Bad Request'
    // Where an answer is on its way already, a second one would be taken for the answer to another request.
    if (socket.writable && !isAnswering(socket)) socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`)
    else socket.destroy()
  })
}

/** Node keeps the response at work on the socket. */
function isAnswering(socket: Duplex): boolean {
  return Boolean((socket as { _httpMessage?: { headersSent: boolean } })._httpMessage?.headersSent)
}
