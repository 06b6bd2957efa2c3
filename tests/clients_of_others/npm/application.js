// An application on openid-client. Its parent opens addresses in a browser for it: a line
// {"open": url} goes out, a line with the address where the browser ended comes back. The last line is
// what the application has learnt.

import dns from 'node:dns'
import readline from 'node:readline'

import * as client from 'openid-client'

// Names under localhost are this machine (RFC 6761), which browsers know and Node.js does not.
const { lookup } = dns
dns.lookup = (name, ...rest) => lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest)

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (value) => process.stdout.write(JSON.stringify(value) + '\n')
const hear = async () => JSON.parse((await lines.next()).value)

async function browse(url) {
  say({ open: url.href })
  return new URL(await hear())
}

const METHODS = {
  client_secret_basic: client.ClientSecretBasic,
  client_secret_post: client.ClientSecretPost,
  none: client.None,
}

async function discover({ issuer, client_id, client_secret, method, alg }) {
  const config = await client.discovery(
    new URL(issuer), client_id, { id_token_signed_response_alg: alg },
    METHODS[method](client_secret), { execute: [client.allowInsecureRequests] },
  )
  client.enableNonRepudiationChecks(config) // verifies the signature of id_tokens too
  return config
}

async function signOn(config, { redirect_uri, post_logout_redirect_uri, method }) {
  const verifier = client.randomPKCECodeVerifier()
  const [state, nonce] = [client.randomState(), client.randomNonce()]
  const back = await browse(client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope: 'openid profile email offline_access',
    prompt: 'consent',
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }))
  const tokens = await client.authorizationCodeGrant(config, back, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  })
  const claims = tokens.claims()
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token)
  const learnt = {
    claims, userinfo,
    rotated: renewed.refresh_token !== tokens.refresh_token,
    same_person: renewed.claims().sub === claims.sub,
    scope: tokens.scope,
  }
  if (method !== 'none') learnt.before = await client.tokenIntrospection(config, renewed.access_token)
  await client.tokenRevocation(config, renewed.refresh_token)
  if (method !== 'none') learnt.after = await client.tokenIntrospection(config, renewed.access_token)
  learnt.refused = await client.refreshTokenGrant(config, renewed.refresh_token).catch((it) => it.error)
  const left = await browse(client.buildEndSessionUrl(config, {
    post_logout_redirect_uri, state, id_token_hint: tokens.id_token,
  }))
  return { ...learnt, left: left.href, state }
}

async function actForItself(config, { scope }) {
  const tokens = await client.clientCredentialsGrant(config, { scope })
  const introspected = await client.tokenIntrospection(config, tokens.access_token)
  await client.tokenRevocation(config, tokens.access_token)
  return {
    scope: tokens.scope,
    before: introspected,
    after: await client.tokenIntrospection(config, tokens.access_token),
  }
}

const asked = await hear()
const config = await discover(asked)
say(await (asked.scope ? actForItself(config, asked) : signOn(config, asked)))
process.exit()
