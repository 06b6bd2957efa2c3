// An application on oauth4webapi: every step by hand, every answer processed by the library.

import * as oauth from 'oauth4webapi'

import { signingKey } from './keys.js'
import { browse, obey } from './parent.js'

const DEVELOPMENT = { [oauth.allowInsecureRequests]: true } // it speaks http

const METHODS = {
  client_secret_basic: ({ client_secret }) => oauth.ClientSecretBasic(client_secret),
  client_secret_post: ({ client_secret }) => oauth.ClientSecretPost(client_secret),
  private_key_jwt: (_, key) => oauth.PrivateKeyJwt(key),
  none: () => oauth.None(),
}

// What the application is: its settings, its key, and the key that its tokens are bound to.
async function discover(asked) {
  const address = new URL(asked.issuer)
  const as = await oauth.discoveryRequest(address, DEVELOPMENT)
    .then((response) => oauth.processDiscoveryResponse(address, response))
  return { as, ...await identity(asked) }
}

async function identity(asked) {
  const { client_id, alg, bind } = asked
  const client = { client_id, id_token_signed_response_alg: alg }
  const key = asked.key && await signingKey(asked.key)
  const DPoP = bind && oauth.DPoP(client, await oauth.generateKeyPair(bind))
  return { client, key, auth: METHODS[asked.method](asked, key), http: { ...DEVELOPMENT, DPoP } }
}

// What *ask* answers; asked again when only a nonce was missing in the proof.
async function answered(ask) {
  try {
    return await ask()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return ask()
  }
}

// Where the person goes; *sign* and *push* say how the request is made.
async function authorizationUrl({ as, client, auth, key, http }, { sign, push }, asks) {
  const url = new URL(as.authorization_endpoint)
  let parameters = new URLSearchParams({ client_id: client.client_id, ...asks })
  if (sign) {
    const request = await oauth.issueRequestObject(as, client, parameters, key)
    parameters = new URLSearchParams({ client_id: client.client_id, request })
  }
  if (push) {
    const { request_uri } = await answered(() => oauth
      .pushedAuthorizationRequest(as, client, auth, parameters, http)
      .then((response) => oauth.processPushedAuthorizationResponse(as, client, response)))
    parameters = new URLSearchParams({ client_id: client.client_id, request_uri })
  }
  url.search = parameters
  return url
}

// A person signs in; *more* are further parameters of the request.
async function authorize(party, asked, more = {}) {
  const { as, client, auth, http } = party
  const verifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const asks = {
    redirect_uri: asked.redirect_uri,
    response_type: 'code',
    scope: asked.scope,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  }
  if (http.DPoP) asks.dpop_jkt = await http.DPoP.calculateThumbprint()
  const back = await browse(await authorizationUrl(party, asked, asks))
  const params = oauth.validateAuthResponse(as, client, back, state)
  const tokens = await answered(async () => {
    const response = await oauth.authorizationCodeGrantRequest(
      as, client, auth, params, asked.redirect_uri, verifier, http,
    )
    const tokens = await oauth.processAuthorizationCodeResponse(
      as, client, response, { expectedNonce: nonce, requireIdToken: true },
    )
    await oauth.validateApplicationLevelSignature(as, response, http)
    return tokens
  })
  return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens), state }
}

async function refresh({ as, client, auth, http }, token, additionalParameters = {}) {
  return answered(async () => {
    const response = await oauth.refreshTokenGrantRequest(
      as, client, auth, token, { ...http, additionalParameters },
    )
    const tokens = await oauth.processRefreshTokenResponse(as, client, response)
    if (tokens.id_token) await oauth.validateApplicationLevelSignature(as, response, http)
    return tokens
  })
}

function userInfo({ as, client, http }, token, sub) {
  return answered(() => oauth.userInfoRequest(as, client, token, http)
    .then((response) => oauth.processUserInfoResponse(as, client, sub, response)))
}

async function introspect({ as, client, auth, http }, token) {
  const response = await oauth.introspectionRequest(as, client, auth, token, http)
  return oauth.processIntrospectionResponse(as, client, response)
}

async function revoke({ as, client, auth, http }, token) {
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, token, http))
}

