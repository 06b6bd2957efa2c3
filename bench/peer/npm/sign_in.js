// The smallest sign-in that oidc-provider knows: a page with a name, and no password.

import { text } from 'node:stream/consumers'

import { idOf } from './accounts.js'

const PAGE = `<!DOCTYPE html>
<title>Sign in</title>
<form method="post"><label>Name <input name="username"></label><button>Sign in</button></form>
`

export async function signIn({ slug, provider }, req, res) {
  const { prompt } = await provider.interactionDetails(req, res)
  if (prompt.name !== 'login') throw new Error(`nobody answers ${prompt.name}`)
  if (req.method === 'GET') {
    res.writeHead(200, { 'content-type': 'text/html', 'content-length': PAGE.length }).end(PAGE)
    return
  }
  const accountId = await idOf(slug, new URLSearchParams(await text(req)).get('username'))
  if (accountId === undefined) throw new Error('nobody has this name')
  await provider.interactionFinished(req, res, { login: { accountId } })
}
