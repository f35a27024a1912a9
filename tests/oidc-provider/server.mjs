// oidc-provider as a strict stranger: PKCE required, every refresh token good for one use, reuse kills the grant.
//
// Loopback and plain http only; all state is in memory and goes with the process. Settings come from the environment:
//   PORT                   0 (any free one)
//   CLIENT_ID              mortise
//   CLIENT_SECRET          required
//   REDIRECT_URIS          required; separated by spaces
//   CLIENT_AUTH            client_secret_basic | client_secret_post | private_key_jwt | client_secret_jwt | tls_client_auth
//   CLIENT_METADATA        further metadata of the client, as JSON, such as its keys; a grant type of RFC 8628 among them turns
//                          the device flow on
//   DPOP                   unset; 1: proofs of possession need a nonce (RFC 9449)
//   TLS_FOLDER             unset; a folder with provider.crt, provider.key and authority.crt: the same endpoints are served over
//                          TLS too, where clients show certificates; prints `secure <base>` before `ready`
//   ACCESS_TOKEN_SECONDS   60
//   REFRESH_TOKEN_SECONDS  86400
//   LATENCY_MS             0; how long a token request waits before the provider looks at it
//   CLIENT_DOCUMENTS       unset; two origins: clients may be named by documents under the first (client id metadata documents),
//                          which are fetched from the second, because no name leads from here to the first
//   REGISTRATION           unset; 1: clients may register by themselves, and tokens for the resource at /mcp may be asked for
// Once it accepts connections it prints one line: `ready <issuer>`.
// `GET /test/events` answers what happened since the start, as JSON, and `GET /test/history` every token request.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import Provider, { errors } from 'oidc-provider';
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';
import { Log } from './log.mjs';
import { PATH, Resource } from './resource.mjs';
import { Storage } from './storage.mjs';

function fail(message) {
  console.error(message);
  process.exit(2);
}

function text(name, fallback) {
  return process.env[name] || fallback || fail(`${name} is not set`);
}

function whole(name, fallback, least) {
  const value = Number(process.env[name] || fallback);
  return Number.isInteger(value) && value >= least ? value : fail(`${name} is not a whole number of at least ${least}`);
}

const seconds = (name, fallback) => whole(name, fallback, 1);

const events = {
  access_tokens: 0,
  refresh_tokens: 0,
  refresh_tokens_consumed: 0,
  refresh_tokens_destroyed: 0,
  grants_succeeded: 0,
  grants_revoked: 0,
  // A consumed refresh token was presented again: what must never happen.
  reuses: 0,
  errors: [],
};

function record(provider) {
  const count = (event, name) => provider.on(event, () => { events[name] += 1; });
  count('access_token.saved', 'access_tokens');
  count('refresh_token.saved', 'refresh_tokens');
  count('refresh_token.consumed', 'refresh_tokens_consumed');
  count('refresh_token.destroyed', 'refresh_tokens_destroyed');
  count('grant.success', 'grants_succeeded');
  count('grant.revoked', 'grants_revoked');
  const error = (event) => provider.on(event, (_ctx, err) => {
    if (err.error_detail === 'refresh token already used') events.reuses += 1;
    events.errors.push({ event, error: err.error ?? 'server_error', detail: err.error_detail ?? err.message });
  });
  ['grant.error', 'authorization.error', 'revocation.error', 'introspection.error', 'userinfo.error', 'server_error'].forEach(error);
}

// What a provider of MCP servers has: dynamic registration, and tokens that are good for one resource.
function forResources(issuer) {
  const audience = `${issuer}${PATH}`;
  const getResourceServerInfo = (_ctx, indicator) => {
    if (indicator !== audience) throw new errors.InvalidTarget();
    return { scope: 'mcp', audience, accessTokenFormat: 'opaque', accessTokenTTL: seconds('ACCESS_TOKEN_SECONDS', 60) };
  };
  return { registration: { enabled: true }, resourceIndicators: { enabled: true, getResourceServerInfo } };
}