async function signOn(asked, given) {
  const party = given ?? await discover(asked)
  const { tokens, claims, state } = await authorize(party, asked, { prompt: 'consent' })
  const userinfo = await userInfo(party, tokens.access_token, claims.sub)
  const renewed = await refresh(party, tokens.refresh_token)
  const learnt = {
    claims, userinfo,
    token_type: renewed.token_type,
    scope: tokens.scope,
    rotated: renewed.refresh_token !== tokens.refresh_token,
    same_person: oauth.getValidatedIdTokenClaims(renewed).sub === claims.sub,
  }
  if (asked.method !== 'none') learnt.before = await introspect(party, renewed.access_token)
  await revoke(party, renewed.refresh_token)
  if (asked.method !== 'none') learnt.after = await introspect(party, renewed.access_token)
  learnt.refused = await refresh(party, renewed.refresh_token).catch((it) => it.error)
  const leaving = new URL(party.as.end_session_endpoint)
  leaving.search = new URLSearchParams({
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: asked.post_logout_redirect_uri,
    state,
  })
  return { ...learnt, left: (await browse(leaving)).href, state }
}

async function actForItself(asked) {
  const party = await discover(asked)
  const { as, client, auth, http } = party
  const { scope, resource } = asked
  const parameters = resource ? { scope, resource } : { scope }
  const tokens = await answered(() => oauth
    .clientCredentialsGrantRequest(as, client, auth, parameters, http)
    .then((response) => oauth.processClientCredentialsResponse(as, client, response)))
  const before = await introspect(party, tokens.access_token)
  await revoke(party, tokens.access_token)
  const after = await introspect(party, tokens.access_token)
  return { scope: tokens.scope, token: tokens.access_token, before, after }
}

// A person lets the application use an API.
async function useApi(asked) {
  const party = await discover(asked)
  const { resource } = asked
  const { tokens } = await authorize(party, asked, { prompt: 'consent', resource })
  const renewed = await refresh(party, tokens.refresh_token, { resource })
  return { tokens: [tokens.access_token, renewed.access_token] }
}

// The API itself: what it is told by a token.
async function beAnApi({ issuer, resource, token }) {
  const address = new URL(issuer)
  const as = await oauth.discoveryRequest(address, DEVELOPMENT)
    .then((response) => oauth.processDiscoveryResponse(address, response))
  const request = new Request(resource, { headers: { authorization: `Bearer ${token}` } })
  return oauth.validateJwtAccessToken(as, request, resource, DEVELOPMENT)
}

// A device without a browser; whoever lets it in does so while it waits.
async function watch(asked) {
  const party = await discover(asked)
  const { as, client, auth, http } = party
  const waiting = await oauth
    .deviceAuthorizationRequest(as, client, auth, { scope: asked.scope }, http)
    .then((response) => oauth.processDeviceAuthorizationResponse(as, client, response))
  await browse(new URL(waiting.verification_uri_complete))
  const tokens = await answered(async () => {
    const response = await oauth.deviceCodeGrantRequest(as, client, auth, waiting.device_code, http)
    const tokens = await oauth.processDeviceCodeResponse(as, client, response)
    await oauth.validateApplicationLevelSignature(as, response, http)
    return tokens
  })
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  const userinfo = await userInfo(party, tokens.access_token, sub)
  return { waiting, userinfo, token_type: tokens.token_type }
}

// The application registers itself, reads what is registered, and is used.
async function registerItself(asked) {
  const { issuer, metadata, initial_access_token: initialAccessToken } = asked
  const address = new URL(issuer)
  const as = await oauth.discoveryRequest(address, DEVELOPMENT)
    .then((response) => oauth.processDiscoveryResponse(address, response))
  const told = await oauth
    .dynamicClientRegistrationRequest(as, metadata, { ...DEVELOPMENT, initialAccessToken })
    .then(oauth.processDynamicClientRegistrationResponse)
  const read = await oauth.protectedResourceRequest(
    told.registration_access_token, 'GET', new URL(told.registration_client_uri), new Headers(),
    null, DEVELOPMENT,
  ).then((response) => response.json())
  const own = {
    ...asked,
    client_id: told.client_id,
    client_secret: told.client_secret,
    method: told.token_endpoint_auth_method,
    alg: told.id_token_signed_response_alg,
  }
  return { told, read, used: await signOn(own, { as, ...await identity(own) }) }
}

await obey({ signOn, actForItself, useApi, beAnApi, watch, registerItself })
