// An application on openid-client.

import * as client from 'openid-client'

import { signingKey } from './keys.js'
import { browse, obey } from './parent.js'

const DEVELOPMENT = { execute: [client.allowInsecureRequests] } // it speaks http

const METHODS = {
  client_secret_basic: ({ client_secret }) => client.ClientSecretBasic(client_secret),
  client_secret_post: ({ client_secret }) => client.ClientSecretPost(client_secret),
  private_key_jwt: (_, key) => client.PrivateKeyJwt(key),
  none: () => client.None(),
}

// What the application is: its settings, its key, and the key that its tokens are bound to.
async function discover(asked) {
  const key = asked.key && await signingKey(asked.key)
  const config = await client.discovery(
    new URL(asked.issuer), asked.client_id, { id_token_signed_response_alg: asked.alg },
    METHODS[asked.method](asked, key), DEVELOPMENT,
  )
  return complete(config, asked, key)
}

async function complete(config, { bind }, key) {
  client.enableNonRepudiationChecks(config) // verifies the signature of id_tokens too
  const proofs = bind && client.getDPoPHandle(config, await client.randomDPoPKeyPair(bind))
  return { config, key, bound: { DPoP: proofs } }
}

// Where the person goes; *sign* and *push* say how the request is made.
async function authorizationUrl({ config, key, bound }, { sign, push }, parameters) {
  const url = sign
    ? await client.buildAuthorizationUrlWithJAR(config, parameters, key)
    : client.buildAuthorizationUrl(config, parameters)
  return push ? client.buildAuthorizationUrlWithPAR(config, url.searchParams, bound) : url
}

// A person signs in; *more* are further parameters of the request.
async function authorize(party, asked, more = {}) {
  const { config, bound } = party
  const verifier = client.randomPKCECodeVerifier()
  const [state, nonce] = [client.randomState(), client.randomNonce()]
  const parameters = {
    redirect_uri: asked.redirect_uri,
    scope: asked.scope,
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  }
  if (bound.DPoP) parameters.dpop_jkt = await bound.DPoP.calculateThumbprint()
  const back = await browse(await authorizationUrl(party, asked, parameters))
  const tokens = await client.authorizationCodeGrant(config, back, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  }, {}, bound)
  return { tokens, claims: tokens.claims(), state }
}

async function signOn(asked, given) {
  const party = given ?? await discover(asked)
  const { config, bound } = party
  const { tokens, claims, state } = await authorize(party, asked, { prompt: 'consent' })
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub, bound)
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token, {}, bound)
  const learnt = {
    claims, userinfo,
    token_type: renewed.token_type,
    rotated: renewed.refresh_token !== tokens.refresh_token,
    same_person: renewed.claims().sub === claims.sub,
    scope: tokens.scope,
  }
  const introspected = () => client.tokenIntrospection(config, renewed.access_token)
  if (asked.method !== 'none') learnt.before = await introspected()
  await client.tokenRevocation(config, renewed.refresh_token)
  if (asked.method !== 'none') learnt.after = await introspected()
  learnt.refused = await client.refreshTokenGrant(config, renewed.refresh_token, {}, bound)
    .catch((it) => it.error)
  const left = await browse(client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: asked.post_logout_redirect_uri, state, id_token_hint: tokens.id_token,
  }))
  return { ...learnt, left: left.href, state }
}

async function actForItself(asked) {
  const { config, bound } = await discover(asked)
  const { scope, resource } = asked
  const parameters = resource ? { scope, resource } : { scope }
  const tokens = await client.clientCredentialsGrant(config, parameters, bound)
  const introspected = () => client.tokenIntrospection(config, tokens.access_token)
  const before = await introspected()
  await client.tokenRevocation(config, tokens.access_token)
  return { scope: tokens.scope, token: tokens.access_token, before, after: await introspected() }
}

// A person lets the application use an API.
async function useApi(asked) {
  const party = await discover(asked)
  const { resource } = asked
  const { tokens } = await authorize(party, asked, { prompt: 'consent', resource })
  const renewed = await client.refreshTokenGrant(party.config, tokens.refresh_token, { resource })
  return { tokens: [tokens.access_token, renewed.access_token] }
}

// A device without a browser; whoever lets it in does so while it waits.
async function watch(asked) {
  const { config, bound } = await discover(asked)
  const { scope } = asked
  const waiting = await client.initiateDeviceAuthorization(config, { scope })
  await browse(new URL(waiting.verification_uri_complete))
  const tokens = await client.pollDeviceAuthorizationGrant(
    config, { ...waiting, interval: 0 }, {}, bound, // it has waited for the person
  )
  const { sub } = tokens.claims()
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, sub, bound)
  return { waiting, userinfo, token_type: tokens.token_type }
}

// The application registers itself, reads what is registered, and is used.
async function registerItself(asked) {
  const { issuer, metadata, initial_access_token: initialAccessToken } = asked
  const key = asked.key && await signingKey(asked.key)
  const method = metadata.token_endpoint_auth_method
  const config = await client.dynamicClientRegistration(
    new URL(issuer), metadata,
    method === 'private_key_jwt' ? client.PrivateKeyJwt(key) : undefined,
    { ...DEVELOPMENT, initialAccessToken },
  )
  const told = config.clientMetadata()
  const read = await client.fetchProtectedResource(
    config, told.registration_access_token, new URL(told.registration_client_uri), 'GET',
  ).then((response) => response.json())
  const used = await signOn({ ...asked, method }, await complete(config, asked, key))
  return { told, read, used }
}

// Tokens straight from the authorization endpoint; there is no access token among them.
async function signOnInFront(asked) {
  const { config } = await discover(asked)
  client.useIdTokenResponseType(config)
  const [state, nonce] = [client.randomState(), client.randomNonce()]
  const { redirect_uri, scope } = asked
  const back = await browse(
    client.buildAuthorizationUrl(config, { redirect_uri, scope, state, nonce }),
  )
  return { claims: await client.implicitAuthentication(config, back, nonce, { expectedState: state }) }
}

await obey({ signOn, actForItself, useApi, watch, registerItself, signOnInFront })