function configuration(issuer) {
  const resources = process.env.REGISTRATION === '1' ? forResources(issuer) : {};
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const storage = new Storage();
  return {
    adapter: (model) => new MemoryAdapter(model, storage),
    clients: [{
      client_id: text('CLIENT_ID', 'mortise'),
      ...(text('CLIENT_AUTH', 'client_secret_basic').startsWith('client_secret') && { client_secret: text('CLIENT_SECRET') }),
      redirect_uris: text('REDIRECT_URIS').split(' '),
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      response_types: ['code'],
      token_endpoint_auth_method: text('CLIENT_AUTH', 'client_secret_basic'),
      id_token_signed_response_alg: 'ES256',
      ...JSON.parse(process.env.CLIENT_METADATA || '{}'),
    }],
    // Who registers by itself says nothing of id tokens, and the one key here is no RSA key.
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    scopes: ['openid', 'offline_access', 'profile', ...(resources.registration ? ['mcp'] : [])],
    claims: { openid: ['sub'], profile: ['name'] },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: `Account ${id}` }) }),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
    ...(process.env.TLS_FOLDER && {
      clientAuthMethods: ['client_secret_basic', 'none', 'tls_client_auth', 'self_signed_tls_client_auth'],
    }),
    ...clientDocuments(),
    features: {
      ...resources,
      ...security(),
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
    },
    ttl: {
      AccessToken: seconds('ACCESS_TOKEN_SECONDS', 60),
      ClientCredentials: seconds('ACCESS_TOKEN_SECONDS', 60),
      AuthorizationCode: 60,
      RefreshToken: seconds('REFRESH_TOKEN_SECONDS', 86400),
      Grant: 86400,
      IdToken: 3600,
      Interaction: 600,
      Session: 86400,
    },
  };
}

// Documents of clients are fetched over https from public addresses only; here they lie on loopback.
function clientDocuments() {
  const [named, served] = (process.env.CLIENT_DOCUMENTS || '').split(' ');
  if (!served) return {};
  return {
    fetch: (url, { method, headers, redirect, signal }) => {
      if (!String(url).startsWith(`${named}/`)) throw new Error(`nobody asked for ${url}`);
      return globalThis.fetch(served + String(url).slice(named.length), { method, headers, redirect, signal });
    },
  };
}

// What clients prove themselves and their tokens by, where it is asked for.
function security() {
  const features = {};
  if (process.env.CLIENT_DOCUMENTS) {
    features.clientIdMetadataDocument = { enabled: true, ack: 'draft-02' };
  }
  const metadata = JSON.parse(process.env.CLIENT_METADATA || '{}');
  if (metadata.grant_types?.includes('urn:ietf:params:oauth:grant-type:device_code')) {
    features.deviceFlow = { enabled: true };
  }
  if (process.env.DPOP === '1') {
    features.dPoP = { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true };
  }
  if (process.env.TLS_FOLDER) {
    const shown = (ctx) => ctx.socket.getPeerX509Certificate?.();
    features.mTLS = {
      enabled: true,
      certificateBoundAccessTokens: true,
      tlsClientAuth: true,
      selfSignedTlsClientAuth: true,
      getCertificate: (ctx) => shown(ctx)?.toString(),
      certificateAuthorized: (ctx) => ctx.socket.authorized,
      certificateSubjectMatches: (ctx, property, expected) =>
        property === 'tls_client_auth_san_dns' && shown(ctx).subjectAltName === `DNS:${expected}`,
    };
  }
  return features;
}

// Certificates are asked for and not insisted on: who comes without one is told so by the protocol.
function listenSecurely(folder, answer) {
  const file = (name) => readFileSync(`${folder}/${name}`);
  const tls = { key: file('provider.key'), cert: file('provider.crt'), ca: file('authority.crt') };
  const secure = createSecureServer({ ...tls, requestCert: true, rejectUnauthorized: false }, answer);
  return new Promise((resolve) => {
    secure.listen(0, '127.0.0.1', () => resolve(`https://localhost:${secure.address().port}`));
  });
}

let respond = (_request, response) => response.writeHead(503).end();
const server = createServer((request, response) => respond(request, response));
server.on('error', (error) => fail(error.message));
server.listen(Number(process.env.PORT || 0), '127.0.0.1', () => {
  // The issuer holds the port, so the provider is made when the port is known.
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration(issuer));
  record(provider);
  const log = new Log();
  log.follow(provider);
  provider.use(log.middleware(whole('LATENCY_MS', 0, 0)));
  const callback = provider.callback();
  const resource = process.env.REGISTRATION === '1' ? new Resource(issuer, provider) : undefined;
  const reports = { '/test/events': () => events, '/test/history': () => log.report() };
  respond = (request, response) => {
    const report = request.method === 'GET' && reports[request.url];
    if (report) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(report()));
    } else if (resource) {
      resource.serve(request, response).then((served) => { if (!served) callback(request, response); });
    } else {
      callback(request, response);
    }
  };
  const ready = () => console.log(`ready ${issuer}`);
  if (process.env.TLS_FOLDER) {
    listenSecurely(process.env.TLS_FOLDER, (request, response) => respond(request, response)).then((base) => {
      console.log(`secure ${base}`);
      ready();
    });
  } else {
    ready();
  }
});
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
