// node-oidc-provider for many tenants, chosen by Host: one process over PostgreSQL.

import http from 'node:http'

import { trips } from './database.js'
import { tenantOf } from './pool.js'
import { signIn } from './sign_in.js'

function answer(res, status, body) {
  res.writeHead(status, { 'content-length': Buffer.byteLength(body) }).end(body)
}

async function route(req, res) {
  const { host } = req.headers
  if (host.startsWith('ops.')) {
    answer(res, 200, String(trips.made))
    return
  }
  const tenant = await tenantOf(host)
  if (tenant === undefined) answer(res, 404, 'no such tenant')
  else if (req.url.startsWith('/interaction/')) await signIn(tenant, req, res)
  else await tenant.handle(req, res)
}

const server = http.createServer((req, res) => {
  route(req, res).catch((error) => {
    console.error(error)
    if (!res.headersSent) answer(res, 500, 'failed')
  })
})
server.keepAliveTimeout = 75_000
server.listen(Number(process.env.PEER_PORT), '127.0.0.1')
