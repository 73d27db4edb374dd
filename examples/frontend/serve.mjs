// Serves this folder at http://localhost:5173: `node examples/frontend/serve.mjs`. PORT is another port; 0 takes a free one.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const types = { '/': ['index.html', 'text/html'], '/app.js': ['app.js', 'text/javascript'], '/style.css': ['style.css', 'text/css'] }

const server = createServer(async ({ url = '/' }, response) => {
  const [file, type] = types[url.split('?', 1)[0]] ?? []
  if (file === undefined) return response.writeHead(404).end('Not found')
  const text = await readFile(fileURLToPath(new URL(file, import.meta.url)))
  return response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-store' }).end(text)
})

server.listen(Number(process.env.PORT ?? 5173), '127.0.0.1', () => process.stdout.write(`http://localhost:${server.address().port}\n`))
