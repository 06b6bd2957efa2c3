// The host of an application that is told of sign-outs, on jose.

import { createRemoteJWKSet, jwtVerify } from 'jose'

import { obey } from './parent.js'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

// What a logout token says, judged as OpenID Connect Back-Channel Logout 1.0, 2.6, asks.
async function hearOfLogout({ issuer, audience, alg, token }) {
  const { jwks_uri } = await fetch(`${issuer}/.well-known/openid-configuration`)
    .then((response) => response.json())
  const { payload, protectedHeader } = await jwtVerify(token, createRemoteJWKSet(new URL(jwks_uri)), {
    issuer, audience, algorithms: [alg], typ: 'logout+jwt', maxTokenAge: '2m',
    requiredClaims: ['jti', 'events', 'iat', 'exp'],
  })
  return { event: payload.events[EVENT], claims: payload, header: protectedHeader }
}

await obey({ hearOfLogout })
