// A protected resource as an MCP server is one: `/mcp` answers a token that the provider issued for it and for nothing else, and
// says to everybody else where its metadata lies (RFC 9728). It takes no other request than `GET`.

export const PATH = '/mcp';

export class Resource {
  constructor(issuer, provider) {
    this.issuer = issuer;
    this.provider = provider;
    this.identifier = `${issuer}${PATH}`;
  }

  // Whether it has answered.
  async serve(request, response) {
    const reply = (status, body, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
      return true;
    };
    const { pathname } = new URL(request.url, this.issuer);
    if (pathname === `/.well-known/oauth-protected-resource${PATH}`) {
      return reply(200, { resource: this.identifier, authorization_servers: [this.issuer], scopes_supported: ['mcp'] });
    }
    if (pathname !== PATH) return false;
    const [scheme, presented] = (request.headers.authorization ?? '').split(' ');
    const token = scheme.toLowerCase() === 'bearer' ? await this.provider.AccessToken.find(presented) : undefined;
    if (token?.aud === this.identifier) return reply(200, { account: token.accountId, client: token.clientId });
    const metadata = `${this.issuer}/.well-known/oauth-protected-resource${PATH}`;
    return reply(401, { error: 'invalid_token' }, {
      'www-authenticate': `Bearer resource_metadata="${metadata}", scope="openid mcp"`,
    });
  }
}
