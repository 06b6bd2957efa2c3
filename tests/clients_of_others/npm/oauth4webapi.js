// An application on oauth4webapi: every step by hand, every answer processed by the library.

import * as oauth from 'oauth4webapi'

import { browse, obey } from './parent.js'

const http = { [oauth.allowInsecureRequests]: true } // development speaks it

const METHODS = {
  client_secret_basic: oauth.ClientSecretBasic,
  client_secret_post: oauth.ClientSecretPost,
  none: oauth.None,
}

async function discover({ issuer, client_id, client_secret, method, alg }) {
  const address = new URL(issuer)
  const as = await oauth.discoveryRequest(address, http)
    .then((response) => oauth.processDiscoveryResponse(address, response))
  const client = { client_id, id_token_signed_response_alg: alg }
  return { as, client, auth: METHODS[method](client_secret) }
}

// A person signs in; *more* are further parameters of the request.
async function authorize({ as, client, auth }, { redirect_uri, scope }, more = {}) {
  const verifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri,
    response_type: 'code',
    scope,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  })
  const back = await browse(url)
  const params = oauth.validateAuthResponse(as, client, back, state)
  const response = await oauth.authorizationCodeGrantRequest(
    as, client, auth, params, redirect_uri, verifier, http,
  )
  const tokens = await oauth.processAuthorizationCodeResponse(
    as, client, response, { expectedNonce: nonce, requireIdToken: true },
  )
  await oauth.validateApplicationLevelSignature(as, response, http)
  return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens) }
}

async function refresh({ as, client, auth }, token) {
  const response = await oauth.refreshTokenGrantRequest(as, client, auth, token, http)
  const tokens = await oauth.processRefreshTokenResponse(as, client, response)
  await oauth.validateApplicationLevelSignature(as, response, http)
  return tokens
}

async function introspect({ as, client, auth }, token) {
  const response = await oauth.introspectionRequest(as, client, auth, token, http)
  return oauth.processIntrospectionResponse(as, client, response)
}

async function revoke({ as, client, auth }, token) {
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, token, http))
}

async function signOn(asked) {
  const party = await discover(asked)
  const { as, client } = party
  const { tokens, claims } = await authorize(party, asked, { prompt: 'consent' })
  const userinfo = await oauth.userInfoRequest(as, client, tokens.access_token, http)
    .then((response) => oauth.processUserInfoResponse(as, client, claims.sub, response))
  const renewed = await refresh(party, tokens.refresh_token)
  const learnt = {
    claims, userinfo,
    scope: tokens.scope,
    rotated: renewed.refresh_token !== tokens.refresh_token,
    same_person: oauth.getValidatedIdTokenClaims(renewed).sub === claims.sub,
  }
  if (asked.method !== 'none') learnt.before = await introspect(party, renewed.access_token)
  await revoke(party, renewed.refresh_token)
  if (asked.method !== 'none') learnt.after = await introspect(party, renewed.access_token)
  learnt.refused = await refresh(party, renewed.refresh_token).catch((it) => it.error)
  const leaving = new URL(as.end_session_endpoint)
  leaving.search = new URLSearchParams({
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: asked.post_logout_redirect_uri,
    state: 'left',
  })
  return { ...learnt, left: (await browse(leaving)).href }
}

async function actForItself(asked) {
  const party = await discover(asked)
  const { as, client, auth } = party
  const response = await oauth.clientCredentialsGrantRequest(
    as, client, auth, { scope: asked.scope }, http,
  )
  const tokens = await oauth.processClientCredentialsResponse(as, client, response)
  const before = await introspect(party, tokens.access_token)
  await revoke(party, tokens.access_token)
  return { scope: tokens.scope, before, after: await introspect(party, tokens.access_token) }
}

await obey({ signOn, actForItself })
