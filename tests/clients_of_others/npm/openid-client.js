// An application on openid-client.

import * as client from 'openid-client'

import { browse, obey } from './parent.js'

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

async function signOn(asked) {
  const { redirect_uri, post_logout_redirect_uri, method } = asked
  const config = await discover(asked)
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

async function actForItself(asked) {
  const { scope } = asked
  const config = await discover(asked)
  const tokens = await client.clientCredentialsGrant(config, { scope })
  const introspected = await client.tokenIntrospection(config, tokens.access_token)
  await client.tokenRevocation(config, tokens.access_token)
  return {
    scope: tokens.scope,
    before: introspected,
    after: await client.tokenIntrospection(config, tokens.access_token),
  }
}

await obey({ signOn, actForItself })
