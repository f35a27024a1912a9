// What the provider knows of its grants and of every request to its token endpoint, told as a history checker reads it.
//
// Tokens are named by fingerprints: the first 128 bits of their SHA-256 in hexadecimal digits. Times are unix milliseconds.

import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';

const fingerprint = (token) => token && createHash('sha256').update(token).digest('hex').slice(0, 32);
const microseconds = () => Math.round(performance.now() * 1000);

export class Log {
  #requests = [];

  // By the provider's id of the grant.
  #grants = new Map();

  // The grant of each refresh token that was ever issued, by fingerprint.
  #families = new Map();

  // Listens to what becomes of grants and tokens.
  follow(provider) {
    provider.on('refresh_token.saved', (token) => {
      const family = this.#grants.size + 1;
      const grant = this.#grants.get(token.grantId) ?? { family, account: token.accountId, alive: new Set() };
      this.#grants.set(token.grantId, grant);
      this.#families.set(fingerprint(token.jti), grant.family);
      grant.alive.add(fingerprint(token.jti));
    });
    const ended = (token) => this.#grants.get(token.grantId)?.alive.delete(fingerprint(token.jti));
    provider.on('refresh_token.consumed', ended);
    provider.on('refresh_token.destroyed', ended);
    provider.on('grant.revoked', (_ctx, id) => this.#grants.get(id)?.alive.clear());
  }

  // Writes down requests to the token endpoint, and lets each wait so long before it is looked at.
  middleware(latency) {
    return async (ctx, next) => {
      if (ctx.path !== '/token') return next();
      const request = {
        id: this.#requests.length + 1,
        class: 'f',
        received_at_ms: Date.now(),
        received_us: microseconds(),
        outcome: 'in_progress',
      };
      this.#requests.push(request);
      ctx.res.once('finish', () => Object.assign(request, { replied_at_ms: Date.now(), replied_us: microseconds() }));
      ctx.res.once('close', () => { if (!request.replied_us) request.left_us = microseconds(); });
      if (latency > 0) await new Promise((resolve) => { setTimeout(resolve, latency); });
      await next();
      const { grant_type: grantType, refresh_token: presented } = ctx.oidc?.params ?? {};
      const { access_token: access, refresh_token: refresh } = ctx.body ?? {};
      Object.assign(request, {
        grant_type: grantType,
        token: fingerprint(presented),
        family: this.#families.get(fingerprint(presented ?? refresh)),
        processed_at_ms: Date.now(),
        status: ctx.status,
        outcome: ctx.status === 200 ? 'issued' : ctx.body?.error ?? 'server_error',
        new_access_token: fingerprint(access),
        new_refresh_token: fingerprint(refresh),
      });
      return undefined;
    };
  }

  report() {
    // The requests with each refresh token, so far.
    const before = new Map();
    const requests = this.#requests.map((request) => {
      const earlier = before.get(request.token) ?? [];
      if (request.token) before.set(request.token, [...earlier, request]);
      const end = ({ replied_us: replied, left_us: left }) => replied ?? left ?? Infinity;
      const overlaps = earlier.filter((other) => end(other) > request.received_us).map(({ id }) => id);
      return { ...request, overlapped: overlaps.length > 0, overlaps };
    });
    const grants = [...this.#grants.values()].map(({ family, account, alive }) => (
      { family, account, alive_refresh_tokens: [...alive].map((id) => ({ id })) }));
    return { grants, requests };
  }
}
